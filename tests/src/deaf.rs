use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// How long a connection may take on loopback before the SYN counts as dropped.
const CONNECTS_WITHIN: Duration = Duration::from_millis(300);

/// A port of loopback that drops SYNs, as a firewall does: its queue of connections to be accepted is
/// full.
pub struct DeafPort {
    /// The address without answers.
    pub address: SocketAddr,
    _listener: TcpListener,
    _queued: Vec<TcpStream>,
}

impl DeafPort {
    /// Listens on `address`; port 0 stands for any free port.
    pub async fn at(address: impl Into<SocketAddr>) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(address.into()).expect("the port is free");
        let listener = socket.listen(1).expect("the port listens");
        let address = listener.local_addr().expect("the port is bound");
        let mut queued = Vec::new();
        let connect = || tokio::time::timeout(CONNECTS_WITHIN, TcpStream::connect(address));
        while let Ok(connected) = connect().await {
            queued.push(connected.expect("the connection is queued"));
        }
        Self {
            address,
            _listener: listener,
            _queued: queued,
        }
    }
}

/// A port of loopback that accepts connections and never writes a byte.
pub struct SilentPort {
    /// The address of the port.
    pub address: SocketAddr,
    accepted: Arc<AtomicUsize>,
}

impl SilentPort {
    /// Listens on any free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("the port is bound");
        let accepted: Arc<AtomicUsize> = Arc::default();
        let counted = accepted.clone();
        tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                held.push(stream);
                counted.store(held.len(), Ordering::SeqCst);
            }
        });
        Self { address, accepted }
    }

    /// The number of accepted connections.
    pub fn connections(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[tokio::test]
    async fn a_deaf_port_drops_syns_beside_a_live_one_with_the_same_number() {
        let live = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = live.local_addr().expect("the port is bound").port();

        let deaf = DeafPort::at((Ipv4Addr::new(127, 0, 0, 2), port)).await;

        for _ in 0..3 {
            let connecting = TcpStream::connect(deaf.address);
            let connected = tokio::time::timeout(CONNECTS_WITHIN, connecting).await;
            assert!(connected.is_err(), "{connected:?}");
        }
        assert!(TcpStream::connect(("127.0.0.1", port)).await.is_ok());
    }
}
