//! Long URLs and ids in a few characters, so that a row of a list has one line.

/// The most characters of a URL that stay readable at its end.
const TAIL_CHARS: usize = 8;

/// The characters of an id at its beginning and at its end.
const ID_CHARS: (usize, usize) = (8, 4);

/// The two parts of a URL in a list: a narrow column cuts the end of the first part, never the second.
/// `https://` is left out, as nearly every URL has it.
pub(crate) fn halves(url: &str) -> (&str, &str) {
    let shown = url.strip_prefix("https://").unwrap_or(url);
    let host = shown.find("://").map_or(0, |scheme| scheme + 3);
    let path = shown[host..]
        .find('/')
        .map_or(shown.len(), |path| host + path);
    // The host stays whole in the first part, unless the URL is nothing but a long host.
    let from = if path + 1 < shown.len() { path } else { 0 };
    let tail = shown.char_indices().rev().take(TAIL_CHARS).last();
    let start = tail.map_or(shown.len(), |(start, _)| start.max(from));
    shown.split_at(start)
}

/// The beginning and the end of an id; a short text stays whole.
pub(crate) fn id(id: &str) -> String {
    let (first, last) = ID_CHARS;
    let chars: Vec<char> = id.chars().collect();
    if chars.len() <= first + last + 1 {
        return id.to_owned();
    }
    let text = |chars: &[char]| chars.iter().collect::<String>();
    format!(
        "{}…{}",
        text(&chars[..first]),
        text(&chars[chars.len() - last..])
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_and_the_end_of_a_url_are_kept() {
        let cases = [
            (
                "https://a.example/hooks/v1/licences",
                "a.example/hooks/v1/",
                "licences",
            ),
            ("http://a.example/in", "http://a.example", "/in"),
            ("https://a.example", "a", ".example"),
            ("https://hooks.acme.example/", "hooks.acme.", "example/"),
            ("https://a.example/é", "a.example", "/é"),
            ("", "", ""),
        ];
        for (url, head, tail) in cases {
            assert_eq!(halves(url), (head, tail), "{url}");
        }
    }

    #[test]
    fn an_id_is_told_by_both_ends() {
        assert_eq!(id("0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d5e"), "0192f0c1…4d5e");
        assert_eq!(id("lic_42"), "lic_42");
    }
}
