//! How urgently a person should look at an event.

use crate::names::names;

names! {
    /// How urgently a person should look at an event. Formats for people choose colours by severity.
    EventSeverity, "event severity" {
        /// Everyday business: a message without an alarming colour.
        Info = "info",
        /// A customer lost access by a rule, such as the end of a term: amber.
        Warning = "warning",
        /// An operation failed, or somebody should act: red.
        Critical = "critical",
    }
}
