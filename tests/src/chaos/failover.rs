//! The loss of a node of a cluster, and of the primary of Postgres.

use std::time::Duration;

use url::Url;

use super::storm::{Account, Scale, Storm};
use crate::{Proxy, ServerUrls, Servers, World};

/// How long a node stays away.
const NODE_AWAY: Duration = Duration::from_secs(5);

/// Three nodes of RabbitMQ: one after the other is lost and comes back, then two at once.
pub async fn lost_nodes(scale: Scale) -> Account {
    let servers = Servers::start_cluster().await;
    let mut storm = Storm::start(&servers, scale, 3).await;
    for node in [1, 2, 3] {
        storm.note_in_flight().await;
        servers.crash_node(node).await;
        storm.note_in_flight().await;
        // With two nodes left events are taken in and delivered.
        storm.recover().await;
        storm.arrivals(200).await;
        servers.start_node(node).await;
        storm.note_in_flight().await;
    }
    storm.note_in_flight().await;
    servers.crash_node(2).await;
    servers.crash_node(3).await;
    // The pause is the test: a single node confirms nothing.
    tokio::time::sleep(NODE_AWAY).await;
    servers.start_node(2).await;
    servers.start_node(3).await;
    storm.note_in_flight().await;
    storm.recover().await;
    storm.end().await
}

/// A primary of Postgres that is lost, and a standby that takes over at the same address.
pub async fn promoted_standby(scale: Scale) -> Account {
    let servers = Servers::start().await;
    let standby = servers.start_standby().await;
    let urls = servers.urls();
    let mut address: Url = urls.database.parse().expect("a URL");
    let proxy = Proxy::to(address.port().expect("a port")).await;
    address.set_port(Some(proxy.port)).expect("a port");
    let world = World::on(ServerUrls {
        database: address.into(),
        ..urls
    })
    .await;
    let mut storm = Storm::start_in(world, &servers, scale, 3).await;
    storm.arrivals(200).await;

    storm.note_in_flight().await;
    servers.promote_standby().await;
    proxy.lead_to(standby);
    storm.note_in_flight().await;
    storm.recover().await;

    storm.arrivals(200).await;
    storm.end().await
}
