//! Jobs taken step by step.

use std::time::Duration;

use diesel::OptionalExtension;
use diesel::sql_types::Double;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use webhook_domain::JobId;

use crate::column_types::Id;
use crate::dispatch::ordering::Turns;
use crate::sql::sql;
use crate::tables::jobs::{JobScope, count_step, finish, lock_running, save_position};
use crate::{StoreError, transaction};

mod replay;
mod retry;
mod step;

/// The pause before another try of a step after a failure or a worker's death.
const PAUSE_AFTER_STEP_FAILURE: Duration = Duration::from_secs(5);

sql! {
    struct TakeStep from "jobs/take_step.sql" -> Id<JobId> {
        1 pause_s: f64 as Double,
    }
}

/// Takes and commits one step of the job that is due first. `None`: no job is due.
///
/// A failed step is tried again after [`PAUSE_AFTER_STEP_FAILURE`]; until then other jobs go on.
pub async fn take_step(connection: &mut AsyncPgConnection) -> Result<Option<Turns>, StoreError> {
    let statement = TakeStep {
        pause_s: PAUSE_AFTER_STEP_FAILURE.as_secs_f64(),
    };
    let due: Option<JobId> = statement.get_result(connection).await.optional()?;
    let Some(id) = due else {
        return Ok(None);
    };
    transaction(connection, async |connection| {
        // An admin may have cancelled the job since.
        let Some((job, position)) = lock_running(connection, id).await? else {
            return Ok(Some(Turns::default()));
        };
        let step = match &job.scope {
            JobScope::Retry(filter) => retry::step(connection, &job, filter, position).await?,
            JobScope::Replay(replay) => replay::step(connection, &job, replay, position).await?,
        };
        count_step(connection, id, step.done, step.skipped).await?;
        match &step.position {
            Some(position) => {
                let pause = job.rate.pause_after(step.done);
                save_position(connection, id, position, pause).await?;
            }
            None => finish(connection, id).await?,
        }
        Ok(Some(step.turns))
    })
    .await
}
