//! The wire: a connection's bytes, plain or within TLS, and notes on the incoming bytes.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use webhook_domain::FailureDetail;

use super::tls::{describe, tls_error};

/// How many bytes of a response are kept, as a quotation for a response other than HTTP.
const MAX_BEGINNING: usize = 40;

/// Notes on the incoming bytes of a connection.
#[derive(Debug, Default)]
pub(crate) struct Wire {
    received: AtomicU64,
    /// The value of `received` when the latest request went out.
    asked_at: AtomicU64,
    beginning: Mutex<Vec<u8>>,
    certificate_wanted: Arc<AtomicBool>,
    /// Why the receiver refused TLS after the handshake, as happens with TLS 1.3. Kept here, as the
    /// HTTP/2 library passes on only the text of an error.
    refusal: Mutex<Option<FailureDetail>>,
}

impl Wire {
    pub(super) fn new(certificate_wanted: Arc<AtomicBool>) -> Self {
        Self {
            certificate_wanted,
            ..Self::default()
        }
    }

    /// Notes a request going out: all bytes coming in from now on are the response.
    pub(super) fn ask(&self) {
        self.asked_at.store(self.received(), Ordering::Relaxed);
        self.kept().clear();
    }

    /// Whether a byte of the response has come in.
    pub(super) fn has_begun(&self) -> bool {
        self.received() != self.asked_at.load(Ordering::Relaxed)
    }

    /// How many bytes have come in over the connection.
    pub(super) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// The first bytes of the response, as text.
    pub(super) fn beginning(&self) -> String {
        self.kept().escape_ascii().to_string()
    }

    /// Why the receiver refused TLS after the handshake, if so.
    pub(super) fn refusal(&self) -> Option<FailureDetail> {
        let refusal = self.refusal.lock().unwrap_or_else(PoisonError::into_inner);
        refusal.clone()
    }

    fn note_error(&self, error: &io::Error) {
        if let Some(error) = tls_error(error) {
            let wanted = self.certificate_wanted.load(Ordering::Relaxed);
            let mut refusal = self.refusal.lock().unwrap_or_else(PoisonError::into_inner);
            *refusal = Some(describe(error, wanted));
        }
    }

    pub(super) fn note(&self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let had = self
            .received
            .fetch_add(bytes.len() as u64, Ordering::Relaxed);
        if had == self.asked_at.load(Ordering::Relaxed) {
            let beginning = &bytes[..bytes.len().min(MAX_BEGINNING)];
            self.kept().extend_from_slice(beginning);
        }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Vec<u8>> {
        self.beginning
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The bytes of a connection, plain or within TLS.
pub(super) enum Transport {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A transport whose incoming bytes are noted in a [`Wire`].
pub(super) struct Stream {
    transport: Transport,
    wire: Arc<Wire>,
}

impl Stream {
    pub(super) fn new(transport: Transport, certificate_wanted: Arc<AtomicBool>) -> Self {
        Self {
            transport,
            wire: Arc::new(Wire::new(certificate_wanted)),
        }
    }

    pub(super) fn wire(&self) -> &Arc<Wire> {
        &self.wire
    }

    /// Whether the receiver chose HTTP/2 in the handshake.
    pub(super) fn is_http2(&self) -> bool {
        match &self.transport {
            Transport::Plain(_) => false,
            Transport::Tls(stream) => stream.get_ref().1.alpn_protocol() == Some(b"h2"),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let had = buffer.filled().len();
        let polled = match &mut this.transport {
            Transport::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Transport::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        };
        this.wire.note(&buffer.filled()[had..]);
        if let Poll::Ready(Err(error)) = &polled {
            this.wire.note_error(error);
        }
        polled
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().transport {
            Transport::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Transport::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().transport {
            Transport::Plain(stream) => Pin::new(stream).poll_flush(context),
            Transport::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().transport {
            Transport::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Transport::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().transport {
            Transport::Plain(stream) => Pin::new(stream).poll_write_vectored(context, slices),
            Transport::Tls(stream) => Pin::new(stream).poll_write_vectored(context, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.transport {
            Transport::Plain(stream) => stream.is_write_vectored(),
            Transport::Tls(stream) => stream.is_write_vectored(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::AlertDescription;

    #[test]
    fn a_response_has_begun_with_its_first_byte_after_the_request() {
        let wire = Wire::default();
        wire.note(b"the last response");

        wire.ask();
        wire.note(b"");
        let before = wire.has_begun();
        wire.note(b"HTTP");

        assert!(!before && wire.has_begun());
        assert_eq!((wire.received(), wire.beginning().as_str()), (21, "HTTP"));
    }

    #[test]
    fn only_the_first_bytes_of_a_response_are_kept() {
        let wire = Wire::default();

        wire.note(&[b'a'; MAX_BEGINNING + 1]);
        wire.note(b"b");

        assert_eq!(wire.beginning(), "a".repeat(MAX_BEGINNING));
    }

    #[test]
    fn a_refusal_of_tls_is_noted_and_another_error_is_not() {
        let (broken, refusing) = (Wire::default(), Wire::default());
        let alert = rustls::Error::AlertReceived(AlertDescription::CertificateRequired);

        broken.note_error(&io::ErrorKind::ConnectionReset.into());
        refusing.note_error(&io::Error::other(alert));

        let told = "the receiver wants a client certificate, and we present none";
        assert_eq!(broken.refusal(), None);
        assert_eq!(refusing.refusal(), Some(told.into()));
    }
}
