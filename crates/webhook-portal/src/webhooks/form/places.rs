//! The label and the HTML id of each field, for the summary of a refused form.

use super::{POLICY, WebhookForm};
use crate::errors::{Entry, Errors};
use crate::filters::label_of;

/// The fields with another label or id than their name in the API: name, label, id.
const PLACES: [(&str, &str, &str); 14] = [
    ("url", "Target URL", "url"),
    ("url_is_secret", "Secret URL", "url_is_secret"),
    ("environment", "Environment", "environment-production"),
    ("event_types", "Event Selection", "events-all"),
    ("secret", "Webhook Secret", "secret"),
    ("new_secret", "New Webhook Secret", "new_secret"),
    ("grace_period", "Keep the old secret valid for", "grace-0"),
    ("retry_policy", "Retry policy", "policy-own"),
    ("headers", "Headers", "header-name-1"),
    ("metadata", "Metadata", "metadata-name-1"),
    ("timeout_ms", "Timeout of an attempt", "timeout_ms"),
    ("max_concurrency", "Parallel requests", "max_concurrency"),
    ("rate_limit", "Rate limit", "rate_limit"),
    ("ordering", "Order", "ordering-none"),
];

impl WebhookForm {
    /// The entries of the summary above the form.
    pub(crate) fn entries(&self, errors: &Errors) -> Vec<Entry> {
        errors.entries(|field| self.place(field))
    }

    fn place(&self, field: &str) -> (String, String) {
        let in_policy = field.strip_prefix(POLICY);
        if let Some(place) = in_policy.and_then(|name| self.policy.place(name)) {
            return place;
        }
        if let Some(name) = field.strip_prefix("headers.") {
            let row = self.headers.iter().position(|row| row.name == name);
            return row_place("Header", "header-name", row);
        }
        if let Some(name) = field.strip_prefix("metadata.") {
            let row = self.metadata.iter().position(|row| row.name == name);
            return row_place("Metadata", "metadata-name", row);
        }
        let name = field.split(['[', '.']).next().unwrap_or(field);
        let known = PLACES.iter().find(|(known, ..)| *known == name);
        known.map_or_else(
            || (label_of(name), name.to_owned()),
            |(_, label, id)| ((*label).to_owned(), (*id).to_owned()),
        )
    }
}

/// The place of the row at `index`; the first row if no row has the refused name.
fn row_place(label: &str, id: &str, index: Option<usize>) -> (String, String) {
    let number = index.unwrap_or_default() + 1;
    (format!("{label} {number}"), format!("{id}-{number}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::Form;

    #[test]
    fn each_field_of_the_api_has_a_label_and_a_place() {
        let form = Form::parse(b"header_name=X-A&header_value=1&header_name=Host&header_value=2");
        let form = WebhookForm::sent(&form);

        for (field, label, id) in [
            ("name", "Name", "name"),
            ("event_types[3]", "Event Selection", "events-all"),
            ("retry_policy.jitter", "Jitter", "retry-jitter"),
            ("headers.Host", "Header 2", "header-name-2"),
            ("metadata.gone", "Metadata 1", "metadata-name-1"),
        ] {
            assert_eq!(
                form.place(field),
                (label.to_owned(), id.to_owned()),
                "{field}"
            );
        }
    }
}
