//! The table of fields.

use utoipa::openapi::schema::{
    KnownFormat, ObjectBuilder, OneOfBuilder, Schema, SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};
use webhook_domain::{
    AttemptTimeout, Environment, EventSelection, MaxConcurrency, SigningSecret, WebhookDescription,
    WebhookName, WebhookSettings,
};

use super::body_format::read_body_format;
use super::delivery_options::{read_ordering, read_retry_policy};
use super::draft::{Document, ReadContext, SettingsDraft};
use super::headers::read_headers;
use super::metadata::read_metadata;
use super::rate_limit::{rate_limit_schema, take_rate_limit};
use super::url::{read_url, settle_secrecy, url_is_secret_schema};
use crate::fields::Fields;
use crate::retry_policies::{RetryPolicyRequest, millis};
use crate::schema;

/// One field of the documents.
struct Field {
    name: &'static str,
    presence: fn(Document) -> Presence,
    /// The schema of the field's values.
    schema: fn(Document) -> RefOr<Schema>,
    /// Takes the field out of a document, and puts its value into the draft.
    read: fn(&mut SettingsDraft, &mut Fields<'_>, ReadContext<'_>),
}

/// Whether a document has a field.
#[derive(PartialEq, Eq)]
enum Presence {
    /// The field is not known in the document.
    Unknown,
    /// The field may be left out.
    Optional,
    /// The document is refused without the field.
    Required,
}

/// Every field, in the order of reading, which is the order of reported faults.
static FIELDS: [Field; 18] = [
    Field {
        name: "name",
        presence: required_unless_patched,
        schema: |_| schema::NameText::schema(),
        read: |draft, fields, _| {
            if draft.name.is_none() || fields.has("name") {
                draft.name = fields.required("name", WebhookName::parse);
            }
        },
    },
    Field {
        name: "url",
        presence: required_unless_patched,
        schema: |_| schema::UrlText::schema(),
        read: read_url,
    },
    Field {
        name: "url_is_secret",
        presence: |_| Presence::Optional,
        schema: |_| url_is_secret_schema(),
        read: |draft, fields, _| {
            draft.url_is_secret =
                fields.optional_json("url_is_secret", "true or false", Ok::<bool, &str>);
        },
    },
    Field {
        name: "environment",
        presence: |document| match document {
            Document::Create | Document::Replace => Presence::Required,
            Document::Patch | Document::Import => Presence::Optional,
        },
        schema: |document| match document {
            Document::Create | Document::Replace | Document::Patch => {
                schema::EnvironmentName::schema()
            }
            Document::Import => nullable(schema::EnvironmentName::schema(), None),
        },
        read: read_environment,
    },
    Field {
        name: "event_types",
        presence: required_unless_patched,
        schema: |_| schema::EventPatterns::schema(),
        read: |draft, fields, _| {
            if draft.events.is_none() || fields.has("event_types") {
                let patterns = fields.required_list("event_types", str::parse);
                draft.events = patterns.and_then(|patterns| EventSelection::new(patterns).ok());
            }
        },
    },
    Field {
        name: "format",
        presence: |_| Presence::Optional,
        schema: |_| {
            let about =
                "The format of the requests; `json`, the event as published, when left out.";
            nullable(schema::FormatName::schema(), Some(about))
        },
        // `template` is read here too, because the two belong together.
        read: |draft, fields, _| read_body_format(fields, &mut draft.body),
    },
    Field {
        name: "template",
        presence: |_| Presence::Optional,
        schema: |_| {
            let about = "The template of the format `custom`; `null` with every other format. A template without `format` \
                asks for `custom`.";
            nullable(schema::TemplateDocument::schema(), Some(about))
        },
        read: |_, _, _| (),
    },
    Field {
        name: "description",
        presence: |_| Presence::Optional,
        schema: |_| nullable(schema::DescriptionText::schema(), None),
        read: |draft, fields, _| {
            if fields.has("description") {
                let parsed = fields.optional("description", WebhookDescription::parse);
                draft.description = parsed.unwrap_or_default();
            }
        },
    },
    Field {
        name: "status",
        presence: |_| Presence::Optional,
        schema: |document| match document {
            Document::Create | Document::Replace | Document::Import => {
                let about = "`active` when left out.";
                nullable(schema::StatusName::schema(), Some(about))
            }
            Document::Patch => schema::StatusName::schema(),
        },
        read: |draft, fields, _| {
            let status = fields.optional("status", str::parse);
            draft.status = status.or(draft.status);
        },
    },
    Field {
        name: "headers",
        presence: |_| Presence::Optional,
        schema: |document| match document {
            Document::Create | Document::Replace => nullable(schema::HeaderPairs::schema(), None),
            Document::Patch | Document::Import => nullable(schema::HeaderPatch::schema(), None),
        },
        read: |draft, fields, reading| {
            read_headers(fields, &mut draft.headers, reading.document);
        },
    },
    Field {
        name: "metadata",
        presence: |_| Presence::Optional,
        schema: |document| match document {
            Document::Create | Document::Replace | Document::Import => {
                nullable(schema::MetadataPairs::schema(), None)
            }
            Document::Patch => nullable(schema::MetadataPatch::schema(), None),
        },
        read: |draft, fields, reading| {
            read_metadata(fields, &mut draft.metadata, reading.document);
        },
    },
    Field {
        name: "timeout_ms",
        presence: |_| Presence::Optional,
        schema: |_| {
            let (min, max) = (millis(AttemptTimeout::MIN), millis(AttemptTimeout::MAX));
            let about = "How long one attempt may take, in milliseconds; `null`: the timeout of the \
                retry policy.";
            whole_number(KnownFormat::Int64, (min, max), 5_000, about)
        },
        read: |draft, fields, _| {
            if fields.has("timeout_ms") {
                let timeout = fields.optional_whole("timeout_ms", AttemptTimeout::from_millis);
                draft.delivery_options.timeout = timeout;
            }
        },
    },
    Field {
        name: "max_concurrency",
        presence: |_| Presence::Optional,
        schema: |_| {
            let range = (1, u64::from(MaxConcurrency::MAX));
            let about = "Parallel requests per dispatcher; `null`: 1 for `slack`, `discord` and `teams`, else the \
                dispatcher's own default.";
            whole_number(KnownFormat::Int32, range, 16, about)
        },
        read: |draft, fields, _| {
            if fields.has("max_concurrency") {
                let requests = fields.optional_whole("max_concurrency", MaxConcurrency::new);
                draft.delivery_options.max_concurrency = requests;
            }
        },
    },
    Field {
        name: "rate_limit",
        presence: |_| Presence::Optional,
        schema: |_| rate_limit_schema(),
        read: |draft, fields, _| {
            if fields.has("rate_limit") {
                draft.delivery_options.rate_limit = take_rate_limit(fields);
            }
        },
    },
    Field {
        name: "ordering",
        presence: |_| Presence::Optional,
        schema: |_| {
            let about = "`none` when both `ordering` and `ordering_key` are left out.";
            nullable(schema::OrderingName::schema(), Some(about))
        },
        // `ordering_key` is read here too, because a key without `ordering` asks for an order.
        read: |draft, fields, _| read_ordering(fields, &mut draft.delivery_options),
    },
    Field {
        name: "ordering_key",
        presence: |_| Presence::Optional,
        schema: |_| {
            let about = "The field of `data` to order by; `license_id` when left out.";
            nullable(schema::OrderingFieldText::schema(), Some(about))
        },
        read: |_, _, _| (),
    },
    Field {
        name: "retry_policy",
        presence: |_| Presence::Optional,
        schema: |_| {
            let name = RetryPolicyRequest::name();
            let about = "The webhook's own retry policy; `null`: the policy of its environment. A \
                patch keeps the fields that it leaves out.";
            let policy = Ref::builder()
                .ref_location_from_schema_name(name)
                .description(Some(about));
            nullable(RefOr::Ref(policy.build()), None)
        },
        read: |draft, fields, _| read_retry_policy(fields, &mut draft.delivery_options),
    },
    Field {
        name: "secret",
        presence: |document| match document {
            Document::Create | Document::Import => Presence::Optional,
            Document::Replace | Document::Patch => Presence::Unknown,
        },
        schema: |_| {
            let about = "The signing secret of a webhook that is created; generated when left out.";
            nullable(schema::SecretText::schema(), Some(about))
        },
        read: |draft, fields, _| draft.secret = fields.optional("secret", SigningSecret::parse),
    },
];

