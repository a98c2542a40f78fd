//! The report of a dispatcher on a target URL, made without sending a request.

use std::net::{IpAddr, SocketAddr};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{CertificateText, FailureClass, FailureDetail};

/// The report on a target URL: each step until the first that failed. Dispatchers store reports as
/// JSON, and the API reads them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UrlReport {
    /// The addresses of the host, in the order in which attempts try them.
    pub addresses: Vec<CheckedAddress>,
    /// The connection. `None`: no connection was opened.
    pub connection: Option<OpenedConnection>,
    /// The TLS handshake. `None`: not reached, failed, or an `http` URL.
    pub tls: Option<TlsHandshake>,
    /// The failure. `None`: every step succeeded.
    pub failure: Option<UrlFailure>,
}

/// An address of the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckedAddress {
    /// The IPv4 or IPv6 address.
    pub address: IpAddr,
    /// Whether the address policy permits the address.
    pub permitted: bool,
    /// Whether the address refused the connection while another address accepted one.
    #[serde(default)]
    pub takes_no_connection: bool,
}

/// A connection, opened and closed at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenedConnection {
    /// The address and the port of the connection.
    pub address: SocketAddr,
    /// The time to open the connection, in milliseconds.
    pub connect_ms: u64,
}

/// A handshake whose certificate is trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsHandshake {
    /// The TLS version: `1.2` or `1.3`.
    pub version: String,
    /// The duration of the handshake, in milliseconds.
    pub handshake_ms: u64,
    /// The end of the certificate's validity. `None`: the certificate could not be parsed.
    pub not_after: Option<DateTime<Utc>>,
    /// The issuer in the notation of RFC 4514: `CN=R11,O=Let's Encrypt,C=US`.
    pub issuer: Option<CertificateText>,
}

/// The failure of any request to the URL at this moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UrlFailure {
    /// The class of the failure.
    pub class: FailureClass,
    /// The failure in words.
    pub detail: FailureDetail,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read_as_it_was_written() {
        let report = UrlReport {
            addresses: vec![CheckedAddress {
                address: IpAddr::from([192, 168, 0, 1]),
                permitted: false,
                takes_no_connection: false,
            }],
            failure: Some(UrlFailure {
                class: FailureClass::BlockedAddress,
                detail: "no address may be called".into(),
            }),
            ..UrlReport::default()
        };

        let json = serde_json::to_value(&report).expect("JSON");

        assert_eq!(json["failure"]["class"], "blocked_address");
        assert_eq!(serde_json::from_value(json).ok(), Some(report));
    }
}
