//! Signing secrets: column `webhooks.sealed_secret`, and table `previous_secrets` for those that
//! were replaced and still sign. Always sealed.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::dsl::now;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::{SigningSecret, WebhookId};

use crate::error::unreadable;
use crate::schema::{previous_secrets, webhooks};
use crate::{SealingKeys, StoreError, transaction};

mod signers;

pub use signers::{Signer, SignerPage, find_signer, list_signers};

/// How many replaced secrets sign at most beside the current one; what was replaced first goes first.
pub const MAX_PREVIOUS: usize = 2;

/// A secret that was replaced.
#[derive(Debug, Clone)]
pub struct PreviousSecret {
    /// The secret.
    pub secret: SigningSecret,
    /// Until when it signs.
    pub valid_until: DateTime<Utc>,
}

/// What a webhook's requests are signed with.
#[derive(Debug, Clone)]
pub struct Secrets {
    /// The secret that was set last.
    pub current: SigningSecret,
    /// What it replaced and is still valid, the newest first.
    pub previous: Vec<PreviousSecret>,
}

impl Secrets {
    /// What signs at this moment, the newest first.
    pub fn valid_at(&self, moment: DateTime<Utc>) -> impl Iterator<Item = &SigningSecret> {
        let previous = self.previous.iter().filter(move |p| p.valid_until > moment);
        std::iter::once(&self.current).chain(previous.map(|p| &p.secret))
    }
}

/// Reads a webhook's secrets. `None`: there is no such webhook.
pub async fn find(
    connection: &mut AsyncPgConnection,
    keys: &SealingKeys,
    id: WebhookId,
) -> Result<Option<Secrets>, StoreError> {
    let sealed: Option<Vec<u8>> = webhooks::table
        .find(id.0)
        .filter(webhooks::deleted_at.is_null())
        .select(webhooks::sealed_secret)
        .first(connection)
        .await
        .optional()?;
    let Some(sealed) = sealed else {
        return Ok(None);
    };
    let mut previous = list_previous(connection, &[id.0]).await?;
    let previous = previous.remove(&id.0).unwrap_or_default();
    open(keys, id.0, &sealed, &previous).map(Some)
}

