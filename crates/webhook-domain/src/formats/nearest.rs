//! The known word that is nearest to a misspelt one.

/// The most characters of a word that are compared. Longer words have no nearest word.
const MAX_COMPARED_CHARS: usize = 64;

/// The most edits (insert, delete, replace or swap a character) between a word and its nearest word.
const MAX_EDITS: usize = 3;

/// The known word with the fewest edits from `given`: at most 3, and at most one per three characters.
/// Of equally near words the first. `None`: no word is near.
pub(crate) fn nearest<'k>(
    given: &str,
    known: impl IntoIterator<Item = &'k str>,
) -> Option<&'k str> {
    let given = compared(given)?;
    let bound = MAX_EDITS.min(given.len().div_ceil(3));
    let near = known.into_iter().filter_map(|word| {
        let letters = compared(word)?;
        let edits = edits(&given, &letters, bound)?;
        Some((edits, word))
    });
    near.min_by_key(|(edits, _)| *edits).map(|(_, word)| word)
}

/// The characters of a word in lower case. `None`: the word is too long to be compared.
fn compared(word: &str) -> Option<Vec<char>> {
    let chars: Vec<char> = word.chars().take(MAX_COMPARED_CHARS + 1).collect();
    let fits = chars.len() <= MAX_COMPARED_CHARS;
    fits.then(|| chars.iter().map(char::to_ascii_lowercase).collect())
}

/// The number of edits between two words, counted by optimal string alignment. `None`: more than `bound`.
fn edits(from: &[char], to: &[char], bound: usize) -> Option<usize> {
    if from.len().abs_diff(to.len()) > bound {
        return None;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut previous: Vec<usize> = (0..=to.len()).collect();
    for row in 1..=from.len() {
        let mut current = vec![row; to.len() + 1];
        for column in 1..=to.len() {
            let replaced = usize::from(from[row - 1] != to[column - 1]);
            let mut fewest = previous[column - 1] + replaced;
            fewest = fewest
                .min(previous[column] + 1)
                .min(current[column - 1] + 1);
            if row > 1 && column > 1 && is_swapped(&from[row - 2..row], &to[column - 2..column]) {
                fewest = fewest.min(before[column - 2] + 1);
            }
            current[column] = fewest;
        }
        // The edits only grow from row to row: words without hope cost one row each.
        if current.iter().min().is_some_and(|fewest| *fewest > bound) {
            return None;
        }
        before = std::mem::replace(&mut previous, current);
    }
    previous.last().copied().filter(|edits| *edits <= bound)
}

fn is_swapped(from: &[char], to: &[char]) -> bool {
    from[0] == to[1] && from[1] == to[0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::replaced("devise", Some("device"))]
    #[case::missing("devce", Some("device"))]
    #[case::added("deviice", Some("device"))]
    #[case::swapped("deivce", Some("device"))]
    #[case::case("DEVICE", Some("device"))]
    #[case::far("machine", None)]
    #[case::short("x", None)]
    #[case::empty("", None)]
    #[case::long(&"device".repeat(20), None)]
    fn the_nearest_word_differs_by_few_characters(
        #[case] given: &str,
        #[case] expected: Option<&str>,
    ) {
        let known = ["license_id", "device", "reason"];

        assert_eq!(nearest(given, known), expected);
    }

    #[test]
    fn of_equally_near_words_the_first_is_told() {
        assert_eq!(nearest("seat", ["seats", "seam"]), Some("seats"));
    }
}
