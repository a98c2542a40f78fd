//! Events posted to the API over kept-alive connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::ensure;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use webhook_tests::{Service, World};

use super::ready::is_ready;
use super::testbed::until;

/// Number of connections; each has one request at a time.
const CONNECTION_COUNT: usize = 64;

/// The status of an event in the API's response, once RabbitMQ has confirmed the event.
const ACCEPTED: &str = r#""status":"accepted""#;

/// A platform service, publishing over HTTP.
pub(crate) struct Poster {
    connections: Vec<SendRequest<Full<Bytes>>>,
    host: HeaderValue,
    authorization: HeaderValue,
}

/// An endpoint, and the response that counts as a success.
#[derive(Debug, Clone, Copy)]
struct PostKind {
    path: &'static str,
    status: StatusCode,
    /// Number of accepted events in the response.
    accepted: usize,
}

impl Poster {
    /// Waits until the API is ready and connects, with an API key made for the purpose.
    pub(crate) async fn new(world: &World, api: &Service) -> anyhow::Result<Self> {
        let key = Service::new_key(world, "publisher").await;
        let address = api.url.trim_start_matches("http://");
        // The API serves requests before its connection to RabbitMQ is there.
        until("the API is ready", async || Ok(is_ready(address).await)).await?;
        let mut connections = Vec::new();
        for _ in 0..CONNECTION_COUNT {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let (connection, driver) = handshake(TokioIo::new(stream)).await?;
            tokio::spawn(driver);
            connections.push(connection);
        }
        Ok(Self {
            connections,
            host: address.parse()?,
            authorization: format!("Bearer {key}").parse()?,
        })
    }

    /// Posts each event in a request of its own. Fails unless every event is accepted.
    pub(crate) async fn post_events(self, bodies: Vec<Bytes>) -> anyhow::Result<()> {
        let kind = PostKind {
            path: "/api/v1/events",
            status: StatusCode::ACCEPTED,
            accepted: 1,
        };
        self.post_all(bodies, kind).await
    }

    /// Posts batches of `events` events. Fails unless every event is accepted.
    pub(crate) async fn post_batches(
        self,
        bodies: Vec<Bytes>,
        events: usize,
    ) -> anyhow::Result<()> {
        let kind = PostKind {
            path: "/api/v1/events/batch",
            status: StatusCode::OK,
            accepted: events,
        };
        self.post_all(bodies, kind).await
    }

    async fn post_all(self, bodies: Vec<Bytes>, kind: PostKind) -> anyhow::Result<()> {
        let (bodies, next) = (Arc::new(bodies), Arc::new(AtomicUsize::new(0)));
        let mut posting = JoinSet::new();
        for connection in self.connections {
            let (bodies, next) = (bodies.clone(), next.clone());
            let mut line = Connection {
                connection,
                host: self.host.clone(),
                authorization: self.authorization.clone(),
            };
            posting.spawn(async move {
                while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
                    line.post(body.clone(), kind).await?;
                }
                anyhow::Ok(())
            });
        }
        while let Some(posted) = posting.join_next().await {
            posted??;
        }
        Ok(())
    }
}

/// A connection with a request at a time.
struct Connection {
    connection: SendRequest<Full<Bytes>>,
    host: HeaderValue,
    authorization: HeaderValue,
}

impl Connection {
    async fn post(&mut self, body: Bytes, kind: PostKind) -> anyhow::Result<()> {
        let request = Request::post(kind.path)
            .header(HOST, &self.host)
            .header(AUTHORIZATION, &self.authorization)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body))?;
        self.connection.ready().await?;
        let response = self.connection.send_request(request).await?;
        let status = response.status();
        let answer = response.into_body().collect().await?.to_bytes();
        let text = String::from_utf8_lossy(&answer);
        let accepted = text.matches(ACCEPTED).count();
        ensure!(
            status == kind.status && accepted == kind.accepted,
            "the API answered {status}: {text}"
        );
        Ok(())
    }
}
