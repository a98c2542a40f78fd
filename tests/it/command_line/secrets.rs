//! `secrets reseal`; that secrets stay readable is shown in `management/secrets.rs`.

use webhook_tests::{SEALING_KEY, WebhookSample, World};

use super::{run, run_with};

/// Another sealing key than that of all tests.
const OTHER_KEY: &str = "CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg=";

/// A world with a webhook whose secret is sealed with [`SEALING_KEY`].
async fn world_with_a_webhook() -> World {
    let world = World::new().await;
    let mut connection = world.database.connection().await;
    WebhookSample::at("http://127.0.0.1:9/")
        .store(&mut connection)
        .await;
    drop(connection);
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_resealed_by_either_name_of_the_verb() {
    let world = world_with_a_webhook().await;
    let keys = format!("{OTHER_KEY},{SEALING_KEY}");
    let keys = [("WEBHOOK_SECRET_KEY", keys.as_str())];

    let resealed = run_with(&world, &keys, &["secrets", "reseal"]).await;
    let back = run_with(
        &world,
        &[],
        &[
            "reseal",
            "--webhook-secret-key",
            &format!("{SEALING_KEY},{OTHER_KEY}"),
        ],
    )
    .await;

    assert_eq!(resealed.code, Some(0), "{}", resealed.told);
    assert_eq!(resealed.printed, "resealed the secrets of 1 webhooks\n");
    assert_eq!(resealed.told, "");
    assert_eq!(back.code, Some(0), "{}", back.told);
    assert_eq!(back.printed, resealed.printed);
    assert!(
        back.told.contains("is called `secrets reseal` now"),
        "{}",
        back.told
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_that_no_key_opens_are_named_with_exit_code_1() {
    let world = world_with_a_webhook().await;

    let wrong_key = [("WEBHOOK_SECRET_KEY", OTHER_KEY)];
    let refused = run_with(&world, &wrong_key, &["secrets", "reseal"]).await;
    let no_key = run_with(
        &world,
        &[("WEBHOOK_SECRET_KEY", "hunter2")],
        &["secrets", "reseal"],
    )
    .await;
    let hidden = run(&world, &["--help"]).await;

    assert_eq!(refused.code, Some(1));
    assert!(
        refused.told.contains("no key opens the secrets of webhook"),
        "{}",
        refused.told
    );
    assert_eq!(no_key.code, Some(2), "{}", no_key.told);
    assert!(!hidden.printed.contains("reseal "), "{}", hidden.printed);
    world.end().await;
}
