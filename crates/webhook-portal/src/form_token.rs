//! The proof that a form is from a page of the portal: a token derived from a cookie of the browser.

use actix_web::HttpRequest;
use webhook_domain::SessionToken;

/// The field of the token in every form.
pub(super) const TOKEN_FIELD: &str = "csrf";

/// The cookie for the token of the sign-in form, while there is no session. Without a token, another
/// site could sign a browser in with a foreign API key.
pub(super) const SIGN_IN_COOKIE: &str = "webhooks_sign_in";

/// The token of forms for the browser with this cookie; empty without the cookie, and an empty token
/// is refused.
pub(super) fn form_token(request: &HttpRequest, cookie: &str) -> String {
    let cookie = request.cookie(cookie);
    let token = cookie.map(|cookie| SessionToken::from_cookie(cookie.value()).form_token());
    token.unwrap_or_default()
}
