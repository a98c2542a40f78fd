//! A receiver of HTTP/2 over TLS, written in frames (RFC 9113): the receiver refuses streams, goes
//! away in the middle, freezes or loses a connection, which no library offers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::Identity;

/// The first bytes of every connection (RFC 9113, 3.4), in bytes.
const PREFACE_BYTES: usize = 24;

/// The largest payload of a frame (RFC 9113, 4.2), in bytes.
const MAX_FRAME_BYTES: usize = 16_384;

/// `SETTINGS_MAX_CONCURRENT_STREAMS` of 128, nginx's default.
const SETTINGS: [u8; 6] = [0, 3, 0, 0, 0, 128];

/// `:status: 200`, the eighth entry of HPACK's static table.
const STATUS_200: u8 = 0x88;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS_FRAME: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 0x1;
const ACK: u8 = 0x1;
const END_HEADERS: u8 = 0x4;

const INTERNAL_ERROR: u32 = 2;
const REFUSED_STREAM: u32 = 7;

/// A stream that a client has just opened.
#[derive(Debug, Clone, Copy)]
pub struct Http2Stream {
    /// The number of the connection, from 0.
    pub connection: usize,
    /// The number of the stream within the connection, from 0.
    pub number: usize,
    /// Streams of the connection without an answer, the new stream included.
    pub open: usize,
}

/// How a receiver treats a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Http2Answer {
    /// 200 when the request is complete.
    Accept,
    /// 200 with headers. The headers may fill many frames.
    AcceptWith(Vec<(String, String)>),
    /// 200 when the request is complete; then the stream is reset (`INTERNAL_ERROR`).
    AcceptThenReset,
    /// `RST_STREAM` with `REFUSED_STREAM`: no part of the request was processed.
    Refuse,
    /// `GOAWAY` that names the stream before as the last processed one. The receiver answers the
    /// streams before, passes over all later streams, and closes.
    GoAway,
    /// No answer; the stream stays open.
    Wait,
    /// The connection ends at once without `GOAWAY`.
    Lose,
}

/// Decides how a stream is treated when the stream is opened.
type Script = dyn Fn(Http2Stream) -> Http2Answer + Send + Sync;

/// A receiver of HTTP/2 on loopback.
pub struct Http2Receiver {
    /// The port on 127.0.0.1.
    pub port: u16,
    seen: Arc<Mutex<Seen>>,
    frozen: watch::Sender<bool>,
}

#[derive(Default)]
struct Seen {
    connections: usize,
    streams: usize,
    accepted: Vec<Vec<u8>>,
}

impl Http2Receiver {
    /// Answers every request with 200.
    pub async fn start(identity: &Identity) -> Self {
        Self::deciding(identity, |_| Http2Answer::Accept).await
    }

