//! Faults under load, in short; `./dev chaos` runs the same code in full.

use std::time::Duration;

use webhook_tests::chaos::{SCENARIOS, Scenario, flood, isolation};
use webhook_tests::{Servers, World};

/// One after the other, as they break servers of their own.
#[tokio::test(flavor = "multi_thread")]
async fn no_fault_loses_a_confirmed_event_and_only_what_was_in_flight_comes_again() {
    let servers = Servers::start().await;

    for Scenario {
        fault, name, short, ..
    } in SCENARIOS
    {
        let account = fault.run(&servers, *short).await;

        println!("{name}: {account:?}");
        assert_eq!(account.lost, 0, "{name}");
        assert!(account.duplicates <= account.in_flight, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_is_bounded_and_a_new_webhook_is_served_when_all_receivers_hang() {
    let flood = flood(World::new().await, 10_000).await;

    println!("{flood:?}");
    assert!(flood.peak_mib < 256, "{flood:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_that_hang_do_not_hold_up_healthy_ones() {
    let isolation = isolation(World::new().await, 10, 20, 10).await;

    // How much longer they wait is measured by `./dev chaos`. Here the others hang for 30 s.
    println!("{isolation:?}");
    assert!(isolation.beside < Duration::from_secs(5), "{isolation:?}");
}
