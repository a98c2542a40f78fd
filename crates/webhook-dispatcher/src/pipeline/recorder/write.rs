//! Writing a batch of attempts, for as long as Postgres is away.

use std::collections::HashSet;

use tokio::time::sleep;
use webhook_domain::{FailureDetail, StatusEvent, WebhookId};
use webhook_metrics::catalogue::{ATTEMPTS_NOT_RECORDED, ATTEMPTS_RECORDED_PLAIN};
use webhook_store::attempts::{Attempt, AttemptResult, Transcript, record};
use webhook_store::{StoreError, acquire};

use super::{PAUSE_AFTER_RECORDER_FAILURE, Recorder};
use crate::batch_parts::BatchParts;

impl Recorder {
    /// Writes a batch. Returns the webhooks with a row in `webhook_health`: failing or held.
    ///
    /// While Postgres is away the batch waits. After a lost reply the batch is written again, as
    /// recording twice is harmless. A refused attempt does not hold up the others.
    pub(super) async fn write(&self, attempts: &[AttemptResult]) -> HashSet<WebhookId> {
        let (mut parts, mut with_circuit_row) = (BatchParts::of(attempts.len()), HashSet::new());
        let (mut refused, mut others_were_taken) = (Vec::new(), false);
        while let Some(part) = parts.next() {
            let written = match self.try_write(&attempts[part.clone()]).await {
                Err(error) if error.is_unavailable() => Err(error),
                Err(_) if part.len() > 1 => {
                    parts.halve(part);
                    continue;
                }
                Err(error) => match self.write_plain(&attempts[part.start], &error).await {
                    // Refused in both forms. Whether the attempt or Postgres is at fault shows when the
                    // rest of the batch was tried.
                    Err(error) if !error.is_unavailable() && attempts.len() > 1 => {
                        refused.push((part.start, error));
                        continue;
                    }
                    written => written,
                },
                Ok(written) => {
                    others_were_taken = true;
                    Ok(written)
                }
            };
            // A refused attempt is the fault of the attempt: Postgres records other attempts.
            let is_stuck = matches!(&written, Err(error) if !error.is_refusal());
            self.readiness.set_recorder_stuck(is_stuck);
            match written {
                Ok(written) => with_circuit_row.extend(written),
                Err(error) if error.is_refusal() => self.give_up(&attempts[part.start], &error),
                Err(error) => {
                    log::warn!("cannot record attempts yet: {error}");
                    parts.put_back(part);
                    sleep(PAUSE_AFTER_RECORDER_FAILURE).await;
                }
            }
        }
        for (place, error) in refused {
            // Postgres took other attempts, so this attempt is at fault.
            if others_were_taken || error.is_refusal() {
                self.give_up(&attempts[place], &error);
            } else {
                // No attempt of the batch was stored, so Postgres may be at fault: written alone, until
                // Postgres takes or refuses the attempt by a constraint.
                let again = Box::pin(self.write(&attempts[place..=place]));
                with_circuit_row.extend(again.await);
            }
        }
        with_circuit_row
    }

    async fn try_write(&self, attempts: &[AttemptResult]) -> Result<Vec<WebhookId>, StoreError> {
        let mut connection = acquire(&self.pools.batches).await?;
        let written = record(&mut connection, self.worker_id, attempts).await?;
        self.readiness.count_recorded(attempts.len());
        Ok(written)
    }

    /// Writes an attempt refused for `reason`: once more unchanged, then without any text from outside,
    /// which Postgres could refuse. An error means a fault of Postgres.
    async fn write_plain(
        &self,
        attempt: &AttemptResult,
        reason: &StoreError,
    ) -> Result<Vec<WebhookId>, StoreError> {
        if let Ok(written) = self.try_write(std::slice::from_ref(attempt)).await {
            return Ok(written);
        }
        let written = self.try_write(&[plain(attempt, reason)]).await?;
        ATTEMPTS_RECORDED_PLAIN.add(1);
        let (id, number) = (attempt.attempt.delivery_id, attempt.attempt.number);
        log::error!(delivery_id:% = id, attempt = number; "attempt {number} of {id} was recorded without its transcript, which Postgres refuses: {reason}");
        Ok(written)
    }

    /// Leaves an attempt out, refused in every form by a Postgres that takes others. The delivery is
    /// attempted again at the end of the lease.
    fn give_up(&self, attempt: &AttemptResult, error: &StoreError) {
        self.readiness.count_lost();
        ATTEMPTS_NOT_RECORDED.add(1);
        let (id, number) = (attempt.attempt.delivery_id, attempt.attempt.number);
        log::error!(delivery_id:% = id, attempt = number; "attempt {number} of {id} could not be recorded: {error}");
    }
}

/// An attempt without any text from outside: `reason` stands in place of the transcript.
fn plain(attempt: &AttemptResult, reason: &StoreError) -> AttemptResult {
    let reason = FailureDetail::of(format_args!("the transcript could not be stored: {reason}"));
    let failed = attempt.attempt.failure_detail.is_some();
    AttemptResult {
        attempt: Attempt {
            failure_detail: failed.then(|| reason.clone()),
            ..attempt.attempt.clone()
        },
        exchange: Transcript {
            response_body: reason.as_str().as_bytes().to_vec(),
            ..Transcript::default()
        },
        status_event: attempt.status_event.clone().map(|event| StatusEvent {
            reason: reason.into_string(),
            ..event
        }),
        ..attempt.clone()
    }
}
