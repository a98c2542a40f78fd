//! XPaths of elements by the words that a person reads.

/// The XPath of the field that a label belongs to.
pub(super) fn labelled(label: &str) -> String {
    let label = quoted(label);
    format!(
        "//*[@id=//label[normalize-space(.)={label}]/@for] | //label[normalize-space(.)={label}]//input"
    )
}

/// A string literal of XPath, which has no escapes: texts with both kinds of quotes do not work.
pub(super) fn quoted(text: &str) -> String {
    if text.contains('\'') {
        format!("\"{text}\"")
    } else {
        format!("'{text}'")
    }
}
