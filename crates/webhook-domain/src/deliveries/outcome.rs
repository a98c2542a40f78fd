//! How an attempt ended.

use std::time::Duration;

use crate::names::names;

names! {
    /// Why an attempt failed.
    FailureClass, "failure class" {
        /// The host's name could not be resolved.
        Dns = "dns",
        /// No connection could be opened.
        Connect = "connect",
        /// The TLS handshake failed, or the certificate is not trusted.
        Tls = "tls",
        /// The receiver took too long to answer.
        Timeout = "timeout",
        /// The receiver reset or closed the connection before the head of its answer was complete.
        Reset = "reset",
        /// The address is one that must not be called.
        BlockedAddress = "blocked_address",
        /// What the receiver sent is not HTTP.
        Protocol = "protocol",
        /// An answer that is not 2xx.
        Status = "status",
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver answered 2xx.
    Accepted,
    /// The receiver answered 410: it wants no more of this webhook.
    Gone,
    /// The receiver answered 429: it is well, and wants fewer requests.
    Throttled {
        /// How long it asked to get no request at all.
        retry_after: Option<Duration>,
    },
    /// The receiver, or the proxy before it, answered 502, 503, 504 or 520 to 524: it wants less at
    /// once.
    Overloaded {
        /// How long it asked to get no request at all.
        retry_after: Option<Duration>,
    },
    /// Anything else.
    Failed {
        /// Why.
        class: FailureClass,
        /// How long the receiver asked to wait with this delivery.
        retry_after: Option<Duration>,
    },
}

impl Outcome {
    /// What an answer with this status means.
    pub const fn of_status(status: u16, retry_after: Option<Duration>) -> Self {
        match status {
            200..=299 => Self::Accepted,
            410 => Self::Gone,
            429 => Self::Throttled { retry_after },
            502..=504 | 520..=524 => Self::Overloaded { retry_after },
            _ => Self::Failed {
                class: FailureClass::Status,
                retry_after,
            },
        }
    }

    /// For how long the receiver asked to get no request of its webhook at all.
    pub const fn hold(self) -> Option<Duration> {
        match self {
            Self::Throttled { retry_after } | Self::Overloaded { retry_after } => retry_after,
            Self::Accepted | Self::Gone | Self::Failed { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_has_its_meaning() {
        let overloaded = (500..600).filter(|status| {
            matches!(
                Outcome::of_status(*status, None),
                Outcome::Overloaded { .. }
            )
        });
        let accepted = (100..999).filter(|s| Outcome::of_status(*s, None) == Outcome::Accepted);

        assert_eq!(
            overloaded.collect::<Vec<u16>>(),
            [502, 503, 504, 520, 521, 522, 523, 524]
        );
        assert_eq!(accepted.collect::<Vec<u16>>(), Vec::from_iter(200..300));
        assert_eq!(Outcome::of_status(410, None), Outcome::Gone);
        assert_eq!(
            Outcome::of_status(429, None),
            Outcome::Throttled { retry_after: None }
        );
    }
}
