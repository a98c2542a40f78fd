//! The audit log: every change, with author and time.

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
    /// The entries to list.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    pub struct ListAudit {
        /// Changes of one webhook.
        #[param(value_type = Option<Uuid>)]
        webhook_id: Option<WebhookId> = optional(str::parse),
        /// Changes by one API key.
        #[param(value_type = Option<Uuid>)]
        actor_id: Option<ApiKeyId> = optional(str::parse),
        #[param(value_type = Option<schema::AuditActionName>, inline)]
        action: Option<AuditAction> = optional(str::parse),
        /// Changes at or after a time.
        since: Option<DateTime<Utc>> = optional(parse_time),
        /// Changes before a time.
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
    /// The kind of change.
    #[schema(value_type = schema::AuditActionName)]
    pub action: AuditAction,
    /// The author of the change.
    pub actor: ActorBody,
    /// The `X-Request-Id` of the request for the change.
    pub request_id: Option<String>,
    /// The changed webhook, for changes of a webhook.
    pub webhook_id: Option<Uuid>,
    /// The name of the changed webhook, API key or setting at the time of the change.
    #[schema(example = "CRM")]
    pub subject: String,
    /// The changed values before the change; secrets are left out.
    #[schema(value_type = Option<schema::AnyObject>, inline)]
    pub before: Option<Value>,
    /// The changed values after the change; secrets are left out.
    #[schema(value_type = Option<schema::AnyObject>, inline)]
    pub after: Option<Value>,
}

/// The author of a change.
#[derive(Serialize, ToSchema)]
#[schema(as = Actor)]
pub struct ActorBody {
    /// The author's API key; `null`: the platform or the command line.
    pub id: Option<Uuid>,
    /// The name of the API key at the time of the change.
    pub name: String,
}

/// Lists changes by a URL's query, newest first.
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
