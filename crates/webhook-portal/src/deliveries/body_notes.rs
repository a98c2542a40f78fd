//! Sentences under a response's body: how the body ended, and how the text was decoded.

use webhook_domain::BodyEnd;

use crate::filters::group;
use webhook_admin::deliveries::AttemptBody;

/// Why the page shows less of a response's body, or another text, than the receiver sent. Empty for a
/// body shown whole and as received, and for an attempt without a response.
pub(crate) fn body_notes(attempt: &AttemptBody) -> Vec<String> {
    let Some(end) = attempt.response_body_end else {
        return Vec::new();
    };
    let bytes = attempt.response_body_bytes.unwrap_or_default();
    let decoded = attempt.response_body_decoded_from.as_ref();
    let decoded = decoded.map(|from| format!("Shown decoded from {from}."));
    let shown = (end == BodyEnd::Complete && attempt.response_body_truncated).then(|| {
        "Only the beginning is shown: decoding stops at 64 KiB, and where the encoded body is damaged."
            .to_owned()
    });
    let notes = [decoded, ending(end, bytes), shown];
    notes.into_iter().flatten().collect()
}

fn ending(end: BodyEnd, bytes: usize) -> Option<String> {
    match (end, bytes) {
        (BodyEnd::Complete, _) => None,
        (BodyEnd::Cut, _) => Some("Only the first 16 KiB are kept.".to_owned()),
        (BodyEnd::BrokenOff, 0) => Some("The body broke off before its first byte.".to_owned()),
        (BodyEnd::BrokenOff, _) => Some(format!("The body broke off after {}.", counted(bytes))),
        (BodyEnd::Unfinished, 0) => {
            Some("No byte of the body came within the time to read it.".to_owned())
        }
        (BodyEnd::Unfinished, 1) => Some(
            "The body did not end within the time to read it; this is its first byte.".to_owned(),
        ),
        (BodyEnd::Unfinished, _) => Some(format!(
            "The body did not end within the time to read it; these are its first {}.",
            counted(bytes)
        )),
    }
}

fn counted(bytes: usize) -> String {
    match bytes {
        1 => "1 byte".to_owned(),
        _ => format!("{} bytes", group(i64::try_from(bytes).unwrap_or(i64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::attempt::tests::attempt;
    use super::*;

    fn notes(end: BodyEnd, bytes: usize, decoded_from: Option<&str>, truncated: bool) -> String {
        let attempt = AttemptBody {
            response_body_end: Some(end),
            response_body_bytes: Some(bytes),
            response_body_decoded_from: decoded_from.map(str::to_owned),
            response_body_truncated: truncated,
            ..attempt(1, Some(1))
        };
        body_notes(&attempt).join(" ")
    }

    #[test]
    fn each_end_of_a_body_is_told_in_plain_words() {
        use BodyEnd::{BrokenOff, Complete, Cut, Unfinished};

        assert_eq!(notes(Complete, 9, None, false), "");
        assert_eq!(
            notes(Cut, 16_384, None, true),
            "Only the first 16 KiB are kept."
        );
        assert_eq!(
            notes(BrokenOff, 2, None, true),
            "The body broke off after 2 bytes."
        );
        assert_eq!(
            notes(BrokenOff, 1, None, true),
            "The body broke off after 1 byte."
        );
        assert_eq!(
            notes(BrokenOff, 0, None, true),
            "The body broke off before its first byte."
        );
        assert_eq!(
            notes(Unfinished, 1_512, None, true),
            "The body did not end within the time to read it; these are its first 1,512 bytes."
        );
        assert_eq!(
            notes(Unfinished, 0, None, true),
            "No byte of the body came within the time to read it."
        );
    }

    #[test]
    fn a_text_that_is_not_as_received_says_so_and_a_response_that_never_came_says_nothing() {
        let latin = notes(BodyEnd::Complete, 9, Some("gzip, iso-8859-1"), false);
        let bomb = notes(BodyEnd::Complete, 9, Some("gzip"), true);

        assert_eq!(latin, "Shown decoded from gzip, iso-8859-1.");
        assert!(bomb.starts_with("Shown decoded from gzip. Only the beginning is shown"));
        assert!(body_notes(&attempt(1, None)).is_empty());
    }
}
