//! The consequences of attempts for webhooks: circuits open and close, receivers are held, webhooks are
//! disabled, and lanes follow.

use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::sleep;
use webhook_domain::{
    CircuitChange, CircuitPolicy, DISCORD_HOSTS, Observation, Outcome, WebhookId, forbidden_reason,
    hold_of_all_after,
};
use webhook_metrics::catalogue::{CIRCUITS_CLOSED, CIRCUITS_OPENED};
use webhook_store::circuits::{self, Changes, Observed, apply_observations};
use webhook_store::{StoreError, acquire, settings, webhooks};

use super::{PAUSE_AFTER_RECORDER_FAILURE, Recorder};

/// How often a statement may be refused by a reachable Postgres. Then the statement is given up, as it
/// would be refused for ever and hold up the recorder.
const MAX_REFUSALS: usize = 5;

/// The observations of a batch, an entry per attempt.
type Observations = [(WebhookId, Observation)];

/// The circuits of a batch's webhooks, as stored now.
struct CircuitUpdate {
    observed: Observed,
    /// How long a webhook may only fail before being disabled.
    disable_after: Duration,
}

impl Recorder {
    /// Lets attempts take effect on webhooks. `with_circuit_row`: the webhooks known to be
    /// failing or held, where a success makes a difference.
    pub(super) async fn apply_consequences(
        &self,
        with_circuit_row: HashSet<WebhookId>,
        mut observations: Vec<(WebhookId, Observation)>,
    ) {
        retain_relevant(&mut observations, with_circuit_row);
        if observations.is_empty() {
            return;
        }
        self.disable_gone(&observations).await;
        let update = self.update_circuits(&observations).await;
        self.hold_all_at_discord(&observations).await;
        // Also without an update: the holds could not be written, and must not count as newer than
        // Postgres for ever.
        let held = update.as_ref().map(|update| &update.observed.held[..]);
        self.mark_holds_stored(&observations, held.unwrap_or_default())
            .await;
        if let Some(update) = update {
            self.disable_forbidden(&observations, &update.observed.changes)
                .await;
            self.apply_circuit_changes(update).await;
        }
    }

    /// Disables webhooks whose receiver wants no more requests.
    async fn disable_gone(&self, observations: &Observations) {
        for (webhook_id, observation) in observations {
            if observation.outcome == Outcome::Gone {
                self.disable(*webhook_id, &observation.gone_reason()).await;
            }
        }
    }

    /// Disables webhooks whose receiver forbade too many requests in a row.
    async fn disable_forbidden(&self, observations: &Observations, changes: &Changes) {
        let forbidden = webhooks_with(changes, CircuitChange::Forbidden);
        for webhook_id in &forbidden {
            let latest = observations.iter().rev();
            let mut latest =
                latest.filter(|(id, seen)| id == webhook_id && seen.outcome == Outcome::Forbidden);
            let reason = latest.next().map(|(_, seen)| forbidden_reason(seen));
            self.disable(*webhook_id, &reason.unwrap_or_default()).await;
        }
        self.lanes.hand_back(&forbidden).await;
    }

    /// Writes observations to the webhooks' circuits. `None`: Postgres refuses them.
    async fn update_circuits(&self, observations: &Observations) -> Option<CircuitUpdate> {
        let updating = until_done("update circuits and holds", || async {
            let mut connection = acquire(&self.pools.work).await?;
            // Read each time, as an owner may change the setting while workers run.
            let policy = CircuitPolicy {
                disable_after: settings::find_disable_after(&mut connection).await?,
                ..self.circuit_policy.clone()
            };
            Ok(CircuitUpdate {
                observed: apply_observations(&mut connection, observations, &policy).await?,
                disable_after: policy.disable_after,
            })
        });
        updating.await
    }

