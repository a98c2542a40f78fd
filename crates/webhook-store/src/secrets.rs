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

/// How many replaced secrets sign at most beside the current one; the oldest goes first.
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

/// A replaced secret as it is stored, and until when it signs.
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
        .order(dsl::valid_until.desc())
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
            .order(dsl::valid_until.desc())
            .select(dsl::valid_until)
            .limit(i64::try_from(MAX_PREVIOUS).unwrap_or(i64::MAX))
            .load(connection)
            .await?;
        let old = of_it.filter(dsl::valid_until.ne_all(kept));
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

/// Seals anew what was not sealed with the first key, up to `limit` webhooks with all that
/// belongs to them. Tells how many there were.
pub async fn reseal(
    connection: &mut AsyncPgConnection,
    keys: &SealingKeys,
    limit: i64,
) -> Result<usize, StoreError> {
    use webhooks::dsl;
    transaction(connection, async |connection: &mut AsyncPgConnection| {
        let first = || prefix(dsl::sealed_secret, 1, 8);
        let rows: Vec<(Uuid, Vec<u8>, Option<Vec<u8>>)> = dsl::webhooks
            .filter(dsl::deleted_at.is_null())
            .filter(first().ne(keys.first_id()))
            .order(dsl::id)
            .limit(limit)
            .select((dsl::id, dsl::sealed_secret, dsl::sealed_headers))
            .for_no_key_update()
            .load(connection)
            .await?;
        let again = |id, sealed: &[u8]| Ok::<_, StoreError>(keys.seal(id, &keys.open(id, sealed)?));
        for (id, secret, headers) in &rows {
            let headers = headers.as_deref().map(|sealed| again(*id, sealed));
            diesel::update(dsl::webhooks.find(id))
                .set((
                    dsl::sealed_secret.eq(again(*id, secret)?),
                    dsl::sealed_headers.eq(headers.transpose()?),
                ))
                .execute(connection)
                .await?;
            reseal_previous(connection, *id, &again).await?;
        }
        Ok(rows.len())
    })
    .await
}

async fn reseal_previous(
    connection: &mut AsyncPgConnection,
    id: Uuid,
    again: &impl Fn(Uuid, &[u8]) -> Result<Vec<u8>, StoreError>,
) -> Result<(), StoreError> {
    use previous_secrets::dsl;
    let rows: Vec<SealedPrevious> = dsl::previous_secrets
        .filter(dsl::webhook_id.eq(id))
        .select((dsl::sealed_secret, dsl::valid_until))
        .load(connection)
        .await?;
    for (sealed, valid_until) in rows {
        diesel::update(dsl::previous_secrets.find((id, valid_until)))
            .set(dsl::sealed_secret.eq(again(id, &sealed)?))
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
