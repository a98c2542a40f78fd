use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A TCP proxy on loopback that can go silent, as a real network does.
pub struct Proxy {
    /// The port on 127.0.0.1 for clients.
    pub port: u16,
    open: watch::Sender<bool>,
    server: Arc<AtomicU16>,
}

impl Proxy {
    /// Starts a proxy that passes every byte on to `127.0.0.1:<port>`.
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let own = listener.local_addr().expect("the port is bound").port();
        let (open, is_open) = watch::channel(true);
        let server = Arc::new(AtomicU16::new(port));
        let next = server.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let port = next.load(Ordering::SeqCst);
                tokio::spawn(pass(client, port, is_open.clone()));
            }
        });
        Self {
            port: own,
            open,
            server,
        }
    }

    /// Passes new connections on to `port`, as a load balancer does after a server was taken out.
    /// Established connections stay with their server.
    pub fn lead_to(&self, port: u16) {
        self.server.store(port, Ordering::SeqCst);
    }

    /// Swallows every byte of established and new connections. The connections stay open.
    pub fn silence(&self) {
        self.open.send_replace(false);
    }

    /// Passes on the bytes of new connections; the silent connections stay silent.
    pub fn resume(&self) {
        self.open.send_replace(true);
    }
}

async fn pass(mut client: TcpStream, port: u16, mut is_open: watch::Receiver<bool>) {
    if !*is_open.borrow() {
        return std::future::pending().await;
    }
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await else {
        return;
    };
    let silent = async { is_open.wait_for(|open| !open).await.is_ok() };
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => {}
        true = silent => std::future::pending().await,
    }
}
