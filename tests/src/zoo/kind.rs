use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Extent;

/// A kind of receiver: the start of the program, and the ends of connections.
pub(super) struct ReceiverKind {
    /// The name in the table.
    pub(super) name: &'static str,
    /// How the dispatcher connects.
    pub(super) scheme: Scheme,
    /// The path of the webhook's URL.
    pub(super) path: &'static str,
    /// The program. The environment has `PORT`, `REQUEST_LOG`, `CERTIFICATE` and `KEY`.
    pub(super) program: fn(&Place) -> Command,
    /// The end of connections without a request.
    pub(super) when_idle: WhenIdle,
    /// The smallest extent with the receiver.
    pub(super) extent: Extent,
}

/// The scheme of a receiver's URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    /// HTTP/1 without TLS.
    Http,
    /// HTTP/2 over TLS.
    Https,
}

/// The end of connections without a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum WhenIdle {
    /// The receiver closes a connection after a time in a range, in milliseconds.
    Closes(&'static [RangeInclusive<u64>]),
    /// The receiver reloads the configuration again and again, and closes every connection each time.
    Reloads,
    /// The receiver keeps connections for ever, or closes each with the first answer.
    NeverCloses,
}

/// The folder, port and files of a receiver.
pub(super) struct Place {
    /// The receiver's own folder.
    pub(super) folder: PathBuf,
    /// The receiver's port on 127.0.0.1.
    pub(super) port: u16,
    /// The receiver's log, with a line for each request:
    /// `<webhook-id> <X-Webhook-Delivery> <X-Webhook-Attempt>`.
    pub(super) request_log: PathBuf,
    /// The certificate for `localhost`.
    pub(super) certificate: PathBuf,
    /// The private key of the certificate.
    pub(super) key: PathBuf,
}

impl Place {
    /// Writes a configuration into the folder, with `{…}` filled in.
    pub(super) fn write(&self, name: &str, template: &str, more: &[(&str, &str)]) -> PathBuf {
        let path = |path: &Path| path.to_str().expect("UTF-8").to_owned();
        let mut text = template.to_owned();
        // These go first: a value of `more` may hold names in braces itself.
        for (name, value) in more {
            text = text.replace(name, value);
        }
        for (name, value) in [
            ("{folder}", path(&self.folder)),
            ("{port}", self.port.to_string()),
            ("{log}", path(&self.request_log)),
            ("{certificate}", path(&self.certificate)),
            ("{key}", path(&self.key)),
        ] {
            text = text.replace(name, &value);
        }
        let file = self.folder.join(name);
        std::fs::write(&file, text).expect("the file is written");
        file
    }
}

/// Where the scripts and configurations of the receivers are.
pub(super) fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("zoo")
}
