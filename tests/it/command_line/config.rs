//! `config`.

use serde_json::Value;
use webhook_tests::{World, each};

use super::{run, run_with};

#[tokio::test(flavor = "multi_thread")]
async fn config_shows_every_setting_with_its_source_and_no_secret() {
    let world = World::new().await;
    let secret = [(
        "DATABASE_URL",
        "postgres://me:hunter2@db.example.com/x?password=hunter2",
    )];

    let verb = ["--key-rate-limit", "7", "config"];
    let shown = run_with(&world, &secret, &verb).await;

    assert_eq!(shown.code, Some(0), "{}", shown.told);
    let lines: Vec<&str> = shown.printed.lines().collect();
    let line = |name: &str| lines.iter().find(|line| line.starts_with(name));
    let database = line("DATABASE_URL").expect("a line");
    assert!(
        database.contains("postgres://me:***@db.example.com/x"),
        "{database}"
    );
    assert!(database.ends_with("(environment)"), "{database}");
    assert!(line("KEY_RATE_LIMIT ").is_some_and(|line| line.ends_with("7  (flag)")));
    assert!(line("LOG_FORMAT ").is_some_and(|line| line.ends_with("text  (default)")));
    assert!(!shown.printed.contains("hunter2"), "{}", shown.printed);
    assert!(
        !shown.printed.contains("BwcHBwcHBwcHBwcH"),
        "{}",
        shown.printed
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn config_as_json_has_an_object_for_each_setting() {
    let world = World::new().await;

    let shown = run(&world, &["config", "--format", "json"]).await;

    let settings: Value = serde_json::from_str(&shown.printed).expect("JSON");
    let names = each(&settings, "variable");
    assert!(
        names.contains(&"DATABASE_URL") && names.contains(&"RUST_LOG"),
        "{names:?}"
    );
    let key = settings.as_array().expect("a list").iter();
    let key = key
        .clone()
        .find(|one| one["variable"] == "WEBHOOK_SECRET_KEY");
    assert_eq!(key.map(|key| &key["value"]), Some(&Value::from("***")));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_settings_are_shown_and_named_with_exit_code_2() {
    let world = World::new().await;
    let wrong = [("LISTEN", "nowhere"), ("LOG_FORMAT", "xml")];

    let shown = run_with(&world, &wrong, &["config"]).await;

    assert_eq!(shown.code, Some(2));
    assert!(
        shown.printed.contains("nowhere  (environment)"),
        "{}",
        shown.printed
    );
    for problem in ["LISTEN cannot be", "LOG_FORMAT cannot be"] {
        assert!(shown.told.contains(problem), "{}", shown.told);
    }
    world.end().await;
}
