use std::process::Command;

use super::Extent;
use super::kind::{Place, ReceiverKind, Scheme, WhenIdle};

/// nginx's default `keepalive_timeout` is 75 s.
const DEFAULT_IDLE: WhenIdle = WhenIdle::Closes(&[74_980..=75_020]);

/// nginx with the defaults, HTTP/1 without TLS.
const DEFAULT: ReceiverKind = ReceiverKind {
    name: "nginx, HTTP/1",
    scheme: Scheme::Http,
    path: "/hook",
    program: |place| http1(place, ""),
    when_idle: DEFAULT_IDLE,
    extent: Extent::Short,
};

/// nginx with the defaults, HTTP/2 over TLS.
const DEFAULT_2: ReceiverKind = ReceiverKind {
    name: "nginx, HTTP/2",
    scheme: Scheme::Https,
    program: |place| http2(place, ""),
    ..DEFAULT
};

pub(super) const KINDS: &[ReceiverKind] = &[
    DEFAULT,
    DEFAULT_2,
    ReceiverKind {
        name: "nginx, HTTP/1, proxy",
        path: "/application",
        ..DEFAULT
    },
    ReceiverKind {
        name: "nginx, HTTP/2, proxy",
        path: "/application",
        ..DEFAULT_2
    },
    ReceiverKind {
        name: "nginx, HTTP/1, 10 requests",
        program: |place| http1(place, "keepalive_requests 10;"),
        ..DEFAULT
    },
    ReceiverKind {
        name: "nginx, HTTP/2, 10 requests",
        program: |place| http2(place, "keepalive_requests 10;"),
        ..DEFAULT_2
    },
    ReceiverKind {
        name: "nginx, HTTP/1, 1 s idle",
        program: |place| http1(place, "keepalive_timeout 1s;"),
        when_idle: WhenIdle::Closes(&[980..=1_020]),
        ..DEFAULT
    },
    ReceiverKind {
        name: "nginx, HTTP/2, 1 s idle",
        program: |place| http2(place, "keepalive_timeout 1s;"),
        when_idle: WhenIdle::Closes(&[980..=1_020]),
        ..DEFAULT_2
    },
    ReceiverKind {
        name: "nginx, HTTP/1, reloads",
        when_idle: WhenIdle::Reloads,
        ..DEFAULT
    },
    ReceiverKind {
        name: "nginx, HTTP/2, reloads",
        when_idle: WhenIdle::Reloads,
        ..DEFAULT_2
    },
];

fn http1(place: &Place, settings: &str) -> Command {
    nginx(place, "", settings)
}

fn http2(place: &Place, settings: &str) -> Command {
    nginx(place, "ssl http2", settings)
}

fn nginx(place: &Place, listen: &str, settings: &str) -> Command {
    let values = [("{listen}", listen), ("{settings}", settings)];
    let file = place.write("nginx.conf", include_str!("../../zoo/nginx.conf"), &values);
    // /usr/sbin is not on the path of every user.
    let mut command = Command::new("/usr/sbin/nginx");
    let log = place.folder.join("error.log");
    command.arg("-c").arg(file).arg("-e").arg(log);
    command
}
