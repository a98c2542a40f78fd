//! API keys, as the command line makes them.

use std::str::FromStr;

use anyhow::Context;
use uuid::Uuid;
use webhook_domain::{ApiKey, ApiKeyId, Role};
use webhook_store::api_keys;

/// What a key is called in lists: 1 to 100 characters, no control characters, trimmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyName(String);

/// The most characters that a key's name may have.
const MAX_NAME_CHARS: usize = 100;

impl FromStr for KeyName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.trim();
        if name.is_empty() || name.chars().count() > MAX_NAME_CHARS {
            return Err(format!("must have 1 to {MAX_NAME_CHARS} characters"));
        }
        if name.contains(char::is_control) {
            return Err("must not contain control characters".to_owned());
        }
        Ok(Self(name.to_owned()))
    }
}

/// Makes a key and remembers its hash. This is the only time that the key itself is known.
pub async fn create_key(database_url: &str, role: Role, name: &KeyName) -> anyhow::Result<ApiKey> {
    let pool = webhook_store::connect(database_url, 1).await?;
    let mut connection = webhook_store::acquire(&pool).await?;
    let key = ApiKey::from_random(rand::random());
    let id = ApiKeyId(Uuid::now_v7());
    api_keys::insert(&mut connection, id, &name.0, role, &key)
        .await
        .context("cannot store the key; is the database migrated?")?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_named_with_something_that_can_be_read() {
        assert!(" CI ".parse::<KeyName>().is_ok_and(|name| name.0 == "CI"));
        for text in ["", "  ", "a\nb", &"x".repeat(MAX_NAME_CHARS + 1)] {
            assert!(text.parse::<KeyName>().is_err(), "{text}");
        }
    }
}
