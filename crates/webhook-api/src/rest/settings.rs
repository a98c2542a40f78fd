//! `/api/v1/settings`: the settings of the whole platform.

use actix_web::HttpResponse;
use actix_web::http::header::ETAG;
use actix_web::web::Data;
use webhook_admin::Connections;
use webhook_admin::settings::{self, PatchSettings, SettingsBody};
use webhook_admin::version::etag;
use webhook_web::body::Body;
use webhook_web::if_match::IfMatchHeader;
use webhook_web::{Authenticated, Problem};

use crate::refusals::Refusals;

/// The most bytes of settings in JSON.
const MAX_BYTES: usize = 16 * 1024;

/// Shows the platform's settings.
#[utoipa::path(
    get, path = "/api/v1/settings", tag = "Settings",
    responses(
        (status = 200, body = SettingsBody, headers(("ETag" = String, description = "The version of the settings"))),
        Refusals
    )
)]
pub(crate) async fn show_settings(connections: Data<Connections>) -> Result<HttpResponse, Problem> {
    Ok(respond(&settings::find_settings(&connections).await?))
}

/// Changes parts of the platform's settings.
///
/// The body is a JSON merge patch (RFC 7396). The new settings count for what is scheduled from then
/// on; rows that are older than a shortened retention time are removed soon after.
#[utoipa::path(
    patch, path = "/api/v1/settings", tag = "Settings",
    request_body(content(
        (PatchSettings = "application/merge-patch+json"), (PatchSettings = "application/json")
    )),
    params(("If-Match" = Option<String>, Header, description = "The `ETag` that the change is meant for")),
    responses(
        (status = 200, body = SettingsBody, headers(("ETag" = String, description = "The new version of the settings"))),
        Refusals
    )
)]
pub(crate) async fn patch_settings(
    IfMatchHeader(if_match): IfMatchHeader,
    body: Body<MAX_BYTES>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let changed = settings::change_settings(&if_match, &body.0, &caller, &connections).await?;
    Ok(respond(&changed))
}

fn respond(settings: &SettingsBody) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((ETAG, etag(settings.version)))
        .json(settings)
}
