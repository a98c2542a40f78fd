//! Advice for admins about a failed attempt.

use crate::FailureClass;

/// A sentence or two of advice for a failure of this class and, if there was a response, this
/// status.
pub const fn advice(class: FailureClass, status: Option<u16>) -> &'static str {
    match class {
        FailureClass::Dns => {
            "Check the host in the URL, and the name servers of its domain: the name servers \
             must return a public address of the host."
        }
        FailureClass::Connect => {
            "Check that the receiver runs, listens on the URL's port, and that the firewall lets \
             our addresses in."
        }
        FailureClass::Tls => {
            "Check the receiver's TLS: version 1.2 or 1.3, no request for a client certificate, and a \
             certificate that is not expired, names this host, and comes with the intermediate \
             certificates up to a public root."
        }
        FailureClass::Timeout => {
            "Answer first and work afterwards: put the event into a queue of your own and answer \
             2xx at once. Or give the webhook a longer timeout."
        }
        FailureClass::Reset => {
            "The receiver ended the connection before a response: look into the log of the receiver, \
             or of the proxy before the receiver, at this time."
        }
        FailureClass::Protocol => {
            "The receiver does not speak HTTP on this port, or breaks the rules of HTTP: check the \
             port in the URL, and the output of the program that listens on the port."
        }
        FailureClass::BlockedAddress => {
            "The host must have a public address; an operator can allow a private network."
        }
        FailureClass::Body => {
            "The receiver answered 2xx, but the body does not confirm the message: check \
             that the URL and the format of the webhook belong together."
        }
        FailureClass::Status => match status {
            Some(status) => for_status(status),
            None => "Look into the receiver's log at this time.",
        },
    }
}

const fn for_status(status: u16) -> &'static str {
    match status {
        300..=399 => "Redirects are not followed: put the address of the redirect into the URL.",
        400 | 422 => {
            "The receiver could not read the request: look into the receiver's log, and at the body \
             that the receiver expects."
        }
        401 | 403 => {
            "The receiver refuses our requests: check the secret in the receiver, the custom headers, \
             and the firewall."
        }
        404 | 405 => "Check the path in the URL: the receiver accepts no POST at this path.",
        408 => {
            "The receiver waited for the request too long: look at the proxy before the receiver."
        }
        410 => {
            "The receiver wants no more events: the webhook was set Inactive. If the receiver \
             answered 410 by mistake, activate the webhook."
        }
        413 => {
            "Let the receiver, and the proxy before the receiver, accept bodies of up to 256 KiB."
        }
        415 => "Let the receiver accept `application/json`.",
        429 => {
            "Give the webhook a rate limit that the receiver can bear. A 429 costs a delivery no \
             attempt while the delivery is younger than the whole span of the retry policy."
        }
        502..=504 => {
            "The proxy before the receiver could not reach the receiver: check that the receiver \
             runs and keeps up."
        }
        520..=524 => {
            "The CDN before the receiver got no response from the receiver: check that the \
             receiver runs, lets the CDN's addresses in, and keeps up."
        }
        525 | 526 => {
            "The CDN before the receiver refuses the receiver's certificate: check the certificate \
             of the receiver."
        }
        500..=599 => {
            "The receiver failed on this event: look into the receiver's log at this time."
        }
        _ => "The receiver must answer with a status of 200 to 299.",
    }
}

/// The failure of an attempt in a few words: the status, or the class where the receiver sent no
/// status.
pub(crate) fn failure_in_words(class: FailureClass, status: Option<u16>) -> String {
    match status {
        Some(status) if class == FailureClass::Body => format!("status {status}, wrong body"),
        Some(status) => format!("status {status}"),
        None => class.to_string(),
    }
}

/// The meaning of a status by which Cloudflare's CDN reports that the receiver did not respond to
/// the CDN. `None`: another status.
pub const fn meaning_behind_cdn(status: u16) -> Option<&'static str> {
    match status {
        520 => Some("an answer that the CDN does not understand"),
        521 => Some("connection refused behind the CDN"),
        522 => Some("connection timed out behind the CDN"),
        523 => Some("not reachable behind the CDN"),
        524 => Some("no answer in time behind the CDN"),
        525 => Some("TLS handshake failed behind the CDN"),
        526 => Some("certificate not trusted behind the CDN"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_failure_has_a_sentence_of_advice() {
        for class in FailureClass::ALL {
            for status in [None, Some(302), Some(401), Some(500), Some(600)] {
                assert!(advice(*class, status).ends_with('.'), "{class} {status:?}");
            }
        }
    }

    #[test]
    fn a_failure_is_told_by_its_status_and_a_wrong_body_beside_the_status() {
        assert_eq!(
            failure_in_words(FailureClass::Status, Some(503)),
            "status 503"
        );
        assert_eq!(
            failure_in_words(FailureClass::Body, Some(200)),
            "status 200, wrong body"
        );
        assert_eq!(failure_in_words(FailureClass::Dns, None), "dns");
    }

    #[test]
    fn statuses_that_tell_more_get_more_advice() {
        let of = |status| advice(FailureClass::Status, Some(status));

        assert!(of(301).contains("not followed"));
        assert!(of(429).contains("rate limit"));
        assert_ne!(of(500), of(503));
        for status in 520..=526 {
            assert!(of(status).contains("CDN"), "{status}");
            assert!(meaning_behind_cdn(status).is_some(), "{status}");
        }
        assert_eq!((of(527), meaning_behind_cdn(503)), (of(500), None));
    }

    #[test]
    fn every_status_class_has_advice_of_its_own() {
        let statuses = [
            302, 400, 401, 404, 408, 410, 413, 415, 429, 500, 503, 520, 525, 600,
        ];
        let advice: BTreeSet<&str> = statuses
            .iter()
            .map(|status| advice(FailureClass::Status, Some(*status)))
            .collect();

        assert_eq!(advice.len(), statuses.len());
    }

    #[test]
    fn statuses_of_one_cause_share_their_advice() {
        let of = |status| advice(FailureClass::Status, Some(status));

        assert_eq!(of(400), of(422));
        assert_eq!(of(401), of(403));
        assert_eq!(of(404), of(405));
        assert_eq!(of(525), of(526));
        assert_eq!([of(300), of(399)], [of(302); 2]);
        assert_eq!([of(502), of(504)], [of(503); 2]);
        assert_eq!([of(520), of(524)], [of(522); 2]);
        assert_eq!([of(505), of(527), of(599)], [of(500); 3]);
        assert_eq!([of(299), of(499)], [of(600); 2]);
    }

    #[test]
    fn every_failure_without_a_status_has_advice_of_its_own() {
        let all = FailureClass::ALL.iter();
        let advice: BTreeSet<&str> = all.map(|class| advice(*class, None)).collect();

        assert_eq!(advice.len(), FailureClass::ALL.len());
    }

    #[test]
    fn each_status_of_the_cdn_has_a_meaning_of_its_own() {
        let meanings: BTreeSet<_> = (519..=527).map(meaning_behind_cdn).collect();

        assert_eq!(
            meanings.len(),
            8,
            "seven meanings, and none for the neighbours"
        );
    }
}
