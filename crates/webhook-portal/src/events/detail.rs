//! The page of an event: the body, and the outcome for every webhook.

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use webhook_admin::Connections;
use webhook_admin::events::{
    EventWithBody, ExplainEvent, ExplainedWebhookBody, explain_event, find_event,
};
use webhook_admin::named_counts::NamedCounts;
use webhook_admin::settings::find_link_patterns;
use webhook_domain::{EventId, EventOutcome};
use webhook_web::{PathId, Problem};

use crate::api_call;
use crate::filters::{self, group};
use crate::html::page;
use crate::json::pretty;
use crate::payload::with_links;
use crate::query::Query;
use crate::visit::Visit;

#[derive(Template)]
#[template(path = "events/detail.html")]
struct EventPage {
    visit: Visit,
    query: Query,
    found: EventWithBody,
    /// The body, formatted for reading, as HTML with links for ids.
    pretty: String,
    api_call: String,
    /// The outcomes in a sentence.
    summary: String,
    /// The number of webhooks per outcome, in the order of outcomes, without zeros.
    counts: Vec<(EventOutcome, i64)>,
    groups: Vec<Group>,
    next_cursor: Option<String>,
}

/// The webhooks of the page with the same outcome.
struct Group {
    outcome: EventOutcome,
    /// The webhooks with the outcome on all pages.
    count: i64,
    webhooks: Vec<ExplainedWebhookBody>,
}

impl Group {
    /// The number of webhooks with the outcome on other pages.
    fn elsewhere(&self) -> i64 {
        let here = i64::try_from(self.webhooks.len()).unwrap_or(i64::MAX);
        self.count.saturating_sub(here)
    }
}

/// Shows an event.
pub(crate) async fn show_event(
    visit: Visit,
    PathId(id): PathId<EventId>,
    query: Query,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let explain = ExplainEvent::parse(&query.as_api())?;
    let found = find_event(id, &connections).await?;
    let explanation = explain_event(id, &explain, &connections).await?;
    let links = find_link_patterns(&connections).await?;
    let counts = counts(&explanation.counts);
    let shown = EventPage {
        query,
        pretty: with_links(pretty(&found.body).as_ref().unwrap_or(&found.body), &links),
        api_call: api_call::get(&visit, &format!("/events/{id}")),
        found,
        summary: summary(&counts),
        groups: groups(&counts, explanation.webhooks.data),
        counts,
        next_cursor: explanation.webhooks.next_cursor,
        visit,
    };
    page(&shown.visit, &shown)
}

fn counts(counts: &NamedCounts<EventOutcome>) -> Vec<(EventOutcome, i64)> {
    let outcomes = EventOutcome::ALL.iter();
    let counts = outcomes.map(|outcome| (*outcome, counts.get(*outcome)));
    counts.filter(|(_, count)| *count > 0).collect()
}

fn groups(counts: &[(EventOutcome, i64)], webhooks: Vec<ExplainedWebhookBody>) -> Vec<Group> {
    let mut groups: Vec<Group> = counts
        .iter()
        .map(|(outcome, count)| Group {
            outcome: *outcome,
            count: *count,
            webhooks: Vec::new(),
        })
        .collect();
    for webhook in webhooks {
        let group = groups
            .iter_mut()
            .find(|group| group.outcome == webhook.outcome);
        if let Some(group) = group {
            group.webhooks.push(webhook);
        }
    }
    groups.retain(|group| !group.webhooks.is_empty());
    groups
}

/// `Of 4 webhooks, 3 accepted it and 1 was Inactive.`
fn summary(counts: &[(EventOutcome, i64)]) -> String {
    let all: i64 = counts.iter().map(|(_, count)| count).sum();
    let said: Vec<String> = counts
        .iter()
        .map(|(outcome, count)| say(*outcome, *count))
        .collect();
    let Some((last, others)) = said.split_last() else {
        return "There is no webhook yet.".to_owned();
    };
    let said = if others.is_empty() {
        last.clone()
    } else {
        format!("{} and {last}", others.join(", "))
    };
    let webhooks = if all == 1 { "webhook" } else { "webhooks" };
    format!("Of {} {webhooks}, {said}.", group(all))
}

fn say(outcome: EventOutcome, count: i64) -> String {
    let (one, many) = match outcome {
        EventOutcome::Delivered => ("accepted it", "accepted it"),
        EventOutcome::Pending => ("waits for it", "wait for it"),
        EventOutcome::Retrying => ("is being retried", "are being retried"),
        EventOutcome::Failed => ("failed", "failed"),
        EventOutcome::Cancelled => ("was cancelled", "were cancelled"),
        EventOutcome::OtherEnvironment => {
            ("was for another environment", "were for other environments")
        }
        EventOutcome::NotSubscribed => ("was not subscribed", "were not subscribed"),
        EventOutcome::Inactive => ("was Inactive", "were Inactive"),
        EventOutcome::CreatedLater => ("was created later", "were created later"),
        EventOutcome::Deleted => ("was deleted before", "were deleted before"),
        EventOutcome::TestEvent => ("was not the one to test", "were not the one to test"),
        EventOutcome::NotKept => ("is not remembered", "are not remembered"),
    };
    let said = if count == 1 { one } else { many };
    format!("{} {said}", group(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_tells_what_became_of_an_event() {
        let told = summary(&[
            (EventOutcome::Delivered, 1_200),
            (EventOutcome::Retrying, 1),
            (EventOutcome::Inactive, 2),
        ]);

        assert_eq!(
            told,
            "Of 1,203 webhooks, 1,200 accepted it, 1 is being retried and 2 were Inactive."
        );
        let alone = summary(&[(EventOutcome::NotSubscribed, 1)]);
        assert_eq!(alone, "Of 1 webhook, 1 was not subscribed.");
        assert_eq!(summary(&[]), "There is no webhook yet.");
    }
}
