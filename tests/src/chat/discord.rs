//! Discord's webhooks.

mod message;
mod pace;
mod posted;

use std::time::{Duration, Instant};

use rand::RngExt as _;
use serde_json::{Value, json};
use uuid::Uuid;

use pace::{Pace, Scope, TooMany};

use super::json;
use super::server::{Response, Server, split_target};
use crate::receiver::Received;
use crate::world::eventually;

/// The statuses that Discord counts against the address of a sender.
const INVALID: [u16; 3] = [401, 403, 429];

/// A state of Discord, for any body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiscordAnswer {
    /// 404 with code 10015: the webhook was removed.
    UnknownWebhook,
    /// 401.
    Unauthorized,
    /// 403.
    Forbidden,
    /// 500.
    ServerError,
    /// The message is not saved: 500 for a request with `?wait=true`, and 204 for a request without.
    NotSaved,
}

/// A fake Discord with one webhook in one channel.
///
/// Answers, by the first matching rule: 404 with code 10015 for another id or token; 429 while
/// [`FakeDiscord::always_429_for`] or [`FakeDiscord::globally_429_for`] holds; the state of
/// [`FakeDiscord::answer_with`]; 429 above 5 requests in 2 s; 400 with code 50109 (no JSON), 50006 (an
/// empty message) or 50035 (a limit); 429 above 30 messages in a minute; 200 with the message for
/// `?wait=true`, 204 without. Each answer has the headers `X-RateLimit-Limit`, `-Remaining`,
/// `-Reset-After` and `-Bucket`.
pub struct FakeDiscord {
    server: Server<Discord>,
    id: u64,
    token: String,
}

struct Discord {
    path: String,
    id: u64,
    bucket: String,
    forced: Option<DiscordAnswer>,
    pace: Pace,
    messages: Vec<Value>,
    refusals: Vec<String>,
    pinged: Vec<String>,
}

impl FakeDiscord {
    /// Listens on a free port of loopback, with a fresh id and token.
    pub async fn start() -> Self {
        let id = rand::rng().random_range(10_u64.pow(17)..10_u64.pow(18));
        // Discord's tokens have 68 characters.
        let [a, b, c] = [(); 3].map(|()| Uuid::new_v4().simple().to_string());
        let token = format!("{a}{b}{}", &c[..4]);
        let discord = Discord {
            path: format!("/api/webhooks/{id}/{token}"),
            id,
            bucket: Uuid::new_v4().simple().to_string(),
            forced: None,
            pace: Pace::new(),
            messages: Vec::new(),
            refusals: Vec::new(),
            pinged: Vec::new(),
        };
        let server = Server::start(discord, Discord::respond).await;
        Self { server, id, token }
    }

    /// `http://127.0.0.1:…/api/webhooks/{id}/{token}`, the URL for a webhook.
    pub fn url(&self) -> String {
        let target = format!("/api/webhooks/{}/{}", self.id, self.token);
        self.server.url(&target)
    }

    /// The token in the path, a secret for every log.
    pub fn secret(&self) -> &str {
        &self.token
    }

    /// The messages in the channel, as they were sent.
    pub fn messages(&self) -> Vec<Value> {
        self.server.with(|discord| discord.messages.clone())
    }

    /// Waits until exactly `count` messages are in the channel, and returns all of them.
    pub async fn arrived(&self, count: usize) -> Vec<Value> {
        let arrived = async || Some(self.messages()).filter(|all| all.len() == count);
        eventually(&format!("{count} messages in Discord"), arrived).await
    }

    /// Each mention in an accepted message that would have notified people, for instance `@everyone`.
    pub fn pinged(&self) -> Vec<String> {
        self.server.with(|discord| discord.pinged.clone())
    }

    /// The bodies of all responses with 400; code 50035 names each fault with its place.
    pub fn refusals(&self) -> Vec<String> {
        self.server.with(|discord| discord.refusals.clone())
    }

    /// All requests, byte for byte.
    pub fn requests(&self) -> Vec<Received> {
        self.server.requests()
    }

    /// The statuses of all responses, in order.
    pub fn statuses(&self) -> Vec<u16> {
        self.server.statuses()
    }

