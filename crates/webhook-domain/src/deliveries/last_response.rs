//! The last response of a delivery: the result of its latest attempt as one number, by which
//! deliveries are listed and filtered.

use std::str::FromStr;

use crate::FailureClass;

/// The result of the latest attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastResponse {
    /// No attempt has been made.
    Nothing,
    /// A response with this HTTP status.
    Status(u16),
    /// No response, none within the timeout, or a 2xx whose body does not confirm the request.
    Failure(FailureClass),
}

impl LastResponse {
    /// The result of an attempt. The status counts unless the attempt failed for a reason other
    /// than its status.
    pub fn of(status: Option<u16>, failure: Option<FailureClass>) -> Self {
        match (status, failure) {
            (Some(status), None | Some(FailureClass::Status)) => Self::Status(status),
            (_, Some(class)) => Self::Failure(class),
            (None, None) => Self::Nothing,
        }
    }

    /// The result behind a stored number.
    pub fn from_code(code: i16) -> Self {
        let failures = FailureClass::ALL.iter().copied().map(Self::Failure);
        let mut known = [Self::Nothing].into_iter().chain(failures);
        known
            .find(|answer| answer.code() == code)
            .unwrap_or(Self::Status(code.unsigned_abs()))
    }

    /// The HTTP status. `None`: no attempt, no response, or a 2xx that did not count as accepted.
    pub fn status(self) -> Option<u16> {
        match self {
            Self::Status(status) => Some(status),
            Self::Nothing | Self::Failure(_) => None,
        }
    }

    /// The class of the failure. `None`: no attempt, or a 2xx.
    pub fn failure(self) -> Option<FailureClass> {
        match self {
            Self::Nothing | Self::Status(200..=299) => None,
            Self::Status(_) => Some(FailureClass::Status),
            Self::Failure(class) => Some(class),
        }
    }

    /// The number that is stored for the result: the HTTP status, or 0 to 8. Numbers never change,
    /// because rows hold them.
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
            Self::Failure(FailureClass::Body) => 8,
        }
    }
}

/// A filter by last response, as a range of codes: a status (`503`), a class of statuses (`5xx`), a
/// failure without a status (`timeout`), or `none` for deliveries without an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResponseRange {
    /// The least code within the filter.
    pub first: i16,
    /// The greatest code within the filter.
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
            // `parse` accepts a leading `+`, which is not part of a status.
            Ok(class @ 1..=9) if digits_only && digits != text => Ok(Self {
                first: class * 100,
                last: class * 100 + 99,
            }),
            Ok(status @ 100..=999) if digits_only && digits == text => Ok(one(status)),
            _ => Err(
                "must be a status (503), a class of statuses (5xx), none, or one of dns, connect, \
                 tls, timeout, reset, blocked_address, protocol, body"
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

        let not_confirmed = LastResponse::of(Some(200), Some(FailureClass::Body));

        assert_eq!(timed_out, LastResponse::Failure(FailureClass::Timeout));
        assert_eq!(not_confirmed.failure(), Some(FailureClass::Body));
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

        assert_eq!(codes, [1, 2, 3, 4, 5, 6, 7, 8]);
        for code in [0, 1, 8, 200, 503] {
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
        for wrong in ["", "xx", "0xx", "5xxx", "50", "+50", "1000", "status", "ok"]
            .into_iter()
            .chain(["5", "+5", "+5xx", "503xx", "+503"])
        {
            assert_eq!(range(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_result_has_a_status_or_a_failure_or_both_or_neither() {
        let parts = |last: LastResponse| (last.status(), last.failure());
        let status = FailureClass::Status;

        assert_eq!(parts(LastResponse::Nothing), (None, None));
        assert_eq!(parts(LastResponse::Status(204)), (Some(204), None));
        assert_eq!(parts(LastResponse::Status(300)), (Some(300), Some(status)));
        assert_eq!(parts(LastResponse::Status(199)), (Some(199), Some(status)));
        let timeout = FailureClass::Timeout;
        assert_eq!(parts(LastResponse::Failure(timeout)), (None, Some(timeout)));
    }
}
