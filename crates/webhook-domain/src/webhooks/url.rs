//! The URL of a webhook, checked so that a webhook cannot be aimed at our own network.

use std::net::IpAddr;

use url::{Host, Url};

use crate::AddressPolicy;

mod mask;

pub(super) use mask::SHOWN_CHARS;

/// The start of the path of a [masked](WebhookUrl::masked) URL, in normal form: `/…`.
const MASKED_PATH: &str = "/%E2%80%A6";

/// The URL schemes allowed by the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UrlSchemes {
    /// `https` only.
    HttpsOnly,
    /// `https`, and plain `http` for development.
    HttpAllowed,
}

/// The target URL of a webhook: an absolute `https` URL whose host may be called.
///
/// `Debug` prints the masked form, because the URL of a chat platform is a password.
/// [`TargetUrl`](crate::TargetUrl) says whether the whole URL may be shown.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookUrl(Url);

/// Why a URL cannot be the target of a webhook.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the message says it")]
pub enum UrlError {
    #[error("enter a URL")]
    Empty,
    #[error("start with https://, for example https://hooks.example.com/in")]
    NoScheme,
    #[error("enter a whole URL such as https://hooks.example.com/in ({0})")]
    NotAbsolute(url::ParseError),
    #[error(
        "shorten the URL to {} bytes: it has {bytes} in its normal form",
        WebhookUrl::MAX_BYTES
    )]
    TooLong { bytes: usize },
    #[error("must start with https://")]
    NotHttps,
    #[error("remove the user name and the password")]
    UserInfo,
    #[error("remove everything from # on")]
    Fragment,
    #[error("enter the whole URL: … stands for a part that is not shown")]
    Masked,
    #[error("{0} is a local name. Use a host that is reachable from the internet")]
    LocalName(String),
    #[error("use a host of letters, digits and hyphens, up to 63 between the dots and 253 in all")]
    BadName,
    #[error("no server can listen on port 0. Leave the port out or use 1 to 65535")]
    PortZero,
    #[error("{0} is a private address. Use one that is reachable from the internet")]
    BlockedAddress(IpAddr),
}

impl UrlError {
    /// The fault of a text that the URL parser refuses. An admin usually left the scheme out.
    fn of(text: &str, error: url::ParseError) -> Self {
        if text.is_empty() {
            Self::Empty
        } else if error == url::ParseError::RelativeUrlWithoutBase {
            Self::NoScheme
        } else {
            Self::NotAbsolute(error)
        }
    }
}

impl WebhookUrl {
    /// The most bytes of a URL in its normal form, in which every character that needs
    /// percent-encoding is encoded: 2,048. The normal form is stored and shown, so the normal form
    /// must pass this check again.
    pub const MAX_BYTES: usize = 2_048;

    /// Checks a URL as an admin typed it.
    ///
    /// A host name is not resolved here: DNS may change at any time, so every connection checks the
    /// addresses that the name resolves to.
    pub fn parse(
        text: &str,
        schemes: UrlSchemes,
        addresses: &AddressPolicy,
    ) -> Result<Self, UrlError> {
        let url = Url::parse(text.trim()).map_err(|error| UrlError::of(text.trim(), error))?;
        // Normalising adds a slash to an empty path; the admin did not type this byte.
        let bytes = url.as_str().len() - usize::from(url.path() == "/");
        if bytes > Self::MAX_BYTES {
            return Err(UrlError::TooLong { bytes });
        }
        match (url.scheme(), schemes) {
            ("https", _) | ("http", UrlSchemes::HttpAllowed) => {}
            _ => return Err(UrlError::NotHttps),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UrlError::UserInfo);
        }
        if url.fragment().is_some() {
            return Err(UrlError::Fragment);
        }
        // The shown form of a secret URL, copied from a page or an export, has no receiver.
        if url.path().starts_with(MASKED_PATH) {
            return Err(UrlError::Masked);
        }
        if url.port() == Some(0) {
            return Err(UrlError::PortZero);
        }
        check_host(&url, addresses)?;
        Ok(Self(url))
    }

    /// Reads a URL that passed the check when the URL was stored. The operator's rules may have
    /// changed since then; every connection checks the address again.
    pub fn from_stored(text: &str) -> Result<Self, UrlError> {
        Url::parse(text).map(Self).map_err(UrlError::NotAbsolute)
    }

    /// Reads a URL that was pasted into a search, to look for an equal URL. `None`: the text is a part
    /// of a URL, or other words.
    pub fn from_search(text: &str) -> Option<Self> {
        let url = Url::parse(text.trim()).ok()?;
        let is_web = matches!(url.scheme(), "https" | "http");
        let is_whole = url.path() != "/" || url.query().is_some();
        (is_web && is_whole).then_some(Self(url))
    }

    /// The URL in its parts.
    pub fn as_url(&self) -> &Url {
        &self.0
    }

    /// The URL in its normal form.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

