use http::HeaderMap;
use standardwebhooks::{Webhook, WebhookError};

pub fn verify(secret: &str, headers: &HeaderMap, body: &[u8]) -> Result<(), WebhookError> {
    Webhook::new(secret)?.verify(body, headers)
}
