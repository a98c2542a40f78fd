//! Table `settings`: the settings of the platform, in one row.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::dsl::now;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;
use webhook_domain::{LinkPatterns, PlatformSettings, PortalUrl, Retention};

use crate::StoreError;
use crate::error::unreadable;
use crate::schema::settings;

/// The links of messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MessageLinks {
    /// The pages of the platform for ids in payloads.
    pub patterns: LinkPatterns,
    /// The portal's own address, for the page of a delivery whose ids have no page.
    pub portal_url: Option<PortalUrl>,
}

/// The stored settings.
#[derive(Debug, Clone)]
pub struct SettingsRow {
    /// Counts the changes, from 1.
    pub version: i64,
    /// The settings.
    pub settings: PlatformSettings,
    /// The time of the latest change.
    pub updated_at: DateTime<Utc>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = settings, check_for_backend(diesel::pg::Pg))]
struct Row {
    version: i64,
    updated_at: DateTime<Utc>,
    #[diesel(embed)]
    columns: Columns,
}

#[derive(Queryable, Selectable, AsChangeset)]
// A setting that is taken away becomes null, and does not keep its value.
#[diesel(table_name = settings, treat_none_as_null = true, check_for_backend(diesel::pg::Pg))]
struct Columns {
    keep_events_s: i64,
    keep_deliveries_s: i64,
    keep_bodies_s: i64,
    keep_audit_s: i64,
    disable_after_s: i64,
    grace_period_s: i64,
    egress_addresses: Vec<String>,
    link_patterns: Value,
    portal_url: Option<String>,
}

impl Row {
    fn read(&self) -> Result<SettingsRow, StoreError> {
        Ok(SettingsRow {
            version: self.version,
            settings: self.columns.read()?,
            updated_at: self.updated_at,
        })
    }
}

impl Columns {
    fn read(&self) -> Result<PlatformSettings, StoreError> {
        let seconds = |s: i64| Duration::from_secs(s.unsigned_abs());
        let addresses = self.egress_addresses.iter().map(|text| text.parse());
        let settings = PlatformSettings {
            retention: Retention {
                events: seconds(self.keep_events_s),
                deliveries: seconds(self.keep_deliveries_s),
                transcripts: seconds(self.keep_bodies_s),
                audit: seconds(self.keep_audit_s),
            },
            disable_after: seconds(self.disable_after_s),
            grace_period: seconds(self.grace_period_s),
            egress_addresses: addresses.collect::<Result<_, _>>().map_err(unreadable)?,
            link_patterns: read_patterns(self.link_patterns.clone())?,
            portal_url: read_portal_url(self.portal_url.as_deref())?,
        };
        settings
            .checked()
            .map_err(|errors| unreadable(format!("settings: {errors:?}")))
    }

    fn of(settings: &PlatformSettings) -> Self {
        let seconds = |time: Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        let kept = &settings.retention;
        let addresses = settings.egress_addresses.iter();
        Self {
            keep_events_s: seconds(kept.events),
            keep_deliveries_s: seconds(kept.deliveries),
            keep_bodies_s: seconds(kept.transcripts),
            keep_audit_s: seconds(kept.audit),
            disable_after_s: seconds(settings.disable_after),
            grace_period_s: seconds(settings.grace_period),
            egress_addresses: addresses.map(ToString::to_string).collect(),
            link_patterns: serde_json::json!(settings.link_patterns.pairs()),
            portal_url: settings.portal_url.as_ref().map(ToString::to_string),
        }
    }
}

fn read_patterns(column: Value) -> Result<LinkPatterns, StoreError> {
    let pairs: BTreeMap<String, String> = serde_json::from_value(column).map_err(unreadable)?;
    let mut patterns = LinkPatterns::default();
    for (field, url) in pairs {
        patterns.set(&field, &url).map_err(unreadable)?;
    }
    Ok(patterns)
}

fn read_portal_url(column: Option<&str>) -> Result<Option<PortalUrl>, StoreError> {
    column.map(str::parse).transpose().map_err(unreadable)
}

/// Reads the settings.
pub async fn find(connection: &mut AsyncPgConnection) -> Result<SettingsRow, StoreError> {
    let row = settings::table.select(Row::as_select());
    row.first(connection).await?.read()
}

/// Reads the links for ids in payloads.
pub async fn find_link_patterns(
    connection: &mut AsyncPgConnection,
) -> Result<LinkPatterns, StoreError> {
    let column = settings::table.select(settings::link_patterns);
    read_patterns(column.first(connection).await?)
}

/// Reads the links of messages.
pub async fn find_message_links(
    connection: &mut AsyncPgConnection,
) -> Result<MessageLinks, StoreError> {
    let columns = settings::table.select((settings::link_patterns, settings::portal_url));
    let (patterns, portal_url): (Value, Option<String>) = columns.first(connection).await?;
    Ok(MessageLinks {
        patterns: read_patterns(patterns)?,
        portal_url: read_portal_url(portal_url.as_deref())?,
    })
}

/// How long a webhook may do nothing but fail before it is set Inactive.
pub async fn find_disable_after(
    connection: &mut AsyncPgConnection,
) -> Result<Duration, StoreError> {
    let column = settings::table.select(settings::disable_after_s);
    let seconds: i64 = column.first(connection).await?;
    Ok(Duration::from_secs(seconds.unsigned_abs()))
}

/// Reads the settings, and locks them until the caller's transaction ends.
pub async fn lock(connection: &mut AsyncPgConnection) -> Result<SettingsRow, StoreError> {
    // Two owners with the same version wait for each other here: the later one fails `If-Match`.
    let row = settings::table.select(Row::as_select()).for_update();
    row.first(connection).await?.read()
}

/// Writes new settings in the transaction that [locked](lock) the settings. `false`: no setting differs.
///
/// After a change of a retention time, the caller begins a new sweep:
/// [`begin_anew`](crate::retention::begin_anew).
pub async fn save(
    connection: &mut AsyncPgConnection,
    before: &SettingsRow,
    after: &PlatformSettings,
) -> Result<bool, StoreError> {
    if before.settings == *after {
        return Ok(false);
    }
    diesel::update(settings::table)
        .set((
            Columns::of(after),
            settings::version.eq(settings::version + 1),
            settings::updated_at.eq(now),
        ))
        .execute(connection)
        .await?;
    Ok(true)
}
