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

/// How long a session lasts. A session ends earlier with its API key.
pub const SESSION_LASTS: Duration = Duration::from_secs(12 * 3_600);

request! {
    /// The API key of a sign-in.
    #[derive(ToSchema)]
    pub struct SignIn {
        #[schema(value_type = schema::ApiKeyText, inline)]
        key: Option<ApiKey> = required(|text| Ok::<_, String>(ApiKey::parse(text).ok())),
    }
}

impl SignIn {
    /// Reads the API key of a document. A text of another form is refused like an unknown API key.
    pub fn parse(document: &[u8]) -> Result<ApiKey, Refusal> {
        let mut fields = Fields::of_body(document)?;
        let request = Self::take(&mut fields);
        fields.end_with(request)?.key.ok_or(Refusal::Unauthorized)
    }
}

/// The response to a sign-in.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub struct SessionBody {
    /// The name of the API key.
    pub key_name: String,
    /// The role of the API key.
    #[schema(value_type = schema::RoleName)]
    pub role: Role,
    /// When the session ends; revoking the API key ends the session earlier.
    pub expires_at: DateTime<Utc>,
}

/// The holder of the request's API key or session.
#[derive(Serialize, ToSchema)]
#[schema(as = Caller)]
pub struct CallerBody {
    /// The name of the API key.
    pub key_name: String,
    /// The role of the API key.
    #[schema(value_type = schema::RoleName)]
    pub role: Role,
}

/// A new session, with the token for its cookie.
pub struct NewSession {
    /// The token. The browser keeps the token, Postgres its hash.
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

/// Ends the session of a cookie's `token`. Without such a session, no row changes.
pub async fn end_session(token: &str, connections: &Connections) -> Result<(), Refusal> {
    let mut connection = connections.acquire().await?;
    let hash = SessionToken::from_cookie(token).hash();
    sessions::delete(&mut connection, &hash).await?;
    Ok(())
}
