//! The verbs of `webhook-api`, run as an operator runs them: the good way, bad input, exit codes.

use std::process::Output;

use webhook_tests::{Service, World};

mod config;
mod doctor;
mod events;
mod listen;
mod migrate;
mod pages;
mod plan;
mod secrets;

/// A verb that has ended.
struct Ended {
    /// The exit code.
    code: Option<i32>,
    /// The text on stdout.
    printed: String,
    /// The text on stderr.
    told: String,
}

impl Ended {
    fn of(ended: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("text");
        Self {
            code: ended.status.code(),
            printed: text(ended.stdout),
            told: text(ended.stderr),
        }
    }
}

/// Runs `webhook-api` with `arguments` in `world`.
async fn run(world: &World, arguments: &[&str]) -> Ended {
    run_with(world, &[], arguments).await
}

/// As [`run`], with environment variables besides.
async fn run_with(world: &World, variables: &[(&str, &str)], arguments: &[&str]) -> Ended {
    Ended::of(Service::run_to_end("webhook-api", world, variables, arguments).await)
}

/// Makes the database forget its newest migration.
const FORGET_A_MIGRATION: &str = "DELETE FROM __diesel_schema_migrations
    WHERE version = (SELECT max(version) FROM __diesel_schema_migrations)";

/// An address of Postgres without a server.
const POSTGRES_AWAY: (&str, &str) = ("DATABASE_URL", "postgres://me:hunter2@127.0.0.1:9/x");
