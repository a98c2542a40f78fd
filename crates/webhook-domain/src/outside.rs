//! Values from outside: each has one type that bounds its length and settles its encoding.
//!
//! Publishers, receivers, certificates and servers write most of the text that is stored here. A
//! text that is made into an [`OutsideText`] where it enters fits an AMQP header, a log line, a row
//! and a page from there on:
//!
//! | value | type | bound | why this bound |
//! | --- | --- | --- | --- |
//! | reason of a rejection | [`RejectionReason`] | 2,000 characters | a person reads it; 8 KB at most in a row |
//! | exchange and routing key of a message | [`AmqpName`](crate::AmqpName) | 255 bytes | AMQP 0-9-1 allows no longer name |
//! | wrong fields of a body | [`FieldErrors`](crate::FieldErrors) | 20, then a count | nobody mends more than that at once |
//! | wrong field of a body | [`FieldError`](crate::FieldError) | 200 characters for the name, 1,000 for the reason | the longest reason of ours lists the 21 event types |
//! | failure of an attempt, in words | [`FailureDetail`] | 500 characters | certificates name up to thousands of hosts |
//! | issuer of a certificate | [`CertificateText`] | 500 characters | names in certificates have no bound |
//! | value of a response's header | [`HeaderText`] | 1,024 characters | HTTP clients accept heads of 400 KB; six headers are kept |
//! | body kept of a response | [`MAX_RESPONSE_BODY_BYTES`] | 16 KiB | an error page, not a download |
//! | text shown of a response's body | 64 KiB | a body decompresses to a thousand times its size |
//! | body of an event | [`MAX_EVENT_BYTES`](crate::MAX_EVENT_BYTES) | 256 KiB | the contract |
//! | body kept of a rejected message | [`MAX_REJECTED_BODY_BYTES`] | 256 KiB | an event has no more |
//! | message in the broker | [`MAX_MESSAGE_BYTES`] | 512 KiB | twice an event, so that a message that is too large can still be shown |
//!
//! The log bounds and escapes its lines by itself (`webhook-service`).

pub(crate) mod field_errors;
pub(crate) mod published_to;
mod text;

pub use field_errors::MAX_FIELD_ERRORS;
pub use text::{OutsideText, storable};

/// The most bytes that are kept of a response's body: 16 KiB.
pub const MAX_RESPONSE_BODY_BYTES: usize = 16 * 1024;

/// The most bytes that are kept of a rejected message's body: 256 KiB.
pub const MAX_REJECTED_BODY_BYTES: usize = 256 * 1024;

/// The largest message that the broker should accept: 512 KiB, its `max_message_size`.
///
/// A dispatcher is handed up to 1,000 messages that it has not looked at yet, so 500 MiB at most.
pub const MAX_MESSAGE_BYTES: usize = 512 * 1024;

/// Why a message was rejected.
pub type RejectionReason = OutsideText<2_000>;

/// Why an attempt failed, in words.
pub type FailureDetail = OutsideText<500>;

/// What a certificate says of somebody.
pub type CertificateText = OutsideText<500>;

/// The value of a response's header.
pub type HeaderText = OutsideText<1_024>;
