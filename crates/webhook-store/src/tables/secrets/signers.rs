//! Whose secret made a signature: every secret that is still there.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::WebhookId;

use super::{SealedPrevious, Secrets, open};
use crate::schema::{previous_secrets, webhooks};
use crate::{SealingKeys, StoreError};

/// A webhook with its secrets, those included that are not valid any more and were not deleted
/// yet: the next rotation does that.
#[derive(Debug, Clone)]
pub struct Signer {
    /// Its id.
    pub webhook_id: WebhookId,
    /// Its name.
    pub name: String,
    /// Its secrets.
    pub secrets: Secrets,
}

/// A page of signers.
#[derive(Debug, Default)]
pub struct SignerPage {
    /// Those whose secrets our keys open.
    pub signers: Vec<Signer>,
    /// The last webhook that was looked at; `None`: there are no more.
    pub last: Option<WebhookId>,
}

/// Finds a webhook with its secrets.
pub async fn find_signer(
    connection: &mut AsyncPgConnection,
    keys: &SealingKeys,
    id: WebhookId,
) -> Result<Option<Signer>, StoreError> {
    let row: Option<Row> = webhooks::table
        .find(id.0)
        .filter(webhooks::deleted_at.is_null())
        .select((webhooks::id, webhooks::name, webhooks::sealed_secret))
        .first(connection)
        .await
        .optional()?;
    let signers = open_all(connection, keys, row.into_iter().collect()).await?;
    signers.into_iter().next().transpose()
}

/// Lists webhooks with their secrets, the newest first, after `after`, up to `limit`.
pub async fn list_signers(
    connection: &mut AsyncPgConnection,
    keys: &SealingKeys,
    after: Option<WebhookId>,
    limit: i64,
) -> Result<SignerPage, StoreError> {
    let rows: Vec<Row> = webhooks::table
        .filter(webhooks::deleted_at.is_null())
        .filter(webhooks::id.lt(after.map_or(Uuid::max(), |id| id.0)))
        .order(webhooks::id.desc())
        .limit(limit)
        .select((webhooks::id, webhooks::name, webhooks::sealed_secret))
        .load(connection)
        .await?;
    let last = rows.last().map(|(id, ..)| WebhookId(*id));
    let signers = open_all(connection, keys, rows).await?;
    let signers = signers.into_iter().filter_map(Result::ok).collect();
    Ok(SignerPage { signers, last })
}

type Row = (Uuid, String, Vec<u8>);

/// Opens each for itself: one may be unreadable.
async fn open_all(
    connection: &mut AsyncPgConnection,
    keys: &SealingKeys,
    rows: Vec<Row>,
) -> Result<Vec<Result<Signer, StoreError>>, StoreError> {
    use previous_secrets::dsl;
    let ids: Vec<Uuid> = rows.iter().map(|(id, ..)| *id).collect();
    let replaced: Vec<(Uuid, SealedPrevious)> = dsl::previous_secrets
        .filter(dsl::webhook_id.eq_any(ids))
        .order(dsl::replaced_at.desc())
        .select((dsl::webhook_id, (dsl::sealed_secret, dsl::valid_until)))
        .load(connection)
        .await?;
    let mut previous: HashMap<Uuid, Vec<SealedPrevious>> = HashMap::new();
    for (id, sealed) in replaced {
        previous.entry(id).or_default().push(sealed);
    }
    let signers = rows.into_iter().map(|(id, name, current)| {
        let previous = previous.remove(&id).unwrap_or_default();
        Ok(Signer {
            webhook_id: WebhookId(id),
            name,
            secrets: open(keys, id, &current, &previous)?,
        })
    });
    Ok(signers.collect())
}
