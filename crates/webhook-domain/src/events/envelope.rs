//! The envelope of an event: the fields around `data`, and how each field is read.

use std::borrow::Cow;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::timestamp::{parse_timestamp, write_timestamp};
use crate::{Environment, EventId, EventType, FieldErrors, NotAnObject, WebhookId};

/// Values for the fields that a publisher left out, which is allowed over HTTP only.
#[derive(Debug, Clone, Copy)]
pub struct AssignedFields {
    /// The id: a UUID v7.
    pub id: EventId,
    /// The time of receipt.
    pub timestamp: DateTime<Utc>,
}

/// The fields of a valid envelope.
#[derive(Clone, Copy)]
pub(super) struct ParsedEnvelope {
    pub(super) id: EventId,
    pub(super) event_type: EventType,
    pub(super) environment: Environment,
    pub(super) timestamp: DateTime<Utc>,
    pub(super) test_for: Option<WebhookId>,
}

impl ParsedEnvelope {
    /// Writes an envelope around `data`. `data` and `given_timestamp` are JSON texts of the
    /// publisher and are copied unchanged.
    pub(super) fn write(&self, given_timestamp: Option<&str>, data: &str) -> Bytes {
        let Self {
            id,
            event_type,
            environment,
            timestamp,
            test_for,
        } = self;
        let assigned = || format!("\"{}\"", write_timestamp(*timestamp));
        let timestamp = given_timestamp.map_or_else(assigned, str::to_owned);
        let test = test_for.map(|id| format!(r#""test":{{"webhook_id":"{id}"}},"#));
        let test = test.unwrap_or_default();
        Bytes::from(format!(
            r#"{{"id":"{id}","type":"{event_type}","environment":"{environment}","timestamp":{timestamp},{test}"data":{data}}}"#
        ))
    }
}

/// The fields as the publisher wrote them, and the fields that are unknown or repeated.
#[derive(Default)]
pub(super) struct Envelope<'a> {
    id: Option<&'a RawValue>,
    event_type: Option<&'a RawValue>,
    environment: Option<&'a RawValue>,
    pub(super) timestamp: Option<&'a RawValue>,
    test: Option<&'a RawValue>,
    pub(super) data: Option<&'a RawValue>,
    errors: FieldErrors,
}

impl<'a> Envelope<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, NotAnObject> {
        serde_json::from_slice(body).map_err(|error| NotAnObject::explain(body, &error))
    }

    pub(super) fn is_complete(&self) -> bool {
        self.id.is_some() && self.timestamp.is_some()
    }

    /// Reads every field, so that one refusal lists all wrong fields.
    pub(super) fn complete(
        &self,
        assigned: Option<AssignedFields>,
    ) -> Result<ParsedEnvelope, FieldErrors> {
        let mut errors = self.errors.clone();
        let id = read("id", self.id, assigned.map(|a| a.id), &mut errors, |text| {
            text.parse()
        });
        let event_type = read("type", self.event_type, None, &mut errors, str::parse);
        let environment = read(
            "environment",
            self.environment,
            None,
            &mut errors,
            str::parse,
        );
        let timestamp = read(
            "timestamp",
            self.timestamp,
            assigned.map(|a| a.timestamp),
            &mut errors,
            parse_timestamp,
        );
        let test_for = self.test_for(assigned.is_some(), &mut errors);
        match self.data {
            None => errors.refuse("data", "is required"),
            // `RawValue` is validated JSON without leading white space: a first `{` means an
            // object.
            Some(data) if !data.get().starts_with('{') => {
                errors.refuse("data", "must be an object");
            }
            Some(_) => {}
        }
        match (id, event_type, environment, timestamp) {
            (Some(id), Some(event_type), Some(environment), Some(timestamp))
                if errors.is_empty() =>
            {
                Ok(ParsedEnvelope {
                    id,
                    event_type,
                    environment,
                    timestamp,
                    test_for,
                })
            }
            _ => Err(errors),
        }
    }

    /// Reads the mark of a test event. The API makes test events and sends them over AMQP, so over
    /// HTTP the mark is an unknown field.
    fn test_for(&self, over_http: bool, errors: &mut FieldErrors) -> Option<WebhookId> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct TestMark {
            webhook_id: WebhookId,
        }
        let raw = self.test?;
        if over_http {
            errors.refuse("test", "is not a field of an event");
            return None;
        }
        match serde_json::from_str(raw.get()) {
            Ok(TestMark { webhook_id }) => Some(webhook_id),
            Err(_) => {
                errors.refuse("test", "must be an object with a webhook_id");
                None
            }
        }
    }

    fn take(&mut self, key: &str, value: &'a RawValue) {
        let field = match key {
            "id" => &mut self.id,
            "type" => &mut self.event_type,
            "environment" => &mut self.environment,
            "timestamp" => &mut self.timestamp,
            "test" => &mut self.test,
            "data" => &mut self.data,
            unknown => {
                // A stranger chose the name: only its beginning is repeated.
                let name: String = unknown.chars().take(64).collect();
                self.errors.refuse(&name, "is not a field of an event");
                return;
            }
        };
        // Two parsers may pick different values of a repeated field, so the event would mean
        // different things to different receivers.
        if field.replace(value).is_some() {
            self.errors.refuse(key, "appears more than once");
        }
    }
}

/// Reads one text field. A field that is missing or wrong is added to `errors`.
fn read<T, E: std::fmt::Display>(
    name: &str,
    raw: Option<&RawValue>,
    assigned: Option<T>,
    errors: &mut FieldErrors,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Option<T> {
    let Some(raw) = raw else {
        if assigned.is_none() {
            errors.refuse(name, "is required");
        }
        return assigned;
    };
    let Ok(text) = serde_json::from_str::<Text<'_>>(raw.get()) else {
        errors.refuse(name, "must be a string");
        return None;
    };
    match parse(&text.0) {
        Ok(value) => Some(value),
        Err(error) => {
            errors.refuse(name, error);
            None
        }
    }
}

/// A JSON string. The text is borrowed from the body unless the string contains escapes.
#[derive(serde::Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Envelope<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EnvelopeVisitor;

        impl<'de> Visitor<'de> for EnvelopeVisitor {
            type Value = Envelope<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an event object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut envelope = Envelope::default();
                while let Some((key, value)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
                    envelope.take(&key.0, value);
                }
                Ok(envelope)
            }
        }

        deserializer.deserialize_map(EnvelopeVisitor)
    }
}
