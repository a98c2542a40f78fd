//! An event as a CloudEvents 1.0 event in structured mode.
//!
//! | attribute | value |
//! | --- | --- |
//! | `specversion` | `1.0` |
//! | `id` | the event's id |
//! | `source` | `/platform/<environment>`: ids are unique within the platform |
//! | `type` | the type as everywhere else in this product, such as `license.activated` |
//! | `subject` | the id of the event's object, such as `lic_42`; left out without an id |
//! | `time` | the event's time |
//! | `datacontenttype` | `application/json` |
//! | `environment` | an extension: `production`, `staging` or `development` |
//! | `test` | an extension of test events only: `true` |
//! | `data` | the event's `data`, byte for byte |
//!
//! `type` has no reverse-DNS prefix. The specification recommends a prefix, and the domain of the platform is
//! unknown here; a type that is the same in every format can be copied from the portal into a rule.
//!
//! Rules: <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md>.

use chrono::SecondsFormat;
use serde::Serialize;
use serde_json::value::RawValue;

use super::body::body;
use super::fields::Fields;
use super::ids::ids_of;
use super::json_view::data_of;
use crate::{Environment, Event, EventId, EventType};

#[derive(Serialize)]
struct CloudEvent<'a> {
    specversion: &'static str,
    id: EventId,
    source: String,
    r#type: EventType,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    time: String,
    datacontenttype: &'static str,
    environment: Environment,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    test: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
}

/// The body of the CloudEvents format: one JSON object with the event's `data` byte for byte.
pub fn cloudevents_body(event: &Event) -> Vec<u8> {
    let data = data_of(event);
    let fields = data.map(Fields::of).unwrap_or_default();
    let subject = ids_of(event.event_type, &fields).next();
    body(&CloudEvent {
        specversion: "1.0",
        id: event.id,
        source: format!("/platform/{}", event.environment),
        r#type: event.event_type,
        subject: subject.map(|(_, id)| id),
        time: event.timestamp.to_rfc3339_opts(SecondsFormat::AutoSi, true),
        datacontenttype: "application/json",
        environment: event.environment,
        test: event.test_for.is_some(),
        data,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::test_events::{event, message, test_event};
    use rstest::rstest;

    #[test]
    fn data_is_copied_byte_for_byte() {
        let data =
            r#"{ "big":9007199254740993 ,"huge":1e400,"twice":1,"twice":2,"half":"\ud800" }"#;
        let event = event(EventType::LicenseCreated, Environment::Staging, data);

        let body = String::from_utf8(cloudevents_body(&event)).expect("text");

        assert!(
            body.ends_with(&format!(r#","environment":"staging","data":{data}}}"#)),
            "{body}"
        );
    }

    #[rstest]
    #[case::own(r#"{"activation_id":"act_8","license_id":"lic_42"}"#, Some("act_8"))]
    #[case::number(r#"{"activation_id":8}"#, Some("8"))]
    #[case::holder(r#"{"license_id":"lic_42"}"#, Some("lic_42"))]
    #[case::none("{}", None)]
    #[case::control_character(r#"{"activation_id":"a\u0000"}"#, None)]
    fn the_subject_is_the_id_of_the_object(#[case] data: &str, #[case] subject: Option<&str>) {
        let event = event(EventType::ActivationCreated, Environment::Production, data);

        let message = message(&cloudevents_body(&event));

        assert_eq!(message.get("subject").and_then(|id| id.as_str()), subject);
    }

    #[test]
    fn only_a_test_event_has_the_extension_test() {
        let production = event(EventType::LicenseExpired, Environment::Production, "{}");

        let of_test = message(&cloudevents_body(&test_event()));
        let of_production = message(&cloudevents_body(&production));

        assert_eq!(of_test["test"], true);
        assert_eq!(of_production.get("test"), None);
    }
}
