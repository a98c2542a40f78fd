//! What receivers use to check signatures, installed from PyPI into a throw-away environment.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use uuid::Uuid;
use webhook_domain::{Environment, EventType, sign};
use webhook_tests::{event, new_secret};

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

#[test]
fn published_verifiers_accept_our_signatures_and_refuse_a_changed_body() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("verifiers");
    let environment = std::env::temp_dir().join(format!("verifiers-{}", Uuid::new_v4()));
    let python = environment.join("bin/python");
    must(&run(
        Command::new("python3")
            .args(["-m", "venv"])
            .arg(&environment),
        "",
    ));
    let install = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "-r",
    ];
    must(&run(
        Command::new(&python)
            .args(install)
            .arg(here.join("requirements.txt")),
        "",
    ));
    let (event, secret) = (
        event(Environment::Production, EventType::LicenseActivated),
        new_secret(),
    );
    let now = chrono::Utc::now().timestamp();

    let signatures = sign(std::slice::from_ref(&secret), event.id, now, &event.body);
    let request = serde_json::json!({
        "secret": secret.reveal(),
        "body": String::from_utf8_lossy(&event.body),
        "headers": {
            "webhook-id": event.id.to_string(),
            "webhook-timestamp": now.to_string(),
            "webhook-signature": signatures.standard,
            "x-webhook-signature": signatures.platform,
        },
    });
    let verified = run(
        Command::new(&python).arg(here.join("verify.py")),
        &request.to_string(),
    );

    std::fs::remove_dir_all(&environment).expect("it was made");
    must(&verified);
    assert_eq!(String::from_utf8_lossy(&verified.stdout).lines().count(), 3);
}
