//! The circuit of a webhook: the consequence of failed attempts in a row for the webhook as a whole.
//!
//! ```text
//!              failure               failures in a row reach the limit
//! healthy ───────────► failing ───────────────────────────► failing, circuit open
//!    ▲                    │                                  │  pause over: one probe;
//!    └──── 2xx ◄──────────┴──────────────────────────────────┘  it fails: a longer pause
//! ```
//!
//! | state | what happened | next |
//! | --- | --- | --- |
//! | healthy | a failure | failing since that failure |
//! | failing | the limit of failures in a row | the circuit opens: no request until the pause is over |
//! | circuit open | the pause is over | one probe is sent |
//! | circuit open | a failure of another attempt, which began before the circuit opened | no change: the failure tells nothing new |
//! | circuit open | the probe fails | a pause of twice the length, up to the longest |
//! | circuit open | the probe gets a 429 and costs no attempt | a pause of the same length |
//! | any | any other 429 that costs no attempt | no change |
//! | any | 2xx | healthy |
//! | any | refused bytes | as after a failure: a webhook of which nothing arrives is not healthy, and an open circuit keeps the next deliveries until the template is mended |
//! | any | a forbidden request | as after a failure; the third in a row sets the webhook Inactive |
//! | any | a test event fails | no change: tests count for nothing |
//! | circuit open | a test event is accepted | the probe is due at once, and decides |
//! | failing | half of the time until disabling has passed | the owner is warned, once |
//! | failing | all of the time, and half of the time since the warning | the webhook is set Inactive |

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::{Observation, Occasion, Outcome, PlatformSettings};

/// When a circuit opens, how long the circuit pauses, and when a webhook is disabled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CircuitPolicy {
    /// The number of failures in a row after which the circuit opens.
    pub opens_after: u32,
    /// The length of the first pause. Each further pause is twice as long.
    pub first_pause: Duration,
    /// The length of the longest pause.
    pub max_pause: Duration,
    /// A webhook that has only failed for this long is set Inactive. The owner is warned after half
    /// of this time, and at least half of this time before the webhook is set Inactive.
    pub disable_after: Duration,
}

impl Default for CircuitPolicy {
    /// Ten failures in a row are no accident. With pauses of up to 5 minutes a recovered receiver
    /// is noticed within 5 minutes. Disabling takes 5 days, the default of the platform's settings,
    /// which is longer than the 63 hours of the default retry policy.
    fn default() -> Self {
        Self {
            opens_after: 10,
            first_pause: Duration::from_secs(5),
            max_pause: Duration::from_secs(300),
            disable_after: PlatformSettings::default().disable_after,
        }
    }
}

/// The state of a failing webhook. A healthy webhook has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failing {
    /// The time of the first failure since the last 2xx.
    pub since: DateTime<Utc>,
    /// The number of failures since the last 2xx.
    pub failures: u32,
    /// The time of the warning, if the owner was warned.
    pub warned_at: Option<DateTime<Utc>>,
    /// The number of forbidden requests in a row, the latest attempts. A 429 that costs no attempt
    /// neither adds to the row nor ends the row; any other outcome ends the row.
    pub forbidden: u32,
    /// The circuit.
    pub circuit: Circuit,
}

/// The number of forbidden requests in a row after which a webhook is set Inactive: 3. One may be a
/// mistake of a proxy. Each further one adds to the 10,000 refusals within ten minutes for which
/// Discord bans the address of a sender, with all webhooks of the platform.
pub const MAX_FORBIDDEN_IN_A_ROW: u32 = 3;

/// Whether a failing webhook gets requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Circuit {
    /// The webhook gets its requests.
    Closed,
    /// The webhook gets one probe when the pause is over, and no other request.
    Open {
        /// The start of the pause.
        since: DateTime<Utc>,
        /// The end of the pause.
        until: DateTime<Utc>,
        /// The number of pauses in a row, this one included, from 1.
        pauses: u32,
    },
}

/// A change made to a webhook by an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CircuitChange {
    /// The circuit opened, or stays open after a failed probe.
    Opened,
    /// The circuit closed.
    Closed,
    /// The owner is to be warned: the webhook will be set Inactive if the failures go on.
    Warned,
    /// The webhook is to be set Inactive, because every attempt failed for too long.
    Disabled,
    /// The webhook is to be set Inactive, because the receiver forbade
    /// [`MAX_FORBIDDEN_IN_A_ROW`] requests in a row.
    Forbidden,
}

/// The reason of a webhook that is set Inactive after [`CircuitChange::Forbidden`], in words. `seen` is
/// the last forbidden request.
pub fn forbidden_reason(seen: &Observation) -> String {
    let answer = seen.meaning.map(|meaning| format!(": {meaning}"));
    format!(
        "the receiver did not allow {MAX_FORBIDDEN_IN_A_ROW} requests in a row{}",
        answer.unwrap_or_default()
    )
}

