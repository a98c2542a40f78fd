use std::process::Command;

use super::Extent;
use super::kind::{Place, ReceiverKind, Scheme, WhenIdle, scripts};

pub(super) const KINDS: &[ReceiverKind] = &[ReceiverKind {
    name: "Java httpserver",
    scheme: Scheme::Http,
    path: "/hook",
    program: java,
    // The server closes a connection after 30 s, and looks for such connections every 10 s.
    when_idle: WhenIdle::Closes(&[30_000..=40_000]),
    extent: Extent::Full,
}];

fn java(_: &Place) -> Command {
    let mut command = Command::new("java");
    command.arg(scripts().join("Hook.java"));
    command
}
