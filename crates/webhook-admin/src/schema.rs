//! Schemas of the domain's values in the API's description: a rule of the domain stands here once, and
//! generated clients know the rule.

use std::borrow::Cow;

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, ObjectBuilder, Schema, SchemaType, Type,
};
use utoipa::{PartialSchema, ToSchema};
use webhook_domain::{
    AuditAction, BodyEnd, Check, CustomHeaders, DeliveryStatus, Environment, EventOutcome,
    EventPattern, EventType, FailureClass, FindingCode, Format, HeaderName, HeaderValue, JobKind,
    JobStatus, KeyName, LinkPatterns, Metadata, OrderingField, PlatformSettings, PortalUrl,
    RatePeriod, ReceivedHeaders, Role, SecretStanding, Severity, SignatureScheme, StatusFilter,
    WebhookDescription, WebhookHealth, WebhookName, WebhookStatus, WebhookUrl,
};

/// Declares a named schema.
macro_rules! schemas {
    ($($(#[doc = $doc:literal])+ $name:ident $text:literal = $schema:expr;)+) => {$(
        $(#[doc = $doc])+
        pub struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let description = concat!($($doc,)+).trim();
                RefOr::T(Schema::Object($schema.description(Some(description)).build()))
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed($text)
            }
        }
    )+};
}

/// Some character that is not white space, and no control character.
const VISIBLE_TEXT: &str = r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$";

/// No control character.
const TEXT: &str = r"^[^\u0000-\u001f\u007f-\u009f]*$";

/// No control character but line breaks and tabs.
const LINES: &str = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]*$";

/// A name with dots in it, a port, a path and a query.
const URL: &str = r#"^https?://([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.){1,20}[A-Za-z]{2,63}(:[1-9][0-9]{0,3})?([/?][!"$-~]*)?$"#;

/// `whsec_` and 24 to 64 bytes in base64, with the padding for the number of bytes.
const SECRET: &str = "^whsec_(([A-Za-z0-9+/]{4}){8,21}\
    |([A-Za-z0-9+/]{4}){8,20}[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=\
    |([A-Za-z0-9+/]{4}){8,21}[A-Za-z0-9+/][AQgw]==)$";

/// Standard base64 with padding.
const BASE64: &str = "^([A-Za-z0-9+/]{4})*\
    ([A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=|[A-Za-z0-9+/][AQgw]==)?$";
/// An IPv4 or IPv6 address or network; an IPv6 address may be shortened as usual.
const ADDRESS: &str = r"^(((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\.){3}(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(/(3[0-2]|[12]?[0-9]))?|([0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}(/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))?)$";

