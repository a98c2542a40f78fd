use webhook_domain::{Environment, EventType};
use webhook_tests::{Receiver, Service, free_port};

use super::{Scrape, Watched};

#[tokio::test(flavor = "multi_thread")]
async fn one_dispatcher_counts_for_all_and_another_goes_on_when_it_is_gone() {
    let mut watched = Watched::new().await;
    let second_address = format!("127.0.0.1:{}", free_port());
    let variables = [("OPERATIONS_LISTEN", &*second_address)];
    let second = Service::dispatcher_with(&watched.platform.world, &variables);
    let counts = async |address: &str| {
        let shown = Scrape::of(address).await.0;
        shown
            .get("webhook_dispatchers")
            .copied()
            .unwrap_or(f64::NAN)
    };
    let first = &watched.dispatcher;
    let one_counts = async || {
        let both = [counts(first).await, counts(&second_address).await];
        both.iter().filter(|count| **count == 2.0).count() == 1
            && both.iter().filter(|count| count.is_nan()).count() == 1
    };
    watched
        .platform
        .until("one of two counts", one_counts)
        .await;

    let second_counts = !counts(&second_address).await.is_nan();
    let (gone, other) = if second_counts {
        (second, first)
    } else {
        (
            std::mem::replace(&mut watched.platform.dispatcher, second),
            &second_address,
        )
    };
    gone.kill().await;

    let goes_on = async || (counts(other).await == 1.0).then_some(());
    let world = &watched.platform.world;
    world
        .patiently("the other dispatcher counts", goes_on)
        .await;
    watched.platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn due_deliveries_are_counted_by_what_holds_them_back() {
    let watched = Watched::new().await;
    let platform = &watched.platform;
    let receiver = Receiver::answering(&[500; 50]).await;
    let webhook = platform
        .webhook_to(&receiver)
        .retrying_every(1_000, 12)
        .create()
        .await;
    platform
        .publish(Environment::Production, EventType::LicenseActivated)
        .await;
    receiver.arrived(1).await;
    platform.set_status(&webhook, "inactive").await;

    let counted = async || {
        let scrape = Scrape::of(&watched.dispatcher).await;
        let due = |held_by: &str| {
            let series = format!(r#"webhook_deliveries_due{{held_by="{held_by}"}}"#);
            scrape.0.get(&series).copied()
        };
        let state = scrape
            .0
            .get(r#"webhook_webhooks{state="inactive"}"#)
            .copied();
        let drain = scrape.0.get("webhook_drain_seconds").copied();
        (due("inactive"), due("nothing"), state, drain)
            == (Some(1.0), Some(0.0), Some(1.0), Some(0.0))
    };
    let world = &platform.world;
    let counted = async || counted().await.then_some(());
    world.patiently("the delivery is counted", counted).await;
    watched.platform.end().await;
}
