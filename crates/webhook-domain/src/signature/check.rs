//! Whether a request is signed as it should be, and if not, why.

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};

use super::claim::{ReceivedRequest, SignatureClaim, SignatureScheme};
use super::explanation::{explain, tell_difference};
use super::finding::SignatureFinding;
use crate::names::names;
use crate::{SigningSecret, WebhookId};

/// How far the time of a signature may be from the receiver's: what published verifiers take.
const TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// A secret of the webhook that a request is said to be for.
#[derive(Debug, Clone)]
pub struct OwnSecret {
    /// The secret.
    pub secret: SigningSecret,
    /// Until when it signs, or signed, if it was replaced.
    pub valid_until: Option<DateTime<Utc>>,
}

names! {
    /// Which of a webhook's valid secrets it is.
    SecretStanding, "standing" {
        /// The one that was set last.
        Current = "current",
        /// One that was replaced and is valid still.
        Previous = "previous",
    }
}

/// What was found out about a request.
#[derive(Debug, Clone)]
pub struct SignatureCheck {
    /// Whether there is a signature and each scheme that is there holds.
    pub valid: bool,
    /// Each scheme that is there.
    pub schemes: Vec<SchemeCheck>,
    /// What is wrong, and what else is worth to know.
    pub findings: Vec<SignatureFinding>,
    /// What the webhook's own secrets do not explain. Look for another webhook that does, then
    /// [conclude](Self::conclude).
    pub unexplained: Option<Unexplained>,
}

/// How one scheme's signature turned out.
#[derive(Debug, Clone, Copy)]
pub struct SchemeCheck {
    /// The scheme.
    pub scheme: SignatureScheme,
    /// Which secret made it; `None`: none that is valid did.
    pub matched: Option<SecretStanding>,
    /// When it says that it was made.
    pub signed_at: Option<DateTime<Utc>>,
}

/// A webhook whose secret it is instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherWebhook {
    /// Its id.
    pub id: WebhookId,
    /// Its name.
    pub name: String,
}

/// A signature that none of the webhook's own secrets made.
#[derive(Debug, Clone)]
pub struct Unexplained {
    claim: SignatureClaim,
    received: Bytes,
    sent: Option<Bytes>,
}

impl Unexplained {
    /// Whether this secret made it, over the body that was sent if that is known.
    pub fn is_signed_by(&self, secret: &SigningSecret) -> bool {
        let body = self.sent.as_ref().unwrap_or(&self.received);
        self.claim.is_signed_by(secret, body)
    }
}

impl SignatureCheck {
    /// Tells what came of the search for another webhook.
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
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }
}

/// Checks a request with the secrets of a webhook, the current one first. `sent`: the body of the
/// event that it names, if there is one.
pub fn check_signatures(
    request: &ReceivedRequest,
    own: &[OwnSecret],
    sent: Option<&Bytes>,
    now: DateTime<Utc>,
) -> SignatureCheck {
    let mut findings = Vec::new();
    let claims = request.claims(&mut findings);
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

/// The valid secret that made it.
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