    /// Treats each stream as `script` decides.
    pub async fn deciding(
        identity: &Identity,
        script: impl Fn(Http2Stream) -> Http2Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("the port is bound").port();
        let (frozen, is_frozen) = watch::channel(false);
        let (seen, script): (Arc<Mutex<Seen>>, Arc<Script>) = (Arc::default(), Arc::new(script));
        let (acceptor, noted) = (identity.acceptor(&["h2"]), seen.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (script, seen) = (script.clone(), noted.clone());
                let served = serve(stream, acceptor.clone(), script, seen);
                tokio::spawn(serve_until_frozen(is_frozen.clone(), served));
            }
        });
        Self { port, seen, frozen }
    }

    /// Stops reading and writing, as a process does after SIGSTOP; the kernel still accepts
    /// connections.
    pub fn freeze(&self) {
        self.frozen.send_replace(true);
    }

    /// The number of connections until now.
    pub fn connections(&self) -> usize {
        lock(&self.seen).connections
    }

    /// The number of streams until now, refused streams included.
    pub fn streams(&self) -> usize {
        lock(&self.seen).streams
    }

    /// The bodies with 200 as answer, in order.
    pub fn accepted(&self) -> Vec<Vec<u8>> {
        lock(&self.seen).accepted.clone()
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Serves until the receiver freezes; a connection of a frozen receiver stays open.
async fn serve_until_frozen(
    mut is_frozen: watch::Receiver<bool>,
    served: impl Future<Output = std::io::Result<()>>,
) {
    let mut served = std::pin::pin!(served);
    let freezes = async {
        // The sender is gone with the receiver: then the connection never freezes.
        if is_frozen.wait_for(|frozen| *frozen).await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        biased;
        () = freezes => std::future::pending::<()>().await,
        // A client that hangs up ends the connection; the record keeps the requests until then.
        _ = &mut served => {}
    }
}

async fn serve(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    script: Arc<Script>,
    seen: Arc<Mutex<Seen>>,
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = acceptor.accept(stream).await?;
    let number = {
        let mut seen = lock(&seen);
        seen.connections += 1;
        seen.connections - 1
    };
    stream.read_exact(&mut [0; PREFACE_BYTES]).await?;
    write_frame(&mut stream, SETTINGS_FRAME, 0, 0, &SETTINGS).await?;
    let mut connection = Connection {
        stream,
        number,
        opened: 0,
        open: BTreeMap::new(),
        last: None,
        script,
        seen,
    };
    connection.run().await
}

/// A connection with a client.
struct Connection<S> {
    stream: S,
    number: usize,
    /// Opened streams.
    opened: usize,
    /// The streams without an answer by id, with the arrived part of the body.
    open: BTreeMap<u32, (Http2Answer, Vec<u8>)>,
    /// The last stream to be processed, after `GOAWAY`.
    last: Option<u32>,
    script: Arc<Script>,
    seen: Arc<Mutex<Seen>>,
}

/// Whether a connection goes on after a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// The connection goes on.
    Frame,
    /// The connection ends.
    End,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    async fn run(&mut self) -> std::io::Result<()> {
        loop {
            let (kind, flags, id, payload) = read_frame(&mut self.stream).await?;
            let next = match kind {
                SETTINGS_FRAME if flags & ACK == 0 => {
                    write_frame(&mut self.stream, SETTINGS_FRAME, ACK, 0, &[]).await?;
                    Next::Frame
                }
                PING if flags & ACK == 0 => {
                    write_frame(&mut self.stream, PING, ACK, 0, &payload).await?;
                    Next::Frame
                }
                HEADERS => self.opened(id).await?,
                DATA => self.body(id, &payload).await?,
                RST_STREAM => {
                    self.open.remove(&id);
                    Next::Frame
                }
                _ => Next::Frame,
            };
            if next == Next::End {
                return Ok(());
            }
            if matches!(kind, HEADERS | DATA) && flags & END_STREAM != 0 {
                self.completed(id).await?;
            }
            if self.last.is_some() && self.open.is_empty() {
                self.stream.shutdown().await?;
                // Unread bytes would make the kernel reset the connection, and the client would lose
                // the last answers: the rest is read first.
                let mut rest = Vec::new();
                self.stream.read_to_end(&mut rest).await?;
                return Ok(());
            }
        }
    }

    async fn opened(&mut self, id: u32) -> std::io::Result<Next> {
        if self.last.is_some_and(|last| id > last) {
            return Ok(Next::Frame);
        }
        let stream = Http2Stream {
            connection: self.number,
            number: self.opened,
            open: self.open.len() + 1,
        };
        self.opened += 1;
        lock(&self.seen).streams += 1;
        match (self.script)(stream) {
            Http2Answer::Refuse => {
                let code = REFUSED_STREAM.to_be_bytes();
                write_frame(&mut self.stream, RST_STREAM, 0, id, &code).await?;
            }
            Http2Answer::GoAway => {
                // Streams of clients have odd numbers.
                let last = id.saturating_sub(2);
                let told = [last.to_be_bytes(), 0_u32.to_be_bytes()].concat();
                write_frame(&mut self.stream, GOAWAY, 0, 0, &told).await?;
                self.last = Some(last);
            }
            Http2Answer::Lose => return Ok(Next::End),
            answer @ (Http2Answer::Accept
            | Http2Answer::AcceptWith(_)
            | Http2Answer::AcceptThenReset
            | Http2Answer::Wait) => {
                self.open.insert(id, (answer, Vec::new()));
            }
        }
        Ok(Next::Frame)
    }

    async fn body(&mut self, id: u32, payload: &[u8]) -> std::io::Result<Next> {
        if let Some((_, body)) = self.open.get_mut(&id) {
            body.extend_from_slice(payload);
        }
        // Gives the bytes back to the window of the connection. Events are smaller than the window of
        // a stream, which needs nothing.
        let bytes = u32::try_from(payload.len()).expect("a frame is small");
        if bytes > 0 {
            write_frame(&mut self.stream, WINDOW_UPDATE, 0, 0, &bytes.to_be_bytes()).await?;
        }
        Ok(Next::Frame)
    }

    async fn completed(&mut self, id: u32) -> std::io::Result<()> {
        let Some((answer, body)) = self.open.remove(&id) else {
            return Ok(());
        };
        let headers: Vec<(String, String)> = match &answer {
            Http2Answer::Wait => {
                self.open.insert(id, (answer, body));
                return Ok(());
            }
            Http2Answer::AcceptWith(headers) => headers.clone(),
            Http2Answer::Accept
            | Http2Answer::AcceptThenReset
            | Http2Answer::Refuse
            | Http2Answer::GoAway
            | Http2Answer::Lose => Vec::new(),
        };
        // Recorded before the answer is written: a test may look as soon as the client has the answer.
        lock(&self.seen).accepted.push(body);
        let breaks = answer == Http2Answer::AcceptThenReset;
        let end = if breaks { 0 } else { END_STREAM };
        write_head(&mut self.stream, id, end, &block(&headers)).await?;
        if breaks {
            let code = INTERNAL_ERROR.to_be_bytes();
            write_frame(&mut self.stream, RST_STREAM, 0, id, &code).await?;
        }
        Ok(())
    }
}

