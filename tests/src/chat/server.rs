use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::receiver::{Answer, Received, Receiver, Then};

/// The HTTP server of a fake service with the service's `State`, and a clock for tests to advance.
pub(super) struct Server<State> {
    receiver: Receiver,
    shared: Arc<Mutex<Shared<State>>>,
}

struct Shared<State> {
    state: State,
    /// The time at which a test has stopped the clock.
    stopped: Option<Instant>,
    /// The time by which a test has advanced the clock.
    skipped: Duration,
    statuses: Vec<u16>,
}

impl<State: Send + 'static> Server<State> {
    /// Listens on a free port and asks `respond` for each response. The [`Instant`] is the arrival of
    /// the request by the clock of [`Server::now`]. A request other than a POST gets 405.
    pub(super) async fn start(
        state: State,
        respond: fn(&mut State, &Received, Instant) -> Response,
    ) -> Self {
        let shared = Arc::new(Mutex::new(Shared {
            state,
            stopped: None,
            skipped: Duration::ZERO,
            statuses: Vec::new(),
        }));
        let serving = shared.clone();
        let receiver = Receiver::deciding(move |_, request| {
            let mut shared = lock(&serving);
            let now = shared.time_at(request.at);
            let response = if request.head.starts_with("POST ") {
                respond(&mut shared.state, request, now)
            } else {
                Response::empty(405)
            };
            shared.statuses.push(response.status);
            Answer::bytes(response.bytes(), Then::Serve)
        });
        Self {
            receiver: receiver.await,
            shared,
        }
    }

    /// The URL of a request target, for instance `/services/T000`.
    pub(super) fn url(&self, target: &str) -> String {
        format!("http://127.0.0.1:{}{target}", self.receiver.port())
    }

    /// All requests so far, refused requests included.
    pub(super) fn requests(&self) -> Vec<Received> {
        self.receiver.received()
    }

    /// The statuses of all responses so far, in order.
    pub(super) fn statuses(&self) -> Vec<u16> {
        lock(&self.shared).statuses.clone()
    }

    /// The present, by the clock of the fake.
    pub(super) fn now(&self) -> Instant {
        lock(&self.shared).time_at(Instant::now())
    }

    /// Stops the clock until the end; only [`Server::step_time`] still moves the time.
    pub(super) fn stop_clock(&self) {
        lock(&self.shared).stopped = Some(Instant::now());
    }

    /// Advances the clock.
    pub(super) fn step_time(&self, by: Duration) {
        lock(&self.shared).skipped += by;
    }

    /// Reads or changes the state between two requests.
    pub(super) fn with<T>(&self, access: impl FnOnce(&mut State) -> T) -> T {
        access(&mut lock(&self.shared).state)
    }
}

impl<State> Shared<State> {
    /// The time of the fake's clock at a real time.
    fn time_at(&self, real: Instant) -> Instant {
        self.stopped.unwrap_or(real) + self.skipped
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The path and the query of a request, the latter empty where there is none.
pub(super) fn split_target(request: &Received) -> (&str, &str) {
    let target = request.target.as_str();
    target.split_once('?').unwrap_or((target, ""))
}

/// An HTTP response of a fake service.
#[derive(Debug, Clone)]
pub(super) struct Response {
    /// The status code.
    pub(super) status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Response {
    /// A response without a body.
    pub(super) fn empty(status: u16) -> Self {
        let (headers, body) = (Vec::new(), String::new());
        Self {
            status,
            headers,
            body,
        }
    }

    /// A response with a text as its body.
    pub(super) fn text(status: u16, body: &str) -> Self {
        let body = body.to_owned();
        let response = Self::empty(status).header("Content-Type", "text/plain; charset=utf-8");
        Self { body, ..response }
    }

    /// A response with a JSON body.
    pub(super) fn json(status: u16, body: &Value) -> Self {
        let response = Self::empty(status).header("Content-Type", "application/json");
        let body = body.to_string();
        Self { body, ..response }
    }

    /// The response with one more header line.
    pub(super) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} Fake\r\n", self.status);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        // A 204 must not announce a length (RFC 9110, section 8.6).
        if self.status != 204 {
            head += &format!("Content-Length: {}\r\n", self.body.len());
        }
        format!("{head}\r\n{}", self.body).into_bytes()
    }
}
