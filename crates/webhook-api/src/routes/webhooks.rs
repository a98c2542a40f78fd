//! Webhooks: made, read, listed.

use actix_web::http::header::{CACHE_CONTROL, LOCATION};
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use webhook_domain::{
    Circuit, Environment, EventPattern, Failing, MaxConcurrency, OrderingField, RateLimit,
    SigningSecret, WebhookDescription, WebhookId, WebhookName, WebhookStatus, WebhookUrl,
};
use webhook_store::SealingKey;
use webhook_store::webhooks::{self, NewWebhook, Serving, Webhook, WebhookFilter};

use crate::body::{Body, Fields};
use crate::config::UrlRules;
use crate::connections::Connections;
use crate::page::{Page, PageLimit, parse_cursor};
use crate::problem::{Problem, ProblemBody};
use crate::routes::retry_policies::{self, RetryPolicyBody};

pub(crate) mod status;

/// The most bytes that a webhook's description in JSON may have.
const MAX_BYTES: usize = 64 * 1024;

/// A webhook to be made.
#[derive(ToSchema)]
#[allow(
    dead_code,
    reason = "it documents what `parse_webhook` reads field by field"
)]
pub(crate) struct CreateWebhook {
    /// 1 to 100 characters.
    #[schema(example = "CRM")]
    name: String,
    /// An absolute `https` URL of a public host.
    #[schema(example = "https://hooks.example.com/in")]
    url: String,
    /// `production`, `staging` or `development`.
    #[schema(example = "production")]
    environment: String,
    /// Types (`license.activated`), groups (`license.*`) or all (`*`).
    #[schema(example = json!(["license.*", "contract.suspended"]))]
    event_types: Vec<String>,
    /// Up to 1,000 characters.
    description: Option<String>,
    /// `active` (the default) or `inactive`.
    #[schema(example = "active")]
    status: Option<String>,
    /// `whsec_` and 24 to 64 bytes in base64; generated when left out.
    secret: Option<String>,
    /// Requests at once per dispatcher, 1 to 256; the dispatcher's own default when left out.
    #[schema(example = 16)]
    max_concurrency: Option<u16>,
    /// Requests per second from all dispatchers together, 1 to 10,000; no limit when left out.
    rate_limit: Option<u16>,
    /// `none` (the default), or `by_key`: events with one value in the field `ordering_key` of
    /// `data` arrive one by one, in the order in which they were published.
    #[schema(example = "none")]
    ordering: Option<String>,
    /// The field of `data` to order by; `license_id` when left out.
    ordering_key: Option<String>,
    /// A policy of its own; its environment's when left out.
    retry_policy: Option<RetryPolicyBody>,
}

/// A webhook.
#[derive(Serialize, ToSchema)]
#[schema(as = Webhook)]
pub(crate) struct WebhookBody {
    id: Uuid,
    /// Counts its changes, from 1.
    version: i64,
    name: String,
    url: String,
    /// `production`, `staging` or `development`.
    environment: &'static str,
    description: String,
    /// `active` or `inactive`.
    status: &'static str,
    /// Why the platform set it inactive, when it did.
    disabled_reason: Option<String>,
    /// The patterns as chosen.
    event_types: Vec<String>,
    /// Requests at once per dispatcher; `null`: the dispatcher's own default.
    max_concurrency: Option<u16>,
    /// Requests per second from all dispatchers together; `null`: no limit.
    rate_limit: Option<u16>,
    /// `none` or `by_key`.
    ordering: &'static str,
    /// The field of `data` to order by; `null` without order.
    ordering_key: Option<String>,
    /// Its own policy; `null`: its environment's.
    retry_policy: Option<RetryPolicyBody>,
    /// Since when every attempt has failed; `null`: it is healthy.
    failing_since: Option<DateTime<Utc>>,
    /// Whether it gets requests, or only probes after a pause because it kept failing.
    circuit: CircuitBody,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// Whether a webhook gets requests.
#[derive(Serialize, ToSchema)]
#[schema(as = Circuit)]
pub(crate) struct CircuitBody {
    /// `closed`: it does; `open`: it gets a probe when the pause is over.
    #[schema(example = "closed")]
    state: &'static str,
    /// When the pause is over.
    open_until: Option<DateTime<Utc>>,
}

/// A webhook that was just made, with its secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct CreatedWebhook {
    #[serde(flatten)]
    webhook: WebhookBody,
    /// What its requests are signed with. It is not shown again.
    secret: String,
}