    /// Holds all webhooks at Discord, of every dispatcher, after a response that told of Discord's global limit.
    async fn hold_all_at_discord(&self, observations: &Observations) {
        let seen = observations.iter().map(|(_, observation)| observation);
        let Some(until) = hold_of_all_after(seen) else {
            return;
        };
        let holding = until_done("hold all webhooks at Discord", || async {
            let mut connection = acquire(&self.pools.work).await?;
            circuits::hold_hosts(&mut connection, &DISCORD_HOSTS, until).await
        });
        let held = holding.await.unwrap_or_default();
        log::warn!(
            "Discord's global limit is reached: {} webhooks wait until {until}",
            held.len()
        );
        let ids: Vec<WebhookId> = held.iter().map(|(webhook_id, _)| *webhook_id).collect();
        self.lanes.mark_holds_stored(&ids);
        self.lanes.hold(&held).await;
    }

    /// Tells the lanes that Postgres knows the asked holds from now on, and holds the lanes of the
    /// receivers in `held`.
    async fn mark_holds_stored(
        &self,
        observations: &Observations,
        held: &[(WebhookId, DateTime<Utc>)],
    ) {
        let asked = observations
            .iter()
            .filter(|(_, observation)| observation.hold().is_some());
        let asked: Vec<WebhookId> = asked.map(|(webhook_id, _)| *webhook_id).collect();
        if asked.is_empty() && held.is_empty() {
            return;
        }
        // Marked first: a hold not yet stored would stay where Postgres has a shorter one.
        self.lanes.mark_holds_stored(&asked);
        self.lanes.hold(held).await;
    }

    /// Disables webhooks after too long a time of failures, counts changes of circuits, and lets lanes
    /// follow.
    async fn apply_circuit_changes(&self, update: CircuitUpdate) {
        let changes = &update.observed.changes;
        let disabled = webhooks_with(changes, CircuitChange::Disabled);
        let reason = format!("every attempt failed for {}", days(update.disable_after));
        for webhook_id in &disabled {
            self.disable(*webhook_id, &reason).await;
        }
        let opened = webhooks_with(changes, CircuitChange::Opened);
        let closed = webhooks_with(changes, CircuitChange::Closed);
        CIRCUITS_OPENED.add(opened.len() as u64);
        CIRCUITS_CLOSED.add(closed.len() as u64);
        self.lanes.hand_back(&disabled).await;
        self.lanes.hand_back_all_but_probes(&opened).await;
        // Deliveries of an open circuit have piled up in the backlog.
        if !closed.is_empty() {
            self.backlog.wake_claims();
        }
    }

    async fn disable(&self, webhook_id: WebhookId, reason: &str) {
        let disabling = until_done("disable a webhook", || async {
            webhooks::disable(&mut *acquire(&self.pools.work).await?, webhook_id, reason).await
        });
        disabling.await;
    }
}

/// Keeps the observations of consequence: failures, holds, tests, and successes of webhooks that were
/// failing or held. Nearly all attempts are successes of sound webhooks, and cost no statement here.
fn retain_relevant(
    observations: &mut Vec<(WebhookId, Observation)>,
    with_circuit_row: HashSet<WebhookId>,
) {
    let mut concerned = with_circuit_row;
    let relevant = observations
        .iter()
        .filter(|(_, observation)| observation.is_relevant());
    concerned.extend(relevant.map(|(webhook_id, _)| *webhook_id));
    observations.retain(|(webhook_id, _)| concerned.contains(webhook_id));
}

/// Runs a statement until success, for as long as Postgres is away. `None`: a reachable Postgres has
/// refused the statement [`MAX_REFUSALS`] times.
async fn until_done<T, F>(what: &str, mut make: impl FnMut() -> F) -> Option<T>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let mut refusals = 0;
    loop {
        match make().await {
            Ok(made) => return Some(made),
            Err(error) if error.is_unavailable() => log::warn!("cannot {what} yet: {error}"),
            Err(error) => {
                refusals += 1;
                if refusals == MAX_REFUSALS {
                    log::error!("cannot {what}, given up after {MAX_REFUSALS} tries: {error}");
                    return None;
                }
                log::warn!("cannot {what} yet: {error}");
            }
        }
        sleep(PAUSE_AFTER_RECORDER_FAILURE).await;
    }
}

