//! Every form of the value of `Retry-After`.

use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use webhook_tests::Platform;

use crate::retry_after::{arrived, limited, publish_one};

/// Publishes an event to a webhook for each value of `Retry-After`, and returns the times of the two
/// requests of each webhook. The receivers answer the first request with 503 and the value, and accept
/// every other request: the dispatcher alone must wait.
async fn times_after(platform: &Platform, values: &[String]) -> Vec<[Instant; 2]> {
    let mut receivers = Vec::new();
    for value in values {
        let header = format!("retry-after: {value}");
        let receiver = limited(&[0], 503, header, Duration::ZERO).await;
        platform.webhook_at(&receiver.url).await;
        receivers.push(receiver);
    }
    publish_one(platform).await;
    let mut times = Vec::new();
    for receiver in receivers {
        arrived(platform, &receiver, 2).await;
        let received = receiver.received();
        times.push([received[0].at, received[1].at]);
    }
    times
}

/// The forms of a date in HTTP (RFC 9110, 5.6.7).
const DATES: [&str; 3] = [
    "%a, %d %b %Y %H:%M:%S GMT",
    "%A, %d-%b-%y %H:%M:%S GMT",
    "%a %b %e %H:%M:%S %Y",
];

#[tokio::test(flavor = "multi_thread")]
async fn dates_of_every_form_are_obeyed() {
    let platform = Platform::new().await;
    let until = Utc::now() + TimeDelta::seconds(6);
    let dates = DATES.map(|form| until.format(form).to_string());

    let times = times_after(&platform, &dates).await;

    for (date, [first, second]) in dates.iter().zip(times) {
        let ago = TimeDelta::from_std(second.elapsed()).expect("a short time");
        let came = Utc::now() - ago;
        // A date is cut to the second.
        assert!(came >= until - TimeDelta::seconds(1), "{date}: {came}");
        let waited = second - first;
        assert!(waited < Duration::from_secs(8), "{date}: {waited:?}");
    }
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fractions_of_a_second_are_obeyed() {
    let platform = Platform::new().await;

    let times = times_after(&platform, &["2.5".to_owned()]).await;

    let waited = times[0][1] - times[0][0];
    assert!(waited >= Duration::from_millis(2_500), "{waited:?}");
    assert!(waited < Duration::from_secs(8), "{waited:?}");
    platform.end().await;
}
