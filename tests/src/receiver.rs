use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Received {
    /// Headers by lower-case name.
    pub headers: HashMap<String, String>,
    /// The body, byte for byte.
    pub body: Vec<u8>,
    /// When it had arrived.
    pub at: Instant,
}

/// How a receiver answers one request.
#[derive(Debug, Clone)]
pub enum Answer {
    /// This status.
    Status(u16),
    /// This status, with this header line.
    Header(u16, &'static str),
    /// 200, with a body of so many bytes.
    Long(usize),
    /// 200 after a while.
    After(Duration),
    /// Never.
    Hang,
    /// By closing the connection.
    Reset,
    /// These bytes, as they are; then it closes the connection.
    Raw(Vec<u8>),
}

/// Answers a request by its number, from 0, and by what it is.
type Script = dyn Fn(usize, &Received) -> Answer + Send + Sync;

/// A receiver on loopback that records every request and answers from a script.
#[derive(Clone)]
pub struct Receiver {
    /// Where it listens.
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
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let receiver = Self {
            url: format!("http://127.0.0.1:{port}/hook"),
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

    /// What arrived so far.
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

    /// How many requests arrived so far.
    pub fn count(&self) -> usize {
        lock(&self.seen).received.len()
    }

    /// The most requests that were unanswered at once.
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

/// Holds the connection until the other side gives up.
async fn hang(mut stream: BufReader<TcpStream>, seen: &Mutex<Seen>) {
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    lock(seen).running -= 1;
}

async fn read_request(stream: &mut BufReader<TcpStream>) -> Option<Received> {
    let mut headers = HashMap::new();
    let mut line = String::new();
    stream
        .read_line(&mut line)
        .await
        .ok()
        .filter(|read| *read > 0)?;
    loop {
        line.clear();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length")?.parse().ok()?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    let at = Instant::now();
    Some(Received { headers, body, at })
}
