use reqwest::header::{ACCEPT_ENCODING, COOKIE, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use serde_json::json;

use crate::Service;

/// A session of the portal without a browser, for tests that read hundreds of pages or measure how
/// long a page takes.
pub struct Visitor {
    client: Client,
    portal: String,
    cookie: String,
}

impl Visitor {
    /// Signs in with an API key.
    pub async fn sign_in(api: &Service, key: &str) -> Self {
        let client = Client::builder().redirect(Policy::none()).build();
        let client = client.expect("a client");
        let portal = api.url.clone();
        let session = client
            .post(format!("{portal}/api/v1/session"))
            .json(&json!({"key": key}));
        let answer = session.send().await.expect("the API answers");
        assert_eq!(answer.status(), 201);
        let cookie = answer.headers()[SET_COOKIE].to_str().expect("text");
        let (cookie, _) = cookie.split_once(';').expect("a cookie has attributes");
        Self {
            cookie: cookie.to_owned(),
            client,
            portal,
        }
    }

    /// Requests a page, or a part of a page, uncompressed.
    pub async fn get(&self, path: &str) -> Response {
        self.ask(path, "identity").await
    }

    /// The size of a page on the wire, compressed with gzip.
    pub async fn bytes(&self, path: &str) -> usize {
        let answer = self.ask(path, "gzip").await;
        answer.bytes().await.expect("the page is read").len()
    }

    async fn ask(&self, path: &str, encoding: &str) -> Response {
        let request = self.client.get(format!("{}{path}", self.portal));
        let request = request
            .header(COOKIE, &self.cookie)
            .header(ACCEPT_ENCODING, encoding);
        request.send().await.expect("the portal answers")
    }

    /// Sends a form as the portal does; `body` is form-urlencoded.
    pub async fn post(&self, path: &str, body: String) -> Response {
        let request = self
            .client
            .post(format!("{}{path}", self.portal))
            .header(COOKIE, &self.cookie)
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        request.send().await.expect("the portal answers")
    }
}
