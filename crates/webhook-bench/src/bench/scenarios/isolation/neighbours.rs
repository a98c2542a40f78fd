//! Webhooks that cost the dispatcher time, 100 for each reason, and the receivers behind them.

use std::sync::Arc;
use std::time::Duration;

use webhook_tests::{
    Authority, DeafPort, DnsEntry, Http2Answer, Http2Receiver, NameServer, SilentPort,
};

use crate::bench::sink::{Answers, Sink};
use crate::bench::worker::Variables;

/// How many webhooks of each kind want each of the 20 other types: 100 of each kind.
const OF_EACH: usize = 5;

/// Longer than any attempt may take.
const FOR_EVER: Duration = Duration::from_secs(3_600);

/// How often a receiver is asked whether it is connected and can freeze.
const LOOK: Duration = Duration::from_millis(20);

/// Why the neighbours of a healthy webhook get nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Half of them never answer, half of them answer 500.
    HangAndFail,
    /// Their names are never answered.
    Dns,
    /// Their address drops SYNs.
    Connect,
    /// Their handshake never ends.
    Tls,
    /// All of the neighbours share an HTTP/2 connection to a server that froze.
    Http2,
}

impl Fault {
    /// The faults of a connection's beginning, and of a connection that many share.
    pub(super) const OF_CONNECTIONS: [Self; 4] = [Self::Dns, Self::Connect, Self::Tls, Self::Http2];

    /// The fault in the name of a row.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::HangAndFail => "answers",
            Self::Dns => "DNS",
            Self::Connect => "connect",
            Self::Tls => "TLS",
            Self::Http2 => "HTTP/2",
        }
    }
}

/// The receivers of the neighbours, which listen as long as this value lives.
pub(super) struct Neighbours {
    /// What the dispatcher needs to find and trust them.
    pub(super) variables: Variables,
    receivers: Receivers,
}

enum Receivers {
    HangAndFail {
        hanging: Sink,
        failing: Sink,
    },
    Dns(NameServer),
    Connect(DeafPort),
    Tls(SilentPort),
    Http2 {
        frozen: Arc<Http2Receiver>,
        _authority: Authority,
    },
}

impl Neighbours {
    /// Starts the receivers.
    pub(super) async fn start(fault: Fault) -> anyhow::Result<Self> {
        let mut variables = Variables::new();
        let receivers = match fault {
            Fault::HangAndFail => Receivers::HangAndFail {
                hanging: Sink::start(Answers::After(FOR_EVER)).await?,
                failing: Sink::start(Answers::WithFailure).await?,
            },
            Fault::Dns => {
                let names = NameServer::start().await;
                names.set("*.silent.test", DnsEntry::silent());
                variables.push(("DNS_SERVERS", names.address.to_string()));
                Receivers::Dns(names)
            }
            Fault::Connect => Receivers::Connect(DeafPort::at(([127, 0, 0, 2], 0)).await),
            Fault::Tls => Receivers::Tls(SilentPort::start().await),
            Fault::Http2 => {
                let authority = Authority::new();
                let file = authority.file.to_string_lossy().into_owned();
                variables.push(("SSL_CERT_FILE", file));
                let identity = authority.issue(&["localhost"]);
                // No request succeeds before the freeze: successes are what is timed.
                let frozen = Http2Receiver::deciding(&identity, |_| Http2Answer::Wait).await;
                let frozen = Arc::new(frozen);
                tokio::spawn(freeze_once_connected(frozen.clone()));
                Receivers::Http2 {
                    frozen,
                    _authority: authority,
                }
            }
        };
        Ok(Self {
            variables,
            receivers,
        })
    }

    /// Where the webhooks are that want the type with this number.
    pub(super) fn urls(&self, number: usize) -> Vec<String> {
        let numbers = number * OF_EACH..(number + 1) * OF_EACH;
        match &self.receivers {
            Receivers::HangAndFail { hanging, failing } => numbers
                .flat_map(|webhook| [hanging.webhook(webhook), failing.webhook(webhook)])
                .collect(),
            Receivers::Dns(_) => numbers
                .map(|webhook| format!("http://w{webhook}.silent.test:9/"))
                .collect(),
            Receivers::Connect(deaf) => numbers
                .map(|webhook| format!("http://{}/{webhook}", deaf.address))
                .collect(),
            Receivers::Tls(silent) => secure(silent.address.port(), numbers),
            Receivers::Http2 { frozen, .. } => secure(frozen.port, numbers),
        }
    }

    /// Whether requests came as far as the fault, where its receivers can tell.
    pub(super) fn were_met(&self) -> bool {
        match &self.receivers {
            Receivers::HangAndFail { hanging, failing } => {
                hanging.arrived() > 0 && failing.arrived() > 0
            }
            Receivers::Tls(silent) => silent.connections() > 0,
            Receivers::Http2 { frozen, .. } => frozen.streams() > 0,
            Receivers::Dns(names) => names.queries("w0.silent.test") > 0,
            Receivers::Connect(_) => true,
        }
    }
}

fn secure(port: u16, numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers
        .map(|webhook| format!("https://localhost:{port}/{webhook}"))
        .collect()
}

/// Freezes a receiver when the first request came: the connection stands, and others are on it.
async fn freeze_once_connected(receiver: Arc<Http2Receiver>) {
    let mut look = tokio::time::interval(LOOK);
    while receiver.streams() == 0 {
        look.tick().await;
    }
    receiver.freeze();
}
