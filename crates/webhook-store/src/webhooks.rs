//! Tables `webhooks` and `subscriptions`: who wants which events, and how.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bytea, Integer, Nullable, Text, Uuid as SqlUuid};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::{
    Environment, EventPattern, EventType, Failing, MaxConcurrency, OrderingField, RateLimit,
    RetryPolicy, SigningSecret, StatusEventType, WebhookDescription, WebhookId, WebhookName,
    WebhookStatus, WebhookUrl,
};

use crate::error::name;
use crate::health::FailingRow;
use crate::schema::{webhook_health, webhooks};
use crate::statement::statement;
use crate::{SealingKey, StoreError, health, retry_policies, status_events};

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
    pub serving: &'a Serving,
}

/// How a webhook wants to be served. Nothing of it: as everybody is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Serving {
    /// How many requests at once per dispatcher.
    pub max_concurrency: Option<MaxConcurrency>,
    /// How many requests per second from all dispatchers.
    pub rate_limit: Option<RateLimit>,
    /// In order by this field of `data`.
    pub ordering: Option<OrderingField>,
    /// A retry policy of its own.
    pub retry_policy: Option<RetryPolicy>,
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
    /// How it wants to be served.
    pub serving: Serving,
    /// What its attempts in a row say, if it is failing.
    pub failing: Option<Failing>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = webhooks, check_for_backend(diesel::pg::Pg))]
