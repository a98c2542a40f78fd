//! Creations over HTTP: `Idempotency-Key` as a handler's argument, and the response 201.

use std::future::{Ready, ready};

use actix_web::http::header::{CACHE_CONTROL, ETAG, HeaderName, HeaderValue, LOCATION};
use actix_web::{FromRequest, HttpRequest, HttpResponse, dev};
use webhook_admin::creation::{Creation, IDEMPOTENCY_KEY, IdempotencyKey};
use webhook_admin::version::etag;

use crate::problem::Problem;

/// The header of a repeated response: an earlier request created the row.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The `Idempotency-Key` of a request, or none.
pub struct IdempotencyHeader(pub IdempotencyKey);

impl FromRequest for IdempotencyHeader {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let header = request.headers().get(IDEMPOTENCY_KEY);
        // A value outside ASCII is refused like an empty value.
        let header = header.map(|value| value.to_str().unwrap_or_default());
        let key = IdempotencyKey::parse(header, request.path());
        ready(key.map(Self).map_err(Problem::from))
    }
}

/// The response 201 to a creation.
pub fn respond_created(
    Creation {
        created,
        is_replayed,
    }: Creation,
) -> HttpResponse {
    let mut response = HttpResponse::Created();
    response
        .content_type("application/json")
        .insert_header((LOCATION, created.location))
        // The body may hold a secret, so no cache on the way may keep the response.
        .insert_header((CACHE_CONTROL, "no-store"));
    if let Some(version) = created.version {
        response.insert_header((ETAG, etag(version)));
    }
    if is_replayed {
        response.insert_header((REPLAYED, HeaderValue::from_static("true")));
    }
    response.body(created.body)
}
