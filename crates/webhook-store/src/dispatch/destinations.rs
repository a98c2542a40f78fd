//! The data for calling a webhook: URL, headers, secrets and retry policy.

use std::time::Duration;

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use webhook_domain::{
    BodyFormat, CustomHeaders, Environment, Format, RetryPolicy, TargetUrl, TemplateVersion,
    WebhookId,
};

use crate::column_types::{StoredName, bind_all};
use crate::schema::webhooks;
use crate::tables::retry_policies::Policies;
use crate::tables::secrets::{self, Secrets};
use crate::tables::templates::Templates;
use crate::tables::webhooks::{open_headers, open_url};
use crate::{SealingKeys, StoreError};

/// The target of a webhook's requests, with headers, secrets and retry policy.
#[derive(Debug, Clone)]
pub struct Destination {
    /// The webhook.
    pub webhook_id: WebhookId,
    /// The version of the webhook.
    pub version: i64,
    /// The target URL. Records show a secret URL masked.
    pub url: TargetUrl,
    /// The name of the webhook.
    pub name: String,
    /// How the bodies of the requests are written.
    pub body: BodyFormat,
    /// The version of the template in `body`; `None`: the format is another than `custom`.
    pub template_version: Option<TemplateVersion>,
    /// The secrets for signing.
    pub secrets: Secrets,
    /// The custom headers, sent beside our own headers.
    pub headers: CustomHeaders,
    /// The webhook's own retry policy or the environment's, with the webhook's own timeout if set.
    pub policy: RetryPolicy,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = webhooks, check_for_backend(Pg))]
struct Row {
    id: WebhookId,
    version: i64,
    name: String,
    url: String,
    template_version: Option<i32>,
    sealed_url: Option<Vec<u8>>,
    // Read one by one: a later version may know more formats.
    format: StoredName<Format>,
    environment: StoredName<Environment>,
    sealed_secret: Vec<u8>,
    sealed_headers: Option<Vec<u8>>,
    timeout_ms: Option<i32>,
}

/// Reads the destinations of webhooks. Each has a result of its own, as its secrets or its environment
/// may be unreadable.
/// Deleted webhooks are left out.
pub async fn list_destinations(
    connection: &mut AsyncPgConnection,
    keys: &SealingKeys,
    ids: &[WebhookId],
) -> Result<Vec<Result<Destination, StoreError>>, StoreError> {
    let rows: Vec<Row> = webhooks::table
        .filter(webhooks::id.eq_any(bind_all(ids)))
        .filter(webhooks::deleted_at.is_null())
        .select(Row::as_select())
        .load(connection)
        .await?;
    // Read after the versions: a policy newer than the version is read again when the newer version is
    // seen. A policy older than the version would stay in the caller's cache for ever.
    let policies = Policies::read(connection, ids).await?;
    let previous = secrets::list_previous(connection, ids).await?;
    let in_use = rows.iter().map(|row| (row.id, row.template_version));
    let mut templates = Templates::read(connection, in_use).await?;
    let destinations = rows.into_iter().map(|row| {
        let mut policy = policies.policy_for(row.id, row.environment.parse()?);
        if let Some(millis) = row.timeout_ms {
            policy.timeout = Duration::from_millis(u64::from(millis.unsigned_abs()));
        }
        let previous = previous.get(&row.id).map_or(&[][..], Vec::as_slice);
        let format = row.format.parse()?;
        let url = (row.url.as_str(), row.sealed_url.as_deref());
        Ok(Destination {
            webhook_id: row.id,
            version: row.version,
            url: open_url(keys, row.id, url, format)?,
            name: row.name,
            body: templates.join_to_send(row.id, format)?,
            template_version: row.template_version.map(TemplateVersion),
            secrets: secrets::open(keys, row.id, &row.sealed_secret, previous)?,
            headers: open_headers(keys, row.id, row.sealed_headers.as_deref())?,
            policy,
        })
    });
    Ok(destinations.collect())
}
