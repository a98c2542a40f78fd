//! Checks a Target URL while the form is being filled in, and completes a URL without a scheme.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;
use url::Url;
use webhook_domain::{FieldError, Format, TargetUrl, WebhookId, WebhookUrl};
use webhook_store::SealingKeys;

use crate::errors::Errors;
use crate::form::Form;
use crate::html::{html, render};
use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_admin::url_rules::UrlRules;
use webhook_admin::webhooks::{find_stored, find_whole_url};
use webhook_web::Problem;

#[derive(Template)]
#[template(path = "webhooks/url.html")]
struct UrlFragment {
    errors: Errors,
    /// The typed URL after `https://` was put in. `None`: the typed URL has a scheme.
    completed: Option<String>,
    /// The format that the host of the URL takes. `None`: no host of a chat service.
    proposed: Option<Format>,
}

/// Shows the completed URL, and the reason for which the API would refuse it. The shown form of the stored secret
/// URL is right.
pub(crate) async fn check_url(
    form: Form,
    rules: Data<UrlRules>,
    connections: Data<Connections>,
    keys: Data<SealingKeys>,
) -> Result<HttpResponse, Problem> {
    let typed = form.text("url");
    if let Ok(id) = form.text("webhook").parse()
        && let Some(kept) = find_kept(id, typed, &connections, &keys).await?
    {
        let proposed = Format::proposed_for(kept.reveal().as_url());
        return show(Errors::default(), None, proposed);
    }
    let completed = with_scheme(typed);
    let url = completed.as_deref().unwrap_or(typed);
    let parsed = WebhookUrl::parse(url, rules.schemes, &rules.addresses);
    let proposed = Url::parse(url).ok();
    let proposed = proposed.and_then(|url| Format::proposed_for(&url));
    let refused = parsed.err().map(|error| FieldError::new("url", error));
    let errors = Errors::of(Refusal::Invalid(refused.into_iter().collect()))?;
    show(errors, completed, proposed)
}

/// The secret URL of a stored webhook, if the typed text is the shown form: the form keeps the URL.
async fn find_kept(
    id: WebhookId,
    typed: &str,
    connections: &Connections,
    keys: &SealingKeys,
) -> Result<Option<TargetUrl>, Problem> {
    let mut connection = connections.acquire().await?;
    let webhook = find_stored(&mut connection, id).await?;
    if !webhook.settings.url.is_kept_by(typed) {
        return Ok(None);
    }
    Ok(Some(find_whole_url(&mut connection, id, keys).await?))
}

fn show(
    errors: Errors,
    completed: Option<String>,
    proposed: Option<Format>,
) -> Result<HttpResponse, Problem> {
    let fragment = UrlFragment {
        errors,
        completed,
        proposed,
    };
    Ok(html(StatusCode::OK).body(render(&fragment)?))
}

/// The URL with `https://`, if the typed text begins with a host. `None`: the text has a scheme, or no
/// host to put `https://` before.
pub(super) fn with_scheme(typed: &str) -> Option<String> {
    if let Some(rest) = typed.strip_prefix("//") {
        return Some(format!("https://{rest}"));
    }
    let host = typed.split(['/', '?', '#']).next().unwrap_or_default();
    // `localhost:9000` has a port, `mailto:me` has a scheme.
    let has_scheme = host
        .split_once(':')
        .is_some_and(|(_, after)| !after.starts_with(|digit: char| digit.is_ascii_digit()));
    (!host.is_empty() && !has_scheme).then(|| format!("https://{typed}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_is_put_before_a_host_and_before_nothing_else() {
        for (typed, completed) in [
            (
                "hooks.slack.com/services/T0",
                Some("https://hooks.slack.com/services/T0"),
            ),
            ("localhost:9000/in", Some("https://localhost:9000/in")),
            ("//example.com/in", Some("https://example.com/in")),
            ("https://example.com/in", None),
            ("ftp://example.com/", None),
            ("mailto:me@example.com", None),
            ("/in", None),
            ("#top", None),
            ("", None),
        ] {
            assert_eq!(with_scheme(typed).as_deref(), completed, "{typed}");
        }
    }
}