/// Makes a webhook. It gets every matching event that is published after this answer.
#[utoipa::path(
    post, path = "/api/v1/webhooks", tag = "webhooks", request_body = CreateWebhook,
    responses(
        (status = 201, body = CreatedWebhook),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")
    )
)]
pub(crate) async fn create_webhook(
    body: Body<MAX_BYTES>,
    connections: Data<Connections>,
    key: Data<SealingKey>,
    url_rules: Data<UrlRules>,
) -> Result<HttpResponse, Problem> {
    let parsed = parse_webhook(&body.0, &url_rules)?;
    let mut connection = connections.acquire().await?;
    let webhook = webhooks::insert(&mut connection, &key, &parsed.as_new()).await?;
    Ok(HttpResponse::Created()
        .insert_header((LOCATION, format!("/api/v1/webhooks/{}", webhook.id)))
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(CreatedWebhook {
            webhook: webhook.into(),
            secret: parsed.secret.reveal().to_owned(),
        }))
}

/// Lists webhooks, newest first.
#[utoipa::path(
    get, path = "/api/v1/webhooks", tag = "webhooks",
    params(
        ("environment" = Option<String>, Query), ("status" = Option<String>, Query),
        ("cursor" = Option<String>, Query), ("limit" = Option<u8>, Query, description = "1 to 200, default 50")
    ),
    responses(
        (status = 200, body = Page<WebhookBody>),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")
    )
)]
pub(crate) async fn list_webhooks(
    request: HttpRequest,
    connections: Data<Connections>,
) -> Result<Json<Page<WebhookBody>>, Problem> {
    let (filter, limit) = parse_filter(request.query_string())?;
    let mut connection = connections.acquire().await?;
    let rows = webhooks::list(&mut connection, &filter).await?;
    let rows = rows.into_iter().map(WebhookBody::from).collect();
    Ok(Json(Page::of(rows, limit, |row| row.id)))
}

/// Reads a webhook.
#[utoipa::path(
    get, path = "/api/v1/webhooks/{id}", tag = "webhooks", params(("id" = Uuid, Path)),
    responses(
        (status = 200, body = WebhookBody),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")
    )
)]
pub(crate) async fn find_webhook(
    id: Path<String>,
    connections: Data<Connections>,
) -> Result<Json<WebhookBody>, Problem> {
    let id = id.parse().map_err(|_| Problem::NotFound("webhook"))?;
    let mut connection = connections.acquire().await?;
    let webhook = webhooks::find(&mut connection, id).await?;
    let webhook = webhook.ok_or(Problem::NotFound("webhook"))?;
    Ok(Json(webhook.into()))
}

struct ParsedWebhook {
    id: WebhookId,
    name: WebhookName,
    url: WebhookUrl,
    environment: Environment,
    description: WebhookDescription,
    status: WebhookStatus,
    patterns: Vec<EventPattern>,
    secret: SigningSecret,
    serving: Serving,
}

impl ParsedWebhook {
    fn as_new(&self) -> NewWebhook<'_> {
        NewWebhook {
            id: self.id,
            name: &self.name,
            url: &self.url,
            environment: self.environment,
            description: &self.description,
            status: self.status,
            patterns: &self.patterns,
            secret: &self.secret,
            serving: &self.serving,
        }
    }
}

fn parse_webhook(body: &[u8], rules: &UrlRules) -> Result<ParsedWebhook, Problem> {
    let mut fields = Fields::of_body(body)?;
    let name = fields.required("name", WebhookName::parse);
    let url = fields.required("url", |text| {
        WebhookUrl::parse(text, rules.schemes, &rules.addresses)
    });
    let environment = fields.required("environment", str::parse);
    let patterns = fields.required_list("event_types", str::parse);
    let description = fields.optional("description", WebhookDescription::parse);
    let status = fields.optional("status", str::parse);
    let secret = fields.optional("secret", SigningSecret::parse);
    let serving = parse_serving(&mut fields);
    let errors = fields.finish();
    match (name, url, environment, patterns) {
        (Some(name), Some(url), Some(environment), Some(patterns)) if errors.is_empty() => {
            Ok(ParsedWebhook {
                id: WebhookId(Uuid::now_v7()),
                name,
                url,
                environment,
                description: description.unwrap_or_default(),
                status: status.unwrap_or(WebhookStatus::Active),
                patterns: without_repeats(patterns),
                secret: secret.unwrap_or_else(|| SigningSecret::from_random(rand::random())),
                serving,
            })
        }
        _ => Err(Problem::Invalid(errors)),
    }
}

