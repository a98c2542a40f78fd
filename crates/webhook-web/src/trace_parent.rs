//! `traceparent` (W3C Trace Context), as a handler's argument.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev};
use webhook_domain::TraceContext;

use crate::problem::Problem;

/// The place of a request in a trace; `None`: the request names none, or not in the form of the standard.
pub struct TraceParent(pub Option<TraceContext>);

impl FromRequest for TraceParent {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let header = request.headers().get("traceparent");
        let text = header.and_then(|value| value.to_str().ok());
        ready(Ok(Self(text.and_then(TraceContext::parse))))
    }
}