schemas! {
    /// The environment of an event and of a webhook.
    EnvironmentName "EnvironmentName" = one_of(Environment::ALL.iter().map(|e| e.as_str()));
    /// Whether a webhook gets deliveries.
    StatusName "WebhookStatus" = one_of(WebhookStatus::ALL.iter().map(|s| s.as_str()));
    /// The format of a webhook's requests.
    FormatName "WebhookFormat" = one_of(Format::ALL.iter().map(|f| f.as_str()));
    /// The period of a rate limit.
    RatePeriodName "RatePeriod" = one_of(RatePeriod::ALL.iter().map(|p| p.as_str()));
    /// How deliveries to a webhook go.
    WebhookHealthName "WebhookHealth" = one_of(WebhookHealth::ALL.iter().map(|h| h.as_str()));
    /// The number of webhooks by health.
    WebhookHealthCounts "WebhookHealthCounts" =
        counts(WebhookHealth::ALL.iter().map(|h| h.as_str()));
    /// A type of event.
    EventTypeName "EventTypeName" = one_of(EventType::ALL.iter().map(|t| t.as_str()));
    /// Types (`license.activated`), groups (`license.*`) or all (`*`).
    EventPatternName "EventPattern" = one_of(patterns());
    /// The status of a delivery.
    DeliveryStatusName "DeliveryStatus" = one_of(DeliveryStatus::ALL.iter().map(|s| s.as_str()));
    /// The statuses of the listed deliveries.
    StatusFilterName "DeliveryStatusFilter" = one_of(StatusFilter::ALL.iter().map(|s| s.as_str()));
    /// The kind of a job.
    JobKindName "JobKind" = one_of(JobKind::ALL.iter().map(|k| k.as_str()));
    /// The subject of a diagnosis' finding.
    CheckName "DiagnosisCheck" = one_of(Check::ALL.iter().map(|c| c.as_str()));
    /// The severity of a finding.
    SeverityName "DiagnosisSeverity" = one_of(Severity::ALL.iter().map(|s| s.as_str()));
    /// The status of a job.
    JobStatusName "JobStatus" = one_of(JobStatus::ALL.iter().map(|s| s.as_str()));
    /// A status, a class of statuses, a failure without one, or `none`.
    ResponseText "AnswerFilter" = text(
        "^([1-9][0-9]{2}|[1-9]xx|none|dns|connect|tls|timeout|reset|blocked_address|protocol|body)$", 3, 15, "5xx");
    /// The outcome of an event for a webhook.
    EventOutcomeName "EventOutcome" = one_of(EventOutcome::ALL.iter().map(|o| o.as_str()));
    /// The number of webhooks by outcome.
    EventOutcomeCounts "EventOutcomeCounts" = counts(EventOutcome::ALL.iter().map(|o| o.as_str()));
    /// The number of deliveries by status.
    DeliveryStatusCounts "DeliveryStatusCounts" =
        counts(DeliveryStatus::ALL.iter().map(|s| s.as_str()));
    /// Why an attempt failed.
    FailureClassName "FailureClass" = one_of(FailureClass::ALL.iter().map(|c| c.as_str()));
    /// How the body of a response ended.
    BodyEndName "ResponseBodyEnd" = one_of(BodyEnd::ALL.iter().map(|end| end.as_str()));
    /// The role of an API key.
    RoleName "Role" = one_of(Role::ALL.iter().map(|r| r.as_str()));
    /// The kind of a change in the audit log.
    AuditActionName "AuditAction" = one_of(AuditAction::ALL.iter().map(|a| a.as_str()));
    /// 1 to 100 characters, trimmed.
    NameText "WebhookName" = text(VISIBLE_TEXT, 1, WebhookName::MAX_CHARS, "CRM");
    /// Up to 1,000 characters; line breaks are kept.
    DescriptionText "WebhookDescription" =
        text(LINES, 0, WebhookDescription::MAX_CHARS, "Keeps the CRM up to date");
    /// An absolute `https` URL of a public host (`http` and private networks where the operator
    /// allows them), without user info and fragment.
    UrlText "WebhookUrl" = text(URL, 1, WebhookUrl::MAX_BYTES, "https://hooks.example.com/in");
    /// `whsec_` and 24 to 64 random bytes in standard base64.
    SecretText "SigningSecret" =
        text(SECRET, 38, 94, "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
    /// The name of a field of `data`, 1 to 100 characters.
    OrderingFieldText "OrderingField" = text(TEXT, 1, OrderingField::MAX_CHARS, "license_id");
    /// The name of an API key in lists.
    KeyNameText "ApiKeyName" = text(VISIBLE_TEXT, 1, KeyName::MAX_CHARS, "CI");
    /// An API key.
    ApiKeyText "ApiKeyText" =
        text("^whk_[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$", 47, 47, "whk_9fQ2bAq0yGxM4m1mRk6m0u3y8b8pJm1q1m4m1mRk6m0");
    /// `none`, or `by_key`: events with the same value in the field `ordering_key` of `data` arrive one
    /// after the other, in the order of publishing.
    OrderingName "Ordering" = one_of(["none", "by_key"].into_iter());
    /// Up to 50 pairs of text.
    MetadataPairs "Metadata" = pairs(text(TEXT, 0, Metadata::MAX_VALUE_CHARS, "gold"), Metadata::MAX)
        .property_names(Some(name_of(text(TEXT, 1, Metadata::MAX_NAME_CHARS, "tier"))));
    /// Up to 20 headers by name, sent with every request. Values are secret: no response shows them.
    HeaderPairs "CustomHeaders" = pairs(header_value(), CustomHeaders::MAX)
        .property_names(Some(name_of(header_name())));
    /// Pairs to set; `null` removes a pair.
    MetadataPatch "MetadataPatch" =
        pairs(nullable(text(TEXT, 0, Metadata::MAX_VALUE_CHARS, "gold")), Metadata::MAX)
            .property_names(Some(name_of(text(TEXT, 1, Metadata::MAX_NAME_CHARS, "tier"))));
    /// Headers to set; `null` removes a header, and in an import keeps the stored value.
    HeaderPatch "CustomHeadersPatch" = pairs(nullable(header_value()), CustomHeaders::MAX)
        .property_names(Some(name_of(header_name())));
    /// A span of time: `0`, or a number of `s`, `m`, `h` or `d`.
    GracePeriodText "GracePeriod" = text(
        "^(0|[0-9]{1,5}s|[0-9]{1,4}m|([0-9]{1,2}|1[0-5][0-9]|16[0-8])h|[0-7]d)$", 1, 6, "24h");
    /// A number of days, 1 to 3650; `s`, `m` and `h` do as well.
    RetentionText "RetentionTime" = text(
        "^([1-9]|[1-9][0-9]{1,2}|[12][0-9]{3}|3[0-5][0-9]{2}|36[0-4][0-9]|3650)d$", 2, 5, "30d");
    /// A number of hours, 1 to 2160, or of days, 1 to 90; `s` and `m` do as well.
    DisableAfterText "DisableAfter" = text(
        "^(([1-9]|[1-9][0-9]{1,2}|1[0-9]{3}|20[0-9]{2}|21[0-5][0-9]|2160)h|([1-9]|[1-8][0-9]|90)d)$", 2, 5, "5d");
    /// URLs by field of a payload, `{id}` in place of the id.
    LinkPatternPairs "LinkPatterns" = pairs(
            text("^https://[a-z][a-z0-9-]*(\\.[a-z][a-z0-9-]*)*(:[0-9]{2,4})?/[A-Za-z0-9/_.?=-]*\\{id\\}[A-Za-z0-9/_.?=&-]*$", 13, LinkPatterns::MAX_URL_BYTES, "https://licenses.example.com/{id}"),
            LinkPatterns::MAX)
        .property_names(Some(name_of(text("^[A-Za-z0-9._-]+$", 1, LinkPatterns::MAX_FIELD_CHARS, "license_id"))))
        .schema_type(SchemaType::Array(vec![Type::Object, Type::Null]));
    /// The scheme, host and port of the portal.
    PortalUrlText "PortalUrl" = text(
        "^https://[a-z][a-z0-9]*(\\.[a-z][a-z0-9]*)*(:[1-9][0-9]{1,3})?$", 9, PortalUrl::MAX_BYTES, "https://webhooks.example.com");
    /// A span of time up to 30 s.
    WaitText "Wait" = text("^(0|([0-9]|[12][0-9]|30)s)$", 1, 3, "10s");
    /// The place of the next page: `next_cursor` of the page before.
    CursorText "Cursor" = text("^([0-9a-f]{2}){16,320}$", 32, 640, "0192f0c17c1e7b7e8d5e3f1a2b3c4d5e");
    /// A signature scheme.
    SignatureSchemeName "SignatureScheme" = one_of(SignatureScheme::ALL.iter().map(|s| s.as_str()));
    /// The standing of a webhook's secret.
    SecretStandingName "SecretStanding" = one_of(SecretStanding::ALL.iter().map(|s| s.as_str()));
    /// The kind of a finding about a signed request.
    FindingCodeName "FindingCode" = one_of(FindingCode::ALL.iter().map(|c| c.as_str()));
    /// Up to 100 headers by name, in the spelling of the receiver's framework: in any case, or as
    /// `HTTP_WEBHOOK_ID`.
    ReceivedHeaderPairs "ReceivedHeaders" = pairs(string(), ReceivedHeaders::MAX);
    /// The raw body in base64.
    Base64Text "Base64" = string().pattern(Some(BASE64)).examples([serde_json::json!("eyJpZCI6IjAifQ==")]);
    /// The template of a body: JSON whose texts hold placeholders such as `{{data.license_id}}`, or a body for each
    /// event type. At most 32 KiB; the language is described in `docs/templates.md`.
    TemplateDocument "Template" = ObjectBuilder::new()
        .additional_properties(Some(AdditionalProperties::FreeForm(true)))
        .examples([serde_json::json!({"text": "{{summary}}", "license": "{{data.license_id}}"})]);
    /// Any JSON object.
    AnyObject "Object" = ObjectBuilder::new().additional_properties(Some(AdditionalProperties::FreeForm(true)));
}

/// Event patterns, each once.
pub struct EventPatterns;

impl PartialSchema for EventPatterns {
    fn schema() -> RefOr<Schema> {
        let list = ArrayBuilder::new()
            .items(EventPatternName::schema())
            .min_items(Some(1))
            .examples([serde_json::json!(["license.*", "contract.suspended"])])
            .description(Some(
                "Types (`license.activated`), groups (`license.*`) or all (`*`).",
            ));
        RefOr::T(Schema::Array(list.build()))
    }
}

impl ToSchema for EventPatterns {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("EventPatterns")
    }
}

