//! Statements about the target URL alone: read as a whole, kept, sealed.

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use webhook_domain::{Format, TargetUrl, UrlSetting, WebhookId, WebhookSettings};

use super::row::Webhook;
use super::sealed_url::{UrlColumns, open_url, read_url};
use crate::column_types::{bind, bind_all};
use crate::schema::webhooks;
use crate::tables::audit;
use crate::{SealingKeys, StoreError, transaction};

/// The formats whose URLs are secret.
fn secret_formats() -> Vec<Format> {
    let secret = |format: &&Format| format.url_is_secret();
    Format::ALL.iter().filter(secret).copied().collect()
}

/// Reads the whole URL of a webhook. `None`: no webhook has the id.
pub async fn find_url(
    connection: &mut AsyncPgConnection,
    keys: &SealingKeys,
    id: WebhookId,
) -> Result<Option<TargetUrl>, StoreError> {
    let row: Option<(String, Option<Vec<u8>>, Format)> = webhooks::table
        .find(bind(id))
        .filter(webhooks::deleted_at.is_null())
        .select((webhooks::url, webhooks::sealed_url, webhooks::format))
        .first(connection)
        .await
        .optional()?;
    let opened = row.map(|(url, sealed, format)| {
        let columns = (url.as_str(), sealed.as_deref());
        open_url(keys, id, columns, format)
    });
    opened.transpose()
}

/// Reads the URL of a webhook as its row shows the URL, deleted webhooks included. `None`: no webhook has the id.
pub async fn find_shown_url(
    connection: &mut AsyncPgConnection,
    id: WebhookId,
) -> Result<Option<UrlSetting>, StoreError> {
    let row: Option<(String, bool, Format)> = webhooks::table
        .find(bind(id))
        .select((
            webhooks::url,
            webhooks::sealed_url.is_not_null(),
            webhooks::format,
        ))
        .first(connection)
        .await
        .optional()?;
    let read = row.map(|(url, has_sealed_url, format)| read_url(&url, format, has_sealed_url));
    read.transpose()
}

/// Keeps the sealed URL of a [locked](super::find::lock) webhook in settings that repeat the whole URL: the
/// same URL is no change. An unreadable sealed URL counts as another one, so that an admin can mend the webhook.
pub async fn keep_sealed_url(
    connection: &mut AsyncPgConnection,
    keys: &SealingKeys,
    before: &Webhook,
    after: &mut WebhookSettings,
) -> Result<(), StoreError> {
    let is_repeated = match (&before.settings.url, after.url.known()) {
        (UrlSetting::Sealed(_), Some(given)) if given.is_secret() => {
            match find_url(connection, keys, before.id).await {
                Ok(stored) => stored.as_ref() == Some(given),
                Err(StoreError::Sealed(_) | StoreError::Unreadable(_)) => false,
                Err(error) => return Err(error),
            }
        }
        (UrlSetting::Sealed(_) | UrlSetting::Known(_), _) => false,
    };
    if is_repeated {
        after.url = before.settings.url.clone();
    }
    Ok(())
}

/// Seals up to `limit` URLs that are secret and still whole in their column: rows of the version before. Returns
/// the webhooks; none: every secret URL is sealed. The version of a webhook stays, as its URL does.
///
/// Entries of the audit log about such a webhook show its URLs masked from then on.
pub async fn seal_whole_urls(
    connection: &mut AsyncPgConnection,
    keys: &SealingKeys,
    limit: i64,
) -> Result<Vec<WebhookId>, StoreError> {
    transaction(connection, async |connection: &mut AsyncPgConnection| {
        // One replica at a time: the next one looks for rows after the commit, and finds other rows.
        diesel::sql_query(
            "SELECT pg_advisory_xact_lock(hashtextextended('webhooks seal URLs', 0))",
        )
        .execute(connection)
        .await?;
        let mut sealed = Vec::new();
        for (id, url, format) in list_whole(connection, limit).await? {
            let url = read_url(&url, format, true)?;
            seal(connection, keys, id, &url).await?;
            audit::mask_urls(connection, id).await?;
            sealed.push(id);
        }
        Ok(sealed)
    })
    .await
}

/// Lists and locks webhooks with a secret URL that is whole in its column, deleted ones included.
async fn list_whole(
    connection: &mut AsyncPgConnection,
    limit: i64,
) -> Result<Vec<(WebhookId, String, Format)>, StoreError> {
    let is_secret = webhooks::sealed_url
        .is_not_null()
        .or(webhooks::format.eq_any(bind_all(&secret_formats())));
    let rows = webhooks::table
        .filter(is_secret)
        // In either notation of a shown form the path begins with `…`.
        .filter(webhooks::url.not_like("%/…%"))
        .filter(webhooks::url.not_like("%/\\%E2\\%80\\%A6%"))
        .order(webhooks::id)
        .limit(limit)
        .select((webhooks::id, webhooks::url, webhooks::format))
        .for_no_key_update();
    Ok(rows.load(connection).await?)
}

async fn seal(
    connection: &mut AsyncPgConnection,
    keys: &SealingKeys,
    id: WebhookId,
    url: &UrlSetting,
) -> Result<(), StoreError> {
    diesel::update(webhooks::table.find(bind(id)))
        .set((
            webhooks::url.eq(url.shown().into_owned()),
            UrlColumns::of(keys, id, url),
        ))
        .execute(connection)
        .await?;
    Ok(())
}
