//! Passes requests on to a URL, such as that of an application under development.

use std::time::Duration;

use actix_web::http::header::HeaderMap;
use anyhow::Context;
use bytes::Bytes;
use reqwest::redirect::Policy;
use reqwest::{Client, Method};
use url::Url;

/// How long the application may take: less than a dispatcher waits.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// Headers about a single connection (RFC 9110, section 7.6.1), and those that the client sets.
const NOT_PASSED_ON: [&str; 9] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The application behind this receiver.
#[derive(Clone)]
pub(super) struct Forward {
    url: Url,
    client: Client,
}

impl Forward {
    pub(super) fn to(url: Url) -> anyhow::Result<Self> {
        let client = Client::builder()
            .timeout(ANSWERS_WITHIN)
            // A redirect is an answer as any other, as for the dispatcher.
            .redirect(Policy::none())
            .no_proxy();
        let client = client.build().context("cannot make an HTTP client")?;
        Ok(Self { url, client })
    }

    /// Passes a request on, and returns the status of the answer.
    pub(super) async fn pass_on(
        &self,
        method: &str,
        headers: &HeaderMap,
        body: Bytes,
    ) -> anyhow::Result<u16> {
        let method = Method::from_bytes(method.as_bytes())?;
        let mut request = self.client.request(method, self.url.clone());
        for (name, value) in headers {
            if !NOT_PASSED_ON.contains(&name.as_str()) {
                request = request.header(name.as_str(), value.as_bytes());
            }
        }
        let answer = request.body(body).send().await;
        Ok(answer
            .with_context(|| format!("{} does not answer", self.url))?
            .status()
            .as_u16())
    }
}
