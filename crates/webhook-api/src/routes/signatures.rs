//! Help for receivers: whether a request is signed as it should be, and if not, why.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use actix_web::web::{Data, Json};
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::openapi::schema::{OneOfBuilder, Schema};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;
use webhook_domain::{
    OtherWebhook, OwnSecret, ReceivedHeaders, ReceivedRequest, SchemeCheck, SecretStanding,
    SignatureCheck, SignatureFinding, Unexplained, WebhookId, check_signatures,
};
use webhook_store::secrets::{self, Secrets, Signer};
use webhook_store::{SealingKeys, deliveries};

use crate::refusals::Refusals;
use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_admin::fields::Fields;
use webhook_admin::schema;
use webhook_web::Problem;
use webhook_web::body::Body;

/// The most bytes that a request in JSON may have: room for the largest event, escaped.
const MAX_BYTES: usize = 1024 * 1024;

/// How many other webhooks are looked through at once.
const OTHERS_AT_ONCE: i64 = 500;

/// How often, the newest first: 10,000 webhooks in all.
const MAX_PAGES: usize = 20;

/// For how long: to hash the largest body 10,000 times takes seconds.
const MAX_SEARCH: Duration = Duration::from_secs(5);

/// A request as its receiver saw it, with its body as text or in base64.
pub(crate) struct VerifySignature;

impl PartialSchema for VerifySignature {
    fn schema() -> RefOr<Schema> {
        let one_of = OneOfBuilder::new()
            .item(Ref::from_schema_name("ReceivedText"))
            .item(Ref::from_schema_name("ReceivedBytes"))
            .description(Some(
                "A request as its receiver saw it, with its body as text or in base64.",
            ));
        RefOr::T(Schema::OneOf(one_of.build()))
    }
}

impl ToSchema for VerifySignature {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push(("ReceivedText".to_owned(), ReceivedText::schema()));
        schemas.push(("ReceivedBytes".to_owned(), ReceivedBytes::schema()));
    }
}

/// A request whose body is text.
#[derive(ToSchema)]
#[allow(
    dead_code,
    reason = "it documents what `parse_request` reads field by field"
)]
struct ReceivedText {
    /// The webhook that the request is for.
    webhook_id: Uuid,
    #[schema(value_type = schema::ReceivedHeaderPairs, inline)]
    headers: BTreeMap<String, String>,
    /// The raw body, before anything parsed it.
    body: String,
}

/// A request whose body is in base64.
#[derive(ToSchema)]
#[allow(
    dead_code,
    reason = "it documents what `parse_request` reads field by field"
)]
struct ReceivedBytes {
    /// The webhook that the request is for.
    webhook_id: Uuid,
    #[schema(value_type = schema::ReceivedHeaderPairs, inline)]
    headers: BTreeMap<String, String>,
    #[schema(value_type = schema::Base64Text, inline)]
    body_base64: String,
}

/// What was found out about a request.
#[derive(Serialize, ToSchema)]
pub(crate) struct VerifiedSignature {
    /// Whether there is a signature and each scheme that is there holds.
    pub(crate) valid: bool,
    /// Each scheme that is there.
    pub(crate) schemes: Vec<SchemeBody>,
    /// What is wrong, and what else is worth to know.
    pub(crate) findings: Vec<FindingBody>,
}

/// How one scheme's signature turned out.
#[derive(Serialize, ToSchema)]
#[schema(as = SchemeCheck)]
pub(crate) struct SchemeBody {
    #[schema(value_type = schema::SignatureSchemeName)]
    pub(crate) scheme: &'static str,
    pub(crate) valid: bool,
    /// Which secret made it: the `current` one, or a `previous` one that is valid still.
    #[schema(value_type = Option<schema::SecretStandingName>)]
    pub(crate) matched: Option<&'static str>,
    /// When it says that it was made.
    pub(crate) timestamp: Option<DateTime<Utc>>,
    /// How long ago that is; negative: in the future.
    pub(crate) age_seconds: Option<i64>,
}

/// What is wrong, or worth to know.
#[derive(Serialize, ToSchema)]
#[schema(as = SignatureFinding)]
pub(crate) struct FindingBody {
    #[schema(value_type = schema::FindingCodeName)]
    pub(crate) code: &'static str,
    /// What is wrong.
    #[schema(
        example = "The body is the same JSON as the one that was sent, in other bytes: \
        181 bytes were sent, 194 are here, and byte 5 (from 0) is the first that differs."
    )]
    pub(crate) message: String,
    /// What to do about it.
    #[schema(
        example = "Your framework parsed the body and wrote it again: verify over the raw bytes."
    )]
    pub(crate) advice: &'static str,
    /// The other webhook, if it is about one.
    pub(crate) webhook_id: Option<Uuid>,
}

/// Tells whether a request that arrived at a webhook's URL is signed as it should be, and if not,
/// why, as far as that can be told. Give headers and body as they arrived.
#[utoipa::path(
    post, path = "/api/v1/signatures/verify", tag = "webhooks", request_body = VerifySignature,
    responses((status = 200, body = VerifiedSignature), Refusals)
)]
pub(crate) async fn verify_signature(
    body: Body<MAX_BYTES>,
    connections: Data<Connections>,
    keys: Data<SealingKeys>,
) -> Result<Json<VerifiedSignature>, Problem> {
    let (webhook_id, request) = parse_request(&body.0)?;
    let own = find_secrets(webhook_id, &connections, &keys).await?;
    verify(request, own, &connections, &keys)
        .await
        .map(Json)
        .map_err(Problem::from)
}

