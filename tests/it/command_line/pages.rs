//! Pages of the documentation beside the programs, and `completions`.

use webhook_tests::{Service, World};

use super::run;

/// Read when the test runs: the programs write the page.
const CONFIGURATION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/configuration.md");

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_the_configuration_is_what_the_programs_say() {
    let world = World::new().await;

    let verb = ["configuration-docs"];
    let api = Service::run_to_end("webhook-api", &world, &[], &verb).await;
    let dispatcher = Service::run_to_end("webhook-dispatcher", &world, &[], &verb).await;

    let page = String::from_utf8([api.stdout, dispatcher.stdout].concat()).expect("text");
    let checked_in = std::fs::read_to_string(CONFIGURATION).expect("the page is there");
    assert!(
        page == checked_in,
        "the head of docs/configuration.md says how to write the page"
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn completions_know_the_verbs_and_an_unknown_shell_is_refused() {
    let world = World::new().await;

    for shell in ["bash", "zsh", "fish"] {
        let script = run(&world, &["completions", shell]).await;
        assert_eq!(script.code, Some(0), "{shell}: {}", script.told);
        assert!(script.printed.contains("migrate"), "{shell}");
        assert!(
            script.printed.contains("webhook-secret-key-file"),
            "{shell}"
        );
    }
    let unknown = run(&world, &["completions", "cobol"]).await;

    assert_eq!(unknown.code, Some(2), "{}", unknown.told);
    world.end().await;
}
