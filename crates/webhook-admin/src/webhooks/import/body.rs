//! The result of an import in JSON.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use webhook_domain::{Environment, WebhookId};

use crate::schema;

/// The changes of an import, or of a dry run.
#[derive(Serialize, ToSchema)]
pub struct ImportResult {
    /// The environment of the webhooks.
    #[schema(value_type = schema::EnvironmentName)]
    pub environment: Environment,
    /// Whether the changes are only reported.
    pub dry_run: bool,
    /// How many webhooks were created.
    pub created: usize,
    /// How many webhooks were changed.
    pub updated: usize,
    /// How many webhooks were like in the document already.
    pub unchanged: usize,
    /// In the order of the document. All other webhooks of the environment stay.
    pub webhooks: Vec<ImportedWebhook>,
}

/// The changes of an import for a webhook.
#[derive(Serialize, ToSchema)]
pub struct ImportedWebhook {
    /// The webhook's name, which decides between create and update.
    pub name: String,
    /// `create`, `update` or `unchanged`.
    #[schema(value_type = String, example = "update")]
    pub action: ImportAction,
    /// The webhook's id; `null` if a dry run would create the webhook.
    #[schema(value_type = Option<Uuid>)]
    pub id: Option<WebhookId>,
    /// The differing fields.
    pub changes: BTreeMap<String, FieldChange>,
    /// Headers without a value in the document and in the environment, which are left out.
    pub missing_headers: Vec<String>,
}

/// The action of an import for a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportAction {
    /// The name is new: a webhook is created.
    Create,
    /// The webhook with the name is changed.
    Update,
    /// The webhook with the name has the settings of the document already.
    Unchanged,
}

/// A differing field.
#[derive(Serialize, ToSchema)]
pub struct FieldChange {
    /// The value before; `null` for a new webhook, and for a secret.
    #[schema(value_type = Option<Value>)]
    pub from: Value,
    /// The value afterwards; `null` for a secret.
    #[schema(value_type = Option<Value>)]
    pub to: Value,
}

impl ImportResult {
    /// Counts the actions of an import.
    pub(super) fn of(
        environment: Environment,
        dry_run: bool,
        webhooks: Vec<ImportedWebhook>,
    ) -> Self {
        let count = |action| webhooks.iter().filter(|one| one.action == action).count();
        Self {
            environment,
            dry_run,
            created: count(ImportAction::Create),
            updated: count(ImportAction::Update),
            unchanged: count(ImportAction::Unchanged),
            webhooks,
        }
    }
}