/// A time such as `5 days`; below two days in hours.
fn days(time: Duration) -> String {
    match time.as_secs() / 3_600 {
        1 => "1 hour".to_owned(),
        hours @ 0..48 => format!("{hours} hours"),
        hours => format!("{} days", hours / 24),
    }
}

fn webhooks_with(changes: &Changes, change: CircuitChange) -> Vec<WebhookId> {
    let changed = changes
        .iter()
        .filter(|(_, of_webhook)| *of_webhook == change);
    changed.map(|(webhook_id, _)| *webhook_id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use std::cell::Cell;
    use uuid::Uuid;
    use webhook_domain::{FailureClass, Occasion, RateAdvice};

    fn webhook(number: u128) -> WebhookId {
        WebhookId(Uuid::from_u128(number))
    }

    fn observed(number: u128, outcome: Outcome) -> (WebhookId, Observation) {
        let observation = Observation {
            outcome,
            occasion: Occasion::Due,
            ended_at: DateTime::UNIX_EPOCH,
            rate: RateAdvice::default(),
            meaning: None,
        };
        (webhook(number), observation)
    }

    #[test]
    fn successes_count_only_beside_a_failure_or_a_row_of_the_circuit() {
        let failed = Outcome::Failed {
            class: FailureClass::Timeout,
            retry_after: None,
        };
        let mut observations = vec![
            observed(1, Outcome::Accepted),
            observed(2, Outcome::Accepted),
            observed(3, Outcome::Accepted),
            observed(2, failed),
        ];

        retain_relevant(&mut observations, HashSet::from([webhook(3)]));

        let kept: Vec<_> = observations.iter().map(|(id, _)| *id).collect();
        assert_eq!(kept, [webhook(2), webhook(3), webhook(2)]);
    }

    fn refused() -> StoreError {
        StoreError::Unreadable("the row".to_owned())
    }

    /// The result of a statement that fails with `error` for `failures` times, and the number of tries.
    async fn tries(failures: usize, error: fn() -> StoreError) -> (Option<&'static str>, usize) {
        let tries = Cell::new(0);
        let done = until_done("try", || {
            tries.set(tries.get() + 1);
            let done = tries.get() > failures;
            std::future::ready(if done { Ok("done") } else { Err(error()) })
        });
        (done.await, tries.get())
    }

    #[tokio::test(start_paused = true)]
    async fn a_statement_is_given_up_when_a_reachable_postgres_refuses_five_times() {
        assert_eq!(tries(0, refused).await, (Some("done"), 1));
        assert_eq!(tries(4, refused).await, (Some("done"), 5));
        assert_eq!(tries(5, refused).await, (None, 5));
    }

    #[tokio::test(start_paused = true)]
    async fn a_statement_waits_for_postgres_for_as_long_as_postgres_is_away() {
        assert_eq!(tries(50, || StoreError::ReadOnly).await, (Some("done"), 51));
    }

    #[rstest]
    #[case(0, "0 hours")]
    #[case(1, "1 hour")]
    #[case(2, "2 hours")]
    #[case(47, "47 hours")]
    #[case(48, "2 days")]
    #[case(5 * 24 + 23, "5 days")]
    fn a_time_is_told_in_hours_and_from_two_days_on_in_days(
        #[case] hours: u64,
        #[case] told: &str,
    ) {
        assert_eq!(days(Duration::from_secs(hours * 3_600 + 59)), told);
    }

    #[test]
    fn the_webhooks_of_a_change_are_those_with_the_change() {
        let changes = vec![
            (webhook(1), CircuitChange::Opened),
            (webhook(2), CircuitChange::Closed),
            (webhook(3), CircuitChange::Opened),
        ];

        let opened = webhooks_with(&changes, CircuitChange::Opened);

        assert_eq!(opened, [webhook(1), webhook(3)]);
    }
}
