use super::*;
use crate::client::origin::Origin;
use crate::client::wire::{Stream, Transport};
use tokio::net::{TcpListener, TcpStream};
use url::Url;
use uuid::Uuid;

const MINUTE: Duration = Duration::from_secs(60);

/// A connection that is never made.
fn unending() -> Connecting {
    let making = tokio::spawn(std::future::pending());
    Connecting::new(Arc::new(ConnectProgress::start()), making)
}

/// A connection that cannot be made.
fn failing() -> Connecting {
    let making = tokio::spawn(async { Err(Failure::blocked_address()) });
    Connecting::new(Arc::new(ConnectProgress::start()), making)
}

fn next(connections: &mut OriginConnections, start: fn() -> Connecting) -> Option<Arc<Connecting>> {
    match connections.next(MINUTE, start) {
        Choice::Wait(connecting) => Some(connecting),
        Choice::Stream(..) | Choice::Own | Choice::Full => None,
    }
}

async fn stream(listener: &TcpListener) -> Stream {
    let address = listener.local_addr().expect("an address");
    let stream = TcpStream::connect(address).await.expect("a connection");
    Stream::new(Transport::Plain(stream), Arc::default())
}

async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a port")
}

async fn http1(listener: &TcpListener) -> NewConnection {
    let url = Url::parse("https://a.test/").expect("a URL");
    let origin = Arc::new(Origin::of(&url).expect("an origin"));
    let http1 = Http1::start(stream(listener).await, origin).await;
    NewConnection::http1(http1.expect("HTTP/1.1"))
}

async fn http2(listener: &TcpListener) -> Arc<Http2> {
    let http2 = Http2::start(stream(listener).await).await;
    Arc::new(http2.expect("HTTP/2"))
}

#[tokio::test]
async fn all_requests_wait_for_the_same_connection_until_the_connection_is_there_or_failed() {
    let mut connections = OriginConnections::default();

    let waits = [(); 2].map(|()| next(&mut connections, unending).expect("a wait"));
    connections.failed();
    let after_the_failure = next(&mut connections, unending).expect("a wait");

    assert!(Arc::ptr_eq(&waits[0], &waits[1]));
    assert!(!Arc::ptr_eq(&waits[0], &after_the_failure));
}

#[tokio::test]
async fn a_connection_whose_task_broke_is_made_anew() {
    let mut connections = OriginConnections::default();
    let webhook_id = WebhookId(Uuid::nil());

    let broken = next(&mut connections, failing).expect("a wait");
    let failed = broken.made(webhook_id).await.is_err();
    let anew = next(&mut connections, unending).expect("a wait");

    assert!(failed && !Arc::ptr_eq(&broken, &anew));
}

#[tokio::test]
async fn a_receiver_of_http1_has_a_connection_for_each_request() {
    let (mut connections, listener) = (OriginConnections::default(), listener().await);
    let unknown = connections.protocols();
    next(&mut connections, unending);

    connections.made(&http1(&listener).await);

    assert!(matches!(connections.next(MINUTE, unending), Choice::Own));
    assert!(connections.connecting.is_none(), "the connection is made");
    assert_eq!(
        (unknown, connections.protocols()),
        (Protocols::All, Protocols::All)
    );
}

#[tokio::test]
async fn a_receiver_that_asked_for_http1_keeps_being_offered_http1_only() {
    let (mut connections, listener) = (OriginConnections::default(), listener().await);
    connections.made(&NewConnection::Http2(http2(&listener).await));

    connections.use_http1();
    connections.made(&http1(&listener).await);

    assert_eq!(connections.protocols(), Protocols::Http1);
    assert!(matches!(connections.next(MINUTE, unending), Choice::Own));
}

#[tokio::test]
async fn a_request_takes_a_stream_of_an_open_connection() {
    let (mut connections, listener) = (OriginConnections::default(), listener().await);
    let open = http2(&listener).await;
    connections.made(&http1(&listener).await);

    connections.made(&NewConnection::Http2(open.clone()));

    assert_eq!(connections.speaks, Speaks::Http2);
    let choice = connections.next(MINUTE, unending);
    assert!(matches!(choice, Choice::Stream(http2, _) if Arc::ptr_eq(&http2, &open)));
    let too_old = connections.next(Duration::ZERO, unending);
    assert!(matches!(too_old, Choice::Wait(_)) && connections.http2.is_empty());
}

#[tokio::test]
async fn there_are_no_more_connections_than_there_may_be() {
    let (mut connections, listener) = (OriginConnections::default(), listener().await);
    let mut slots = Vec::new();
    let mut choices = Vec::new();
    for _ in 0..MAX_CONNECTIONS {
        choices.push(next(&mut connections, unending).is_some());
        let full = http2(&listener).await;
        slots.extend(std::iter::from_fn(|| full.slot()));
        connections.made(&NewConnection::Http2(full));
    }

    let one_too_many = connections.next(MINUTE, unending);

    assert_eq!(choices, [true; MAX_CONNECTIONS]);
    assert!(matches!(one_too_many, Choice::Full));
}

#[tokio::test(start_paused = true)]
async fn an_unused_origin_is_remembered_for_a_while_and_longer_with_a_connection() {
    let [mut unused, mut connecting] = [(); 2].map(|()| OriginConnections::default());
    next(&mut connecting, unending);

    tokio::time::advance(PROTOCOL_REMEMBERED - Duration::from_millis(1)).await;
    let remembered = unused.is_of_use(MINUTE);
    tokio::time::advance(Duration::from_millis(1)).await;

    assert!(remembered && !unused.is_of_use(MINUTE));
    assert!(connecting.is_of_use(MINUTE), "a connection is being made");
}

#[tokio::test]
async fn an_open_connection_is_of_use_and_an_old_one_is_not() {
    let (mut connections, listener) = (OriginConnections::default(), listener().await);
    connections.made(&NewConnection::Http2(http2(&listener).await));
    tokio::time::pause();
    tokio::time::advance(PROTOCOL_REMEMBERED).await;
    // The connection is idle for ten minutes, but a request is under way.
    let request = connections.http2[0].slot();

    let in_use = connections.is_of_use(2 * PROTOCOL_REMEMBERED);
    let too_old = connections.is_of_use(PROTOCOL_REMEMBERED);

    assert!(request.is_some() && in_use && !too_old);
}
