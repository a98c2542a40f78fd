//! The fields of a form, after the check that one of our own pages made the form.

use actix_web::http::header::CONTENT_TYPE;
use actix_web::{FromRequest, HttpMessage, HttpRequest, dev};
use futures_util::future::LocalBoxFuture;

use super::form_token::{SIGN_IN_COOKIE, TOKEN_FIELD, form_token};
use webhook_admin::Refusal;
use webhook_domain::{FieldError, Named};
use webhook_web::Authenticated;
use webhook_web::Problem;
use webhook_web::auth::SESSION_COOKIE;
use webhook_web::body::read_body;

/// The most bytes of a form: a webhook with all its headers and metadata, each byte escaped.
const MAX_BYTES: usize = 768 * 1024;

/// The most bytes of a form with a document: 2 MiB of JSON, every third byte escaped. A longer document
/// is imported over the API.
const MAX_DOCUMENT_BYTES: usize = 4 * 1024 * 1024;

/// The fields of a form, in the order of the page. As a handler's argument, a form is refused unless
/// its token belongs to the session, or to the sign-in page.
#[derive(Debug, Default, Clone)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// The trimmed value of the first field with a name; empty without the field.
    pub(crate) fn text(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(field, _)| field == name);
        found.map_or("", |(_, value)| value.trim())
    }

    /// The value of the first field with a name, as it was typed; a browser sends line ends as CR LF.
    pub(crate) fn raw(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(field, _)| field == name);
        found.map_or("", |(_, value)| value)
    }

    /// The trimmed values of all fields with a name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.0.iter().filter(move |(field, _)| field == name);
        named.map(|(_, value)| value.trim())
    }

    /// The value of a field that a page offers as a choice of names. Another value is refused with the known
    /// names: only a request that no page made has another value.
    pub(crate) fn choice<T: Named>(&self, name: &str) -> Result<T, Refusal> {
        let chosen = self.text(name).parse();
        chosen.map_err(|unknown| Refusal::Invalid(vec![FieldError::new(name, unknown)]))
    }

    /// Whether the form has a field. A browser sends a checkbox only when it is checked.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(field, _)| field == name)
    }

    /// The page to show after the form: the page in the field `back`, or `otherwise`.
    pub(crate) fn back<'a>(&'a self, otherwise: &'a str) -> &'a str {
        let back = self.text("back");
        if is_page(back) { back } else { otherwise }
    }

    /// Reads what a browser sends.
    pub(super) fn parse(body: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(body).into_owned().collect())
    }
}

/// Whether an address is a page of the portal. No form and no link leads a browser to another host.
pub(super) fn is_page(path: &str) -> bool {
    path.starts_with("/admin/") && !path.contains(['\\', '\r', '\n'])
}

/// A form with a pasted document, such as exported webhooks.
pub(crate) struct DocumentForm(pub(crate) Form);

impl FromRequest for Form {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        Box::pin(read(request, payload.take(), MAX_BYTES))
    }
}

impl FromRequest for DocumentForm {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let form = read(request, payload.take(), MAX_DOCUMENT_BYTES);
        Box::pin(async move { form.await.map(Self) })
    }
}

/// Reads a form of at most `limit` bytes, and checks its token.
fn read(
    request: &HttpRequest,
    payload: dev::Payload,
    limit: usize,
) -> impl Future<Output = Result<Form, Problem>> + 'static {
    let is_form = request
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|media_type| {
            media_type
                .as_bytes()
                .starts_with(b"application/x-www-form-urlencoded")
        });
    let signed_in = request.extensions().contains::<Authenticated>();
    let cookie = if signed_in {
        SESSION_COOKIE
    } else {
        SIGN_IN_COOKIE
    };
    let own = form_token(request, cookie);
    async move {
        if !is_form {
            return Err(Problem::NotAForm);
        }
        let form = Form::parse(&read_body(payload, limit).await?);
        let sent = form.text(TOKEN_FIELD);
        if sent.is_empty() || sent != own {
            return Err(Problem::BadFormToken);
        }
        Ok(form)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::cookie::Cookie;
    use actix_web::test::TestRequest;
    use chrono::Utc;
    use uuid::Uuid;
    use webhook_admin::Caller;
    use webhook_domain::{ApiKeyId, Environment, Role, SessionToken, WebhookStatus};
    use webhook_store::api_keys::ApiKeyRow;

    #[tokio::test]
    async fn who_signed_in_sends_the_sessions_token_and_who_signs_in_that_of_its_page() {
        let caller = || {
            Caller::of(
                ApiKeyRow {
                    id: ApiKeyId(Uuid::from_u128(7)),
                    name: "CI".to_owned(),
                    role: Role::Admin,
                    prefix: String::new(),
                    created_at: Utc::now(),
                    expires_at: None,
                    revoked_at: None,
                    last_used_at: None,
                },
                None,
            )
        };

        assert!(takes(SESSION_COOKIE, Some(caller())).await);
        assert!(takes(SIGN_IN_COOKIE, None).await);
        assert!(!takes(SIGN_IN_COOKIE, Some(caller())).await);
        assert!(!takes(SESSION_COOKIE, None).await);
        assert!(!takes("another", Some(caller())).await);
    }

    /// Whether a form with the token of `cookie` is taken, of a browser that has both cookies.
    async fn takes(cookie: &str, caller: Option<Caller>) -> bool {
        let token = |of: &str| SessionToken::from_cookie(of).form_token();
        let (request, mut payload) = TestRequest::default()
            .insert_header((CONTENT_TYPE, "application/x-www-form-urlencoded"))
            .cookie(Cookie::new(SESSION_COOKIE, SESSION_COOKIE))
            .cookie(Cookie::new(SIGN_IN_COOKIE, SIGN_IN_COOKIE))
            .set_payload(format!("csrf={}", token(cookie)))
            .to_http_parts();
        if let Some(caller) = caller {
            request.extensions_mut().insert(Authenticated(caller));
        }
        Form::from_request(&request, &mut payload).await.is_ok()
    }

    #[test]
    fn one_is_led_to_our_own_pages_only() {
        assert!(is_page("/admin/webhooks?status=active"));
        for elsewhere in [
            "",
            "//evil.example/",
            "https://evil.example/admin/",
            "/admin/\\evil.example",
            "/admin/\r\nSet-Cookie: a=b",
            "/api/v1/webhooks",
        ] {
            assert!(!is_page(elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn fields_are_read_as_a_browser_sends_them() {
        let form = Form::parse(b"name=+CRM+%C3%BC&event_types=a&event_types=b&empty=");

        assert_eq!(form.text("name"), "CRM ü");
        assert_eq!(form.all("event_types").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!((form.text("empty"), form.has("empty")), ("", true));
        assert_eq!((form.text("none"), form.has("none")), ("", false));
    }

    #[test]
    fn a_choice_that_no_page_offers_is_refused_with_its_field() {
        let form = Form::parse(b"status=paused&environment=staging");

        let refused = form.choice::<WebhookStatus>("status").expect_err("unknown");

        assert_eq!(refused.fields()[0].field, "status");
        assert_eq!(form.choice("environment").ok(), Some(Environment::Staging));
    }
}
