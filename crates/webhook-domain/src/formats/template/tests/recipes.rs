//! The recipes in `docs/recipes/`: each template fits the documented shape of its service, and each page shows
//! the bodies that are really sent.

mod hostile_data;
mod page;
mod services;
mod shape;

use rstest::rstest;
use serde_json::Value as Json;

use self::hostile_data::{HOSTILE_VALUES, with_values};
use self::page::{Page, files};
use self::services::Service;
use super::*;
use crate::formats::notice::Notice;
use crate::formats::test_events::event;
use crate::{Environment, LinkPatterns};

/// Renders a template for an event as the dispatcher does: summary and link are those of the notice.
fn rendered(template: &Template, event: &Event) -> Vec<u8> {
    let mut links = LinkPatterns::default();
    let set = links.set("license_id", "https://licenses.example.com/{id}");
    set.expect("a pattern");
    let notice = Notice::of(event, &links, None);
    template.render(&RenderContext {
        event,
        webhook_name: "License alerts",
        delivery_id: DeliveryId(uuid::Uuid::from_u128(7)),
        link: notice.link.as_ref().map(|link| link.url.as_str()),
        summary: &notice.sentence,
    })
}

fn production(event_type: EventType, data: &str) -> Event {
    event(event_type, Environment::Production, data)
}

fn json(body: &[u8]) -> Json {
    serde_json::from_slice(body).expect("JSON")
}

/// Fails with the place of the first fault of a body.
fn assert_fits(service: Service, event: &Event) {
    let body = rendered(&Page::of(service).template, event);

    let fault = service.shape().fault(&json(&body));

    assert_eq!(
        fault,
        None,
        "{service:?} {}: {}",
        event.event_type,
        String::from_utf8_lossy(&body)
    );
    assert!(
        body.len() <= service.max_bytes(),
        "{service:?}: {} bytes",
        body.len()
    );
}

#[test]
fn every_recipe_fits_its_service_for_every_event_type() {
    for (service, event_type) in pairs() {
        assert_fits(service, &production(event_type, event_type.example()));
    }
}

#[test]
fn every_recipe_fits_its_service_for_hostile_events() {
    for (service, event_type) in pairs() {
        assert_fits(service, &production(event_type, "{}"));
        for value in HOSTILE_VALUES {
            let data = with_values(event_type.example(), value);
            assert_fits(service, &production(event_type, &data));
        }
    }
}

#[test]
fn every_recipe_fits_its_service_for_the_largest_events() {
    let long = format!("\"{}\"", "<é@ ".repeat(8_000));

    for (service, event_type) in pairs() {
        let data = with_values(event_type.example(), &long);
        assert_fits(service, &production(event_type, &data));
    }
}

fn pairs() -> impl Iterator<Item = (Service, EventType)> {
    let services = Service::ALL.into_iter();
    services.flat_map(|service| {
        EventType::ALL
            .iter()
            .map(move |event_type| (service, *event_type))
    })
}

#[test]
fn the_example_of_a_recipe_is_the_rendering_of_its_template() {
    for service in Service::ALL {
        let page = Page::of(service);
        let event = production(page.example_type, page.example_type.example());

        // A document without placeholders renders as itself, without the white space of the page.
        let shown = rendered(&page.example, &event);

        let sent = rendered(&page.template, &event);
        assert_eq!(
            String::from_utf8_lossy(&shown),
            String::from_utf8_lossy(&sent),
            "{service:?}"
        );
    }
}

#[test]
fn the_template_of_a_recipe_raises_no_warning_for_the_types_of_its_page() {
    for service in Service::ALL {
        let page = Page::of(service);

        let warnings = page.template.check_paths(&page.selected, &[]);

        assert_eq!(warnings, [], "{service:?}");
        assert!(page.selected.contains(&page.example_type), "{service:?}");
    }
}

#[test]
fn no_value_of_an_event_mentions_anybody_in_a_recipe_for_a_chat() {
    let mentions = r#""<users/all> <!channel> @all @channel @here <!here|x>""#;

    for event_type in EventType::ALL {
        let event = production(*event_type, &with_values(event_type.example(), mentions));
        for service in [Service::GoogleChat, Service::Mattermost] {
            let body = rendered(&Page::of(service).template, &event);
            let body = String::from_utf8_lossy(&body).into_owned();

            for mention in ["<", "@all", "@channel", "@here"] {
                // The key of a thread is shown nowhere.
                let shown = body.split("\"thread\"").next().unwrap_or_default();
                assert!(!shown.contains(mention), "{service:?}: {body}");
            }
        }
    }
}

#[rstest]
#[case::pagerduty(Service::PagerDuty, "dedup_key")]
#[case::opsgenie(Service::Opsgenie, "alias")]
fn repeats_of_a_problem_share_a_key(#[case] service: Service, #[case] key: &str) {
    let template = Page::of(service).template;
    let key_of = |event_type, data: &str| {
        json(&rendered(&template, &production(event_type, data)))[key].clone()
    };

    let suspended = key_of(EventType::LicenseSuspended, r#"{"license_id":"lic_1"}"#);
    let revoked = key_of(
        EventType::LicenseRevoked,
        r#"{"license_id":"lic_1","reason":"x"}"#,
    );
    let other = key_of(EventType::LicenseSuspended, r#"{"license_id":"lic_2"}"#);

    assert_eq!(suspended, "license lic_1");
    assert_eq!(revoked, suspended);
    assert_ne!(other, suspended);
}

#[rstest]
#[case(EventType::LicenseExpired, EventType::LicenseActivated)]
#[case(EventType::ActivationFailed, EventType::ActivationCreated)]
fn a_recovery_resolves_the_alert_of_pagerduty(#[case] problem: EventType, #[case] end: EventType) {
    let template = Page::of(Service::PagerDuty).template;
    let sent = |event_type: EventType| {
        json(&rendered(
            &template,
            &production(event_type, event_type.example()),
        ))
    };

    let (problem, end) = (sent(problem), sent(end));

    assert_eq!(problem["event_action"], "trigger");
    assert_eq!(end["event_action"], "resolve");
    assert_eq!(problem["dedup_key"], end["dedup_key"]);
}

#[test]
fn the_index_links_every_recipe_and_every_recipe_is_tested() {
    let tested: Vec<String> = Service::ALL
        .iter()
        .map(|service| service.file().to_owned())
        .collect();
    let index = page::read("README.md");

    for file in files() {
        assert!(tested.contains(&file), "{file} is not tested");
        assert!(
            index.contains(&format!("]({file})")),
            "{file} is not in the index"
        );
    }
    assert_eq!(files().len(), tested.len());
}
