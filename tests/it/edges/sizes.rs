use std::time::Duration;

use webhook_tests::chaos::peak_mib;
use webhook_tests::{Service, StrangersMessage};

use super::{arrive, good, platform};

/// The memory that a dispatcher may have while large messages come, in MiB.
const MEMORY_BOUND_MIB: u64 = 256;

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_half_a_mebibyte_by_the_hundred_stay_within_the_memory_bound() {
    let (mut platform, receiver, stranger) = platform().await;
    let (events, messages) = good(1);
    assert!(platform.dispatcher.terminate().await);
    let large = StrangersMessage::event(vec![b'x'; 512 * 1024]);

    for _ in 0..600 {
        assert!(stranger.publish(&large).await, "the broker confirms");
    }
    stranger.publish_all(&messages).await;
    platform.dispatcher = Service::dispatcher(&platform.world);

    arrive(&platform, &receiver, &events, Duration::from_secs(20)).await;
    let peak = peak_mib(platform.dispatcher.pid());
    assert!(peak < MEMORY_BOUND_MIB, "{peak} MiB");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_broker_takes_no_message_that_is_larger_than_a_dispatcher_can_hold() {
    let (platform, _, stranger) = platform().await;

    let taken = stranger
        .publish(&StrangersMessage::event(vec![b'x'; 512 * 1024 + 1]))
        .await;

    assert!(!taken);
    let broker = platform.world.broker.url.parse().expect("a URL");
    let larger = webhook_broker::accepts_larger_messages(&broker).await;
    assert!(!larger.expect("the broker answers"));
    platform.end().await;
}
