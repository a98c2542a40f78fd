//! Creations that happen once: a repeated request with the same `Idempotency-Key` within a day gets the
//! first creation's response, and creates no second row.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use webhook_domain::FieldError;
use webhook_store::idempotency::{self, Repeatable, Seen};
use webhook_store::{Connection, RawConnection, SealingKeys, transaction};

use crate::caller::Caller;
use crate::refusal::Refusal;

/// The header with a caller's own name of a request.
pub const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// The most characters of an `Idempotency-Key`.
const MAX_CHARS: usize = 255;

/// A caller's own name of a request, if the caller may repeat the request.
pub struct IdempotencyKey {
    key: Option<String>,
    path: String,
}

impl IdempotencyKey {
    /// A request to `path` with the header's value, if there is a header.
    pub fn parse(header: Option<&str>, path: &str) -> Result<Self, Refusal> {
        Ok(Self {
            key: header.map(parse).transpose()?,
            path: path.to_owned(),
        })
    }

    /// A form at `path` with the UUID `drawn` of its page: pressing the button twice creates one row.
    /// A form without a UUID creates a row each time.
    pub fn of_form(drawn: &str, path: &str) -> Self {
        let key: Option<Uuid> = drawn.parse().ok();
        Self {
            key: key.map(|key| key.to_string()),
            path: path.to_owned(),
        }
    }
}

fn parse(text: &str) -> Result<String, Refusal> {
    if (1..=MAX_CHARS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(text.to_owned());
    }
    let reason = format!("must have 1 to {MAX_CHARS} visible ASCII characters");
    Err(Refusal::Invalid(vec![FieldError::new(
        IDEMPOTENCY_KEY,
        reason,
    )]))
}

/// A new row of a collection, as in the response to the creation. The body may hold a secret.
#[derive(Serialize, Deserialize)]
pub struct Created {
    /// The row's id.
    pub id: Uuid,
    /// The path of the row in the API.
    pub location: String,
    /// The row's version, for rows with an `ETag`.
    pub version: Option<i64>,
    /// The row as JSON.
    pub body: String,
}

impl Created {
    /// The new row `id` of `collection`.
    pub fn of(id: Uuid, collection: &str, version: Option<i64>, body: &impl Serialize) -> Self {
        let body = serde_json::to_string(body).expect("our bodies are JSON");
        Self {
            id,
            location: format!("{collection}/{id}"),
            version,
            body,
        }
    }
}

/// A creation, by the current request or by an earlier one.
pub struct Creation {
    /// The new row.
    pub created: Created,
    /// Whether the row was created by an earlier request with the same `Idempotency-Key`.
    pub is_replayed: bool,
}

impl Creation {
    fn made_now(created: Created) -> Self {
        Self {
            created,
            is_replayed: false,
        }
    }
}

/// A request to create a row.
#[derive(Clone, Copy)]
pub struct CreationRequest<'a> {
    /// The `Idempotency-Key`.
    pub key: &'a IdempotencyKey,
    /// The body of the request, which a repeated request must have, too.
    pub body: &'a [u8],
}

/// Creates a row with `make` in a transaction, unless an earlier request with the same key and the same
/// body has created the row.
pub async fn create_once(
    connection: &mut Connection,
    sealing_keys: &SealingKeys,
    caller: &Caller,
    request: CreationRequest<'_>,
    make: impl AsyncFnOnce(&mut RawConnection) -> Result<Created, Refusal>,
) -> Result<Creation, Refusal> {
    let hash = Sha256::new_with_prefix(&request.key.path)
        .chain_update([0])
        .chain_update(request.body)
        .finalize();
    // Keys of creations belong to an API key: the command line has neither.
    let named = caller.key_id().zip(request.key.key.as_deref());
    let repeatable = named.map(|(api_key, key)| Repeatable {
        api_key,
        key,
        request_hash: &hash,
    });
    transaction(connection, async |connection| {
        let Some(request) = repeatable else {
            return Ok(Creation::made_now(make(connection).await?));
        };
        // A concurrent request with the same key waits here for this transaction's commit, and then finds
        // the remembered response.
        let id = match idempotency::begin(connection, sealing_keys, request).await? {
            Seen::Never(id) => id,
            Seen::Answered(remembered) => return replay(&remembered),
            Seen::OtherRequest => return Err(Refusal::IdempotencyKeyReused),
        };
        let created = make(connection).await?;
        let remembered = serde_json::to_string(&created).expect("texts are JSON");
        let made = (created.id, remembered.as_str());
        idempotency::remember(connection, sealing_keys, id, request, made).await?;
        Ok(Creation::made_now(created))
    })
    .await
}

fn replay(remembered: &str) -> Result<Creation, Refusal> {
    let created = serde_json::from_str(remembered);
    let created = created.map_err(|error| Refusal::Broken(error.to_string()))?;
    Ok(Creation {
        created,
        is_replayed: true,
    })
}
