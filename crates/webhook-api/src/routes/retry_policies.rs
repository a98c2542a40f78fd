//! Retry policies: the default of each environment, with the schedule that it makes.

use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path};
use serde::Serialize;
use utoipa::ToSchema;
use webhook_domain::{AuditAction, Environment, RetryPolicy};
use webhook_store::audit::{self, AuditEntry};
use webhook_store::{RawConnection, retry_policies, transaction};

use crate::refusals::Refusals;
use webhook_admin::Caller;
use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_admin::fields::Fields;
use webhook_admin::schema;
use webhook_admin::values::parse_bool;
use webhook_web::Authenticated;
use webhook_web::Problem;
use webhook_web::body::Body;

/// The most bytes that a policy in JSON may have.
const MAX_BYTES: usize = 8 * 1024;

/// How often and how patiently a failed delivery is to be tried again. What is left out is as in
/// the examples.
#[derive(ToSchema)]
#[allow(
    dead_code,
    reason = "it documents what `parse_policy` reads field by field"
)]
pub(crate) struct RetryPolicyRequest {
    /// Requests that a delivery may cost, the first one included.
    #[schema(minimum = 1, maximum = 50, example = 12)]
    max_attempts: Option<u32>,
    /// The delay before the first retry.
    #[schema(minimum = 1, maximum = 604_800_000_i64, example = 10_000)]
    initial_interval_ms: Option<u64>,
    /// What each delay is multiplied with.
    #[schema(minimum = 1, maximum = 100, example = 4.0)]
    multiplier: Option<f64>,
    /// The longest delay, up to 7 days.
    #[schema(minimum = 1, maximum = 604_800_000_i64, example = 43_200_000)]
    max_interval_ms: Option<u64>,
    /// How far a delay may stray.
    #[schema(minimum = 0, maximum = 1, example = 0.2)]
    jitter: Option<f64>,
    /// How long one attempt may take.
    #[schema(minimum = 100, maximum = 30_000, example = 15_000)]
    timeout_ms: Option<u64>,
}

/// How often and how patiently a failed delivery is tried again.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[schema(as = RetryPolicy)]
pub(crate) struct RetryPolicyBody {
    /// Requests that a delivery may cost, the first one included, 1 to 50.
    #[schema(example = 12)]
    pub(crate) max_attempts: u32,
    /// The delay before the first retry.
    #[schema(example = 10_000)]
    pub(crate) initial_interval_ms: u64,
    /// What each delay is multiplied with, 1 to 100.
    #[schema(example = 4.0)]
    pub(crate) multiplier: f64,
    /// The longest delay, up to 7 days.
    #[schema(example = 43_200_000)]
    pub(crate) max_interval_ms: u64,
    /// How far a delay may stray, 0 to 1.
    #[schema(example = 0.2)]
    pub(crate) jitter: f64,
    /// How long one attempt may take, 100 to 30,000.
    #[schema(example = 15_000)]
    pub(crate) timeout_ms: u64,
}

/// The default of an environment.
#[derive(Serialize, ToSchema)]
pub(crate) struct DefaultRetryPolicy {
    #[schema(value_type = schema::EnvironmentName)]
    environment: &'static str,
    #[serde(flatten)]
    policy: RetryPolicyBody,
    /// The delay before each retry, without jitter.
    schedule_ms: Vec<u64>,
    /// All delays together: how long a receiver may be away.
    total_ms: u64,
}

/// The defaults of all environments.
#[derive(Serialize, ToSchema)]
pub(crate) struct DefaultRetryPolicies {
    data: Vec<DefaultRetryPolicy>,
}

/// Lists the default of each environment.
#[utoipa::path(
    get, path = "/api/v1/retry-policies", tag = "settings",
    responses((status = 200, body = DefaultRetryPolicies), Refusals)
)]
pub(crate) async fn list_retry_policies(
    connections: Data<Connections>,
) -> Result<Json<DefaultRetryPolicies>, Problem> {
    let mut connection = connections.acquire().await?;
    let data = list_defaults(&mut connection).await?;
    Ok(Json(DefaultRetryPolicies { data }))
}

/// The default of each environment.
pub(crate) async fn list_defaults(
    connection: &mut RawConnection,
) -> Result<Vec<DefaultRetryPolicy>, Refusal> {
    let mut defaults = Vec::new();
    for environment in Environment::ALL {
        let policy = retry_policies::find_default(connection, *environment).await?;
        defaults.push(DefaultRetryPolicy::of(*environment, &policy));
    }
    Ok(defaults)
}

