//! Imports webhooks from a document: shows the changes first, and makes them after a confirmation.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;
use serde_json::{Map, Value};
use webhook_domain::FieldError;
use webhook_store::SealingKeys;

use super::transfer::ImportDraft;
use crate::audit::{Difference, differences};
use crate::errors::Errors;
use crate::filters::{self, group, label_of};
use crate::flash::Flash;
use crate::form::{DocumentForm, Form};
use crate::html::{page_with, redirect_with_flash};
use crate::visit::Visit;
use webhook_admin::url_rules::UrlRules;
use webhook_admin::webhooks::{
    self, ImportAction, ImportDocument, ImportResult, ImportTarget, ImportedWebhook,
};
use webhook_admin::{Connections, Refusal};
use webhook_web::Problem;
use webhook_web::problem::refusal_status;

/// The most webhooks whose changes the page lists. The rest is counted.
const MAX_LISTED: usize = 200;

#[derive(Template)]
#[template(path = "webhooks/import.html")]
struct ImportPage {
    visit: Visit,
    draft: ImportDraft,
    result: ImportResult,
    /// The webhooks that the import creates or changes, up to [`MAX_LISTED`].
    planned: Vec<Planned>,
}

/// A webhook that an import creates or changes.
struct Planned {
    webhook: ImportedWebhook,
    differences: Vec<Difference>,
}

impl ImportPage {
    /// How many webhooks the import creates or changes.
    fn total(&self) -> usize {
        self.result.created + self.result.updated
    }

    /// How many of these webhooks are not listed.
    fn unlisted(&self) -> usize {
        self.total() - self.planned.len()
    }
}

/// Shows the changes of an import; after the confirmation, makes them.
pub(crate) async fn import_webhooks(
    DocumentForm(form): DocumentForm,
    visit: Visit,
    connections: Data<Connections>,
    keys: Data<SealingKeys>,
    url_rules: Data<UrlRules>,
) -> Result<HttpResponse, Problem> {
    let draft = ImportDraft::sent(&form);
    let imported = async {
        let (target, document) = parse(&draft, &form, &url_rules)?;
        webhooks::import_webhooks(&target, &document, &visit.caller, &connections, &keys).await
    };
    match imported.await {
        Ok(result) if result.dry_run => preview(visit, draft, result),
        Ok(result) => {
            let list = format!(
                "/admin/webhooks?environment={}",
                result.environment.as_str()
            );
            Ok(redirect_with_flash(&list, &Flash::new(report(&result))))
        }
        Err(refusal) => refuse(draft, refusal, visit),
    }
}

fn parse(
    draft: &ImportDraft,
    form: &Form,
    url_rules: &UrlRules,
) -> Result<(ImportTarget, ImportDocument), Refusal> {
    let dry_run = !form.has("confirmed");
    let query = format!("environment={}&dry_run={dry_run}", draft.environment);
    let target = ImportTarget::parse(&query)?;
    if draft.document.is_empty() {
        let reason = "choose a file, or paste an exported document";
        return Err(Refusal::Invalid(vec![FieldError::new("document", reason)]));
    }
    let document = draft.document.as_bytes();
    let document = ImportDocument::parse(document, target.environment, url_rules)?;
    Ok((target, document))
}

fn preview(
    visit: Visit,
    draft: ImportDraft,
    result: ImportResult,
) -> Result<HttpResponse, Problem> {
    let mut result = result;
    let webhooks = std::mem::take(&mut result.webhooks).into_iter();
    let planned = webhooks.filter(|webhook| webhook.action != ImportAction::Unchanged);
    let shown = ImportPage {
        visit,
        draft,
        planned: planned.take(MAX_LISTED).map(Planned::of).collect(),
        result,
    };
    page_with(StatusCode::OK, &shown.visit, &shown)
}

/// The form again, with each fault of the document.
fn refuse(mut draft: ImportDraft, refusal: Refusal, visit: Visit) -> Result<HttpResponse, Problem> {
    let status = refusal_status(&refusal);
    let refusal = if let Refusal::Ambiguous(errors) = refusal {
        Refusal::Invalid(errors)
    } else if let Refusal::NotJson(reason) = refusal {
        let reason = format!("this is no JSON document ({reason})");
        Refusal::Invalid(vec![FieldError::new("document", reason)])
    } else {
        refusal
    };
    draft.entries = Errors::of(refusal)?.entries(place);
    draft.show(status, visit)
}

/// The label and the HTML id of a field: `webhooks[2].url` is the URL of the third webhook.
fn place(field: &str) -> (String, String) {
    let id = if field == "environment" {
        "import-environment"
    } else {
        "document"
    };
    let item = field
        .strip_prefix("webhooks[")
        .and_then(|rest| rest.split_once(']'));
    let label = match item {
        Some((index, rest)) => {
            let number = index.parse::<usize>().unwrap_or_default() + 1;
            format!("Webhook {number} {}", rest.trim_start_matches('.'))
        }
        None => label_of(field),
    };
    (label.trim_end().to_owned(), id.to_owned())
}

fn report(result: &ImportResult) -> String {
    let of = |count: usize, done: &str| match i64::try_from(count).unwrap_or(i64::MAX) {
        0 => String::new(),
        1 => format!("1 webhook is {done}."),
        many => format!("{} webhooks are {done}.", group(many)),
    };
    let told = [
        of(result.created, "created"),
        of(result.updated, "changed"),
        of(result.unchanged, "unchanged"),
    ];
    let told: Vec<&str> = told
        .iter()
        .map(String::as_str)
        .filter(|one| !one.is_empty())
        .collect();
    told.join(" ")
}

impl Planned {
    fn of(webhook: ImportedWebhook) -> Self {
        let side = |of: fn(&webhooks::FieldChange) -> &Value| {
            let fields = webhook.changes.iter();
            let fields = fields.map(|(name, change)| (name.clone(), of(change).clone()));
            Value::Object(fields.collect::<Map<_, _>>())
        };
        let (from, to) = (side(|change| &change.from), side(|change| &change.to));
        Self {
            differences: differences(Some(&from), Some(&to)),
            webhook,
        }
    }

    fn is_new(&self) -> bool {
        self.webhook.action == ImportAction::Create
    }

    /// Whether the import replaces the secret.
    fn has_new_secret(&self) -> bool {
        self.webhook.changes.contains_key("secret")
    }
}

#[cfg(test)]
mod tests {
    use webhook_domain::Environment;

    use super::*;

    #[test]
    fn a_fault_names_the_webhook_by_its_number() {
        let label = |field| place(field).0;

        assert_eq!(label("webhooks[2].url"), "Webhook 3 url");
        assert_eq!(label("webhooks[0]"), "Webhook 1");
        assert_eq!(label("webhooks"), "Webhooks");
    }

    #[test]
    fn what_an_import_did_is_told_in_numbers() {
        let result = ImportResult {
            environment: Environment::Staging,
            dry_run: false,
            created: 1,
            updated: 1_200,
            unchanged: 0,
            webhooks: Vec::new(),
        };

        assert_eq!(
            report(&result),
            "1 webhook is created. 1,200 webhooks are changed."
        );
    }
}
