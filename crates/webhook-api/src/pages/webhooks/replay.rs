//! A webhook gets events that it missed: they are counted first, and sent when that is confirmed.

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use chrono::{SubsecRound, TimeDelta, Utc};
use serde_json::{Value, json};
use webhook_domain::{JobRate, WebhookId};

use crate::pages::errors::Errors;
use crate::pages::filters;
use crate::pages::form::Form;
use crate::pages::html::{go_on, page_with};
use crate::pages::notice::Notice;
use crate::pages::query::in_utc;
use crate::pages::visit::Visit;
use crate::routes::webhooks::replay::{count_missed, start_replay};
use webhook_admin::Connections;
use webhook_admin::webhooks::{WebhookBody, find_webhook};
use webhook_web::Authenticated;
use webhook_web::{PathId, Problem};

/// What is offered first, in hours.
const LAST_HOURS: i64 = 24;

/// How a browser's field takes a time.
const FIELD_TIME: &str = "%Y-%m-%dT%H:%M";

#[derive(Template)]
#[template(path = "webhooks/replay.html")]
struct ReplayPage {
    visit: Visit,
    webhook: WebhookBody,
    asked: Asked,
    errors: Errors,
    /// How many there are, when they were counted.
    counted: Option<i64>,
}

/// What the fields say.
struct Asked {
    since: String,
    until: String,
    rate: String,
}

impl Asked {
    fn of(form: &Form) -> Self {
        let field = |name| form.text(name).to_owned();
        Self {
            since: field("since"),
            until: field("until"),
            rate: field("rate"),
        }
    }

    /// As the API takes it; what is no number is for it to refuse.
    fn as_api(&self) -> Vec<u8> {
        let said = |text: &str| {
            (!text.is_empty()).then(|| in_utc(text).unwrap_or_else(|| text.to_owned()))
        };
        let rate = match self.rate.parse::<u64>() {
            Ok(rate) => json!(rate),
            Err(_) if self.rate.is_empty() => Value::Null,
            Err(_) => json!(self.rate),
        };
        let until = said(&self.until);
        let mut body = json!({"until": until, "rate": rate});
        if let Some(since) = said(&self.since) {
            body["since"] = json!(since);
        }
        body.to_string().into_bytes()
    }
}

/// Asks of which time.
pub(in crate::pages) async fn show_replay(
    PathId(id): PathId<WebhookId>,
    visit: Visit,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let since = Utc::now() - TimeDelta::hours(LAST_HOURS);
    let asked = Asked {
        since: since.format(FIELD_TIME).to_string(),
        until: String::new(),
        rate: JobRate::default().get().to_string(),
    };
    let webhook = find_webhook(id, &connections).await?;
    answer(visit, webhook, asked, Errors::default(), None)
}

/// Counts what was missed and asks back; starts the job when that is confirmed.
pub(in crate::pages) async fn replay_events(
    PathId(id): PathId<WebhookId>,
    form: Form,
    visit: Visit,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let mut asked = Asked::of(&form);
    if form.has("confirmed") {
        let job = start_replay(id, &asked.as_api(), &caller, &connections).await?;
        let notice = Notice::new("The replay has begun.");
        return Ok(go_on(&format!("/admin/jobs/{}", job.id), &notice));
    }
    let webhook = find_webhook(id, &connections).await?;
    if asked.until.is_empty() {
        // What comes while one reads the question is not what was counted.
        asked.until = Utc::now().trunc_subsecs(3).to_rfc3339();
    }
    match count_missed(id, &asked.as_api(), &connections).await {
        Ok(count) => answer(visit, webhook, asked, Errors::default(), Some(count)),
        Err(problem) => {
            let errors = Errors::of(problem)?;
            answer(visit, webhook, Asked::of(&form), errors, None)
        }
    }
}

fn answer(
    visit: Visit,
    webhook: WebhookBody,
    asked: Asked,
    errors: Errors,
    counted: Option<i64>,
) -> Result<HttpResponse, Problem> {
    let status = errors.status();
    let shown = ReplayPage {
        visit,
        webhook,
        asked,
        errors,
        counted,
    };
    page_with(status, &shown.visit, &shown)
}
