//! Imports an exported document into an environment, for example to copy staging to production.

use std::collections::HashSet;

use utoipa::{IntoParams, ToSchema};
use webhook_domain::{Environment, FieldError, WebhookId};
use webhook_store::webhooks;
use webhook_store::{RawConnection, SealingKeys, transaction};

use super::export::MAX_WEBHOOKS;
use super::requests::ImportWebhook;
use crate::caller::Caller;
use crate::connections::Connections;
use crate::fields::Fields;
use crate::refusal::Refusal;
use crate::request;
use crate::schema;
use crate::url_rules::UrlRules;
use crate::values::parse_bool;
use body::{ImportResult, ImportedWebhook};
use plan::{Plan, kept_url, plan_import};

pub(super) mod body;
mod plan;

/// The most bytes of a document.
pub const MAX_IMPORT_BYTES: usize = 32 * 1024 * 1024;

/// How many webhooks a transaction writes. The webhooks, and all imports into the environment, are
/// locked until the transaction ends.
const WEBHOOKS_PER_TRANSACTION: usize = 50;

request! {
    /// Where to import to, and whether for good.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    pub struct ImportTarget {
        /// The environment to import into; the environment of the document does not count.
        #[param(value_type = schema::EnvironmentName, inline)]
        pub environment: Environment = required(str::parse),
        /// Only report the changes.
        pub dry_run: Option<bool> = optional(parse_bool),
    }
}

impl ImportTarget {
    /// Reads a query: `environment=production&dry_run=true`.
    pub fn parse(query: &str) -> Result<Self, Refusal> {
        let mut fields = Fields::of_query(query);
        let target = Self::take(&mut fields);
        fields.end_with(target)
    }
}

/// A document of an export.
#[derive(ToSchema)]
pub struct ImportDocument {
    /// The exported environment.
    #[schema(value_type = Option<schema::EnvironmentName>, inline)]
    pub environment: Option<Environment>,
    /// Up to 10,000. A webhook with the same name is changed; a new name creates a webhook. A header
    /// with the value `null` keeps the stored value, and so does a secret URL that is not whole.
    #[schema(min_items = 1, max_items = 10_000)]
    pub webhooks: Vec<ImportWebhook>,
}

impl ImportDocument {
    /// Reads the document, for an import into `target`.
    pub fn parse(body: &[u8], target: Environment, url_rules: &UrlRules) -> Result<Self, Refusal> {
        let mut fields = Fields::of_body(body)?;
        let environment = fields.optional("environment", str::parse);
        let items = fields.required_items("webhooks").unwrap_or_default();
        if items.len() > MAX_WEBHOOKS {
            let reason = format!("must have at most {MAX_WEBHOOKS} items");
            fields.refuse("webhooks", reason);
            return Err(Refusal::Invalid(fields.finish()));
        }
        let mut webhooks = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            let name = format!("webhooks[{index}]");
            let take = |inner: &mut Fields<'_>| ImportWebhook::take(inner, target, url_rules);
            webhooks.extend(fields.nested(&name, item, take));
        }
        fields.end()?;
        Ok(Self {
            environment,
            webhooks,
        })
    }
}

/// Imports webhooks into an environment. A document with a fault changes nothing. Webhooks are
/// written in transactions of 50: if the database goes away in between, the first transactions are
/// saved, and a repeated import saves the rest.
pub async fn import_webhooks(
    target: &ImportTarget,
    document: &ImportDocument,
    caller: &Caller,
    connections: &Connections,
    sealing_keys: &SealingKeys,
) -> Result<ImportResult, Refusal> {
    let environment = target.environment;
    let dry_run = target.dry_run.unwrap_or_default();
    let mut connection = connections.acquire().await?;
    check_names(&mut connection, environment, &document.webhooks).await?;
    check_urls(&mut connection, environment, &document.webhooks).await?;
    let mut webhooks = Vec::with_capacity(document.webhooks.len());
    if dry_run {
        for wanted in &document.webhooks {
            let plan = preview(&mut connection, environment, wanted, sealing_keys).await?;
            webhooks.push(plan.imported);
        }
    } else {
        for some in document.webhooks.chunks(WEBHOOKS_PER_TRANSACTION) {
            let target = (environment, some);
            webhooks.extend(import_some(&mut connection, target, caller, sealing_keys).await?);
        }
    }
    Ok(ImportResult::of(environment, dry_run, webhooks))
}

