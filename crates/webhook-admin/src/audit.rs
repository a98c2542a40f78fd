//! The audit log: every change, with its author and its time.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use webhook_domain::{ApiKeyId, AuditAction, WebhookId};
use webhook_store::audit::{self, AuditFilter, AuditRow};

use crate::connections::Connections;
use crate::fields::Fields;
use crate::lists::{Page, PageLimit, parse_cursor};
use crate::refusal::Refusal;
use crate::request;
use crate::schema;
use crate::values::parse_time;

request! {
    /// Which entries to list.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    pub struct ListAudit {
        /// About this webhook.
        #[param(value_type = Option<Uuid>)]
        webhook_id: Option<WebhookId> = optional(str::parse),
        /// By this API key.
        #[param(value_type = Option<Uuid>)]
        actor_id: Option<ApiKeyId> = optional(str::parse),
        #[param(value_type = Option<schema::AuditActionName>, inline)]
        action: Option<AuditAction> = optional(str::parse),
        /// Not before this time.
        since: Option<DateTime<Utc>> = optional(parse_time),
        /// Before this time.
        until: Option<DateTime<Utc>> = optional(parse_time),
        /// `next_cursor` of the page before.
        cursor: Option<Uuid> = optional(parse_cursor),
        /// Entries per page, 50 when left out.
        #[param(value_type = Option<u8>, minimum = 1, maximum = 200)]
        limit: PageLimit = or_default(str::parse),
    }
}

/// A change.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub struct AuditBody {
    /// The entry's id.
    pub id: Uuid,
    /// When the change was made.
    pub at: DateTime<Utc>,
    /// What kind of change it was.
    #[schema(value_type = schema::AuditActionName)]
    pub action: AuditAction,
    /// Who made the change.
    pub actor: ActorBody,
    /// The `X-Request-Id` of the request that asked for the change.
    pub request_id: Option<String>,
    /// The webhook that was changed, if it was one.
    pub webhook_id: Option<Uuid>,
    /// What was changed, by its name at that time.
    #[schema(example = "CRM")]
    pub subject: String,
    /// What changed, as it was before; secrets are left out.
    #[schema(value_type = Option<schema::AnyObject>, inline)]
    pub before: Option<Value>,
    /// What changed, as it was afterwards.
    #[schema(value_type = Option<schema::AnyObject>, inline)]
    pub after: Option<Value>,
}

/// The author of a change.
#[derive(Serialize, ToSchema)]
#[schema(as = Actor)]
pub struct ActorBody {
    /// The API key; `null`: the platform itself, or the command line.
    pub id: Option<Uuid>,
    /// The name of the API key at that time.
    pub name: String,
}

/// Lists the changes that a query asks for, newest first.
pub async fn list_audit(
    query: &str,
    connections: &Connections,
) -> Result<Page<AuditBody>, Refusal> {
    let mut fields = Fields::of_query(query);
    let asked = ListAudit::take(&mut fields);
    let asked = fields.end_with(asked)?;
    let limit = asked.limit;
    let mut connection = connections.acquire().await?;
    let rows = audit::list(&mut connection, &asked.filter()).await?;
    let rows = rows.into_iter().map(AuditBody::from).collect();
    Ok(Page::of(rows, limit, |row| row.id))
}

impl ListAudit {
    fn filter(self) -> AuditFilter {
        AuditFilter {
            webhook_id: self.webhook_id,
            actor_id: self.actor_id,
            action: self.action,
            since: self.since,
            until: self.until,
            after: self.cursor,
            limit: self.limit.rows(),
        }
    }
}

impl From<AuditRow> for AuditBody {
    fn from(row: AuditRow) -> Self {
        Self {
            id: row.id,
            at: row.at,
            action: row.entry.action,
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
