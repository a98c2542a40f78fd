//! A field of a JSON merge patch (RFC 7396).

/// The effect of a patch on a value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Patch<T> {
    /// The field was left out: the value stays.
    #[default]
    Keep,
    /// The field is `null`: the value gets the default.
    Reset,
    /// The field is a new value.
    Set(T),
}

impl<T> Patch<T> {
    /// The value after the patch.
    pub fn over(self, current: T, default: T) -> T {
        match self {
            Self::Keep => current,
            Self::Reset => default,
            Self::Set(value) => value,
        }
    }
}
