//! An exported document is brought into an environment: the way to copy staging to production.

use std::collections::{BTreeMap, HashSet};

use actix_web::HttpRequest;
use actix_web::web::{Data, Json};
use serde::Serialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use webhook_domain::{Environment, FieldError, SigningSecret, WebhookId, WebhookSettings};
use webhook_store::webhooks;
use webhook_store::{RawConnection, SealingKeys, transaction};

use super::documents::ImportWebhook;
use super::export::MAX_WEBHOOKS;
use super::settings::{Draft, NoValue};
use crate::refusals::Refusals;
use plan::plan;
use webhook_admin::Caller;
use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_admin::fields::Fields;
use webhook_admin::schema;
use webhook_admin::url_rules::UrlRules;
use webhook_admin::values::parse_bool;
use webhook_web::Authenticated;
use webhook_web::Problem;
use webhook_web::body::Body;

mod plan;

/// The most bytes that a document may have.
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// How many webhooks are written in one transaction: nobody waits long for any of them.
const STEP: usize = 50;

/// Where to, and whether for good.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(
    dead_code,
    reason = "it documents what `parse_target` reads field by field"
)]
pub(crate) struct ImportTarget {
    /// Where the webhooks are to be, whatever the document says.
    #[param(value_type = schema::EnvironmentName, inline)]
    environment: String,
    /// Only tell what would change.
    dry_run: Option<bool>,
}

/// A document as an export gives it.
#[derive(ToSchema)]
#[allow(
    dead_code,
    reason = "it documents what `parse_document` reads item by item"
)]
pub(crate) struct ImportDocument {
    /// Where it comes from.
    #[schema(value_type = Option<schema::EnvironmentName>, inline)]
    environment: Option<String>,
    /// Up to 10,000. The name tells which webhook is meant: it is changed if there is one of this
    /// name, else made. A header whose value is `null` keeps the value that is there.
    #[schema(min_items = 1, max_items = 10_000)]
    webhooks: Vec<ImportWebhook>,
}

/// What an import does, or would do.
#[derive(Serialize, ToSchema)]
pub(crate) struct ImportResult {
    #[schema(value_type = schema::EnvironmentName)]
    environment: &'static str,
    /// Whether nothing was saved.
    dry_run: bool,
    created: usize,
    updated: usize,
    unchanged: usize,
    /// In the order of the document. Webhooks that it does not name stay as they are.
    webhooks: Vec<ImportedWebhook>,
}

/// What becomes of one webhook.
#[derive(Serialize, ToSchema)]
pub(crate) struct ImportedWebhook {
    name: String,
    /// `create`, `update` or `unchanged`.
    #[schema(example = "update")]
    action: &'static str,
    /// Which webhook it is; `null` when it would be made.
    id: Option<Uuid>,
    /// What differs, by field.
    changes: BTreeMap<String, FieldChange>,
    /// Headers without a value here and there: they are left out.
    missing_headers: Vec<String>,
}

/// A field that differs.
#[derive(Serialize, ToSchema)]
pub(crate) struct FieldChange {
    /// What it is now; `null` for a new webhook, and for what is not shown.
    #[schema(value_type = Option<Value>)]
    from: Value,
    /// What it becomes.
    #[schema(value_type = Option<Value>)]
    to: Value,
}

/// Brings webhooks into an environment. Nothing is changed when one of them is refused. They are
/// written in steps of 50: should the database go away in the middle, import the document again.
#[utoipa::path(
    post, path = "/api/v1/webhooks/import", tag = "webhooks", params(ImportTarget),
    request_body = ImportDocument,
    responses((status = 200, body = ImportResult), Refusals)
)]
pub(crate) async fn import_webhooks(
    request: HttpRequest,
    body: Body<MAX_BYTES>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
    keys: Data<SealingKeys>,
    url_rules: Data<UrlRules>,
) -> Result<Json<ImportResult>, Problem> {
    let (environment, dry_run) = parse_target(request.query_string())?;
    let wanted = parse_document(&body.0, environment, &url_rules)?;
    let mut connection = connections.acquire().await?;
    check_names(&mut connection, environment, &wanted).await?;
    let mut webhooks = Vec::with_capacity(wanted.len());
    if dry_run {
        for one in &wanted {
            let present = match find_id(&mut connection, environment, one).await? {
                Some(id) => webhooks::find(&mut connection, id).await?,
                None => None,
            };
            let plan = plan(&mut connection, &keys, one, present.as_ref()).await?;
            webhooks.push(plan.told);
        }
    } else {
        for step in wanted.chunks(STEP) {
            let done = import_step(&mut connection, &keys, &caller, (environment, step));
            webhooks.extend(done.await?);
        }
    }
    let count = |action| webhooks.iter().filter(|told| told.action == action).count();
    Ok(Json(ImportResult {
        environment: environment.as_str(),
        dry_run,
        created: count("create"),
        updated: count("update"),
        unchanged: count("unchanged"),
        webhooks,
    }))
}

