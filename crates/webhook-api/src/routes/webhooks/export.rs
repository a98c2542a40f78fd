//! All webhooks of an environment as one document, to be kept or [imported](super::import)
//! elsewhere.

use std::collections::{BTreeMap, HashMap};

use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use webhook_domain::{AuditAction, Environment, HeaderSecret, Permission, WebhookId};
use webhook_store::audit::{self, AuditEntry};
use webhook_store::destinations::{Destination, list_destinations};
use webhook_store::webhooks::{self, Webhook, WebhookFilter};
use webhook_store::{RawConnection, SealingKeys, transaction};

use super::SettingsBody;
use crate::refusals::Refusals;
use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_admin::fields::Fields;
use webhook_admin::schema;
use webhook_admin::values::parse_bool;
use webhook_web::Authenticated;
use webhook_web::Problem;

/// The most webhooks in one document.
pub(super) const MAX_WEBHOOKS: usize = 10_000;

/// How many webhooks are read at once.
const STEP: i64 = 500;

/// What to export.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(
    dead_code,
    reason = "it documents what `parse_export` reads field by field"
)]
pub(crate) struct ExportWebhooks {
    #[param(value_type = schema::EnvironmentName, inline)]
    environment: String,
    /// With secrets and the values of headers; for owners only, and written down.
    secrets: Option<bool>,
}

/// All webhooks of an environment.
#[derive(Serialize, ToSchema)]
pub(crate) struct WebhooksDocument {
    #[schema(value_type = schema::EnvironmentName)]
    environment: &'static str,
    /// The oldest first, 10,000 at most.
    webhooks: Vec<ExportedWebhook>,
}

/// A webhook in a document.
#[derive(Serialize, ToSchema)]
pub(crate) struct ExportedWebhook {
    #[serde(flatten)]
    settings: SettingsBody,
    /// Its own headers; `null` where the value was not asked for.
    headers: BTreeMap<String, Option<String>>,
    /// Only when it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::SecretText, required = false)]
    secret: Option<String>,
}

/// Exports all webhooks of an environment, without secrets unless an owner asks for them.
#[utoipa::path(
    get, path = "/api/v1/webhooks/export", tag = "webhooks", params(ExportWebhooks),
    responses((status = 200, body = WebhooksDocument), Refusals)
)]
pub(crate) async fn export_webhooks(
    request: HttpRequest,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
    keys: Data<SealingKeys>,
) -> Result<HttpResponse, Problem> {
    let (environment, with_secrets) = parse_export(request.query_string())?;
    if with_secrets {
        caller.require(Permission::Own)?;
    }
    let mut connection = connections.acquire().await?;
    let webhooks = transaction(&mut connection, async |connection| {
        let all = list_all(connection, environment).await?;
        if !with_secrets {
            return Ok(all
                .into_iter()
                .map(|w| ExportedWebhook::of(&w, None))
                .collect());
        }
        let entries = all.iter().map(|webhook| AuditEntry {
            webhook_id: Some(webhook.id),
            ..AuditEntry::new(AuditAction::SecretsExported, webhook.settings.name.as_str())
        });
        let entries: Vec<AuditEntry> = entries.collect();
        audit::insert_all(connection, &caller.actor(), &entries).await?;
        reveal(connection, &keys, &all).await
    });
    let document = WebhooksDocument {
        environment: environment.as_str(),
        webhooks: webhooks.await?,
    };
    let file = format!("attachment; filename=\"webhooks-{environment}.json\"");
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((CONTENT_DISPOSITION, file))
        .json(document))
}

fn parse_export(query: &str) -> Result<(Environment, bool), Refusal> {
    let mut fields = Fields::of_query(query);
    let environment = fields.required("environment", str::parse);
    let secrets = fields.optional("secrets", parse_bool).unwrap_or_default();
    let errors = fields.finish();
    match environment {
        Some(environment) if errors.is_empty() => Ok((environment, secrets)),
        _ => Err(Refusal::Invalid(errors)),
    }
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
            limit: STEP,
            ..WebhookFilter::default()
        };
        let step = webhooks::list(connection, &filter).await?;
        if step.is_empty() {
            all.reverse();
            return Ok(all);
        }
        all.extend(step);
        if all.len() > MAX_WEBHOOKS {
            return Err(Refusal::Conflict(
                "an environment of more than 10,000 webhooks",
            ));
        }
    }
}

async fn reveal(
    connection: &mut RawConnection,
    keys: &SealingKeys,
    all: &[Webhook],
) -> Result<Vec<ExportedWebhook>, Refusal> {
    let ids: Vec<WebhookId> = all.iter().map(|webhook| webhook.id).collect();
    let mut secrets: HashMap<WebhookId, Destination> = HashMap::new();
    for destination in list_destinations(connection, keys, &ids).await? {
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
        Self {
            settings: (&webhook.settings).into(),
            headers,
            secret: secrets.map(|secrets| secrets.secrets.current.reveal().to_owned()),
        }
    }
}