    /// The number of responses with 401, 403 or 429: 10,000 in ten minutes ban the sender's address.
    pub fn invalid_requests(&self) -> usize {
        let statuses = self.server.statuses().into_iter();
        statuses.filter(|status| INVALID.contains(status)).count()
    }

    /// Gives `answer` to all requests with the right path, without a look at rate and body.
    pub fn answer_with(&self, answer: DiscordAnswer) {
        self.server.with(|discord| discord.forced = Some(answer));
    }

    /// Ends [`FakeDiscord::answer_with`].
    pub fn answer_as_usual(&self) {
        self.server.with(|discord| discord.forced = None);
    }

    /// Answers each request of the next `span` with 429 and `retry_after` 0.5, although half a second
    /// does not help.
    pub fn always_429_for(&self, span: Duration) {
        let until = self.server.now() + span;
        self.server.with(|discord| discord.pace.refuse_until(until));
    }

    /// Answers each request of the next `span` with 429, `global` and the rest of the span: the sender
    /// as a whole is too fast.
    pub fn globally_429_for(&self, span: Duration) {
        let until = self.server.now() + span;
        self.server
            .with(|discord| discord.pace.refuse_globally_until(until));
    }

    /// Stops the clock of the rates, so that a test's own slowness admits no request.
    pub fn stop_clock(&self) {
        self.server.stop_clock();
    }

    /// Advances the clock of the rates.
    pub fn step_time(&self, by: Duration) {
        self.server.step_time(by);
    }
}

impl Discord {
    fn respond(&mut self, request: &Received, now: Instant) -> Response {
        let (path, query) = split_target(request);
        let waits = query.split('&').any(|pair| pair == "wait=true");
        let answer = if path == self.path {
            self.answer(request, waits, now)
        } else {
            Ok(DiscordAnswer::UnknownWebhook.response(waits))
        };
        let response = answer.unwrap_or_else(|refusal| too_many_requests(&refusal));
        let response = response.header("X-RateLimit-Bucket", &self.bucket);
        let headers = self.pace.headers(now).into_iter();
        headers.fold(response, |response, (name, value)| {
            response.header(name, &value)
        })
    }

    fn answer(
        &mut self,
        request: &Received,
        waits: bool,
        now: Instant,
    ) -> Result<Response, TooMany> {
        if let Some(refusal) = self.pace.refusal(now) {
            return Err(refusal);
        }
        if let Some(forced) = self.forced {
            return Ok(forced.response(waits));
        }
        // A refused message counts in the webhook's bucket, but not in the channel.
        self.pace.admit_request(now)?;
        let message = match message::read(json::body_of(request)) {
            Ok(message) => message,
            Err(fault) => {
                self.refusals.push(fault.to_string());
                return Ok(Response::json(400, &fault));
            }
        };
        self.pace.admit_message(now)?;
        let shown = self.keep(message);
        Ok(if waits {
            Response::json(200, &shown)
        } else {
            Response::empty(204)
        })
    }

    /// Adds a message to the channel, and returns the message as Discord shows it.
    fn keep(&mut self, message: Value) -> Value {
        self.pinged.extend(posted::mentions(&message));
        let shown = posted::shown(&message, self.id, self.messages.len());
        self.messages.push(message);
        shown
    }
}

impl DiscordAnswer {
    fn response(self, waits: bool) -> Response {
        let (status, code, message) = match self {
            Self::UnknownWebhook => (404, 10_015, "Unknown Webhook"),
            Self::Unauthorized => (401, 0, "401: Unauthorized"),
            Self::Forbidden => (403, 50_013, "Missing Permissions"),
            // The trap of requests without `?wait=true`.
            Self::NotSaved if !waits => return Response::empty(204),
            Self::ServerError | Self::NotSaved => (500, 0, "500: Internal Server Error"),
        };
        Response::json(status, &json!({"message": message, "code": code}))
    }
}

fn too_many_requests(refusal: &TooMany) -> Response {
    let global = refusal.scope == Scope::Global;
    let body = json!({
        "message": "You are being rate limited.",
        "retry_after": refusal.retry_after(),
        "global": global,
    });
    let response = Response::json(429, &body)
        .header("Retry-After", &refusal.whole_seconds().to_string())
        .header("X-RateLimit-Scope", refusal.scope.name());
    if global {
        response.header("X-RateLimit-Global", "true")
    } else {
        response
    }
}
