//! The parts of a string of a template: text, and placeholders such as `{{data.reason | upper}}`.

use super::filter::{Argument, Filter};
use super::limits::{MAX_FILTERS, repeated};
use super::path::Path;

/// The beginning of a placeholder.
pub(super) const OPENING: &str = "{{";
const CLOSING: &str = "}}";

/// A part of a string.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    Placeholder(Placeholder),
}

/// A placeholder: a path, and the filters from left to right.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Placeholder {
    pub(super) path: Path,
    pub(super) filters: Vec<Filter>,
}

/// Reads the parts of a string. Neighbouring texts are joined. `errors` gets one sentence per fault; a
/// placeholder at fault is no part.
pub(super) fn parts_of(text: &str, errors: &mut Vec<String>) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut reader = Reader { rest: text };
    while let Some(before) = reader.read_to_opening() {
        push_text(&mut parts, before);
        match reader.written().and_then(Written::resolve) {
            Ok(Part::Text(text)) => push_text(&mut parts, &text),
            Ok(placeholder) => parts.push(placeholder),
            Err(message) => errors.push(message),
        }
    }
    push_text(&mut parts, reader.rest);
    parts
}

fn push_text(parts: &mut Vec<Part>, text: &str) {
    match parts.last_mut() {
        _ if text.is_empty() => {}
        Some(Part::Text(before)) => before.push_str(text),
        Some(Part::Placeholder(_)) | None => parts.push(Part::Text(text.to_owned())),
    }
}

/// A placeholder whose braces and quotes are right; paths and filters may be unknown.
enum Written<'t> {
    /// `{{'text'}}`: the text itself, which is how a template writes `{{`.
    Literal(&'t str),
    Path(&'t str, Vec<(&'t str, Option<Argument>)>),
}

impl Written<'_> {
    fn resolve(self) -> Result<Part, String> {
        let (path, written) = match self {
            Self::Literal(text) => return Ok(Part::Text(text.to_owned())),
            Self::Path("", _) => {
                return Err(
                    "the placeholder is empty; write a path, as in `{{data.reason}}`".into(),
                );
            }
            Self::Path(path, filters) => (Path::parse(path)?, filters),
        };
        if written.len() > MAX_FILTERS {
            let count = written.len();
            return Err(format!(
                "the placeholder of `{path}` has {count} filters; at most {MAX_FILTERS} are allowed"
            ));
        }
        let filters = written
            .into_iter()
            .map(|(name, argument)| Filter::parse(name, argument));
        let filters = filters.collect::<Result<_, _>>()?;
        Ok(Part::Placeholder(Placeholder { path, filters }))
    }
}

/// Reads a string from the left.
struct Reader<'t> {
    rest: &'t str,
}

impl<'t> Reader<'t> {
    /// The text before the next `{{`, which is read too. `None`: no placeholder follows.
    fn read_to_opening(&mut self) -> Option<&'t str> {
        let (before, rest) = self.rest.split_once(OPENING)?;
        self.rest = rest;
        Some(before)
    }

    /// Reads from behind `{{` to behind `}}`, also when the placeholder is at fault, so that the next
    /// fault is found behind the placeholder.
    fn written(&mut self) -> Result<Written<'t>, String> {
        let start = self.rest;
        self.inside().inspect_err(|_| {
            self.rest = start.split_once(CLOSING).map_or("", |(_, rest)| rest);
        })
    }

    fn inside(&mut self) -> Result<Written<'t>, String> {
        let start = self.rest;
        self.skip_spaces();
        let written = match self.quoted()? {
            Some(text) => Written::Literal(text),
            None => {
                let path = self.path();
                let mut filters = Vec::new();
                while self.takes("|") {
                    filters.push(self.filter()?);
                }
                Written::Path(path, filters)
            }
        };
        self.skip_spaces();
        if self.takes(CLOSING) {
            return Ok(written);
        }
        Err(self.fault(start))
    }

    /// A path ends at a filter, a brace or a quote; spaces around the path do not count.
    fn path(&mut self) -> &'t str {
        self.until(|char| matches!(char, '|' | '{' | '}' | '"' | '\''))
            .trim()
    }

    /// `name`, `name:'text'` or `name:word`.
    fn filter(&mut self) -> Result<(&'t str, Option<Argument>), String> {
        let is_end = |char| matches!(char, '|' | '{' | '}' | '"' | '\'' | ':');
        let name = self.until(is_end).trim();
        if !self.takes(":") {
            return Ok((name, None));
        }
        self.skip_spaces();
        let argument = match self.quoted()? {
            Some(text) => Argument::Quoted(text.to_owned()),
            None => Argument::Bare(self.path().to_owned()),
        };
        self.skip_spaces();
        Ok((name, Some(argument)))
    }

    /// A text in double or single quotes. `None`: no quote follows.
    fn quoted(&mut self) -> Result<Option<&'t str>, String> {
        let Some(quote) = self
            .rest
            .chars()
            .next()
            .filter(|char| matches!(char, '"' | '\''))
        else {
            return Ok(None);
        };
        let Some((text, rest)) = self.rest[1..].split_once(quote) else {
            let from = repeated(self.rest);
            return Err(format!("the quoted text has no closing {quote}: {from}"));
        };
        self.rest = rest;
        Ok(Some(text))
    }

    /// The fault at the place where `}}` should stand, in the placeholder that begins at `start`.
    fn fault(&self, start: &str) -> String {
        let opening = format!("{OPENING}{}", repeated(start.trim_end()));
        let Some(found) = self.rest.chars().next() else {
            return format!(
                "`{opening}` is not closed; write `}}}}` at the end, or `{{{{'{{{{'}}}}` for two braces"
            );
        };
        format!(
            "`{found}` cannot stand in a placeholder at this place: `{opening}`; filters are written as `{{{{path|filter:'text'}}}}`"
        )
    }

    fn skip_spaces(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn takes(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn until(&mut self, is_end: impl Fn(char) -> bool) -> &'t str {
        let end = self.rest.find(is_end).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }
}
