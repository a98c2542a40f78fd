//! Lists the versions of a webhook's template.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use webhook_domain::{TemplateVersion, WebhookId};
use webhook_store::templates::{self, TemplateRow};

use super::find::find_stored;
use crate::connections::Connections;
use crate::refusal::Refusal;
use crate::schema;

/// The versions of a webhook's template.
#[derive(Serialize, ToSchema)]
pub struct TemplateVersions {
    /// The newest first, at most 100. A version never changes. Empty: the webhook never had a template.
    pub data: Vec<TemplateVersionBody>,
}

/// A version of a webhook's template.
#[derive(Serialize, ToSchema)]
#[schema(as = TemplateVersion)]
pub struct TemplateVersionBody {
    /// The number of the version, from 1.
    #[schema(value_type = u32, example = 3)]
    pub version: TemplateVersion,
    /// Whether requests are written by this version.
    pub in_use: bool,
    /// The template as saved.
    #[schema(value_type = schema::TemplateDocument)]
    pub template: Box<RawValue>,
    /// When the version was saved.
    pub created_at: DateTime<Utc>,
}

/// Lists the versions of a webhook's template, newest first.
pub async fn list_templates(
    id: WebhookId,
    connections: &Connections,
) -> Result<TemplateVersions, Refusal> {
    let mut connection = connections.acquire().await?;
    let webhook = find_stored(&mut connection, id).await?;
    let rows = templates::list(&mut connection, id).await?;
    let bodies = rows
        .into_iter()
        .map(|row| TemplateVersionBody::of(row, webhook.template_version));
    let data: Result<_, Refusal> = bodies.collect();
    Ok(TemplateVersions { data: data? })
}

impl TemplateVersionBody {
    fn of(row: TemplateRow, in_use: Option<TemplateVersion>) -> Result<Self, Refusal> {
        let (version, created_at) = (row.version(), row.created_at);
        let template = RawValue::from_string(row.template)
            .map_err(|error| Refusal::Broken(format!("template {version}: {error}")))?;
        Ok(Self {
            version,
            in_use: in_use == Some(version),
            template,
            created_at,
        })
    }
}
