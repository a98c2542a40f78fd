//! `Idempotency-Key`: a creation that is sent again within a day is answered as before, and made
//! once.

use std::future::{Ready, ready};

use actix_web::http::header::{CACHE_CONTROL, ETAG, HeaderName, HeaderValue, LOCATION};
use actix_web::{FromRequest, HttpRequest, HttpResponse, dev};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use webhook_domain::FieldError;
use webhook_store::idempotency::{self, Repeatable, Seen};
use webhook_store::{Connection, SealingKeys, transaction};

use crate::caller::Caller;
use crate::precondition::etag;
use crate::problem::Problem;

const HEADER: &str = "Idempotency-Key";

/// Says that an answer was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The most characters that a key may have.
const MAX_CHARS: usize = 255;

/// What a caller calls a request, if it may be sent again.
pub(crate) struct IdempotencyKey {
    key: Option<String>,
    path: String,
}

impl IdempotencyKey {
    /// The key of a form at `path`, so that pressing twice makes one: a UUID that its page drew. A
    /// form without one is a request of its own.
    pub(crate) fn of_form(drawn: &str, path: &str) -> Self {
        let key: Option<Uuid> = drawn.parse().ok();
        Self {
            key: key.map(|key| key.to_string()),
            path: path.to_owned(),
        }
    }
}

impl FromRequest for IdempotencyKey {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let key = request.headers().get(HEADER).map(parse).transpose();
        let path = request.path().to_owned();
        ready(key.map(|key| Self { key, path }))
    }
}

fn parse(value: &HeaderValue) -> Result<String, Problem> {
    let text = value.to_str().unwrap_or_default();
    if (1..=MAX_CHARS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(text.to_owned());
    }
    Err(refused())
}

fn refused() -> Problem {
    let reason = format!("must have 1 to {MAX_CHARS} visible ASCII characters");
    Problem::Invalid(vec![FieldError::new(HEADER, reason)])
}

/// The answer to a creation.
#[derive(Serialize, Deserialize)]
pub(crate) struct Created {
    id: Uuid,
    location: String,
    version: Option<i64>,
    body: String,
}

impl Created {
    /// What is in `collection` under `id` now, as JSON.
    pub(crate) fn of(
        id: Uuid,
        collection: &str,
        version: Option<i64>,
        body: &impl Serialize,
    ) -> Self {
        let body = serde_json::to_string(body).expect("our bodies are JSON");
        Self {
            id,
            location: format!("{collection}/{id}"),
            version,
            body,
        }
    }

    /// It may hold a secret: nobody on the way may keep it.
    fn answer(self) -> HttpResponse {
        let mut response = HttpResponse::Created();
        response
            .content_type("application/json")
            .insert_header((LOCATION, self.location))
            .insert_header((CACHE_CONTROL, "no-store"));
        if let Some(version) = self.version {
            response.insert_header((ETAG, etag(version)));
        }
        response.body(self.body)
    }
}

/// Makes something in a transaction, unless the same request has made it before.
pub(crate) async fn create_once(
    connection: &mut Connection,
    keys: &SealingKeys,
    caller: &Caller,
    (idempotency_key, body): (&IdempotencyKey, &[u8]),
    make: impl AsyncFnOnce(&mut webhook_store::RawConnection) -> Result<Created, Problem>,
) -> Result<HttpResponse, Problem> {
    let hash = Sha256::new_with_prefix(&idempotency_key.path)
        .chain_update([0])
        .chain_update(body)
        .finalize();
    let request = idempotency_key.key.as_deref().map(|key| Repeatable {
        api_key: caller.key_id,
        key,
        request_hash: &hash,
    });
    transaction(connection, async |connection| {
        let Some(request) = request else {
            return Ok(make(connection).await?.answer());
        };
        let id = match idempotency::begin(connection, keys, request).await? {
            Seen::Never(id) => id,
            Seen::Answered(answer) => return replay(&answer),
            Seen::OtherRequest => return Err(Problem::IdempotencyKeyReused),
        };
        let created = make(connection).await?;
        let answer = serde_json::to_string(&created).expect("texts are JSON");
        let made = (created.id, answer.as_str());
        idempotency::remember(connection, keys, id, request, made).await?;
        Ok(created.answer())
    })
    .await
}

fn replay(answer: &str) -> Result<HttpResponse, Problem> {
    let created: Created =
        serde_json::from_str(answer).map_err(|error| Problem::Broken(error.to_string()))?;
    let mut response = created.answer();
    let replayed = HeaderValue::from_static("true");
    response.headers_mut().insert(REPLAYED, replayed);
    Ok(response)
}
