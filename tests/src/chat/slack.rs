//! Slack's incoming webhooks.

mod blocks;
mod mentions;
mod payload;

use std::time::{Duration, Instant};

use serde_json::Value;
use uuid::Uuid;

use super::json;
use super::rate::{SteadyRate, whole_seconds};
use super::server::{Response, Server};
use crate::receiver::Received;
use crate::world::eventually;

/// The path of the team and the channel, in front of the token.
const CHANNEL: &str = "/services/T000/B000/";
const TEAM: &str = "/services/T000/";
/// The sustained rate is one message in this time.
const PERIOD: Duration = Duration::from_secs(1);
/// Messages at once after a rest. Slack publishes "short bursts" without a number; one more than a
/// sender with bursts of three sends, so that jitter of a network causes no 429.
const BURST: u32 = 4;
/// Letters of a token.
const TOKEN_LENGTH: usize = 24;

/// A state of Slack, for any body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlackAnswer {
    /// 404 `no_service`: the webhook was removed.
    NoService,
    /// 404 `channel_not_found`.
    ChannelNotFound,
    /// 410 `channel_is_archived`.
    ChannelIsArchived,
    /// 403 `action_prohibited`: an admin of the team forbids the message.
    ActionProhibited,
    /// 429 with `Retry-After: 1`.
    TooManyRequests,
    /// 500 `rollup_error`.
    RollupError,
    /// 200 with a page of HTML instead of `ok`, as a proxy or a login page answers. No message arrives.
    HtmlPage,
}

/// A fake Slack with one incoming webhook.
///
/// Answers, by the first matching rule: 404 for another path; the state of
/// [`FakeSlack::answer_with`]; 429 above one request a second with bursts of four; 400 with
/// `invalid_payload`, `no_text`, `missing_text_or_fallback_or_attachments` or `invalid_blocks`; 200 `ok`.
pub struct FakeSlack {
    server: Server<Slack>,
    token: String,
}

struct Slack {
    path: String,
    forced: Option<SlackAnswer>,
    rate: SteadyRate,
    messages: Vec<Value>,
    refusals: Vec<String>,
    pinged: Vec<String>,
}

impl FakeSlack {
    /// Listens on a free port of loopback, with a fresh token.
    pub async fn start() -> Self {
        let mut token = Uuid::new_v4().simple().to_string().to_uppercase();
        token.truncate(TOKEN_LENGTH);
        let slack = Slack {
            path: format!("{CHANNEL}{token}"),
            forced: None,
            rate: SteadyRate::new(PERIOD, BURST),
            messages: Vec::new(),
            refusals: Vec::new(),
            pinged: Vec::new(),
        };
        let server = Server::start(slack, Slack::respond).await;
        Self { server, token }
    }

    /// `http://127.0.0.1:…/services/T000/B000/…`, the URL for a webhook.
    pub fn url(&self) -> String {
        self.server.url(&format!("{CHANNEL}{}", self.token))
    }

    /// The last part of the path, a secret for every log.
    pub fn secret(&self) -> &str {
        &self.token
    }

    /// The messages in the channel, as they were sent.
    pub fn messages(&self) -> Vec<Value> {
        self.server.with(|slack| slack.messages.clone())
    }

    /// Waits until exactly `count` messages are in the channel, and returns all of them.
    pub async fn arrived(&self, count: usize) -> Vec<Value> {
        let arrived = async || Some(self.messages()).filter(|all| all.len() == count);
        eventually(&format!("{count} messages in Slack"), arrived).await
    }

    /// Each mention in an accepted message that would have notified people, for instance `<!channel>`.
    pub fn pinged(&self) -> Vec<String> {
        self.server.with(|slack| slack.pinged.clone())
    }

    /// Why messages were refused with 400, in more words than Slack's:
    /// `invalid_blocks: blocks/0: 151 characters of header, above 150`.
    pub fn refusals(&self) -> Vec<String> {
        self.server.with(|slack| slack.refusals.clone())
    }

    /// All requests, byte for byte.
    pub fn requests(&self) -> Vec<Received> {
        self.server.requests()
    }

    /// The statuses of all responses, in order.
    pub fn statuses(&self) -> Vec<u16> {
        self.server.statuses()
    }

    /// Gives `answer` to all requests with the right path, without a look at rate and body.
    pub fn answer_with(&self, answer: SlackAnswer) {
        self.server.with(|slack| slack.forced = Some(answer));
    }

    /// Ends [`FakeSlack::answer_with`].
    pub fn answer_as_usual(&self) {
        self.server.with(|slack| slack.forced = None);
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

impl Slack {
    fn respond(&mut self, request: &Received, now: Instant) -> Response {
        if request.target != self.path {
            let of_this_team = request.target.starts_with(TEAM);
            return Response::text(
                404,
                if of_this_team {
                    "no_service"
                } else {
                    "no_team"
                },
            );
        }
        if let Some(forced) = self.forced {
            return forced.response();
        }
        if let Err(wait) = self.rate.admit(now) {
            return too_many_requests(whole_seconds(wait));
        }
        self.post(request)
    }

    fn post(&mut self, request: &Received) -> Response {
        match payload::read(json::body_of(request)) {
            Ok(message) => {
                self.pinged.extend(mentions::of(&message));
                self.messages.push(message);
                Response::text(200, "ok")
            }
            Err(fault) => {
                self.refusals.push(format!("{}: {}", fault.code, fault.why));
                Response::text(400, fault.code)
            }
        }
    }
}

impl SlackAnswer {
    fn response(self) -> Response {
        match self {
            Self::NoService => Response::text(404, "no_service"),
            Self::ChannelNotFound => Response::text(404, "channel_not_found"),
            Self::ChannelIsArchived => Response::text(410, "channel_is_archived"),
            Self::ActionProhibited => Response::text(403, "action_prohibited"),
            Self::TooManyRequests => too_many_requests(1),
            Self::RollupError => Response::text(500, "rollup_error"),
            Self::HtmlPage => Response::text(200, "<!DOCTYPE html><title>Sign in</title>"),
        }
    }
}

fn too_many_requests(seconds: u64) -> Response {
    Response::text(429, "rate_limited").header("Retry-After", &seconds.to_string())
}
