//! Exports the webhooks of an environment as one document, for an [import](super::import)
//! elsewhere.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use webhook_domain::{AuditAction, Environment, HeaderSecret, Permission, WebhookId};
use webhook_store::audit::{self, AuditEntry};
use webhook_store::destinations::{Destination, list_destinations};
use webhook_store::webhooks::{self, Webhook, WebhookFilter};
use webhook_store::{RawConnection, SealingKeys, transaction};

use super::body::SettingsBody;
use crate::caller::Caller;
use crate::connections::Connections;
use crate::fields::Fields;
use crate::refusal::Refusal;
use crate::request;
use crate::schema;
use crate::values::parse_bool;

/// The most webhooks in one document.
pub(super) const MAX_WEBHOOKS: usize = 10_000;

/// How many webhooks a statement reads.
const ROWS_PER_STATEMENT: i64 = 500;

request! {
    /// The webhooks to export.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    pub struct ExportWebhooks {
        /// The environment to export.
        #[param(value_type = schema::EnvironmentName, inline)]
        pub environment: Environment = required(str::parse),
        /// With secrets, the values of headers and secret URLs as a whole; for owners only, and written into the audit log.
        pub secrets: Option<bool> = optional(parse_bool),
    }
}

impl ExportWebhooks {
    /// Reads a query: `environment=staging&secrets=true`.
    pub fn parse(query: &str) -> Result<Self, Refusal> {
        let mut fields = Fields::of_query(query);
        let export = Self::take(&mut fields);
        fields.end_with(export)
    }
}

/// All webhooks of an environment.
#[derive(Serialize, ToSchema)]
pub struct WebhooksDocument {
    /// The exported environment.
    #[schema(value_type = schema::EnvironmentName)]
    pub environment: Environment,
    /// The oldest first, 10,000 at most.
    pub webhooks: Vec<ExportedWebhook>,
}

/// A webhook in a document.
#[derive(Serialize, ToSchema)]
pub struct ExportedWebhook {
    /// The webhook's settings; a secret URL is whole when secrets were asked for.
    #[serde(flatten)]
    pub settings: SettingsBody,
    /// The webhook's own headers; `null` in place of a value when secrets were not asked for.
    pub headers: BTreeMap<String, Option<String>>,
    /// The signing secret; left out when secrets were not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::SecretText, required = false)]
    pub secret: Option<String>,
}

/// Exports all webhooks of an environment. With secrets the caller must be an owner, and each webhook
/// gets an entry in the audit log.
pub async fn export_webhooks(
    export: &ExportWebhooks,
    caller: &Caller,
    connections: &Connections,
    sealing_keys: &SealingKeys,
) -> Result<WebhooksDocument, Refusal> {
    let environment = export.environment;
    let with_secrets = export.secrets.unwrap_or_default();
    if with_secrets {
        caller.require(Permission::Own)?;
    }
    let mut connection = connections.acquire().await?;
    let webhooks = transaction(&mut connection, async |connection| {
        let all = list_all(connection, environment).await?;
        if with_secrets {
            log_export(connection, &all, caller).await?;
            return reveal(connection, sealing_keys, &all).await;
        }
        let exported = all.iter().map(|webhook| ExportedWebhook::of(webhook, None));
        Ok(exported.collect())
    });
    Ok(WebhooksDocument {
        environment,
        webhooks: webhooks.await?,
    })
}

/// Every webhook of an environment, the oldest first.
async fn list_all(
    connection: &mut RawConnection,
    environment: Environment,
) -> Result<Vec<Webhook>, Refusal> {
    let mut all: Vec<Webhook> = Vec::new();
    loop {
        let filter = WebhookFilter {
            environment: Some(environment),
            after: all.last().map(Webhook::position),
            limit: ROWS_PER_STATEMENT,
            ..WebhookFilter::default()
        };
        let rows = webhooks::list(connection, &filter).await?;
        if rows.is_empty() {
            // A list without a sort has the newest first.
            all.reverse();
            return Ok(all);
        }
        all.extend(rows);
        if all.len() > MAX_WEBHOOKS {
            return Err(Refusal::Conflict(
                "the environment has more than 10,000 webhooks",
            ));
        }
    }
}

async fn log_export(
    connection: &mut RawConnection,
    all: &[Webhook],
    caller: &Caller,
) -> Result<(), Refusal> {
    let entries = all.iter().map(|webhook| AuditEntry {
        webhook_id: Some(webhook.id),
        ..AuditEntry::new(AuditAction::SecretsExported, webhook.settings.name.as_str())
    });
    let entries: Vec<AuditEntry> = entries.collect();
    audit::insert_all(connection, &caller.actor(), &entries).await?;
    Ok(())
}

async fn reveal(
    connection: &mut RawConnection,
    sealing_keys: &SealingKeys,
    all: &[Webhook],
) -> Result<Vec<ExportedWebhook>, Refusal> {
    let ids: Vec<WebhookId> = all.iter().map(|webhook| webhook.id).collect();
    let mut secrets: HashMap<WebhookId, Destination> = HashMap::new();
    for destination in list_destinations(connection, sealing_keys, &ids).await? {
        let destination = destination?;
        secrets.insert(destination.webhook_id, destination);
    }
    let revealed = all.iter().map(|webhook| {
        let secrets = secrets.get(&webhook.id);
        ExportedWebhook::of(webhook, secrets)
    });
    Ok(revealed.collect())
}

impl ExportedWebhook {
    fn of(webhook: &Webhook, secrets: Option<&Destination>) -> Self {
        let names = webhook.settings.headers.names();
        let mut headers: BTreeMap<_, _> = names.map(|name| (name.to_owned(), None)).collect();
        for (name, value) in secrets.iter().flat_map(|secrets| secrets.headers.iter()) {
            if let HeaderSecret::Given(value) = value {
                headers.insert(name.as_str().to_owned(), Some(value.reveal().to_owned()));
            }
        }
        let mut settings = SettingsBody::from(&webhook.settings);
        if let Some(secrets) = secrets {
            secrets.url.reveal().as_str().clone_into(&mut settings.url);
        }
        Self {
            settings,
            headers,
            secret: secrets.map(|secrets| secrets.secrets.current.reveal().to_owned()),
        }
    }
}
