//! A broker whose first confirm is lost.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

/// Bytes of the published event, which no earlier frame of a publisher has.
const IN_EVENT: &[u8] = b"license_id";

/// A TCP proxy that closes the first connection when the broker has confirmed the event: the event is
/// published, and the publisher does not know. Later connections pass every byte.
pub(super) struct LossyProxy {
    /// The broker's URL, with the proxy's port.
    pub(super) url: String,
}

impl LossyProxy {
    /// Starts a proxy to the broker at `url`, on this machine.
    pub(super) async fn to(url: &str) -> Self {
        let mut url: Url = url.parse().expect("a URL");
        let broker = url.port().unwrap_or(5672);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("the port is bound").port();
        url.set_port(Some(port)).expect("the URL has a host");
        tokio::spawn(async move {
            let mut is_first = true;
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, broker, is_first));
                is_first = false;
            }
        });
        Self { url: url.into() }
    }
}

/// Passes bytes in both directions until a side closes, or a confirm is lost.
async fn pass(mut client: TcpStream, broker: u16, loses_confirm: bool) -> io::Result<()> {
    let mut server = TcpStream::connect(("127.0.0.1", broker)).await?;
    let (mut from_client, mut from_server) = ([0; 4096], [0; 4096]);
    let mut sent = Vec::new();
    loop {
        tokio::select! {
            read = client.read(&mut from_client) => {
                let bytes = &from_client[..read?];
                if bytes.is_empty() {
                    return Ok(());
                }
                sent.extend_from_slice(bytes);
                server.write_all(bytes).await?;
            }
            read = server.read(&mut from_server) => {
                let bytes = &from_server[..read?];
                // The broker sends nothing after the event but the confirm.
                let is_confirm = sent.windows(IN_EVENT.len()).any(|part| part == IN_EVENT);
                if bytes.is_empty() || (loses_confirm && is_confirm) {
                    return Ok(());
                }
                client.write_all(bytes).await?;
            }
        }
    }
}
