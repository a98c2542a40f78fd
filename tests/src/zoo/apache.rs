use std::process::Command;

use super::Extent;
use super::kind::{Place, ReceiverKind, Scheme, WhenIdle};

/// Apache's default `KeepAliveTimeout` is 5 s; Apache rounds the end of an idle connection up to 0.1 s.
const DEFAULT_IDLE: WhenIdle = WhenIdle::Closes(&[4_980..=5_120]);

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
    // A copy in the folder: Apache's workers run as another user, who may not read the repository.
    place.write("hook.lua", include_str!("../../zoo/hook.lua"), &[]);
    let values = [("{settings}", settings)];
    let file = place.write(
        "apache.conf",
        include_str!("../../zoo/apache.conf"),
        &values,
    );
    // /usr/sbin is not on the path of every user.
    let mut command = Command::new("/usr/sbin/apache2");
    command.args(["-D", "FOREGROUND", "-f"]).arg(file);
    command
}
