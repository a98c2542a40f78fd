use std::process::Command;

use super::Extent;
use super::kind::{ReceiverKind, Scheme, WhenIdle, scripts};

pub(super) const KINDS: &[ReceiverKind] = &[
    ReceiverKind {
        name: "Node http, 1 s idle",
        scheme: Scheme::Http,
        path: "/hook",
        program: |_| node("http.mjs"),
        // Newer versions of Node close a connection a second later than they are told.
        when_idle: WhenIdle::Closes(&[980..=1_020, 2_000..=2_040]),
        extent: Extent::Short,
    },
    ReceiverKind {
        name: "Node http2, 1 s idle",
        scheme: Scheme::Https,
        path: "/hook",
        program: |_| node("http2.mjs"),
        when_idle: WhenIdle::Closes(&[980..=1_020]),
        extent: Extent::Short,
    },
];

fn node(script: &str) -> Command {
    let mut command = Command::new("node");
    command.arg(scripts().join(script));
    command
}
