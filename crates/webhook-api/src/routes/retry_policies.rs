//! Retry policies: the default of each environment, with the schedule that it makes.

use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path};
use serde::Serialize;
use utoipa::ToSchema;
use webhook_domain::{Environment, RetryPolicy};
use webhook_store::retry_policies;

use crate::body::{Body, Fields};
use crate::connections::Connections;
use crate::problem::{Problem, ProblemBody};

/// The most bytes that a policy in JSON may have.
const MAX_BYTES: usize = 8 * 1024;

/// How often and how patiently a failed delivery is tried again. What is left out is as in the
/// examples.
#[derive(Serialize, ToSchema)]
#[schema(as = RetryPolicy)]
pub(crate) struct RetryPolicyBody {
    /// Requests that a delivery may cost, the first one included, 1 to 50.
    #[schema(example = 12)]
    max_attempts: u32,
    /// The delay before the first retry.
    #[schema(example = 10_000)]
    initial_interval_ms: u64,
    /// What each delay is multiplied with, 1 to 100.
    #[schema(example = 4.0)]
    multiplier: f64,
    /// The longest delay, up to 7 days.
    #[schema(example = 43_200_000)]
    max_interval_ms: u64,
    /// How far a delay may stray, 0 to 1.
    #[schema(example = 0.2)]
    jitter: f64,
    /// How long one attempt may take, 100 to 30,000.
    #[schema(example = 15_000)]
    timeout_ms: u64,
}

/// The default of an environment.
#[derive(Serialize, ToSchema)]
pub(crate) struct DefaultRetryPolicy {
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
    responses(
        (status = 200, body = DefaultRetryPolicies),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")
    )
)]
pub(crate) async fn list_retry_policies(
    connections: Data<Connections>,
) -> Result<Json<DefaultRetryPolicies>, Problem> {
    let mut connection = connections.acquire().await?;
    let mut data = Vec::new();
    for environment in Environment::ALL {
        let policy = retry_policies::find_default(&mut connection, *environment).await?;
        data.push(DefaultRetryPolicy::of(*environment, &policy));
    }
    Ok(Json(DefaultRetryPolicies { data }))
}

/// Sets the default of an environment, for what is scheduled from now on. With `dry_run=true`
/// nothing is saved: the answer shows the schedule that it would make.
#[utoipa::path(
    put, path = "/api/v1/retry-policies/{environment}", tag = "settings",
    params(
        ("environment" = String, Path, description = "`production`, `staging` or `development`"),
        ("dry_run" = Option<bool>, Query)
    ),
    request_body = RetryPolicyBody,
    responses(
        (status = 200, body = DefaultRetryPolicy),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")
    )
)]
pub(crate) async fn replace_retry_policy(
    environment: Path<String>,
    request: HttpRequest,
    body: Body<MAX_BYTES>,
    connections: Data<Connections>,
) -> Result<Json<DefaultRetryPolicy>, Problem> {
    let environment = environment
        .parse()
        .map_err(|_| Problem::NotFound("environment"))?;
    let mut query = Fields::of_query(request.query_string());
    let dry_run: bool = query.optional("dry_run", str::parse).unwrap_or_default();
    let mut fields = Fields::of_body(&body.0)?;
    let policy = parse_policy(&mut fields);
    let errors = [query.finish(), fields.finish()].concat();
    let Some(policy) = policy.filter(|_| errors.is_empty()) else {
        return Err(Problem::Invalid(errors));
    };
    if !dry_run {
        let mut connection = connections.acquire().await?;
        retry_policies::set_default(&mut connection, environment, &policy).await?;
    }
    Ok(Json(DefaultRetryPolicy::of(environment, &policy)))
}

/// Takes a policy's fields out. `None`: something is wrong, and noted in `fields`.
pub(crate) fn parse_policy(fields: &mut Fields<'_>) -> Option<RetryPolicy> {
    let default = RetryPolicy::default();
    let (whole, number) = ("a whole number", "a number");
    let millis = |ms| Ok::<_, String>(std::time::Duration::from_millis(ms));
    let policy = RetryPolicy {
        max_attempts: fields
            .optional_json("max_attempts", whole, Ok::<_, String>)
            .unwrap_or(default.max_attempts),
        initial_interval: fields
            .optional_json("initial_interval_ms", whole, millis)
            .unwrap_or(default.initial_interval),
        multiplier: fields
            .optional_json("multiplier", number, Ok::<_, String>)
            .unwrap_or(default.multiplier),
        max_interval: fields
            .optional_json("max_interval_ms", whole, millis)
            .unwrap_or(default.max_interval),
        jitter: fields
            .optional_json("jitter", number, Ok::<_, String>)
            .unwrap_or(default.jitter),
        timeout: fields
            .optional_json("timeout_ms", whole, millis)
            .unwrap_or(default.timeout),
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

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<RetryPolicy, Vec<String>> {
        let mut fields = Fields::of_body(body.as_bytes()).unwrap_or_default();
        let policy = parse_policy(&mut fields);
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