/// Takes the settings of a webhook out of a document, over the settings of `draft`, and the secret if
/// the document has a secret. `None`: a field is missing or wrong, and noted in `fields`.
pub(in crate::webhooks) fn take_settings(
    fields: &mut Fields<'_>,
    mut draft: SettingsDraft,
    reading: ReadContext<'_>,
) -> Option<(WebhookSettings, Option<SigningSecret>)> {
    for field in known_in(reading.document) {
        (field.read)(&mut draft, fields, reading);
    }
    // Last, as the format decides where the document does not.
    settle_secrecy(&mut draft, fields);
    let secret = draft.secret.take();
    Some((draft.settings()?, secret))
}

/// The schema of a document.
pub(in crate::webhooks) fn schema_of(document: Document, about: &str) -> RefOr<Schema> {
    let object = ObjectBuilder::new().description(Some(about));
    let object = known_in(document).fold(object, |object, field| {
        let object = object.property(field.name, (field.schema)(document));
        match (field.presence)(document) {
            Presence::Required => object.required(field.name),
            Presence::Unknown | Presence::Optional => object,
        }
    });
    RefOr::T(Schema::Object(object.build()))
}

fn known_in(document: Document) -> impl Iterator<Item = &'static Field> {
    let known = move |field: &&Field| (field.presence)(document) != Presence::Unknown;
    FIELDS.iter().filter(known)
}

fn required_unless_patched(document: Document) -> Presence {
    match document {
        Document::Create | Document::Replace | Document::Import => Presence::Required,
        Document::Patch => Presence::Optional,
    }
}

fn read_environment(draft: &mut SettingsDraft, fields: &mut Fields<'_>, reading: ReadContext<'_>) {
    if reading.document == Document::Import {
        // The query names the environment to import into. The environment of the export is only checked.
        fields.optional("environment", str::parse::<Environment>);
    } else if draft.environment.is_none() || fields.has("environment") {
        draft.environment = fields.required("environment", str::parse);
    }
}

/// A schema whose values may also be `null`.
fn nullable(values: RefOr<Schema>, about: Option<&str>) -> RefOr<Schema> {
    let null = ObjectBuilder::new().schema_type(SchemaType::Type(Type::Null));
    let either = OneOfBuilder::new()
        .item(values)
        .item(null)
        .description(about);
    RefOr::T(Schema::OneOf(either.build()))
}

#[allow(
    deprecated,
    reason = "a client's generator may know `example` and not `examples`"
)]
fn whole_number(
    format: KnownFormat,
    (min, max): (u64, u64),
    example: u64,
    about: &str,
) -> RefOr<Schema> {
    let number = ObjectBuilder::new()
        .schema_type(SchemaType::Array(vec![Type::Integer, Type::Null]))
        .format(Some(SchemaFormat::KnownFormat(format)))
        .minimum(Some(min))
        .maximum(Some(max))
        .example(Some(example.into()))
        .description(Some(about));
    RefOr::T(Schema::Object(number.build()))
}
