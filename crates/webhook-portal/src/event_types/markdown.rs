//! Documents of the repository as HTML.

use std::collections::HashMap;

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

/// Converts Markdown with tables to HTML. Headings get the same ids as on GitHub, for links within the
/// document. Links to other files become text, because the portal does not serve these files. HTML in the
/// document is shown as text.
pub(super) fn to_html(markdown: &str) -> String {
    let parser = Parser::new_ext(markdown, Options::ENABLE_TABLES);
    let events = parser.filter(|event| !is_other_file(event)).collect();
    let mut page = String::with_capacity(markdown.len() * 2);
    html::push_html(&mut page, written(with_ids(events)).into_iter());
    page
}

/// Whether an event begins a link to another file. [`written`] drops the end of the same link.
fn is_other_file(event: &Event<'_>) -> bool {
    matches!(event, Event::Start(Tag::Link { dest_url, .. }) if !leads_somewhere(dest_url))
}

fn leads_somewhere(url: &str) -> bool {
    url.starts_with('#') || url.starts_with("https://")
}

/// Gives each heading an id.
fn with_ids(mut events: Vec<Event<'_>>) -> Vec<Event<'_>> {
    let mut taken = HashMap::new();
    for place in 0..events.len() {
        if !matches!(events[place], Event::Start(Tag::Heading { .. })) {
            continue;
        }
        let text = events[place..]
            .iter()
            .take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_))));
        let slug = unique(
            slug(&text.filter_map(words).collect::<String>()),
            &mut taken,
        );
        if let Event::Start(Tag::Heading { id, .. }) = &mut events[place] {
            *id = Some(CowStr::from(slug));
        }
    }
    events
}

fn words<'a>(event: &'a Event<'_>) -> Option<&'a str> {
    if let Event::Text(text) | Event::Code(text) = event {
        return Some(text);
    }
    None
}

/// The id of a heading: `what-goes-wrong` for `What goes wrong`, `c` for `C#`.
fn slug(heading: &str) -> String {
    let kept = heading.chars().filter_map(|c| match c {
        ' ' => Some('-'),
        c if c.is_alphanumeric() || matches!(c, '-' | '_') => Some(c.to_ascii_lowercase()),
        _ => None,
    });
    kept.collect()
}

fn unique(slug: String, taken: &mut HashMap<String, usize>) -> String {
    let before = taken.entry(slug.clone()).or_default();
    let unique = match *before {
        0 => slug,
        count => format!("{slug}-{count}"),
    };
    *before += 1;
    unique
}

/// The events for the HTML writer: tables in a box that scrolls, HTML as text, and no end of a link
/// without the link's beginning.
fn written(events: Vec<Event<'_>>) -> Vec<Event<'_>> {
    let mut in_link = false;
    let mut written = Vec::with_capacity(events.len());
    for event in events {
        // As text, the writer escapes the HTML.
        if let Event::Html(text) | Event::InlineHtml(text) = event {
            written.push(Event::Text(text));
            continue;
        }
        let ends_link = matches!(event, Event::End(TagEnd::Link));
        let ends_table = matches!(event, Event::End(TagEnd::Table));
        if matches!(event, Event::Start(Tag::Table(_))) {
            written.push(Event::Html(CowStr::Borrowed(SCROLLS)));
        }
        if !ends_link || std::mem::take(&mut in_link) {
            in_link |= matches!(event, Event::Start(Tag::Link { .. }));
            written.push(event);
        }
        if ends_table {
            written.push(Event::Html(CowStr::Borrowed("</div>")));
        }
    }
    written
}

const SCROLLS: &str = "<div class=\"scrolls\" data-name=\"Table\">";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_have_the_ids_that_links_name() {
        let page = to_html(
            "# C#\n\n[here](#what-goes-wrong)\n\n## By hand\n\n## By hand\n\n## What `goes` wrong?",
        );

        for expected in [
            "<h1 id=\"c\">C#</h1>",
            "<a href=\"#what-goes-wrong\">here</a>",
            "<h2 id=\"by-hand\">",
            "<h2 id=\"by-hand-1\">",
            "<h2 id=\"what-goes-wrong\">",
        ] {
            assert!(page.contains(expected), "{expected} is not in {page}");
        }
    }

    #[test]
    fn nothing_in_a_document_acts_on_the_page() {
        let page = to_html(
            "<script>alert(1)</script>\n\na <b onclick=x>b</b> [x](javascript:x) [y](ARCHITECTURE.md) [z](https://example.com)",
        );

        assert!(!page.contains("<script") && !page.contains("<b "), "{page}");
        assert!(
            !page.contains("javascript:") && !page.contains("ARCHITECTURE"),
            "{page}"
        );
        assert!(
            page.contains("x y <a href=\"https://example.com\">z</a>"),
            "{page}"
        );
    }

    #[test]
    fn a_table_scrolls_for_itself() {
        let page = to_html("| a | b |\n| --- | --- |\n| 1 | 2 |");

        assert!(
            page.starts_with(SCROLLS) && page.contains("</table>\n</div>"),
            "{page}"
        );
        assert!(page.contains("<td>2</td>"), "{page}");
    }
}
