//! Faults of TLS: a sentence for each fault, the same in the attempt and in the diagnosis.

use rustls::version::{TLS12, TLS13};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use webhook_tests::{Authority, Identity, OpensslServer, Platform, SilentPort, TlsServer};

use crate::receivers::{create, only_attempt, policy, publish};

/// How long the handshake of an attempt may take; a check of a URL gives up after 5 s.
const TIMEOUT_MS: u64 = 6_000;

/// A server with a fault, and words that name the fault. The sentence has at least one of the words.
struct Fault {
    name: &'static str,
    port: u16,
    words: &'static [&'static str],
}

/// The receivers, for as long as the test runs.
struct Receivers {
    faults: Vec<Fault>,
    _openssl: [OpensslServer; 2],
    _authority: Authority,
}

/// A server of HTTP without TLS that answers a client's hello as nginx does.
async fn plain_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("the port is bound").port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4 * 1024]).await;
            let answer = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
            let _ = stream.write_all(answer).await;
        }
    });
    port
}

async fn port_of(identity: &Identity) -> u16 {
    TlsServer::start(identity.acceptor(&[])).await.port
}

impl Receivers {
    async fn start(platform: &Platform, authority: Authority) -> Self {
        let world = &platform.world;
        let old = ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"];
        let old = OpensslServer::start(world, &old).await;
        let weak = ["-tls1_2", "-cipher", "AES128-SHA:@SECLEVEL=0"];
        let weak = OpensslServer::start(world, &weak).await;
        let mut faults = vec![
            fault(
                "a port without TLS",
                plain_port().await,
                &["no TLS", "not TLS", "plain", "http://"],
            ),
            fault(
                "a handshake that never ends",
                SilentPort::start().await.address.port(),
                &["handshake"],
            ),
            fault("TLS 1.1 only", old.port, &["version", "TLS 1.2", "1.1"]),
            fault("AES128-SHA only", weak.port, &["cipher"]),
        ];
        faults.extend(certificates(&authority).await);
        let asked = authority.issue(&["localhost"]);
        for (name, version, protocols) in [
            ("a client certificate wanted, TLS 1.3", &TLS13, &[][..]),
            ("a client certificate wanted, TLS 1.2", &TLS12, &[]),
            ("a client certificate wanted, HTTP/2", &TLS13, &["h2"]),
        ] {
            let acceptor = authority.asking_acceptor(&asked, &[version], protocols);
            let server = TlsServer::start(acceptor).await;
            faults.push(fault(
                name,
                server.port,
                &["client certificate", "certificate of ours"],
            ));
        }
        Self {
            faults,
            _openssl: [old, weak],
            _authority: authority,
        }
    }
}

fn fault(name: &'static str, port: u16, words: &'static [&'static str]) -> Fault {
    Fault { name, port, words }
}

/// Servers with certificates for refusal.
async fn certificates(authority: &Authority) -> Vec<Fault> {
    let expired = authority.issue_with(&["localhost"], |params| {
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    });
    // The certificate of the authority in between is not sent.
    let incomplete = authority.intermediate().issue(&["localhost"]);
    let self_signed = Identity::self_signed(&["localhost"]);
    let other = authority.issue(&["other.test"]);
    vec![
        fault(
            "self-signed",
            port_of(&self_signed).await,
            &["self-signed", "signed by itself"],
        ),
        fault(
            "for another name",
            port_of(&other).await,
            &["not for localhost"],
        ),
        fault("expired", port_of(&expired).await, &["expired"]),
        fault(
            "an incomplete chain",
            port_of(&incomplete).await,
            &["in between", "intermediate", "incomplete"],
        ),
    ]
}

/// The sentences about a fault.
struct Told {
    name: &'static str,
    words: &'static [&'static str],
    class: Value,
    attempt: String,
    diagnosis: String,
}

async fn diagnosed(platform: &Platform, webhook: &str) -> String {
    let path = format!("/api/v1/webhooks/{webhook}/diagnosis");
    let diagnosis = platform.get(&path).await;
    let findings = diagnosis["findings"].as_array().expect("findings");
    let url = findings.iter().find(|finding| finding["check"] == "url");
    let message = url.and_then(|finding| finding["message"].as_str());
    message.expect("the URL is looked at").to_owned()
}

/// An attempt and a diagnosis of each fault.
async fn told() -> Vec<Told> {
    let authority = Authority::new();
    let file = authority.file.to_str().expect("a path").to_owned();
    let platform = Platform::with_dispatcher(&[("SSL_CERT_FILE", &file)]).await;
    let receivers = Receivers::start(&platform, authority).await;
    let mut webhooks = Vec::new();
    for fault in &receivers.faults {
        let url = format!("https://localhost:{}/hook", fault.port);
        webhooks.push(create(&platform, &url, &policy(1, TIMEOUT_MS)).await);
    }
    publish(&platform).await;
    let mut told = Vec::new();
    for (fault, webhook) in receivers.faults.iter().zip(&webhooks) {
        let attempt = only_attempt(&platform, webhook).await;
        let sentence = attempt["failure_detail"].as_str().unwrap_or_default();
        told.push(Told {
            name: fault.name,
            words: fault.words,
            class: attempt["failure_class"].clone(),
            attempt: sentence.to_owned(),
            diagnosis: diagnosed(&platform, webhook).await,
        });
    }
    platform.end().await;
    told
}

/// B14: an admin is told the fault, not the mere failure.
#[tokio::test(flavor = "multi_thread")]
async fn each_fault_of_tls_is_told_by_name_in_the_attempt() {
    let told = told().await;

    let unnamed: Vec<_> = told
        .iter()
        .filter(|t| t.class != "tls" || !t.words.iter().any(|word| t.attempt.contains(word)))
        .map(|t| format!("{}: {}, {}", t.name, t.class, t.attempt))
        .collect();
    assert!(unnamed.is_empty(), "not by name:\n{}", unnamed.join("\n"));
    let mut sentences: Vec<&str> = told.iter().map(|t| t.attempt.as_str()).collect();
    sentences.sort_unstable();
    sentences.dedup();
    // The three servers with a demand for a certificate differ in the version only.
    assert_eq!(sentences.len(), told.len() - 2, "{sentences:#?}");
}

/// B14: a diagnosis without findings while every attempt fails is worse than none.
#[tokio::test(flavor = "multi_thread")]
async fn each_fault_of_tls_is_told_by_the_diagnosis_as_by_the_attempt() {
    let told = told().await;

    let different: Vec<_> = told
        .iter()
        .filter(|t| t.attempt.is_empty() || !t.diagnosis.contains(&t.attempt))
        .map(|t| {
            format!(
                "{}: {:?}, but diagnosed: {}",
                t.name, t.attempt, t.diagnosis
            )
        })
        .collect();
    assert!(
        different.is_empty(),
        "not the same:\n{}",
        different.join("\n")
    );
}
