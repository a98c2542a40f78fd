//! Who looks at a page, and from where.

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

/// A page asks for itself again with this header, to show what is new: what the page was to tell
/// once stays for the person.
const REFRESH: &str = "x-refresh";

/// What every page knows of the request that it answers.
pub(crate) struct Visit {
    pub(crate) caller: Caller,
    /// Every form sends it back, so that no other site can make one.
    pub(crate) csrf: String,
    /// What came of the form that led here.
    pub(crate) notice: Option<Notice>,
    /// Where the page is, without its query.
    pub(crate) path: String,
    /// Where it is, with it.
    pub(crate) address: String,
}

impl Visit {
    /// Whether buttons that change webhooks and deliveries are shown.
    pub(crate) fn may_manage(&self) -> bool {
        self.caller.role().allows(Permission::Manage)
    }

    /// Whether buttons that change keys and settings are shown.
    pub(crate) fn may_own(&self) -> bool {
        self.caller.role().allows(Permission::Own)
    }

    /// Where scripts and styles are.
    pub(crate) fn assets(&self) -> &'static str {
        assets::base()
    }

    /// Whether the page is this one or below it, for the navigation.
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
