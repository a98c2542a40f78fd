use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::task::JoinHandle;

use super::kind::{Place, ReceiverKind, Scheme, WhenIdle};
use crate::tls::CertificateFiles;
use crate::{World, free_port};

/// How often a receiver is started at most: the port may be taken between the choice and the start.
const STARTS: usize = 3;

/// The pause between two reloads: long enough for nginx to start the new workers.
const RELOAD_PAUSE: Duration = Duration::from_millis(200);

/// A shell script. Becomes the receiver, and leaves a subshell waiting for the end of the standard
/// input. A killed or interrupted test drops no value, but the test's end of the pipe closes: then the
/// subshell kills the process group, the receiver with all workers.
const GUARD: &str = r#"exec 3<&0; (read -r line <&3; kill -s KILL 0) & exec "$@" </dev/null 3<&-"#;

/// A running receiver. A drop kills the receiver with all workers.
pub(super) struct RunningReceiver {
    pub(super) kind: &'static ReceiverKind,
    /// The URL of the webhook.
    pub(super) url: String,
    place: Place,
    child: Child,
}

impl RunningReceiver {
    /// Starts a receiver, and waits until the receiver listens.
    pub(super) async fn start(
        kind: &'static ReceiverKind,
        world: &World,
        folder: &Path,
        files: &CertificateFiles,
    ) -> Self {
        let name = kind.name.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        for start in 1..=STARTS {
            let folder = folder.join(format!("{name}.{start}"));
            std::fs::create_dir(&folder).expect("a folder");
            let place = Place {
                port: free_port(),
                request_log: folder.join("requests.log"),
                certificate: files.certificate.clone(),
                key: files.key.clone(),
                folder,
            };
            let mut receiver = Self::spawn(kind, place);
            let listens = async || receiver.listens().await;
            if world.patiently(kind.name, listens).await {
                return receiver;
            }
            let output = receiver.place.folder.join("output.log");
            let output = std::fs::read_to_string(output).unwrap_or_default();
            assert!(start < STARTS, "{} ended: {output}", kind.name);
        }
        unreachable!("the last start returns or panics");
    }

    fn spawn(kind: &'static ReceiverKind, place: Place) -> Self {
        let output = File::create(place.folder.join("output.log")).expect("a file");
        let program = (kind.program)(&place);
        let variables = program.get_envs();
        let variables = variables.filter_map(|(name, value)| Some((name, value?)));
        let child = Command::new("sh")
            .args(["-c", GUARD, "sh"])
            .arg(program.get_program())
            .args(program.get_args())
            .envs(variables)
            .env("PORT", place.port.to_string())
            .env("REQUEST_LOG", &place.request_log)
            .env("CERTIFICATE", &place.certificate)
            .env("KEY", &place.key)
            .current_dir(program.get_current_dir().unwrap_or(&place.folder))
            .stdin(Stdio::piped())
            .stdout(output.try_clone().expect("a file"))
            .stderr(output)
            // The workers are in the receiver's group: a single signal kills all.
            .process_group(0)
            .spawn()
            .expect("there is a shell");
        let authority = match kind.scheme {
            Scheme::Http => format!("http://127.0.0.1:{}", place.port),
            Scheme::Https => format!("https://localhost:{}", place.port),
        };
        Self {
            kind,
            url: format!("{authority}{}", kind.path),
            place,
            child,
        }
    }

    /// Whether the receiver listens: `None` before the first connection, `false` after the receiver's end.
    async fn listens(&mut self) -> Option<bool> {
        if self
            .child
            .try_wait()
            .expect("the receiver is a child")
            .is_some()
        {
            return Some(false);
        }
        let connection = tokio::net::TcpStream::connect(("127.0.0.1", self.place.port));
        connection.await.is_ok().then_some(true)
    }

    /// Whether the receiver is of the kind that reloads.
    pub(super) fn reloaded(&self) -> bool {
        self.kind.when_idle == WhenIdle::Reloads
    }

    /// The port of the receiver on 127.0.0.1.
    pub(super) fn port(&self) -> u16 {
        let url = reqwest::Url::parse(&self.url).expect("a URL");
        url.port().expect("a port of its own")
    }

    /// Starts to reload the configuration, if the receiver is of the kind that reloads.
    pub(super) fn reloads(&self) -> Option<Reloads> {
        self.reloaded().then(|| {
            let pid = self.child.id();
            Reloads(tokio::spawn(reload_repeatedly(pid)))
        })
    }

    /// Whether the receiver still runs.
    pub(super) fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// The lines of the request log, a line for each request.
    pub(super) fn requests(&self) -> Vec<String> {
        let log = std::fs::read_to_string(&self.place.request_log).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }
}

impl Drop for RunningReceiver {
    fn drop(&mut self) {
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill")
            .args(["-s", "KILL", "--", &group])
            .status();
        let _ = self.child.wait();
    }
}

/// A task that reloads a receiver's configuration until the value is dropped.
pub(super) struct Reloads(JoinHandle<()>);

impl Drop for Reloads {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn reload_repeatedly(pid: u32) {
    let mut pause = tokio::time::interval(RELOAD_PAUSE);
    loop {
        pause.tick().await;
        let sent = tokio::process::Command::new("kill")
            .args(["-s", "HUP", &pid.to_string()])
            .status();
        assert!(
            sent.await.expect("kill runs").success(),
            "the receiver runs"
        );
    }
}
