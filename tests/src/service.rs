use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::World;

/// The key that seals secrets in tests.
pub const SEALING_KEY: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

/// Any free port.
const ANYWHERE: &str = "127.0.0.1:0";

/// One of our programs, as its users run it. It dies with the test.
pub struct Service {
    child: Child,
    /// Where it serves HTTP, where it tells so.
    pub url: String,
}

impl Service {
    /// Starts the API and waits until it serves.
    pub async fn api(world: &World) -> Self {
        Self::api_at(world, &world.amqp_url).await
    }

    /// Starts the API with this broker, which may be away.
    pub async fn api_at(world: &World, amqp_url: &str) -> Self {
        Self::api_with(world, &[("AMQP_URL", amqp_url), ("KEY_RATE_LIMIT", "0")]).await
    }

    /// Starts the API with these variables.
    pub async fn api_with(world: &World, variables: &[(&str, &str)]) -> Self {
        let mut child = command("webhook-api", world)
            .env("WEBHOOK_ALLOW_HTTP", "true")
            .envs(variables.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .expect("./dev test builds the programs first");
        let log = child.stderr.take().expect("it is piped");
        let mut lines = BufReader::new(log).lines();
        let url = loop {
            let line = lines.next_line().await.expect("it reads");
            let line = line.expect("the API ended before it served");
            if let Some((_, url)) = line.split_once("serving on ") {
                break url.split_whitespace().next().unwrap_or_default().to_owned();
            }
        };
        // Read on, so that the API never blocks on a full pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { child, url }
    }

    /// Starts a dispatcher. A dead one's leases end soon, so that a test need not wait.
    pub fn dispatcher(world: &World) -> Self {
        Self::dispatcher_with(world, "4000", ANYWHERE)
    }

    /// Starts a dispatcher with the leases that production has.
    pub fn patient_dispatcher(world: &World) -> Self {
        Self::dispatcher_at(world, ANYWHERE)
    }

    /// The same, which serves health and metrics at this address.
    pub fn dispatcher_at(world: &World, listen: &str) -> Self {
        Self::dispatcher_with(world, "60000", listen)
    }

    fn dispatcher_with(world: &World, lease_ms: &str, listen: &str) -> Self {
        let child = command("webhook-dispatcher", world)
            .env("LEASE_MS", lease_ms)
            .env("LISTEN", listen)
            .stderr(Stdio::null())
            .spawn()
            .expect("./dev test builds the programs first");
        let url = String::new();
        Self { child, url }
    }

    /// Makes an API key on the command line.
    pub async fn new_key(world: &World, role: &str) -> String {
        let made = command("webhook-api", world)
            .args(["keys", "create", "--role", role])
            .stderr(Stdio::null())
            .output();
        let printed = made.await.expect("it runs").stdout;
        String::from_utf8(printed).expect("text").trim().to_owned()
    }

    /// Seals every secret anew with the first of these keys, and tells what was printed.
    pub async fn reseal(world: &World, keys: &str) -> String {
        let done = command("webhook-api", world)
            .env("WEBHOOK_SECRET_KEY", keys)
            .arg("reseal")
            .output();
        let printed = done.await.expect("it runs").stdout;
        String::from_utf8(printed).expect("text")
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// Sends a signal, such as `STOP`.
    pub async fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args(["-s", name, &self.pid().to_string()])
            .status();
        assert!(sent.await.expect("kill runs").success(), "{name}");
    }

    /// SIGTERM: waits for its drain, and tells whether it ended well.
    pub async fn terminate(mut self) -> bool {
        self.signal("TERM").await;
        self.child.wait().await.expect("it ends").success()
    }

    /// SIGTERM again and again until it ends, as two that come together count as one; tells
    /// whether it ended well.
    pub async fn terminate_at_once(mut self) -> bool {
        const AGAIN: std::time::Duration = std::time::Duration::from_millis(300);
        loop {
            self.signal("TERM").await;
            if let Ok(ended) = tokio::time::timeout(AGAIN, self.child.wait()).await {
                return ended.expect("it ends").success();
            }
        }
    }

    /// `kill -9`: no chance to tidy up.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("it was running");
    }
}

fn command(name: &str, world: &World) -> Command {
    let test = std::env::current_exe().expect("a test knows its own path");
    // target/<profile>/deps/<test>, or target/<profile>/<program>
    let folders = test.ancestors().skip(1);
    let program = folders
        .map(|folder| folder.join(name))
        .find(|p| p.is_file());
    let program = program.expect("./dev builds the programs first");
    let mut command = Command::new(program);
    command
        .env("DATABASE_URL", &world.database_url)
        .env("AMQP_URL", &world.amqp_url)
        .env("WEBHOOK_SECRET_KEY", SEALING_KEY)
        .env("WEBHOOK_ALLOW_NETWORKS", "127.0.0.0/8")
        .env("LISTEN", ANYWHERE)
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    command
}
