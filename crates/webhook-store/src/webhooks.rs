//! Tables `webhooks` and `subscriptions`: who wants which events, and where they go.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bytea, Text, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::{
    Environment, EventPattern, EventType, SigningSecret, WebhookDescription, WebhookId,
    WebhookName, WebhookStatus, WebhookUrl,
};

use crate::error::name;
use crate::schema::webhooks;
use crate::statement::statement;
use crate::{SealingKey, StoreError};

/// A webhook to be stored.
#[derive(Debug)]
#[allow(missing_docs, reason = "the types say it")]
pub struct NewWebhook<'a> {
    pub id: WebhookId,
    pub name: &'a WebhookName,
    pub url: &'a WebhookUrl,
    pub environment: Environment,
    pub description: &'a WebhookDescription,
    pub status: WebhookStatus,
    pub patterns: &'a [EventPattern],
    pub secret: &'a SigningSecret,
}

/// A webhook as it is stored, without its secret.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// Counts its changes, from 1.
    pub version: i64,
    /// What it is called.
    pub name: String,
    /// Where its requests go.
    pub url: String,
    /// The environment it hears of.
    pub environment: Environment,
    /// What it is for.
    pub description: String,
    /// Whether it gets deliveries.
    pub status: WebhookStatus,
    /// Why the platform set it Inactive, when it did.
    pub disabled_reason: Option<String>,
    /// The patterns as chosen, such as `license.*`.
    pub event_types: Vec<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

type Row = (
    Uuid,
    i64,
    String,
    String,
    String,
    String,
    String,
    Option<String>,
    Vec<String>,
    DateTime<Utc>,
    DateTime<Utc>,
);

const READABLE: (
    webhooks::id,
    webhooks::version,
    webhooks::name,
    webhooks::url,
    webhooks::environment,
    webhooks::description,
    webhooks::status,
    webhooks::disabled_reason,
    webhooks::event_types,
    webhooks::created_at,
    webhooks::updated_at,
) = (
    webhooks::id,
    webhooks::version,
    webhooks::name,
    webhooks::url,
    webhooks::environment,
    webhooks::description,
    webhooks::status,
    webhooks::disabled_reason,
    webhooks::event_types,
    webhooks::created_at,
    webhooks::updated_at,
);

fn read(row: Row) -> Result<Webhook, StoreError> {
    Ok(Webhook {
        id: WebhookId(row.0),
        version: row.1,
        name: row.2,
        url: row.3,
        environment: name(&row.4)?,
        description: row.5,
        status: name(&row.6)?,
        disabled_reason: row.7,
        event_types: row.8,
        created_at: row.9,
        updated_at: row.10,
    })
}

