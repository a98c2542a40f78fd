//! `/api/v1/retry-policies`: the default retry policy of each environment.

use actix_web::HttpRequest;
use actix_web::web::{Data, Json};
use webhook_admin::Connections;
use webhook_admin::retry_policies::{
    self, DefaultRetryPolicies, DefaultRetryPolicy, ReplaceRetryPolicy, RetryPolicyRequest,
};
use webhook_admin::schema;
use webhook_domain::Environment;
use webhook_web::body::Body;
use webhook_web::{Authenticated, PathId, Problem};

use crate::refusals::Refusals;

/// The most bytes of a policy in JSON.
const MAX_BYTES: usize = 8 * 1024;

/// Lists the default retry policy of each environment.
#[utoipa::path(
    get, path = "/api/v1/retry-policies", tag = "Retry policies",
    responses((status = 200, body = DefaultRetryPolicies), Refusals)
)]
pub(crate) async fn list_retry_policies(
    connections: Data<Connections>,
) -> Result<Json<DefaultRetryPolicies>, Problem> {
    Ok(Json(
        retry_policies::list_retry_policies(&connections).await?,
    ))
}

/// Sets the default retry policy of an environment.
///
/// The policy counts for every attempt that is scheduled from now on. With `dry_run=true` nothing is
/// saved: the response shows the schedule of the policy.
#[utoipa::path(
    put, path = "/api/v1/retry-policies/{environment}", tag = "Retry policies",
    params(
        ("environment" = inline(schema::EnvironmentName), Path),
        ("dry_run" = Option<bool>, Query, description = "Only show the schedule")
    ),
    request_body = RetryPolicyRequest,
    responses((status = 200, body = DefaultRetryPolicy), Refusals)
)]
pub(crate) async fn replace_retry_policy(
    PathId(environment): PathId<Environment>,
    request: HttpRequest,
    body: Body<MAX_BYTES>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
) -> Result<Json<DefaultRetryPolicy>, Problem> {
    let asked = ReplaceRetryPolicy::parse(&body.0, request.query_string())?;
    if !asked.dry_run {
        retry_policies::replace_retry_policy(environment, &asked.policy, &caller, &connections)
            .await?;
    }
    Ok(Json(DefaultRetryPolicy::of(environment, &asked.policy)))
}
