//! `/api/v1/webhooks/{id}/templates`: the versions of a webhook's template.

use actix_web::web::{Data, Json};
use webhook_admin::Connections;
use webhook_admin::webhooks::{self, TemplateVersions};
use webhook_domain::WebhookId;
use webhook_web::{PathId, Problem};

use crate::refusals::Refusals;

/// Lists the versions of a webhook's template.
///
/// Each change of the template makes a version, which never changes: an attempt names the version that wrote its
/// body. The latest 100 are kept, none of a deleted webhook.
#[utoipa::path(
    get, path = "/api/v1/webhooks/{id}/templates", tag = "Webhooks", params(("id" = Uuid, Path)),
    responses((status = 200, body = TemplateVersions), Refusals)
)]
pub(crate) async fn list_templates(
    PathId(id): PathId<WebhookId>,
    connections: Data<Connections>,
) -> Result<Json<TemplateVersions>, Problem> {
    Ok(Json(webhooks::list_templates(id, &connections).await?))
}
