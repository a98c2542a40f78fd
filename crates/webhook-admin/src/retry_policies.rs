//! Retry policies: a policy in the API's words, and the default of each environment.

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;
use webhook_domain::{AuditAction, Environment, FieldError, RetryPolicy};
use webhook_store::audit::{self, AuditEntry};
use webhook_store::{RawConnection, retry_policies, transaction};

use crate::caller::Caller;
use crate::connections::Connections;
use crate::fields::Fields;
use crate::refusal::Refusal;
use crate::request;
use crate::schema;
use crate::values::parse_bool;

request! {
    /// How often and how patiently a failed delivery is to be tried again. What is left out is as in
    /// the examples.
    #[derive(ToSchema)]
    pub struct RetryPolicyRequest {
        /// Requests that a delivery may cost, the first one included.
        #[schema(value_type = Option<u32>, minimum = 1, maximum = 50, example = 12)]
        max_attempts: Option<u64> = whole(any),
        /// The delay before the first retry.
        #[schema(minimum = 1, maximum = 604_800_000_i64, example = 10_000)]
        initial_interval_ms: Option<u64> = whole(any),
        /// What each delay is multiplied with.
        #[schema(minimum = 1, maximum = 100, example = 4.0)]
        multiplier: Option<f64> = number(any),
        /// The longest delay, up to 7 days.
        #[schema(minimum = 1, maximum = 604_800_000_i64, example = 43_200_000)]
        max_interval_ms: Option<u64> = whole(any),
        /// How far a delay may stray.
        #[schema(minimum = 0, maximum = 1, example = 0.2)]
        jitter: Option<f64> = number(any),
        /// How long one attempt may take.
        #[schema(minimum = 100, maximum = 30_000, example = 15_000)]
        timeout_ms: Option<u64> = whole(any),
    }
}

/// Takes any number: the domain checks a policy as a whole.
fn any<T>(number: T) -> Result<T, String> {
    Ok(number)
}

/// How often and how patiently a failed delivery is tried again.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[schema(as = RetryPolicy)]
pub struct RetryPolicyBody {
    /// Requests that a delivery may cost, the first one included, 1 to 50.
    #[schema(example = 12)]
    pub max_attempts: u32,
    /// The delay before the first retry.
    #[schema(example = 10_000)]
    pub initial_interval_ms: u64,
    /// What each delay is multiplied with, 1 to 100.
    #[schema(example = 4.0)]
    pub multiplier: f64,
    /// The longest delay, up to 7 days.
    #[schema(example = 43_200_000)]
    pub max_interval_ms: u64,
    /// How far a delay may stray, 0 to 1.
    #[schema(example = 0.2)]
    pub jitter: f64,
    /// How long one attempt may take, 100 to 30,000.
    #[schema(example = 15_000)]
    pub timeout_ms: u64,
}

/// The default of an environment.
#[derive(Serialize, ToSchema)]
pub struct DefaultRetryPolicy {
    /// The environment whose webhooks use the policy, unless they have their own.
    #[schema(value_type = schema::EnvironmentName)]
    pub environment: Environment,
    /// The policy.
    #[serde(flatten)]
    pub policy: RetryPolicyBody,
    /// The delay before each retry, without jitter.
    pub schedule_ms: Vec<u64>,
    /// All delays together: how long a receiver may be away.
    pub total_ms: u64,
}

/// The defaults of all environments.
#[derive(Serialize, ToSchema)]
pub struct DefaultRetryPolicies {
    /// One policy per environment.
    pub data: Vec<DefaultRetryPolicy>,
}

/// A new default policy, to be saved or only to be shown.
pub struct ReplaceRetryPolicy {
    /// The policy.
    pub policy: RetryPolicy,
    /// Whether only the policy's schedule is wanted.
    pub dry_run: bool,
}

impl ReplaceRetryPolicy {
    /// Reads a policy in JSON, and a query for whether the policy is saved.
    pub fn parse(body: &[u8], query: &str) -> Result<Self, Refusal> {
        let mut query = Fields::of_query(query);
        let dry_run = query.optional("dry_run", parse_bool).unwrap_or_default();
        let mut fields = Fields::of_body(body)?;
        let policy = parse_policy(&mut fields, &RetryPolicy::default());
        let policy = query.and(fields).end_with(policy)?;
        Ok(Self { policy, dry_run })
    }
}

/// Lists the default of each environment.
pub async fn list_retry_policies(
    connections: &Connections,
) -> Result<DefaultRetryPolicies, Refusal> {
    let mut connection = connections.acquire().await?;
    let data = list_defaults(&mut connection).await?;
    Ok(DefaultRetryPolicies { data })
}

