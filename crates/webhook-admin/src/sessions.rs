//! Sessions: a browser signs in with an API key, and signs out.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use webhook_domain::{ApiKey, ApiKeyId, Role, SessionToken};
use webhook_store::sessions;

use crate::connections::Connections;
use crate::fields::Fields;
use crate::refusal::Refusal;
use crate::request;
use crate::schema;

/// How long a session lasts. A session also ends with its API key.
pub const SESSION_LASTS: Duration = Duration::from_secs(12 * 3_600);

request! {
    /// Who signs in.
    #[derive(ToSchema)]
    pub struct SignIn {
        #[schema(value_type = schema::ApiKeyText, inline)]
        key: Option<ApiKey> = required(|text| Ok::<_, String>(ApiKey::parse(text).ok())),
    }
}

impl SignIn {
    /// Reads the API key of a document. A text that is no API key is refused like an unknown key.
    pub fn parse(document: &[u8]) -> Result<ApiKey, Refusal> {
        let mut fields = Fields::of_body(document)?;
        let request = Self::take(&mut fields);
        fields.end_with(request)?.key.ok_or(Refusal::Unauthorized)
    }
}

/// A session that has begun.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub struct SessionBody {
    /// The name of the API key that signed in.
    pub key_name: String,
    /// The role of the API key.
    #[schema(value_type = schema::RoleName)]
    pub role: Role,
    /// When the session ends; it ends with its key too.
    pub expires_at: DateTime<Utc>,
}

/// The holder of the API key or session that a request came with.
#[derive(Serialize, ToSchema)]
#[schema(as = Caller)]
pub struct CallerBody {
    /// The name of the API key.
    pub key_name: String,
    /// The role of the API key.
    #[schema(value_type = schema::RoleName)]
    pub role: Role,
}

/// A session that has begun, with the token that its cookie carries.
pub struct NewSession {
    /// The token, which only the browser keeps.
    pub token: SessionToken,
    /// When the session ends.
    pub expires_at: DateTime<Utc>,
}

/// Begins a session of an API key.
pub async fn begin_session(
    key_id: ApiKeyId,
    connections: &Connections,
) -> Result<NewSession, Refusal> {
    let token = SessionToken::from_random(rand::random());
    let expires_at = Utc::now() + SESSION_LASTS;
    let mut connection = connections.acquire().await?;
    sessions::insert(&mut connection, &token.hash(), key_id, expires_at).await?;
    Ok(NewSession { token, expires_at })
}

/// Ends the session whose cookie carries `token`, if there is one.
pub async fn end_session(token: &str, connections: &Connections) -> Result<(), Refusal> {
    let mut connection = connections.acquire().await?;
    let hash = SessionToken::from_cookie(token).hash();
    sessions::delete(&mut connection, &hash).await?;
    Ok(())
}
