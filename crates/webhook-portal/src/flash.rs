//! The flash about the outcome of a form, shown once on the next page.

use actix_web::HttpRequest;
use actix_web::cookie::{Cookie, SameSite, time};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use webhook_domain::{WebhookId, WebhookStatus};

/// The cookie of the flash. No replica stores a flash, because any replica may serve the next page.
const COOKIE: &str = "webhooks_flash";

/// How long the cookie lives, in seconds. Afterwards the browser drops the flash.
const COOKIE_SECONDS: i64 = 60;

/// A sentence about the outcome, and an undo button if the change can be undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Flash {
    pub(crate) text: String,
    /// The undo button.
    pub(crate) undo: Option<Undo>,
}

/// A form to undo a change. A cookie can only name a form of this list, which bounds the harm of a
/// planted cookie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Undo {
    /// Sets a webhook back to the old status `was`.
    Status {
        webhook_id: WebhookId,
        was: WebhookStatus,
    },
    /// Sets webhooks back to the old status `was`.
    Statuses {
        webhook_ids: Vec<WebhookId>,
        was: WebhookStatus,
    },
}

impl Undo {
    /// The most webhooks whose ids fit into a cookie, which has 4 KiB at most. A change of more
    /// webhooks cannot be undone at once.
    pub(crate) const MAX_WEBHOOKS: usize = 64;
}

/// The action of a bulk change back to the status `was`.
pub(crate) fn action_back_to(was: &WebhookStatus) -> &'static str {
    match was {
        WebhookStatus::Active => "activate",
        WebhookStatus::Inactive => "deactivate",
    }
}

impl Flash {
    /// A flash without an undo button.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            undo: None,
        }
    }

    /// A flash of several sentences; empty ones are left out.
    pub(crate) fn of_sentences(sentences: &[String]) -> Self {
        let said = sentences.iter().filter(|sentence| !sentence.is_empty());
        Self::new(said.map(String::as_str).collect::<Vec<_>>().join(" "))
    }

    /// A flash with an undo button.
    pub(crate) fn with_undo(text: impl Into<String>, undo: Undo) -> Self {
        Self {
            text: text.into(),
            undo: Some(undo),
        }
    }

    /// The flash of the form before this page. An unreadable cookie is no flash.
    pub(super) fn of(request: &HttpRequest) -> Option<Self> {
        let cookie = request.cookie(COOKIE)?;
        let json = URL_SAFE_NO_PAD.decode(cookie.value()).ok()?;
        serde_json::from_slice(&json).ok()
    }

    /// The cookie for the response to a form.
    pub(super) fn cookie(&self) -> Cookie<'static> {
        let json = serde_json::to_vec(self).expect("a flash is JSON");
        cookie(URL_SAFE_NO_PAD.encode(json), COOKIE_SECONDS)
    }
}

/// The cookie to remove a shown flash.
pub(super) fn shown() -> Cookie<'static> {
    cookie(String::new(), 0)
}

fn cookie(value: String, seconds: i64) -> Cookie<'static> {
    Cookie::build(COOKIE, value)
        .path("/admin")
        .http_only(true)
        .same_site(SameSite::Strict)
        .max_age(time::Duration::seconds(seconds))
        .finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;
    use uuid::Uuid;

    #[test]
    fn what_can_be_undone_at_once_fits_into_a_cookie() {
        let undo = Undo::Statuses {
            webhook_ids: vec![WebhookId(Uuid::max()); Undo::MAX_WEBHOOKS],
            was: WebhookStatus::Inactive,
        };
        let flash = Flash::with_undo("“Crème” is Inactive now.".repeat(10), undo);

        assert!(flash.cookie().to_string().len() < 4_096);
    }

    #[test]
    fn a_flash_travels_in_its_cookie() {
        let undo = Undo::Status {
            webhook_id: WebhookId(Uuid::from_u128(7)),
            was: WebhookStatus::Active,
        };
        let flash = Flash::with_undo("“Crème” is Inactive now.", undo);

        let carried = TestRequest::default()
            .cookie(flash.cookie())
            .to_http_request();
        let planted = Cookie::new(COOKIE, "bm9uc2Vuc2U");
        let planted = TestRequest::default().cookie(planted).to_http_request();

        assert_eq!(Flash::of(&carried), Some(flash));
        assert_eq!(Flash::of(&planted), None);
    }
}
