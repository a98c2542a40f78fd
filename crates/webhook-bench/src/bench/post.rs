//! Events posted to the API over connections that are kept alive.

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

use super::course::until;
use super::ready::is_ready;

/// How many connections there are, with a request at a time each.
const CONNECTIONS: usize = 64;

/// What the answer to a batch says of each event that the broker has.
const ACCEPTED: &str = r#""status":"accepted""#;

/// A platform service that publishes over HTTP.
pub(crate) struct Poster {
    connections: Vec<SendRequest<Full<Bytes>>>,
    host: HeaderValue,
    authorization: HeaderValue,
}

/// What is posted, and what counts as its success.
#[derive(Debug, Clone, Copy)]
struct Kind {
    path: &'static str,
    status: StatusCode,
    /// How many events the answer has to call accepted.
    accepted: usize,
}

impl Poster {
    /// Connects when the API is ready, with a key of its own.
    pub(crate) async fn new(world: &World, api: &Service) -> anyhow::Result<Self> {
        let key = Service::new_key(world, "publisher").await;
        let address = api.url.trim_start_matches("http://");
        // It serves before it has reached the broker.
        until("the API is ready", async || Ok(is_ready(address).await)).await?;
        let mut connections = Vec::new();
        for _ in 0..CONNECTIONS {
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

    /// Posts events, one in a request, until each is accepted.
    pub(crate) async fn post_events(self, bodies: Vec<Bytes>) -> anyhow::Result<()> {
        let kind = Kind {
            path: "/api/v1/events",
            status: StatusCode::ACCEPTED,
            accepted: 1,
        };
        self.post_all(bodies, kind).await
    }

    /// Posts batches of so many events, until each event is accepted.
    pub(crate) async fn post_batches(
        self,
        bodies: Vec<Bytes>,
        events: usize,
    ) -> anyhow::Result<()> {
        let kind = Kind {
            path: "/api/v1/events/batch",
            status: StatusCode::OK,
            accepted: events,
        };
        self.post_all(bodies, kind).await
    }

    async fn post_all(self, bodies: Vec<Bytes>, kind: Kind) -> anyhow::Result<()> {
        let (bodies, next) = (Arc::new(bodies), Arc::new(AtomicUsize::new(0)));
        let mut posting = JoinSet::new();
        for connection in self.connections {
            let (bodies, next) = (bodies.clone(), next.clone());
            let mut line = Line {
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

/// One connection.
struct Line {
    connection: SendRequest<Full<Bytes>>,
    host: HeaderValue,
    authorization: HeaderValue,
}

impl Line {
    async fn post(&mut self, body: Bytes, kind: Kind) -> anyhow::Result<()> {
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
