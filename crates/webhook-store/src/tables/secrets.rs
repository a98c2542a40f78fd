//! Webhook Secrets: column `webhooks.sealed_secret`, and table `previous_secrets` for replaced secrets
//! that still sign. All secrets are sealed.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::dsl::now;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::{SigningSecret, WebhookId, WebhookUrl};

use crate::column_types::{bind, bind_all};
use crate::error::unreadable;
use crate::schema::{previous_secrets, webhooks};
use crate::{SealingKeys, StoreError, transaction};

mod signers;

pub use signers::{Signer, SignerPage, find_signer, list_signers, try_open};

/// The most replaced secrets that sign beside the current one. Beyond, the oldest stops signing.
pub const MAX_PREVIOUS: usize = 2;

/// A replaced secret.
#[derive(Debug, Clone)]
pub struct PreviousSecret {
    /// The secret.
    pub secret: SigningSecret,
    /// The end of the grace period.
    pub valid_until: DateTime<Utc>,
}

/// The secrets that sign a webhook's requests.
#[derive(Debug, Clone)]
pub struct Secrets {
    /// The current secret.
    pub current: SigningSecret,
    /// Replaced secrets within their grace periods, newest first.
    pub previous: Vec<PreviousSecret>,
}

impl Secrets {
    /// The secrets that sign at a time, newest first.
    pub fn valid_at(&self, moment: DateTime<Utc>) -> impl Iterator<Item = &SigningSecret> {
        let previous = self.previous.iter().filter(move |p| p.valid_until > moment);
        std::iter::once(&self.current).chain(previous.map(|p| &p.secret))
    }
}

/// Reads a webhook's secrets. `None`: no webhook has the id.
pub async fn find(
    connection: &mut AsyncPgConnection,
    keys: &SealingKeys,
    id: WebhookId,
) -> Result<Option<Secrets>, StoreError> {
    let sealed: Option<Vec<u8>> = webhooks::table
        .find(bind(id))
        .filter(webhooks::deleted_at.is_null())
        .select(webhooks::sealed_secret)
        .first(connection)
        .await
        .optional()?;
    let Some(sealed) = sealed else {
        return Ok(None);
    };
    let mut previous = list_previous(connection, &[id]).await?;
    let previous = previous.remove(&id).unwrap_or_default();
    open(keys, id, &sealed, &previous).map(Some)
}

/// Opens a webhook's secrets.
pub(crate) fn open(
    keys: &SealingKeys,
    WebhookId(id): WebhookId,
    current: &[u8],
    previous: &[SealedPrevious],
) -> Result<Secrets, StoreError> {
    let open = |sealed: &[u8]| {
        let text = keys.open(id, sealed)?;
        SigningSecret::parse(&text).map_err(unreadable)
    };
    let previous = previous.iter().map(|(sealed, valid_until)| {
        Ok::<_, StoreError>(PreviousSecret {
            secret: open(sealed)?,
            valid_until: *valid_until,
        })
    });
    Ok(Secrets {
        current: open(current)?,
        previous: previous.collect::<Result<_, _>>()?,
    })
}

/// A sealed secret with a time: the end of its grace period, or the time of its replacement.
pub(crate) type SealedPrevious = (Vec<u8>, DateTime<Utc>);

/// Lists the replaced secrets within their grace periods by webhook, newest first.
pub(crate) async fn list_previous(
    connection: &mut AsyncPgConnection,
    ids: &[WebhookId],
) -> Result<HashMap<WebhookId, Vec<SealedPrevious>>, StoreError> {
    use previous_secrets::dsl;
    let rows: Vec<(WebhookId, Vec<u8>, DateTime<Utc>)> = dsl::previous_secrets
        .filter(dsl::webhook_id.eq_any(bind_all(ids)))
        .filter(dsl::valid_until.gt(now))
        .order(dsl::replaced_at.desc())
        .select((dsl::webhook_id, dsl::sealed_secret, dsl::valid_until))
        .load(connection)
        .await?;
    let mut by_webhook: HashMap<WebhookId, Vec<SealedPrevious>> = HashMap::new();
    for (id, sealed, valid_until) in rows {
        let previous = by_webhook.entry(id).or_default();
        previous.push((sealed, valid_until));
    }
    Ok(by_webhook)
}

