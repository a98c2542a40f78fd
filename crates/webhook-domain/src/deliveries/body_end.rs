//! The end of a response's body. The head of the response decides the outcome of an attempt; the
//! end of the body matters for the transcript only.

use crate::names::names;

names! {
    /// How the body of a response ended, as far as the dispatcher read the body.
    #[derive(Default)]
    BodyEnd, "end of a response's body" {
        /// The body was read to its end. A transcript without a response has this value too.
        #[default]
        Complete = "complete",
        /// The body is longer than the [16 KiB](crate::outside::MAX_RESPONSE_BODY_BYTES) that are
        /// kept.
        Cut = "cut",
        /// The connection broke, or the body was malformed, after the head.
        BrokenOff = "broken_off",
        /// The body had not ended when the time for reading the body was over.
        Unfinished = "unfinished",
    }
}