fn parse_target(query: &str) -> Result<(Environment, bool), Refusal> {
    let mut fields = Fields::of_query(query);
    let environment = fields.required("environment", str::parse);
    let dry_run = fields.optional("dry_run", parse_bool).unwrap_or_default();
    let errors = fields.finish();
    match environment {
        Some(environment) if errors.is_empty() => Ok((environment, dry_run)),
        _ => Err(Refusal::Invalid(errors)),
    }
}

/// A webhook of the document.
struct Wanted {
    settings: WebhookSettings,
    secret: Option<SigningSecret>,
}

fn parse_document(
    body: &[u8],
    environment: Environment,
    rules: &UrlRules,
) -> Result<Vec<Wanted>, Refusal> {
    let mut fields = Fields::of_body(body)?;
    fields.optional("environment", str::parse::<Environment>);
    let items = fields.required_items("webhooks").unwrap_or_default();
    if items.len() > MAX_WEBHOOKS {
        fields.refuse(
            "webhooks",
            format!("must have at most {MAX_WEBHOOKS} items"),
        );
        return Err(Refusal::Invalid(fields.finish()));
    }
    let mut wanted = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        let name = format!("webhooks[{index}]");
        wanted.extend(fields.nested(&name, item, |inner| {
            inner.optional("environment", str::parse::<Environment>);
            let draft = Draft::within(environment);
            let settings = draft.read(inner, rules, NoValue::Stays);
            let secret = inner.optional("secret", SigningSecret::parse);
            Some(Wanted {
                settings: settings?,
                secret,
            })
        }));
    }
    fields.end()?;
    Ok(wanted)
}

/// A name must tell one webhook, in the document and in the environment.
async fn check_names(
    connection: &mut RawConnection,
    environment: Environment,
    wanted: &[Wanted],
) -> Result<(), Refusal> {
    let twice = webhooks::list_repeated_names(connection, environment).await?;
    let mut seen = HashSet::new();
    let mut errors = Vec::new();
    for (index, one) in wanted.iter().enumerate() {
        let name = one.settings.name.as_str();
        let field = format!("webhooks[{index}].name");
        if !seen.insert(name) {
            errors.push(FieldError::new(field, "appears more than once"));
        } else if twice.contains(name) {
            let reason = "there is more than one webhook of this name";
            errors.push(FieldError::new(field, reason));
        }
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Refusal::Ambiguous(errors))
    }
}

/// Brings some webhooks in, in one transaction, so that each is decided about while nobody else
/// can change it and no other import can make one of its name.
async fn import_step(
    connection: &mut RawConnection,
    keys: &SealingKeys,
    caller: &Caller,
    (environment, wanted): (Environment, &[Wanted]),
) -> Result<Vec<ImportedWebhook>, Refusal> {
    transaction(connection, async |connection| {
        webhooks::lock_imports(connection, environment).await?;
        let mut imported = Vec::with_capacity(wanted.len());
        for one in wanted {
            let present = match find_id(connection, environment, one).await? {
                Some(id) => webhooks::lock(connection, id).await?,
                None => None,
            };
            let mut plan = plan(connection, keys, one, present.as_ref()).await?;
            plan.carry_out(connection, keys, caller).await?;
            imported.push(plan.told);
        }
        Ok(imported)
    })
    .await
}

/// Which webhook is meant by its name.
async fn find_id(
    connection: &mut RawConnection,
    environment: Environment,
    wanted: &Wanted,
) -> Result<Option<WebhookId>, Refusal> {
    let name = wanted.settings.name.as_str();
    let named = webhooks::list_named(connection, environment, name).await?;
    Ok(named.first().copied())
}
