//! The check of a received request against the secrets of a webhook.

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};

use super::cause::{explain, tell_difference};
use super::claim::{SignatureClaim, read_claims};
use crate::{
    OtherWebhook, OwnSecret, ReceivedRequest, SecretStanding, SignatureFinding, SignatureScheme,
    SigningSecret,
};

/// The greatest difference between the time of a signature and the receiver's clock: 5 minutes, as
/// in published verifiers.
const TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// The result of a check.
#[derive(Debug, Clone)]
pub struct SignatureCheck {
    /// Whether at least one signature is there, and the signature of each scheme holds.
    pub valid: bool,
    /// The result for each scheme whose header is there.
    pub schemes: Vec<SchemeCheck>,
    /// Faults, and other facts worth knowing.
    pub findings: Vec<SignatureFinding>,
    /// A signature that the webhook's own secrets do not explain. Callers look for another webhook
    /// whose secret does, and then call [`conclude`](Self::conclude).
    pub unexplained: Option<Unexplained>,
}

/// The result for a scheme.
#[derive(Debug, Clone, Copy)]
pub struct SchemeCheck {
    /// The scheme of the signature.
    pub scheme: SignatureScheme,
    /// The standing of the secret behind the signature. `None`: no valid secret of the webhook
    /// did.
    pub matched: Option<SecretStanding>,
    /// The time of the signature according to the header.
    pub signed_at: Option<DateTime<Utc>>,
}

/// A signature made by no secret of the webhook.
#[derive(Debug, Clone)]
pub struct Unexplained {
    claim: SignatureClaim,
    received: Bytes,
    sent: Option<Bytes>,
}

impl Unexplained {
    /// Whether `secret` made the signature, over the body that was sent if that body is known.
    pub fn is_signed_by(&self, secret: &SigningSecret) -> bool {
        let body = self.sent.as_ref().unwrap_or(&self.received);
        self.claim.is_signed_by(secret, body)
    }
}

impl SignatureCheck {
    /// Adds the result of the search for another webhook. Calling it twice adds nothing.
    pub fn conclude(&mut self, other: Option<OtherWebhook>) {
        let Some(Unexplained { received, sent, .. }) = self.unexplained.take() else {
            return;
        };
        let Some(other) = other else {
            let body_is_ours = sent.map(|sent| sent == received);
            return self.add(SignatureFinding::NoMatch { body_is_ours });
        };
        self.add(SignatureFinding::OtherWebhook(other));
        if let Some(sent) = sent.filter(|sent| *sent != received) {
            self.add(tell_difference(&sent, &received));
        }
    }

    fn add(&mut self, finding: SignatureFinding) {
        // Both schemes often have the same fault.
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }
}

/// Checks a request against the secrets of a webhook, the current secret first. `sent` is the body
/// of the event that the request names, if the event is known.
///
/// ```
/// use bytes::Bytes;
/// use chrono::DateTime;
/// use webhook_domain::{
///     EventId, OwnSecret, ReceivedHeaders, ReceivedRequest, SigningSecret, check_signatures, sign,
/// };
///
/// let secret = SigningSecret::from_random([7; 32]);
/// let id: EventId = "0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d5e".parse()?;
/// let value = sign([&secret].into_iter(), id, 1_795_421_730, b"{\"seats\":5}").platform;
/// let request = ReceivedRequest {
///     headers: ReceivedHeaders::new([("X-Webhook-Signature".to_owned(), value)]),
///     body: Bytes::from("{\"seats\": 5}"), // a framework has inserted a space
/// };
/// let own = [OwnSecret { secret, valid_until: None }];
/// let sent = Bytes::from("{\"seats\":5}");
/// let now = DateTime::from_timestamp(1_795_421_731, 0).expect("a time");
///
/// let check = check_signatures(&request, &own, Some(&sent), now);
///
/// assert!(!check.valid);
/// assert_eq!(check.findings[0].code().as_str(), "reserialized_json");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn check_signatures(
    request: &ReceivedRequest,
    own: &[OwnSecret],
    sent: Option<&Bytes>,
    now: DateTime<Utc>,
) -> SignatureCheck {
    let mut findings = Vec::new();
    let claims = read_claims(request, &mut findings);
    let mut check = SignatureCheck {
        valid: !claims.is_empty(),
        schemes: Vec::new(),
        findings,
        unexplained: None,
    };
    if claims.is_empty() {
        check.add(SignatureFinding::NoSignature);
    }
    check_times(&claims, now, &mut check);
    for claim in claims {
        let matched = match_secret(&claim, own, &request.body, now, &mut check);
        check.schemes.push(SchemeCheck {
            scheme: claim.scheme,
            matched,
            signed_at: signed_at(&claim),
        });
        if matched.is_some() {
            continue;
        }
        check.valid = false;
        match explain(&claim, own, &request.body, sent) {
            Some(finding) => check.add(finding),
            // One unexplained signature suffices: both schemes are made with the same secret.
            None if claim.is_complete() => {
                check.unexplained = Some(Unexplained {
                    claim,
                    received: request.body.clone(),
                    sent: sent.cloned(),
                });
            }
            None => {}
        }
    }
    check
}

fn signed_at(claim: &SignatureClaim) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(claim.unix_seconds?, 0)
}

fn check_times(claims: &[SignatureClaim], now: DateTime<Utc>, check: &mut SignatureCheck) {
    let times: Vec<DateTime<Utc>> = claims.iter().filter_map(signed_at).collect();
    if times.windows(2).any(|pair| pair[0] != pair[1]) {
        check.add(SignatureFinding::TimestampsDiffer);
    }
    for time in times {
        let age = now - time;
        if age > TOLERANCE {
            check.add(SignatureFinding::StaleTimestamp { age });
        } else if age < -TOLERANCE {
            check.add(SignatureFinding::FutureTimestamp { ahead: -age });
        }
    }
}

/// The standing of the valid secret behind the signature.
fn match_secret(
    claim: &SignatureClaim,
    own: &[OwnSecret],
    body: &[u8],
    now: DateTime<Utc>,
    check: &mut SignatureCheck,
) -> Option<SecretStanding> {
    let mut valid = own
        .iter()
        .filter(|own| own.valid_until.is_none_or(|until| until > now));
    let matched = valid.find(|own| claim.is_signed_by(&own.secret, body))?;
    let Some(valid_until) = matched.valid_until else {
        return Some(SecretStanding::Current);
    };
    check.add(SignatureFinding::PreviousSecret { valid_until });
    Some(SecretStanding::Previous)
}

#[cfg(test)]
mod tests;
