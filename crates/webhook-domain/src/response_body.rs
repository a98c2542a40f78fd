//! How the body of a response ended: the head of the response decides an attempt, the body only its log.

use crate::names::names;

names! {
    /// How the body of a response ended, as far as the dispatcher read the body.
    #[derive(Default)]
    BodyEnd, "end of a response's body" {
        /// The body was read to its end. An exchange without a response has this value too.
        #[default]
        Complete = "complete",
        /// The body is longer than the [16 KiB](crate::outside::MAX_RESPONSE_BODY_BYTES) that are kept.
        Cut = "cut",
        /// The connection broke, or the body was malformed, after the head.
        BrokenOff = "broken_off",
        /// The body was not at its end when the time to read the body was over.
        Unfinished = "unfinished",
    }
}
