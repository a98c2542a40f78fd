//! Code that verifies a request, one sample a language, out of the guide whose code the tests run.

use std::sync::LazyLock;

use pulldown_cmark::{Event, HeadingLevel, Parser, Tag, TagEnd};
use webhook_admin::deliveries::AttemptBody;

/// The guide to verifying requests.
pub(crate) const GUIDE: &str = include_str!("../../../docs/verifying.md");

/// The first sample of each language, in the order of the guide.
pub(crate) static SAMPLES: LazyLock<Vec<Sample>> = LazyLock::new(|| samples(GUIDE));

/// The first section after those of the languages.
const AFTER_LANGUAGES: &str = "\n## X-Webhook-Signature";

/// A sample of a language.
pub(crate) struct Sample {
    /// The language: `C#`.
    pub(crate) language: String,
    pub(crate) code: String,
}

impl Sample {
    /// The language as an HTML id: `csharp`.
    pub(crate) fn id(&self) -> String {
        self.language.to_lowercase().replace('#', "sharp")
    }
}

/// The status of an attempt's response if receivers refuse a signature with this status: 401 or 403.
pub(crate) fn refused_status(attempt: &AttemptBody) -> Option<i32> {
    attempt
        .response_status
        .filter(|status| matches!(status, 401 | 403))
}

fn samples(guide: &str) -> Vec<Sample> {
    let mut samples: Vec<Sample> = Vec::new();
    let (mut heading, mut language, mut code) = (false, String::new(), None::<String>);
    let languages = guide.split(AFTER_LANGUAGES).next().unwrap_or_default();
    for event in Parser::new(languages) {
        match event {
            Event::Start(Tag::Heading {
                level: HeadingLevel::H2,
                ..
            }) => {
                (heading, language) = (true, String::new());
            }
            Event::End(TagEnd::Heading(_)) => heading = false,
            Event::Text(text) | Event::Code(text) if heading => language.push_str(&text),
            Event::Start(Tag::CodeBlock(_)) => code = Some(String::new()),
            Event::Text(text) => {
                if let Some(code) = &mut code {
                    code.push_str(&text);
                }
            }
            Event::End(TagEnd::CodeBlock) => {
                let code = code.take().unwrap_or_default();
                let is_first = samples.last().is_none_or(|last| last.language != language);
                if is_first && !language.is_empty() {
                    samples.push(Sample {
                        language: language.clone(),
                        code,
                    });
                }
            }
            Event::Start(_)
            | Event::End(_)
            | Event::Code(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_)
            | Event::Html(_)
            | Event::InlineHtml(_)
            | Event::FootnoteReference(_)
            | Event::SoftBreak
            | Event::HardBreak
            | Event::Rule
            | Event::TaskListMarker(_) => {}
        }
    }
    samples
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_of_the_guide_has_a_sample() {
        let languages = SAMPLES.iter().map(|sample| sample.language.as_str());

        let expected = ["Python", "Node", "Go", "Rust", "PHP", "Ruby", "Java", "C#"];
        assert_eq!(languages.collect::<Vec<_>>(), expected);
        assert!(SAMPLES.iter().all(|sample| sample.code.contains("erify")));
        assert_eq!(SAMPLES[7].id(), "csharp");
    }
}
