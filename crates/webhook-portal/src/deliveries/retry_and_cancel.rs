//! The forms to retry or cancel deliveries: a single one, or the selected rows of the list.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::web::Data;
use webhook_admin::deliveries::{self, DeliveryBody};
use webhook_admin::{Caller, Connections, Refusal};
use webhook_domain::DeliveryId;
use webhook_web::problem::refusal_status;
use webhook_web::{Authenticated, PathId, Problem};

use super::show::show_refusal;
use crate::filters::{as_sentence, group};
use crate::flash::Flash;
use crate::form::Form;
use crate::html::redirect_with_flash;
use crate::visit::Visit;

/// The most deliveries per form: the rows of the largest page of the list.
const MAX_SELECTED: usize = 200;

/// Retries a delivery now.
pub(crate) async fn retry_delivery(
    PathId(id): PathId<DeliveryId>,
    _form: Form,
    visit: Visit,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    match deliveries::retry_delivery(id, &visit.caller, &connections).await {
        Ok(()) => Ok(go_to_delivery(id, "The delivery is queued for a retry.")),
        Err(refusal) => explain(id, refusal, &visit, &connections).await,
    }
}

/// Cancels a delivery.
pub(crate) async fn cancel_delivery(
    PathId(id): PathId<DeliveryId>,
    _form: Form,
    visit: Visit,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    match deliveries::cancel_delivery(id, &visit.caller, &connections).await {
        Ok(DeliveryBody { id, .. }) => Ok(go_to_delivery(
            id,
            "The delivery is cancelled. It is not attempted again.",
        )),
        Err(refusal) => explain(id, refusal, &visit, &connections).await,
    }
}

fn go_to_delivery(id: DeliveryId, sentence: &str) -> HttpResponse {
    let page = format!("/admin/webhook-deliveries/{id}");
    redirect_with_flash(&page, &Flash::new(sentence))
}

/// Shows the delivery with the reason of a conflict. Any other refusal has a page of its own.
async fn explain(
    id: DeliveryId,
    refusal: Refusal,
    visit: &Visit,
    connections: &Connections,
) -> Result<HttpResponse, Problem> {
    if !matches!(refusal, Refusal::Conflict(_)) {
        return Err(refusal.into());
    }
    let reason = as_sentence(&refusal.to_string());
    show_refusal(id, visit, (refusal_status(&refusal), reason), connections).await
}

/// Retries the selected deliveries one after the other.
pub(crate) async fn retry_selected(
    form: Form,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let mut retried = 0;
    let mut skipped: BTreeMap<&'static str, i64> = BTreeMap::new();
    for id in form.all("id").take(MAX_SELECTED) {
        match retry_one(id, &caller, &connections).await? {
            Retried::Queued => retried += 1,
            Retried::Skipped(reason) => *skipped.entry(reason).or_default() += 1,
        }
    }
    let flash = Flash::new(summary(retried, &skipped));
    Ok(redirect_with_flash(
        form.back("/admin/webhook-deliveries"),
        &flash,
    ))
}

/// The result for a selected delivery.
enum Retried {
    Queued,
    /// With the reason.
    Skipped(&'static str),
}

async fn retry_one(
    id: &str,
    caller: &Caller,
    connections: &Connections,
) -> Result<Retried, Refusal> {
    // Retention may have removed the delivery since the list was shown.
    let removed = Ok(Retried::Skipped("the delivery is not kept any more"));
    let Ok(id) = id.parse() else {
        return removed;
    };
    match deliveries::retry_delivery(id, caller, connections).await {
        Ok(()) => Ok(Retried::Queued),
        Err(Refusal::Conflict(reason)) => Ok(Retried::Skipped(reason)),
        Err(Refusal::NotFound(_)) => removed,
        Err(refusal) => Err(refusal),
    }
}

fn summary(retried: i64, skipped: &BTreeMap<&'static str, i64>) -> String {
    let mut summary = match (retried, skipped.is_empty()) {
        (0, true) => return "Nothing was selected: select deliveries first.".to_owned(),
        (0, false) => "No delivery is queued for a retry.".to_owned(),
        (1, _) => "1 delivery is queued for a retry.".to_owned(),
        (_, _) => format!("{} deliveries are queued for a retry.", group(retried)),
    };
    for (reason, count) in skipped {
        summary.push_str(&format!(" {} skipped: {reason}.", group(*count)));
    }
    summary
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skipped_deliveries_are_counted_with_their_reason() {
        let skipped = BTreeMap::from([("its webhook was deleted", 2)]);

        assert_eq!(
            summary(1, &skipped),
            "1 delivery is queued for a retry. 2 skipped: its webhook was deleted."
        );
        assert!(summary(0, &BTreeMap::new()).starts_with("Nothing was selected"));
        assert_eq!(
            summary(1_200, &BTreeMap::new()),
            "1,200 deliveries are queued for a retry."
        );
    }
}