/// Sets the default of an environment, for what is scheduled from now on. With `dry_run=true`
/// nothing is saved: the answer shows the schedule that it would make.
#[utoipa::path(
    put, path = "/api/v1/retry-policies/{environment}", tag = "settings",
    params(
        ("environment" = inline(schema::EnvironmentName), Path),
        ("dry_run" = Option<bool>, Query, description = "Only show the schedule")
    ),
    request_body = RetryPolicyRequest,
    responses((status = 200, body = DefaultRetryPolicy), Refusals)
)]
pub(crate) async fn replace_retry_policy(
    environment: Path<String>,
    request: HttpRequest,
    body: Body<MAX_BYTES>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
) -> Result<Json<DefaultRetryPolicy>, Problem> {
    let environment = parse_environment(&environment)?;
    let mut query = Fields::of_query(request.query_string());
    let dry_run: bool = query.optional("dry_run", parse_bool).unwrap_or_default();
    let mut fields = Fields::of_body(&body.0)?;
    let policy = parse_policy(&mut fields, &RetryPolicy::default());
    let errors = [query.finish(), fields.finish()].concat();
    let Some(policy) = policy.filter(|_| errors.is_empty()) else {
        return Err(Refusal::Invalid(errors).into());
    };
    if !dry_run {
        replace(environment, &policy, &caller, &connections).await?;
    }
    Ok(Json(DefaultRetryPolicy::of(environment, &policy)))
}

/// Sets the default of an environment.
pub(crate) async fn replace(
    environment: Environment,
    policy: &RetryPolicy,
    caller: &Caller,
    connections: &Connections,
) -> Result<(), Refusal> {
    let mut connection = connections.acquire().await?;
    transaction(&mut connection, async |connection| {
        let before = retry_policies::find_default(connection, environment).await?;
        retry_policies::set_default(connection, environment, policy).await?;
        let told = |policy| serde_json::to_value(RetryPolicyBody::from(policy)).ok();
        let entry = AuditEntry {
            before: told(&before),
            after: told(policy),
            ..AuditEntry::new(AuditAction::RetryPolicyReplaced, environment.as_str())
        };
        Ok(audit::insert(connection, &caller.actor(), &entry).await?)
    })
    .await
}

/// What is no environment names none.
pub(crate) fn parse_environment(text: &str) -> Result<Environment, Refusal> {
    text.parse().map_err(|_| Refusal::NotFound("environment"))
}

/// Takes a policy's fields out. `None`: something is wrong, and noted in `fields`.
/// What is left out is as in `base`.
pub(crate) fn parse_policy(fields: &mut Fields<'_>, base: &RetryPolicy) -> Option<RetryPolicy> {
    let number = "a number";
    let millis = |ms| Ok::<_, String>(std::time::Duration::from_millis(ms));
    let count = |number| Ok::<_, String>(u32::try_from(number).unwrap_or(u32::MAX));
    let policy = RetryPolicy {
        max_attempts: fields
            .optional_whole("max_attempts", count)
            .unwrap_or(base.max_attempts),
        initial_interval: fields
            .optional_whole("initial_interval_ms", millis)
            .unwrap_or(base.initial_interval),
        multiplier: fields
            .optional_json("multiplier", number, Ok::<_, String>)
            .unwrap_or(base.multiplier),
        max_interval: fields
            .optional_whole("max_interval_ms", millis)
            .unwrap_or(base.max_interval),
        jitter: fields
            .optional_json("jitter", number, Ok::<_, String>)
            .unwrap_or(base.jitter),
        timeout: fields
            .optional_whole("timeout_ms", millis)
            .unwrap_or(base.timeout),
    };
    policy
        .checked()
        .map_err(|error| fields.refuse(error.field(), error))
        .ok()
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
    fn of(environment: Environment, policy: &RetryPolicy) -> Self {
        let schedule_ms: Vec<u64> = policy.schedule().map(millis).collect();
        Self {
            environment: environment.as_str(),
            policy: policy.into(),
            total_ms: schedule_ms.iter().sum(),
            schedule_ms,
        }
    }
}

/// Whole milliseconds.
pub(crate) fn millis(duration: std::time::Duration) -> u64 {
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
