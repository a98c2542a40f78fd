//! Whether dispatchers run and record results, for the top of every page and for the overview.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use webhook_domain::DispatcherTrouble;
use webhook_store::{RawConnection, dispatchers};

use crate::connections::Connections;
use crate::refusal::Refusal;

/// How long a look at the signs of life is shown: every page asks, and each asks again.
const MAX_AGE: Duration = Duration::from_secs(1);

/// The latest look at the dispatchers' signs of life.
#[derive(Default)]
pub struct DispatcherWatch(Mutex<Option<(Instant, Option<DispatcherTrouble>)>>);

impl DispatcherWatch {
    /// The trouble of dispatchers, at most a second old. `None`: dispatchers run and record.
    pub async fn trouble(
        &self,
        connections: &Connections,
    ) -> Result<Option<DispatcherTrouble>, Refusal> {
        if let Some(trouble) = self.recent() {
            return Ok(trouble);
        }
        let mut connection = connections.acquire().await?;
        let trouble = find_trouble(&mut connection).await?;
        // Several requests may look at once; the last one writes.
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), trouble));
        Ok(trouble)
    }

    fn recent(&self) -> Option<Option<DispatcherTrouble>> {
        let latest = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (looked_at, trouble) = latest?;
        (looked_at.elapsed() < MAX_AGE).then_some(trouble)
    }
}

/// Looks at the signs of life.
pub(crate) async fn find_trouble(
    connection: &mut RawConnection,
) -> Result<Option<DispatcherTrouble>, Refusal> {
    let (signs, now) = dispatchers::list_signs(connection).await?;
    Ok(DispatcherTrouble::of(&signs, now))
}

/// A trouble of all webhooks at once.
#[derive(Serialize, ToSchema)]
#[schema(as = DispatcherTrouble)]
pub struct TroubleBody {
    /// `none_runs`: no dispatcher runs; `not_recording`: results of attempts are not recorded.
    #[schema(value_type = String, pattern = "^(none_runs|not_recording)$")]
    pub code: TroubleCode,
    /// The trouble in a sentence.
    pub message: &'static str,
    /// Since when; `null`: no dispatcher has ever run.
    pub since: Option<DateTime<Utc>>,
}

/// The kind of a trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TroubleCode {
    /// No dispatcher runs.
    NoneRuns,
    /// Results of attempts are not recorded.
    NotRecording,
}

impl From<DispatcherTrouble> for TroubleBody {
    fn from(trouble: DispatcherTrouble) -> Self {
        Self {
            code: match trouble {
                DispatcherTrouble::NoneRuns { .. } => TroubleCode::NoneRuns,
                DispatcherTrouble::NotRecording { .. } => TroubleCode::NotRecording,
            },
            message: trouble.message(),
            since: trouble.since(),
        }
    }
}
