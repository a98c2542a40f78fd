use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};

use crate::World;

/// The sealing key of all tests: 32 bytes in base64.
pub const SEALING_KEY: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

/// An address on a free port. The program writes the port to the log.
const ANYWHERE: &str = "127.0.0.1:0";

/// The API or a dispatcher in a process of its own, as in production. The process is killed when the
/// `Service` is dropped.
pub struct Service {
    child: Child,
    /// `http://…` of the API, or of a dispatcher with a `OPERATIONS_LISTEN` of its own; empty for other
    /// dispatchers, whose port no test needs.
    pub url: String,
    log: Arc<Mutex<Vec<String>>>,
}

impl Service {
    /// Starts the API and waits until the API serves.
    pub async fn api(world: &World) -> Self {
        Self::api_at(world, &world.broker.url).await
    }

    /// Starts the API with another URL of the broker. The broker need not answer.
    pub async fn api_at(world: &World, amqp_url: &str) -> Self {
        Self::api_with(world, &[("AMQP_URL", amqp_url), ("KEY_RATE_LIMIT", "0")]).await
    }

    /// Starts the API with `variables` and waits until the API serves.
    pub async fn api_with(world: &World, variables: &[(&str, &str)]) -> Self {
        Self::api_of(&program_path("webhook-api"), world, variables).await
    }

