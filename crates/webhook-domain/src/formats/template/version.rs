//! The versions of a webhook's template.

use std::fmt::{Display, Formatter};

use serde::{Deserialize, Serialize};

/// The number of a version of a webhook's template, from 1. A version never changes: every change of the
/// template makes the next version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TemplateVersion(pub i32);

impl TemplateVersion {
    /// The version of a webhook's first template.
    pub const FIRST: Self = Self(1);

    /// The version after this one.
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl Display for TemplateVersion {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
