//! One event: what was published, and what became of it for every webhook.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use askama::Template;
use webhook_domain::EventOutcome;

use crate::pages::filters::{self, group};
use crate::pages::html::page;
use crate::pages::json::pretty;
use crate::pages::query::Query;
use crate::pages::visit::Visit;
use crate::routes::events::explanation::{ExplainedWebhookBody, ExplanationBody, read_explanation};
use crate::routes::events::read::{EventWithBody, read_event};
use webhook_admin::Connections;
use webhook_web::Problem;

#[derive(Template)]
#[template(path = "events/detail.html")]
struct EventPage {
    visit: Visit,
    query: Query,
    found: EventWithBody,
    /// The body, set in lines.
    pretty: String,
    /// What became of the event, in a sentence.
    summary: String,
    /// How many webhooks have each outcome that any has.
    counts: Vec<(EventOutcome, i64)>,
    groups: Vec<Group>,
    next_cursor: Option<String>,
}

/// The webhooks with one outcome that are on this page.
struct Group {
    outcome: EventOutcome,
    /// How many have it on all pages.
    count: i64,
    webhooks: Vec<ExplainedWebhookBody>,
}

impl Group {
    /// How many are on other pages.
    fn elsewhere(&self) -> i64 {
        let here = i64::try_from(self.webhooks.len()).unwrap_or(i64::MAX);
        self.count.saturating_sub(here)
    }
}

/// Shows an event.
pub(in crate::pages) async fn show_event(
    visit: Visit,
    id: Path<String>,
    query: Query,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let found = read_event(&id, &connections).await?;
    let explanation = read_explanation(&id, &query.as_api(), &connections).await?;
    let counts = counts(&explanation);
    let shown = EventPage {
        visit,
        query,
        pretty: pretty(&found.body).unwrap_or_else(|| found.body.clone()),
        found,
        summary: summary(&counts),
        groups: groups(&counts, explanation.webhooks.data),
        counts,
        next_cursor: explanation.webhooks.next_cursor,
    };
    page(&shown.visit, &shown)
}

fn counts(explanation: &ExplanationBody) -> Vec<(EventOutcome, i64)> {
    let counts = EventOutcome::ALL.iter().map(|outcome| {
        let count = explanation.counts.get(outcome.as_str());
        (*outcome, count.copied().unwrap_or_default())
    });
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
            .find(|group| group.outcome.as_str() == webhook.outcome);
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
