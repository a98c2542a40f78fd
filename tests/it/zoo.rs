//! Real receivers, in short; `./dev chaos zoo` has more events and another receiver.

use webhook_tests::World;
use webhook_tests::zoo::{Extent, table, zoo};

#[tokio::test(flavor = "multi_thread")]
async fn no_attempt_fails_and_no_event_is_missing_however_real_receivers_end_their_connections() {
    let accounts = zoo(World::new().await, Extent::Short).await;

    let broken = accounts.iter().filter(|account| !account.kept());
    let broken: Vec<_> = broken.map(|account| account.name).collect();
    assert!(broken.is_empty(), "{broken:?}\n{}", table(&accounts));
}
