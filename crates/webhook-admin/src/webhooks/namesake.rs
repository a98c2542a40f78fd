//! Looks for webhooks with the same name.

use webhook_domain::{Environment, WebhookId};
use webhook_store::webhooks::list_named;

use crate::connections::Connections;
use crate::refusal::Refusal;

/// Whether a webhook of the environment other than `own` has the name. Names may repeat, but an import
/// finds webhooks by their names and refuses a repeated one.
pub async fn has_namesake(
    environment: Environment,
    name: &str,
    own: Option<WebhookId>,
    connections: &Connections,
) -> Result<bool, Refusal> {
    let mut connection = connections.acquire().await?;
    let named = list_named(&mut connection, environment, name).await?;
    Ok(named.iter().any(|id| Some(*id) != own))
}