/// Lists the default of each environment over the caller's connection.
pub async fn list_defaults(
    connection: &mut RawConnection,
) -> Result<Vec<DefaultRetryPolicy>, Refusal> {
    let mut defaults = Vec::new();
    for environment in Environment::ALL {
        let policy = retry_policies::find_default(connection, *environment).await?;
        defaults.push(DefaultRetryPolicy::of(*environment, &policy));
    }
    Ok(defaults)
}

/// Sets the default of an environment, for retries that are scheduled from now on.
pub async fn replace_retry_policy(
    environment: Environment,
    policy: &RetryPolicy,
    caller: &Caller,
    connections: &Connections,
) -> Result<(), Refusal> {
    let mut connection = connections.acquire().await?;
    transaction(&mut connection, async |connection| {
        let before = retry_policies::find_default(connection, environment).await?;
        retry_policies::set_default(connection, environment, policy).await?;
        let json = |policy| serde_json::to_value(RetryPolicyBody::from(policy)).ok();
        let entry = AuditEntry {
            before: json(&before),
            after: json(policy),
            ..AuditEntry::new(AuditAction::RetryPolicyReplaced, environment.as_str())
        };
        Ok(audit::insert(connection, &caller.actor(), &entry).await?)
    })
    .await
}

/// Takes a policy's fields out. Fields that are left out are as in `base`. `None`: a field is wrong,
/// and noted in `fields`.
pub fn parse_policy(fields: &mut Fields<'_>, base: &RetryPolicy) -> Option<RetryPolicy> {
    let request = RetryPolicyRequest::take(fields)?;
    let refuse_all = |errors: Vec<FieldError>| {
        for error in errors {
            fields.refuse(&error.field, error.reason);
        }
    };
    request.over(base).checked().map_err(refuse_all).ok()
}

impl RetryPolicyRequest {
    fn over(&self, base: &RetryPolicy) -> RetryPolicy {
        let duration = |ms: Option<u64>, base| ms.map_or(base, Duration::from_millis);
        // A count that no u32 holds is as wrong as the largest one: the check refuses both.
        let count = |number| u32::try_from(number).unwrap_or(u32::MAX);
        RetryPolicy {
            max_attempts: self.max_attempts.map_or(base.max_attempts, count),
            initial_interval: duration(self.initial_interval_ms, base.initial_interval),
            multiplier: self.multiplier.unwrap_or(base.multiplier),
            max_interval: duration(self.max_interval_ms, base.max_interval),
            jitter: self.jitter.unwrap_or(base.jitter),
            timeout: duration(self.timeout_ms, base.timeout),
        }
    }
}

impl From<&RetryPolicy> for RetryPolicyBody {
    fn from(policy: &RetryPolicy) -> Self {
        Self {
            max_attempts: policy.max_attempts,
            initial_interval_ms: millis(policy.initial_interval),
            multiplier: policy.multiplier,
            max_interval_ms: millis(policy.max_interval),
            jitter: policy.jitter,
            timeout_ms: millis(policy.timeout),
        }
    }
}

impl DefaultRetryPolicy {
    /// The default `policy` of `environment`, with the schedule that the policy makes.
    pub fn of(environment: Environment, policy: &RetryPolicy) -> Self {
        let schedule_ms: Vec<u64> = policy.schedule().map(millis).collect();
        Self {
            environment,
            policy: policy.into(),
            total_ms: schedule_ms.iter().sum(),
            schedule_ms,
        }
    }
}

/// Whole milliseconds.
pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<RetryPolicy, Vec<String>> {
        let mut fields = Fields::of_body(body.as_bytes()).unwrap_or_default();
        let policy = parse_policy(&mut fields, &RetryPolicy::default());
        let errors = fields.finish().into_iter().map(|error| error.field);
        policy.ok_or_else(|| errors.collect())
    }

    #[test]
    fn what_is_left_out_is_as_the_default() {
        let policy = parse(r#"{"max_attempts":3}"#).expect("it is right");

        assert_eq!(policy.max_attempts, 3);
        assert_eq!(policy.timeout, RetryPolicy::default().timeout);
    }

    #[test]
    fn a_policy_that_makes_no_sense_names_its_field() {
        for (body, field) in [
            (r#"{"max_attempts":0}"#, "max_attempts"),
            (r#"{"multiplier":0.5}"#, "multiplier"),
            (r#"{"jitter":2}"#, "jitter"),
            (r#"{"timeout_ms":1}"#, "timeout_ms"),
            (r#"{"initial_interval_ms":0}"#, "initial_interval_ms"),
            (r#"{"max_interval_ms":604800001}"#, "max_interval_ms"),
        ] {
            assert_eq!(parse(body).err(), Some(vec![field.to_owned()]), "{body}");
        }
    }
}
