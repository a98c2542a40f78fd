//! The audit log.

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use webhook_domain::AuditAction;

use super::chips::{Chip, chips};
use super::filters;
use super::html::page;
use super::query::Query;
use super::shorten;
use super::visit::Visit;
use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_admin::audit::{AuditBody, list_audit};
use webhook_admin::lists::Page;
use webhook_web::Problem;
use words::in_words;

mod difference;
mod words;

pub(super) use difference::{Difference, differences};

/// How many changed fields a line of the list names; more would not fit beside the subject.
const NAMED_FIELDS: usize = 2;

/// The filters of the list, each with the label of the page.
const FILTERS: [(&str, &str); 5] = [
    ("action", "Change"),
    ("webhook_id", "Webhook"),
    ("actor_id", "Author"),
    ("since", "Since"),
    ("until", "Until"),
];

#[derive(Template)]
#[template(path = "audit/list.html")]
struct AuditPage {
    visit: Visit,
    query: Query,
    entries: Vec<Entry>,
    next_cursor: Option<String>,
    actions: &'static [AuditAction],
}

impl AuditPage {
    fn chips(&self) -> Vec<Chip> {
        chips(&self.query, &FILTERS, |field, value| match field {
            "action" => value
                .parse()
                .map_or_else(|_| value.to_owned(), |action| in_words(action).to_owned()),
            "webhook_id" => self.name_of(value, |entry| {
                let id = entry.body.webhook_id?;
                Some((id.to_string(), &entry.body.subject))
            }),
            "actor_id" => self.name_of(value, |entry| {
                let id = entry.body.actor.id?;
                Some((id.to_string(), &entry.body.actor.name))
            }),
            _ => value.to_owned(),
        })
    }

    /// The name beside an id in the latest of the listed changes; the short id where no listed change has the id.
    fn name_of<'a>(
        &'a self,
        id: &str,
        named: impl Fn(&'a Entry) -> Option<(String, &'a String)>,
    ) -> String {
        let mut names = self.entries.iter().filter_map(named);
        let found = names.find(|(known, _)| known == id);
        found.map_or_else(|| shorten::id(id), |(_, name)| name.clone())
    }
}

/// A change, in words.
pub(super) struct Entry {
    pub(super) body: AuditBody,
    /// The kind of change.
    pub(super) title: &'static str,
    /// The changed fields.
    pub(super) differences: Vec<Difference>,
}

impl Entry {
    fn of(body: AuditBody) -> Self {
        let title = in_words(body.action);
        Self {
            differences: differences(body.before.as_ref(), body.after.as_ref()),
            title,
            body,
        }
    }

    /// The changed fields in a few words: `Name, URL and 3 more`.
    pub(super) fn changed_fields(&self) -> String {
        let fields = self.differences.iter().map(|one| one.field.as_str());
        let named = fields.take(NAMED_FIELDS).collect::<Vec<_>>().join(", ");
        match self.differences.len().saturating_sub(NAMED_FIELDS) {
            0 => named,
            more => format!("{named} and {more} more"),
        }
    }

    /// Whether the entry is an update; otherwise the whole subject was created or deleted.
    pub(super) fn is_change(&self) -> bool {
        self.body.before.is_some() && self.body.after.is_some()
    }
}

/// A page of changes.
pub(super) struct Entries {
    pub(super) data: Vec<Entry>,
    next_cursor: Option<String>,
}

/// Reads the changes of a query.
pub(super) async fn read_entries(
    query: &str,
    connections: &Connections,
) -> Result<Entries, Refusal> {
    let Page { data, next_cursor } = list_audit(query, connections).await?;
    Ok(Entries {
        data: data.into_iter().map(Entry::of).collect(),
        next_cursor,
    })
}

/// Lists changes.
pub(super) async fn show_audit(
    visit: Visit,
    query: Query,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let entries = read_entries(&query.as_api(), &connections).await?;
    let shown = AuditPage {
        visit,
        query,
        entries: entries.data,
        next_cursor: entries.next_cursor,
        actions: AuditAction::ALL,
    };
    page(&shown.visit, &shown)
}
