use std::process::Command;

use super::Extent;
use super::kind::{Place, ReceiverKind, Scheme, WhenIdle};

/// `KeepAliveTimeout` is 5 s unless it is set; a tenth of a second later all are closed that are due.
const DEFAULT_IDLE: WhenIdle = WhenIdle::Closes(4_980..=5_120);

const HTTP_2: &str = "SSLEngine on
SSLCertificateFile {certificate}
SSLCertificateKeyFile {key}
Protocols h2 http/1.1";

pub(super) const KINDS: &[ReceiverKind] = &[
    ReceiverKind {
        name: "Apache, HTTP/1",
        scheme: Scheme::Http,
        path: "/hook",
        program: |place| apache(place, ""),
        when_idle: DEFAULT_IDLE,
        extent: Extent::Short,
    },
    ReceiverKind {
        name: "Apache, HTTP/2",
        scheme: Scheme::Https,
        path: "/hook",
        program: |place| apache(place, HTTP_2),
        when_idle: DEFAULT_IDLE,
        extent: Extent::Short,
    },
];

fn apache(place: &Place, settings: &str) -> Command {
    // In the folder, as Apache's workers may not look into everybody's home.
    place.write("hook.lua", include_str!("../../zoo/hook.lua"), &[]);
    let values = [("{settings}", settings)];
    let file = place.write(
        "apache.conf",
        include_str!("../../zoo/apache.conf"),
        &values,
    );
    // Debian keeps it where only root's path leads.
    let mut command = Command::new("/usr/sbin/apache2");
    command.args(["-D", "FOREGROUND", "-f"]).arg(file);
    command
}
