//! The rate limit in a document: a bare number per second, or `{"requests": 25, "per": "minute"}`.

use serde::{Serialize, Serializer};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    AdditionalProperties, KnownFormat, ObjectBuilder, OneOfBuilder, Schema, SchemaFormat,
    SchemaType, Type,
};
use utoipa::{PartialSchema, ToSchema};
use webhook_domain::{RateLimit, RatePeriod};

use crate::fields::Fields;
use crate::schema;

/// The field of the document.
const FIELD: &str = "rate_limit";

/// A rate limit in JSON. A limit per second is a bare number, as in earlier versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimitBody {
    /// The requests of a period.
    pub requests: u16,
    /// The period.
    pub per: RatePeriod,
}

impl RateLimitBody {
    /// The JSON of a limit.
    pub fn of(limit: RateLimit) -> Self {
        Self {
            requests: limit.requests(),
            per: limit.per(),
        }
    }
}

impl Serialize for RateLimitBody {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct PerPeriod {
            requests: u16,
            per: RatePeriod,
        }
        let Self { requests, per } = *self;
        match per {
            RatePeriod::Second => serializer.serialize_u16(requests),
            RatePeriod::Minute => PerPeriod { requests, per }.serialize(serializer),
        }
    }
}

impl PartialSchema for RateLimitBody {
    fn schema() -> RefOr<Schema> {
        let about = "A number of requests per second, or requests and their period.";
        let either = either_notation().description(Some(about));
        RefOr::T(Schema::OneOf(either.build()))
    }
}

impl ToSchema for RateLimitBody {}

/// Takes the limit out of a document. `None`: left out, `null`, or refused.
pub(super) fn take_rate_limit(fields: &mut Fields<'_>) -> Option<RateLimit> {
    if !fields.has_object(FIELD) {
        return fields.optional_whole(FIELD, RateLimit::per_second);
    }
    fields.optional_object(FIELD, |inner| {
        let per = inner.required("per", str::parse::<RatePeriod>);
        let requests = inner.required_whole("requests", |requests| {
            RateLimit::new(requests, per.unwrap_or_default())
        });
        per.and(requests)
    })
}

/// The schema of a limit in documents.
pub(super) fn rate_limit_schema() -> RefOr<Schema> {
    let null = ObjectBuilder::new().schema_type(SchemaType::Type(Type::Null));
    let about = "Requests from all dispatchers together, a number per second or an object with the period; `null`: \
        the limit of the format, which `json` and `cloudevents` do not have.";
    let either = either_notation().item(null).description(Some(about));
    RefOr::T(Schema::OneOf(either.build()))
}

/// The schemas of both notations.
#[allow(
    deprecated,
    reason = "a client's generator may know `example` and not `examples`"
)]
fn either_notation() -> OneOfBuilder {
    let number = || {
        ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::Integer))
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32)))
            .minimum(Some(1))
            .maximum(Some(RateLimit::MAX))
    };
    let per_period = ObjectBuilder::new()
        .property("requests", number())
        .required("requests")
        .property("per", schema::RatePeriodName::schema())
        .required("per")
        .additional_properties(Some(AdditionalProperties::FreeForm(false)))
        .description(Some("Requests per second or minute."));
    OneOfBuilder::new()
        .item(number().description(Some("Requests per second.")))
        .item(per_period)
        .example(Some(serde_json::json!(50)))
}
