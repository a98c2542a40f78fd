//! The checks of Postgres.

use chrono::TimeDelta;
use url::Url;
use webhook_api::POOL_SIZE;
use webhook_store::DatabaseFacts;

use super::finding::Finding;

const AREA: &str = "Postgres";

/// Sessions of a dispatcher at most, see docs/operating.md.
const DISPATCHER_SESSIONS: i64 = 10;

/// Difference of clocks that is no reason for a warning. Dispatchers compare times of both clocks, in leases of a
/// minute and signs of life of 15 s.
const MAX_CLOCK_DIFFERENCE: TimeDelta = TimeDelta::seconds(2);

/// Difference of clocks beyond which dispatchers count as dead, and leases end early.
const BAD_CLOCK_DIFFERENCE: TimeDelta = TimeDelta::seconds(15);

/// The result of the checks.
#[derive(Default)]
pub(super) struct Checked {
    pub(super) findings: Vec<Finding>,
    /// Whether tables can be read: Postgres was reached, and no migration is pending.
    pub(super) is_migrated: bool,
}

impl Checked {
    /// Postgres accepted a connection and said nothing.
    pub(super) fn silent() -> Self {
        let silent = Finding::problem(AREA, "no answer in time")
            .advise("look at the server's load, and at firewalls between here and the server");
        Self {
            findings: vec![silent],
            is_migrated: false,
        }
    }
}

/// Checks Postgres.
pub(super) async fn check(database_url: &str) -> Checked {
    let facts = match webhook_store::inspect(database_url).await {
        Ok(facts) => facts,
        Err(error) => return unreachable(database_url, &error),
    };
    let mut findings = vec![Finding::fine(
        AREA,
        format!(
            "version {} answers at {}",
            facts.version,
            place(database_url)
        ),
    )];
    findings.extend([
        check_encoding(&facts),
        check_writes(&facts),
        check_sessions(&facts),
        check_rights(&facts),
        check_connections(&facts),
        check_clock(&facts),
    ]);
    let pending = webhook_store::migrations::list_pending(database_url).await;
    let is_migrated = pending.as_ref().is_ok_and(Vec::is_empty);
    findings.push(match pending {
        Ok(pending) => check_migrations(&pending, facts.may_migrate),
        Err(error) => Finding::unchecked(AREA, format!("migrations cannot be read: {error:#}")),
    });
    Checked {
        findings,
        is_migrated,
    }
}

fn unreachable(database_url: &str, error: &anyhow::Error) -> Checked {
    let sentence = format!("no use at {}: {error:#}", place(database_url));
    let advice = if webhook_store::is_away(error) {
        "start Postgres, or correct host and port of DATABASE_URL; services wait until Postgres answers"
    } else {
        "read the reason of Postgres; user, password and database come from DATABASE_URL"
    };
    Checked {
        findings: vec![Finding::problem(AREA, sentence).advise(advice)],
        is_migrated: false,
    }
}

/// Host, port and database of an address, without user and password.
fn place(database_url: &str) -> String {
    let url: Option<Url> = database_url.parse().ok();
    let place = url.as_ref().and_then(|url| {
        let port = url.port().unwrap_or(5432);
        Some(format!("{}:{port}{}", url.host_str()?, url.path()))
    });
    place.unwrap_or_else(|| "the address of DATABASE_URL".to_owned())
}

fn check_encoding(facts: &DatabaseFacts) -> Finding {
    if facts.encoding == "UTF8" {
        return Finding::fine(AREA, "the encoding is UTF8");
    }
    Finding::problem(
        AREA,
        format!("the encoding is {}, and must be UTF8", facts.encoding),
    )
    .advise("create a database with ENCODING 'UTF8'")
}

fn check_writes(facts: &DatabaseFacts) -> Finding {
    if !facts.read_only {
        return Finding::fine(AREA, "the server takes writes");
    }
    Finding::problem(
        AREA,
        "the server takes no writes: a standby, or made read-only",
    )
    .advise("give DATABASE_URL the address of the primary")
}

fn check_sessions(facts: &DatabaseFacts) -> Finding {
    if !facts.lends_sessions {
        return Finding::fine(
            AREA,
            "sessions are not shared: no PgBouncer, or one with pool_mode = session",
        );
    }
    Finding::problem(AREA, "a PgBouncer in transaction or statement mode is between this machine and Postgres")
        .advise("set pool_mode = session for the database, or give DATABASE_URL the address of Postgres itself")
}