/// The state of a webhook after an attempt, and the changes that the attempt made. `None`: healthy.
pub fn observe(
    before: Option<Failing>,
    seen: &Observation,
    policy: &CircuitPolicy,
) -> (Option<Failing>, Vec<CircuitChange>) {
    // A test tells whether one sample is accepted. Only deliveries tell whether events arrive.
    if seen.occasion == Occasion::Test && seen.outcome != Outcome::Gone {
        return (before.map(|b| after_test(b, seen)), vec![]);
    }
    let retry_after = match seen.outcome {
        // A webhook whose receiver responded with 410 is set Inactive at once, which ends its
        // circuit too.
        Outcome::Accepted | Outcome::Gone => {
            let was_open = before.is_some_and(|b| b.circuit != Circuit::Closed);
            let closed = was_open.then_some(CircuitChange::Closed);
            return (None, closed.into_iter().collect());
        }
        Outcome::Throttled { .. } => return (before.map(|b| pause_again(b, seen, policy)), vec![]),
        // The `Retry-After` of an overloaded receiver is a hold, see `hold.rs`.
        Outcome::Overloaded { .. } | Outcome::Refused | Outcome::Forbidden => None,
        Outcome::Failed { retry_after, .. } => retry_after,
    };
    let mut failing = one_more_failure(before, seen);
    let mut changes = Vec::new();
    // Also after the third: the disabling may have been lost with a dispatcher.
    if failing.forbidden >= MAX_FORBIDDEN_IN_A_ROW {
        changes.push(CircuitChange::Forbidden);
    }
    if let Some(circuit) = next_circuit(&failing, seen, retry_after, policy) {
        failing.circuit = circuit;
        changes.push(CircuitChange::Opened);
    }
    changes.extend(warn_or_disable(&mut failing, seen.ended_at, policy));
    (Some(failing), changes)
}

/// The state with one more failure, which began the failing if `before` is healthy.
fn one_more_failure(before: Option<Failing>, seen: &Observation) -> Failing {
    let failing = before.unwrap_or(Failing {
        since: seen.ended_at,
        failures: 0,
        warned_at: None,
        forbidden: 0,
        circuit: Circuit::Closed,
    });
    let forbidden = match seen.outcome {
        Outcome::Forbidden => failing.forbidden.saturating_add(1),
        Outcome::Accepted
        | Outcome::Gone
        | Outcome::Refused
        | Outcome::Throttled { .. }
        | Outcome::Overloaded { .. }
        | Outcome::Failed { .. } => 0,
    };
    Failing {
        failures: failing.failures.saturating_add(1),
        forbidden,
        ..failing
    }
}

/// The consequence of the time for which a webhook has only failed. Notes the warning in `failing`.
fn warn_or_disable(
    failing: &mut Failing,
    now: DateTime<Utc>,
    policy: &CircuitPolicy,
) -> Option<CircuitChange> {
    let since = |time: DateTime<Utc>| (now - time).to_std().unwrap_or_default();
    let half = policy.disable_after / 2;
    match failing.warned_at {
        // Both conditions: when the setting is shortened, an owner who was warned a minute ago
        // still has time to act.
        Some(warned_at)
            if since(failing.since) >= policy.disable_after && since(warned_at) >= half =>
        {
            Some(CircuitChange::Disabled)
        }
        None if since(failing.since) >= half => {
            failing.warned_at = Some(now);
            Some(CircuitChange::Warned)
        }
        Some(_) | None => None,
    }
}

/// The state after a test event. An accepted test lets the probe go at once, so that an admin who
/// mended the receiver need not wait for the end of the pause.
fn after_test(failing: Failing, seen: &Observation) -> Failing {
    let circuit = match failing.circuit {
        Circuit::Open {
            since,
            until,
            pauses,
        } if seen.outcome == Outcome::Accepted => Circuit::Open {
            since,
            until: until.min(seen.ended_at),
            pauses,
        },
        as_it_was @ (Circuit::Open { .. } | Circuit::Closed) => as_it_was,
    };
    Failing { circuit, ..failing }
}

/// The state after a 429 that costs no attempt. After a probe the circuit pauses as long as before
/// the probe.
fn pause_again(failing: Failing, seen: &Observation, policy: &CircuitPolicy) -> Failing {
    let circuit = match failing.circuit {
        Circuit::Open { pauses, .. } if seen.occasion == Occasion::Probe => Circuit::Open {
            since: seen.ended_at,
            until: after(seen.ended_at, own_pause(pauses.saturating_sub(1), policy)),
            pauses,
        },
        as_it_was @ (Circuit::Open { .. } | Circuit::Closed) => as_it_was,
    };
    Failing { circuit, ..failing }
}

/// The length of a pause that follows `pauses` others in a row.
fn own_pause(pauses: u32, policy: &CircuitPolicy) -> Duration {
    let doubled = 2_u32.saturating_pow(pauses);
    policy
        .first_pause
        .saturating_mul(doubled)
        .min(policy.max_pause)
}

fn after(time: DateTime<Utc>, pause: Duration) -> DateTime<Utc> {
    time + TimeDelta::from_std(pause).unwrap_or(TimeDelta::MAX)
}

/// The circuit after a failure. `None`: no change.
fn next_circuit(
    failing: &Failing,
    seen: &Observation,
    retry_after: Option<Duration>,
    policy: &CircuitPolicy,
) -> Option<Circuit> {
    let pauses = match failing.circuit {
        Circuit::Closed if failing.failures >= policy.opens_after => 0,
        Circuit::Closed => return None,
        // A straggler: the request was on its way when the circuit opened.
        Circuit::Open { .. } if seen.occasion != Occasion::Probe => return None,
        Circuit::Open { pauses, .. } => pauses,
    };
    let pause = own_pause(pauses, policy)
        // The receiver can lengthen a pause up to the longest one, and never shorten a pause.
        .max(retry_after.unwrap_or_default())
        .min(policy.max_pause);
    Some(Circuit::Open {
        since: seen.ended_at,
        until: after(seen.ended_at, pause),
        pauses: pauses.saturating_add(1),
    })
}

#[cfg(test)]
mod tests;
