//! What owners set for the whole platform.

use std::time::Duration;
use webhook_web::if_match::IfMatchHeader;

use actix_web::HttpResponse;
use actix_web::http::header::ETAG;
use actix_web::web::Data;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use webhook_domain::{AuditAction, EgressAddress, PlatformSettings, Retention};
use webhook_store::audit::{self, AuditEntry};
use webhook_store::settings::SettingsRow;
use webhook_store::{retention, settings, transaction};

use crate::refusals::Refusals;
use webhook_admin::Caller;
use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_admin::duration::{parse_duration, write_duration};
use webhook_admin::fields::Fields;
use webhook_admin::retry_policies::{DefaultRetryPolicy, list_defaults};
use webhook_admin::schema;
use webhook_admin::version::{IfMatch, etag};
use webhook_web::Authenticated;
use webhook_web::Problem;
use webhook_web::body::Body;

/// The most bytes that settings in JSON may have.
const MAX_BYTES: usize = 16 * 1024;

/// What is to be changed of the settings. What is left out stays, `null` sets the default.
#[derive(ToSchema)]
#[allow(
    dead_code,
    reason = "it documents what `parse_patch` reads field by field"
)]
pub(crate) struct PatchSettings {
    retention: Option<PatchRetention>,
    /// From 1 hour to 90 days.
    #[schema(value_type = Option<schema::DisableAfterText>, inline)]
    disable_after: Option<String>,
    /// Up to 7 days.
    #[schema(value_type = Option<schema::GracePeriodText>, inline)]
    default_grace_period: Option<String>,
    /// Takes the place of the whole list. Addresses and networks, each once; bits of a network's
    /// address that are its hosts' are cut off.
    #[schema(value_type = Option<schema::EgressAddresses>, inline)]
    egress_addresses: Option<Vec<String>>,
}

/// For how long what happened is to be kept, from 1 to 3,650 days each: bodies at most as long as
/// deliveries, deliveries at most as long as events.
#[derive(ToSchema)]
#[allow(
    dead_code,
    reason = "it documents what `parse_patch` reads field by field"
)]
pub(crate) struct PatchRetention {
    #[schema(value_type = Option<schema::RetentionText>, inline)]
    events: Option<String>,
    #[schema(value_type = Option<schema::RetentionText>, inline)]
    deliveries: Option<String>,
    #[schema(value_type = Option<schema::RetentionText>, inline)]
    bodies: Option<String>,
    #[schema(value_type = Option<schema::RetentionText>, inline)]
    audit: Option<String>,
}

/// What owners set for the whole platform. Times are a number of `s`, `m`, `h` or `d`.
#[derive(Serialize, ToSchema)]
#[schema(as = Settings)]
pub(crate) struct SettingsBody {
    /// Counts its changes, from 1.
    version: i64,
    #[serde(flatten)]
    values: ValuesBody,
    /// How failed deliveries are tried again, by environment, with the schedule that it makes.
    default_retry_policies: Vec<DefaultRetryPolicy>,
    updated_at: DateTime<Utc>,
}

/// The part of the settings that is changed here.
#[derive(Serialize, ToSchema)]
#[schema(as = SettingsValues)]
pub(crate) struct ValuesBody {
    pub(crate) retention: RetentionBody,
    /// After how long of nothing but failure a webhook is set Inactive. Its owner is warned after
    /// half of it.
    #[schema(example = "5d")]
    pub(crate) disable_after: String,
    /// For how long a replaced secret signs as well when nobody says.
    #[schema(example = "1d")]
    pub(crate) default_grace_period: String,
    /// Where requests come from, for the allow-lists of receivers.
    #[schema(example = json!(["203.0.113.7", "2001:db8::/48"]))]
    pub(crate) egress_addresses: Vec<String>,
}

/// For how long what happened is kept. What is pending is kept in any case.
#[derive(Serialize, ToSchema)]
#[schema(as = Retention)]
pub(crate) struct RetentionBody {
    /// Events, from when they were taken in.
    #[schema(example = "30d")]
    pub(crate) events: String,
    /// Deliveries with their attempts, from their end.
    #[schema(example = "30d")]
    pub(crate) deliveries: String,
    /// What was said on the wire, from each attempt on.
    #[schema(example = "7d")]
    pub(crate) bodies: String,
    /// Entries of the audit log.
    #[schema(example = "365d")]
    pub(crate) audit: String,
}