fn check_host(url: &Url, addresses: &AddressPolicy) -> Result<(), UrlError> {
    let address = match url.host() {
        Some(Host::Ipv4(v4)) => IpAddr::V4(v4),
        Some(Host::Ipv6(v6)) => IpAddr::V6(v6),
        Some(Host::Domain(name)) if !is_dns_name(name) => return Err(UrlError::BadName),
        // An operator who opened a private network expects webhooks to name hosts in that network.
        Some(Host::Domain(name)) if addresses.allowed.is_empty() && is_local(name) => {
            return Err(UrlError::LocalName(name.to_owned()));
        }
        Some(Host::Domain(_)) => return Ok(()),
        None => return Err(UrlError::NotAbsolute(url::ParseError::EmptyHost)),
    };
    if addresses.permits(address) {
        Ok(())
    } else {
        Err(UrlError::BlockedAddress(address))
    }
}

/// Whether a name can be resolved at all (RFC 1035, section 2.3.4). Underscores are not allowed by
/// the RFC but occur in practice.
fn is_dns_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let is_label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(known);
    name.len() <= 253 && name.split('.').all(is_label)
}

/// Whether a name has no meaning in the public DNS: a single label, or a special-use domain (RFC
/// 6761, RFC 6762, RFC 8375, and ICANN's `internal`).
fn is_local(name: &str) -> bool {
    const SPECIAL_USE: [&str; 6] = [
        "localhost",
        "local",
        "internal",
        "invalid",
        "onion",
        "home.arpa",
    ];
    // `localhost.` with the dot of the DNS root is `localhost`.
    let name = name.trim_end_matches('.');
    let under = |domain: &&str| {
        name.strip_suffix(*domain)
            .is_some_and(|start| start.ends_with('.'))
    };
    !name.contains('.') || SPECIAL_USE.iter().any(under)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn parse(text: &str) -> Result<WebhookUrl, UrlError> {
        WebhookUrl::parse(text, UrlSchemes::HttpsOnly, &AddressPolicy::default())
    }

    #[test]
    fn an_https_url_is_taken_with_port_path_and_query() {
        let url = parse(" https://Hooks.Example.com:8443/a/b?c=d ").expect("a good URL");

        assert_eq!(url.as_str(), "https://hooks.example.com:8443/a/b?c=d");
    }

    #[test]
    fn a_host_may_end_with_the_dot_of_the_root() {
        let url = parse("https://example.com./x").expect("a good URL");

        assert_eq!(url.as_str(), "https://example.com./x");
    }

    #[rstest]
    #[case("http://example.com/", UrlError::NotHttps)]
    #[case("ftp://example.com/", UrlError::NotHttps)]
    #[case("https://me:pw@example.com/", UrlError::UserInfo)]
    #[case("https://me@example.com/", UrlError::UserInfo)]
    #[case("https://:pw@example.com/", UrlError::UserInfo)]
    #[case("https://example.com/#top", UrlError::Fragment)]
    #[case("https://hooks.slack.com/…AbCd", UrlError::Masked)]
    #[case("https://example.com/…", UrlError::Masked)]
    #[case("https://example.com:0/", UrlError::PortZero)]
    #[case("https://93.184.216.34:000/", UrlError::PortZero)]
    #[case("https://localhost/", UrlError::LocalName("localhost".into()))]
    #[case("https://a.localhost./", UrlError::LocalName("a.localhost.".into()))]
    #[case("https://intranet/", UrlError::LocalName("intranet".into()))]
    #[case("https://db.internal/", UrlError::LocalName("db.internal".into()))]
    #[case("https://127.1/", UrlError::BlockedAddress([127, 0, 0, 1].into()))]
    #[case("https://0x7f000001/", UrlError::BlockedAddress([127, 0, 0, 1].into()))]
    #[case("https://169.254.169.254/", UrlError::BlockedAddress([169, 254, 169, 254].into()))]
    fn unsafe_urls_are_refused(#[case] text: &str, #[case] error: UrlError) {
        assert_eq!(parse(text), Err(error));
    }

    #[rstest]
    #[case("", "enter a URL")]
    #[case(
        "hooks.slack.com/services/T0",
        "start with https://, for example https://hooks.example.com/in"
    )]
    #[case(
        "https://",
        "enter a whole URL such as https://hooks.example.com/in (empty host)"
    )]
    #[case("https://example.com/#top", "remove everything from # on")]
    #[case(
        "https://10.0.0.1/",
        "10.0.0.1 is a private address. Use one that is reachable from the internet"
    )]
    fn a_refusal_says_what_to_do(#[case] text: &str, #[case] told: &str) {
        assert_eq!(
            parse(text)
                .map_err(|error| error.to_string())
                .err()
                .as_deref(),
            Some(told)
        );
    }

    #[rstest]
    #[case("/relative")]
    #[case("example.com/hook")]
    #[case("https://")]
    #[case("https://exa mple.com/")]
    #[case("https://a..example.com/")]
    #[case("https://exa$mple.com/")]
    #[case("https://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.com/")]
    fn what_is_no_absolute_url_is_refused(#[case] text: &str) {
        assert!(parse(text).is_err(), "{text}");
    }

    #[test]
    fn a_url_of_2049_bytes_is_too_long() {
        let of = |bytes: usize| format!("https://example.com/{}", "a".repeat(bytes - 20));

        assert!(parse(&of(WebhookUrl::MAX_BYTES)).is_ok());
        assert_eq!(
            parse(&of(WebhookUrl::MAX_BYTES + 1)),
            Err(UrlError::TooLong {
                bytes: WebhookUrl::MAX_BYTES + 1
            })
        );
    }

    #[test]
    fn a_url_is_measured_as_it_is_stored() {
        let typed = format!("https://example.com/{}", "ä".repeat(600));
        let quoted = format!("https://example.com/?{}", "\"".repeat(900));

        assert_eq!(
            parse(&typed),
            Err(UrlError::TooLong {
                bytes: 20 + 6 * 600
            })
        );
        assert_eq!(
            parse(&quoted),
            Err(UrlError::TooLong {
                bytes: 20 + 3 * 900
            })
        );
    }

    proptest::proptest! {
        #[test]
        fn what_is_stored_passes_its_own_check(
            host in "[a-zA-Zäß0-9-]{1,8}", path in "\\PC{0,40}", query in "\\PC{0,40}"
        ) {
            if let Ok(url) = parse(&format!("https://{host}.example.com/{path}?{query}")) {
                proptest::prop_assert_eq!(parse(url.as_str()), Ok(url));
            }
        }
    }

    #[test]
    fn an_operator_can_allow_http_and_a_network() {
        let loopback = AddressPolicy {
            allowed: vec!["127.0.0.0/8".parse().expect("a network")],
        };

        let url = "http://127.0.0.1:9000/hook";

        assert!(WebhookUrl::parse(url, UrlSchemes::HttpAllowed, &loopback).is_ok());
    }

    #[rstest]
    #[case("my_host.example.com")]
    #[case("my-host.example.com")]
    #[case("1.example.com")]
    fn a_host_may_have_digits_hyphens_and_underscores(#[case] host: &str) {
        assert!(parse(&format!("https://{host}/")).is_ok());
    }
}
