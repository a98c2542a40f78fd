//! A Teams workflow that posts cards: "When a Teams webhook request is received".

mod card;

use std::time::Instant;

use serde_json::{Value, json};
use uuid::Uuid;

use super::json;
use super::server::{Response, Server, split_target};
use crate::receiver::Received;
use crate::world::eventually;

/// Bytes of a body. Microsoft publishes "28 KB".
const MAX_BODY: usize = 28 * 1024;

/// A state of the workflow, for any body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TeamsAnswer {
    /// 404: the workflow was removed.
    NotFound,
    /// 410.
    Gone,
    /// 403.
    Forbidden,
    /// 408.
    RequestTimeout,
    /// 429 with `Retry-After: 1`.
    TooManyRequests,
    /// 502.
    BadGateway,
}

/// A request with a 202 whose card never appears in a channel.
#[derive(Debug, Clone, PartialEq)]
pub struct LostCard {
    /// The body of the request; `null` where its content type is not JSON's.
    pub body: Value,
    /// The step of the flow that failed: `attachments/0: card version "1.5"`.
    pub fault: String,
}

/// A fake Teams with one workflow.
///
/// Answers, by the first matching rule: 404 for another path; 401 for another `sig`; the state of
/// [`FakeTeams::answer_with`]; 413 above 28 KB; 400 for a body that is no JSON; 202. A card is checked
/// after the 202 only: a valid one is among [`FakeTeams::posted`], any other among
/// [`FakeTeams::lost`].
pub struct FakeTeams {
    server: Server<Teams>,
    target: String,
    signature: String,
}

struct Teams {
    path: String,
    signature: String,
    forced: Option<TeamsAnswer>,
    posted: Vec<Value>,
    lost: Vec<LostCard>,
}

impl FakeTeams {
    /// Listens on a free port of loopback, with a fresh workflow and `sig`.
    pub async fn start() -> Self {
        let workflow = Uuid::new_v4().simple();
        let path = format!("/workflows/{workflow}/triggers/manual/paths/invoke");
        // A `sig` has 43 letters of base64url.
        let mut signature = [(); 2]
            .map(|()| Uuid::new_v4().simple().to_string())
            .concat();
        signature.truncate(43);
        let target = format!("{path}?api-version=1&sig={signature}");
        let teams = Teams {
            path,
            signature: signature.clone(),
            forced: None,
            posted: Vec::new(),
            lost: Vec::new(),
        };
        let server = Server::start(teams, Teams::respond).await;
        Self {
            server,
            target,
            signature,
        }
    }

    /// `http://127.0.0.1:…/workflows/…/triggers/manual/paths/invoke?api-version=1&sig=…`, the URL for a
    /// webhook.
    pub fn url(&self) -> String {
        self.server.url(&self.target)
    }

    /// The `sig` in the query, a secret for every log.
    pub fn secret(&self) -> &str {
        &self.signature
    }

    /// The messages with cards that people see, as they were sent.
    pub fn posted(&self) -> Vec<Value> {
        self.server.with(|teams| teams.posted.clone())
    }

    /// Waits until exactly `count` messages are posted, and returns all of them.
    pub async fn arrived(&self, count: usize) -> Vec<Value> {
        let arrived = async || Some(self.posted()).filter(|all| all.len() == count);
        eventually(&format!("{count} messages in Teams"), arrived).await
    }

    /// The requests that were accepted, and failed inside the flow.
    pub fn lost(&self) -> Vec<LostCard> {
        self.server.with(|teams| teams.lost.clone())
    }

    /// Each mention in a posted card that would have notified people, for instance `<at>Ada</at>`.
    pub fn pinged(&self) -> Vec<String> {
        self.posted().iter().flat_map(card::mentions).collect()
    }

    /// All requests, byte for byte.
    pub fn requests(&self) -> Vec<Received> {
        self.server.requests()
    }

    /// The statuses of all responses, in order.
    pub fn statuses(&self) -> Vec<u16> {
        self.server.statuses()
    }

    /// Gives `answer` to all requests with the right path and `sig`, without a look at the body.
    pub fn answer_with(&self, answer: TeamsAnswer) {
        self.server.with(|teams| teams.forced = Some(answer));
    }

    /// Ends [`FakeTeams::answer_with`].
    pub fn answer_as_usual(&self) {
        self.server.with(|teams| teams.forced = None);
    }
}

impl Teams {
    fn respond(&mut self, request: &Received, _: Instant) -> Response {
        let (path, query) = split_target(request);
        let mut pairs = query.split('&');
        let is_signed = pairs.any(|pair| pair.strip_prefix("sig=") == Some(&self.signature));
        if path != self.path {
            return TeamsAnswer::NotFound.response();
        }
        if !is_signed {
            return refused(401, "DirectApiAuthorizationRequired");
        }
        if let Some(forced) = self.forced {
            return forced.response();
        }
        if request.body.len() > MAX_BODY {
            return refused(413, "RequestEntityTooLarge");
        }
        if serde_json::from_slice::<Value>(&request.body).is_err() {
            return refused(400, "InvalidRequestContent");
        }
        // The flow runs after the answer: a sender never hears of its faults.
        self.run(json::body_of(request).unwrap_or_default());
        Response::empty(202)
    }

    fn run(&mut self, body: Value) {
        match card::check(&body) {
            Ok(()) => self.posted.push(body),
            Err(fault) => self.lost.push(LostCard { body, fault }),
        }
    }
}

impl TeamsAnswer {
    fn response(self) -> Response {
        match self {
            Self::NotFound => refused(404, "WorkflowNotFound"),
            Self::Gone => refused(410, "WorkflowGone"),
            Self::Forbidden => refused(403, "WorkflowTriggerIsNotEnabled"),
            Self::RequestTimeout => refused(408, "RequestTimeout"),
            Self::TooManyRequests => refused(429, "TooManyRequests").header("Retry-After", "1"),
            Self::BadGateway => refused(502, "BadGateway"),
        }
    }
}

fn refused(status: u16, code: &str) -> Response {
    Response::json(status, &json!({"error": {"code": code, "message": code}}))
}
