use crate::names::names;

names! {
    /// Where an event happened. A webhook hears of one environment only.
    Environment, "environment" {
        /// Real licenses of real customers.
        Production = "production",
        /// The dress rehearsal.
        Staging = "staging",
        /// Where things are being built.
        Development = "development",
    }
}
