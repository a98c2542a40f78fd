//! Webhooks: the operations on one webhook and on many, with their requests and bodies.

// A webhook in JSON: the body of a response, and the settings in requests.
mod body;
mod requests;
mod settings;

// One webhook.
mod change;
mod create;
mod delete;
mod diagnosis;
mod find;
mod replay;
mod save;
mod secret;
mod status;
mod templates;
mod test_event;
mod url;
mod warnings;

// Many webhooks.
mod bulk;
mod csv;
mod export;
mod import;
mod list;
mod namesake;

// No webhook.
mod preview;

pub(crate) use body::with_counts;
pub use body::{
    CircuitBody, CircuitState, CountsBody, LastDeliveryBody, SettingsBody, WebhookBody,
};
pub use bulk::{
    BulkResult, BulkResults, ChangeSubscriptions, ChangeWebhooks, MAX_BULK_BYTES, SetAction,
    SetWebhooks, SubscriptionAction, WebhookResult, change_webhooks,
};
pub use change::Change;
pub use create::{CreatedWebhook, create_webhook, generate_secret};
pub use csv::write_webhooks_csv;
pub use delete::delete_webhook;
pub use diagnosis::{Diagnosis, FindingBody, diagnose_webhook};
pub use export::{ExportWebhooks, ExportedWebhook, WebhooksDocument, export_webhooks};
pub use find::{find_stored, find_webhook};
pub use import::body::{FieldChange, ImportAction, ImportResult, ImportedWebhook};
pub use import::{ImportDocument, ImportTarget, MAX_IMPORT_BYTES, import_webhooks};
pub use list::{HealthPage, ListWebhooks, list_webhooks};
pub use namesake::has_namesake;
pub use preview::{LimitBody, Preview, PreviewRequest, preview_webhook};
pub use replay::{DryRun, ReplayEvents, count_missed, start_replay};
pub use requests::{CreateWebhook, ImportWebhook, MAX_WEBHOOK_BYTES, PatchWebhook, ReplaceWebhook};
pub use save::save_webhook;
pub use secret::{PreviousSecretBody, RotateSecret, SecretBody, rotate_secret, show_secret};
pub use settings::Ordering;
pub use status::set_status;
pub use templates::{TemplateVersionBody, TemplateVersions, list_templates};
pub use test_event::{SendTestEvent, TestEventSent, send_test_event};
pub use url::{UrlBody, find_whole_url, show_url};
pub use warnings::find_warnings;
