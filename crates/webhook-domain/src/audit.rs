use crate::names::names;

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
        /// A delivery was sent again that had succeeded.
        DeliveryResent = "delivery.resent",
        /// A delivery was asked for again that had not.
        DeliveryRetried = "delivery.retried",
        /// A pending delivery was cancelled.
        DeliveryCancelled = "delivery.cancelled",
        /// A job was started that sends deliveries again.
        DeliveriesRetried = "deliveries.retried",
        /// A job was started that sends a webhook what it missed.
        EventsReplayed = "events.replayed",
        /// A job was stopped.
        JobCancelled = "job.cancelled",
        /// An environment's default retry policy was replaced.
        RetryPolicyReplaced = "retry_policy.replaced",
        /// A rejected message was put back into the events queue.
        RejectedMessageRequeued = "rejected_message.requeued",
        /// A rejected message was deleted.
        RejectedMessageDiscarded = "rejected_message.discarded",
        /// Many rejected messages were put back into the events queue.
        RejectedMessagesRequeued = "rejected_messages.requeued",
        /// Many rejected messages were deleted.
        RejectedMessagesDiscarded = "rejected_messages.discarded",
        /// The platform's settings were changed.
        SettingsChanged = "settings.changed",
    }
}
