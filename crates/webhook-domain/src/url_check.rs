use std::net::{IpAddr, SocketAddr};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{CertificateText, FailureClass, FailureDetail};

/// What was found out about a URL without making a request, as far as that went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UrlReport {
    /// What its host resolves to, in the order in which they are tried.
    pub addresses: Vec<CheckedAddress>,
    /// The connection, if one was opened.
    pub connection: Option<OpenedConnection>,
    /// The handshake, if the URL asks for one and it went well.
    pub tls: Option<TlsHandshake>,
    /// What went wrong, if something did.
    pub failure: Option<UrlFailure>,
}

/// An address of a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckedAddress {
    /// The address.
    pub address: IpAddr,
    /// Whether it may be called.
    pub permitted: bool,
    /// Whether it took no connection while others were tried, too.
    #[serde(default)]
    pub takes_no_connection: bool,
}

/// A connection that was opened, and closed again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenedConnection {
    /// The address that answered.
    pub address: SocketAddr,
    /// How long it took to open, in milliseconds.
    pub connect_ms: u64,
}

/// A handshake with a certificate that is trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsHandshake {
    /// `1.2` or `1.3`.
    pub version: String,
    /// How long it took, in milliseconds.
    pub handshake_ms: u64,
    /// Until when the certificate is valid, if it could be read.
    pub not_after: Option<DateTime<Utc>>,
    /// Who issued it, as RFC 4514 writes it: `CN=R11,O=Let's Encrypt,C=US`.
    pub issuer: Option<CertificateText>,
}

/// Why a request would fail before it is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UrlFailure {
    /// As the attempt would be told.
    pub class: FailureClass,
    /// In words.
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
