//! The general settings: retention times, failing webhooks, grace period, outgoing addresses, links for
//! ids in payloads.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;
use webhook_domain::FieldError;
use webhook_store::settings::{self, SettingsRow};

use super::times::{GROUPS, Shortened, Time};
use crate::errors::Errors;
use crate::filters;
use crate::flash::Flash;
use crate::form::Form;
use crate::html::{page, page_with, redirect_with_flash};
use crate::visit::Visit;
use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_admin::settings::{RetentionBody, ValuesBody, change_settings, patch_of};
use webhook_admin::version::{IfMatch, etag};
use webhook_web::Problem;

const PATH: &str = "/admin/settings";

/// The buttons of the page that asks before data is deleted.
const CONFIRMED: &str = "confirmed";
const EDIT: &str = "edit";

#[derive(Template)]
#[template(path = "settings/general.html")]
struct GeneralPage {
    visit: Visit,
    /// The saved values, or the typed ones.
    values: ValuesBody,
    version: i64,
    errors: Errors,
    /// The values of somebody else's save since this form was loaded.
    meanwhile: Option<ValuesBody>,
}

#[derive(Template)]
#[template(path = "settings/shorten.html")]
struct ShortenPage {
    visit: Visit,
    values: ValuesBody,
    version: i64,
    shortened: Vec<Shortened>,
}

impl ShortenPage {
    fn patterns(&self) -> String {
        pattern_lines(&self.values.link_patterns)
    }
}

/// The result of a form.
enum Step {
    /// The settings are saved.
    Saved,
    /// Saving would delete data, and needs a confirmation.
    Ask(Vec<Shortened>),
}

/// Shows the settings.
pub(crate) async fn show_settings(
    visit: Visit,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let row = find(&connections).await?;
    let shown = GeneralPage {
        visit,
        values: ValuesBody::from(&row.settings),
        version: row.version,
        errors: Errors::default(),
        meanwhile: None,
    };
    page(&shown.visit, &shown)
}

/// Saves the settings, after a confirmation where data would be deleted.
pub(crate) async fn save_settings(
    visit: Visit,
    form: Form,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let mut typed = GeneralPage {
        visit,
        values: typed_values(&form),
        version: form.text("version").parse().unwrap_or_default(),
        errors: Errors::default(),
        meanwhile: None,
    };
    let step = form.text("step");
    if step == EDIT {
        return page(&typed.visit, &typed);
    }
    let status = match typed.save(step == CONFIRMED, &connections).await {
        Ok(Step::Saved) => {
            return Ok(redirect_with_flash(
                PATH,
                &Flash::new("The settings are saved."),
            ));
        }
        Ok(Step::Ask(shortened)) => return typed.ask(shortened),
        Err(Refusal::VersionMismatch { .. }) => {
            let now = find(&connections).await?;
            typed.version = now.version;
            typed.meanwhile = Some(ValuesBody::from(&now.settings));
            StatusCode::PRECONDITION_FAILED
        }
        Err(problem) => {
            typed.errors = Errors::of(with_addresses(problem, &typed.values))?;
            typed.errors.status()
        }
    };
    page_with(status, &typed.visit, &typed)
}

impl GeneralPage {
    async fn save(&self, confirmed: bool, connections: &Connections) -> Result<Step, Refusal> {
        let patch = serde_json::to_vec(&self.values).expect("our bodies are JSON");
        let if_match = IfMatch::Tags(vec![etag(self.version)]);
        let before = find(connections).await?;
        if_match.check(before.version)?;
        let after = patch_of(&patch, &before.settings)?;
        let shortened = Shortened::all(&before.settings.retention, &after.retention);
        if !shortened.is_empty() && !confirmed {
            return Ok(Step::Ask(shortened));
        }
        change_settings(&if_match, &patch, &self.visit.caller, connections).await?;
        Ok(Step::Saved)
    }

    fn ask(self, shortened: Vec<Shortened>) -> Result<HttpResponse, Problem> {
        let shown = ShortenPage {
            visit: self.visit,
            values: self.values,
            version: self.version,
            shortened,
        };
        page(&shown.visit, &shown)
    }

    /// The saved value of a time, if somebody else saved another value than the typed one.
    fn meanwhile(&self, time: &Time) -> Option<&str> {
        let set = time.of(self.meanwhile.as_ref()?);
        (set != time.of(&self.values)).then_some(set)
    }

    /// The links for ids as lines.
    fn patterns(&self) -> String {
        pattern_lines(&self.values.link_patterns)
    }

    /// The saved links for ids, if somebody else saved others than the typed ones.
    fn meanwhile_patterns(&self) -> Option<String> {
        let set = &self.meanwhile.as_ref()?.link_patterns;
        (*set != self.values.link_patterns).then(|| pattern_lines(set).replace('\n', ", "))
    }

    /// The portal's own address as text.
    fn portal_url(&self) -> &str {
        self.values.portal_url.as_deref().unwrap_or_default()
    }

    /// The saved address of the portal, if somebody else saved another than the typed one.
    fn meanwhile_portal_url(&self) -> Option<&str> {
        let set = &self.meanwhile.as_ref()?.portal_url;
        (*set != self.values.portal_url).then(|| set.as_deref().unwrap_or("none"))
    }

    /// The saved addresses, if somebody else saved others than the typed ones.
    fn meanwhile_addresses(&self) -> Option<String> {
        let set = &self.meanwhile.as_ref()?.egress_addresses;
        (*set != self.values.egress_addresses).then(|| set.join(", "))
    }
}

async fn find(connections: &Connections) -> Result<SettingsRow, Refusal> {
    let mut connection = connections.acquire().await?;
    Ok(settings::find(&mut connection).await?)
}

/// The typed values, right or wrong.
fn typed_values(form: &Form) -> ValuesBody {
    let text = |name| form.text(name).to_owned();
    let lines = form.text("egress_addresses").lines().map(str::trim);
    let addresses = lines.filter(|line| !line.is_empty());
    ValuesBody {
        retention: RetentionBody {
            events: text("retention.events"),
            deliveries: text("retention.deliveries"),
            bodies: text("retention.bodies"),
            audit: text("retention.audit"),
        },
        disable_after: text("disable_after"),
        default_grace_period: text("default_grace_period"),
        egress_addresses: addresses.map(str::to_owned).collect(),
        link_patterns: typed_patterns(form.text("link_patterns")),
        portal_url: Some(form.text("portal_url").trim().to_owned()).filter(|url| !url.is_empty()),
    }
}

/// The typed links: on each line a field and a URL.
fn typed_patterns(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let pairs = lines.map(|line| {
        let (field, url) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        (field.to_owned(), url.trim().to_owned())
    });
    pairs.collect()
}

/// Links for ids as lines of the form.
fn pattern_lines(patterns: &BTreeMap<String, String>) -> String {
    let lines = patterns.iter().map(|(field, url)| format!("{field} {url}"));
    lines.collect::<Vec<_>>().join("\n")
}

/// Names a refused address by its text: the API's index from 0 means nothing on a page.
fn with_addresses(refusal: Refusal, typed: &ValuesBody) -> Refusal {
    let Refusal::Invalid(errors) = refusal else {
        return refusal;
    };
    let named = errors.into_iter().map(|error| {
        let index = error.field.strip_prefix("egress_addresses[");
        let index = index.and_then(|rest| rest.strip_suffix(']')?.parse().ok());
        let text = index.and_then(|index: usize| typed.egress_addresses.get(index));
        match text {
            Some(text) => FieldError::new("egress_addresses", format!("“{text}” {}", error.reason)),
            None => error,
        }
    });
    Refusal::Invalid(named.collect())
}
