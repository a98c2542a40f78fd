//! What receivers use to check signatures, installed from PyPI into a throw-away environment.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use webhook_domain::{Environment, Event, EventType};
use webhook_tests::{Platform, Receiver, event};

fn run(command: &mut Command, input: &str) -> Output {
    let command = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin.write_all(input.as_bytes()).expect("it reads");
    drop(stdin);
    child.wait_with_output().expect("it ends")
}

fn must(output: &Output) {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
}

/// Checks requests with the published verifiers, and tells what they printed.
fn verify(requests: &Value) -> String {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("verifiers");
    let environment = std::env::temp_dir().join(format!("verifiers-{}", Uuid::new_v4()));
    let python = environment.join("bin/python");
    let make = ["-m", "venv"];
    must(&run(
        Command::new("python3").args(make).arg(&environment),
        "",
    ));
    let install = "-m pip install --quiet --disable-pip-version-check -r";
    let requirements = here.join("requirements.txt");
    must(&run(
        Command::new(&python)
            .args(install.split(' '))
            .arg(requirements),
        "",
    ));
    let script = here.join("verify.py");
    let verified = run(Command::new(&python).arg(script), &requests.to_string());
    std::fs::remove_dir_all(&environment).expect("it was made");
    must(&verified);
    String::from_utf8_lossy(&verified.stdout).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn published_verifiers_accept_what_arrives_and_refuse_a_changed_body() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let created = platform
        .create_webhook(&receiver.url, "production", "active", &["*"])
        .await;
    let cancel = CancellationToken::new();
    let publisher = platform.publisher(&cancel).await;
    let of = |event_type: &EventType| event(Environment::Production, *event_type);
    let over_amqp: Vec<Event> = EventType::ALL.iter().map(of).collect();

    let confirmed = publisher.publish_all(&over_amqp).await;
    for over_http in EventType::ALL.iter().map(of) {
        let body = String::from_utf8(over_http.body.to_vec()).expect("text");
        let events = "/api/v1/events";
        platform
            .ask(reqwest::Method::POST, events, Some(body))
            .await;
    }
    let arrived = async || (platform.count("succeeded").await == 42).then_some(());
    platform.world.eventually("all 42 arrive", arrived).await;

    assert!(confirmed.iter().all(Result::is_ok));
    let requests: Vec<Value> = receiver
        .received()
        .into_iter()
        .map(|r| json!({"body": String::from_utf8_lossy(&r.body), "headers": r.headers}))
        .collect();
    let asked = json!({"secret": created["secret"], "requests": requests});
    let verified = tokio::task::spawn_blocking(move || verify(&asked)).await;
    let expected = "standardwebhooks 42\nsvix 42\nstripe 42\n";
    assert_eq!(verified.expect("no panic"), expected);
    cancel.cancel();
    platform.end().await;
}
