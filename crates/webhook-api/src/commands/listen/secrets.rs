//! The secrets of a session, and the check of a request with them.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, anyhow};
use chrono::Utc;
use webhook_domain::{FindingCode, OwnSecret, ReceivedRequest, SigningSecret, check_signatures};

/// The secrets to verify with.
#[derive(Clone)]
pub(super) struct Secrets {
    fixed: Vec<SigningSecret>,
    file: Option<PathBuf>,
}

/// Whether a request may be believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A secret made every signature, and the time is now; with remarks.
    Verified(Vec<String>),
    /// The reasons.
    Refused(Vec<String>),
    /// No secret is known.
    Unchecked,
}

impl Secrets {
    pub(super) fn of(secret: Option<&str>, file: Option<PathBuf>) -> anyhow::Result<Self> {
        let mut secrets = Self {
            fixed: Vec::new(),
            file,
        };
        if let Some(secret) = secret {
            secrets.add(secret).context("--secret cannot be used")?;
        }
        // A wrong name of a file is told at the start and not at the first request.
        secrets.all()?;
        Ok(secrets)
    }

    /// Adds a secret. The error does not repeat the text.
    pub(super) fn add(&mut self, secret: &str) -> anyhow::Result<()> {
        self.fixed.push(parse(secret)?);
        Ok(())
    }

    fn all(&self) -> anyhow::Result<Vec<SigningSecret>> {
        let mut all = self.fixed.clone();
        let Some(path) = &self.file else {
            return Ok(all);
        };
        let text = fs::read_to_string(path);
        let text = text.with_context(|| format!("cannot read {}", path.display()))?;
        for (index, line) in text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
        {
            let secret = parse(line);
            all.push(secret.with_context(|| format!("line {} of {}", index + 1, path.display()))?);
        }
        Ok(all)
    }

    /// Checks a request against every secret. A large body of a stranger takes a while.
    pub(super) fn check(&self, request: &ReceivedRequest) -> Verdict {
        let own = match self.all() {
            Ok(own) if own.is_empty() => return Verdict::Unchecked,
            Ok(own) => own,
            Err(error) => return Verdict::Refused(vec![format!("{error:#}")]),
        };
        let own = own.into_iter().map(|secret| OwnSecret {
            secret,
            valid_until: None,
        });
        let own: Vec<OwnSecret> = own.collect();
        let mut check = check_signatures(request, &own, None, Utc::now());
        // No other webhook is known here.
        check.conclude(None);
        let told = check.findings.iter();
        let told = told.map(|finding| format!("{} {}", finding.message(), finding.advice()));
        let told: Vec<String> = told.collect();
        // A true signature of another time is a repeat by a stranger.
        let is_timely = !check
            .findings
            .iter()
            .any(|finding| is_about_time(finding.code()));
        if check.valid && is_timely {
            Verdict::Verified(told)
        } else {
            Verdict::Refused(told)
        }
    }
}

fn is_about_time(code: FindingCode) -> bool {
    matches!(
        code,
        FindingCode::StaleTimestamp | FindingCode::FutureTimestamp | FindingCode::TimestampsDiffer
    )
}

fn parse(secret: &str) -> anyhow::Result<SigningSecret> {
    SigningSecret::parse(secret.trim()).map_err(|error| anyhow!("{error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use webhook_domain::{EventId, ReceivedHeaders, sign};

    fn secret() -> SigningSecret {
        SigningSecret::from_random([7; 32])
    }

    /// A request signed so many seconds ago.
    fn signed(age: i64) -> ReceivedRequest {
        let id = EventId(uuid::Uuid::nil());
        let at = Utc::now().timestamp() - age;
        let value = sign([&secret()].into_iter(), id, at, b"{}").platform;
        ReceivedRequest {
            headers: ReceivedHeaders::new([("X-Webhook-Signature".to_owned(), value)]),
            body: Bytes::from_static(b"{}"),
        }
    }

    #[test]
    fn a_repeated_request_is_refused_although_its_signature_is_true() {
        let secrets = Secrets::of(Some(secret().reveal()), None).expect("a secret");

        assert_eq!(secrets.check(&signed(0)), Verdict::Verified(Vec::new()));
        assert!(matches!(secrets.check(&signed(3_600)), Verdict::Refused(_)));
    }

    #[test]
    fn without_a_secret_nothing_is_verified() {
        let secrets = Secrets::of(None, None).expect("none");

        assert_eq!(secrets.check(&signed(0)), Verdict::Unchecked);
    }
}
