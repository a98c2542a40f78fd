//! `events publish`.

use serde_json::json;
use webhook_tests::{Service, World};

use super::{Ended, run, run_with};

const PUBLISH: [&str; 2] = ["events", "publish"];

/// The flags of an event whose data a re-serialisation would change.
const SINGLE: [&str; 8] = [
    "events",
    "publish",
    "--type",
    "license.activated",
    "--environment",
    "production",
    "--data",
    r#"{ "n": 1e400 }"#,
];

async fn publish_lines(world: &World, lines: &str) -> Ended {
    Ended::of(Service::run_with_input(world, &PUBLISH, lines).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_event_is_published_and_its_id_printed() {
    let world = World::new().await;
    let id = "0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d5e";

    let given = [
        &SINGLE[..],
        &["--id", id, "--timestamp", "2026-11-23T08:15:30Z"],
    ]
    .concat();
    let published = run(&world, &given).await;
    let assigned = run(&world, &SINGLE).await;

    assert_eq!(published.code, Some(0), "{}", published.told);
    assert_eq!(published.printed.trim(), id);
    assert_eq!(assigned.printed.trim().len(), id.len());
    world
        .becomes("messages", 2, async || {
            i64::try_from(world.broker.messages_in("webhooks.events").await).expect("few")
        })
        .await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_published_in_order_and_each_refused_line_is_told() {
    let world = World::new().await;
    let line = |id: u32| {
        json!({"id": format!("0192f0c1-7c1e-7b7e-8d5e-{id:012}"), "type": "license.created",
        "environment": "staging", "data": {"text": "x".repeat(usize::from(id == 3) * 300_000)}})
        .to_string()
    };
    let lines = [
        line(1),
        String::new(),
        "nonsense".to_owned(),
        line(2),
        line(3),
        line(4),
    ]
    .join("\n");

    let published = publish_lines(&world, &lines).await;

    assert_eq!(published.code, Some(1));
    let ids: Vec<&str> = published
        .printed
        .lines()
        .map(|id| &id[id.len() - 1..])
        .collect();
    assert_eq!(ids, ["1", "2", "4"]);
    for told in [
        "line 3: not a JSON object",
        "line 5: ",
        "2 of 5 events were not published",
    ] {
        assert!(published.told.contains(told), "{}", published.told);
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_a_thousand_events_is_published() {
    let world = World::new().await;
    let line = r#"{"type":"license.created","environment":"staging","data":{}}"#;
    let file = std::env::temp_dir().join(format!("{}.jsonl", uuid::Uuid::new_v4()));
    std::fs::write(&file, format!("{line}\n").repeat(1_000)).expect("a file");

    let published = run(
        &world,
        &["events", "publish", "-f", file.to_str().expect("text")],
    )
    .await;

    assert_eq!(published.code, Some(0), "{}", published.told);
    assert_eq!(published.printed.lines().count(), 1_000);
    std::fs::remove_file(file).expect("the file was there");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_published_without_rabbitmq_or_with_wrong_flags() {
    let world = World::new().await;

    let away = run_with(
        &world,
        &[("AMQP_URL", "amqp://me:hunter2@127.0.0.1:9")],
        &SINGLE,
    )
    .await;
    let wrong = run_with(&world, &[("AMQP_URL", "hunter2")], &SINGLE).await;
    let no_json = run(&world, &[&SINGLE[..7], &["{"]].concat()).await;
    let no_data = run(&world, &SINGLE[..6]).await;
    let no_file = run(&world, &["events", "publish", "-f", "/nowhere"]).await;

    let codes = [&away, &wrong, &no_json, &no_data, &no_file].map(|ended| ended.code);
    assert_eq!(codes, [Some(1), Some(2), Some(1), Some(2), Some(1)]);
    assert!(away.told.contains("cannot publish"), "{}", away.told);
    assert!(!(away.told + &wrong.told).contains("hunter2"));
    assert!(
        no_json.told.contains("--data is not JSON"),
        "{}",
        no_json.told
    );
    world.end().await;
}
