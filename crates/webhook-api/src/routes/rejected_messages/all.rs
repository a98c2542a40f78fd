//! Many rejected messages at once: requeued after a fix, or discarded.

use actix_web::web::{Data, Json};
use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;
use webhook_broker::{PublishError, Publisher};
use webhook_domain::AuditAction;
use webhook_store::audit::{self, AuditEntry};
use webhook_store::rejected_messages::{self, RejectedMessage, RejectedMessageFilter};
use webhook_store::transaction;

use super::{origin, parse_filter};
use crate::refusals::Refusals;
use webhook_admin::Caller;
use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_admin::fields::Fields;
use webhook_web::Authenticated;
use webhook_web::Problem;
use webhook_web::body::Body;

/// The most bytes that such a request may have.
const MAX_BYTES: usize = 8 * 1_024;

/// The most messages that one request requeues, so that its answer comes in time.
const MAX_REQUEUED: i64 = 10_000;

/// How many messages are published side by side, and how many bytes of bodies.
const BATCH: (i64, usize) = (500, 16 * 1_024 * 1_024);

/// Which rejected messages; all of them, when everything is left out.
#[derive(ToSchema)]
#[allow(
    dead_code,
    reason = "it documents what `parse_selection` reads field by field"
)]
pub(crate) struct SelectRejectedMessages {
    /// With this text in their reason, in any case.
    #[schema(max_length = 200)]
    search: Option<String>,
    /// Not before this time.
    since: Option<DateTime<Utc>>,
    /// Before this time; what is rejected after the request has come is left out in any case.
    until: Option<DateTime<Utc>>,
    /// Only tell what would be done.
    dry_run: Option<bool>,
}

/// What was requeued.
#[derive(Serialize, ToSchema)]
pub(crate) struct RejectedMessagesRequeued {
    /// How many messages the broker has.
    pub(crate) requeued: i64,
    /// How many were selected and are still here: beyond the first 10,000, too large, or the broker
    /// went away meanwhile.
    pub(crate) remaining: i64,
    /// Only messages before this time were selected: give it again to go on without those that
    /// were rejected again.
    pub(crate) until: DateTime<Utc>,
}

/// What was discarded.
#[derive(Serialize, ToSchema)]
pub(crate) struct RejectedMessagesDiscarded {
    /// How many messages are gone.
    pub(crate) discarded: i64,
}

/// Puts messages back into the queue of events, up to 10,000 of them, oldest first.
#[utoipa::path(
    post, path = "/api/v1/rejected-messages/requeue", tag = "rejected messages",
    request_body = SelectRejectedMessages,
    responses((status = 200, body = RejectedMessagesRequeued), Refusals)
)]
pub(crate) async fn requeue_rejected_messages(
    body: Body<MAX_BYTES>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
    publisher: Data<Publisher>,
) -> Result<Json<RejectedMessagesRequeued>, Problem> {
    requeue_selected(&body.0, &caller, &connections, &publisher)
        .await
        .map(Json)
        .map_err(Problem::from)
}

/// Puts the messages back that a document selects.
pub(crate) async fn requeue_selected(
    document: &[u8],
    caller: &Caller,
    connections: &Connections,
    publisher: &Publisher,
) -> Result<RejectedMessagesRequeued, Refusal> {
    let (mut filter, dry_run) = parse_selection(document)?;
    let mut connection = connections.acquire().await?;
    // What is rejected again is younger: it must not go round for ever.
    let clock = rejected_messages::clock(&mut connection).await?;
    let until = filter.until.map_or(clock, |until| until.min(clock));
    filter.until = Some(until);
    let selected = rejected_messages::count(&mut connection, &filter).await?;
    drop(connection);
    let requeued = if dry_run {
        selected.whole.min(MAX_REQUEUED)
    } else {
        let job = Requeueing {
            filter: &filter,
            caller,
            connections,
            publisher,
        };
        job.run().await?
    };
    Ok(RejectedMessagesRequeued {
        requeued,
        remaining: (selected.all - requeued).max(0),
        until,
    })
}

/// Deletes messages.
#[utoipa::path(
    post, path = "/api/v1/rejected-messages/discard", tag = "rejected messages",
    request_body = SelectRejectedMessages,
    responses((status = 200, body = RejectedMessagesDiscarded), Refusals)
)]
pub(crate) async fn discard_rejected_messages(
    body: Body<MAX_BYTES>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
) -> Result<Json<RejectedMessagesDiscarded>, Problem> {
    discard_selected(&body.0, &caller, &connections)
        .await
        .map(Json)
        .map_err(Problem::from)
}

