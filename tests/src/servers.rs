use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use uuid::Uuid;

use crate::ServerUrls;

/// How long `./dev servers` may take, an installation of packages included.
const PATIENCE: Duration = Duration::from_secs(240);

/// A resource alarm of RabbitMQ. The broker blocks publishers meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alarm {
    /// Memory is short.
    Memory,
    /// Disk space is short.
    Disk,
}

/// A Postgres and a RabbitMQ that one test may break. Both end, with their data, when the value is
/// dropped.
pub struct Servers {
    /// `postgres://…`
    pub database_url: String,
    /// `amqp://…`, of a cluster the URLs of all nodes
    pub amqp_url: String,
    /// `http://…`
    pub management_url: String,
    folder: PathBuf,
}

impl Servers {
    /// Starts both servers within some seconds.
    pub async fn start() -> Self {
        Self::start_by("start").await
    }

    /// Starts a Postgres and a cluster of three nodes of RabbitMQ.
    pub async fn start_cluster() -> Self {
        Self::start_by("start-cluster").await
    }

    async fn start_by(verb: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("webhooks-servers.{}", Uuid::new_v4()));
        dev(verb, &folder, &[]).await;
        let urls = std::fs::read_to_string(folder.join("urls")).expect("./dev writes the URLs");
        let mut lines = urls.lines().map(str::to_owned);
        let mut next = || lines.next().expect("the file has three lines");
        Self {
            database_url: next(),
            amqp_url: next(),
            management_url: next(),
            folder,
        }
    }

    /// The addresses of the servers, for [`crate::World::on`].
    pub fn urls(&self) -> ServerUrls {
        ServerUrls {
            database: self.database_url.clone(),
            amqp: self.amqp_url.clone(),
            management: self.management_url.clone(),
        }
    }

    /// The ids of the first processes of Postgres and of RabbitMQ, each the leader of its session.
    pub fn pids(&self) -> [u32; 2] {
        ["postgres/postmaster.pid", "rabbitmq.pid"].map(|file| {
            let text = std::fs::read_to_string(self.folder.join(file)).unwrap_or_default();
            let pid = text
                .lines()
                .next()
                .and_then(|line| line.trim().parse().ok());
            pid.expect("the server runs")
        })
    }

    /// The log file of Postgres.
    pub fn postgres_log(&self) -> PathBuf {
        self.folder.join("logs/postgres.log")
    }

    /// Stops Postgres as a power cut would, and starts Postgres again on the same data.
    pub async fn crash_postgres(&self) {
        dev("crash", &self.folder, &["postgres"]).await;
    }

    /// Stops a node of the cluster, 1 to 3, as a power cut would.
    pub async fn crash_node(&self, node: usize) {
        dev("crash-node", &self.folder, &[&node.to_string()]).await;
    }

    /// Starts a node of the cluster again, and waits until the node has joined.
    pub async fn start_node(&self, node: usize) {
        dev("start-node", &self.folder, &[&node.to_string()]).await;
    }

    /// Starts a standby that each commit waits for, and returns the standby's port.
    pub async fn start_standby(&self) -> u16 {
        dev("standby", &self.folder, &[]).await;
        let port = std::fs::read_to_string(self.folder.join("standby.port"));
        let port = port.ok().and_then(|port| port.trim().parse().ok());
        port.expect("./dev writes the port")
    }

    /// Stops Postgres as a power cut would, and makes the standby the primary.
    pub async fn promote_standby(&self) {
        dev("promote", &self.folder, &[]).await;
    }

    /// Stops Postgres as a power cut would.
    pub async fn stop_postgres(&self) {
        dev("stop-postgres", &self.folder, &[]).await;
    }

    /// Starts a Prometheus with our alerts, which asks the targets (job, port) every second. Returns the
    /// address; the server ends with the others.
    pub async fn start_prometheus(&self, targets: &[(&str, u16)]) -> String {
        let targets = targets.iter().map(|(job, port)| format!("{job}={port}"));
        let targets: Vec<String> = targets.collect();
        let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
        dev("prometheus", &self.folder, &targets).await;
        let port = std::fs::read_to_string(self.folder.join("prometheus.port"));
        format!(
            "http://127.0.0.1:{}",
            port.expect("./dev writes the port").trim()
        )
    }

    /// Raises or clears a resource alarm of RabbitMQ.
    pub async fn set_alarm(&self, alarm: Alarm, on: bool) {
        let what = match (alarm, on) {
            (Alarm::Memory, true) => "memory-alarm",
            (Alarm::Memory, false) => "memory",
            (Alarm::Disk, true) => "disk-alarm",
            (Alarm::Disk, false) => "disk",
        };
        dev(what, &self.folder, &[]).await;
    }

    /// Stops RabbitMQ as a power cut would, and starts RabbitMQ again on the same data.
    pub async fn crash_rabbitmq(&self) {
        dev("crash", &self.folder, &["rabbitmq"]).await;
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        let stopped = std::process::Command::new(script())
            .args(["servers", "stop"])
            .arg(&self.folder)
            .stdout(Stdio::null())
            .status();
        if !stopped.is_ok_and(|status| status.success()) {
            eprintln!("servers may still run in {}", self.folder.display());
        }
    }
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../dev")
}

/// Runs `./dev servers`. The servers that the command leaves behind would hold a pipe of its output
/// open, so the output is thrown away.
async fn dev(what: &str, folder: &Path, arguments: &[&str]) {
    let done = Command::new(script())
        .args(["servers", what])
        .arg(folder)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status();
    let status = tokio::time::timeout(PATIENCE, done).await;
    let status = status
        .expect("./dev takes too long")
        .expect("./dev is there");
    assert!(status.success(), "./dev servers {what} failed");
}
