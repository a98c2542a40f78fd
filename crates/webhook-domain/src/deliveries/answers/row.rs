//! A row of the table of answers: what a platform says, the effect, and a sentence for people.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::{FailureClass, Outcome};

/// The receiver's own word for the fate of a request, with our sentence. The texts are constants: no
/// byte of a response is part of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerMeaning {
    /// The code of the receiver, such as `no_service` or `10015`, or a status where the receiver has
    /// no codes.
    pub code: &'static str,
    /// What happened and what to do: lower case, without a full stop at the end.
    pub sentence: &'static str,
}

impl std::fmt::Display for AnswerMeaning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}`: {}", self.code, self.sentence)
    }
}

/// A row of a platform's table.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) statuses: RangeInclusive<u16>,
    pub(super) by: By,
    /// The platform's code. For rows by status the status itself, to be shown.
    pub(super) code: &'static str,
    pub(super) effect: Effect,
    pub(super) sentence: &'static str,
}

/// Whether a row needs its code in the body, or holds for any body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Code,
    Status,
}

/// The effect of an answer on the delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// The request was taken.
    Taken,
    /// The status says yes, and the body does not.
    NotConfirmed,
    /// The URL never works again.
    NeverAgain,
    /// These bytes never work.
    RefusedBytes,
    /// Requests are not allowed.
    Forbidden,
    /// The status decides, as for formats without a table.
    ByStatus,
}

impl Effect {
    pub(super) fn outcome(self, status: u16, retry_after: Option<Duration>) -> Outcome {
        match self {
            Self::Taken => Outcome::Accepted,
            Self::NotConfirmed => Outcome::Failed {
                class: FailureClass::Body,
                retry_after,
            },
            Self::NeverAgain => Outcome::Gone,
            Self::RefusedBytes => Outcome::Refused,
            Self::Forbidden => Outcome::Forbidden,
            Self::ByStatus => Outcome::of_status(status, retry_after),
        }
    }
}

impl Row {
    pub(super) const fn by_code(
        statuses: RangeInclusive<u16>,
        code: &'static str,
        effect: Effect,
        sentence: &'static str,
    ) -> Self {
        Self {
            statuses,
            by: By::Code,
            code,
            effect,
            sentence,
        }
    }

    pub(super) const fn by_status(
        statuses: RangeInclusive<u16>,
        code: &'static str,
        effect: Effect,
        sentence: &'static str,
    ) -> Self {
        Self {
            statuses,
            by: By::Status,
            code,
            effect,
            sentence,
        }
    }

    pub(super) fn fits(&self, status: u16, code: Option<&str>) -> bool {
        let said = match self.by {
            By::Code => code == Some(self.code),
            By::Status => true,
        };
        said && self.statuses.contains(&status)
    }

    pub(super) fn meaning(&self) -> AnswerMeaning {
        AnswerMeaning {
            code: self.code,
            sentence: self.sentence,
        }
    }
}
