use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Received {
    /// Headers by lower-case name.
    pub headers: HashMap<String, String>,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

/// How a receiver answers one request.
#[derive(Debug, Clone)]
pub enum Answer {
    /// This status.
    Status(u16),
    /// This status, with this header line.
    Header(u16, &'static str),
    /// 200 after a while.
    After(Duration),
    /// Never.
    Hang,
    /// By closing the connection.
    Reset,
}

/// A receiver on loopback that records every request and answers from a script.
#[derive(Clone)]
pub struct Receiver {
    /// Where it listens.
    pub url: String,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Receiver {
    /// Answers with `statuses` in turn, then with 200 for ever.
    pub async fn answering(statuses: &[u16]) -> Self {
        let answers = statuses.iter().copied().map(Answer::Status);
        Self::scripted(answers.collect()).await
    }

    /// Answers with `answers` in turn, then with 200 for ever.
    pub async fn scripted(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let receiver = Self {
            url: format!("http://127.0.0.1:{port}/hook"),
            received: Arc::default(),
        };
        let (received, answers) = (receiver.received.clone(), Arc::new(answers));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, received.clone(), answers.clone()));
            }
        });
        receiver
    }

    /// What arrived so far.
    pub fn received(&self) -> Vec<Received> {
        let received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        received.clone()
    }
}

async fn serve(stream: TcpStream, received: Arc<Mutex<Vec<Received>>>, answers: Arc<Vec<Answer>>) {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read_request(&mut stream).await {
        let answer = {
            let mut received = received.lock().unwrap_or_else(PoisonError::into_inner);
            received.push(request);
            let scripted = answers.get(received.len() - 1).cloned();
            scripted.unwrap_or(Answer::Status(200))
        };
        let (status, header) = match answer {
            Answer::Status(status) => (status, "x-scripted: yes"),
            Answer::Header(status, header) => (status, header),
            Answer::After(delay) => {
                tokio::time::sleep(delay).await;
                (200, "x-scripted: late")
            }
            Answer::Hang => return std::future::pending().await,
            Answer::Reset => return,
        };
        let answer =
            format!("HTTP/1.1 {status} Scripted\r\n{header}\r\ncontent-length: 2\r\n\r\nok");
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
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
    Some(Received { headers, body })
}
