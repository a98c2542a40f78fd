//! The warnings about settings that were just saved, as sentences of the next page.

use crate::filters::as_sentence;

/// The most warnings that the next page tells: all sentences travel in a cookie of 4 KB. The preview of the form
/// tells all warnings.
const MAX_TOLD: usize = 3;

/// The warnings, the first ones whole and the others counted.
pub(super) fn told_warnings(warnings: &[String]) -> Vec<String> {
    let mut told: Vec<String> = warnings
        .iter()
        .take(MAX_TOLD)
        .map(|warning| as_sentence(warning))
        .collect();
    let others = warnings.len().saturating_sub(MAX_TOLD);
    if others > 0 {
        let warnings = if others == 1 { "warning" } else { "warnings" };
        told.push(format!(
            "The preview of the form tells {others} more {warnings}."
        ));
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_warnings_are_told_and_the_others_are_counted() {
        let warnings: Vec<String> = (1..=5).map(|number| format!("warning {number}")).collect();

        let told = told_warnings(&warnings);

        assert_eq!(told[0], "Warning 1.");
        assert_eq!(told[3], "The preview of the form tells 2 more warnings.");
        assert_eq!(told_warnings(&warnings[..2]).len(), 2);
    }
}
