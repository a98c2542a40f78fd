//! The place of an event in a trace, as W3C Trace Context describes it (level 1, header `traceparent`).

use std::fmt::{self, Display};
use std::num::{NonZeroU64, NonZeroU128};

/// The place of an event in a trace: the trace, the span that further spans belong to, and the flags.
///
/// ```
/// use webhook_domain::TraceContext;
///
/// let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
///
/// let context = TraceContext::parse(text).expect("a traceparent");
/// assert_eq!(context.to_string(), text);
/// assert!(TraceContext::parse("00-0-0-00").is_none());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace, from its first service to its last.
    pub trace_id: NonZeroU128,
    /// The span that further spans belong to.
    pub span_id: NonZeroU64,
    /// The flags; bit 0: the trace is sampled.
    pub flags: u8,
}

impl TraceContext {
    /// Parses a `traceparent`. A later version is read as far as version 00 goes. `None`: the text is none, and the
    /// event begins no trace, as a wrong header must not cost the event.
    pub fn parse(text: &str) -> Option<Self> {
        let (version, rest) = text.split_once('-')?;
        let (trace_id, rest) = rest.split_once('-')?;
        let (span_id, rest) = rest.split_once('-')?;
        // Version 00 ends with the flags; a later version may go on behind a dash.
        let flags = match version {
            "00" => rest,
            _ => rest.split('-').next()?,
        };
        if hex(version, 2)? == 0xff {
            return None;
        }
        Some(Self {
            trace_id: NonZeroU128::new(hex(trace_id, 32)?)?,
            span_id: NonZeroU64::new(u64::try_from(hex(span_id, 16)?).ok()?)?,
            flags: u8::try_from(hex(flags, 2)?).ok()?,
        })
    }

    /// The place of a further span in the same trace.
    #[must_use]
    pub fn child(self, span_id: NonZeroU64) -> Self {
        Self { span_id, ..self }
    }

    /// The trace as 32 hexadecimal digits, as tracing systems show it.
    pub fn trace_id_text(self) -> String {
        format!("{:032x}", self.trace_id)
    }
}

impl Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            trace_id,
            span_id,
            flags,
        } = self;
        write!(f, "00-{trace_id:032x}-{span_id:016x}-{flags:02x}")
    }
}

/// Reads exactly `digits` hexadecimal digits in lower case.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if text.len() != digits || !text.bytes().all(is_digit) {
        return None;
    }
    u128::from_str_radix(text, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    #[rstest]
    #[case::empty("")]
    #[case::no_trace(&format!("00-{}-{SPAN}-01", "0".repeat(32)))]
    #[case::no_span(&format!("00-{TRACE}-{}-01", "0".repeat(16)))]
    #[case::upper_case(&format!("00-{}-{SPAN}-01", TRACE.to_uppercase()))]
    #[case::longer_version_0(&format!("00-{TRACE}-{SPAN}-01-more"))]
    #[case::forbidden_version(&format!("ff-{TRACE}-{SPAN}-01"))]
    #[case::sign(&format!("00-{TRACE}-+{}-01", &SPAN[1..]))]
    fn another_text_is_no_traceparent(#[case] text: &str) {
        assert_eq!(TraceContext::parse(text), None);
    }

    #[test]
    fn a_later_version_is_read_as_version_0() {
        let later = format!("01-{TRACE}-{SPAN}-01-more");

        let read = TraceContext::parse(&later).expect("a traceparent");

        assert_eq!(read.to_string(), format!("00-{TRACE}-{SPAN}-01"));
        assert_eq!(read.trace_id_text(), TRACE);
    }

    proptest! {
        #[test]
        fn every_context_is_read_as_written(trace_id: NonZeroU128, span_id: NonZeroU64, flags: u8) {
            let context = TraceContext { trace_id, span_id, flags };

            prop_assert_eq!(TraceContext::parse(&context.to_string()), Some(context));
        }

        #[test]
        fn any_text_is_read_or_refused(text: String) {
            let _ = TraceContext::parse(&text);
        }
    }
}
