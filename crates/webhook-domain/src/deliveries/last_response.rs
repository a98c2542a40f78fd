//! What the latest attempt of a delivery got, as one number: what deliveries are listed by.

use std::str::FromStr;

use crate::FailureClass;

/// What an attempt got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastResponse {
    /// No attempt was made yet.
    Nothing,
    /// An answer with this HTTP status.
    Status(u16),
    /// No answer, or none in time.
    Failure(FailureClass),
}

impl LastResponse {
    /// What an attempt got. A status counts unless it was something else that failed.
    pub fn of(status: Option<u16>, failure: Option<FailureClass>) -> Self {
        match (status, failure) {
            (Some(status), None | Some(FailureClass::Status)) => Self::Status(status),
            (_, Some(class)) => Self::Failure(class),
            (None, None) => Self::Nothing,
        }
    }

    /// What a number stands for.
    pub fn from_code(code: i16) -> Self {
        let failures = FailureClass::ALL.iter().copied().map(Self::Failure);
        let mut known = [Self::Nothing].into_iter().chain(failures);
        known
            .find(|answer| answer.code() == code)
            .unwrap_or(Self::Status(code.unsigned_abs()))
    }

    /// The status, if it is one.
    pub fn status(self) -> Option<u16> {
        match self {
            Self::Status(status) => Some(status),
            Self::Nothing | Self::Failure(_) => None,
        }
    }

    /// Why it failed, if it did.
    pub fn failure(self) -> Option<FailureClass> {
        match self {
            Self::Nothing | Self::Status(200..=299) => None,
            Self::Status(_) => Some(FailureClass::Status),
            Self::Failure(class) => Some(class),
        }
    }

    /// The number that stands for it. Numbers are stored: they never change.
    pub fn code(self) -> i16 {
        match self {
            Self::Nothing | Self::Failure(FailureClass::Status) => 0,
            Self::Status(status) => i16::try_from(status).unwrap_or(i16::MAX),
            Self::Failure(FailureClass::Dns) => 1,
            Self::Failure(FailureClass::Connect) => 2,
            Self::Failure(FailureClass::Tls) => 3,
            Self::Failure(FailureClass::Timeout) => 4,
            Self::Failure(FailureClass::Reset) => 5,
            Self::Failure(FailureClass::BlockedAddress) => 6,
            Self::Failure(FailureClass::Protocol) => 7,
        }
    }
}

/// Which answers are meant: a status (`503`), a class of statuses (`5xx`), a failure without one
/// (`timeout`), or `none` for what was not tried yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResponseRange {
    /// The least code.
    pub first: i16,
    /// The greatest code.
    pub last: i16,
}

impl FromStr for ResponseRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let one = |code| Self {
            first: code,
            last: code,
        };
        if text == "none" {
            return Ok(one(LastResponse::Nothing.code()));
        }
        if let Ok(class) = text.parse::<FailureClass>()
            && class != FailureClass::Status
        {
            return Ok(one(LastResponse::Failure(class).code()));
        }
        let digits = text.strip_suffix("xx").unwrap_or(text);
        let digits_only = digits.bytes().all(|byte| byte.is_ascii_digit());
        match digits.parse() {
            Ok(class @ 1..=9) if digits_only && digits != text => Ok(Self {
                first: class * 100,
                last: class * 100 + 99,
            }),
            Ok(status @ 100..=999) if digits_only && digits == text => Ok(one(status)),
            _ => Err(
                "must be a status (503), a class of them (5xx), none, or one of dns, connect, \
                 tls, timeout, reset, blocked_address, protocol"
                    .to_owned(),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_that_is_no_status_is_told_before_the_status() {
        let timed_out = LastResponse::of(Some(200), Some(FailureClass::Timeout));

        assert_eq!(timed_out, LastResponse::Failure(FailureClass::Timeout));
        assert_eq!(LastResponse::of(Some(200), None), LastResponse::Status(200));
        assert_eq!(
            LastResponse::of(Some(503), Some(FailureClass::Status)).code(),
            503
        );
        assert_eq!(LastResponse::of(None, None), LastResponse::Nothing);
    }

    #[test]
    fn every_failure_but_a_status_has_a_code_of_its_own() {
        let classes = FailureClass::ALL.iter();
        let others = classes.filter(|class| **class != FailureClass::Status);
        let codes: Vec<i16> = others.map(|c| LastResponse::Failure(*c).code()).collect();

        assert_eq!(codes, [1, 2, 3, 4, 5, 6, 7]);
        for code in [0, 1, 7, 200, 503] {
            assert_eq!(LastResponse::from_code(code).code(), code);
        }
    }

    #[test]
    fn answers_are_asked_for_by_status_class_or_failure() {
        let range = |text: &str| {
            let range: Option<ResponseRange> = text.parse().ok();
            range.map(|range| (range.first, range.last))
        };

        assert_eq!(range("503"), Some((503, 503)));
        assert_eq!(range("5xx"), Some((500, 599)));
        assert_eq!(range("timeout"), Some((4, 4)));
        assert_eq!(range("none"), Some((0, 0)));
        for wrong in ["", "xx", "0xx", "5xxx", "50", "+50", "1000", "status", "ok"] {
            assert_eq!(range(wrong), None, "{wrong}");
        }
    }
}
