use url::Url;
use webhook_tests::{Proxy, Service, World, free_port};

use super::look;

/// Postgres behind a proxy that leads nowhere yet, with the port of Postgres.
async fn unreachable(world: &World) -> (Proxy, String, u16) {
    let mut url: Url = world.database.url.parse().expect("a URL");
    let port = url.port().unwrap_or(5432);
    let proxy = Proxy::to(free_port()).await;
    url.set_port(Some(proxy.port)).expect("a port");
    (proxy, url.into(), port)
}

/// A program waits for Postgres with `start`, alive and not ready, and is ready once Postgres is there.
async fn waits_for_postgres(start: impl AsyncFn(&World, &[(&str, &str)]) -> Service) {
    let world = World::new().await;
    let (proxy, database_url, port) = unreachable(&world).await;
    let address = format!("127.0.0.1:{}", free_port());
    let variables = [
        ("DATABASE_URL", &*database_url),
        ("OPERATIONS_LISTEN", &*address),
    ];
    let service = start(&world, &variables).await;
    let alive = async || {
        reqwest::get(format!("http://{address}/healthz"))
            .await
            .is_ok()
    };
    world.until("the process is alive", alive).await;

    let started = look(&address, "/startupz").await.0;
    let (ready, reason) = look(&address, "/readyz").await;
    proxy.lead_to(port);

    assert_eq!((started, ready), (503, 503));
    assert!(reason.contains("waiting for Postgres"), "{reason}");
    let becomes_ready = async || look(&address, "/readyz").await.0 == 200;
    world.until("the process is ready", becomes_ready).await;
    assert_eq!(look(&address, "/startupz").await.0, 200);
    service.kill().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dispatcher_waits_at_its_start_for_postgres() {
    waits_for_postgres(async |world, variables| Service::dispatcher_with(world, variables)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_waits_at_its_start_for_postgres() {
    waits_for_postgres(Service::api_with).await;
}
