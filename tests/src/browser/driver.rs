//! The WebDriver of a browser: a process that starts the browser and takes commands.

use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// Chromium's engine without windows, tabs and services: a session starts in 1.0 s, of Chromium itself in
/// 2.6 s. Not Debian's wrapper script of `/usr/bin`, which leaves the browser running when the driver kills it.
const CHROMIUM: &str = "/usr/lib/chromium/chromium-headless-shell";

/// Attempts to start a driver. With many at once, some end before they serve.
const STARTS: usize = 5;

/// A browser's make: the program of the driver, and the wishes for a session.
#[derive(Debug, Clone, Copy)]
pub(super) enum Make {
    Chromium,
    Firefox,
}

impl Make {
    /// The driver's program, with the part of its log before the port.
    fn program(self) -> (&'static str, &'static str) {
        match self {
            Self::Chromium => ("chromedriver", "started successfully on port "),
            Self::Firefox => ("geckodriver", "Listening on 127.0.0.1:"),
        }
    }

    fn capabilities(self) -> Value {
        match self {
            Self::Chromium => {
                // Chromium has no sandbox for root, and a container has little shared memory.
                let arguments = [
                    "--no-sandbox",
                    "--disable-dev-shm-usage",
                    "--disable-gpu",
                    "--hide-scrollbars",
                    "--force-color-profile=srgb",
                    "--window-size=1280,900",
                    "--lang=en-GB",
                ];
                json!({"goog:chromeOptions": {"args": arguments, "binary": CHROMIUM},
                    "timeouts": {"script": 60_000}})
            }
            Self::Firefox => {
                // Faults of pages and of their policies go to the log of the driver.
                let preferences = json!({"devtools.console.stdout.content": true});
                json!({"moz:firefoxOptions": {"args": ["-headless", "-width", "1280", "-height", "900"],
                    "prefs": preferences}})
            }
        }
    }
}

/// A running driver. The driver and its browser end when the value is dropped.
pub(super) struct Driver {
    process: Child,
    port: u16,
    log: Arc<Mutex<Vec<String>>>,
}

impl Driver {
    /// Starts a driver. A driver that ends before it serves is replaced.
    pub(super) async fn start(make: Make) -> Self {
        for _ in 0..STARTS {
            if let Some(started) = Self::try_start(make).await {
                return started;
            }
        }
        panic!("{STARTS} drivers ended before they served");
    }

    async fn try_start(make: Make) -> Option<Self> {
        let (program, before_port) = make.program();
        let mut process = Command::new(program)
            .arg("--port=0")
            .process_group(0)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("./dev installs the browser and its driver");
        let output = process.stdout.take().expect("the output is piped");
        let mut lines = BufReader::new(output).lines();
        let port = loop {
            let line = lines.next_line().await.expect("the output is read")?;
            if let Some((_, port)) = line.split_once(before_port) {
                break port.trim_end_matches('.').parse().expect("a port");
            }
        };
        let log: Arc<Mutex<Vec<String>>> = Arc::default();
        let written = log.clone();
        // The driver blocks on a full pipe: its output is read to the end.
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let mut written = written.lock().unwrap_or_else(PoisonError::into_inner);
                written.push(line);
            }
        });
        Some(Self { process, port, log })
    }

    /// Opens a session.
    pub(super) async fn open(&self, make: Make) -> Client {
        let wanted: Capabilities =
            serde_json::from_value(make.capabilities()).expect("capabilities");
        ClientBuilder::new(HttpConnector::new())
            .capabilities(wanted)
            .connect(&format!("http://127.0.0.1:{}", self.port))
            .await
            .expect("the browser starts")
    }

    /// The lines that the driver and its browser wrote.
    pub(super) fn log(&self) -> Vec<String> {
        let log = self.log.lock();
        log.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Driver {
    /// Sends SIGTERM to the driver and its browser: a driver that ends by a signal leaves the browser running.
    fn drop(&mut self) {
        if let Some(pid) = self.process.id() {
            let asked = std::process::Command::new("kill")
                .args(["--", &format!("-{pid}")])
                .status();
            drop(asked);
        }
    }
}