/// Shows the platform's settings.
#[utoipa::path(
    get, path = "/api/v1/settings", tag = "settings",
    responses(
        (status = 200, body = SettingsBody, headers(("ETag" = String, description = "Their version"))),
        Refusals
    )
)]
pub(crate) async fn show_settings(connections: Data<Connections>) -> Result<HttpResponse, Problem> {
    let mut connection = connections.acquire().await?;
    let row = settings::find(&mut connection).await?;
    let policies = list_defaults(&mut connection).await?;
    Ok(answer(&row, policies))
}

/// Changes parts of the platform's settings: a JSON merge patch (RFC 7396). They count for what is
/// scheduled from then on; what is to be kept for a shorter time goes soon after.
#[utoipa::path(
    patch, path = "/api/v1/settings", tag = "settings",
    request_body(content(
        (PatchSettings = "application/merge-patch+json"), (PatchSettings = "application/json")
    )),
    params(("If-Match" = Option<String>, Header, description = "The `ETag` that the change is meant for")),
    responses(
        (status = 200, body = SettingsBody, headers(("ETag" = String, description = "Their new version"))),
        Refusals
    )
)]
pub(crate) async fn patch_settings(
    IfMatchHeader(if_match): IfMatchHeader,
    body: Body<MAX_BYTES>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let row = change(&if_match, &body.0, &caller, &connections).await?;
    let mut connection = connections.acquire().await?;
    let policies = list_defaults(&mut connection).await?;
    Ok(answer(&row, policies))
}

/// Changes what a patch names, and tells what is there afterwards.
pub(crate) async fn change(
    if_match: &IfMatch,
    patch: &[u8],
    caller: &Caller,
    connections: &Connections,
) -> Result<SettingsRow, Refusal> {
    let mut connection = connections.acquire().await?;
    transaction(&mut connection, async |connection| {
        let before = settings::lock(connection).await?;
        if_match.check(before.version)?;
        let after = parse_patch(patch, &before.settings)?;
        if settings::save(connection, &before, &after).await? {
            if before.settings.retention != after.retention {
                retention::begin_anew(connection).await?;
            }
            let told = |settings| serde_json::to_value(ValuesBody::from(settings)).ok();
            let entry = AuditEntry {
                before: told(&before.settings),
                after: told(&after),
                ..AuditEntry::new(AuditAction::SettingsChanged, "settings")
            };
            audit::insert(connection, &caller.actor(), &entry).await?;
        }
        Ok(settings::find(connection).await?)
    })
    .await
}

/// Reads what changes of `current`.
pub(crate) fn parse_patch(
    body: &[u8],
    current: &PlatformSettings,
) -> Result<PlatformSettings, Refusal> {
    let mut fields = Fields::of_body(body)?;
    let mut new = current.clone();
    let default = PlatformSettings::default();
    if fields.has("retention") {
        let parsed = fields.optional_object("retention", |inner| {
            Some(parse_retention(inner, &current.retention))
        });
        new.retention = parsed.unwrap_or_default();
    }
    let disable_after = (&mut new.disable_after, default.disable_after);
    patch_time(&mut fields, "disable_after", disable_after);
    let grace_period = (&mut new.grace_period, default.grace_period);
    patch_time(&mut fields, "default_grace_period", grace_period);
    if fields.has("egress_addresses") {
        new.egress_addresses = parse_addresses(&mut fields);
    }
    let checked = new.checked();
    for error in checked.as_ref().err().into_iter().flatten() {
        fields.refuse(&error.field, &error.reason);
    }
    fields.end()?;
    checked.map_err(Refusal::Invalid)
}

fn parse_retention(fields: &mut Fields<'_>, current: &Retention) -> Retention {
    let (mut new, default) = (current.clone(), Retention::default());
    for (name, time) in [
        ("events", (&mut new.events, default.events)),
        ("deliveries", (&mut new.deliveries, default.deliveries)),
        ("bodies", (&mut new.bodies, default.bodies)),
        ("audit", (&mut new.audit, default.audit)),
    ] {
        patch_time(fields, name, time);
    }
    new
}