/// Replaces the secret of a [locked](crate::tables::webhooks::lock) webhook. The replaced secret signs too
/// until `valid_until`. `None`: all replaced secrets stop signing at once.
pub async fn rotate(
    connection: &mut AsyncPgConnection,
    keys: &SealingKeys,
    id: WebhookId,
    new: &SigningSecret,
    valid_until: Option<DateTime<Utc>>,
) -> Result<(), StoreError> {
    use previous_secrets::dsl;
    match valid_until {
        Some(valid_until) => keep_previous(connection, id, valid_until).await?,
        None => {
            let all = dsl::previous_secrets.filter(dsl::webhook_id.eq(bind(id)));
            diesel::delete(all).execute(connection).await?;
        }
    }
    diesel::update(webhooks::table.find(bind(id)))
        .set((
            webhooks::sealed_secret.eq(keys.seal(id.0, new.reveal())),
            webhooks::version.eq(webhooks::version + 1),
            webhooks::updated_at.eq(now),
        ))
        .execute(connection)
        .await?;
    Ok(())
}

/// Keeps the current secret as a replaced one, within [`MAX_PREVIOUS`].
async fn keep_previous(
    connection: &mut AsyncPgConnection,
    id: WebhookId,
    valid_until: DateTime<Utc>,
) -> Result<(), StoreError> {
    use previous_secrets::dsl;
    let current: Vec<u8> = webhooks::table
        .find(bind(id))
        .select(webhooks::sealed_secret)
        .first(connection)
        .await?;
    diesel::insert_into(dsl::previous_secrets)
        .values((
            dsl::webhook_id.eq(bind(id)),
            dsl::sealed_secret.eq(current),
            dsl::valid_until.eq(valid_until),
        ))
        .execute(connection)
        .await?;
    delete_oldest(connection, id).await
}

/// Deletes the expired secrets of a webhook, and the oldest beyond [`MAX_PREVIOUS`].
async fn delete_oldest(
    connection: &mut AsyncPgConnection,
    id: WebhookId,
) -> Result<(), StoreError> {
    use previous_secrets::dsl;
    let previous = dsl::previous_secrets.filter(dsl::webhook_id.eq(bind(id)));
    let kept: Vec<DateTime<Utc>> = previous
        .filter(dsl::valid_until.gt(now))
        .order(dsl::replaced_at.desc())
        .select(dsl::replaced_at)
        .limit(i64::try_from(MAX_PREVIOUS).unwrap_or(i64::MAX))
        .load(connection)
        .await?;
    let others = previous.filter(dsl::replaced_at.ne_all(kept));
    diesel::delete(others).execute(connection).await?;
    Ok(())
}

/// The result of a step of sealing anew.
#[derive(Debug, Default)]
pub struct Resealed {
    /// The last webhook of the step; `None`: all webhooks are done.
    pub last: Option<WebhookId>,
    /// The number of webhooks whose secrets were sealed with the first key.
    pub sealed: usize,
    /// Webhooks whose secrets no key opens: their rows are unchanged.
    pub unreadable: Vec<WebhookId>,
}

/// Seals secrets of other keys anew with the first key, for up to `limit` webhooks behind `after`.
pub async fn reseal(
    connection: &mut AsyncPgConnection,
    keys: &SealingKeys,
    after: Option<WebhookId>,
    limit: i64,
) -> Result<Resealed, StoreError> {
    transaction(connection, async |connection: &mut AsyncPgConnection| {
        let mut done = Resealed::default();
        for stored in list_old(connection, keys, after, limit).await? {
            let id = stored.id;
            done.last = Some(id);
            let previous = list_all_previous(connection, id).await?;
            match reseal_webhook(keys, &stored, &previous) {
                Ok(resealed) => {
                    write(connection, id, &resealed).await?;
                    done.sealed += 1;
                }
                Err(_) => done.unreadable.push(id),
            }
        }
        Ok(done)
    })
    .await
}

/// The sealed columns of a webhook.
#[derive(Queryable, Selectable)]
#[diesel(table_name = webhooks, check_for_backend(Pg))]
struct Stored {
    id: WebhookId,
    sealed_secret: Vec<u8>,
    sealed_headers: Option<Vec<u8>>,
    sealed_url: Option<Vec<u8>>,
}

/// Lists and locks webhooks with a secret, headers or a URL of another key.
async fn list_old(
    connection: &mut AsyncPgConnection,
    keys: &SealingKeys,
    after: Option<WebhookId>,
    limit: i64,
) -> Result<Vec<Stored>, StoreError> {
    use webhooks::dsl;
    let rows = dsl::webhooks
        .filter(dsl::deleted_at.is_null())
        .filter(dsl::id.gt(bind(after.unwrap_or(WebhookId(Uuid::nil())))))
        .filter(is_sealed_otherwise(keys))
        // In the order of ids, so that the caller goes on behind the last one.
        .order(dsl::id)
        .limit(limit)
        .select(Stored::as_select())
        .for_no_key_update();
    Ok(rows.load(connection).await?)
}

