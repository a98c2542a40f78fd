use std::path::Path;
use std::process::Command;

use super::Extent;
use super::kind::{Place, ReceiverKind, Scheme, WhenIdle, scripts};

pub(super) const KINDS: &[ReceiverKind] = &[
    ReceiverKind {
        name: "Go, HTTP/1, 1 s idle",
        scheme: Scheme::Http,
        path: "/hook",
        program: |place| go(place, "plain"),
        when_idle: WhenIdle::Closes(&[980..=1_020]),
        extent: Extent::Short,
    },
    ReceiverKind {
        name: "Go, HTTP/2, 1 s idle",
        scheme: Scheme::Https,
        path: "/hook",
        program: |place| go(place, "tls"),
        when_idle: WhenIdle::Closes(&[980..=1_020]),
        extent: Extent::Short,
    },
];

fn go(place: &Place, mode: &str) -> Command {
    // Beside the folders of the receivers: both receivers are the same program.
    let program = place.folder.with_file_name("hook");
    if !program.exists() {
        build(&program);
    }
    let mut command = Command::new(program);
    command.arg(mode);
    command
}

/// Builds the receiver within about a second: Debian brings the standard library compiled.
fn build(program: &Path) {
    let built = Command::new("go")
        .args(["build", "-o"])
        .arg(program)
        .arg(scripts().join("hook.go"))
        .env("GO111MODULE", "off")
        .output()
        .expect("./dev installs Go");
    let told = String::from_utf8_lossy(&built.stderr);
    assert!(built.status.success(), "{told}");
}
