//! Probes: single deliveries of webhooks with an open circuit.

use chrono::{DateTime, Utc};
use diesel::sql_types::Timestamptz;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::claimed::{ClaimedRow, read};
use crate::StoreError;
use crate::dispatch::leased::{LeasedDelivery, LeasedFrom};
use crate::sql::{Columns, sql};

sql! {
    struct ClaimProbes from "claim_probes.sql" -> Columns<ClaimedRow> {
        1 lease_until: DateTime<Utc> as Timestamptz,
    }
}

/// Leases one delivery for each webhook with an open circuit and a finished pause.
pub async fn claim_probes(
    connection: &mut AsyncPgConnection,
    lease_until: DateTime<Utc>,
) -> Result<Vec<LeasedDelivery>, StoreError> {
    let rows = ClaimProbes { lease_until }.load(connection).await?;
    Ok(read(rows, lease_until, LeasedFrom::Probe))
}
