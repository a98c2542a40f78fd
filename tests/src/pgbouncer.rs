use std::path::PathBuf;
use std::process::Stdio;

use tokio::process::{Child, Command};
use url::Url;
use uuid::Uuid;

use crate::World;

/// A PgBouncer between a program and a world's database.
pub struct PgBouncer {
    /// `postgres://…` of the PgBouncer.
    pub database_url: String,
    child: Child,
    folder: PathBuf,
}

impl PgBouncer {
    /// Starts a PgBouncer with a `pool_mode`: `session` or `transaction`.
    pub async fn start(world: &World, pool_mode: &str) -> Self {
        let mut url: Url = world.database.url.parse().expect("a URL");
        let (host, port) = (url.host_str().expect("a host"), url.port().unwrap_or(5432));
        let listen = free_port();
        let folder = std::env::temp_dir().join(format!("webhooks-pgbouncer.{}", Uuid::new_v4()));
        std::fs::create_dir(&folder).expect("a folder");
        let file = folder.join("pgbouncer.ini");
        let user = url.username();
        let settings = format!(
            "[databases]\n* = host={host} port={port} user={user}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {listen}\nauth_type = any\npool_mode = {pool_mode}\nunix_socket_dir =\n\
             default_pool_size = 40\nmax_client_conn = 200\n"
        );
        std::fs::write(&file, settings).expect("the settings are written");
        let mut command = Command::new("pgbouncer");
        // PgBouncer refuses to run as root.
        if std::fs::metadata("/proc/self")
            .is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
        {
            command.args(["-u", "nobody"]);
        }
        let child = command
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("./dev test installs PgBouncer");
        url.set_port(Some(listen)).expect("the URL has a host");
        let listens = async || {
            tokio::net::TcpStream::connect(("127.0.0.1", listen))
                .await
                .ok()
        };
        world.eventually("PgBouncer listens", listens).await;
        Self {
            database_url: url.into(),
            child,
            folder,
        }
    }

    /// Kills the PgBouncer.
    pub async fn stop(mut self) {
        self.child.kill().await.expect("PgBouncer was running");
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A free port. Another process may take the port before the caller does.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("the port is bound").port()
}
