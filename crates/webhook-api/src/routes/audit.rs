//! The audit log: who changed what and when.

use actix_web::HttpRequest;
use actix_web::web::{Data, Json};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use webhook_store::audit::{self, AuditFilter, AuditRow};

use crate::refusals::Refusals;
use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_admin::fields::Fields;
use webhook_admin::lists::{Page, PageLimit, parse_cursor};
use webhook_admin::schema;
use webhook_admin::values::parse_time;
use webhook_web::Problem;

/// Which entries to list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(
    dead_code,
    reason = "it documents what `parse_filter` reads field by field"
)]
pub(crate) struct ListAudit {
    /// About this webhook.
    webhook_id: Option<Uuid>,
    /// By this API key.
    actor_id: Option<Uuid>,
    #[param(value_type = Option<schema::AuditActionName>, inline)]
    action: Option<String>,
    /// Not before this time.
    since: Option<DateTime<Utc>>,
    /// Before this time.
    until: Option<DateTime<Utc>>,
    /// `next_cursor` of the page before.
    cursor: Option<Uuid>,
    /// Entries per page, 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u8>,
}

/// A change.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub(crate) struct AuditBody {
    pub(crate) id: Uuid,
    pub(crate) at: DateTime<Utc>,
    #[schema(value_type = schema::AuditActionName)]
    pub(crate) action: &'static str,
    pub(crate) actor: ActorBody,
    /// The request that asked for it, its `X-Request-Id`.
    request_id: Option<String>,
    pub(crate) webhook_id: Option<Uuid>,
    /// What was changed, by its name then.
    #[schema(example = "CRM")]
    pub(crate) subject: String,
    /// What changed, as it was before; secrets are left out.
    #[schema(value_type = Option<schema::AnyObject>, inline)]
    pub(crate) before: Option<Value>,
    /// The same afterwards.
    #[schema(value_type = Option<schema::AnyObject>, inline)]
    pub(crate) after: Option<Value>,
}

/// Who did it.
#[derive(Serialize, ToSchema)]
#[schema(as = Actor)]
pub(crate) struct ActorBody {
    /// The API key; `null`: the platform itself, or the command line.
    pub(crate) id: Option<Uuid>,
    /// What the key was called.
    pub(crate) name: String,
}

/// Lists what was changed, newest first.
#[utoipa::path(
    get, path = "/api/v1/audit", tag = "audit", params(ListAudit),
    responses((status = 200, body = Page<AuditBody>), Refusals)
)]
pub(crate) async fn list_audit(
    request: HttpRequest,
    connections: Data<Connections>,
) -> Result<Json<Page<AuditBody>>, Problem> {
    read_list(request.query_string(), &connections)
        .await
        .map(Json)
        .map_err(Problem::from)
}

/// Reads the list that a query asks for.
pub(crate) async fn read_list(
    query: &str,
    connections: &Connections,
) -> Result<Page<AuditBody>, Refusal> {
    let (filter, limit) = parse_filter(query)?;
    let mut connection = connections.acquire().await?;
    let rows = audit::list(&mut connection, &filter).await?;
    let rows = rows.into_iter().map(AuditBody::from).collect();
    Ok(Page::of(rows, limit, |row| row.id))
}

fn parse_filter(query: &str) -> Result<(AuditFilter, PageLimit), Refusal> {
    let mut fields = Fields::of_query(query);
    let limit: PageLimit = fields.optional("limit", str::parse).unwrap_or_default();
    let filter = AuditFilter {
        webhook_id: fields.optional("webhook_id", str::parse),
        actor_id: fields.optional("actor_id", str::parse),
        action: fields.optional("action", str::parse),
        since: fields.optional("since", parse_time),
        until: fields.optional("until", parse_time),
        after: fields.optional("cursor", parse_cursor),
        limit: limit.rows(),
    };
    fields.end()?;
    Ok((filter, limit))
}

impl From<AuditRow> for AuditBody {
    fn from(row: AuditRow) -> Self {
        Self {
            id: row.id,
            at: row.at,
            action: row.entry.action.as_str(),
            actor: ActorBody {
                id: row.actor.key_id.map(|id| id.0),
                name: row.actor.name,
            },
            request_id: row.actor.request_id,
            webhook_id: row.entry.webhook_id.map(|id| id.0),
            subject: row.entry.subject,
            before: row.entry.before,
            after: row.entry.after,
        }
    }
}
