use super::*;
use crate::client::failure::Blame;
use crate::client::wire::{Stream, Transport};
use tokio::net::{TcpListener, TcpStream};
use url::Url;
use uuid::Uuid;
use webhook_domain::AddressPolicy;

const MINUTE: Duration = Duration::from_secs(60);

fn webhook(number: u128) -> WebhookId {
    WebhookId(Uuid::from_u128(number))
}

fn origin(url: &str) -> Arc<Origin> {
    let url = Url::parse(url).expect("a URL");
    Arc::new(Origin::of(&url).expect("an origin"))
}

fn pool(max_age: Duration) -> Arc<Pool> {
    let connector = Connector::new(AddressPolicy::default(), &[]).expect("a connector");
    Pool::new(Arc::new(connector), max_age)
}

/// Open connections to an origin, with the listener that keeps the connections open.
async fn connections<const COUNT: usize>(origin: &Arc<Origin>) -> ([Http1; COUNT], TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let mut made = Vec::new();
    for _ in 0..COUNT {
        let stream = TcpStream::connect(address).await.expect("a connection");
        let stream = Stream::new(Transport::Plain(stream), Arc::default());
        let http1 = Http1::start(stream, origin.clone()).await;
        made.push(http1.expect("HTTP/1.1"));
    }
    let made = made.try_into().ok().expect("as many as asked for");
    (made, listener)
}

#[tokio::test]
async fn an_idle_connection_is_taken_by_its_webhook_and_its_origin_only() {
    let (here, there) = (origin("http://a.test/"), origin("http://b.test/"));
    let ([one, other], _listener) = connections(&here).await;
    let pool = pool(MINUTE);

    pool.keep(webhook(1), one);
    pool.keep(webhook(2), other);

    assert!(pool.take(webhook(3), &here).is_none());
    assert!(pool.take(webhook(1), &here).is_some());
    assert!(pool.take(webhook(1), &here).is_none(), "taken before");
    assert!(pool.take(webhook(2), &there).is_none(), "another origin");
    let idle = pool.idle();
    assert_eq!((idle.count, idle.by_webhook.len()), (0, 0));
}

#[tokio::test]
async fn a_connection_is_taken_alone_and_the_others_stay() {
    let here = origin("http://a.test/");
    let (made, _listener) = connections::<3>(&here).await;
    let pool = pool(MINUTE);
    for http1 in made {
        pool.keep(webhook(1), http1);
    }

    let taken = pool.take(webhook(1), &here);

    let idle = pool.idle();
    assert!(taken.is_some());
    assert_eq!((idle.count, idle.by_webhook[&webhook(1)].len()), (2, 2));
}

#[tokio::test]
async fn one_idle_connection_too_many_closes_those_of_another_webhook() {
    let here = origin("http://a.test/");
    let ([one, two, three], _listener) = connections(&here).await;
    let pool = pool(MINUTE);

    pool.idle().count = MAX_IDLE - 2;
    pool.keep(webhook(1), one);
    pool.keep(webhook(1), two);
    let below_the_most = pool.idle().by_webhook[&webhook(1)].len();
    pool.keep(webhook(2), three);

    let idle = pool.idle();
    let kept: Vec<WebhookId> = idle.by_webhook.keys().copied().collect();
    assert_eq!(below_the_most, 2);
    assert_eq!((kept, idle.count), (vec![webhook(2)], MAX_IDLE - 1));
}

#[tokio::test]
async fn only_old_connections_are_closed_by_the_sweep() {
    let here = origin("http://a.test/");
    let ([one, two], _listener) = connections(&here).await;
    let ([old], _other_listener) = connections(&here).await;
    let (young, aged) = (pool(MINUTE), pool(Duration::ZERO));
    young.keep(webhook(1), one);
    young.keep(webhook(1), two);
    aged.keep(webhook(1), old);

    for pool in [&young, &aged] {
        pool.remove_old();
    }

    assert_eq!(young.idle().by_webhook[&webhook(1)].len(), 2);
    assert_eq!((young.idle().count, aged.idle().count), (2, 0));
    assert!(aged.idle().by_webhook.is_empty());
}

#[tokio::test]
async fn an_origin_that_wants_http1_is_offered_nothing_else() {
    let (here, pool) = (origin("https://a.test/"), pool(MINUTE));

    pool.use_http1(&here);

    let by_origin = pool.by_origin();
    let protocols = by_origin.get(&here).map(OriginConnections::protocols);
    assert_eq!(protocols, Some(Protocols::Http1));
}

#[tokio::test]
async fn a_wait_for_a_shared_connection_counts_once_for_a_webhook() {
    let progress = Arc::new(ConnectProgress::start());
    let making = tokio::spawn(std::future::pending());
    let connecting = Arc::new(Connecting::new(progress.clone(), making));
    let mut wait = ConnectionWait::default();
    let before = wait.timed_out(webhook(1));

    wait.for_all(&connecting);
    let blames = [(); 2].map(|()| wait.timed_out(webhook(1)).map(|failure| failure.blame));

    assert!(before.is_none());
    assert_eq!(blames, [Some(Blame::Receiver), Some(Blame::Counted)]);
    let latest = wait.progress().expect("the progress");
    assert!(std::ptr::eq(latest, &*progress));
}

#[tokio::test]
async fn a_wait_for_an_own_connection_counts_each_time() {
    let (shared, own) = (ConnectProgress::start(), ConnectProgress::start());
    let (shared, own) = (Arc::new(shared), Arc::new(own));
    let making = tokio::spawn(std::future::pending());
    let mut wait = ConnectionWait::default();
    wait.for_all(&Arc::new(Connecting::new(shared, making)));

    wait.for_own(&own);
    let blames = [(); 2].map(|()| wait.timed_out(webhook(1)).map(|failure| failure.blame));

    assert_eq!(blames, [Some(Blame::Receiver); 2]);
    let latest = wait.progress().expect("the progress");
    assert!(std::ptr::eq(latest, &*own));
}
