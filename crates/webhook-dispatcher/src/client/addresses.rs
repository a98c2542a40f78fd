//! TCP connections to the first of several addresses to accept, where no address holds up the others.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};
use webhook_domain::FailureClass;

use super::failure::{Failure, is_out_of_files};
use super::progress::ConnectProgress;

/// How long an address is tried alone before the next address is tried as well (RFC 8305 section 5).
const STAGGER: Duration = Duration::from_millis(250);

/// How long an address is tried after the others for not having accepted a connection.
const DEFERRED_FOR: Duration = Duration::from_secs(60);

/// The most deferred addresses remembered. Further addresses keep the place in the order.
const MAX_DEFERRED: usize = 4_096;

/// How often a local port is tried for while all are in use.
const PORT_POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Makes TCP connections, and remembers silent addresses.
#[derive(Default)]
pub(super) struct Addresses {
    /// Addresses tried after the others, with the end of that time.
    deferred: Mutex<HashMap<SocketAddr, Instant>>,
}

impl Addresses {
    /// Connects to the first address to accept the connection. The next address is tried when an address
    /// fails, or has not answered for [`STAGGER`].
    pub(super) async fn connect(
        &self,
        addresses: &[SocketAddr],
        progress: &ConnectProgress,
    ) -> Result<TcpStream, Failure> {
        let mut waiting = self.in_order(addresses).into_iter();
        let (mut running, mut failed) = (FuturesUnordered::new(), Vec::new());
        let mut started = Vec::new();
        loop {
            if let Some(address) = waiting.next() {
                started.push(address);
                running.push(async move { (address, dial(address, progress).await) });
            }
            let ended = tokio::select! {
                ended = running.next() => ended,
                () = sleep(STAGGER), if waiting.len() > 0 => continue,
            };
            match ended {
                Some((address, Ok(stream))) => {
                    // The addresses tried before have had more time, and have not answered.
                    started.retain(|other| *other != address);
                    self.defer(&started);
                    self.prefer(address);
                    return Ok(stream);
                }
                Some((_, Err(error))) if is_out_of_files(&error) => {
                    return Err(Failure::ours(format_args!(
                        "there are too many open files: {error}"
                    )));
                }
                Some((address, Err(error))) => {
                    self.defer(&[address]);
                    failed.push((address, error));
                }
                None => return Err(refused(&failed)),
            }
        }
    }

    /// The addresses, with deferred addresses last.
    fn in_order(&self, addresses: &[SocketAddr]) -> Vec<SocketAddr> {
        let mut ordered = addresses.to_vec();
        let deferred = self.deferred();
        if !deferred.is_empty() {
            let now = Instant::now();
            ordered.sort_by_key(|address| deferred.get(address).is_some_and(|until| *until > now));
        }
        ordered
    }

    fn defer(&self, addresses: &[SocketAddr]) {
        if addresses.is_empty() {
            return;
        }
        let (now, mut deferred) = (Instant::now(), self.deferred());
        if deferred.len() + addresses.len() > MAX_DEFERRED {
            deferred.retain(|_, until| *until > now);
        }
        let room = MAX_DEFERRED.saturating_sub(deferred.len());
        let until = now + DEFERRED_FOR;
        deferred.extend(addresses.iter().take(room).map(|address| (*address, until)));
    }

    fn prefer(&self, address: SocketAddr) {
        self.deferred().remove(&address);
    }

    fn deferred(&self) -> std::sync::MutexGuard<'_, HashMap<SocketAddr, Instant>> {
        self.deferred.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn dial(address: SocketAddr, progress: &ConnectProgress) -> io::Result<TcpStream> {
    loop {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            // Every local port is in use for the address, mostly by ended connections, so a port is free
            // soon. IPv6 without a route has the same error, and time does not mend the lack of a route.
            Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable && address.is_ipv4() => {
                progress.waiting_for_port();
                sleep(PORT_POLL_INTERVAL).await;
            }
            Err(error) => return Err(error),
        }
    }
}

fn refused(failed: &[(SocketAddr, io::Error)]) -> Failure {
    let told: Vec<String> = failed
        .iter()
        .map(|(address, error)| format!("{address}: {error}"))
        .collect();
    let told = told.join("; ");
    Failure::new(
        FailureClass::Connect,
        format_args!("no connection could be made to {told}"),
    )
}

/// The addresses with a port.
pub(super) fn with_port(addresses: &[IpAddr], port: u16) -> Vec<SocketAddr> {
    let addresses = addresses.iter();
    addresses
        .map(|address| SocketAddr::new(*address, port))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    async fn listener() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        (listener, address)
    }

    #[tokio::test]
    async fn an_address_that_refuses_is_tried_after_the_others_from_then_on() {
        let (gone, dead) = listener().await;
        drop(gone);
        let (_listener, alive) = listener().await;
        let addresses = Addresses::default();

        let connected = addresses
            .connect(&[dead, alive], &ConnectProgress::start())
            .await;

        let stream = connected.expect("it connects");

        assert_eq!(stream.peer_addr().expect("an address"), alive);
        assert_eq!(addresses.in_order(&[dead, alive]), [alive, dead]);
    }

    #[tokio::test]
    async fn every_address_that_was_tried_is_told_with_its_reason() {
        let (gone, dead) = listener().await;
        drop(gone);

        let addresses = Addresses::default();
        let failed = addresses.connect(&[dead], &ConnectProgress::start()).await;

        let failure = failed.expect_err("nobody listens");
        assert_eq!(failure.class, FailureClass::Connect);
        let expected = format!("no connection could be made to {dead}: Connection refused");
        assert!(
            failure.detail.as_str().starts_with(&expected),
            "{failure:?}"
        );
    }

    /// Addresses with the ports from 1 on.
    fn ports<const COUNT: usize>() -> [SocketAddr; COUNT] {
        std::array::from_fn(|index| {
            let port = u16::try_from(index + 1).expect("a port");
            SocketAddr::from(([127, 0, 0, 1], port))
        })
    }

    #[tokio::test(start_paused = true)]
    async fn a_deferred_address_is_tried_last_for_a_while_or_until_it_accepts() {
        let ([one, two], addresses) = (ports(), Addresses::default());
        let order = || addresses.in_order(&[one, two]);

        addresses.defer(&[one]);
        let deferred = order();
        addresses.prefer(one);
        let preferred = order();
        addresses.defer(&[one]);
        tokio::time::advance(DEFERRED_FOR - Duration::from_millis(1)).await;
        let still_deferred = order();
        tokio::time::advance(Duration::from_millis(1)).await;

        assert_eq!((deferred, still_deferred), (vec![two, one], vec![two, one]));
        assert_eq!((preferred, order()), (vec![one, two], vec![one, two]));
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_than_the_most_addresses_are_deferred_at_once() {
        let (all, addresses) = (ports::<{ MAX_DEFERRED + 2 }>(), Addresses::default());
        let [.., beyond, other] = all;

        addresses.defer(&all[..MAX_DEFERRED]);
        addresses.defer(&[beyond]);
        let without_place = addresses.in_order(&[beyond, other]);
        tokio::time::advance(DEFERRED_FOR).await;
        addresses.defer(&[beyond]);
        let with_place = addresses.in_order(&[beyond, other]);

        assert_eq!(without_place, [beyond, other]);
        assert_eq!(with_place, [other, beyond]);
    }
}
