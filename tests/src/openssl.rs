use std::path::PathBuf;
use std::process::Stdio;

use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use uuid::Uuid;

use crate::{World, free_port};

/// `openssl s_server`, for protocols and ciphers unknown to rustls. The server answers every request
/// with a page; the process is killed when the value is dropped.
pub struct OpensslServer {
    /// The port on 127.0.0.1.
    pub port: u16,
    folder: PathBuf,
    _child: Child,
}

impl OpensslServer {
    /// Starts the server with `arguments` and an RSA certificate for `localhost` that no client
    /// trusts, and waits until the server accepts connections.
    pub async fn start(world: &World, arguments: &[&str]) -> Self {
        let folder = std::env::temp_dir().join(format!("webhooks-tls.{}", Uuid::new_v4()));
        std::fs::create_dir(&folder).expect("the folder is made");
        let [key, certificate] = ["key.pem", "certificate.pem"].map(|name| folder.join(name));
        let made = Command::new("openssl")
            .args([
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
            ])
            .args(["-subj", "/CN=localhost", "-keyout"])
            .arg(&key)
            .arg("-out")
            .arg(&certificate)
            .output()
            .await;
        let made = made.expect("./dev test installs openssl");
        assert!(made.status.success(), "{made:?}");
        let port = free_port();
        let child = Command::new("openssl")
            .args(["s_server", "-www", "-accept", &format!("127.0.0.1:{port}")])
            .arg("-key")
            .arg(&key)
            .arg("-cert")
            .arg(&certificate)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("openssl starts");
        let accepts = async || TcpStream::connect(("127.0.0.1", port)).await.ok();
        world
            .eventually("openssl accepts connections", accepts)
            .await;
        Self {
            port,
            folder,
            _child: child,
        }
    }
}

impl Drop for OpensslServer {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
