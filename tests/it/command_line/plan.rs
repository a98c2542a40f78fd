//! `plan` and `apply`.

use std::path::PathBuf;

use serde_json::{Value, json};
use webhook_tests::{NOBODY, Platform, Service, World, each};

use super::{Ended, run, run_with};

/// A file that is removed with the value.
struct ExportFile(PathBuf);

impl ExportFile {
    fn of(document: &Value) -> Self {
        let path = std::env::temp_dir().join(format!("{}.json", uuid::Uuid::new_v4()));
        std::fs::write(&path, document.to_string()).expect("a file");
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("text")
    }
}

impl Drop for ExportFile {
    fn drop(&mut self) {
        // A failed test leaves no file behind either.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The rules of the tests' platforms: URLs on loopback over plain http.
const RULES: [(&str, &str); 1] = [("WEBHOOK_ALLOW_HTTP", "true")];

async fn run_file(world: &World, verb: &str, file: &ExportFile, flags: &[&str]) -> Ended {
    run_with(world, &RULES, &[&[verb, file.path()], flags].concat()).await
}

/// The document of production of a platform with two webhooks, secrets included.
async fn exported() -> ExportFile {
    let platform = Platform::new().await;
    let headers = json!({"headers": {"X-Token": "hunter2"}, "timeout_ms": 900});
    platform.webhook("CRM").with(&headers).create().await;
    platform.webhook("ERP").types(&["license.*"]).create().await;
    let document = platform
        .get("/api/v1/webhooks/export?environment=production&secrets=true")
        .await;
    platform.end().await;
    ExportFile::of(&document)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_applied_to_an_empty_installation_and_then_nothing_is_to_change() {
    let file = exported().await;
    let world = World::new().await;

    let before = run_file(&world, "plan", &file, &[]).await;
    let applied = run_file(&world, "apply", &file, &["--yes"]).await;
    let again = run_file(&world, "apply", &file, &[]).await;
    let after = run_file(&world, "plan", &file, &[]).await;

    let codes = [&before, &applied, &again, &after].map(|ended| ended.code);
    assert_eq!(
        codes,
        [Some(2), Some(0), Some(0), Some(0)],
        "{}{}",
        before.told,
        applied.told
    );
    assert!(before.printed.contains("+ CRM\n"), "{}", before.printed);
    assert!(
        before
            .printed
            .ends_with("production: 2 to create, 0 to change, 0 left alone\n")
    );
    assert!(
        applied
            .printed
            .ends_with("production: 2 created, 0 changed, 0 left alone\n")
    );
    assert!(
        after
            .printed
            .ends_with("0 to create, 0 to change, 2 left alone\n"),
        "{}",
        after.printed
    );
    let printed = [before.printed, applied.printed].concat();
    assert!(
        !printed.contains("hunter2") && !printed.contains("whsec_"),
        "{printed}"
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_planned_field_by_field_and_applied_in_the_name_of_the_command_line() {
    let platform = Platform::new().await;
    platform.webhook("CRM").create().await;
    let mut document = platform
        .get("/api/v1/webhooks/export?environment=production&secrets=true")
        .await;
    document["webhooks"][0]["timeout_ms"] = 900.into();
    document["webhooks"][0]["secret"] = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD".into();
    let file = ExportFile::of(&document);

    let plan = run_file(&platform.world, "plan", &file, &[]).await;
    let applied = run_file(
        &platform.world,
        "apply",
        &file,
        &["--yes", "--format", "json"],
    )
    .await;

    assert_eq!(
        (plan.code, applied.code),
        (Some(2), Some(0)),
        "{}{}",
        plan.told,
        applied.told
    );
    assert!(
        plan.printed.contains("~ CRM\n    secret: another one"),
        "{}",
        plan.printed
    );
    assert!(
        plan.printed.contains("    timeout_ms: null -> 900\n"),
        "{}",
        plan.printed
    );
    let result: Value = serde_json::from_str(&applied.printed).expect("JSON");
    assert_eq!(
        (&result["updated"], &result["dry_run"]),
        (&1.into(), &false.into())
    );
    let audit = platform.get("/api/v1/audit?limit=2").await;
    let actors = audit["data"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|entry| entry["actor"].to_string());
    assert!(
        actors.clone().all(|actor| actor.contains("command line")),
        "{audit}"
    );
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_as_json_is_the_dry_run_of_an_import_into_the_given_environment() {
    let file = exported().await;
    let world = World::new().await;

    let flags = ["--environment", "staging", "--format", "json"];
    let plan = run_file(&world, "plan", &file, &flags).await;

    let result: Value = serde_json::from_str(&plan.printed).expect("JSON");
    assert_eq!(plan.code, Some(2));
    assert_eq!(
        (&result["environment"], &result["dry_run"]),
        (&"staging".into(), &true.into())
    );
    assert_eq!(each(&result["webhooks"], "action"), ["create", "create"]);
    assert!(!plan.printed.contains("whsec_"), "{}", plan.printed);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_terminal_and_without_yes_nothing_is_applied() {
    let file = exported().await;
    let world = World::new().await;

    let document = std::fs::read_to_string(file.path()).expect("the file");
    let flags = ["apply", "-", "--webhook-allow-http", "true"];
    let asked = Ended::of(Service::run_with_input(&world, &flags, &document).await);
    let plan = run_file(&world, "plan", &file, &[]).await;

    assert_eq!(asked.code, Some(1));
    assert!(asked.told.contains("give --yes"), "{}", asked.told);
    assert!(asked.told.contains("+ CRM"), "{}", asked.told);
    assert_eq!(plan.code, Some(2));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_faulty_file_and_a_wrong_configuration_end_a_plan_with_1() {
    let world = World::new().await;
    let webhook = json!({"name": "CRM", "url": "http://10.0.0.1/", "event_types": ["x\u{1b}"]});
    let faulty = ExportFile::of(&json!({"environment": "production", "webhooks": [webhook]}));
    let good = json!({"name": "CRM", "url": NOBODY, "event_types": ["*"]});
    let nowhere = ExportFile::of(&json!({"webhooks": [good]}));

    let fields = run_file(&world, "plan", &faulty, &[]).await;
    let no_target = run_file(&world, "apply", &nowhere, &["--yes"]).await;
    let no_file = run(&world, &["plan", "/nowhere"]).await;
    let wrong = run_with(
        &world,
        &[("WEBHOOK_SECRET_KEY", "hunter2")],
        &["plan", faulty.path()],
    )
    .await;
    let usage = run(&world, &["plan"]).await;

    let codes = [&fields, &no_target, &no_file, &wrong, &usage].map(|ended| ended.code);
    assert_eq!(codes, [Some(1); 5], "{}", usage.told);
    for field in ["webhooks[0].url: ", "webhooks[0].event_types[0]: "] {
        assert!(
            fields.told.contains(field) && !fields.told.contains('\u{1b}'),
            "{}",
            fields.told
        );
    }
    assert!(
        no_target.told.contains("give --environment"),
        "{}",
        no_target.told
    );
    world.end().await;
}