/// Sets a time if it is there; `null` sets its default.
fn patch_time(fields: &mut Fields<'_>, name: &str, (time, default): (&mut Duration, Duration)) {
    if fields.has(name) {
        let parsed = fields.optional(name, |text| parse_duration(text, *Retention::EACH.end()));
        *time = parsed.unwrap_or(default);
    }
}

/// Takes the addresses out, each once.
fn parse_addresses(fields: &mut Fields<'_>) -> Vec<EgressAddress> {
    let name = "egress_addresses";
    let texts = |texts: Vec<String>| Ok::<_, String>(texts);
    let texts = fields.optional_json(name, "an array of strings", texts);
    let mut addresses = Vec::new();
    for (index, text) in texts.into_iter().flatten().enumerate() {
        match text.parse() {
            Ok(address) if addresses.contains(&address) => {}
            Ok(address) => addresses.push(address),
            Err(error) => fields.refuse(&format!("{name}[{index}]"), error),
        }
    }
    addresses
}

fn answer(row: &SettingsRow, default_retry_policies: Vec<DefaultRetryPolicy>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((ETAG, etag(row.version)))
        .json(SettingsBody {
            version: row.version,
            values: ValuesBody::from(&row.settings),
            default_retry_policies,
            updated_at: row.updated_at,
        })
}

impl From<&PlatformSettings> for ValuesBody {
    fn from(settings: &PlatformSettings) -> Self {
        let kept = &settings.retention;
        let addresses = settings.egress_addresses.iter();
        Self {
            retention: RetentionBody {
                events: write_duration(kept.events),
                deliveries: write_duration(kept.deliveries),
                bodies: write_duration(kept.bodies),
                audit: write_duration(kept.audit),
            },
            disable_after: write_duration(settings.disable_after),
            default_grace_period: write_duration(settings.grace_period),
            egress_addresses: addresses.map(ToString::to_string).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patch(body: &str) -> Result<PlatformSettings, Vec<String>> {
        let patched = parse_patch(body.as_bytes(), &PlatformSettings::default());
        patched.map_err(|problem| {
            let Refusal::Invalid(errors) = problem else {
                panic!("it must be refused by field");
            };
            errors.into_iter().map(|error| error.field).collect()
        })
    }

    #[test]
    fn an_empty_patch_changes_nothing_and_null_sets_the_default() {
        let all = r#"{"retention":null,"disable_after":null,"default_grace_period":null,
            "egress_addresses":null}"#;
        let each = r#"{"retention":{"events":null,"deliveries":null,"bodies":null,"audit":null}}"#;

        for body in ["{}", all, each] {
            assert_eq!(patch(body), Ok(PlatformSettings::default()), "{body}");
        }
    }

    #[test]
    fn a_patch_changes_what_it_names() {
        let patched = patch(
            r#"{"retention":{"bodies":"36h"},"default_grace_period":"0",
                "egress_addresses":["203.0.113.7","203.0.113.7/32","2001:db8::1/48"]}"#,
        );

        let values = patched.map(|settings| serde_json::json!(ValuesBody::from(&settings)));
        assert_eq!(
            values,
            Ok(serde_json::json!({
                "retention": {"events": "30d", "deliveries": "30d", "bodies": "36h", "audit": "365d"},
                "disable_after": "5d", "default_grace_period": "0",
                "egress_addresses": ["203.0.113.7", "2001:db8::/48"],
            }))
        );
    }

    #[test]
    fn all_that_is_wrong_is_named() {
        let refused = patch(
            r#"{"retention":{"events":"soon","bodies":"31d","all":"1d"},"disable_after":"5",
                "default_grace_period":"8d","egress_addresses":["10.0.0.0/33"],"x":1}"#,
        );

        assert_eq!(
            refused,
            Err(vec![
                "retention.events".to_owned(),
                "retention.all".to_owned(),
                "disable_after".to_owned(),
                "egress_addresses[0]".to_owned(),
                "default_grace_period".to_owned(),
                "x".to_owned(),
            ])
        );
    }
}
