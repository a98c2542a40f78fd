//! Table `retry_policies`: the default policy of each environment, and webhooks' own policies.

use std::collections::HashMap;
use std::time::Duration;

use diesel::prelude::*;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use webhook_domain::{Environment, RetryPolicy, WebhookId};

use crate::StoreError;
use crate::column_types::bind;
use crate::error::unreadable;
use crate::schema::{retry_policies, webhooks};

/// The columns of a policy.
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
            // Rules may have become stricter since the policy was stored.
            .checked()
            .map_err(|errors| unreadable(format!("retry policy: {errors:?}")))
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

/// Finds the default policy of an environment.
pub async fn find_default(
    connection: &mut AsyncPgConnection,
    environment: Environment,
) -> Result<RetryPolicy, StoreError> {
    let row = retry_policies::table
        .filter(retry_policies::environment.eq(Some(environment)))
        .select(Columns::as_select())
        .first(connection)
        .await?;
    row.read()
}

/// Sets the default policy of an environment, for every retry scheduled from now on.
pub async fn set_default(
    connection: &mut AsyncPgConnection,
    environment: Environment,
    policy: &RetryPolicy,
) -> Result<(), StoreError> {
    let columns = Columns::of(policy);
    let transaction = async |connection: &mut AsyncPgConnection| {
        let default =
            retry_policies::table.filter(retry_policies::environment.eq(Some(environment)));
        diesel::update(default)
            .set(&columns)
            .execute(connection)
            .await?;
        // Workers cache policies by webhook and version. A new version makes workers read the policy again.
        let own = retry_policies::table
            .filter(retry_policies::webhook_id.is_not_null())
            .select(retry_policies::webhook_id.assume_not_null());
        let followers = webhooks::table
            .filter(webhooks::environment.eq(bind(environment)))
            .filter(webhooks::id.ne_all(own));
        diesel::update(followers)
            .set(webhooks::version.eq(webhooks::version + 1))
            .execute(connection)
            .await?;
        Ok(())
    };
    connection.transaction(transaction).await
}

/// Finds the policy of a webhook's own, if the webhook has one.
pub async fn find_own(
    connection: &mut AsyncPgConnection,
    webhook_id: WebhookId,
) -> Result<Option<RetryPolicy>, StoreError> {
    let row: Option<Columns> = retry_policies::table
        .filter(retry_policies::webhook_id.eq(Some(webhook_id)))
        .select(Columns::as_select())
        .first(connection)
        .await
        .optional()?;
    row.map(Columns::read).transpose()
}

/// Finds the policy for a webhook: its own, else the default of the environment.
pub async fn find_for(
    connection: &mut AsyncPgConnection,
    webhook_id: WebhookId,
    environment: Environment,
) -> Result<RetryPolicy, StoreError> {
    let policies = Policies::read(connection, &[webhook_id]).await?;
    Ok(policies.policy_for(webhook_id, environment))
}

/// Gives a webhook its own policy, in the transaction that creates or changes the webhook.
pub(crate) async fn set_own(
    connection: &mut AsyncPgConnection,
    webhook_id: WebhookId,
    policy: &RetryPolicy,
) -> Result<(), StoreError> {
    let columns = Columns::of(policy);
    // A webhook has at most one policy: a second one replaces the first.
    diesel::insert_into(retry_policies::table)
        .values((retry_policies::webhook_id.eq(Some(webhook_id)), &columns))
        .on_conflict(retry_policies::webhook_id)
        .do_update()
        .set(&columns)
        .execute(connection)
        .await?;
    Ok(())
}

/// Deletes a webhook's own policy: from now on the default of its environment applies.
pub(crate) async fn unset_own(
    connection: &mut AsyncPgConnection,
    webhook_id: WebhookId,
) -> Result<(), StoreError> {
    let own = retry_policies::table.filter(retry_policies::webhook_id.eq(Some(webhook_id)));
    diesel::delete(own).execute(connection).await?;
    Ok(())
}

/// The policies of several webhooks, read by one query.
pub(crate) struct Policies {
    own: HashMap<WebhookId, RetryPolicy>,
    defaults: HashMap<Environment, RetryPolicy>,
}

impl Policies {
    /// Reads the default of every environment, and the webhooks' own policies.
    pub(crate) async fn read(
        connection: &mut AsyncPgConnection,
        webhook_ids: &[WebhookId],
    ) -> Result<Self, StoreError> {
        // Defaults and own policies in one round trip: every destination needs both.
        let rows: Vec<(Option<WebhookId>, Option<Environment>, Columns)> = retry_policies::table
            .filter(retry_policies::webhook_id.eq_any(webhook_ids.iter().map(Some)))
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
                defaults.insert(environment, policy);
            } else if let Some(webhook_id) = webhook_id {
                own.insert(webhook_id, policy);
            }
        }
        Ok(Self { own, defaults })
    }

    /// Takes a webhook's own policy out of the map.
    pub(crate) fn take_own(&mut self, webhook_id: WebhookId) -> Option<RetryPolicy> {
        self.own.remove(&webhook_id)
    }

    /// The policy for a webhook: its own, else the default of the environment.
    pub(crate) fn policy_for(
        &self,
        webhook_id: WebhookId,
        environment: Environment,
    ) -> RetryPolicy {
        let own = self.own.get(&webhook_id);
        own.or_else(|| self.defaults.get(&environment))
            .cloned()
            .unwrap_or_default()
    }
}
