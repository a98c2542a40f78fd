//! How much of a scenario runs.

/// How much of a scenario runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    /// A small part, to check that the scenario runs. The figures are meaningless.
    Quick,
    /// All of the scenario, for figures.
    Full,
}

impl Scale {
    /// The value for the scale.
    pub(crate) fn choose<T>(self, quick: T, full: T) -> T {
        match self {
            Self::Quick => quick,
            Self::Full => full,
        }
    }
}
