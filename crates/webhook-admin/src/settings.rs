//! The settings of the whole platform, changed by owners.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use webhook_domain::{
    AuditAction, EgressAddress, LinkPatterns, PlatformSettings, PortalUrl, Retention,
};
use webhook_store::audit::{self, AuditEntry};
use webhook_store::settings::SettingsRow;
use webhook_store::{retention, settings, transaction};

use crate::caller::Caller;
use crate::connections::Connections;
use crate::duration::{parse_duration, write_duration};
use crate::fields::Fields;
use crate::patch::Patch;
use crate::refusal::Refusal;
use crate::request;
use crate::retry_policies::{DefaultRetryPolicy, list_defaults};
use crate::schema;
use crate::version::IfMatch;

request! {
    /// A change of settings. A setting keeps its value when left out, and gets its default by `null`.
    #[derive(ToSchema)]
    pub struct PatchSettings {
        #[schema(value_type = Option<PatchRetention>)]
        retention: Patch<PatchRetention> =
            patch(|fields, name| fields.optional_object(name, PatchRetention::take)),
        /// From 1 hour to 90 days.
        #[schema(value_type = Option<schema::DisableAfterText>, inline)]
        disable_after: Patch<Duration> = patch(take_duration),
        /// Up to 7 days.
        #[schema(value_type = Option<schema::GracePeriodText>, inline)]
        default_grace_period: Patch<Duration> = patch(take_duration),
        /// Takes the place of the whole list. Addresses and networks, each once; the host bits of a
        /// network are set to zero.
        #[schema(value_type = Option<schema::EgressAddresses>, inline)]
        egress_addresses: Patch<Vec<EgressAddress>> = patch(take_addresses),
        /// Takes the place of all links. By field of a payload, such as `license_id`: the URL of the
        /// page that shows the object, with `{id}` in place of the id.
        #[schema(value_type = Option<schema::LinkPatternPairs>, inline)]
        link_patterns: Patch<LinkPatterns> = patch(take_patterns),
        /// The portal's own address: an `https` URL without path, or `http` on the reader's own machine.
        /// Messages for Slack, Discord and Teams link to the pages of deliveries whose ids have no page.
        #[schema(value_type = Option<schema::PortalUrlText>, inline)]
        portal_url: Patch<PortalUrl> = patch(take_portal_url),
    }
}

request! {
    /// Retention times, from 1 to 3,650 days each: bodies at most as long as deliveries, deliveries at
    /// most as long as events.
    #[derive(ToSchema)]
    pub struct PatchRetention {
        #[schema(value_type = Option<schema::RetentionText>, inline)]
        events: Patch<Duration> = patch(take_duration),
        #[schema(value_type = Option<schema::RetentionText>, inline)]
        deliveries: Patch<Duration> = patch(take_duration),
        #[schema(value_type = Option<schema::RetentionText>, inline)]
        bodies: Patch<Duration> = patch(take_duration),
        #[schema(value_type = Option<schema::RetentionText>, inline)]
        audit: Patch<Duration> = patch(take_duration),
    }
}

/// The settings of the whole platform. Times are a number of `s`, `m`, `h` or `d`.
#[derive(Serialize, ToSchema)]
#[schema(as = Settings)]
pub struct SettingsBody {
    /// The number of changes, from 1.
    pub version: i64,
    /// The settings.
    #[serde(flatten)]
    pub values: ValuesBody,
    /// The retry policy of each environment, with the schedule of retries.
    pub default_retry_policies: Vec<DefaultRetryPolicy>,
    /// When the settings were changed.
    pub updated_at: DateTime<Utc>,
}

/// The settings in the reach of a patch.
#[derive(Serialize, ToSchema)]
#[schema(as = SettingsValues)]
pub struct ValuesBody {
    /// How long rows are kept.
    pub retention: RetentionBody,
    /// After how long of uninterrupted failure a webhook is set Inactive. The webhook's owner is warned
    /// after half that time.
    #[schema(example = "5d")]
    pub disable_after: String,
    /// For how long a replaced secret signs as well when a rotation names no grace period.
    #[schema(example = "1d")]
    pub default_grace_period: String,
    /// The source addresses of requests to receivers, for the receivers' allow-lists.
    #[schema(example = json!(["203.0.113.7", "2001:db8::/48"]))]
    pub egress_addresses: Vec<String>,
    /// The pages that the portal links ids in payloads to, by field of the payload.
    #[schema(example = json!({"license_id": "https://licenses.example.com/{id}"}))]
    pub link_patterns: BTreeMap<String, String>,
    /// The portal's own address, for links in messages; null: not set.
    #[schema(example = "https://webhooks.example.com")]
    pub portal_url: Option<String>,
}

