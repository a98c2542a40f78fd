//! Actions of the audit log in words.

use webhook_domain::AuditAction;

/// The title of a change.
pub(super) fn in_words(action: AuditAction) -> &'static str {
    match action {
        AuditAction::WebhookCreated => "Webhook created",
        AuditAction::WebhookUpdated => "Webhook changed",
        AuditAction::WebhookDeleted => "Webhook deleted",
        AuditAction::WebhookDisabled => "Webhook set Inactive by the platform",
        AuditAction::SecretRead => "Webhook Secret viewed",
        AuditAction::UrlRead => "Target URL viewed",
        AuditAction::SecretRotated => "New Webhook Secret generated",
        AuditAction::WebhookTested => "Test event sent",
        AuditAction::SecretsExported => "Webhooks exported with their secrets",
        AuditAction::ApiKeyCreated => "API key created",
        AuditAction::ApiKeyRevoked => "API key revoked",
        AuditAction::DeliveryResent => "Successful delivery retried",
        AuditAction::DeliveryRetried => "Delivery retried",
        AuditAction::DeliveryCancelled => "Delivery cancelled",
        AuditAction::DeliveriesRetried => "Retry of deliveries started",
        AuditAction::EventsReplayed => "Replay of missed events started",
        AuditAction::JobCancelled => "Job cancelled",
        AuditAction::RetryPolicyReplaced => "Default retry policy changed",
        AuditAction::RejectedMessageRequeued => "Rejected message requeued",
        AuditAction::RejectedMessageDiscarded => "Rejected message discarded",
        AuditAction::RejectedMessagesRequeued => "Rejected messages requeued",
        AuditAction::RejectedMessagesDiscarded => "Rejected messages discarded",
        AuditAction::SettingsChanged => "Settings changed",
    }
}
