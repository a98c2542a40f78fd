//! Deliveries are sent again or cancelled, one or those that were picked.

use std::collections::BTreeMap;

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, ResponseError};

use super::show::show_refusal;
use crate::pages::filters::{as_sentence, group};
use crate::pages::form::Form;
use crate::pages::html::go_on;
use crate::pages::notice::Notice;
use crate::pages::visit::Visit;
use crate::routes::deliveries::again::{cancel, retry};
use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_web::Authenticated;
use webhook_web::Problem;

/// The most that are picked: what a page of the list has.
const MAX_PICKED: usize = 200;

/// Sends a delivery now.
pub(in crate::pages) async fn retry_delivery(
    id: Path<String>,
    _form: Form,
    visit: Visit,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let retried = retry(&id, &visit.caller, &connections).await;
    answer(&id, retried, "It is sent now.", &visit, &connections).await
}

/// Wants a delivery no more.
pub(in crate::pages) async fn cancel_delivery(
    id: Path<String>,
    _form: Form,
    visit: Visit,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let cancelled = cancel(&id, &visit.caller, &connections).await;
    let told = "It is cancelled: it is not tried again.";
    answer(&id, cancelled, told, &visit, &connections).await
}

/// Goes on to the delivery; what was refused is told on its page.
async fn answer<T>(
    id: &str,
    done: Result<T, Refusal>,
    told: &str,
    visit: &Visit,
    connections: &Connections,
) -> Result<HttpResponse, Problem> {
    match done {
        Ok(_) => {
            let page = format!("/admin/webhook-deliveries/{id}");
            Ok(go_on(&page, &Notice::new(told)))
        }
        Err(refusal @ Refusal::Conflict(_)) => {
            let reason = as_sentence(&refusal.to_string());
            let status = Problem::from(refusal).status_code();
            show_refusal(id, visit, (status, reason), connections).await
        }
        Err(refusal) => Err(refusal.into()),
    }
}

/// Sends those now that were picked in the list, one after the other.
pub(in crate::pages) async fn retry_selected(
    form: Form,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let mut sent = 0;
    let mut refused: BTreeMap<&'static str, i64> = BTreeMap::new();
    for id in form.all("id").take(MAX_PICKED) {
        match retry(id, &caller, &connections).await {
            Ok(_) => sent += 1,
            Err(Refusal::Conflict(reason)) => *refused.entry(reason).or_default() += 1,
            Err(Refusal::NotFound(_)) => {
                *refused.entry("it is not kept any more").or_default() += 1;
            }
            Err(refusal) => return Err(refusal.into()),
        }
    }
    let notice = Notice::new(tell(sent, &refused));
    Ok(go_on(form.back("/admin/webhook-deliveries"), &notice))
}

fn tell(sent: i64, refused: &BTreeMap<&'static str, i64>) -> String {
    let mut told = match (sent, refused.is_empty()) {
        (0, true) => return "Nothing was picked: tick the deliveries first.".to_owned(),
        (0, false) => "None is sent.".to_owned(),
        (1, _) => "1 delivery is sent now.".to_owned(),
        (_, _) => format!("{} deliveries are sent now.", group(sent)),
    };
    for (reason, count) in refused {
        told.push_str(&format!(" {} left alone: {reason}.", group(*count)));
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_alone_is_told_with_the_reason() {
        let refused = BTreeMap::from([("its webhook was deleted", 2)]);

        assert_eq!(
            tell(1, &refused),
            "1 delivery is sent now. 2 left alone: its webhook was deleted."
        );
        assert!(tell(0, &BTreeMap::new()).starts_with("Nothing was picked"));
        assert_eq!(
            tell(1_200, &BTreeMap::new()),
            "1,200 deliveries are sent now."
        );
    }
}
