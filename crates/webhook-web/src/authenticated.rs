//! The caller of a request, as a handler's argument.

use std::future::{Ready, ready};
use std::ops::Deref;

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev};
use webhook_admin::{Caller, Refusal};

use crate::problem::Problem;

/// The caller of a request, after [`authorize`](crate::auth::authorize).
#[derive(Debug, Clone)]
pub struct Authenticated(pub Caller);

impl Authenticated {
    /// The API key's id, for log lines.
    pub(crate) fn key_text(&self) -> String {
        self.0
            .key_id()
            .map_or_else(String::new, |id| id.to_string())
    }
}

impl Deref for Authenticated {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.0
    }
}

impl FromRequest for Authenticated {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let caller = request.extensions().get().cloned();
        ready(caller.ok_or(Problem::Refused(Refusal::Unauthorized)))
    }
}
