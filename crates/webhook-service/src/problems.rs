//! All problems of a configuration together, for an operator to mend in one go.

use std::fmt::{self, Display};

use crate::flag::Flag;

/// Every problem of a configuration, printed a line each. No secret is quoted.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ConfigProblems(Vec<String>);

impl ConfigProblems {
    /// Adds a problem of a variable, for example `is required`.
    pub fn add(&mut self, variable: &str, problem: impl Display) {
        self.0.push(format!("{variable} {problem}"));
    }

    /// The value of a flag. If the flag has problems, adds the problems and returns `None`.
    pub fn check<T: Clone>(&mut self, flag: &Flag<T>) -> Option<T> {
        match flag.as_result() {
            Ok(value) => Some(value.clone()),
            Err(problems) => {
                self.0.extend_from_slice(problems);
                None
            }
        }
    }

    /// The value of a flag without a default. If the flag is missing or has problems, adds the problems
    /// and returns `None`.
    pub fn require<T: Clone>(&mut self, variable: &str, flag: Option<&Flag<T>>) -> Option<T> {
        if flag.is_none() {
            self.add(variable, "is required");
        }
        self.check(flag?)
    }

    /// The checked configuration if there was no problem, otherwise all problems. `config` is `None` if
    /// one of the values has a problem.
    pub fn finish<T>(self, config: Option<T>) -> Result<T, Self> {
        match config {
            Some(config) if self.0.is_empty() => Ok(config),
            _ => Err(self),
        }
    }

    /// Each problem, in the order of the checks.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The number of problems.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

impl Display for ConfigProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration is wrong:")?;
        self.0
            .iter()
            .try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for ConfigProblems {}