/// Refuses ambiguous names, with two webhooks in the document or in the environment.
async fn check_names(
    connection: &mut RawConnection,
    environment: Environment,
    wanted: &[ImportWebhook],
) -> Result<(), Refusal> {
    let repeated = webhooks::list_repeated_names(connection, environment).await?;
    let mut seen = HashSet::new();
    let mut errors = Vec::new();
    for (index, one) in wanted.iter().enumerate() {
        let name = one.settings.name.as_str();
        let field = format!("webhooks[{index}].name");
        if !seen.insert(name) {
            errors.push(FieldError::new(field, "appears more than once"));
        } else if repeated.contains(name) {
            let reason = "several webhooks have this name";
            errors.push(FieldError::new(field, reason));
        }
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Refusal::Ambiguous(errors))
    }
}

/// Refuses shown forms of secret URLs where no stored webhook has the secret URL.
async fn check_urls(
    connection: &mut RawConnection,
    environment: Environment,
    wanted: &[ImportWebhook],
) -> Result<(), Refusal> {
    let mut errors = Vec::new();
    for (index, one) in wanted.iter().enumerate() {
        if one.settings.url.known().is_some() {
            continue;
        }
        let present = match find_named(connection, environment, one).await? {
            Some(id) => webhooks::find(connection, id).await?,
            None => None,
        };
        let present = present.map(|webhook| webhook.settings.url);
        if let Err(error) = kept_url(&one.settings.url, present.as_ref()) {
            errors.push(FieldError::new(format!("webhooks[{index}].url"), error));
        }
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Refusal::Invalid(errors))
    }
}

/// Reports the changes of an import for a webhook.
async fn preview(
    connection: &mut RawConnection,
    environment: Environment,
    wanted: &ImportWebhook,
    sealing_keys: &SealingKeys,
) -> Result<Plan, Refusal> {
    let present = match find_named(connection, environment, wanted).await? {
        Some(id) => webhooks::find(connection, id).await?,
        None => None,
    };
    plan_import(connection, sealing_keys, wanted, present.as_ref()).await
}

/// Imports some webhooks in a single transaction.
async fn import_some(
    connection: &mut RawConnection,
    (environment, wanted): (Environment, &[ImportWebhook]),
    caller: &Caller,
    sealing_keys: &SealingKeys,
) -> Result<Vec<ImportedWebhook>, Refusal> {
    transaction(connection, async |connection| {
        // Without this lock, two imports could each create a webhook of the same name.
        webhooks::lock_imports(connection, environment).await?;
        let mut imported = Vec::with_capacity(wanted.len());
        for one in wanted {
            // The lock comes before the plan: no other change can come in between.
            let present = match find_named(connection, environment, one).await? {
                Some(id) => webhooks::lock(connection, id).await?,
                None => None,
            };
            let mut plan = plan_import(connection, sealing_keys, one, present.as_ref()).await?;
            plan.carry_out(connection, sealing_keys, caller).await?;
            imported.push(plan.imported);
        }
        Ok(imported)
    })
    .await
}

/// The webhook with the wanted name. [`check_names`] has refused repeated names.
async fn find_named(
    connection: &mut RawConnection,
    environment: Environment,
    wanted: &ImportWebhook,
) -> Result<Option<WebhookId>, Refusal> {
    let name = wanted.settings.name.as_str();
    let named = webhooks::list_named(connection, environment, name).await?;
    Ok(named.first().copied())
}