statement! {
    /// A webhook and its subscriptions in one statement, so that no event sees half of it.
    Insert<'a> -> diesel::sql_types::Untyped {
        "WITH webhook AS (INSERT INTO webhooks
            (id, name, url, environment, description, status, event_types, sealed_secret)
            VALUES (", id: Uuid => SqlUuid,
        ", ", name: &'a str => Text,
        ", ", url: &'a str => Text,
        ", ", environment: &'a str => Text,
        ", ", description: &'a str => Text,
        ", ", status: &'a str => Text,
        ", ", patterns: Vec<String> => Array<Text>,
        ", ", sealed_secret: Vec<u8> => Bytea,
        ") RETURNING id, environment)
         INSERT INTO subscriptions (webhook_id, environment, event_type)
         SELECT id, environment, event_type FROM webhook, unnest(",
        event_types: Vec<&'a str> => Array<Text>,
        ") AS event_type"
    }
}

/// Stores a webhook and its subscriptions, and reads it back.
pub async fn insert(
    connection: &mut AsyncPgConnection,
    key: &SealingKey,
    new: &NewWebhook<'_>,
) -> Result<Webhook, StoreError> {
    let mut event_types: Vec<EventType> = new.patterns.iter().flat_map(|p| p.types()).collect();
    event_types.sort_unstable();
    event_types.dedup();
    let statement = Insert {
        id: new.id.0,
        name: new.name.as_str(),
        url: new.url.as_str(),
        environment: new.environment.as_str(),
        description: new.description.as_str(),
        status: new.status.as_str(),
        patterns: new.patterns.iter().map(ToString::to_string).collect(),
        sealed_secret: key.seal(new.id.0, new.secret.reveal()),
        event_types: event_types.into_iter().map(EventType::as_str).collect(),
    };
    statement.execute(connection).await?;
    find(connection, new.id)
        .await?
        .ok_or(StoreError::Query(diesel::result::Error::NotFound))
}

/// Finds a webhook.
pub async fn find(
    connection: &mut AsyncPgConnection,
    id: WebhookId,
) -> Result<Option<Webhook>, StoreError> {
    let query = webhooks::table.find(id.0).select(READABLE);
    let row: Option<Row> = query.first(connection).await.optional()?;
    row.map(read).transpose()
}

/// Which webhooks to list.
#[derive(Debug, Default)]
pub struct WebhookFilter {
    /// Of this environment only.
    pub environment: Option<Environment>,
    /// In this status only.
    pub status: Option<WebhookStatus>,
    /// After this one, which was the last of the page before.
    pub after: Option<WebhookId>,
    /// At most so many.
    pub limit: i64,
}

/// Lists webhooks, newest first.
pub async fn list(
    connection: &mut AsyncPgConnection,
    filter: &WebhookFilter,
) -> Result<Vec<Webhook>, StoreError> {
    let mut query = webhooks::table.select(READABLE).into_boxed();
    if let Some(environment) = filter.environment {
        query = query.filter(webhooks::environment.eq(environment.as_str()));
    }
    if let Some(status) = filter.status {
        query = query.filter(webhooks::status.eq(status.as_str()));
    }
    if let Some(after) = filter.after {
        query = query.filter(webhooks::id.lt(after.0));
    }
    let query = query.order(webhooks::id.desc()).limit(filter.limit);
    let rows: Vec<Row> = query.load(connection).await?;
    rows.into_iter().map(read).collect()
}

/// What the dispatcher needs of a webhook to call it.
#[derive(Debug, Clone)]
pub struct Destination {
    /// Whose it is.
    pub webhook_id: WebhookId,
    /// Of which version of the webhook.
    pub version: i64,
    /// Where requests go.
    pub url: String,
    /// What they are signed with: every secret that is valid now, the newest first.
    pub secrets: Vec<SigningSecret>,
}

/// Reads the destinations of webhooks. Those that are not there are left out.
pub async fn list_destinations(
    connection: &mut AsyncPgConnection,
    key: &SealingKey,
    ids: &[WebhookId],
) -> Result<Vec<Destination>, StoreError> {
    use webhooks::dsl;
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows: Vec<(Uuid, i64, String, Vec<u8>)> = dsl::webhooks
        .filter(dsl::id.eq_any(ids))
        .select((dsl::id, dsl::version, dsl::url, dsl::sealed_secret))
        .load(connection)
        .await?;
    rows.into_iter()
        .map(|(id, version, url, sealed)| {
            let secret = SigningSecret::parse(&key.open(id, &sealed)?)
                .map_err(|error| StoreError::Unreadable(error.to_string()))?;
            Ok(Destination {
                webhook_id: WebhookId(id),
                version,
                url,
                secrets: vec![secret],
            })
        })
        .collect()
}

/// Sets a webhook Inactive for a reason that its owner will see. `false`: it already was.
pub async fn disable(
    connection: &mut AsyncPgConnection,
    id: WebhookId,
    reason: &str,
) -> Result<bool, StoreError> {
    use webhooks::dsl;
    let active = dsl::webhooks.filter(dsl::id.eq(id.0).and(dsl::status.eq("active")));
    let changed = diesel::update(active)
        .set((
            dsl::status.eq("inactive"),
            dsl::disabled_reason.eq(reason),
            dsl::version.eq(dsl::version + 1),
            dsl::updated_at.eq(diesel::dsl::now),
        ))
        .execute(connection)
        .await?;
    Ok(changed == 1)
}
