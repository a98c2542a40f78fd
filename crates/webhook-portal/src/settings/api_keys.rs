//! API keys: the list, and the form to create a key.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;
use webhook_domain::Role;
use webhook_store::SealingKeys;

use crate::errors::Errors;
use crate::filters;
use crate::form::Form;
use crate::html::page_with;
use crate::query::Query;
use crate::visit::Visit;
use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_admin::api_keys::{ApiKeyBody, create_api_key, list_api_keys};
use webhook_admin::creation::{Created, IdempotencyKey};
use webhook_admin::lists::Page;
use webhook_web::Problem;

pub(super) const PATH: &str = "/admin/settings/api-keys";

/// The reason for a wrong day: the API asks for a time, the form for a day.
const EXPECTED_DAY: &str = "must be a day such as 2030-12-31";

#[derive(Template)]
#[template(path = "settings/api_keys.html")]
struct ApiKeysPage {
    visit: Visit,
    query: Query,
    keys: Page<ApiKeyBody>,
    now: DateTime<Utc>,
    /// The typed fields of a new key.
    form: Form,
    errors: Errors,
    /// Keeps two presses of the button from creating two keys.
    once: Uuid,
    made: Option<MadeKey>,
}

/// The key that the form created.
#[derive(Deserialize)]
struct MadeKey {
    name: String,
    role: Role,
    key: String,
}

/// Lists API keys.
pub(crate) async fn show_keys(
    visit: Visit,
    query: Query,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let keys = list_api_keys(&query.as_api(), &connections).await?;
    ApiKeysPage::of(visit, keys, Form::default()).show(StatusCode::OK)
}

/// Creates an API key, and shows the key this once.
pub(crate) async fn create_key(
    visit: Visit,
    form: Form,
    connections: Data<Connections>,
    sealing_keys: Data<SealingKeys>,
) -> Result<HttpResponse, Problem> {
    let once = IdempotencyKey::of_form(form.text("once"), PATH);
    let document = document(&form);
    let made = create_api_key(&once, &document, &visit.caller, &connections, &sealing_keys).await;
    let keys = list_api_keys("", &connections).await?;
    match made {
        Ok(creation) => {
            let mut shown = ApiKeysPage::of(visit, keys, Form::default());
            shown.made = Some(MadeKey::read(&creation.created)?);
            shown.show(StatusCode::CREATED)
        }
        Err(problem) => {
            let mut shown = ApiKeysPage::of(visit, keys, form);
            shown.errors = Errors::of(problem)?;
            shown.errors.reword("expires_at", EXPECTED_DAY);
            shown.show(shown.errors.status())
        }
    }
}

impl ApiKeysPage {
    fn of(visit: Visit, keys: Page<ApiKeyBody>, form: Form) -> Self {
        Self {
            visit,
            query: Query::default(),
            keys,
            now: Utc::now(),
            form,
            errors: Errors::default(),
            once: Uuid::new_v4(),
            made: None,
        }
    }

    fn show(&self, status: StatusCode) -> Result<HttpResponse, Problem> {
        page_with(status, &self.visit, self)
    }
}

impl MadeKey {
    fn read(created: &Created) -> Result<Self, Refusal> {
        serde_json::from_str(&created.body).map_err(|error| Refusal::Broken(error.to_string()))
    }
}

/// The state of a key, as the name of a badge.
pub(super) fn state(key: &ApiKeyBody, now: DateTime<Utc>) -> &'static str {
    if key.revoked_at.is_some() {
        "revoked"
    } else if key.expires_at.is_some_and(|at| at <= now) {
        "expired"
    } else {
        "active"
    }
}

/// The purpose of a role, in a sentence.
fn purpose(role: Role) -> &'static str {
    match role {
        Role::Viewer => "Sees webhooks, deliveries and events. Changes nothing.",
        Role::Publisher => "Sends events and does nothing else: for services of the platform.",
        Role::Admin => "Also manages webhooks, deliveries and rejected messages, and sends events.",
        Role::Owner => "Also manages API keys and settings.",
    }
}

/// The form as the API's document. A key expires at midnight in UTC.
fn document(form: &Form) -> Vec<u8> {
    let mut document = json!({"name": form.text("name")});
    let (role, expires) = (form.text("role"), form.text("expires_at"));
    if !role.is_empty() {
        document["role"] = json!(role);
    }
    if !expires.is_empty() {
        document["expires_at"] = json!(format!("{expires}T00:00:00Z"));
    }
    document.to_string().into_bytes()
}
