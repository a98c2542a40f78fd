//! The address of Postgres.

use std::fmt;
use std::str::FromStr;

/// The address of Postgres, `postgres://…`, with user and password.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

/// The text is not an address of Postgres.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidDatabaseUrl;

impl DatabaseUrl {
    /// The address as text, password included.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DatabaseUrl {
    type Err = InvalidDatabaseUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let schemes = ["postgres://", "postgresql://"];
        if schemes.iter().any(|scheme| text.starts_with(scheme)) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidDatabaseUrl)
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    /// Shows the scheme only: the rest may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgres://…")
    }
}

impl fmt::Display for InvalidDatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must start with postgres://")
    }
}

impl std::error::Error for InvalidDatabaseUrl {}
