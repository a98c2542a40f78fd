//! The environments of the platform.

use crate::names::names;

names! {
    /// The environment of an event. A webhook receives the events of one environment only.
    Environment, "environment" {
        /// Real licenses of real customers.
        Production = "production",
        /// Releases before they reach production.
        Staging = "staging",
        /// Work in progress.
        Development = "development",
    }
}
