use crate::rejection::names;

names! {
    /// What an entry of the audit log tells.
    AuditAction, "audit action" {
        /// A webhook was made.
        WebhookCreated = "webhook.created",
        /// A webhook's settings were changed.
        WebhookUpdated = "webhook.updated",
        /// A webhook was deleted.
        WebhookDeleted = "webhook.deleted",
        /// The platform set a webhook Inactive.
        WebhookDisabled = "webhook.disabled",
        /// A webhook's secret was shown.
        SecretRead = "webhook.secret_read",
        /// A webhook got a new secret.
        SecretRotated = "webhook.secret_rotated",
        /// A test event was sent to a webhook.
        WebhookTested = "webhook.tested",
        /// Webhooks were exported with their secrets.
        SecretsExported = "webhooks.secrets_exported",
        /// An API key was made.
        ApiKeyCreated = "api_key.created",
        /// An API key was revoked.
        ApiKeyRevoked = "api_key.revoked",
        /// An environment's default retry policy was replaced.
        RetryPolicyReplaced = "retry_policy.replaced",
        /// The platform's settings were changed.
        SettingsChanged = "settings.changed",
    }
}
