//! The actions recorded in the audit log.

use crate::names::names;

names! {
    /// The action of one entry in the audit log.
    AuditAction, "audit action" {
        /// A webhook was created.
        WebhookCreated = "webhook.created",
        /// A webhook's settings were changed.
        WebhookUpdated = "webhook.updated",
        /// A webhook was deleted.
        WebhookDeleted = "webhook.deleted",
        /// The platform set a webhook Inactive.
        WebhookDisabled = "webhook.disabled",
        /// A webhook's secret was read.
        SecretRead = "webhook.secret_read",
        /// A webhook's secret URL was read as a whole.
        UrlRead = "webhook.url_read",
        /// A webhook got a new secret.
        SecretRotated = "webhook.secret_rotated",
        /// A test event was sent to a webhook.
        WebhookTested = "webhook.tested",
        /// Webhooks were exported with their secrets.
        SecretsExported = "webhooks.secrets_exported",
        /// An API key was created.
        ApiKeyCreated = "api_key.created",
        /// An API key was revoked.
        ApiKeyRevoked = "api_key.revoked",
        /// A delivery that had succeeded was sent to its webhook a second time.
        DeliveryResent = "delivery.resent",
        /// A delivery that had not succeeded was retried by an admin.
        DeliveryRetried = "delivery.retried",
        /// A pending delivery was cancelled.
        DeliveryCancelled = "delivery.cancelled",
        /// A job that retries many deliveries was started.
        DeliveriesRetried = "deliveries.retried",
        /// A job that replays events to a webhook that missed them was started.
        EventsReplayed = "events.replayed",
        /// A job was cancelled.
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
