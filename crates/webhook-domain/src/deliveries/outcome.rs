//! The outcome of an attempt, and the classes of failure.

use std::time::Duration;

use crate::names::names;

names! {
    /// The class of an attempt's failure.
    FailureClass, "failure class" {
        /// The host's name could not be resolved.
        Dns = "dns",
        /// No connection could be opened.
        Connect = "connect",
        /// The TLS handshake failed, or the certificate is not trusted.
        Tls = "tls",
        /// The response did not arrive within the timeout.
        Timeout = "timeout",
        /// The receiver reset or closed the connection before the head of its response was
        /// complete.
        Reset = "reset",
        /// The address policy does not permit the address.
        BlockedAddress = "blocked_address",
        /// The receiver did not send valid HTTP.
        Protocol = "protocol",
        /// A response whose status is not 2xx, or a status by which a receiver of the webhook's
        /// format refuses the request.
        Status = "status",
        /// A response with 2xx whose body does not confirm the request, as the webhook's format
        /// demands.
        Body = "body",
    }
}

/// The outcome of an attempt: how the attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver responded with 2xx, and with the body that the webhook's format demands.
    Accepted,
    /// The receiver responded with 410, or with another answer by which a receiver of the webhook's
    /// format says that the URL never works again: the receiver wants no more requests of this
    /// webhook.
    Gone,
    /// The receiver cannot read this body and never will: the same bytes would be refused again.
    /// The delivery is given up at once. An admin may retry or replay the delivery after the
    /// template or the format is mended.
    Refused,
    /// The receiver does not allow requests of this webhook, and perhaps will again. The delivery is
    /// given up at once, because receivers ban senders that keep asking.
    Forbidden,
    /// The receiver responded with 429: the receiver is well, and wants fewer requests.
    Throttled {
        /// The `Retry-After` of the response: how long the webhook is to get no request at all.
        retry_after: Option<Duration>,
    },
    /// The receiver, or the proxy in front of the receiver, responded with 502, 503, 504 or 520 to
    /// 524: fewer requests at once might succeed.
    Overloaded {
        /// The `Retry-After` of the response: how long the webhook is to get no request at all.
        retry_after: Option<Duration>,
    },
    /// Every other end of an attempt.
    Failed {
        /// The class of the failure.
        class: FailureClass,
        /// The `Retry-After` of the response: how long this delivery is to wait.
        retry_after: Option<Duration>,
    },
}

impl Outcome {
    /// The outcome of an attempt whose response has this status, for formats whose receivers answer
    /// by status alone. [`judge_answer`](crate::judge_answer) is for any format.
    pub const fn of_status(status: u16, retry_after: Option<Duration>) -> Self {
        match status {
            200..=299 => Self::Accepted,
            410 => Self::Gone,
            429 => Self::Throttled { retry_after },
            // The statuses by which proxies and CDNs report a receiver that does not keep up (520
            // to 524: Cloudflare). 500 and 501 come from the receiver itself.
            502..=504 | 520..=524 => Self::Overloaded { retry_after },
            _ => Self::Failed {
                class: FailureClass::Status,
                retry_after,
            },
        }
    }

    /// How long the receiver asked to get no request of its webhook at all.
    pub const fn hold(self) -> Option<Duration> {
        match self {
            Self::Throttled { retry_after } | Self::Overloaded { retry_after } => retry_after,
            Self::Accepted | Self::Gone | Self::Refused | Self::Forbidden | Self::Failed { .. } => {
                None
            }
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
