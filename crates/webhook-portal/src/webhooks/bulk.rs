//! One change of many webhooks, which are selected in the list.

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use serde_json::json;
use webhook_domain::{FieldError, WebhookId, WebhookStatus};
use webhook_store::webhooks::{BriefWebhook, list_brief};
use webhook_store::{SealingKeys, deliveries};

use crate::filters::{self, group};
use crate::flash::{Flash, Undo};
use crate::form::Form;
use crate::html::{page, redirect_with_flash};
use crate::visit::Visit;
use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_admin::webhooks::{
    BulkResult, BulkResults, ChangeWebhooks, change_webhooks as change_all,
};
use webhook_web::Authenticated;
use webhook_web::Problem;

/// The path of the list.
const LIST: &str = "/admin/webhooks";

#[derive(Template)]
#[template(path = "webhooks/bulk_delete.html")]
struct DeletePage {
    visit: Visit,
    /// The webhooks, each with the number of pending deliveries up to [`MAX_PENDING`].
    webhooks: Vec<(BriefWebhook, i64)>,
    back: String,
}

/// The most pending deliveries per webhook that are counted; beyond, the page says "10,000 or more".
const MAX_PENDING: i64 = 10_000;

impl DeletePage {
    /// The number of deliveries that a deletion cancels. A webhook with more than [`MAX_PENDING`] counts
    /// as [`MAX_PENDING`].
    fn pending(&self) -> i64 {
        self.webhooks.iter().map(|(_, pending)| pending).sum()
    }

    /// Whether a webhook has more pending deliveries than were counted.
    fn is_cut(&self) -> bool {
        self.webhooks
            .iter()
            .any(|(_, pending)| *pending == MAX_PENDING)
    }
}

/// A change of the selected webhooks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum BulkChange {
    Activate,
    Deactivate,
    Delete,
}

impl BulkChange {
    fn parse(name: &str) -> Result<Self, Refusal> {
        match name {
            "activate" => Ok(Self::Activate),
            "deactivate" => Ok(Self::Deactivate),
            "delete" => Ok(Self::Delete),
            _ => Err(Refusal::Invalid(vec![FieldError::new(
                "change",
                "must be activate, deactivate or delete",
            )])),
        }
    }

    /// The name of the change in the API.
    fn action(self) -> &'static str {
        match self {
            Self::Activate => "activate",
            Self::Deactivate => "deactivate",
            Self::Delete => "delete",
        }
    }

    /// What the changed webhooks are now: "3 webhooks are …".
    fn done(self) -> &'static str {
        match self {
            Self::Activate => "Active now",
            Self::Deactivate => "Inactive now: pending deliveries wait",
            Self::Delete => "deleted",
        }
    }

    /// The undo button for the changed webhooks. A deletion cannot be undone.
    fn undo(self, webhook_ids: Vec<WebhookId>) -> Option<Undo> {
        let was = match self {
            Self::Activate => WebhookStatus::Inactive,
            Self::Deactivate => WebhookStatus::Active,
            Self::Delete => return None,
        };
        let fits = (1..=Undo::MAX_WEBHOOKS).contains(&webhook_ids.len());
        fits.then_some(Undo::Statuses { webhook_ids, was })
    }
}

/// Sets the selected webhooks Active or Inactive. Deletes them after a question.
pub(crate) async fn change_webhooks(
    form: Form,
    visit: Visit,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
    keys: Data<SealingKeys>,
) -> Result<HttpResponse, Problem> {
    let change = BulkChange::parse(form.text("change"))?;
    let ids: Vec<&str> = form.all("ids").collect();
    let back = form.back(LIST);
    if ids.is_empty() {
        let flash = Flash::new("Select the webhooks first. Nothing was changed.");
        return Ok(redirect_with_flash(back, &flash));
    }
    if change == BulkChange::Delete && !form.has("confirmed") {
        return ask_back(visit, &ids, back, &connections).await;
    }
    let body = json!({"action": change.action(), "ids": ids}).to_string();
    let wanted = ChangeWebhooks::parse(body.as_bytes())?;
    let results = change_all(&wanted, &caller, &connections, &keys).await?;
    Ok(redirect_with_flash(back, &report(change, &results)))
}

async fn ask_back(
    visit: Visit,
    ids: &[&str],
    back: &str,
    connections: &Connections,
) -> Result<HttpResponse, Problem> {
    let ids: Vec<WebhookId> = ids.iter().filter_map(|id| id.parse().ok()).collect();
    let mut connection = connections.acquire().await?;
    let webhooks = list_brief(&mut connection, &ids).await?;
    let pending = deliveries::count_pending_of(&mut connection, &ids, MAX_PENDING).await?;
    let counted = webhooks.into_iter().map(|webhook| {
        let pending = pending.get(&webhook.id).copied().unwrap_or_default();
        (webhook, pending)
    });
    let shown = DeletePage {
        visit,
        webhooks: counted.collect(),
        back: back.to_owned(),
    };
    page(&shown.visit, &shown)
}

fn report(change: BulkChange, results: &BulkResults) -> Flash {
    let with = |result: BulkResult| {
        let found = results.results.iter().filter(|one| one.result == result);
        found.map(|one| one.id).collect::<Vec<WebhookId>>()
    };
    let changed = with(BulkResult::Changed);
    let mut text = format!("{} {}.", webhooks_are(changed.len()), change.done());
    for (result, rest) in [
        (BulkResult::Unchanged, "unchanged"),
        (BulkResult::NotFound, "not found"),
        (BulkResult::Refused, "refused"),
        (BulkResult::Unavailable, "not changed: try again"),
    ] {
        let count = with(result).len();
        if count > 0 {
            text.push_str(&format!(" {} {rest}.", webhooks_are(count)));
        }
    }
    match change.undo(changed) {
        Some(undo) => Flash::with_undo(text, undo),
        None => Flash::new(text),
    }
}

fn webhooks_are(count: usize) -> String {
    match i64::try_from(count).unwrap_or(i64::MAX) {
        0 => "No webhook is".to_owned(),
        1 => "1 webhook is".to_owned(),
        many => format!("{} webhooks are", group(many)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;
    use webhook_admin::webhooks::WebhookResult;

    fn results(each: &[BulkResult]) -> BulkResults {
        let results = (1..).zip(each).map(|(id, result)| WebhookResult {
            id: WebhookId(Uuid::from_u128(id)),
            result: *result,
            errors: Vec::new(),
        });
        BulkResults {
            results: results.collect(),
        }
    }

    #[test]
    fn what_was_changed_can_be_undone_and_what_was_not_is_told() {
        let results = results(&[
            BulkResult::Changed,
            BulkResult::Unchanged,
            BulkResult::Changed,
            BulkResult::NotFound,
        ]);

        let flash = report(BulkChange::Deactivate, &results);

        assert_eq!(
            flash.text,
            "2 webhooks are Inactive now: pending deliveries wait. 1 webhook is unchanged. \
             1 webhook is not found."
        );
        let webhook_ids = [1, 3].map(|id| WebhookId(Uuid::from_u128(id))).to_vec();
        let was = WebhookStatus::Active;
        assert_eq!(flash.undo, Some(Undo::Statuses { webhook_ids, was }));
    }

    #[test]
    fn nothing_that_was_deleted_comes_back() {
        let flash = report(BulkChange::Delete, &results(&[BulkResult::Changed]));

        assert_eq!(flash, Flash::new("1 webhook is deleted."));
    }
}
