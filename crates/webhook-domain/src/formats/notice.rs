//! An event as a message for people: the shape from which the formats for Slack, Discord and Teams are made.

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;

use super::fields::{Fields, in_words, list, scalar};
use super::ids::{ids_of, is_id_field};
use super::json_view::{JsonView, data_of, is_object};
use super::plain_text::one_line;
use super::sentence::sentence;
use crate::{Environment, Event, EventSeverity, EventType, LinkPatterns};

/// The sentence that a test event has in addition.
const TEST_SENTENCE: &str = "This is a test with example data.";

/// Words that people write in capitals.
const ACRONYMS: [&str; 5] = ["id", "ip", "os", "url", "uuid"];

/// The name of a field whose name has no visible character.
const NO_NAME: &str = "(no name)";

/// An event as a message for people.
///
/// All texts are single lines without control characters and without characters that change the direction
/// of the writing. Values come from a publisher: each format escapes the texts by its own rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// How urgently a person should look, which chooses the colour.
    pub severity: EventSeverity,
    /// The type of the event.
    pub event_type: EventType,
    /// The title without any text of a publisher: `License activated`, `[Staging] [Test] License activated`.
    pub title: String,
    /// One sentence, or two for a test event.
    pub sentence: String,
    /// The first fields of `data` that are a text, a number, a boolean or an array of them, also within
    /// objects, in the publisher's order. At most [`Notice::MAX_FACTS`].
    pub facts: Vec<Fact>,
    /// How many more such fields the event has.
    pub omitted_facts: usize,
    /// The page that shows more. `None`: no pattern and no delivery's page.
    pub link: Option<Link>,
    /// The time of the event.
    pub at: DateTime<Utc>,
    /// The environment of the event.
    pub environment: Environment,
    /// Whether the event is a test.
    pub test: bool,
}

/// A field of an event for people: `License ID`, `lic_42`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// The field's name in words, at most [`Notice::MAX_FACT_NAME_CHARS`] long and not empty.
    pub name: String,
    /// The field's value, at most [`Notice::MAX_FACT_VALUE_CHARS`] long and not empty.
    pub value: String,
}

/// A page about an event's object, or about the delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The text of the link without any text of a publisher: `Open license`.
    pub text: String,
    /// The address: at most [`Link::MAX_URL_BYTES`] bytes.
    pub url: String,
}

impl Link {
    /// The most bytes of an address: 2,000. Discord refuses longer addresses, and an id of this size is none.
    pub const MAX_URL_BYTES: usize = 2_000;

    /// The page of the first object of an event that has a pattern, else the delivery's page.
    fn of(
        event_type: EventType,
        fields: &Fields<'_>,
        links: &LinkPatterns,
        delivery_page: Option<&str>,
    ) -> Option<Self> {
        let fits = |url: &String| url.len() <= Self::MAX_URL_BYTES;
        let object = ids_of(event_type, fields).find_map(|(field, id)| {
            let url = links.link(field, &id).filter(fits)?;
            let object = field.trim_end_matches("_id");
            Some(Self {
                text: format!("Open {object}"),
                url,
            })
        });
        let delivery = || {
            let url = delivery_page.map(str::to_owned).filter(fits)?;
            Some(Self {
                text: "Open delivery".to_owned(),
                url,
            })
        };
        object.or_else(delivery)
    }
}

/// The sentence and the link of a notice, which cost a fraction of the facts.
#[derive(Debug)]
pub(super) struct Gist {
    pub(super) sentence: String,
    pub(super) link: Option<Link>,
}

impl Gist {
    pub(super) fn of(event: &Event, links: &LinkPatterns, delivery_page: Option<&str>) -> Self {
        let (event_type, pattern) = (event.event_type, event.event_type.sentence());
        // A pattern may name a few fields too many: a part of a name is in the pattern as well.
        let wanted = |name: &str| pattern.contains(name) || is_id_field(event_type, name);
        let fields = Fields::wanted(event, &wanted);
        Self::of_fields(event, &fields, links, delivery_page)
    }

    fn of_fields(
        event: &Event,
        fields: &Fields<'_>,
        links: &LinkPatterns,
        delivery_page: Option<&str>,
    ) -> Self {
        let mut sentence = sentence(event.event_type.sentence(), fields);
        if event.test_for.is_some() {
            sentence = format!("{sentence} {TEST_SENTENCE}");
        }
        let link = Link::of(event.event_type, fields, links, delivery_page);
        Self { sentence, link }
    }
}