fn check_rights(facts: &DatabaseFacts) -> Finding {
    if facts.missing_rights.is_empty() {
        return Finding::fine(AREA, "the user has every right on tables and sequences");
    }
    Finding::problem(
        AREA,
        format!("the user lacks rights: {}", facts.missing_rights.join(", ")),
    )
    .advise("grant the rights that docs/operating.md lists under Rights")
}

fn check_migrations(pending: &[String], may_migrate: bool) -> Finding {
    if pending.is_empty() {
        return Finding::fine(AREA, "the schema is up to date");
    }
    let advice = match may_migrate {
        true => "run `webhook-api migrate`, or start a service, which migrates",
        false => "run `webhook-api migrate` as the owner of the tables: this user may not migrate",
    };
    Finding::problem(
        AREA,
        format!(
            "the schema lacks {} of this version's migrations: {}",
            pending.len(),
            pending.join(", ")
        ),
    )
    .advise(advice)
}

fn check_connections(facts: &DatabaseFacts) -> Finding {
    let api = i64::try_from(POOL_SIZE).unwrap_or(i64::MAX);
    let DatabaseFacts {
        connection_limit: limit,
        connections,
        ..
    } = facts;
    let told = format!(
        "the user may open {limit} connections, and {connections} of all users are open; an API replica opens up to \
         {api}, a dispatcher up to {DISPATCHER_SESSIONS}"
    );
    if *limit < api + DISPATCHER_SESSIONS {
        return Finding::problem(AREA, told)
            .advise("raise max_connections, or the limit of the user or the database");
    }
    if limit - connections < DISPATCHER_SESSIONS {
        return Finding::warning(AREA, told)
            .advise("raise max_connections before more replicas are started");
    }
    Finding::fine(AREA, told)
}

fn check_clock(facts: &DatabaseFacts) -> Finding {
    let ahead = facts.clock_ahead;
    let direction = if ahead < TimeDelta::zero() {
        "behind"
    } else {
        "ahead of"
    };
    let millis = ahead.num_milliseconds().abs();
    let told = format!(
        "the clock of Postgres is {millis} ms {direction} this machine's, give or take {} ms",
        facts.clock_error.num_milliseconds()
    );
    let certain = ahead.abs() - facts.clock_error;
    let advice = "let a time service such as chrony set both clocks";
    match certain {
        _ if certain > BAD_CLOCK_DIFFERENCE => Finding::problem(AREA, told).advise(advice),
        _ if certain > MAX_CLOCK_DIFFERENCE => Finding::warning(AREA, told).advise(advice),
        _ => Finding::fine(AREA, told),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Weight;
    use super::*;

    fn facts() -> DatabaseFacts {
        DatabaseFacts {
            version: "17.2".to_owned(),
            encoding: "UTF8".to_owned(),
            read_only: false,
            connection_limit: 97,
            connections: 3,
            may_migrate: true,
            clock_ahead: TimeDelta::milliseconds(-3),
            clock_error: TimeDelta::milliseconds(1),
            missing_rights: Vec::new(),
            lends_sessions: false,
        }
    }

    #[test]
    fn a_difference_of_clocks_counts_beyond_the_error_of_the_look() {
        let weight = |seconds, error| {
            let clock_ahead = TimeDelta::seconds(seconds);
            let clock_error = TimeDelta::seconds(error);
            check_clock(&DatabaseFacts {
                clock_ahead,
                clock_error,
                ..facts()
            })
            .weight
        };

        assert_eq!(weight(-2, 0), Weight::Fine);
        assert_eq!(weight(-3, 0), Weight::Warning);
        assert_eq!(weight(3, 2), Weight::Fine);
        assert_eq!(weight(16, 0), Weight::Problem);
    }

    #[test]
    fn connections_must_suffice_for_a_replica_of_each_service() {
        let weight = |connection_limit, connections| {
            check_connections(&DatabaseFacts {
                connection_limit,
                connections,
                ..facts()
            })
            .weight
        };

        assert_eq!(weight(29, 0), Weight::Problem);
        assert_eq!(weight(30, 20), Weight::Fine);
        assert_eq!(weight(30, 21), Weight::Warning);
    }
}