/// The header block of a 200: literals without indexing or Huffman (RFC 7541, 6.2.2).
fn block(headers: &[(String, String)]) -> Vec<u8> {
    let mut block = vec![STATUS_200];
    for (name, value) in headers {
        block.push(0);
        for text in [name, value] {
            write_length(&mut block, text.len());
            block.extend_from_slice(text.as_bytes());
        }
    }
    block
}

/// An integer with a prefix of 7 bits (RFC 7541, 5.1).
fn write_length(block: &mut Vec<u8>, length: usize) {
    let Some(mut rest) = length.checked_sub(0x7f) else {
        block.push(u8::try_from(length).expect("a length below 127"));
        return;
    };
    block.push(0x7f);
    while rest >= 0x80 {
        block.push(u8::try_from(rest % 0x80 + 0x80).expect("a value below 256"));
        rest /= 0x80;
    }
    block.push(u8::try_from(rest).expect("a value below 128"));
}

async fn write_head(
    stream: &mut (impl AsyncWrite + Unpin),
    id: u32,
    end: u8,
    block: &[u8],
) -> std::io::Result<()> {
    let frames = block.chunks(MAX_FRAME_BYTES);
    let last = frames.len().saturating_sub(1);
    for (number, part) in frames.enumerate() {
        let kind = if number == 0 { HEADERS } else { CONTINUATION };
        let end_stream = if number == 0 { end } else { 0 };
        let end_headers = if number == last { END_HEADERS } else { 0 };
        write_frame(stream, kind, end_stream | end_headers, id, part).await?;
    }
    Ok(())
}

async fn write_frame(
    stream: &mut (impl AsyncWrite + Unpin),
    kind: u8,
    flags: u8,
    id: u32,
    payload: &[u8],
) -> std::io::Result<()> {
    let length = u32::try_from(payload.len())
        .expect("a frame is small")
        .to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(id.to_be_bytes());
    frame.extend_from_slice(payload);
    stream.write_all(&frame).await?;
    stream.flush().await
}

/// Kind, flags, stream and payload of the next frame. Padding is left in: our client sends none.
async fn read_frame(
    stream: &mut (impl AsyncRead + Unpin),
) -> std::io::Result<(u8, u8, u32, Vec<u8>)> {
    let mut head = [0; 9];
    stream.read_exact(&mut head).await?;
    let [a, b, c, kind, flags, id @ ..] = head;
    let length = u32::from_be_bytes([0, a, b, c]);
    let mut payload = vec![0; usize::try_from(length).expect("24 bits")];
    stream.read_exact(&mut payload).await?;
    Ok((kind, flags, u32::from_be_bytes(id) & 0x7fff_ffff, payload))
}
