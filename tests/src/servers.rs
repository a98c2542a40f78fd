use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use uuid::Uuid;

use crate::ServerUrls;

/// How long a server may take to start, its packages included.
const PATIENCE: Duration = Duration::from_secs(240);

/// What RabbitMQ is short of, so that it takes nothing from publishers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alarm {
    /// Memory.
    Memory,
    /// Room on its disk.
    Disk,
}

/// A Postgres and a RabbitMQ that tests may break. They are gone when this is dropped.
pub struct Servers {
    /// `postgres://…`
    pub database_url: String,
    /// `amqp://…`
    pub amqp_url: String,
    /// `http://…`
    pub management_url: String,
    folder: PathBuf,
}

impl Servers {
    /// Starts both, which takes some seconds.
    pub async fn start() -> Self {
        let folder = std::env::temp_dir().join(format!("webhooks-servers.{}", Uuid::new_v4()));
        dev("start", &folder, None).await;
        let urls = std::fs::read_to_string(folder.join("urls")).expect("./dev writes it");
        let mut lines = urls.lines().map(str::to_owned);
        let mut next = || lines.next().expect("it has three lines");
        Self {
            database_url: next(),
            amqp_url: next(),
            management_url: next(),
            folder,
        }
    }

    /// Where they are.
    pub fn urls(&self) -> ServerUrls {
        ServerUrls {
            database: self.database_url.clone(),
            amqp: self.amqp_url.clone(),
            management: self.management_url.clone(),
        }
    }

    /// The processes that started Postgres and RabbitMQ, each the first of its session.
    pub fn pids(&self) -> [u32; 2] {
        ["postgres/postmaster.pid", "rabbitmq.pid"].map(|file| {
            let text = std::fs::read_to_string(self.folder.join(file)).unwrap_or_default();
            let pid = text
                .lines()
                .next()
                .and_then(|line| line.trim().parse().ok());
            pid.expect("it runs")
        })
    }

    /// What Postgres tells.
    pub fn postgres_log(&self) -> PathBuf {
        self.folder.join("logs/postgres.log")
    }

    /// Ends Postgres as a power cut would, and starts it again.
    pub async fn crash_postgres(&self) {
        dev("crash", &self.folder, Some("postgres")).await;
    }

    /// Makes RabbitMQ short of something, or gives it that back.
    pub async fn set_alarm(&self, alarm: Alarm, on: bool) {
        let what = match (alarm, on) {
            (Alarm::Memory, true) => "memory-alarm",
            (Alarm::Memory, false) => "memory",
            (Alarm::Disk, true) => "disk-alarm",
            (Alarm::Disk, false) => "disk",
        };
        dev(what, &self.folder, None).await;
    }

    /// Ends RabbitMQ as a power cut would, and starts it again.
    pub async fn crash_rabbitmq(&self) {
        dev("crash", &self.folder, Some("rabbitmq")).await;
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

/// Its output goes nowhere: the servers that it leaves behind would hold a pipe open.
async fn dev(what: &str, folder: &Path, server: Option<&str>) {
    let done = Command::new(script())
        .args(["servers", what])
        .arg(folder)
        .args(server)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status();
    let status = tokio::time::timeout(PATIENCE, done).await;
    let status = status.expect("it takes too long").expect("./dev is there");
    assert!(status.success(), "./dev servers {what} failed");
}
