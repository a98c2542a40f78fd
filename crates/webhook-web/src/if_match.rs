//! `If-Match`, as a handler's argument.

use std::future::{Ready, ready};

use actix_web::http::header::IF_MATCH;
use actix_web::{FromRequest, HttpRequest, dev};
use webhook_admin::version::IfMatch;

use crate::problem::Problem;

/// The versions in a request's `If-Match`.
pub struct IfMatchHeader(pub IfMatch);

impl FromRequest for IfMatchHeader {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let header = request.headers().get(IF_MATCH);
        // A value outside ASCII matches no version.
        let parsed = header.map(|value| IfMatch::parse(value.to_str().unwrap_or_default()));
        ready(Ok(Self(parsed.unwrap_or(IfMatch::Any))))
    }
}
