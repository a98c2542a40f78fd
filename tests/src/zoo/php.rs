use std::process::Command;

use super::Extent;
use super::kind::{Place, ReceiverKind, Scheme, WhenIdle, scripts};

pub(super) const KINDS: &[ReceiverKind] = &[ReceiverKind {
    name: "PHP, built-in server",
    scheme: Scheme::Http,
    path: "/hook",
    program: php,
    when_idle: WhenIdle::NeverCloses,
    extent: Extent::Short,
}];

fn php(place: &Place) -> Command {
    let mut command = Command::new("php");
    command
        .arg("-S")
        .arg(format!("127.0.0.1:{}", place.port))
        .arg(scripts().join("router.php"))
        .env("PHP_CLI_SERVER_WORKERS", "4");
    command
}