fn parse_serving(fields: &mut Fields<'_>) -> Serving {
    let number = "a whole number";
    let max_concurrency = fields.optional_json("max_concurrency", number, MaxConcurrency::new);
    let rate_limit = fields.optional_json("rate_limit", number, RateLimit::new);
    let by_key = fields.optional("ordering", |text| match text {
        "none" => Ok(false),
        "by_key" => Ok(true),
        _ => Err("must be none or by_key"),
    });
    let key = fields.optional("ordering_key", OrderingField::parse);
    let retry_policy = fields.optional_object("retry_policy", retry_policies::parse_policy);
    Serving {
        max_concurrency,
        rate_limit,
        ordering: by_key.unwrap_or_default().then(|| key.unwrap_or_default()),
        retry_policy,
    }
}

/// Keeps the order in which they were chosen.
fn without_repeats(patterns: Vec<EventPattern>) -> Vec<EventPattern> {
    let mut kept = Vec::new();
    for pattern in patterns {
        if !kept.contains(&pattern) {
            kept.push(pattern);
        }
    }
    kept
}

fn parse_filter(query: &str) -> Result<(WebhookFilter, PageLimit), Problem> {
    let mut fields = Fields::of_query(query);
    let limit: PageLimit = fields.optional("limit", str::parse).unwrap_or_default();
    let filter = WebhookFilter {
        environment: fields.optional("environment", str::parse),
        status: fields.optional("status", str::parse),
        after: fields.optional("cursor", parse_cursor),
        limit: limit.rows(),
    };
    let errors = fields.finish();
    if errors.is_empty() {
        Ok((filter, limit))
    } else {
        Err(Problem::Invalid(errors))
    }
}

impl From<Webhook> for WebhookBody {
    fn from(webhook: Webhook) -> Self {
        let serving = webhook.serving;
        Self {
            id: webhook.id.0,
            version: webhook.version,
            name: webhook.name,
            url: webhook.url,
            environment: webhook.environment.as_str(),
            description: webhook.description,
            status: webhook.status.as_str(),
            disabled_reason: webhook.disabled_reason,
            event_types: webhook.event_types,
            max_concurrency: serving.max_concurrency.map(MaxConcurrency::get),
            rate_limit: serving.rate_limit.map(RateLimit::get),
            ordering: serving.ordering.as_ref().map_or("none", |_| "by_key"),
            ordering_key: serving.ordering.map(|field| field.as_str().to_owned()),
            retry_policy: serving.retry_policy.as_ref().map(RetryPolicyBody::from),
            failing_since: webhook.failing.map(|failing| failing.since),
            circuit: webhook.failing.into(),
            created_at: webhook.created_at,
            updated_at: webhook.updated_at,
        }
    }
}

impl From<Option<Failing>> for CircuitBody {
    fn from(failing: Option<Failing>) -> Self {
        let circuit = failing.map_or(Circuit::Closed, |failing| failing.circuit);
        let (state, open_until) = match circuit {
            Circuit::Closed => ("closed", None),
            Circuit::Open { until, .. } => ("open", Some(until)),
        };
        Self { state, open_until }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use webhook_domain::{AddressPolicy, UrlSchemes};

    fn parse(body: &str) -> Result<ParsedWebhook, Problem> {
        let rules = UrlRules {
            schemes: UrlSchemes::HttpsOnly,
            addresses: AddressPolicy::default(),
        };
        parse_webhook(body.as_bytes(), &rules)
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let webhook = parse(
            r#"{"name":"CRM","url":"https://example.com/","environment":"staging",
                "event_types":["license.*","license.*","*"],"description":null}"#,
        )
        .map_err(|problem| problem.to_string())
        .expect("it is right");

        assert_eq!(webhook.status, WebhookStatus::Active);
        assert_eq!(webhook.description, WebhookDescription::default());
        assert_eq!(
            webhook.patterns,
            [EventPattern::Group("license"), EventPattern::All]
        );
    }

    #[test]
    fn all_that_is_wrong_is_told_and_a_secret_is_not_repeated() {
        let refused = parse(
            r#"{"name":"","url":"http://10.0.0.1/","event_types":[],"secret":"hunter2","x":1}"#,
        );

        let Err(Problem::Invalid(errors)) = refused else {
            panic!("it must be refused by field");
        };
        let fields: Vec<&str> = errors.iter().map(|e| e.field.as_str()).collect();
        assert_eq!(
            fields,
            ["name", "url", "environment", "event_types", "secret", "x"]
        );
        assert!(!format!("{errors:?}").contains("hunter2"));
    }
}
