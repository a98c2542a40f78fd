//! The request for a page: its caller, its form token, its notice and its address.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev};
use webhook_domain::Permission;

use super::assets;
use super::notice::Notice;
use super::own_form::form_token;
use webhook_admin::Caller;
use webhook_web::Authenticated;
use webhook_web::Problem;
use webhook_web::auth::SESSION_COOKIE;

/// The header of a request by which a script refreshes a region of its page. Such a response must not
/// consume the notice, which nobody would see.
const REFRESH: &str = "x-refresh";

/// The request for a page, as every template knows it.
pub(crate) struct Visit {
    pub(crate) caller: Caller,
    /// The token that every form must send, so that no other site can send a form.
    pub(crate) csrf: String,
    /// The outcome of the form that led to this page.
    pub(crate) notice: Option<Notice>,
    /// The path of the page.
    pub(crate) path: String,
    /// The path of the page and its query.
    pub(crate) address: String,
}

impl Visit {
    /// Whether the caller may change webhooks and deliveries.
    pub(crate) fn may_manage(&self) -> bool {
        self.caller.role().allows(Permission::Manage)
    }

    /// Whether the caller may change API keys and settings.
    pub(crate) fn may_own(&self) -> bool {
        self.caller.role().allows(Permission::Own)
    }

    /// The path of scripts and styles.
    pub(crate) fn assets(&self) -> &'static str {
        assets::base()
    }

    /// Whether the page is `section` or below it, for the navigation.
    pub(crate) fn is_in(&self, section: &str) -> bool {
        let rest = self.path.strip_prefix(section);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl FromRequest for Visit {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let caller = Authenticated::from_request(request, payload).into_inner();
        ready(caller.map(|Authenticated(caller)| Self {
            caller,
            csrf: form_token(request, SESSION_COOKIE),
            notice: Notice::of(request).filter(|_| !request.headers().contains_key(REFRESH)),
            path: request.path().to_owned(),
            address: request.uri().to_string(),
        }))
    }
}