/// Counts the webhooks with a secret, headers or a URL of another key than the first.
pub async fn count_sealed_otherwise(
    connection: &mut AsyncPgConnection,
    keys: &SealingKeys,
) -> Result<u64, StoreError> {
    let count: i64 = webhooks::table
        .filter(webhooks::deleted_at.is_null())
        .filter(is_sealed_otherwise(keys))
        .count()
        .get_result(connection)
        .await?;
    Ok(u64::try_from(count).unwrap_or_default())
}

/// Whether the first key has not sealed the secret, the headers, the URL or a replaced secret of a webhook.
fn is_sealed_otherwise(
    keys: &SealingKeys,
) -> Box<dyn BoxableExpression<webhooks::table, Pg, SqlType = Bool> + '_> {
    use webhooks::dsl;
    let first = keys.first_id();
    let previous = previous_secrets::table
        .filter(previous_secrets::webhook_id.eq(dsl::id))
        .filter(prefix(previous_secrets::sealed_secret, 1, 8).ne(first));
    // A sealed value begins with the 8 bytes of its key's id.
    let headers = prefix(dsl::sealed_headers.assume_not_null(), 1, 8).ne(first);
    let url = prefix(dsl::sealed_url.assume_not_null(), 1, 8).ne(first);
    let any = prefix(dsl::sealed_secret, 1, 8)
        .ne(first)
        .or(dsl::sealed_headers.is_not_null().and(headers))
        .or(dsl::sealed_url.is_not_null().and(url))
        .or(diesel::dsl::exists(previous));
    Box::new(any)
}

/// Lists all replaced secrets of a webhook. Expired ones are there too, until the next replacement.
async fn list_all_previous(
    connection: &mut AsyncPgConnection,
    id: WebhookId,
) -> Result<Vec<SealedPrevious>, StoreError> {
    use previous_secrets::dsl;
    let rows = dsl::previous_secrets
        .filter(dsl::webhook_id.eq(bind(id)))
        .select((dsl::sealed_secret, dsl::replaced_at));
    Ok(rows.load(connection).await?)
}

/// The secrets of a webhook, sealed with the first key, and the fingerprint of the URL under that key.
struct ResealedSecrets {
    secret: Vec<u8>,
    headers: Option<Vec<u8>>,
    url: Option<Vec<u8>>,
    fingerprint: Option<Vec<u8>>,
    previous: Vec<SealedPrevious>,
}

fn reseal_webhook(
    keys: &SealingKeys,
    stored: &Stored,
    previous: &[SealedPrevious],
) -> Result<ResealedSecrets, StoreError> {
    let id = stored.id.0;
    let reseal = |sealed: &[u8]| Ok::<_, StoreError>(keys.seal(id, &keys.open(id, sealed)?));
    let fingerprint = |sealed: &[u8]| {
        let url = WebhookUrl::from_stored(&keys.open(id, sealed)?).map_err(unreadable)?;
        Ok::<_, StoreError>(keys.fingerprint(&url).as_bytes().to_vec())
    };
    let sealed_url = stored.sealed_url.as_deref();
    let previous = previous
        .iter()
        .map(|(sealed, replaced_at)| Ok((reseal(sealed)?, *replaced_at)));
    Ok(ResealedSecrets {
        secret: reseal(&stored.sealed_secret)?,
        headers: stored.sealed_headers.as_deref().map(reseal).transpose()?,
        url: sealed_url.map(reseal).transpose()?,
        fingerprint: sealed_url.map(fingerprint).transpose()?,
        previous: previous.collect::<Result<_, StoreError>>()?,
    })
}

async fn write(
    connection: &mut AsyncPgConnection,
    id: WebhookId,
    resealed: &ResealedSecrets,
) -> Result<(), StoreError> {
    diesel::update(webhooks::table.find(bind(id)))
        .set((
            webhooks::sealed_secret.eq(&resealed.secret),
            webhooks::sealed_headers.eq(&resealed.headers),
            webhooks::sealed_url.eq(&resealed.url),
            webhooks::url_fingerprint.eq(&resealed.fingerprint),
        ))
        .execute(connection)
        .await?;
    for (sealed, replaced_at) in &resealed.previous {
        diesel::update(previous_secrets::table.find((bind(id), replaced_at)))
            .set(previous_secrets::sealed_secret.eq(sealed))
            .execute(connection)
            .await?;
    }
    Ok(())
}

#[diesel::declare_sql_function]
extern "SQL" {
    /// The first bytes.
    #[sql_name = "substr"]
    fn prefix(
        bytes: diesel::sql_types::Bytea,
        from: diesel::sql_types::Integer,
        count: diesel::sql_types::Integer,
    ) -> diesel::sql_types::Bytea;
}
