//! A key is revoked, once somebody has been told what that does.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;
use chrono::Utc;

use super::api_keys::{PATH, state};
use crate::pages::filters;
use crate::pages::form::Form;
use crate::pages::html::{go_on, page_with};
use crate::pages::notice::Notice;
use crate::pages::visit::Visit;
use crate::routes::api_keys::{ApiKeyBody, read_one, revoke};
use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_web::Problem;
use webhook_web::api_key_cache::ApiKeyCache;
use webhook_web::problem::refusal_status;

#[derive(Template)]
#[template(path = "settings/revoke.html")]
struct RevokePage {
    visit: Visit,
    key: ApiKeyBody,
    state: &'static str,
    /// Whether it is the key of whoever asks.
    is_own: bool,
    refused: Option<&'static str>,
}

/// Asks back.
pub(in crate::pages) async fn ask(
    id: Path<String>,
    visit: Visit,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    show(&id, visit, None, &connections).await
}

/// Revokes it.
pub(in crate::pages) async fn revoke_key(
    id: Path<String>,
    visit: Visit,
    _form: Form,
    connections: Data<Connections>,
    known_keys: Data<ApiKeyCache>,
) -> Result<HttpResponse, Problem> {
    match revoke(&id, &visit.caller, &connections, &known_keys).await {
        Ok(key) => {
            let told = format!("“{}” is revoked: it is refused from now on.", key.name);
            Ok(go_on(PATH, &Notice::new(told)))
        }
        Err(Refusal::Conflict(reason)) => show(&id, visit, Some(reason), &connections).await,
        Err(refusal) => Err(refusal.into()),
    }
}

async fn show(
    id: &str,
    visit: Visit,
    refused: Option<&'static str>,
    connections: &Connections,
) -> Result<HttpResponse, Problem> {
    let key = read_one(id, connections).await?;
    let shown = RevokePage {
        is_own: visit.caller.key_id.0 == key.id,
        state: state(&key, Utc::now()),
        visit,
        key,
        refused,
    };
    let status = match refused {
        Some(reason) => refusal_status(&Refusal::Conflict(reason)),
        None => StatusCode::OK,
    };
    page_with(status, &shown.visit, &shown)
}