/// How long rows are kept. Pending deliveries and the events of pending deliveries are always kept.
#[derive(Serialize, ToSchema)]
#[schema(as = Retention)]
pub struct RetentionBody {
    /// Events, from their intake on.
    #[schema(example = "30d")]
    pub events: String,
    /// Deliveries with their attempts, from a delivery's end on.
    #[schema(example = "30d")]
    pub deliveries: String,
    /// Requests and responses of attempts, from each attempt on.
    #[schema(example = "7d")]
    pub bodies: String,
    /// Entries of the audit log.
    #[schema(example = "365d")]
    pub audit: String,
}

/// Reads the settings.
pub async fn find_settings(connections: &Connections) -> Result<SettingsBody, Refusal> {
    let mut connection = connections.acquire().await?;
    let row = settings::find(&mut connection).await?;
    let policies = list_defaults(&mut connection).await?;
    Ok(SettingsBody::of(&row, policies))
}

/// Reads the links for ids in payloads.
pub async fn find_link_patterns(connections: &Connections) -> Result<LinkPatterns, Refusal> {
    let mut connection = connections.acquire().await?;
    Ok(settings::find_link_patterns(&mut connection).await?)
}

/// Changes settings by a patch, and returns the settings afterwards.
pub async fn change_settings(
    if_match: &IfMatch,
    patch: &[u8],
    caller: &Caller,
    connections: &Connections,
) -> Result<SettingsBody, Refusal> {
    let mut connection = connections.acquire().await?;
    let changed = transaction(&mut connection, async |connection| {
        let before = settings::lock(connection).await?;
        if_match.check(before.version)?;
        let after = patch_of(patch, &before.settings)?;
        if settings::save(connection, &before, &after).await? {
            if before.settings.retention != after.retention {
                retention::begin_anew(connection).await?;
            }
            let json = |settings| serde_json::to_value(ValuesBody::from(settings)).ok();
            let entry = AuditEntry {
                before: json(&before.settings),
                after: json(&after),
                ..AuditEntry::new(AuditAction::SettingsChanged, "settings")
            };
            audit::insert(connection, &caller.actor(), &entry).await?;
        }
        Ok::<_, Refusal>(settings::find(connection).await?)
    });
    let row = changed.await?;
    let policies = list_defaults(&mut connection).await?;
    Ok(SettingsBody::of(&row, policies))
}

/// The settings after a patch, unless the patch is wrong.
pub fn patch_of(patch: &[u8], current: &PlatformSettings) -> Result<PlatformSettings, Refusal> {
    let mut fields = Fields::of_body(patch)?;
    let patched = PatchSettings::take(&mut fields).map(|patch| patch.over(current));
    let checked = patched.and_then(|patched| {
        let checked = patched.checked();
        for error in checked.as_ref().err().into_iter().flatten() {
            fields.refuse(&error.field, &error.reason);
        }
        checked.ok()
    });
    fields.end_with(checked)
}

impl PatchSettings {
    fn over(self, current: &PlatformSettings) -> PlatformSettings {
        let (current, default) = (current.clone(), PlatformSettings::default());
        PlatformSettings {
            retention: match self.retention {
                Patch::Keep => current.retention,
                Patch::Reset => default.retention,
                Patch::Set(patch) => patch.over(&current.retention),
            },
            disable_after: self
                .disable_after
                .over(current.disable_after, default.disable_after),
            grace_period: self
                .default_grace_period
                .over(current.grace_period, default.grace_period),
            egress_addresses: self
                .egress_addresses
                .over(current.egress_addresses, default.egress_addresses),
            link_patterns: self
                .link_patterns
                .over(current.link_patterns, default.link_patterns),
            portal_url: match self.portal_url {
                Patch::Keep => current.portal_url,
                Patch::Reset => default.portal_url,
                Patch::Set(url) => Some(url),
            },
        }
    }
}

impl PatchRetention {
    fn over(self, current: &Retention) -> Retention {
        let default = Retention::default();
        Retention {
            events: self.events.over(current.events, default.events),
            deliveries: self.deliveries.over(current.deliveries, default.deliveries),
            transcripts: self.bodies.over(current.transcripts, default.transcripts),
            audit: self.audit.over(current.audit, default.audit),
        }
    }
}

/// Takes a duration out. [`PlatformSettings::checked`] checks the bounds of all settings together.
fn take_duration(fields: &mut Fields<'_>, name: &str) -> Option<Duration> {
    fields.optional(name, |text| parse_duration(text, *Retention::EACH.end()))
}