/// Deletes the messages that a document selects.
pub(crate) async fn discard_selected(
    document: &[u8],
    caller: &Caller,
    connections: &Connections,
) -> Result<RejectedMessagesDiscarded, Refusal> {
    let (filter, dry_run) = parse_selection(document)?;
    let mut connection = connections.acquire().await?;
    let discarded = if dry_run {
        rejected_messages::count(&mut connection, &filter)
            .await?
            .all
    } else {
        transaction(&mut connection, async |connection| {
            let discarded = rejected_messages::delete_all(connection, &filter).await?;
            if discarded > 0 {
                let action = AuditAction::RejectedMessagesDiscarded;
                let entry = describe(action, &filter, discarded);
                audit::insert(connection, &caller.actor(), &entry).await?;
            }
            Ok::<_, Refusal>(whole(discarded))
        })
        .await?
    };
    Ok(RejectedMessagesDiscarded { discarded })
}

/// One request to requeue.
struct Requeueing<'a> {
    filter: &'a RejectedMessageFilter,
    caller: &'a Caller,
    connections: &'a Connections,
    publisher: &'a Publisher,
}

impl Requeueing<'_> {
    /// Goes through the messages batch by batch, and tells how many were requeued. It ends early
    /// when the broker fails; that it took none at all is an error.
    async fn run(&self) -> Result<i64, Refusal> {
        let (mut requeued, mut after) = (0, None);
        while requeued < MAX_REQUEUED {
            let size = (BATCH.0.min(MAX_REQUEUED - requeued), BATCH.1);
            let mut connection = self.connections.acquire().await?;
            let filter = self.filter;
            let batch = rejected_messages::list_whole(&mut connection, filter, after, size).await?;
            // No connection is held while the broker is spoken to.
            drop(connection);
            let Some((last, _)) = batch.last() else {
                break;
            };
            after = Some(last.id);
            let (taken, failed) = self.publish(&batch).await;
            requeued += self.delete(&taken).await?;
            match failed {
                Some(error) if requeued == 0 => return Err(error.into()),
                Some(error) => {
                    log::warn!("not all rejected messages were requeued: {error}");
                    break;
                }
                None => {}
            }
        }
        Ok(requeued)
    }

    /// Publishes messages side by side. Tells which the broker has, and why it has not the others.
    async fn publish(
        &self,
        batch: &[(RejectedMessage, Vec<u8>)],
    ) -> (Vec<Uuid>, Option<PublishError>) {
        let publish = batch.iter().map(async |(message, body)| {
            let origin = origin(message);
            let published = self.publisher.requeue(message.id, &origin, body).await;
            published.map(|()| message.id)
        });
        let (mut taken, mut failed) = (Vec::with_capacity(batch.len()), None);
        for published in join_all(publish).await {
            match published {
                Ok(id) => taken.push(id),
                Err(error) => failed = Some(error),
            }
        }
        (taken, failed)
    }

    /// Deletes what the broker has, and tells how many that were.
    async fn delete(&self, ids: &[Uuid]) -> Result<i64, Refusal> {
        let mut connection = self.connections.acquire().await?;
        transaction(&mut connection, async |connection| {
            let deleted = rejected_messages::delete(connection, ids).await?;
            if deleted > 0 {
                let action = AuditAction::RejectedMessagesRequeued;
                let entry = describe(action, self.filter, deleted);
                audit::insert(connection, &self.caller.actor(), &entry).await?;
            }
            Ok(whole(deleted))
        })
        .await
    }
}

/// What the audit log says of many messages.
fn describe(action: AuditAction, filter: &RejectedMessageFilter, count: usize) -> AuditEntry {
    AuditEntry {
        before: Some(json!({
            "count": count, "search": filter.search, "since": filter.since, "until": filter.until
        })),
        ..AuditEntry::new(action, "rejected messages")
    }
}

fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn parse_selection(body: &[u8]) -> Result<(RejectedMessageFilter, bool), Refusal> {
    let mut fields = Fields::of_body(body)?;
    let filter = parse_filter(&mut fields);
    let dry_run = fields.optional_json("dry_run", "true or false", Ok::<bool, String>);
    fields.end()?;
    Ok((filter, dry_run.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selection_that_is_wrong_is_refused_by_field() {
        let refused = parse_selection(br#"{"search":7,"since":"x","dry_run":"yes","id":1}"#);

        let Err(Refusal::Invalid(errors)) = refused else {
            panic!("it must be refused by field");
        };
        let fields: Vec<&str> = errors.iter().map(|e| e.field.as_str()).collect();
        assert_eq!(fields, ["search", "since", "dry_run", "id"]);
    }
}
