//! Values from outside: each kind of value has one type, which bounds the length and settles the
//! encoding.
//!
//! Publishers, receivers, certificates and servers write most of the text that is stored here. A
//! text becomes an [`OutsideText`] where it enters; from there on the text fits an AMQP header, a
//! log line, a row and a page:
//!
//! | value | type | bound | reason for the bound |
//! | --- | --- | --- | --- |
//! | reason of a rejection | [`RejectionReason`] | 2,000 characters | a person reads it; 8 KB at most in a row |
//! | exchange and routing key of a message | [`AmqpName`](crate::AmqpName) | 255 bytes | AMQP 0-9-1 allows no longer name |
//! | wrong fields of a body | [`FieldErrors`](crate::FieldErrors) | 20, then a count | nobody corrects more fields than that at once |
//! | wrong field of a body | [`FieldError`](crate::FieldError) | 200 characters for the name, 1,000 for the reason | the longest reason of ours lists the 21 event types |
//! | failure of an attempt, in words | [`FailureDetail`] | 500 characters | certificates name up to thousands of hosts |
//! | issuer of a certificate | [`CertificateText`] | 500 characters | names in certificates have no bound |
//! | value of a response's header | [`HeaderText`] | 1,024 characters | HTTP clients accept heads of 400 KB; six headers are kept |
//! | body kept of a response | [`MAX_RESPONSE_BODY_BYTES`] | 16 KiB | an error page, not a download |
//! | text shown of a response's body | a limit of the API's decoder | 64 KiB | a body decompresses to a thousand times its size |
//! | body of an event | [`MAX_EVENT_BYTES`](crate::MAX_EVENT_BYTES) | 256 KiB | the contract |
//! | body kept of a rejected message | [`MAX_REJECTED_BODY_BYTES`] | 256 KiB | an event has no more |
//! | message in the broker | [`MAX_MESSAGE_BYTES`] | 512 KiB | twice an event, so that a message that is too large can still be shown |
//!
//! The logger bounds and escapes log lines (`webhook-service`), so values need no escaping here.

pub(crate) mod field_errors;
pub(crate) mod published_to;
mod text;

pub use field_errors::MAX_FIELD_ERRORS;
pub use text::{OutsideText, storable};

/// The most bytes kept of a response's body: 16 KiB. The rest is read and dropped.
pub const MAX_RESPONSE_BODY_BYTES: usize = 16 * 1024;

/// The most bytes kept of a rejected message's body: 256 KiB. The rest is cut.
pub const MAX_REJECTED_BODY_BYTES: usize = 256 * 1024;

/// The largest message that the broker should accept: 512 KiB. Operators set RabbitMQ's
/// `max_message_size` to this number.
///
/// RabbitMQ hands a dispatcher up to 1,000 unprocessed messages, so their bodies take 500 MiB at
/// most.
pub const MAX_MESSAGE_BYTES: usize = 512 * 1024;

/// Why a message was rejected: at most 2,000 characters.
pub type RejectionReason = OutsideText<2_000>;

/// Why an attempt failed, in words: at most 500 characters.
pub type FailureDetail = OutsideText<500>;

/// A name from a certificate, such as the issuer: at most 500 characters.
pub type CertificateText = OutsideText<500>;

/// The value of a response's header: at most 1,024 characters.
pub type HeaderText = OutsideText<1_024>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_are_those_of_the_table() {
        assert_eq!(MAX_RESPONSE_BODY_BYTES, 16_384);
        assert_eq!(MAX_REJECTED_BODY_BYTES, 262_144);
        assert_eq!(MAX_MESSAGE_BYTES, 524_288);
        assert_eq!(crate::MAX_EVENT_BYTES, 262_144);
    }
}
