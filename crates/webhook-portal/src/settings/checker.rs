//! The signature checker: a check of a received request, with the reason of a mismatch.

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use serde_json::{Map, Value, json};
use webhook_domain::{OwnSecret, ReceivedRequest, SecretStanding, SigningSecret, WebhookId};
use webhook_store::SealingKeys;

use super::suggestions::{find_webhook, suggest};
use crate::errors::Errors;
use crate::filters;
use crate::form::Form;
use crate::html::{page, page_with};
use crate::query::Query;
use crate::visit::Visit;
use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_admin::fields::Fields;
use webhook_admin::signatures::{VerifiedSignature, find_secrets, take_received, verify};
use webhook_admin::webhooks::WebhookBody;
use webhook_web::Problem;

#[derive(Template)]
#[template(path = "settings/checker.html")]
struct CheckerPage {
    visit: Visit,
    /// The typed webhook: an id, or a part of a name or URL.
    webhook: String,
    /// Webhooks matching the typed text.
    suggested: Vec<WebhookBody>,
    form: Form,
    errors: Errors,
    answer: Option<Answer>,
}

/// The result of a check.
struct Answer {
    found: VerifiedSignature,
    /// The webhook of the secrets; `None`: the typed secret was used.
    webhook: Option<WebhookId>,
}

/// Shows the form, for the webhook in the address if there is one.
pub(crate) async fn show_checker(
    visit: Visit,
    query: Query,
    connections: Data<Connections>,
    keys: Data<SealingKeys>,
) -> Result<HttpResponse, Problem> {
    let webhook = query.text("webhook").to_owned();
    let shown = CheckerPage {
        visit,
        suggested: suggest(&webhook, &connections, &keys).await?,
        webhook,
        form: Form::default(),
        errors: Errors::default(),
        answer: None,
    };
    page(&shown.visit, &shown)
}

/// Checks a request. A typed secret stays in its field for the next try, and is stored nowhere.
pub(crate) async fn check_signature(
    visit: Visit,
    form: Form,
    connections: Data<Connections>,
    keys: Data<SealingKeys>,
) -> Result<HttpResponse, Problem> {
    let webhook = form.text("webhook").to_owned();
    let suggested = suggest(&webhook, &connections, &keys).await?;
    let (errors, answer) = match check(&form, &connections, &keys).await {
        Ok(answer) => (Errors::default(), Some(answer)),
        Err(problem) => (Errors::of(problem)?, None),
    };
    let shown = CheckerPage {
        visit,
        webhook,
        suggested,
        form,
        errors,
        answer,
    };
    page_with(shown.errors.status(), &shown.visit, &shown)
}

async fn check(
    form: &Form,
    connections: &Connections,
    keys: &SealingKeys,
) -> Result<Answer, Refusal> {
    let (request, mut fields) = read_request(form);
    let signer = match (form.text("webhook"), form.text("secret")) {
        ("", "") => Err((
            "webhook",
            "name a webhook, or give a secret below".to_owned(),
        )),
        ("", secret) => parse_secret(secret).map_err(|reason| ("secret", reason)),
        (webhook, "") => find_signer(webhook, connections, keys)
            .await?
            .map_err(|reason| ("webhook", reason)),
        _ => Err(("secret", "give a webhook or a secret, not both".to_owned())),
    };
    if let Err((name, reason)) = &signer {
        fields.refuse(name, reason);
    }
    let errors = fields.finish();
    match (request, signer) {
        (Some(request), Ok(Signer { webhook, own })) if errors.is_empty() => {
            let found = verify(request, own, connections, keys).await?;
            Ok(Answer { found, webhook })
        }
        _ => Err(Refusal::Invalid(errors)),
    }
}

/// The secrets for a check.
struct Signer {
    webhook: Option<WebhookId>,
    own: Vec<OwnSecret>,
}

async fn find_signer(
    text: &str,
    connections: &Connections,
    keys: &SealingKeys,
) -> Result<Result<Signer, String>, Refusal> {
    let id = match find_webhook(text, connections, keys).await? {
        Ok(id) => id,
        Err(reason) => return Ok(Err(reason)),
    };
    match find_secrets(id, connections, keys).await {
        Ok(own) => Ok(Ok(Signer {
            webhook: Some(id),
            own,
        })),
        Err(Refusal::NotFound(_)) => Ok(Err("there is no webhook with this id".to_owned())),
        Err(problem) => Err(problem),
    }
}

fn parse_secret(text: &str) -> Result<Signer, String> {
    let secret = SigningSecret::parse(text).map_err(|error| error.to_string())?;
    let typed = OwnSecret {
        secret,
        valid_until: None,
    };
    Ok(Signer {
        webhook: None,
        own: vec![typed],
    })
}

/// Reads headers and body as the API does; faults are noted in the fields.
fn read_request(form: &Form) -> (Option<ReceivedRequest>, Fields<'static>) {
    let mut headers = Map::new();
    let mut wrong = None;
    for line in form.text("headers").lines().map(str::trim) {
        match line.split_once(':') {
            Some((name, value)) => {
                headers.insert(name.trim().to_owned(), json!(value.trim()));
            }
            None if line.is_empty() => {}
            None => wrong = wrong.or(Some(line)),
        }
    }
    let (name, body) = body_of(form);
    let document = Value::from_iter([("headers", Value::from(headers)), (name, json!(body))]);
    let document = document.to_string();
    let mut read = Fields::of_body(document.as_bytes()).expect("it is an object");
    let request = take_received(&mut read);
    let mut fields = Fields::default();
    for error in read.finish() {
        fields.refuse(&error.field, error.reason);
    }
    if let Some(line) = wrong {
        let reason = format!("“{line}” is no header: write its name, a colon and its value");
        fields.refuse("headers", reason);
    }
    (request, fields)
}

/// The body, with its field name in the API. A browser sends CR LF for every line end and hides the real
/// one; nearly all JSON has LF. Other bodies are given in base64.
fn body_of(form: &Form) -> (&'static str, String) {
    if form.has("is_base64") {
        let text = form.text("body").split_whitespace();
        return ("body_base64", text.collect());
    }
    ("body", form.raw("body").replace("\r\n", "\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(form: &str) -> (Option<Vec<u8>>, Vec<String>) {
        let (request, fields) = read_request(&Form::parse(form.as_bytes()));
        let reasons = fields.finish().into_iter().map(|error| error.reason);
        (
            request.map(|request| request.body.to_vec()),
            reasons.collect(),
        )
    }

    #[test]
    fn a_body_is_read_as_it_was_before_the_browser_sent_it() {
        let typed = read("body=+{%0D%0A}%0D%0A");
        let encoded = read("body=ew0K%0D%0AfQ%3D%3D&is_base64=on");

        assert_eq!(typed, (Some(b" {\n}\n".to_vec()), vec![]));
        assert_eq!(encoded, (Some(b"{\r\n}".to_vec()), vec![]));
    }

    #[test]
    fn a_line_that_is_no_header_is_named() {
        let (_, reasons) = read("headers=webhook-id:+a:b%0D%0A%0D%0APOST+/in+HTTP/1.1");

        let reason = "“POST /in HTTP/1.1” is no header: write its name, a colon and its value";
        assert_eq!(reasons, [reason]);
    }
}