/// Takes a list of addresses out, each once.
fn take_addresses(fields: &mut Fields<'_>, name: &str) -> Option<Vec<EgressAddress>> {
    let texts = |texts: Vec<String>| Ok::<_, String>(texts);
    let texts = fields.optional_json(name, "an array of strings", texts)?;
    let mut addresses = Vec::new();
    for (index, text) in texts.into_iter().enumerate() {
        match text.parse() {
            Ok(address) if addresses.contains(&address) => {}
            Ok(address) => addresses.push(address),
            Err(error) => fields.refuse(&format!("{name}[{index}]"), error),
        }
    }
    Some(addresses)
}

/// Takes links for ids out; each wrong link is refused by the name of its field.
fn take_patterns(fields: &mut Fields<'_>, name: &str) -> Option<LinkPatterns> {
    let pairs = |pairs: BTreeMap<String, String>| Ok::<_, String>(pairs);
    let pairs = fields.optional_json(name, "an object of strings", pairs)?;
    let mut patterns = LinkPatterns::default();
    for (field, url) in pairs {
        if let Err(error) = patterns.set(&field, &url) {
            fields.refuse(&format!("{name}.{field}"), error);
        }
    }
    Some(patterns)
}

fn take_portal_url(fields: &mut Fields<'_>, name: &str) -> Option<PortalUrl> {
    fields.optional(name, str::parse)
}

impl SettingsBody {
    fn of(row: &SettingsRow, default_retry_policies: Vec<DefaultRetryPolicy>) -> Self {
        Self {
            version: row.version,
            values: ValuesBody::from(&row.settings),
            default_retry_policies,
            updated_at: row.updated_at,
        }
    }
}

impl From<&PlatformSettings> for ValuesBody {
    fn from(settings: &PlatformSettings) -> Self {
        let kept = &settings.retention;
        let addresses = settings.egress_addresses.iter();
        Self {
            retention: RetentionBody {
                events: write_duration(kept.events),
                deliveries: write_duration(kept.deliveries),
                bodies: write_duration(kept.transcripts),
                audit: write_duration(kept.audit),
            },
            disable_after: write_duration(settings.disable_after),
            default_grace_period: write_duration(settings.grace_period),
            egress_addresses: addresses.map(ToString::to_string).collect(),
            link_patterns: settings.link_patterns.pairs().clone(),
            portal_url: settings.portal_url.as_ref().map(ToString::to_string),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patch(body: &str) -> Result<PlatformSettings, Vec<String>> {
        let patched = patch_of(body.as_bytes(), &PlatformSettings::default());
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
            "egress_addresses":null,"link_patterns":null,"portal_url":null}"#;
        let each = r#"{"retention":{"events":null,"deliveries":null,"bodies":null,"audit":null}}"#;

        for body in ["{}", all, each] {
            assert_eq!(patch(body), Ok(PlatformSettings::default()), "{body}");
        }
    }

    #[test]
    fn a_patch_changes_what_it_names() {
        let patched = patch(
            r#"{"retention":{"bodies":"36h"},"default_grace_period":"0",
                "egress_addresses":["203.0.113.7","203.0.113.7/32","2001:db8::1/48"],
                "link_patterns":{"license_id":"https://a.example/{id}"},
                "portal_url":"https://portal.example/"}"#,
        );

        let values = patched.map(|settings| serde_json::json!(ValuesBody::from(&settings)));
        assert_eq!(
            values,
            Ok(serde_json::json!({
                "retention": {"events": "30d", "deliveries": "30d", "bodies": "36h", "audit": "365d"},
                "disable_after": "5d", "default_grace_period": "0",
                "egress_addresses": ["203.0.113.7", "2001:db8::/48"],
                "link_patterns": {"license_id": "https://a.example/{id}"},
                "portal_url": "https://portal.example",
            }))
        );
    }

    #[test]
    fn all_that_is_wrong_is_named() {
        let refused = patch(
            r#"{"retention":{"events":"soon","bodies":"31d","all":"1d"},"disable_after":"5",
                "default_grace_period":"8d","egress_addresses":["10.0.0.0/33"],
                "link_patterns":{"license_id":"http://a.example/{id}"},
                "portal_url":"https://portal.example/admin","x":1}"#,
        );

        assert_eq!(
            refused,
            Err(vec![
                "retention.events".to_owned(),
                "retention.all".to_owned(),
                "disable_after".to_owned(),
                "egress_addresses[0]".to_owned(),
                "link_patterns.license_id".to_owned(),
                "portal_url".to_owned(),
                "default_grace_period".to_owned(),
                "x".to_owned(),
            ])
        );
    }
}
