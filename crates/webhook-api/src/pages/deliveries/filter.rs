//! What the list of deliveries is filtered by, as its address says it.

use chrono::NaiveDateTime;
use url::form_urlencoded::Serializer;

use crate::pages::filters::{label_of, time_of};
use crate::pages::query::Query;
use crate::values::parse_time;

/// The filters of the API, as they are called on the page.
const NAMES: [(&str, &str); 9] = [
    ("webhook_id", "Webhook"),
    ("search", "Webhook name"),
    ("environment", "Environment"),
    ("status", "Status"),
    ("event_type", "Event type"),
    ("event_id", "Event"),
    ("response", "Response"),
    ("since", "Since"),
    ("until", "Until"),
];

/// What a browser's field for a time says: UTC without saying so, seconds only if there are some.
const LOCAL_TIMES: [&str; 2] = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S%.f"];

/// Filters of deliveries.
pub(super) struct Filters<'a>(pub(super) &'a Query);

/// A filter that is set, and the way to take it away.
pub(super) struct Chip {
    pub(super) name: &'static str,
    pub(super) value: String,
    pub(super) without: String,
}

impl Filters<'_> {
    /// The list that is asked for, as the API takes it.
    pub(super) fn list(&self) -> String {
        encode(
            self.0
                .pairs()
                .map(|(name, value)| (name, as_api(name, value))),
        )
    }

    /// The filters alone, for a page that has the same.
    pub(super) fn alone(&self) -> String {
        encode(self.set().map(|(name, _, value)| (name, value.to_owned())))
    }

    /// The filters as fields of a document of the API.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&'static str, String)> {
        self.set()
            .map(|(name, _, value)| (name, as_api(name, value)))
    }

    /// Those that are set. A webhook's id says little: `webhook` is what it is called.
    pub(super) fn chips(&self, webhook: Option<&str>) -> Vec<Chip> {
        let chips = self.set().map(|(name, shown, value)| Chip {
            name: shown,
            value: match name {
                "webhook_id" => webhook.unwrap_or(value).to_owned(),
                "environment" | "status" => label_of(value),
                "since" | "until" => time(&as_api(name, value)),
                _ => value.to_owned(),
            },
            without: self.0.with(name, ""),
        });
        chips.collect()
    }

    /// A time as a browser's field takes it.
    pub(super) fn local(&self, name: &str) -> String {
        let value = self.0.text(name);
        let time = parse_time(&as_api(name, value));
        time.map_or(value.to_owned(), |time| {
            time.format("%Y-%m-%dT%H:%M:%S").to_string()
        })
    }

    /// Whether a filter is set that is not seen at once.
    pub(super) fn has_more(&self) -> bool {
        let seen = ["search", "environment", "status"];
        self.set().any(|(name, ..)| !seen.contains(&name))
    }

    fn set(&self) -> impl Iterator<Item = (&'static str, &'static str, &str)> {
        let named = NAMES.iter();
        let named = named.map(|(name, shown)| (*name, *shown, self.0.text(name)));
        named.filter(|(_, _, value)| !value.is_empty())
    }
}

fn encode<'a>(pairs: impl Iterator<Item = (&'a str, String)>) -> String {
    Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// A value as the API takes it. What is no time stays as it is, to be refused.
fn as_api(name: &str, value: &str) -> String {
    if !matches!(name, "since" | "until") {
        return value.to_owned();
    }
    let formats = LOCAL_TIMES.iter();
    let local = formats.filter_map(|format| NaiveDateTime::parse_from_str(value, format).ok());
    let time = local.map(|local| local.and_utc().to_rfc3339()).next();
    time.unwrap_or(value.to_owned())
}

fn time(value: &str) -> String {
    parse_time(value).map_or(value.to_owned(), |time| time_of(&time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browsers_time_is_utc_for_the_api() {
        for (typed, told) in [
            ("2026-11-23T08:15", "2026-11-23T08:15:00+00:00"),
            ("2026-11-23T08:15:30", "2026-11-23T08:15:30+00:00"),
            ("2026-11-23T08:15:30Z", "2026-11-23T08:15:30Z"),
            ("soon", "soon"),
        ] {
            assert_eq!(as_api("since", typed), told);
            assert_eq!(as_api("search", typed), typed);
        }
    }

    #[test]
    fn each_filter_that_is_set_can_be_taken_away() {
        let query =
            Query::of("search=CRM&status=failed&since=2026-11-23T08:15&total=true&cursor=x");
        let filters = Filters(&query);

        let chips = filters.chips(None);

        let shown = chips.iter().map(|chip| (chip.name, chip.value.as_str()));
        let expected = [
            ("Webhook name", "CRM"),
            ("Status", "Failed"),
            ("Since", "23 Nov 2026, 08:15:00 UTC"),
        ];
        assert_eq!(shown.collect::<Vec<_>>(), expected);
        assert_eq!(
            chips[0].without,
            "?status=failed&since=2026-11-23T08%3A15&total=true"
        );
        assert!(filters.has_more());
        assert_eq!(filters.local("since"), "2026-11-23T08:15:00");
    }
}
