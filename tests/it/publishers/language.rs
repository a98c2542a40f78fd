//! A publisher of `examples/`, and the end of a run.

use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use webhook_tests::program_path;

use super::prepared::{JAVA_LIBRARIES, prepared};

/// How long a publisher may take, on a busy machine.
const ENDS_WITHIN: Duration = Duration::from_secs(60);

/// The language of a publisher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    Rust,
    Python,
    Node,
    Go,
    Java,
}

/// A publisher that has ended.
#[derive(Debug)]
pub(super) struct Publication {
    /// The exit code.
    pub(super) code: Option<i32>,
    /// The text on stderr.
    pub(super) errors: String,
    output: String,
    /// For the messages of failed assertions.
    #[allow(dead_code, reason = "read by Debug")]
    language: Language,
}

impl Publication {
    /// The id of the published event, as the publisher prints the id. Panics for a publisher that failed.
    pub(super) fn event_id(&self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        let id = self.output.trim().strip_prefix("published event ");
        id.unwrap_or_else(|| panic!("{self:?}")).to_owned()
    }
}

impl Language {
    /// Every language.
    pub(super) const ALL: [Self; 5] = [Self::Rust, Self::Python, Self::Node, Self::Go, Self::Java];

    /// Publishes an event with environment variables, and waits for the publisher's end.
    pub(super) async fn publish(
        self,
        variables: [(&str, &str); 2],
        environment: &str,
        event_type: &str,
    ) -> Publication {
        let command = tokio::task::spawn_blocking(move || self.command()).await;
        let mut command = command.expect("the publishers are installed and built");
        match self {
            Self::Rust => command.args(["--environment", environment, "--event-type", event_type]),
            Self::Python | Self::Node | Self::Go | Self::Java => {
                command.args([environment, event_type])
            }
        };
        let run = command
            .envs(variables)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let ended = tokio::time::timeout(ENDS_WITHIN, run).await;
        let ended = ended.expect("the publisher ends in time");
        let ended = ended.expect("the publisher starts");
        Publication {
            code: ended.status.code(),
            errors: String::from_utf8_lossy(&ended.stderr).into_owned(),
            output: String::from_utf8_lossy(&ended.stdout).into_owned(),
            language: self,
        }
    }

    /// The command without arguments.
    fn command(self) -> Command {
        match self {
            Self::Rust => Command::new(program_path("webhook-publisher")),
            Self::Python => {
                let mut python = Command::new(prepared().join("python/venv/bin/python"));
                python.arg(prepared().join("python/publish.py"));
                python
            }
            Self::Node => {
                let mut node = Command::new("node");
                node.arg(prepared().join("node/publish.js"));
                node
            }
            Self::Go => Command::new(prepared().join("go/publish")),
            Self::Java => {
                let mut java = Command::new("java");
                let classes = prepared().join("java");
                let class_path = format!("{}:{JAVA_LIBRARIES}", classes.display());
                // Five programs start at once: the fewest threads, the least compilation.
                java.args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp"])
                    .args([&*class_path, "Publish"]);
                java
            }
        }
    }
}
