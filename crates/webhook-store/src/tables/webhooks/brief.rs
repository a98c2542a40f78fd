//! Webhooks in brief: what an admin recognises a webhook by.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use webhook_domain::{Environment, WebhookId};

use crate::StoreError;
use crate::column_types::bind_all;
use crate::schema::webhooks;

/// A webhook in brief.
#[derive(Debug, Clone, Queryable)]
pub struct BriefWebhook {
    /// The id.
    pub id: WebhookId,
    /// The name.
    pub name: String,
    /// The target URL.
    pub url: String,
    /// The environment.
    pub environment: Environment,
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
        .select((
            webhooks::id,
            webhooks::name,
            webhooks::url,
            webhooks::environment,
        ));
    Ok(brief.load(connection).await?)
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
