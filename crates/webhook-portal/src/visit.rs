//! The request for a page: caller, form token, flash and address.

use actix_web::{FromRequest, HttpRequest, dev};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use url::form_urlencoded::byte_serialize;
use webhook_domain::Permission;

use super::alarm::Alarm;
use super::assets;
use super::flash::Flash;
use super::form_token::form_token;
use super::navigation;
use webhook_admin::Caller;
use webhook_web::Authenticated;
use webhook_web::Problem;
use webhook_web::auth::SESSION_COOKIE;

/// The header of a script's request to refresh a region of a page. The response must not consume the
/// flash, which the script would not show.
const REFRESH: &str = "x-refresh";

/// The request for a page, for every template.
pub(crate) struct Visit {
    pub(crate) caller: Caller,
    /// The token of every form, without which a form from another site is refused.
    pub(crate) csrf: String,
    /// The outcome of the form before the page.
    pub(crate) flash: Option<Flash>,
    /// The path of the page.
    pub(crate) path: String,
    /// The path of the page with the query.
    pub(crate) address: String,
    /// Scheme, host and port by which the browser calls the portal.
    pub(crate) origin: String,
    /// The trouble of dispatchers, for the top of the page.
    pub(crate) alarm: Option<Alarm>,
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

    /// The address of the page as the field `back` of another page's query.
    pub(crate) fn as_back(&self) -> String {
        let back = byte_serialize(self.address.as_bytes());
        ["back="].into_iter().chain(back).collect()
    }

    /// Whether the page is `section` or below it.
    pub(crate) fn is_in(&self, section: &str) -> bool {
        navigation::is_in(&self.path, section)
    }
}

impl FromRequest for Visit {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let caller = Authenticated::from_request(request, payload).into_inner();
        let request = request.clone();
        let reading = async move {
            let Authenticated(caller) = caller?;
            Ok(Self {
                caller,
                csrf: form_token(&request, SESSION_COOKIE),
                flash: Flash::of(&request).filter(|_| !request.headers().contains_key(REFRESH)),
                path: request.path().to_owned(),
                address: request.uri().to_string(),
                origin: origin(&request),
                alarm: Alarm::of(&request).await,
            })
        };
        reading.boxed_local()
    }
}

fn origin(request: &HttpRequest) -> String {
    let connection = request.connection_info();
    format!("{}://{}", connection.scheme(), connection.host())
}
