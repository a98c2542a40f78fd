use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;
use std::time::Duration;

use serde_json::Value;

use super::trial::Trial;
use crate::World;

/// How long receivers may take to write request logs: nginx and Apache write after the answer.
const LOGGED_WITHIN: Duration = Duration::from_secs(5);

/// The counts of the attempts log, by webhook.
const ATTEMPTS: &str = include_str!("account/attempts.sql");

/// The reasons and the number of failed attempts, by webhook.
const FAILURES: &str = include_str!("account/failures.sql");

/// The account of a receiver: events, requests, attempts.
#[derive(Debug, Clone)]
pub struct ReceiverAccount {
    /// The receiver.
    pub name: &'static str,
    /// Events published for the receiver.
    pub events: usize,
    /// Events a second at full speed, where measured.
    pub rate: Option<f64>,
    /// Requests in the receiver's log.
    pub requests: usize,
    /// Events missing in the receiver's log.
    pub missing: usize,
    /// Requests in the receiver's log with the `webhook-id` of an earlier request.
    pub repeats: usize,
    /// Repeats with the `X-Webhook-Attempt` of the earlier request, too: sent again within an attempt.
    pub repeats_within_attempt: usize,
    /// Deliveries with failed attempts only.
    pub undelivered: u64,
    /// Attempts in the attempts log.
    pub attempts: u64,
    /// Failed attempts in the attempts log.
    pub failed: u64,
    /// Attempts with a request sent again on another connection, by the log of the attempt.
    pub sent_again: u64,
    /// Why attempts failed, and how many for each reason.
    pub failures: BTreeMap<String, u64>,
    /// Whether the receiver still ran at the end.
    pub survived: bool,
}

impl ReceiverAccount {
    /// Whether no attempt failed and every event arrived, with the receiver still alive.
    pub fn kept(&self) -> bool {
        self.missing == 0 && self.failed == 0 && self.undelivered == 0 && self.survived
    }
}

/// Waits until the receivers have written the logs, and settles the account of each.
pub(super) async fn settle_all(world: &World, trials: &mut [Trial]) -> Vec<ReceiverAccount> {
    let written = async || {
        let missing = trials.iter().map(|trial| Requests::of(trial).missing);
        (missing.sum::<usize>() == 0).then_some(())
    };
    let written = world.eventually("the logs are written", written);
    // Events that are missing after that time are counted.
    let _ = tokio::time::timeout(LOGGED_WITHIN, written).await;
    let attempts = ask(world, ATTEMPTS).await;
    let failures = ask(world, FAILURES).await;
    let account = |trial: &mut Trial| {
        let id = trial.webhook_id.to_string();
        let counted = |name: &str| attempts[&id][name].as_u64().unwrap_or(0);
        let reasons = failures[&id].as_object().into_iter().flatten();
        let reasons = reasons.map(|(reason, count)| (reason.clone(), count.as_u64().unwrap_or(0)));
        let requests = Requests::of(trial);
        ReceiverAccount {
            name: trial.receiver.kind.name,
            events: trial.published(),
            rate: trial.rate,
            requests: requests.all,
            missing: requests.missing,
            repeats: requests.repeats,
            repeats_within_attempt: requests.repeats_within_attempt,
            undelivered: counted("undelivered"),
            attempts: counted("attempts"),
            failed: counted("failed"),
            sent_again: counted("sent_again"),
            failures: reasons.collect(),
            survived: trial.receiver.runs(),
        }
    };
    trials.iter_mut().map(account).collect()
}

async fn ask(world: &World, sql: &str) -> Value {
    let told = world.database.ask::<String>(sql).await;
    serde_json::from_str(&told).expect("JSON")
}

/// The counts of a receiver's request log.
struct Requests {
    all: usize,
    missing: usize,
    repeats: usize,
    repeats_within_attempt: usize,
}

impl Requests {
    fn of(trial: &Trial) -> Self {
        let lines = trial.receiver.requests();
        let id = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
        let arrived: HashSet<String> = lines.iter().map(|line| id(line)).collect();
        let attempts: HashSet<&String> = lines.iter().collect();
        let missing = trial.event_ids.iter().filter(|id| !arrived.contains(*id));
        Self {
            all: lines.len(),
            missing: missing.count(),
            repeats: lines.len() - arrived.len(),
            repeats_within_attempt: lines.len() - attempts.len(),
        }
    }
}

/// A table of all receivers, and below the table the reasons of failed attempts.
pub fn table(accounts: &[ReceiverAccount]) -> String {
    let mut table = format!(
        "{:<34} {:>7} {:>9} {:>8} {:>8} {:>8} {:>8} {:>15} {:>8} {:>11}\n",
        "receiver",
        "events",
        "a second",
        "attempts",
        "failed",
        "missing",
        "repeats",
        "within attempts",
        "requests",
        "sent again"
    );
    for account in accounts {
        let rate = account
            .rate
            .map_or("-".to_owned(), |rate| format!("{rate:.0}"));
        let _ = writeln!(
            table,
            "{:<34} {:>7} {rate:>9} {:>8} {:>8} {:>8} {:>8} {:>15} {:>8} {:>11}",
            account.name,
            account.events,
            account.attempts,
            account.failed,
            account.missing,
            account.repeats,
            account.repeats_within_attempt,
            account.requests,
            account.sent_again,
        );
    }
    for account in accounts {
        for (reason, attempts) in &account.failures {
            let _ = writeln!(table, "  {}: {attempts} failed: {reason}", account.name);
        }
        if account.undelivered > 0 {
            let _ = writeln!(
                table,
                "  {}: {} not delivered",
                account.name, account.undelivered
            );
        }
        if !account.survived {
            let _ = writeln!(table, "  {} ended by itself", account.name);
        }
    }
    table
}
