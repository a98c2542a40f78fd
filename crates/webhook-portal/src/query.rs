//! The query of a page's address. It has the names of the API's filters, so that an address can be
//! shared.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev};
use chrono::NaiveDateTime;
use url::form_urlencoded::{Serializer, parse};

use super::form::is_page;
use webhook_web::Problem;

/// The fields of a query that are not empty. A browser sends the empty fields of a form too.
#[derive(Debug, Default, Clone)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// The value of a field; empty without the field.
    pub(crate) fn text(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(field, _)| field == name);
        found.map_or("", |(_, value)| value)
    }

    /// The page that the field `back` leads to; empty unless the field names a page of the portal.
    pub(crate) fn back(&self) -> &str {
        Some(self.text("back"))
            .filter(|page| is_page(page))
            .unwrap_or_default()
    }

    /// Whether a field has the value `value`.
    pub(crate) fn says(&self, name: &str, value: &str) -> bool {
        self.text(name) == value
    }

    /// Whether the query filters a list. The page and the order do not count.
    pub(crate) fn is_filtered(&self) -> bool {
        let aside = ["cursor", "limit", "sort"];
        let mut names = self.0.iter().map(|(name, _)| name.as_str());
        names.any(|name| !aside.contains(&name))
    }

    /// How many of these fields are set.
    pub(crate) fn count_set(&self, names: &[&str]) -> usize {
        names
            .iter()
            .filter(|name| !self.text(name).is_empty())
            .count()
    }

    /// Whether the query asks for a later page than the first.
    pub(crate) fn is_later_page(&self) -> bool {
        !self.text("cursor").is_empty()
    }

    /// The query with a changed field, or without the field if `value` is empty, for the first page of
    /// the new list: `?status=failed`.
    pub(crate) fn with(&self, name: &str, value: &str) -> String {
        let kept = self
            .0
            .iter()
            .filter(|(field, _)| field != name && field != "cursor");
        let mut query = Serializer::for_suffix("?".to_owned(), 1);
        query.extend_pairs(kept);
        if !value.is_empty() {
            query.append_pair(name, value);
        }
        query.finish()
    }

    /// The query for the first page of the same list.
    pub(crate) fn first_page(&self) -> String {
        self.with("cursor", "")
    }

    /// The query for the API.
    pub(crate) fn as_api(&self) -> String {
        Serializer::new(String::new())
            .extend_pairs(&self.0)
            .finish()
    }

    /// The query for the API, where the field `name` has the value `value`.
    pub(crate) fn as_api_with(&self, name: &str, value: &str) -> String {
        let kept = self.0.iter().filter(|(field, _)| field != name);
        Serializer::new(String::new())
            .extend_pairs(kept)
            .append_pair(name, value)
            .finish()
    }

    /// Reads a query, without its question mark.
    pub(super) fn of(query: &str) -> Self {
        let pairs = parse(query.as_bytes()).into_owned();
        let said = pairs.map(|(name, value)| {
            let value = value.trim();
            let time = TIMES.contains(&name.as_str()).then(|| in_utc(value));
            (name, time.flatten().unwrap_or_else(|| value.to_owned()))
        });
        Self(said.filter(|(_, value)| !value.is_empty()).collect())
    }
}

/// The fields that hold times.
const TIMES: [&str; 2] = ["since", "until"];

/// The RFC 3339 time of a browser's time field. The field has no zone; its label says UTC.
/// `None`: the text is not from such a field.
pub(super) fn in_utc(text: &str) -> Option<String> {
    let read = |format| NaiveDateTime::parse_from_str(text, format).ok();
    let time = read("%Y-%m-%dT%H:%M").or_else(|| read("%Y-%m-%dT%H:%M:%S%.f"));
    Some(format!("{}Z", time?.format("%Y-%m-%dT%H:%M:%S%.f")))
}

impl FromRequest for Query {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        ready(Ok(Self::of(request.query_string())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_form_left_empty_is_not_asked_for() {
        let query = Query::of("search=+CRM+&environment=&status=active&cursor=c0ffee");

        assert_eq!(query.as_api(), "search=CRM&status=active&cursor=c0ffee");
        assert!(query.says("status", "active") && query.says("environment", ""));
    }

    #[test]
    fn a_browsers_time_is_one_in_utc() {
        let query = Query::of("since=2026-11-23T08%3A15&until=2026-11-23T08%3A15%3A30&search=2026");

        assert_eq!(query.text("since"), "2026-11-23T08:15:00Z");
        assert_eq!(query.text("until"), "2026-11-23T08:15:30Z");
        for kept in ["2026-11-23T08:15:30.5Z", "soon"] {
            assert_eq!(Query::of(&format!("since={kept}")).text("since"), kept);
        }
    }

    #[test]
    fn a_changed_filter_begins_at_the_first_page() {
        let query = Query::of("search=a+b&status=active&cursor=c0ffee");

        assert_eq!(
            query.with("status", "inactive"),
            "?search=a+b&status=inactive"
        );
        assert_eq!(query.with("status", ""), "?search=a+b");
        assert_eq!(query.first_page(), "?search=a+b&status=active");
        assert!(!Query::of("cursor=c0ffee&sort=name").is_filtered());
    }

    #[test]
    fn a_page_may_ask_for_more_than_its_address_says() {
        let query = Query::of("total=false&search=CRM&cursor=c0ffee");

        assert_eq!(
            query.as_api_with("total", "true"),
            "search=CRM&cursor=c0ffee&total=true"
        );
    }
}
