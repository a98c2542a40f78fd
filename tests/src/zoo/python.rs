use std::process::Command;

use super::Extent;
use super::kind::{Place, ReceiverKind, Scheme, WhenIdle, scripts};

/// Python's http.server with the default protocol version.
const HTTP_1_0: ReceiverKind = ReceiverKind {
    name: "Python http.server, HTTP/1.0",
    scheme: Scheme::Http,
    path: "/hook",
    program: |_| http_server("HTTP/1.0"),
    when_idle: WhenIdle::NeverCloses,
    extent: Extent::Short,
};

pub(super) const KINDS: &[ReceiverKind] = &[
    HTTP_1_0,
    ReceiverKind {
        name: "Python http.server, HTTP/1.1",
        program: |_| http_server("HTTP/1.1"),
        ..HTTP_1_0
    },
    ReceiverKind {
        name: "gunicorn, threads",
        program: gunicorn,
        // gunicorn closes a connection after 2 s, and looks for such connections every second.
        when_idle: WhenIdle::Closes(&[1_980..=3_020]),
        ..HTTP_1_0
    },
    // hypercorn has a limit of 5 s, but version 0.13 was seen to keep idle connections beyond it.
    ReceiverKind {
        name: "hypercorn, HTTP/2",
        scheme: Scheme::Https,
        program: hypercorn,
        ..HTTP_1_0
    },
];

/// Debian's Python, which finds gunicorn and hypercorn; another Python may be first on the path.
const PYTHON: &str = "/usr/bin/python3";

fn python() -> Command {
    let mut command = Command::new(PYTHON);
    command
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(scripts());
    command
}

fn http_server(protocol: &str) -> Command {
    let mut command = python();
    command.args(["http_server.py", protocol]);
    command
}

/// gunicorn with threads: the default worker closes each connection after an answer.
fn gunicorn(place: &Place) -> Command {
    let mut command = python();
    command
        .args([
            "-m",
            "gunicorn",
            "--worker-class",
            "gthread",
            "--threads",
            "16",
        ])
        .args(["--bind", &format!("127.0.0.1:{}", place.port)])
        .arg("wsgi:application");
    command
}

fn hypercorn(place: &Place) -> Command {
    let mut command = python();
    command
        .args(["-m", "hypercorn", "asgi:application", "--bind"])
        .arg(format!("127.0.0.1:{}", place.port))
        .arg("--certfile")
        .arg(&place.certificate)
        .arg("--keyfile")
        .arg(&place.key);
    command
}
