//! Table `retry_policies`: the default of each environment, and webhooks that have their own.

use std::collections::HashMap;
use std::time::Duration;

use diesel::prelude::*;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::{Environment, RetryPolicy, WebhookId};

use crate::StoreError;
use crate::error::name;
use crate::schema::{retry_policies, webhooks};

/// A policy as its columns hold it.
#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = retry_policies, check_for_backend(diesel::pg::Pg))]
struct Columns {
    max_attempts: i32,
    initial_interval_ms: i64,
    multiplier: f64,
    max_interval_ms: i64,
    jitter: f64,
    timeout_ms: i64,
}

impl Columns {
    fn read(self) -> Result<RetryPolicy, StoreError> {
        let millis = |ms: i64| Duration::from_millis(ms.unsigned_abs());
        let policy = RetryPolicy {
            max_attempts: self.max_attempts.unsigned_abs(),
            initial_interval: millis(self.initial_interval_ms),
            multiplier: self.multiplier,
            max_interval: millis(self.max_interval_ms),
            jitter: self.jitter,
            timeout: millis(self.timeout_ms),
        };
        policy
            .checked()
            .map_err(|error| StoreError::Unreadable(format!("retry policy: {error}")))
    }

    fn of(policy: &RetryPolicy) -> Self {
        let millis = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        Self {
            max_attempts: i32::try_from(policy.max_attempts).unwrap_or(i32::MAX),
            initial_interval_ms: millis(policy.initial_interval),
            multiplier: policy.multiplier,
            max_interval_ms: millis(policy.max_interval),
            jitter: policy.jitter,
            timeout_ms: millis(policy.timeout),
        }
    }
}

/// The default of an environment.
pub async fn find_default(
    connection: &mut AsyncPgConnection,
    environment: Environment,
) -> Result<RetryPolicy, StoreError> {
    let row = retry_policies::table
        .filter(retry_policies::environment.eq(environment.as_str()))
        .select(Columns::as_select())
        .first(connection)
        .await?;
    row.read()
}

/// Sets the default of an environment. It counts for what is scheduled from then on: the
/// webhooks that it is meant for get a new version, which no worker's cache holds.
pub async fn set_default(
    connection: &mut AsyncPgConnection,
    environment: Environment,
    policy: &RetryPolicy,
) -> Result<(), StoreError> {
    let columns = Columns::of(policy);
    let transaction = async |connection: &mut AsyncPgConnection| {
        let default =
            retry_policies::table.filter(retry_policies::environment.eq(environment.as_str()));
        diesel::update(default)
            .set(&columns)
            .execute(connection)
            .await?;
        let own = retry_policies::table
            .filter(retry_policies::webhook_id.is_not_null())
            .select(retry_policies::webhook_id.assume_not_null());
        let followers = webhooks::table
            .filter(webhooks::environment.eq(environment.as_str()))
            .filter(webhooks::id.ne_all(own));
        diesel::update(followers)
            .set(webhooks::version.eq(webhooks::version + 1))
            .execute(connection)
            .await?;
        Ok(())
    };
    connection.transaction(transaction).await
}

/// The policy of a webhook's own, if it has one.
pub async fn find_own(
    connection: &mut AsyncPgConnection,
    webhook_id: WebhookId,
) -> Result<Option<RetryPolicy>, StoreError> {
    let row: Option<Columns> = retry_policies::table
        .filter(retry_policies::webhook_id.eq(webhook_id.0))
        .select(Columns::as_select())
        .first(connection)
        .await
        .optional()?;
    row.map(Columns::read).transpose()
}

/// What counts for a webhook of an environment: its own policy, else the environment's.
pub async fn find_for(
    connection: &mut AsyncPgConnection,
    webhook_id: WebhookId,
    environment: Environment,
) -> Result<RetryPolicy, StoreError> {
    let policies = Policies::read(connection, &[webhook_id.0]).await?;
    Ok(policies.of(webhook_id.0, environment))
}

/// Gives a webhook a policy of its own, in the transaction that makes or changes the webhook.
pub(crate) async fn set_own(
    connection: &mut AsyncPgConnection,
    webhook_id: WebhookId,
    policy: &RetryPolicy,
) -> Result<(), StoreError> {
    let columns = Columns::of(policy);
    diesel::insert_into(retry_policies::table)
        .values((retry_policies::webhook_id.eq(webhook_id.0), &columns))
        .on_conflict(retry_policies::webhook_id)
        .do_update()
        .set(&columns)
        .execute(connection)
        .await?;
    Ok(())
}

/// Takes a webhook's own policy away: from now on its environment's counts.
pub(crate) async fn unset_own(
    connection: &mut AsyncPgConnection,
    webhook_id: WebhookId,
) -> Result<(), StoreError> {
    let own = retry_policies::table.filter(retry_policies::webhook_id.eq(webhook_id.0));
    diesel::delete(own).execute(connection).await?;
    Ok(())
}

/// Policies as they were at one moment, to look up what counts for a webhook.
pub(crate) struct Policies {
    own: HashMap<Uuid, RetryPolicy>,
    defaults: HashMap<Environment, RetryPolicy>,
}

impl Policies {
    /// Reads every default, and what these webhooks have of their own.
    pub(crate) async fn read(
        connection: &mut AsyncPgConnection,
        webhook_ids: &[Uuid],
    ) -> Result<Self, StoreError> {
        let rows: Vec<(Option<Uuid>, Option<String>, Columns)> = retry_policies::table
            .filter(retry_policies::webhook_id.eq_any(webhook_ids))
            .or_filter(retry_policies::environment.is_not_null())
            .select((
                retry_policies::webhook_id,
                retry_policies::environment,
                Columns::as_select(),
            ))
            .load(connection)
            .await?;
        let (mut own, mut defaults) = (HashMap::new(), HashMap::new());
        for (webhook_id, environment, row) in rows {
            let policy = row.read()?;
            if let Some(environment) = environment {
                defaults.insert(name(&environment)?, policy);
            } else if let Some(webhook_id) = webhook_id {
                own.insert(webhook_id, policy);
            }
        }
        Ok(Self { own, defaults })
    }

    /// What a webhook has of its own, for whoever asks first.
    pub(crate) fn take_own(&mut self, webhook_id: Uuid) -> Option<RetryPolicy> {
        self.own.remove(&webhook_id)
    }

    /// What counts for a webhook: its own, else its environment's.
    pub(crate) fn of(&self, webhook_id: Uuid, environment: Environment) -> RetryPolicy {
        let own = self.own.get(&webhook_id);
        own.or_else(|| self.defaults.get(&environment))
            .cloned()
            .unwrap_or_default()
    }
}
