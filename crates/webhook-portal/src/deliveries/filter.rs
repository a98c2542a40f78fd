//! The filters of the list of deliveries, read from the address of the page.

use url::form_urlencoded::Serializer;

use crate::chips::{Chip, chips};
use crate::filters::label_of;
use crate::query::Query;

/// The filters of the API, each with the label of the page.
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

/// Filters of deliveries.
pub(super) struct Filters<'a>(pub(super) &'a Query);

impl Filters<'_> {
    /// The filters as a query, without cursor and total.
    pub(super) fn alone(&self) -> String {
        let set = self.set().map(|(name, _, value)| (name, value));
        Serializer::new(String::new()).extend_pairs(set).finish()
    }

    /// The filters as fields of a request of the API.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&'static str, String)> {
        self.set().map(|(name, _, value)| (name, value.to_owned()))
    }

    /// The set filters. `webhook` is the name of the filtered webhook, shown in place of the id.
    pub(super) fn chips(&self, webhook: Option<&str>) -> Vec<Chip> {
        chips(self.0, &NAMES, |field, value| match field {
            "webhook_id" => webhook.unwrap_or(value).to_owned(),
            "environment" | "status" => label_of(value),
            _ => value.to_owned(),
        })
    }

    /// Whether a filter under “More filters” is set, so that the page unfolds them.
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

#[cfg(test)]
mod tests {
    use super::*;

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
            ("Since", "2026-11-23T08:15:00Z"),
        ];
        assert_eq!(shown.collect::<Vec<_>>(), expected);
        assert_eq!(
            chips[0].without,
            "?status=failed&since=2026-11-23T08%3A15%3A00Z&total=true"
        );
        assert!(filters.has_more());
    }
}