/// Opens a webhook's secrets.
pub(crate) fn open(
    keys: &SealingKeys,
    id: Uuid,
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

/// A replaced secret as it is stored, and a time: until when it signs, or when it was replaced.
pub(crate) type SealedPrevious = (Vec<u8>, DateTime<Utc>);

/// What was replaced and is still valid, the newest first, by webhook.
pub(crate) async fn list_previous(
    connection: &mut AsyncPgConnection,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, Vec<SealedPrevious>>, StoreError> {
    use previous_secrets::dsl;
    let rows: Vec<(Uuid, Vec<u8>, DateTime<Utc>)> = dsl::previous_secrets
        .filter(dsl::webhook_id.eq_any(ids))
        .filter(dsl::valid_until.gt(now))
        .order(dsl::replaced_at.desc())
        .select((dsl::webhook_id, dsl::sealed_secret, dsl::valid_until))
        .load(connection)
        .await?;
    let mut by_webhook: HashMap<Uuid, Vec<SealedPrevious>> = HashMap::new();
    for (id, sealed, valid_until) in rows {
        let previous = by_webhook.entry(id).or_default();
        previous.push((sealed, valid_until));
    }
    Ok(by_webhook)
}

/// Gives a webhook that the caller has [locked](crate::webhooks::lock) another secret. The one
/// before signs as well until `valid_until`; `None`: it is invalid at once, and with it whatever
/// else was replaced before.
pub async fn rotate(
    connection: &mut AsyncPgConnection,
    keys: &SealingKeys,
    id: WebhookId,
    new: &SigningSecret,
    valid_until: Option<DateTime<Utc>>,
) -> Result<(), StoreError> {
    use previous_secrets::dsl;
    let row = webhooks::table.find(id.0);
    let of_it = dsl::previous_secrets.filter(dsl::webhook_id.eq(id.0));
    if let Some(valid_until) = valid_until {
        let replaced: Vec<u8> = row
            .select(webhooks::sealed_secret)
            .first(connection)
            .await?;
        diesel::insert_into(dsl::previous_secrets)
            .values((
                dsl::webhook_id.eq(id.0),
                dsl::sealed_secret.eq(replaced),
                dsl::valid_until.eq(valid_until),
            ))
            .execute(connection)
            .await?;
        let kept: Vec<DateTime<Utc>> = of_it
            .filter(dsl::valid_until.gt(now))
            .order(dsl::replaced_at.desc())
            .select(dsl::replaced_at)
            .limit(i64::try_from(MAX_PREVIOUS).unwrap_or(i64::MAX))
            .load(connection)
            .await?;
        let old = of_it.filter(dsl::replaced_at.ne_all(kept));
        diesel::delete(old).execute(connection).await?;
    } else {
        diesel::delete(of_it).execute(connection).await?;
    }
    diesel::update(row)
        .set((
            webhooks::sealed_secret.eq(keys.seal(id.0, new.reveal())),
            webhooks::version.eq(webhooks::version + 1),
            webhooks::updated_at.eq(now),
        ))
        .execute(connection)
        .await?;
    Ok(())
}

/// What came of a step of sealing anew.
#[derive(Debug, Default)]
pub struct Resealed {
    /// The last webhook that was looked at; `None`: there are no more.
    pub last: Option<WebhookId>,
    /// How many webhooks' secrets are sealed with the first key now.
    pub sealed: usize,
    /// Webhooks whose secrets none of the keys opens. They stay as they are.
    pub unreadable: Vec<WebhookId>,
}

/// Seals anew what was not sealed with the first key, for up to `limit` webhooks after `after`.
pub async fn reseal(
    connection: &mut AsyncPgConnection,
    keys: &SealingKeys,
    after: Option<WebhookId>,
    limit: i64,
) -> Result<Resealed, StoreError> {
    transaction(connection, async |connection: &mut AsyncPgConnection| {
        let mut done = Resealed::default();
        for (id, secret, headers) in list_old(connection, keys, after, limit).await? {
            done.last = Some(WebhookId(id));
            let previous = list_all_previous(connection, id).await?;
            match seal_again(keys, id, &secret, headers.as_deref(), &previous) {
                Ok(again) => {
                    write(connection, id, &again).await?;
                    done.sealed += 1;
                }
                Err(_) => done.unreadable.push(WebhookId(id)),
            }
        }
        Ok(done)
    })
    .await
}

type Stored = (Uuid, Vec<u8>, Option<Vec<u8>>);

/// Webhooks with anything that another key sealed, locked.
async fn list_old(
    connection: &mut AsyncPgConnection,
    keys: &SealingKeys,
    after: Option<WebhookId>,
    limit: i64,
) -> Result<Vec<Stored>, StoreError> {
    use webhooks::dsl;
    let first = keys.first_id();
    let previous = previous_secrets::table
        .filter(previous_secrets::webhook_id.eq(dsl::id))
        .filter(prefix(previous_secrets::sealed_secret, 1, 8).ne(first));
    let headers = prefix(dsl::sealed_headers.assume_not_null(), 1, 8).ne(first);
    let rows = dsl::webhooks
        .filter(dsl::deleted_at.is_null())
        .filter(dsl::id.gt(after.map_or(Uuid::nil(), |id| id.0)))
        .filter(
            prefix(dsl::sealed_secret, 1, 8)
                .ne(first)
                .or(dsl::sealed_headers.is_not_null().and(headers))
                .or(diesel::dsl::exists(previous)),
        )
        .order(dsl::id)
        .limit(limit)
        .select((dsl::id, dsl::sealed_secret, dsl::sealed_headers))
        .for_no_key_update();
    Ok(rows.load(connection).await?)
}

/// Also those that are not valid any more: they are deleted by the next rotation only.
async fn list_all_previous(
    connection: &mut AsyncPgConnection,
    id: Uuid,
) -> Result<Vec<SealedPrevious>, StoreError> {
    use previous_secrets::dsl;
    let rows = dsl::previous_secrets
        .filter(dsl::webhook_id.eq(id))
        .select((dsl::sealed_secret, dsl::replaced_at));
    Ok(rows.load(connection).await?)
}

/// What belongs to one webhook, sealed with the first key.
struct Again {
    secret: Vec<u8>,
    headers: Option<Vec<u8>>,
    previous: Vec<SealedPrevious>,
}

fn seal_again(
    keys: &SealingKeys,
    id: Uuid,
    secret: &[u8],
    headers: Option<&[u8]>,
    previous: &[SealedPrevious],
) -> Result<Again, StoreError> {
    let again = |sealed: &[u8]| Ok::<_, StoreError>(keys.seal(id, &keys.open(id, sealed)?));
    let previous = previous
        .iter()
        .map(|(sealed, replaced_at)| Ok((again(sealed)?, *replaced_at)));
    Ok(Again {
        secret: again(secret)?,
        headers: headers.map(again).transpose()?,
        previous: previous.collect::<Result<_, StoreError>>()?,
    })
}

async fn write(
    connection: &mut AsyncPgConnection,
    id: Uuid,
    again: &Again,
) -> Result<(), StoreError> {
    diesel::update(webhooks::table.find(id))
        .set((
            webhooks::sealed_secret.eq(&again.secret),
            webhooks::sealed_headers.eq(&again.headers),
        ))
        .execute(connection)
        .await?;
    for (sealed, replaced_at) in &again.previous {
        diesel::update(previous_secrets::table.find((id, replaced_at)))
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
