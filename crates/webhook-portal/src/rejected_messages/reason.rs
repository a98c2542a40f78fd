//! The reason of a rejection, split by field.

/// A fault of a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reason {
    /// The wrong field of the event; `None`: the message as a whole.
    pub(super) field: Option<String>,
    pub(super) text: String,
}

/// Splits a reason that lists fields: `type: is required; data: must be an object`. A part without a field
/// belongs to the part before, because a reason may have a semicolon in it. The count of faults that are
/// not listed, `… and 1,080 more`, stands alone.
pub(super) fn split_reason(reason: &str) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = Vec::new();
    for part in reason.split("; ") {
        let field = part.split_once(": ").filter(|(name, _)| is_name(name));
        let before = reasons.last_mut().filter(|_| !part.starts_with("… and "));
        match (field, before) {
            (Some((name, text)), _) => reasons.push(Reason {
                field: Some(name.to_owned()),
                text: text.to_owned(),
            }),
            (None, Some(before)) => {
                before.text.push_str("; ");
                before.text.push_str(part);
            }
            (None, None) => reasons.push(Reason {
                field: None,
                text: part.to_owned(),
            }),
        }
    }
    reasons
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(reason: &str) -> Vec<(Option<String>, String)> {
        let reasons = split_reason(reason).into_iter();
        reasons.map(|reason| (reason.field, reason.text)).collect()
    }

    #[test]
    fn each_field_is_a_reason_of_its_own() {
        let field = |name: &str, text: &str| (Some(name.to_owned()), text.to_owned());

        assert_eq!(
            told(
                "id: is required; type: unknown event type \"x\"; known are a, b; data: must be an object"
            ),
            [
                field("id", "is required"),
                field("type", "unknown event type \"x\"; known are a, b"),
                field("data", "must be an object"),
            ]
        );
    }

    #[test]
    fn those_that_are_not_listed_are_counted_by_themselves() {
        assert_eq!(
            told("a: is wrong; … and 1,080 more")[1],
            (None, "… and 1,080 more".to_owned())
        );
    }

    #[test]
    fn what_is_about_the_whole_message_stays_whole() {
        for whole in [
            "not a JSON object: expected value at line 1 column 1",
            "given up; why is not known",
            "",
        ] {
            assert_eq!(told(whole), [(None, whole.to_owned())]);
        }
    }
}
