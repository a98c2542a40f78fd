//! The version of RabbitMQ, which a server tells at the beginning of a connection and the client library drops.

use std::time::Duration;

use lapin::uri::AMQPScheme;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::connection::BrokerUrl;

/// The first bytes of a client (AMQP 0-9-1).
const PROTOCOL_HEADER: &[u8] = b"AMQP\0\0\x09\x01";

/// The entry of the server's properties: the name, and the type of the value (a long string).
const VERSION_ENTRY: &[u8] = b"\x07versionS";

/// Bytes read of the server's first frame, which has some 500.
const MAX_READ_BYTES: usize = 16 * 1024;

/// Longest wait for the first frame.
const ANSWERS_WITHIN: Duration = Duration::from_secs(2);

/// Asks a server without TLS for its version.
pub(super) async fn ask(url: &BrokerUrl) -> Option<String> {
    let asked = async {
        if url.0.scheme != AMQPScheme::AMQP {
            return None;
        }
        let authority = &url.0.authority;
        let mut stream = TcpStream::connect((authority.host.as_str(), authority.port))
            .await
            .ok()?;
        stream.write_all(PROTOCOL_HEADER).await.ok()?;
        let mut frame = Vec::new();
        while frame.len() < MAX_READ_BYTES {
            let read = stream.read_buf(&mut frame).await.ok()?;
            let version = find_version(&frame);
            if version.is_some() || read == 0 {
                return version;
            }
        }
        None
    };
    timeout(ANSWERS_WITHIN, asked).await.ok().flatten()
}

/// The version in the properties of a `connection.start`, once the frame has arrived as far as there.
fn find_version(frame: &[u8]) -> Option<String> {
    let at = frame
        .windows(VERSION_ENTRY.len())
        .position(|window| window == VERSION_ENTRY)?;
    let (length, rest) = frame[at + VERSION_ENTRY.len()..].split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    // A version is short. Any other text of a server does not belong on a terminal.
    let version = rest.get(..length).filter(|text| text.len() <= 40)?;
    let is_plain = version
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || b".-+".contains(byte));
    is_plain.then(|| String::from_utf8_lossy(version).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_once_the_frame_is_there() {
        let frame = b"...\x07versionS\0\0\0\x064.0.5+\x08platform";

        assert_eq!(find_version(frame).as_deref(), Some("4.0.5+"));
        assert_eq!(find_version(&frame[..18]), None);
        assert_eq!(find_version(b"\x07versionS\0\0\0\x03\x1b[2"), None);
    }
}
