//! Faulty webhooks beside a healthy webhook, 100 for each fault, and their receivers.

use std::sync::Arc;
use std::time::Duration;

use webhook_tests::{
    Authority, DeafPort, DnsEntry, Http2Answer, Http2Receiver, NameServer, SilentPort,
};

use crate::bench::sink::{Answers, Sink};
use crate::bench::worker::Variables;

/// Webhooks for each fault and each of the 20 other event types: 100 for each fault.
const WEBHOOKS_PER_TYPE: usize = 5;

/// Longer than the timeout of any attempt.
const BEYOND_ANY_TIMEOUT: Duration = Duration::from_secs(3_600);

/// Interval between two checks whether a receiver is connected and can freeze.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Why the neighbours of the healthy webhook receive no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Half of the receivers never respond, the others respond with 500.
    HangAndFail,
    /// The name server never responds.
    Dns,
    /// The address drops SYNs.
    Connect,
    /// The TLS handshake never ends.
    Tls,
    /// All neighbours share an HTTP/2 connection to a frozen server.
    Http2,
}

impl Fault {
    /// The faults in opening a connection, and in a connection shared by many webhooks.
    pub(super) const OF_CONNECTIONS: [Self; 4] = [Self::Dns, Self::Connect, Self::Tls, Self::Http2];

    /// The fault, as part of the name of a line.
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

/// The receivers of the neighbours, listening until the drop.
pub(super) struct Neighbours {
    /// Environment variables for the dispatcher: name servers and certificates of the receivers.
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
                hanging: Sink::start(Answers::After(BEYOND_ANY_TIMEOUT)).await?,
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
                // No request succeeds before the freeze: successes would be timed.
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

    /// The URLs of the webhooks for the event type with this number.
    pub(super) fn urls(&self, number: usize) -> Vec<String> {
        let numbers = number * WEBHOOKS_PER_TYPE..(number + 1) * WEBHOOKS_PER_TYPE;
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

    /// Whether requests met the fault. Always true where the receivers cannot know.
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

/// Freezes a receiver after the first request: the connection is open by then, and shared.
async fn freeze_once_connected(receiver: Arc<Http2Receiver>) {
    let mut look = tokio::time::interval(POLL_INTERVAL);
    while receiver.streams() == 0 {
        look.tick().await;
    }
    receiver.freeze();
}
