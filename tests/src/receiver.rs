use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use webhook_domain::{EventId, SigningSecret, sign};

use crate::world::eventually;

/// A request as it arrived over the wire.
#[derive(Debug, Clone)]
pub struct Received {
    /// The request target, such as `/hook`.
    pub target: String,
    /// The request line and the headers, byte for byte.
    pub head: String,
    /// Headers by lower-case name.
    pub headers: HashMap<String, String>,
    /// The body, byte for byte.
    pub body: Vec<u8>,
    /// The moment at which the last byte of the body was read.
    pub at: Instant,
}

impl Received {
    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is text")
    }

    /// Whether the request is signed with exactly these secrets, in both schemes.
    pub fn is_signed_by(&self, secrets: &[&str]) -> bool {
        let secrets: Vec<SigningSecret> = secrets
            .iter()
            .map(|secret| SigningSecret::parse(secret).expect("a webhook secret"))
            .collect();
        let id: EventId = self.headers["webhook-id"].parse().expect("an event's id");
        let signed_at = self.headers["webhook-timestamp"].parse();
        let signed_at = signed_at.expect("a time in seconds");
        let expected = sign(secrets.iter(), id, signed_at, &self.body);
        self.headers["x-webhook-signature"] == expected.platform
            && self.headers["webhook-signature"] == expected.standard
    }
}

/// How a receiver answers one request.
#[derive(Debug, Clone)]
pub enum Answer {
    /// A response with this status.
    Status(u16),
    /// A response with this status and this header line.
    Header(u16, &'static str),
    /// 200 with a body of this many bytes.
    Long(usize),
    /// 200 after this pause.
    After(Duration),
    /// No response; the connection stays open.
    Hang,
    /// No response; the connection is closed.
    Reset,
    /// Bytes that are written as they are; then the connection is closed.
    Raw(Vec<u8>),
    /// Pieces of a response, each written after its pause, and what follows the last piece.
    Pieces(Vec<(Duration, Vec<u8>)>, Then),
}

/// How a receiver treats the connection after the last piece of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Closes the connection.
    Close,
    /// Keeps the connection open and writes nothing more.
    Hold,
    /// Reads the next request from the connection.
    Serve,
}

impl Answer {
    /// All of `bytes` at once, and then `then`.
    pub fn bytes(bytes: impl Into<Vec<u8>>, then: Then) -> Self {
        Self::Pieces(vec![(Duration::ZERO, bytes.into())], then)
    }

    /// 200 over a connection that is closed after `pause`, without a `Connection: close` that would
    /// announce the end.
    pub fn closing_after(pause: Duration) -> Self {
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec();
        Self::Pieces(
            vec![(Duration::ZERO, answer), (pause, Vec::new())],
            Then::Close,
        )
    }
}

/// Decides the answer to a request by its number, from 0, and its content.
type Script = dyn Fn(usize, &Received) -> Answer + Send + Sync;

/// An HTTP/1.1 server on loopback that records every request and answers from a script. Clones
/// share the record.
#[derive(Clone)]
pub struct Receiver {
    /// `http://…/hook`, the URL for a webhook.
    pub url: String,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    received: Vec<Received>,
    running: usize,
    peak: usize,
}

impl Receiver {
    /// Answers with `statuses` in turn, then with 200 for ever.
    pub async fn answering(statuses: &[u16]) -> Self {
        let answers = statuses.iter().copied().map(Answer::Status);
        Self::scripted(answers.collect()).await
    }

    /// Answers with `answers` in turn, then with 200 for ever.
    pub async fn scripted(answers: Vec<Answer>) -> Self {
        let next = move |number: usize, _: &Received| answers.get(number).cloned();
        Self::deciding(move |number, request| next(number, request).unwrap_or(Answer::Status(200)))
            .await
    }

    /// Asks `script` for each answer.
    pub async fn deciding(
        script: impl Fn(usize, &Received) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self::deciding_at(SocketAddr::from(([127, 0, 0, 1], 0)), script).await
    }