/// Finds what the requests of a webhook are signed with.
pub(crate) async fn find_secrets(
    webhook_id: WebhookId,
    connections: &Connections,
    keys: &SealingKeys,
) -> Result<Vec<OwnSecret>, Refusal> {
    let mut connection = connections.acquire().await?;
    let signer = secrets::find_signer(&mut connection, keys, webhook_id).await?;
    let signer = signer.ok_or(Refusal::NotFound("webhook"))?;
    Ok(own_secrets(signer.secrets))
}

/// Tells whether a request is signed with one of these secrets, and if not, why.
pub(crate) async fn verify(
    request: ReceivedRequest,
    own: Vec<OwnSecret>,
    connections: &Connections,
    keys: &SealingKeys,
) -> Result<VerifiedSignature, Refusal> {
    let now = Utc::now();
    let sent = {
        let mut connection = connections.acquire().await?;
        let (event, delivery) = (request.event_id(), request.delivery_id());
        deliveries::find_sent_body(&mut connection, event, delivery).await?
    };
    let checked = aside(move || check_signatures(&request, &own, sent.as_ref(), now));
    let mut check = checked.await?;
    if let Some(unexplained) = check.unexplained.clone() {
        let other = find_other(connections, keys, unexplained).await?;
        check.conclude(other);
    }
    Ok(VerifiedSignature::of(&check, now))
}

fn parse_request(body: &[u8]) -> Result<(WebhookId, ReceivedRequest), Refusal> {
    let mut fields = Fields::of_body(body)?;
    let webhook_id = fields.required("webhook_id", str::parse);
    let request = parse_received(&mut fields);
    let errors = fields.finish();
    match (webhook_id, request) {
        (Some(webhook_id), Some(request)) if errors.is_empty() => Ok((webhook_id, request)),
        _ => Err(Refusal::Invalid(errors)),
    }
}

/// Takes headers and body out. `None`: something is wrong, and noted in `fields`.
pub(crate) fn parse_received(fields: &mut Fields<'_>) -> Option<ReceivedRequest> {
    let headers: Option<BTreeMap<String, String>> =
        fields.required_json("headers", "an object of strings");
    if headers
        .as_ref()
        .is_some_and(|headers| headers.len() > ReceivedHeaders::MAX)
    {
        fields.refuse(
            "headers",
            format!("must be at most {}", ReceivedHeaders::MAX),
        );
    }
    let body = if fields.has("body_base64") && !fields.has("body") {
        fields.required("body_base64", |text| {
            STANDARD
                .decode(text)
                .map_err(|_| "must be base64 with padding")
        })
    } else {
        fields.required("body", |text| Ok::<_, String>(text.as_bytes().to_vec()))
    };
    Some(ReceivedRequest {
        headers: ReceivedHeaders::new(headers?),
        body: body?.into(),
    })
}

fn own_secrets(secrets: Secrets) -> Vec<OwnSecret> {
    let previous = secrets.previous.into_iter().map(|previous| OwnSecret {
        secret: previous.secret,
        valid_until: Some(previous.valid_until),
    });
    let current = OwnSecret {
        secret: secrets.current,
        valid_until: None,
    };
    std::iter::once(current).chain(previous).collect()
}

/// Looks for the webhook whose secret it is, in pages, so that no connection and no thread is
/// held for long.
async fn find_other(
    connections: &Connections,
    keys: &SealingKeys,
    unexplained: Unexplained,
) -> Result<Option<OtherWebhook>, Refusal> {
    let (began, mut after) = (Instant::now(), None);
    for _ in 0..MAX_PAGES {
        if began.elapsed() > MAX_SEARCH {
            break;
        }
        let page = {
            let mut connection = connections.acquire().await?;
            secrets::list_signers(&mut connection, keys, after, OTHERS_AT_ONCE).await?
        };
        if page.last.is_none() {
            break;
        }
        after = page.last;
        let unexplained = unexplained.clone();
        let found = aside(move || page.signers.into_iter().find(|s| signed(s, &unexplained)));
        if let Some(signer) = found.await? {
            return Ok(Some(OtherWebhook {
                id: signer.webhook_id,
                name: signer.name,
            }));
        }
    }
    Ok(None)
}

fn signed(signer: &Signer, unexplained: &Unexplained) -> bool {
    let Secrets { current, previous } = &signer.secrets;
    let mut all = std::iter::once(current).chain(previous.iter().map(|previous| &previous.secret));
    all.any(|secret| unexplained.is_signed_by(secret))
}

/// Hashes on a thread where other requests do not wait for it.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Refusal::Broken(error.to_string()))
}

impl VerifiedSignature {
    fn of(check: &SignatureCheck, now: DateTime<Utc>) -> Self {
        Self {
            valid: check.valid,
            schemes: check
                .schemes
                .iter()
                .map(|scheme| SchemeBody::of(scheme, now))
                .collect(),
            findings: check.findings.iter().map(FindingBody::from).collect(),
        }
    }
}

impl SchemeBody {
    fn of(check: &SchemeCheck, now: DateTime<Utc>) -> Self {
        Self {
            scheme: check.scheme.as_str(),
            valid: check.matched.is_some(),
            matched: check.matched.map(SecretStanding::as_str),
            timestamp: check.signed_at,
            age_seconds: check.signed_at.map(|at| (now - at).num_seconds()),
        }
    }
}

impl From<&SignatureFinding> for FindingBody {
    fn from(finding: &SignatureFinding) -> Self {
        Self {
            code: finding.code().as_str(),
            message: finding.message(),
            advice: finding.advice(),
            webhook_id: finding.other_webhook().map(|id| id.0),
        }
    }
}
