use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::*;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rstest::rstest;
use tokio::io::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex,
};
use uuid::Uuid;

const TOO_LARGE: &str = "the head of the response has more than 1024 headers or 256 KiB";

#[test]
fn the_failure_of_a_connection_counts_once_for_each_webhook() {
    let counted = CountedFor::default();
    let blame = |number| {
        let webhook_id = WebhookId(Uuid::from_u128(number));
        counted
            .count(reset("the connection broke"), webhook_id)
            .blame
    };

    let blames = [blame(1), blame(1), blame(2)];

    assert_eq!(blames, [Blame::Receiver, Blame::Counted, Blame::Receiver]);
}

#[test]
fn our_own_failure_counts_for_no_webhook() {
    let (counted, webhook_id) = (CountedFor::default(), WebhookId(Uuid::from_u128(1)));

    let ours = [(); 2].map(|()| counted.count(Failure::ours("no port"), webhook_id));
    let receivers = counted.count(reset("the connection broke"), webhook_id);

    assert_eq!(ours.map(|failure| failure.blame), [Blame::Us; 2]);
    assert_eq!(receivers.blame, Blame::Receiver);
}

#[test]
fn only_two_codes_of_linux_mean_a_want_of_free_files() {
    let codes = (1..=40).filter(|code| is_out_of_files(&io::Error::from_raw_os_error(*code)));

    assert_eq!(codes.collect::<Vec<_>>(), [23, 24]);
    assert!(!is_out_of_files(&io::Error::other("no file")));
}

/// A connection in memory that breaks with an error where the other side has closed.
struct Breaking {
    stream: DuplexStream,
    /// `None`: the connection ends in order.
    error: Option<io::ErrorKind>,
}

impl AsyncRead for Breaking {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let had = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let ended = buffer.filled().len() == had;
        let error = self.error.filter(|_| ended);
        Poll::Ready(error.map_or(Ok(()), |kind| Err(kind.into())))
    }
}

impl AsyncWrite for Breaking {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// The failure of a request that is answered with these bytes, after which the connection ends.
async fn http1_failure(answer: &str, error: Option<io::ErrorKind>) -> Failure {
    let (stream, mut receiver) = duplex(64 * 1_024);
    let wire = Wire::default();
    wire.note(answer.as_bytes());
    let handshake = http1::Builder::new()
        .max_buf_size(8 * 1_024)
        .handshake(TokioIo::new(Breaking { stream, error }));
    let (mut sender, connection) = handshake.await.expect("a connection");
    tokio::spawn(connection);
    let answering = async {
        let _ = receiver.read(&mut [0; 4_096]).await;
        receiver
            .write_all(answer.as_bytes())
            .await
            .expect("an answer");
        drop(receiver);
    };
    let request = Request::new(Empty::<Bytes>::new());

    let (answered, ()) = tokio::join!(sender.send_request(request), answering);

    of_http1(&answered.expect_err("no response"), &wire)
}

const HALF_A_HEAD: &str = "HTTP/1.1 20";

#[rstest]
#[case::closed("", None, "the receiver closed the connection before a response")]
#[case::closed_in_the_head(
    HALF_A_HEAD,
    None,
    "the receiver closed the connection in the middle of the response's head"
)]
#[case::ended_early(
    "",
    Some(io::ErrorKind::UnexpectedEof),
    "the receiver closed the connection before a response"
)]
#[case::reset(
    "",
    Some(io::ErrorKind::ConnectionReset),
    "the receiver reset the connection before a response"
)]
#[case::reset_in_the_head(
    HALF_A_HEAD,
    Some(io::ErrorKind::ConnectionReset),
    "the receiver reset the connection in the middle of the response's head"
)]
#[case::broken(
    HALF_A_HEAD,
    Some(io::ErrorKind::BrokenPipe),
    "the connection broke before a response: broken pipe"
)]
#[tokio::test]
async fn a_connection_that_ends_before_a_response_tells_how(
    #[case] answer: &str,
    #[case] error: Option<io::ErrorKind>,
    #[case] told: &str,
) {
    let failure = http1_failure(answer, error).await;

    assert_eq!(failure, Failure::new(FailureClass::Reset, told));
}

#[tokio::test]
async fn bytes_that_are_no_response_break_the_protocol() {
    let no_http = http1_failure("SSH-2.0-OpenSSH_9.2\r\n", None).await;
    let long_head = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "a".repeat(20_000));
    let too_large = http1_failure(&long_head, None).await;

    assert_eq!(no_http.class, FailureClass::Protocol);
    let told = no_http.detail.as_str();
    assert!(told.starts_with("the response is not HTTP/1.1: "), "{told}");
    assert_eq!(too_large, Failure::new(FailureClass::Protocol, TOO_LARGE));
}