    /// Starts another build of the API with `variables` and waits until the API serves.
    pub async fn api_of(program: &Path, world: &World, variables: &[(&str, &str)]) -> Self {
        let mut child = command_of(program, world)
            .env("WEBHOOK_ALLOW_HTTP", "true")
            .envs(variables.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .expect("./dev test builds the programs first");
        let mut lines = lines_of(&mut child);
        let url = loop {
            let line = lines.next_line().await.expect("the log is read");
            let line = line.expect("the API ended before it served");
            if let Some((_, url)) = line.split_once("serving on ") {
                break url.split_whitespace().next().unwrap_or_default().to_owned();
            }
        };
        let log = read_on(lines);
        Self { child, url, log }
    }

    /// Starts a dispatcher with leases of 4 s: a test of a killed dispatcher need not wait for the 60 s
    /// of production.
    pub fn dispatcher(world: &World) -> Self {
        Self::dispatcher_with(world, &[("LEASE_MS", "4000")])
    }

    /// Starts a dispatcher with the leases of production.
    pub fn patient_dispatcher(world: &World) -> Self {
        Self::dispatcher_with(world, &[])
    }

    /// Starts a dispatcher with the health endpoint and the metrics at `listen`.
    pub fn dispatcher_at(world: &World, listen: &str) -> Self {
        Self::dispatcher_with(world, &[("OPERATIONS_LISTEN", listen)])
    }

    /// Starts a dispatcher with `variables`. Does not wait for the first look at the queue.
    pub fn dispatcher_with(world: &World, variables: &[(&str, &str)]) -> Self {
        Self::dispatcher_of(&program_path("webhook-dispatcher"), world, variables)
    }

    /// Starts another build of the dispatcher with `variables`.
    pub fn dispatcher_of(program: &Path, world: &World, variables: &[(&str, &str)]) -> Self {
        let mut child = command_of(program, world)
            .envs(variables.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .expect("./dev test builds the programs first");
        let listen = variables
            .iter()
            .find(|(name, _)| *name == "OPERATIONS_LISTEN");
        let url = listen.map(|(_, address)| format!("http://{address}"));
        let log = read_on(lines_of(&mut child));
        Self {
            child,
            url: url.unwrap_or_default(),
            log,
        }
    }

    /// Runs a program to the end, at most 20 seconds, and returns the output and the exit status.
    pub async fn run_to_end(
        program: &str,
        world: &World,
        variables: &[(&str, &str)],
        arguments: &[&str],
    ) -> Output {
        let ended = command(program, world)
            .envs(variables.iter().copied())
            .args(arguments)
            .stderr(Stdio::piped())
            .output();
        let ended = tokio::time::timeout(std::time::Duration::from_secs(20), ended).await;
        ended
            .expect("the program ends in time")
            .expect("the program runs")
    }

    /// Starts a verb of `webhook-api` that runs until a signal, such as `listen`, and waits for the line with
    /// `listening on`. The lines on stdout are the log.
    pub async fn verb(world: &World, variables: &[(&str, &str)], arguments: &[&str]) -> Self {
        let mut child = command("webhook-api", world)
            .envs(variables.iter().copied())
            .args(arguments)
            .stderr(Stdio::inherit())
            .spawn()
            .expect("./dev test builds the programs first");
        let out = child.stdout.take().expect("the output is piped");
        let log = read_on(BufReader::new(out).lines());
        let url = crate::world::eventually("the verb listens", async || {
            let log = log.lock().unwrap_or_else(PoisonError::into_inner);
            let lines = log.iter().map(|line| line.split_once("listening on "));
            let (_, url) = lines.flatten().next()?;
            Some(url.split(',').next().unwrap_or_default().to_owned())
        })
        .await;
        Self { child, url, log }
    }

    /// As [`run_to_end`](Self::run_to_end) for `webhook-api`, with `input` on stdin.
    pub async fn run_with_input(world: &World, arguments: &[&str], input: &str) -> Output {
        let mut child = command("webhook-api", world)
            .args(arguments)
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("./dev test builds the programs first");
        let mut stdin = child.stdin.take().expect("stdin is piped");
        // A program that ends early closes the pipe.
        let _ = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
        child.wait_with_output().await.expect("the program runs")
    }

    /// The log of the program, line by line, without the lines of the API from before serving.
    pub fn log(&self) -> Vec<String> {
        let log = self.log.lock();
        log.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Creates an API key with `webhook-api keys create` and returns the key.
    pub async fn new_key(world: &World, role: &str) -> String {
        Self::new_key_of(&program_path("webhook-api"), world, role).await
    }

    /// Makes an API key with another build of the API.
    pub async fn new_key_of(program: &Path, world: &World, role: &str) -> String {
        let made = command_of(program, world)
            .args(["keys", "create", "--role", role])
            .stderr(Stdio::null())
            .output();
        let printed = made.await.expect("the program runs").stdout;
        String::from_utf8(printed).expect("text").trim().to_owned()
    }

    /// Runs `secrets reseal` with `keys` and returns the output.
    pub async fn reseal(world: &World, keys: &str) -> String {
        let done = command("webhook-api", world)
            .env("WEBHOOK_SECRET_KEY", keys)
            .args(["secrets", "reseal"])
            .output();
        let printed = done.await.expect("the program runs").stdout;
        String::from_utf8(printed).expect("text")
    }

    /// The id of the process.
    pub fn pid(&self) -> u32 {
        self.child.id().expect("the process runs")
    }

    /// Sends a signal by name, for instance `STOP`.
    pub async fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args(["-s", name, &self.pid().to_string()])
            .status();
        assert!(sent.await.expect("kill runs").success(), "{name}");
    }

    /// Sends SIGTERM, waits for the drain, and returns whether the exit status was 0.
    pub async fn terminate(mut self) -> bool {
        self.signal("TERM").await;
        self.child.wait().await.expect("the process ends").success()
    }

    /// Sends SIGTERM every 300 ms until the process ends, as a person does who presses Ctrl-C again,
    /// and returns whether the exit status was 0.
    pub async fn terminate_at_once(mut self) -> bool {
        // Two signals at the same time count as a single signal.
        const AGAIN: std::time::Duration = std::time::Duration::from_millis(300);
        loop {
            self.signal("TERM").await;
            if let Ok(ended) = tokio::time::timeout(AGAIN, self.child.wait()).await {
                return ended.expect("the process ends").success();
            }
        }
    }

    /// Sends SIGKILL: the program cannot tidy up.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("the process was running");
    }
}

fn lines_of(child: &mut Child) -> Lines<BufReader<ChildStderr>> {
    let log = child.stderr.take().expect("the log is piped");
    BufReader::new(log).lines()
}

/// Reads the log to the end in the background: a program blocks on a full pipe.
fn read_on<T: AsyncRead + Unpin + Send + 'static>(
    mut lines: Lines<BufReader<T>>,
) -> Arc<Mutex<Vec<String>>> {
    let log: Arc<Mutex<Vec<String>>> = Arc::default();
    let written = log.clone();
    tokio::spawn(async move {
        while let Ok(Some(line)) = lines.next_line().await {
            let mut written = written.lock().unwrap_or_else(PoisonError::into_inner);
            written.push(line);
        }
    });
    log
}

/// The path of a program of the workspace. Panics if the program was not built.
pub fn program_path(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    // The test is target/<profile>/deps/<test>, the program target/<profile>/<program>.
    let folders = test.ancestors().skip(1);
    let program = folders
        .map(|folder| folder.join(name))
        .find(|p| p.is_file());
    program.expect("./dev builds the programs first")
}

fn command(name: &str, world: &World) -> Command {
    command_of(&program_path(name), world)
}

fn command_of(program: &Path, world: &World) -> Command {
    let mut command = Command::new(program);
    command
        .env("DATABASE_URL", &world.database.url)
        .env("AMQP_URL", &world.broker.url)
        .env("WEBHOOK_SECRET_KEY", SEALING_KEY)
        .env("WEBHOOK_ALLOW_NETWORKS", "127.0.0.0/8")
        .env("LISTEN", ANYWHERE)
        .env("OPERATIONS_LISTEN", ANYWHERE)
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    command
}
