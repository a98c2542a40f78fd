//! All stored secrets, to find the webhook whose secret made a signature.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::WebhookId;

use super::{SealedPrevious, Secrets, open};
use crate::column_types::{bind, bind_all};
use crate::schema::{previous_secrets, webhooks};
use crate::{SealingKeys, StoreError};

/// A webhook with its secrets, expired ones included: the next replacement deletes those.
#[derive(Debug, Clone)]
pub struct Signer {
    /// The webhook's id.
    pub webhook_id: WebhookId,
    /// The webhook's name.
    pub name: String,
    /// The webhook's secrets.
    pub secrets: Secrets,
}

/// A page of signers.
#[derive(Debug, Default)]
pub struct SignerPage {
    /// Webhooks whose secrets a sealing key opens.
    pub signers: Vec<Signer>,
    /// The last webhook of the page; `None`: the list is at its end.
    pub last: Option<WebhookId>,
}

/// Finds a webhook with its secrets.
pub async fn find_signer(
    connection: &mut AsyncPgConnection,
    keys: &SealingKeys,
    id: WebhookId,
) -> Result<Option<Signer>, StoreError> {
    let row: Option<Row> = webhooks::table
        .find(bind(id))
        .filter(webhooks::deleted_at.is_null())
        .select((webhooks::id, webhooks::name, webhooks::sealed_secret))
        .first(connection)
        .await
        .optional()?;
    let signers = open_all(connection, keys, row.into_iter().collect()).await?;
    signers.into_iter().next().transpose()
}

/// Lists up to `limit` webhooks with their secrets, newest first, behind `after`.
pub async fn list_signers(
    connection: &mut AsyncPgConnection,
    keys: &SealingKeys,
    after: Option<WebhookId>,
    limit: i64,
) -> Result<SignerPage, StoreError> {
    let rows: Vec<Row> = webhooks::table
        .filter(webhooks::deleted_at.is_null())
        .filter(webhooks::id.lt(bind(after.unwrap_or(WebhookId(Uuid::max())))))
        .order(webhooks::id.desc())
        .limit(limit)
        .select((webhooks::id, webhooks::name, webhooks::sealed_secret))
        .load(connection)
        .await?;
    let last = rows.last().map(|(id, ..)| *id);
    let signers = open_all(connection, keys, rows).await?;
    // Secrets of a lost key cannot have made the signature in question, so they are passed over.
    let signers = signers.into_iter().filter_map(Result::ok).collect();
    Ok(SignerPage { signers, last })
}

/// Opens the secrets of up to `limit` webhooks, the newest. Returns the number of webhooks, and the number of those
/// with a secret that no key opens.
pub async fn try_open(
    connection: &mut AsyncPgConnection,
    keys: &SealingKeys,
    limit: i64,
) -> Result<(usize, usize), StoreError> {
    let rows: Vec<Row> = webhooks::table
        .filter(webhooks::deleted_at.is_null())
        .order(webhooks::id.desc())
        .limit(limit)
        .select((webhooks::id, webhooks::name, webhooks::sealed_secret))
        .load(connection)
        .await?;
    let opened = open_all(connection, keys, rows).await?;
    let unopened = opened.iter().filter(|signer| signer.is_err()).count();
    Ok((opened.len(), unopened))
}

type Row = (WebhookId, String, Vec<u8>);

/// Opens the secrets of each webhook. An unreadable one is an error of its own.
async fn open_all(
    connection: &mut AsyncPgConnection,
    keys: &SealingKeys,
    rows: Vec<Row>,
) -> Result<Vec<Result<Signer, StoreError>>, StoreError> {
    use previous_secrets::dsl;
    let ids: Vec<WebhookId> = rows.iter().map(|(id, ..)| *id).collect();
    let replaced: Vec<(WebhookId, SealedPrevious)> = dsl::previous_secrets
        .filter(dsl::webhook_id.eq_any(bind_all(&ids)))
        .order(dsl::replaced_at.desc())
        .select((dsl::webhook_id, (dsl::sealed_secret, dsl::valid_until)))
        .load(connection)
        .await?;
    let mut previous: HashMap<WebhookId, Vec<SealedPrevious>> = HashMap::new();
    for (id, sealed) in replaced {
        previous.entry(id).or_default().push(sealed);
    }
    let signers = rows.into_iter().map(|(id, name, current)| {
        let previous = previous.remove(&id).unwrap_or_default();
        Ok(Signer {
            webhook_id: id,
            name,
            secrets: open(keys, id, &current, &previous)?,
        })
    });
    Ok(signers.collect())
}