/// The answer of a receiver to the first request of an HTTP/2 connection.
#[derive(Debug, Clone, Copy)]
enum Answer {
    Reset(Reason),
    /// Frames instead of a connection.
    Frames(&'static [u8]),
    Close,
    LargeHead,
}

/// Settings, and the end of the connection before the first stream: `ENHANCE_YOUR_CALM`.
const GO_AWAY: &[u8] = &[
    0, 0, 0, 4, 0, 0, 0, 0, 0, // settings: none
    0, 0, 8, 7, 0, 0, 0, 0, 0, // go away, with 8 bytes
    0, 0, 0, 0, 0, 0, 0, 11, // the last stream, and the reason
];

/// Settings of one byte, which is no whole setting.
const BROKEN_SETTINGS: &[u8] = &[0, 0, 1, 4, 0, 0, 0, 0, 0, 0];

async fn answer_http2(mut stream: DuplexStream, answer: Answer) {
    if let Answer::Frames(frames) = answer {
        let _ = stream.read(&mut [0; 4_096]).await;
        stream.write_all(frames).await.expect("an answer");
        let _ = stream.read_to_end(&mut Vec::new()).await;
        return;
    }
    let mut connection = h2::server::handshake(stream).await.expect("a handshake");
    let request = connection.accept().await.expect("a request");
    let (_, mut respond) = request.expect("a request");
    match answer {
        Answer::Reset(reason) => respond.send_reset(reason),
        Answer::Frames(_) | Answer::Close => return,
        Answer::LargeHead => {
            let response = Response::builder().header("x", "a".repeat(1_500));
            let response = response.body(()).expect("a response");
            let _ = respond.send_response(response, true);
        }
    }
    // Moves the frames until the client has closed.
    while connection.accept().await.is_some() {}
}

async fn http2_failure(answer: Answer) -> Failure {
    let (ours, theirs) = duplex(64 * 1_024);
    let asking = async {
        let handshake = h2::client::Builder::new()
            .max_header_list_size(1_024)
            .handshake::<_, Bytes>(ours);
        let (mut sender, connection) = handshake.await.expect("a connection");
        tokio::spawn(connection);
        let request = Request::get("https://a.test/").body(()).expect("a request");
        let (response, _) = sender.send_request(request, true).expect("a stream");
        response.await.expect_err("no response")
    };

    let (error, ()) = tokio::join!(asking, answer_http2(theirs, answer));

    of_http2(&error, &Wire::default())
}

#[rstest]
#[case::reset(
    Answer::Reset(Reason::INTERNAL_ERROR),
    FailureClass::Reset,
    "the receiver reset the request's HTTP/2 stream: INTERNAL_ERROR"
)]
#[case::refused(
    Answer::Reset(Reason::REFUSED_STREAM),
    FailureClass::Reset,
    "the receiver reset the request's HTTP/2 stream: REFUSED_STREAM"
)]
#[case::ended(
    Answer::Frames(GO_AWAY),
    FailureClass::Reset,
    "the receiver ended the HTTP/2 connection without looking at the request: "
)]
#[case::broken(
    Answer::Close,
    FailureClass::Reset,
    "the HTTP/2 connection broke before a response"
)]
#[case::rules(
    Answer::Frames(BROKEN_SETTINGS),
    FailureClass::Protocol,
    "the response breaks the rules of HTTP/2: "
)]
// The library resets the stream, and names no other reason than a protocol error.
#[case::large_head(
    Answer::LargeHead,
    FailureClass::Protocol,
    "the response breaks the rules of HTTP/2: "
)]
#[tokio::test]
async fn a_request_over_http2_without_a_response_tells_how(
    #[case] answer: Answer,
    #[case] class: FailureClass,
    #[case] told: &str,
) {
    let failure = http2_failure(answer).await;

    assert_eq!(failure.class, class);
    assert!(failure.detail.as_str().starts_with(told), "{failure:?}");
}

#[test]
fn an_error_of_our_own_side_of_http2_breaks_the_rules() {
    let error = h2::Error::from(Reason::PROTOCOL_ERROR);

    let failure = of_http2(&error, &Wire::default());

    let rules = "the response breaks the rules of HTTP/2: ";
    assert_eq!(failure.class, FailureClass::Protocol);
    assert!(failure.detail.as_str().starts_with(rules), "{failure:?}");
}
