//! A selection of rejected messages, and its entry in the audit log.

use chrono::{DateTime, Utc};
use serde_json::json;
use utoipa::ToSchema;
use webhook_domain::AuditAction;
use webhook_store::audit::AuditEntry;
use webhook_store::rejected_messages::{self, RejectedMessageFilter};

use crate::connections::Connections;
use crate::fields::Fields;
use crate::refusal::Refusal;
use crate::request;
use crate::values::{parse_search, parse_time};

request! {
    /// Rejected messages to be requeued or discarded; all messages when every field is left out.
    #[derive(ToSchema)]
    pub struct SelectRejectedMessages {
        /// A text in the reason, in upper or lower case.
        #[schema(max_length = 200)]
        search: Option<String> = optional(parse_search),
        /// The earliest time of rejection.
        since: Option<DateTime<Utc>> = optional(parse_time),
        /// The end of the times of rejection, at most the time of the request.
        until: Option<DateTime<Utc>> = optional(parse_time),
        /// Whether to count the messages only.
        #[schema(value_type = Option<bool>)]
        pub dry_run: bool = taken(take_flag),
    }
}

impl SelectRejectedMessages {
    /// Reads a request in JSON.
    pub fn parse(body: &[u8]) -> Result<Self, Refusal> {
        Fields::read_body(body, Self::take)
    }

    /// Reads the filters of a URL's query.
    pub fn parse_query(query: &str) -> Result<Self, Refusal> {
        Fields::read_query(query, Self::take)
    }

    pub(super) fn filter(&self) -> RejectedMessageFilter {
        RejectedMessageFilter {
            search: self.search.clone(),
            since: self.since,
            until: self.until,
        }
    }
}

/// The clock of Postgres, the source of every `rejected_at`.
pub async fn read_clock(connections: &Connections) -> Result<DateTime<Utc>, Refusal> {
    let mut connection = connections.acquire().await?;
    Ok(rejected_messages::clock(&mut connection).await?)
}

fn take_flag(fields: &mut Fields<'_>, name: &str) -> Option<bool> {
    let flag = fields.optional_json(name, "true or false", Ok::<bool, String>);
    Some(flag.unwrap_or_default())
}

/// The entry of the audit log for `count` messages of a selection.
pub(super) fn audit_entry(
    action: AuditAction,
    filter: &RejectedMessageFilter,
    count: usize,
) -> AuditEntry {
    AuditEntry {
        before: Some(json!({
            "count": count, "search": filter.search, "since": filter.since, "until": filter.until
        })),
        ..AuditEntry::new(action, "rejected messages")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selection_that_is_wrong_is_refused_by_field() {
        let refused =
            SelectRejectedMessages::parse(br#"{"search":7,"since":"x","dry_run":"yes","id":1}"#);

        let Err(Refusal::Invalid(errors)) = refused else {
            panic!("it must be refused by field");
        };
        let fields: Vec<&str> = errors.iter().map(|e| e.field.as_str()).collect();
        assert_eq!(fields, ["search", "since", "dry_run", "id"]);
    }
}
