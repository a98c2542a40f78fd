//! How a form proves that one of our own pages made it: a token derived from a cookie of the browser.

use actix_web::HttpRequest;
use webhook_domain::SessionToken;

/// The field of the token, which every form has.
pub(super) const TOKEN_FIELD: &str = "csrf";

/// The cookie that the sign-in form's token is derived from, while there is no session: no other site
/// can sign a browser in as somebody else.
pub(super) const SIGN_IN_COOKIE: &str = "webhooks_sign_in";

/// The token of forms for the browser with this cookie; empty without the cookie, and an empty token
/// is refused.
pub(super) fn form_token(request: &HttpRequest, cookie: &str) -> String {
    let cookie = request.cookie(cookie);
    let token = cookie.map(|cookie| SessionToken::from_cookie(cookie.value()).form_token());
    token.unwrap_or_default()
}
