//! Table `settings`: what owners set for the whole platform, one row.

use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::dsl::now;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use webhook_domain::{PlatformSettings, Retention};

use crate::error::unreadable;
use crate::schema::settings;
use crate::{StoreError, retention};

/// The settings as they are remembered.
#[derive(Debug, Clone)]
pub struct SettingsRow {
    /// Counts changes, from 1.
    pub version: i64,
    /// What was set.
    pub settings: PlatformSettings,
    /// When it was.
    pub updated_at: DateTime<Utc>,
}

#[derive(Queryable, Selectable, AsChangeset)]
#[diesel(table_name = settings, check_for_backend(diesel::pg::Pg))]
struct Columns {
    keep_events_s: i64,
    keep_deliveries_s: i64,
    keep_bodies_s: i64,
    keep_audit_s: i64,
    disable_after_s: i64,
    grace_period_s: i64,
    egress_addresses: Vec<String>,
}

impl Columns {
    fn read(&self) -> Result<PlatformSettings, StoreError> {
        let seconds = |s: i64| Duration::from_secs(s.unsigned_abs());
        let addresses = self.egress_addresses.iter().map(|text| text.parse());
        let settings = PlatformSettings {
            retention: Retention {
                events: seconds(self.keep_events_s),
                deliveries: seconds(self.keep_deliveries_s),
                bodies: seconds(self.keep_bodies_s),
                audit: seconds(self.keep_audit_s),
            },
            disable_after: seconds(self.disable_after_s),
            grace_period: seconds(self.grace_period_s),
            egress_addresses: addresses.collect::<Result<_, _>>().map_err(unreadable)?,
        };
        let told = |errors: Vec<_>| unreadable(format!("settings: {errors:?}"));
        settings.checked().map_err(told)
    }

    fn of(settings: &PlatformSettings) -> Self {
        let seconds = |time: Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        let kept = &settings.retention;
        let addresses = settings.egress_addresses.iter();
        Self {
            keep_events_s: seconds(kept.events),
            keep_deliveries_s: seconds(kept.deliveries),
            keep_bodies_s: seconds(kept.bodies),
            keep_audit_s: seconds(kept.audit),
            disable_after_s: seconds(settings.disable_after),
            grace_period_s: seconds(settings.grace_period),
            egress_addresses: addresses.map(ToString::to_string).collect(),
        }
    }
}

type Row = (i64, DateTime<Utc>, Columns);

fn read((version, updated_at, columns): Row) -> Result<SettingsRow, StoreError> {
    Ok(SettingsRow {
        version,
        settings: columns.read()?,
        updated_at,
    })
}

/// The settings of this moment.
pub async fn find(connection: &mut AsyncPgConnection) -> Result<SettingsRow, StoreError> {
    let row = settings::table
        .select((
            settings::version,
            settings::updated_at,
            Columns::as_select(),
        ))
        .first(connection)
        .await?;
    read(row)
}

/// After how long of nothing but failure a webhook is set Inactive, at this moment.
pub async fn find_disable_after(
    connection: &mut AsyncPgConnection,
) -> Result<Duration, StoreError> {
    let column = settings::table.select(settings::disable_after_s);
    let seconds: i64 = column.first(connection).await?;
    Ok(Duration::from_secs(seconds.unsigned_abs()))
}

/// All of them, and keeps everybody else from changing them until the caller's transaction ends.
pub async fn lock(connection: &mut AsyncPgConnection) -> Result<SettingsRow, StoreError> {
    let row = settings::table
        .select((
            settings::version,
            settings::updated_at,
            Columns::as_select(),
        ))
        .for_update()
        .first(connection)
        .await?;
    read(row)
}

/// Writes settings that differ from those that the caller has [locked](lock), in the same
/// transaction. `false`: they do not differ.
///
/// What is to be kept for a shorter time now is looked for at once.
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
    if before.settings.retention != after.retention {
        retention::begin_anew(connection).await?;
    }
    Ok(true)
}