/// Addresses and networks.
pub struct EgressAddresses;

impl PartialSchema for EgressAddresses {
    fn schema() -> RefOr<Schema> {
        let address = text(ADDRESS, 3, 49, "203.0.113.0/24");
        let list = ArrayBuilder::new()
            .schema_type(SchemaType::Array(vec![Type::Array, Type::Null]))
            .items(address)
            .max_items(Some(PlatformSettings::MAX_EGRESS_ADDRESSES));
        RefOr::T(Schema::Array(list.build()))
    }
}

impl ToSchema for EgressAddresses {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("EgressAddresses")
    }
}

fn patterns() -> impl Iterator<Item = String> {
    let groups = EventType::ALL
        .iter()
        .map(|t| EventPattern::Group(t.group()));
    let mut all: Vec<String> = vec![EventPattern::All.to_string()];
    for pattern in groups.chain(EventType::ALL.iter().map(|t| EventPattern::One(*t))) {
        let text = pattern.to_string();
        if !all.contains(&text) {
            all.push(text);
        }
    }
    all.into_iter()
}

fn one_of<T: Into<serde_json::Value>>(names: impl Iterator<Item = T>) -> ObjectBuilder {
    string().enum_values(Some(names.map(Into::into)))
}

fn counts(names: impl Iterator<Item = &'static str>) -> ObjectBuilder {
    let number = || ObjectBuilder::new().schema_type(SchemaType::Type(Type::Integer));
    names.fold(ObjectBuilder::new(), |object, name| {
        object.property(name, number().build()).required(name)
    })
}

fn string() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::Type(Type::String))
}

fn text(pattern: &str, min: usize, max: usize, example: &str) -> ObjectBuilder {
    string()
        .pattern(Some(pattern))
        .min_length((min > 0).then_some(min))
        .max_length(Some(max))
        .examples([serde_json::json!(example)])
}

fn header_value() -> ObjectBuilder {
    text(
        "^[!-~]([ -~]*[!-~])?$",
        1,
        HeaderValue::MAX_CHARS,
        "Bearer 42",
    )
}

fn header_name() -> ObjectBuilder {
    text("^[A-Za-z0-9_-]+$", 1, HeaderName::MAX_CHARS, "X-Tenant")
}

fn name_of(text: ObjectBuilder) -> Schema {
    Schema::Object(text.build())
}

fn nullable(text: ObjectBuilder) -> ObjectBuilder {
    text.schema_type(SchemaType::Array(vec![Type::String, Type::Null]))
}

fn pairs(value: ObjectBuilder, max: usize) -> ObjectBuilder {
    let value: RefOr<Schema> = RefOr::T(Schema::Object(value.build()));
    ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::Object))
        .additional_properties(Some(AdditionalProperties::RefOr(value)))
        .max_properties(Some(max))
}
