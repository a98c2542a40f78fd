use std::time::{Duration, Instant};

use crate::chat::rate::{FixedWindow, SlidingWindow, seconds, whole_seconds};

/// Requests of a webhook in [`BUCKET_SPAN`].
const BUCKET: usize = 5;
const BUCKET_SPAN: Duration = Duration::from_secs(2);
/// Messages in a channel in any [`CHANNEL_SPAN`]. No header tells the rest of the channel's limit.
const CHANNEL: usize = 30;
const CHANNEL_SPAN: Duration = Duration::from_secs(60);
/// The pause that a hostile Discord asks for.
const HOSTILE_PAUSE: Duration = Duration::from_millis(500);

/// The rates of a webhook, and the spans in which a test lets Discord refuse all requests.
pub(super) struct Pace {
    bucket: FixedWindow,
    channel: SlidingWindow,
    refuses_until: Option<Instant>,
    refuses_globally_until: Option<Instant>,
}

/// Whose limit was passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// The webhook's.
    User,
    /// The channel's.
    Shared,
    /// The sender's, for all webhooks.
    Global,
}

/// A refused request, and how long the sender should wait.
#[derive(Debug)]
pub(super) struct TooMany {
    /// Whose limit was passed.
    pub(super) scope: Scope,
    wait: Duration,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self {
            bucket: FixedWindow::new(BUCKET, BUCKET_SPAN),
            channel: SlidingWindow::new(CHANNEL, CHANNEL_SPAN),
            refuses_until: None,
            refuses_globally_until: None,
        }
    }

    /// Refuses all requests until then, each with a pause of half a second.
    pub(super) fn refuse_until(&mut self, until: Instant) {
        self.refuses_until = Some(until);
    }

    /// Refuses all requests until then, each with the rest of the time.
    pub(super) fn refuse_globally_until(&mut self, until: Instant) {
        self.refuses_globally_until = Some(until);
    }

    /// The refusal of all requests at this time, if a test asked for refusals.
    pub(super) fn refusal(&self, now: Instant) -> Option<TooMany> {
        let holds = |until: &Instant| now < *until;
        let global = self.refuses_globally_until.filter(holds);
        let global = global.map(|until| TooMany::new(Scope::Global, until - now));
        let hostile = self.refuses_until.filter(holds);
        global.or(hostile.map(|_| TooMany::new(Scope::User, HOSTILE_PAUSE)))
    }

    /// Counts a request in the webhook's bucket.
    pub(super) fn admit_request(&mut self, now: Instant) -> Result<(), TooMany> {
        let admitted = self.bucket.admit(now);
        admitted.map_err(|wait| TooMany::new(Scope::User, wait))
    }

    /// Counts a message in the channel.
    pub(super) fn admit_message(&mut self, now: Instant) -> Result<(), TooMany> {
        let admitted = self.channel.admit(now);
        admitted.map_err(|wait| TooMany::new(Scope::Shared, wait))
    }

    /// The headers about the webhook's bucket after a request.
    pub(super) fn headers(&self, now: Instant) -> [(&'static str, String); 3] {
        // A refusal that a test asked for looks like an empty bucket.
        let (remaining, reset_after) = match self.refusal(now) {
            Some(refusal) => (0, refusal.wait),
            None => (self.bucket.remaining(now), self.bucket.reset_after(now)),
        };
        [
            ("X-RateLimit-Limit", self.bucket.limit().to_string()),
            ("X-RateLimit-Remaining", remaining.to_string()),
            (
                "X-RateLimit-Reset-After",
                format!("{:.3}", seconds(reset_after)),
            ),
        ]
    }
}

impl Scope {
    /// The value of the header `X-RateLimit-Scope`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Shared => "shared",
            Self::Global => "global",
        }
    }
}

impl TooMany {
    fn new(scope: Scope, wait: Duration) -> Self {
        Self { scope, wait }
    }

    /// The `retry_after` of the body: seconds with a fraction.
    pub(super) fn retry_after(&self) -> f64 {
        seconds(self.wait)
    }

    /// The header `Retry-After`: whole seconds, rounded up.
    pub(super) fn whole_seconds(&self) -> u64 {
        whole_seconds(self.wait)
    }
}
