//! A request as text for the terminal. Strangers write the request: control characters are escaped, long texts are
//! cut, and no line of a body can pass for a line of ours.

use std::fmt::Write;

use actix_web::HttpRequest;
use webhook_service::printable::{printable, push_printable};

use super::pretty::pretty;
use super::secrets::Verdict;

/// Characters shown of the path and of a header.
const MAX_SHOWN_CHARS: usize = 1_000;

/// Characters shown of a body: some thousand lines. The rest is counted.
const MAX_BODY_CHARS: usize = 64 * 1024;

/// Beginnings of the names of headers that are shown. All others are about the connection.
const SHOWN_HEADERS: [&str; 7] = [
    "webhook-",
    "x-webhook-",
    "ce-",
    "content-type",
    "content-encoding",
    "user-agent",
    "traceparent",
];

/// The first line and the headers that matter.
pub(super) fn head(request: &HttpRequest) -> String {
    let mut text = format!(
        "--- {} {}\n",
        request.method(),
        cut(&request.uri().to_string())
    );
    let shown = |name: &str| SHOWN_HEADERS.iter().any(|start| name.starts_with(start));
    let mut headers: Vec<_> = request
        .headers()
        .iter()
        .filter(|(name, _)| shown(name.as_str()))
        .collect();
    // The order of arrival is lost in the map.
    headers.sort_by_key(|(name, _)| name.as_str());
    for (name, value) in headers {
        let value = cut(&String::from_utf8_lossy(value.as_bytes()));
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name}: {value}");
    }
    text.push('\n');
    text
}

/// The body: JSON with line breaks, or other text behind a bar on each line.
pub(super) fn body(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return String::new();
    }
    let text = String::from_utf8_lossy(bytes);
    let json = pretty(&text);
    // A line of JSON never begins with dashes: line breaks in texts are escaped.
    let mark = if json.is_some() { "" } else { "| " };
    let shown = json.unwrap_or_else(|| text.into_owned());
    let end = shown.char_indices().nth(MAX_BODY_CHARS).map(|(end, _)| end);
    let mut told = String::with_capacity(shown.len());
    for line in shown[..end.unwrap_or(shown.len())].split('\n') {
        told.push_str(mark);
        push_printable(line.trim_end_matches('\r'), &mut told);
        told.push('\n');
    }
    if let Some(end) = end {
        let _ = writeln!(told, "… and {} bytes more", shown.len() - end);
    }
    told
}

/// The last line of a request: the verdict.
pub(super) fn verdict(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Verified(remarks) => lines("--- verified", remarks),
        Verdict::Refused(reasons) => lines("--- REFUSED", reasons),
        Verdict::Unchecked => "--- not verified: no secret is known, see --secret\n".to_owned(),
    }
}

fn lines(first: &str, others: &[String]) -> String {
    let others = others
        .iter()
        .map(|line| format!("    {}\n", printable(line)));
    format!("{first}\n{}", others.collect::<String>())
}

fn cut(text: &str) -> String {
    let end = text.char_indices().nth(MAX_SHOWN_CHARS).map(|(end, _)| end);
    let shown = printable(&text[..end.unwrap_or(text.len())]);
    match end {
        Some(_) => shown + "…",
        None => shown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_body_can_speak_to_the_terminal_or_in_our_name() {
        let shown = body(b"\x1b[2J\n--- verified\n\xff");
        let json = body(br#"{"a":"\u001b[2J\n--- verified","b":"@"}"#);

        assert_eq!(shown, "| \\u{1b}[2J\n| --- verified\n| \u{fffd}\n");
        assert!(
            !json.contains('\u{1b}') && !json.contains("\n---"),
            "{json}"
        );
        assert!(body("\"\u{9b}2J\"".as_bytes()).starts_with("\"\\u{9b}2J\""));
    }

    #[test]
    fn a_long_body_is_cut() {
        let nested = "[".repeat(100) + &"0,".repeat(300_000) + "0" + &"]".repeat(100);

        let shown = body(nested.as_bytes());

        assert!(shown.len() < 2 * MAX_BODY_CHARS, "{}", shown.len());
        assert!(shown.ends_with(" bytes more\n"));
    }
}
