//! A finding: a sentence, and what to do.

use std::fmt::Write;

use webhook_service::printable::printable;

/// The weight of a finding, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// Something does not work.
    Problem,
    /// Something works, and may not do so for long.
    Warning,
    /// A check that could not be made.
    Unchecked,
    /// All is well.
    Fine,
}

impl Weight {
    fn name(self) -> &'static str {
        match self {
            Self::Problem => "PROBLEM",
            Self::Warning => "warning",
            Self::Unchecked => "not checked",
            Self::Fine => "ok",
        }
    }
}

/// The result of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) weight: Weight,
    /// The checked part, such as `Postgres`.
    area: &'static str,
    sentence: String,
    advice: Option<String>,
}

impl Finding {
    pub(super) fn problem(area: &'static str, sentence: impl Into<String>) -> Self {
        Self::of(Weight::Problem, area, sentence.into())
    }

    pub(super) fn warning(area: &'static str, sentence: impl Into<String>) -> Self {
        Self::of(Weight::Warning, area, sentence.into())
    }

    pub(super) fn unchecked(area: &'static str, sentence: impl Into<String>) -> Self {
        Self::of(Weight::Unchecked, area, sentence.into())
    }

    pub(super) fn fine(area: &'static str, sentence: impl Into<String>) -> Self {
        Self::of(Weight::Fine, area, sentence.into())
    }

    fn of(weight: Weight, area: &'static str, sentence: String) -> Self {
        Self {
            weight,
            area,
            sentence,
            advice: None,
        }
    }

    /// Says what to do.
    pub(super) fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }
}

/// The findings as text, the worst first, with the advice below each.
pub(super) fn tell(mut findings: Vec<Finding>) -> String {
    // The sort is stable: findings of a weight stay in the order of the checks.
    findings.sort_by_key(|finding| finding.weight);
    let mut text = String::new();
    for Finding {
        weight,
        area,
        sentence,
        advice,
    } in &findings
    {
        // Servers wrote parts of the sentences. Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{:11}  {area}: {}",
            weight.name(),
            printable(sentence)
        );
        if let Some(advice) = advice {
            let _ = writeln!(text, "{:11}  -> {}", "", printable(advice));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_comes_first_with_its_advice() {
        let fine = Finding::fine("a", "well");
        let problem = Finding::problem("b", "bad\u{1b}[2J").advise("mend");

        let text = tell(vec![fine, problem]);

        assert_eq!(
            text,
            "PROBLEM      b: bad\\u{1b}[2J\n             -> mend\nok           a: well\n"
        );
    }
}
