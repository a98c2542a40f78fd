//! Actions of the audit log in plain words.

use webhook_domain::AuditAction;

/// What was done.
pub(super) fn in_words(action: AuditAction) -> &'static str {
    match action {
        AuditAction::WebhookCreated => "Webhook added",
        AuditAction::WebhookUpdated => "Webhook changed",
        AuditAction::WebhookDeleted => "Webhook deleted",
        AuditAction::WebhookDisabled => "Webhook set Inactive by the platform",
        AuditAction::SecretRead => "Secret shown",
        AuditAction::SecretRotated => "Secret rotated",
        AuditAction::WebhookTested => "Test event sent",
        AuditAction::SecretsExported => "Webhooks exported with their secrets",
        AuditAction::ApiKeyCreated => "API key made",
        AuditAction::ApiKeyRevoked => "API key revoked",
        AuditAction::DeliveryResent => "Delivery sent again",
        AuditAction::DeliveryRetried => "Delivery retried",
        AuditAction::DeliveryCancelled => "Delivery cancelled",
        AuditAction::DeliveriesRetried => "Retry of deliveries started",
        AuditAction::EventsReplayed => "Replay of missed events started",
        AuditAction::JobCancelled => "Job cancelled",
        AuditAction::RetryPolicyReplaced => "Default retry policy changed",
        AuditAction::RejectedMessageRequeued => "Rejected message put back",
        AuditAction::RejectedMessageDiscarded => "Rejected message discarded",
        AuditAction::RejectedMessagesRequeued => "Rejected messages put back",
        AuditAction::RejectedMessagesDiscarded => "Rejected messages discarded",
        AuditAction::SettingsChanged => "Settings changed",
    }
}
