//! Webhooks in brief: what an admin recognises a webhook by.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use webhook_domain::{Environment, Format, WebhookId};

use super::sealed_url::read_url;
use crate::StoreError;
use crate::column_types::bind_all;
use crate::schema::webhooks;

/// A webhook in brief.
#[derive(Debug, Clone)]
pub struct BriefWebhook {
    /// The id.
    pub id: WebhookId,
    /// The name.
    pub name: String,
    /// The target URL as everybody may read it.
    pub url: String,
    /// The environment.
    pub environment: Environment,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = webhooks, check_for_backend(diesel::pg::Pg))]
struct Row {
    id: WebhookId,
    name: String,
    url: String,
    #[diesel(select_expression = webhooks::sealed_url.is_not_null())]
    has_sealed_url: bool,
    format: Format,
    environment: Environment,
}

impl Row {
    fn read(self) -> Result<BriefWebhook, StoreError> {
        let url = read_url(&self.url, self.format, self.has_sealed_url)?;
        Ok(BriefWebhook {
            id: self.id,
            name: self.name,
            url: url.shown().into_owned(),
            environment: self.environment,
        })
    }
}

/// Lists webhooks by id, deleted ones left out, ordered by name.
pub async fn list_brief(
    connection: &mut AsyncPgConnection,
    ids: &[WebhookId],
) -> Result<Vec<BriefWebhook>, StoreError> {
    let brief = webhooks::table
        .filter(webhooks::deleted_at.is_null())
        .filter(webhooks::id.eq_any(bind_all(ids)))
        .order((webhooks::name, webhooks::id))
        .select(Row::as_select());
    let rows: Vec<Row> = brief.load(connection).await?;
    rows.into_iter().map(Row::read).collect()
}

/// The names of webhooks, deleted ones included. An unknown id has no name.
pub async fn find_names(
    connection: &mut AsyncPgConnection,
    ids: &[WebhookId],
) -> Result<HashMap<WebhookId, String>, StoreError> {
    let named = webhooks::table
        .filter(webhooks::id.eq_any(bind_all(ids)))
        .select((webhooks::id, webhooks::name));
    let names: Vec<(WebhookId, String)> = named.load(connection).await?;
    Ok(names.into_iter().collect())
}