    /// Listens on `address`, such as 127.0.0.2, and asks `script` for each answer.
    pub async fn deciding_at(
        address: SocketAddr,
        script: impl Fn(usize, &Received) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let receiver = Self {
            url: format!("http://{address}/hook"),
            seen: Arc::default(),
        };
        let (seen, script): (_, Arc<Script>) = (receiver.seen.clone(), Arc::new(script));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, seen.clone(), script.clone()));
            }
        });
        receiver
    }

    /// The port of [`Receiver::url`].
    pub fn port(&self) -> u16 {
        let url: url::Url = self.url.parse().expect("the receiver's URL");
        url.port().expect("a receiver's URL has a port")
    }

    /// The requests so far, in the order in which they arrived.
    pub fn received(&self) -> Vec<Received> {
        lock(&self.seen).received.clone()
    }

    /// Whether a request with this body arrived.
    pub fn has(&self, body: &[u8]) -> bool {
        let seen = lock(&self.seen);
        seen.received.iter().any(|request| request.body == body)
    }

    /// The bodies that arrived, each once.
    pub fn bodies(&self) -> HashSet<Vec<u8>> {
        let seen = lock(&self.seen);
        seen.received.iter().map(|r| r.body.clone()).collect()
    }

    /// The number of requests so far.
    pub fn count(&self) -> usize {
        lock(&self.seen).received.len()
    }

    /// Waits until exactly `count` requests arrived, and returns all of them.
    pub async fn arrived(&self, count: usize) -> Vec<Received> {
        let what = format!("{count} requests arrive");
        let arrived = async || (self.count() == count).then(|| self.received());
        eventually(&what, arrived).await
    }

    /// The largest number of requests that were unanswered at the same time.
    pub fn peak(&self) -> usize {
        lock(&self.seen).peak
    }
}

fn lock(seen: &Mutex<Seen>) -> std::sync::MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(stream: TcpStream, seen: Arc<Mutex<Seen>>, script: Arc<Script>) {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read_request(&mut stream).await {
        let answer = {
            let mut seen = lock(&seen);
            let answer = script(seen.received.len(), &request);
            seen.received.push(request);
            seen.running += 1;
            seen.peak = seen.peak.max(seen.running);
            answer
        };
        let mut body = "ok".to_owned();
        let (status, header) = match answer {
            Answer::Status(status) => (status, "x-scripted: yes"),
            Answer::Header(status, header) => (status, header),
            Answer::Long(bytes) => {
                body = "x".repeat(bytes);
                (200, "x-scripted: long")
            }
            Answer::After(delay) => {
                tokio::time::sleep(delay).await;
                (200, "x-scripted: late")
            }
            Answer::Hang => return hang(stream, &seen).await,
            Answer::Reset => {
                lock(&seen).running -= 1;
                return;
            }
            Answer::Raw(bytes) => {
                lock(&seen).running -= 1;
                let _ = stream.write_all(&bytes).await;
                return;
            }
            Answer::Pieces(pieces, then) => {
                lock(&seen).running -= 1;
                match (send(&mut stream, pieces).await, then) {
                    (Ok(()), Then::Serve) => continue,
                    (Ok(()), Then::Hold) => return hold(stream).await,
                    (Ok(()), Then::Close) | (Err(_), _) => return,
                }
            }
        };
        lock(&seen).running -= 1;
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {status} Scripted\r\n{header}\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn send(
    stream: &mut BufReader<TcpStream>,
    pieces: Vec<(Duration, Vec<u8>)>,
) -> std::io::Result<()> {
    for (pause, piece) in pieces {
        tokio::time::sleep(pause).await;
        stream.write_all(&piece).await?;
    }
    Ok(())
}

/// Leaves a request unanswered until the other side gives up.
async fn hang(stream: BufReader<TcpStream>, seen: &Mutex<Seen>) {
    hold(stream).await;
    lock(seen).running -= 1;
}

/// Holds the connection until the other side gives up.
async fn hold(mut stream: BufReader<TcpStream>) {
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
}

async fn read_request(stream: &mut BufReader<TcpStream>) -> Option<Received> {
    let mut headers = HashMap::new();
    let mut head = String::new();
    stream
        .read_line(&mut head)
        .await
        .ok()
        .filter(|read| *read > 0)?;
    let target = head.split(' ').nth(1)?.to_owned();
    loop {
        let read = head.len();
        stream.read_line(&mut head).await.ok()?;
        let Some((name, value)) = head[read..].trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length")?.parse().ok()?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    let at = Instant::now();
    Some(Received {
        target,
        head,
        headers,
        body,
        at,
    })
}