struct Row {
    id: Uuid,
    version: i64,
    name: String,
    url: String,
    environment: String,
    description: String,
    status: String,
    disabled_reason: Option<String>,
    event_types: Vec<String>,
    max_concurrency: Option<i32>,
    rate_limit: Option<i32>,
    ordering_field: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl Row {
    fn read(
        self,
        failing: Option<FailingRow>,
        retry_policy: Option<RetryPolicy>,
    ) -> Result<Webhook, StoreError> {
        let serving = Serving {
            max_concurrency: read_limit(self.max_concurrency, MaxConcurrency::new)?,
            rate_limit: read_limit(self.rate_limit, RateLimit::new)?,
            ordering: self
                .ordering_field
                .map(|field| OrderingField::parse(&field))
                .transpose()
                .map_err(StoreError::Unreadable)?,
            retry_policy,
        };
        Ok(Webhook {
            id: WebhookId(self.id),
            version: self.version,
            name: self.name,
            url: self.url,
            environment: name(&self.environment)?,
            description: self.description,
            status: name(&self.status)?,
            disabled_reason: self.disabled_reason,
            event_types: self.event_types,
            serving,
            failing: failing.and_then(FailingRow::read),
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

fn read_limit<T>(
    column: Option<i32>,
    new: fn(i64) -> Result<T, String>,
) -> Result<Option<T>, StoreError> {
    let read = column.map(|number| new(i64::from(number)));
    read.transpose().map_err(StoreError::Unreadable)
}

statement! {
    /// A webhook and its subscriptions in one statement, so that no event sees half of it.
    Insert<'a> -> diesel::sql_types::Untyped {
        "WITH webhook AS (INSERT INTO webhooks
            (id, name, url, environment, description, status, event_types, sealed_secret,
             max_concurrency, rate_limit, ordering_field)
            VALUES (", id: Uuid => SqlUuid,
        ", ", name: &'a str => Text,
        ", ", url: &'a str => Text,
        ", ", environment: &'a str => Text,
        ", ", description: &'a str => Text,
        ", ", status: &'a str => Text,
        ", ", patterns: Vec<String> => Array<Text>,
        ", ", sealed_secret: Vec<u8> => Bytea,
        ", ", max_concurrency: Option<i32> => Nullable<Integer>,
        ", ", rate_limit: Option<i32> => Nullable<Integer>,
        ", ", ordering_field: Option<&'a str> => Nullable<Text>,
        ") RETURNING id, environment
        ), bucket AS (INSERT INTO rate_buckets (webhook_id) SELECT id FROM webhook)
         INSERT INTO subscriptions (webhook_id, environment, event_type)
         SELECT id, environment, event_type FROM webhook, unnest(",
        event_types: Vec<&'a str> => Array<Text>,
        ") AS event_type"
    }
}

/// Stores a webhook with all that belongs to it, and reads it back.
pub async fn insert(
    connection: &mut AsyncPgConnection,
    key: &SealingKey,
    new: &NewWebhook<'_>,
) -> Result<Webhook, StoreError> {
    let mut event_types: Vec<EventType> = new.patterns.iter().flat_map(|p| p.types()).collect();
    event_types.sort_unstable();
    event_types.dedup();
    let serving = new.serving;
    let statement = Insert {
        id: new.id.0,
        name: new.name.as_str(),
        url: new.url.as_str(),
        environment: new.environment.as_str(),
        description: new.description.as_str(),
        status: new.status.as_str(),
        patterns: new.patterns.iter().map(ToString::to_string).collect(),
        sealed_secret: key.seal(new.id.0, new.secret.reveal()),
        max_concurrency: serving.max_concurrency.map(|limit| i32::from(limit.get())),
        rate_limit: serving.rate_limit.map(|limit| i32::from(limit.get())),
        ordering_field: serving.ordering.as_ref().map(OrderingField::as_str),
        event_types: event_types.into_iter().map(EventType::as_str).collect(),
    };
    let transaction = async |connection: &mut AsyncPgConnection| {
        statement.execute(connection).await?;
        if let Some(policy) = &serving.retry_policy {
            retry_policies::set_own(connection, new.id, policy).await?;
        }
        let stored = find(connection, new.id).await?;
        stored.ok_or(StoreError::Query(diesel::result::Error::NotFound))
    };
    connection.transaction(transaction).await
}

/// Finds a webhook.
pub async fn find(
    connection: &mut AsyncPgConnection,
    id: WebhookId,
) -> Result<Option<Webhook>, StoreError> {
    let query = webhooks::table
        .find(id.0)
        .left_join(webhook_health::table)
        .select((Row::as_select(), Option::<FailingRow>::as_select()));
    let row: Option<(Row, Option<FailingRow>)> = query.first(connection).await.optional()?;
    let Some((row, failing)) = row else {
        return Ok(None);
    };
    let policy = retry_policies::find_own(connection, id).await?;
    row.read(failing, policy).map(Some)
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
    let mut query = webhooks::table
        .left_join(webhook_health::table)
        .select((Row::as_select(), Option::<FailingRow>::as_select()))
        .into_boxed();
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
    let rows: Vec<(Row, Option<FailingRow>)> = query.load(connection).await?;
    let ids: Vec<Uuid> = rows.iter().map(|(row, _)| row.id).collect();
    let mut policies = retry_policies::Policies::read(connection, &ids).await?;
    rows.into_iter()
        .map(|(row, failing)| {
            let policy = policies.take_own(row.id);
            row.read(failing, policy)
        })
        .collect()
}

/// Sets a webhook Inactive for a reason that its owner will see, and tells the platform's
/// services. `false`: it already was.
pub async fn disable(
    connection: &mut AsyncPgConnection,
    id: WebhookId,
    reason: &str,
) -> Result<bool, StoreError> {
    let transaction = async |connection: &mut AsyncPgConnection| {
        let active =
            webhooks::table.filter(webhooks::id.eq(id.0).and(webhooks::status.eq("active")));
        let changed: Option<String> = diesel::update(active)
            .set((
                webhooks::status.eq("inactive"),
                webhooks::disabled_reason.eq(reason),
                webhooks::version.eq(webhooks::version + 1),
                webhooks::updated_at.eq(diesel::dsl::now),
            ))
            .returning(webhooks::environment)
            .get_result(connection)
            .await
            .optional()?;
        let Some(environment) = changed else {
            return Ok(false);
        };
        let told = (StatusEventType::WebhookDisabled, name(&environment)?);
        status_events::insert(connection, &status_events::about(id, told, reason)).await?;
        Ok(true)
    };
    connection.transaction(transaction).await
}

/// What a change of status did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusChange {
    /// It had the other status before.
    Changed,
    /// It had this status already.
    Unchanged,
}

/// Sets a webhook Active or Inactive, as an admin asked for. `None`: there is none.
///
/// Made Active again it starts healthy, its pending deliveries go on, and the platform's services
/// are told.
pub async fn set_status(
    connection: &mut AsyncPgConnection,
    id: WebhookId,
    status: WebhookStatus,
) -> Result<Option<StatusChange>, StoreError> {
    let transaction = async |connection: &mut AsyncPgConnection| {
        let current: Option<(String, String)> = webhooks::table
            .find(id.0)
            .select((webhooks::status, webhooks::environment))
            .for_no_key_update()
            .first(connection)
            .await
            .optional()?;
        let Some((current, environment)) = current else {
            return Ok(None);
        };
        if name::<WebhookStatus>(&current)? == status {
            return Ok(Some(StatusChange::Unchanged));
        }
        diesel::update(webhooks::table.find(id.0))
            .set((
                webhooks::status.eq(status.as_str()),
                webhooks::disabled_reason.eq(None::<String>),
                webhooks::version.eq(webhooks::version + 1),
                webhooks::updated_at.eq(diesel::dsl::now),
            ))
            .execute(connection)
            .await?;
        if status == WebhookStatus::Active {
            health::forget(connection, &[id]).await?;
            let told = (StatusEventType::WebhookEnabled, name(&environment)?);
            status_events::insert(
                connection,
                &status_events::about(id, told, "set Active by an admin"),
            )
            .await?;
        }
        Ok(Some(StatusChange::Changed))
    };
    connection.transaction(transaction).await
}

/// Webhooks that get no deliveries now.
#[derive(Debug, Default)]
pub struct Closed {
    /// They are Inactive.
    pub inactive: Vec<WebhookId>,
    /// They are Active, and their circuit is open.
    pub paused: Vec<WebhookId>,
}

/// Of these webhooks, those that get no deliveries now.
pub async fn list_closed(
    connection: &mut AsyncPgConnection,
    ids: &[WebhookId],
) -> Result<Closed, StoreError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows: Vec<(Uuid, String)> = webhooks::table
        .left_join(webhook_health::table)
        .filter(webhooks::id.eq_any(ids))
        .filter(
            webhooks::status
                .ne("active")
                .or(webhook_health::paused_until.is_not_null()),
        )
        .select((webhooks::id, webhooks::status))
        .load(connection)
        .await?;
    let mut closed = Closed::default();
    for (id, status) in rows {
        match name(&status)? {
            WebhookStatus::Active => closed.paused.push(WebhookId(id)),
            WebhookStatus::Inactive => closed.inactive.push(WebhookId(id)),
        }
    }
    Ok(closed)
}
