//! Table `templates`: the versions of the templates of webhooks with the format `custom`.
//!
//! A version never changes. `webhooks.template_version` names the version in use.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::dsl::max;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use webhook_domain::{BodyFormat, Format, Template, TemplateVersion, WebhookId};

use crate::StoreError;
use crate::column_types::{bind, bind_all};
use crate::error::unreadable;
use crate::schema::templates;

/// The most versions that are kept of a webhook's template: 100, or 3.2 MiB. Beyond, the oldest version is removed.
pub const MAX_VERSIONS: i32 = 100;

/// A version of a webhook's template.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = templates, check_for_backend(diesel::pg::Pg))]
pub struct TemplateRow {
    #[diesel(column_name = version)]
    number: i32,
    /// The template as an admin wrote it: JSON.
    pub template: String,
    /// When the version was saved.
    pub created_at: DateTime<Utc>,
}

impl TemplateRow {
    /// The number of the version.
    pub fn version(&self) -> TemplateVersion {
        TemplateVersion(self.number)
    }
}

/// Lists the versions of a webhook's template, newest first, at most [`MAX_VERSIONS`].
pub async fn list(
    connection: &mut AsyncPgConnection,
    id: WebhookId,
) -> Result<Vec<TemplateRow>, StoreError> {
    let versions = templates::table
        .filter(templates::webhook_id.eq(bind(id)))
        .order(templates::version.desc())
        .select(TemplateRow::as_select());
    Ok(versions.load(connection).await?)
}

/// Saves a template as the next version of a webhook, and removes the version beyond [`MAX_VERSIONS`]. The caller has
/// locked the webhook.
pub(crate) async fn insert(
    connection: &mut AsyncPgConnection,
    id: WebhookId,
    template: &Template,
) -> Result<TemplateVersion, StoreError> {
    let of_webhook = templates::table.filter(templates::webhook_id.eq(bind(id)));
    let latest: Option<i32> = of_webhook
        .select(max(templates::version))
        .first(connection)
        .await?;
    let latest = latest.map(TemplateVersion);
    let version = latest.map_or(TemplateVersion::FIRST, TemplateVersion::next);
    diesel::insert_into(templates::table)
        .values((
            templates::webhook_id.eq(bind(id)),
            templates::version.eq(version.0),
            templates::template.eq(template.source()),
        ))
        .execute(connection)
        .await?;
    let outdated = of_webhook.filter(templates::version.le(version.0 - MAX_VERSIONS));
    diesel::delete(outdated).execute(connection).await?;
    Ok(version)
}

/// Removes all versions of a webhook's template: a template may hold a key of its receiver.
pub(crate) async fn delete_all(
    connection: &mut AsyncPgConnection,
    id: WebhookId,
) -> Result<(), StoreError> {
    let of_webhook = templates::table.filter(templates::webhook_id.eq(bind(id)));
    diesel::delete(of_webhook).execute(connection).await?;
    Ok(())
}

/// The templates in use of some webhooks.
#[derive(Debug, Default)]
pub(crate) struct Templates {
    by_webhook: HashMap<WebhookId, String>,
}

impl Templates {
    /// Reads the templates in use. Without a webhook that has one, no statement is sent.
    pub(crate) async fn read(
        connection: &mut AsyncPgConnection,
        in_use: impl Iterator<Item = (WebhookId, Option<i32>)>,
    ) -> Result<Self, StoreError> {
        let in_use = in_use.filter_map(|(id, version)| Some((id, version?)));
        let in_use: HashMap<WebhookId, i32> = in_use.collect();
        if in_use.is_empty() {
            return Ok(Self::default());
        }
        let (ids, versions): (Vec<WebhookId>, Vec<i32>) = in_use.iter().unzip();
        let rows: Vec<(WebhookId, i32, String)> = templates::table
            .filter(templates::webhook_id.eq_any(bind_all(&ids)))
            .filter(templates::version.eq_any(versions))
            .select((
                templates::webhook_id,
                templates::version,
                templates::template,
            ))
            .load(connection)
            .await?;
        // The two lists match more pairs than asked for.
        let by_webhook = rows
            .into_iter()
            .filter(|(id, version, _)| in_use.get(id) == Some(version))
            .map(|(id, _, template)| (id, template));
        Ok(Self {
            by_webhook: by_webhook.collect(),
        })
    }

    /// Joins the format of a webhook and its template in use, for requests. A template that this version cannot parse
    /// fails the webhook, and no other.
    pub(crate) fn join_to_send(
        &mut self,
        id: WebhookId,
        format: Format,
    ) -> Result<BodyFormat, StoreError> {
        let template = self.take(id, format).map(|text| Template::parse(&text));
        let template = template.transpose().map_err(unreadable)?;
        BodyFormat::new(format, template).map_err(unreadable)
    }

    /// Joins the format of a webhook and its template in use, for admins, who can change and delete a webhook whose
    /// template this version cannot parse. The template of a webhook that was deleted just now is gone.
    pub(crate) fn join(&mut self, id: WebhookId, format: Format) -> Result<BodyFormat, StoreError> {
        let stored = self.take(id, format);
        let template = (format == Format::Custom)
            .then(|| Template::from_stored(stored.as_deref().unwrap_or_default()));
        BodyFormat::new(format, template).map_err(unreadable)
    }

    fn take(&mut self, id: WebhookId, format: Format) -> Option<String> {
        match format {
            Format::Custom => self.by_webhook.remove(&id),
            // A version that knew no templates may have chosen the format, and left the template.
            Format::Json
            | Format::Slack
            | Format::Discord
            | Format::Teams
            | Format::CloudEvents => None,
        }
    }
}