impl Notice {
    /// The most facts: 10, as many as a section of a Slack message has.
    pub const MAX_FACTS: usize = 10;
    /// The most characters of a fact's name.
    pub const MAX_FACT_NAME_CHARS: usize = 60;
    /// The most characters of a fact's value: five lines on a phone. The link leads to the whole value.
    pub const MAX_FACT_VALUE_CHARS: usize = 300;

    /// Writes an event for people. `delivery_page` is the address of the delivery's page in the portal, for
    /// an event whose objects have no pattern in `links`.
    pub fn of(event: &Event, links: &LinkPatterns, delivery_page: Option<&str>) -> Self {
        let event_type = event.event_type;
        let fields = data_of(event).map(Fields::of).unwrap_or_default();
        let (facts, omitted_facts) = facts_of(&fields);
        let Gist { sentence, link } = Gist::of_fields(event, &fields, links, delivery_page);
        Self {
            severity: event_type.severity(),
            event_type,
            title: title(event),
            sentence,
            facts,
            omitted_facts,
            link,
            at: event.timestamp,
            environment: event.environment,
            test: event.test_for.is_some(),
        }
    }

    /// The line below a message: `Production · license.activated · 3 more fields`. `dropped` is the number of
    /// facts for which a format had no room.
    pub(crate) fn footer(&self, dropped: usize) -> String {
        let (environment, event_type) = (environment_name(self.environment), self.event_type);
        let more = match self.omitted_facts + dropped {
            0 => String::new(),
            1 => " · 1 more field".to_owned(),
            more => format!(" · {more} more fields"),
        };
        format!("{environment} · {event_type}{more}")
    }

    /// The time of the event, if a service can show the time in the reader's time zone: since 1970.
    pub(crate) fn local_time(&self) -> Option<DateTime<Utc>> {
        (self.at >= DateTime::UNIX_EPOCH).then_some(self.at)
    }
}

fn title(event: &Event) -> String {
    let environment = match event.environment {
        Environment::Production => String::new(),
        other @ (Environment::Staging | Environment::Development) => {
            format!("[{}] ", environment_name(other))
        }
    };
    let test = if event.test_for.is_some() {
        "[Test] "
    } else {
        ""
    };
    format!("{environment}{test}{}", event.event_type.title())
}

fn environment_name(environment: Environment) -> &'static str {
    match environment {
        Environment::Production => "Production",
        Environment::Staging => "Staging",
        Environment::Development => "Development",
    }
}

/// The first facts, and the number of the other ones.
fn facts_of(fields: &Fields<'_>) -> (Vec<Fact>, usize) {
    let mut facts = Facts::default();
    for (name, value) in fields.iter() {
        if is_object(value) {
            for (inner, value) in Fields::of(value).iter() {
                facts.take(&[name, inner], value);
            }
        } else {
            facts.take(&[name], value);
        }
    }
    (facts.taken, facts.omitted)
}

#[derive(Default)]
struct Facts {
    taken: Vec<Fact>,
    omitted: usize,
}

impl Facts {
    fn take(&mut self, path: &[&str], value: &RawValue) {
        // The value before the name: a field without a value costs no more than the look.
        let Some(value) = fact_value(value) else {
            return;
        };
        if self.taken.len() == Notice::MAX_FACTS {
            self.omitted += 1;
            return;
        }
        self.taken.push(Fact {
            name: fact_name(path),
            value,
        });
    }
}

fn fact_value(value: &RawValue) -> Option<String> {
    match JsonView::of(value) {
        JsonView::Array(array) => list(array, Notice::MAX_FACT_VALUE_CHARS, str::to_owned),
        view @ (JsonView::Text(_) | JsonView::Number(_) | JsonView::Bool(_)) => {
            scalar(view, Notice::MAX_FACT_VALUE_CHARS)
        }
        JsonView::Null | JsonView::Object(_) => None,
    }
}

/// A field's name in words: `license_id` is `License ID`, `assignee.kind` is `Assignee kind`.
fn fact_name(path: &[&str]) -> String {
    let names = path
        .iter()
        .map(|name| in_words(&one_line(name, Notice::MAX_FACT_NAME_CHARS)));
    let words = names.collect::<Vec<_>>().join(" ");
    let words: Vec<String> = words.split(' ').map(in_capitals).collect();
    let name = one_line(&capitalised(&words.join(" ")), Notice::MAX_FACT_NAME_CHARS);
    if name.is_empty() {
        NO_NAME.to_owned()
    } else {
        name
    }
}

fn in_capitals(word: &str) -> String {
    if ACRONYMS.contains(&word) {
        return word.to_ascii_uppercase();
    }
    word.to_owned()
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}

#[cfg(test)]
mod tests;
