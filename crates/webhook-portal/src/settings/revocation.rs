//! Revoking an API key, after a confirmation.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;
use chrono::Utc;
use webhook_domain::ApiKeyId;

use super::api_keys::{PATH, state};
use crate::filters;
use crate::flash::Flash;
use crate::form::Form;
use crate::html::{page_with, redirect_with_flash};
use crate::visit::Visit;
use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_admin::api_keys::{ApiKeyBody, find_api_key, revoke_api_key};
use webhook_web::api_key_cache::ApiKeyCache;
use webhook_web::problem::refusal_status;
use webhook_web::{PathId, Problem};

#[derive(Template)]
#[template(path = "settings/revoke.html")]
struct RevokePage {
    visit: Visit,
    key: ApiKeyBody,
    state: &'static str,
    /// Whether the key is the reader's own.
    is_own: bool,
    refused: Option<&'static str>,
}

/// Asks for a confirmation.
pub(crate) async fn ask_to_revoke_key(
    PathId(id): PathId<ApiKeyId>,
    visit: Visit,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    show(id, visit, None, &connections).await
}

/// Revokes the API key.
pub(crate) async fn revoke_key(
    PathId(id): PathId<ApiKeyId>,
    visit: Visit,
    _form: Form,
    connections: Data<Connections>,
    api_key_cache: Data<ApiKeyCache>,
) -> Result<HttpResponse, Problem> {
    match revoke_api_key(id, &visit.caller, &connections).await {
        Ok(key) => {
            api_key_cache.forget();
            let told = format!("“{}” is revoked: requests with it are refused.", key.name);
            Ok(redirect_with_flash(PATH, &Flash::new(told)))
        }
        Err(Refusal::Conflict(reason)) => show(id, visit, Some(reason), &connections).await,
        Err(refusal) => Err(refusal.into()),
    }
}

async fn show(
    id: ApiKeyId,
    visit: Visit,
    refused: Option<&'static str>,
    connections: &Connections,
) -> Result<HttpResponse, Problem> {
    let key = find_api_key(id, connections).await?;
    let shown = RevokePage {
        is_own: visit.caller.holds(&key.id),
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
