use super::*;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread::JoinHandle;

use webhook_domain::AddressPolicy;

fn loopback() -> AddressPolicy {
    AddressPolicy {
        allowed: vec!["127.0.0.0/8".parse().expect("a network")],
    }
}

async fn send(client: &Client, url: &str, trace: &mut SendTrace) -> Result<Response, Failure> {
    let target = Target::new(url, &loopback()).expect("a target");
    let outgoing = Outgoing {
        webhook_id: WebhookId(uuid::Uuid::nil()),
        target: &target,
        headers: HeaderMap::new,
        body: &Bytes::from_static(b"{}"),
        timeout: Duration::from_millis(500),
        slack: Duration::ZERO,
    };
    client.send(&outgoing, trace).await
}

fn client(policy: AddressPolicy) -> Client {
    let connector = Connector::new(policy, &[]).expect("a connector");
    Client::new(Arc::new(connector), Duration::from_secs(60))
}

async fn failure(url: &str, policy: AddressPolicy) -> Failure {
    let sent = send(&client(policy), url, &mut SendTrace::default()).await;
    sent.err().expect("it fails")
}

/// Takes connections one after the other, and answers on each with these bytes, one piece a request.
fn serve(connections: Vec<Vec<&'static [u8]>>) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = std::thread::spawn(move || {
        for answers in connections {
            let (mut stream, _) = listener.accept().expect("a connection");
            for answer in answers {
                let _ = stream.read(&mut [0; 4_096]);
                let _ = stream.write_all(answer);
            }
        }
    });
    (address.to_string(), server)
}

const EMPTY: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

#[tokio::test]
async fn a_name_that_resolves_to_a_blocked_address_is_not_called() {
    let failure = failure("http://localhost:9/", AddressPolicy::default()).await;

    assert_eq!(failure.class, FailureClass::BlockedAddress);
}

#[tokio::test]
async fn a_receiver_that_speaks_no_tls_is_told_as_such() {
    let (address, server) = serve(vec![vec![b"HTTP/1.1 400 Bad Request\r\n\r\n"]]);

    let failure = failure(&format!("https://{address}/"), loopback()).await;

    assert_eq!(failure.class, FailureClass::Tls);
    assert!(failure.detail.as_str().contains("does not speak TLS"));
    server.join().expect("it ends");
}

#[tokio::test]
async fn what_is_not_http_is_told_with_its_beginning() {
    let (address, server) = serve(vec![vec![b"SSH-2.0-OpenSSH_9.2\r\n"]]);

    let failure = failure(&format!("http://{address}/"), loopback()).await;

    assert_eq!(failure.class, FailureClass::Protocol);
    assert!(failure.detail.as_str().contains("SSH-2.0"), "{failure:?}");
    server.join().expect("it ends");
}

#[tokio::test]
async fn a_connection_that_ends_while_it_is_used_again_is_replaced_once() {
    let (address, server) = serve(vec![vec![EMPTY, b""], vec![b""]]);
    let (client, url) = (client(loopback()), format!("http://{address}/"));

    let mut answer = send(&client, &url, &mut SendTrace::default()).await;
    let read = answer.as_mut().expect("an answer").chunk().await;
    assert!(matches!(read, Ok(None)));
    let mut trace = SendTrace::default();
    let failed = send(&client, &url, &mut trace).await;

    let failure = failed.err().expect("the second connection ends, too");
    assert_eq!(failure.class, FailureClass::Reset);
    assert!(trace.repeated.is_some(), "it was sent again");
    server.join().expect("it ends");
}

#[tokio::test]
async fn names_of_headers_are_sent_as_they_are_documented() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let target = Target::new(&url, &loopback()).expect("a target");
    let names = webhook_domain::RequestHeader::ALL.iter();
    let headers = names.map(|name| {
        let name = http::HeaderName::from_bytes(name.as_str().as_bytes()).expect("a name");
        (name, http::HeaderValue::from_static("x"))
    });
    let headers: HeaderMap = headers.collect();
    let outgoing = Outgoing {
        webhook_id: WebhookId(uuid::Uuid::nil()),
        target: &target,
        headers: || headers.clone(),
        body: &Bytes::new(),
        timeout: Duration::from_millis(500),
        slack: Duration::ZERO,
    };

    let (client, mut trace) = (client(loopback()), SendTrace::default());
    let head = async {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut head = vec![0; 4_096];
        let length = tokio::io::AsyncReadExt::read(&mut stream, &mut head).await;
        String::from_utf8_lossy(&head[..length.expect("a request")]).into_owned()
    };
    let (_, head) = tokio::join!(client.send(&outgoing, &mut trace), head);

    for name in webhook_domain::RequestHeader::ALL {
        let line = format!("\r\n{}: x\r\n", name.as_str());
        assert!(head.contains(&line), "{line:?} in {head}");
    }
    assert!(head.contains("\r\nHost: 127.0.0.1:"), "{head}");
}

#[tokio::test]
async fn a_receiver_that_never_answers_ends_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));

    let failure = failure(&url, loopback()).await;

    let expected = Failure::new(
        FailureClass::Timeout,
        "the receiver did not answer within 0.5 s",
    );
    assert_eq!(failure, expected);
}
