//! Help for receivers: a check of a request's signatures, with the reason of a mismatch.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::openapi::schema::{OneOfBuilder, Schema};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;
use webhook_domain::{
    FindingCode, OtherWebhook, OwnSecret, ReceivedHeaders, ReceivedRequest, SchemeCheck,
    SecretStanding, SignatureCheck, SignatureFinding, SignatureScheme, Unexplained, WebhookId,
    check_signatures,
};
use webhook_store::secrets::{self, Secrets, Signer};
use webhook_store::{SealingKeys, deliveries};

use crate::connections::Connections;
use crate::fields::Fields;
use crate::refusal::Refusal;
use crate::request;
use crate::schema;

/// Webhooks in one page of the search for another webhook's secret.
const OTHERS_AT_ONCE: i64 = 500;

/// Pages of that search, newest webhooks first: 10,000 webhooks in all.
const MAX_PAGES: usize = 20;

/// Time limit of that search: hashing the largest body 10,000 times takes seconds.
const MAX_SEARCH: Duration = Duration::from_secs(5);

/// A request as seen by the receiver, with the body as text or in base64.
pub struct VerifySignature;

impl PartialSchema for VerifySignature {
    fn schema() -> RefOr<Schema> {
        let one_of = OneOfBuilder::new()
            .item(Ref::from_schema_name("ReceivedText"))
            .item(Ref::from_schema_name("ReceivedBytes"))
            .description(Some(
                "A request as seen by the receiver, with the body as text or in base64.",
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

request! {
    /// A request whose body is text.
    #[derive(ToSchema)]
    struct ReceivedText {
        /// The request's webhook.
        #[schema(value_type = Uuid)]
        webhook_id: WebhookId = required(str::parse),
        #[schema(value_type = schema::ReceivedHeaderPairs, inline)]
        headers: ReceivedHeaders = taken(take_headers),
        /// The raw body, before any parsing.
        #[schema(value_type = String)]
        body: Vec<u8> = required(|text| Ok::<_, String>(text.as_bytes().to_vec())),
    }
}

request! {
    /// A request whose body is in base64.
    #[derive(ToSchema)]
    struct ReceivedBytes {
        /// The request's webhook.
        #[schema(value_type = Uuid)]
        webhook_id: WebhookId = required(str::parse),
        #[schema(value_type = schema::ReceivedHeaderPairs, inline)]
        headers: ReceivedHeaders = taken(take_headers),
        #[schema(value_type = schema::Base64Text, inline)]
        body_base64: Vec<u8> = required(decode_base64),
    }
}

/// The result of a signature check.
#[derive(Serialize, ToSchema)]
pub struct VerifiedSignature {
    /// Whether the request has a signature and every signature holds.
    pub valid: bool,
    /// The signature of each scheme in the request.
    pub schemes: Vec<SchemeBody>,
    /// The faults, then hints.
    pub findings: Vec<FindingBody>,
}

/// The check of one scheme's signature.
#[derive(Serialize, ToSchema)]
#[schema(as = SchemeCheck)]
pub struct SchemeBody {
    /// The signature's scheme.
    #[schema(value_type = schema::SignatureSchemeName)]
    pub scheme: SignatureScheme,
    /// Whether one of the webhook's secrets made the signature.
    pub valid: bool,
    /// The signing secret: the `current` secret, or a `previous` secret within its grace period.
    #[schema(value_type = Option<schema::SecretStandingName>)]
    pub matched: Option<SecretStanding>,
    /// The signature's own timestamp.
    pub timestamp: Option<DateTime<Utc>>,
    /// The age of the timestamp; negative: in the future.
    pub age_seconds: Option<i64>,
}

/// A fault or a hint.
#[derive(Serialize, ToSchema)]
#[schema(as = SignatureFinding)]
pub struct FindingBody {
    /// The kind of finding, for programs.
    #[schema(value_type = schema::FindingCodeName)]
    pub code: FindingCode,
    /// The fault in a sentence.
    #[schema(
        example = "The body is the same JSON as the sent body, in other bytes: 181 bytes were sent, \
        194 were received, and byte 5 (from 0) is the first difference."
    )]
    pub message: String,
    /// The remedy in a sentence.
    #[schema(
        example = "Your framework parsed and serialised the body: verify over the raw bytes."
    )]
    pub advice: &'static str,
    /// The other webhook, for a finding about another webhook.
    pub webhook_id: Option<Uuid>,
}

/// Checks the signatures of a request, given as a JSON document.
pub async fn verify_signature(
    document: &[u8],
    connections: &Connections,
    sealing_keys: &SealingKeys,
) -> Result<VerifiedSignature, Refusal> {
    let (webhook_id, request) = parse_request(document)?;
    let own = find_secrets(webhook_id, connections, sealing_keys).await?;
    verify(request, own, connections, sealing_keys).await
}

/// Finds the secrets of a webhook: the current secret, and previous ones in their grace period.
pub async fn find_secrets(
    webhook_id: WebhookId,
    connections: &Connections,
    keys: &SealingKeys,
) -> Result<Vec<OwnSecret>, Refusal> {
    let mut connection = connections.acquire().await?;
    let signer = secrets::find_signer(&mut connection, keys, webhook_id).await?;
    let signer = signer.ok_or(Refusal::NotFound("webhook"))?;
    Ok(own_secrets(signer.secrets))
}

/// Checks a request's signatures against the secrets `own`, and explains a mismatch.
pub async fn verify(
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
    let checked = run_blocking(move || check_signatures(&request, &own, sent.as_ref(), now));
    let mut check = checked.await?;
    if let Some(unexplained) = check.unexplained.clone() {
        let other = find_other(connections, keys, unexplained).await?;
        check.conclude(other);
    }
    Ok(VerifiedSignature::of(&check, now))
}

fn parse_request(document: &[u8]) -> Result<(WebhookId, ReceivedRequest), Refusal> {
    let mut fields = Fields::of_body(document)?;
    let request = if holds_base64(&fields) {
        ReceivedBytes::take(&mut fields).map(|r| (r.webhook_id, r.headers, r.body_base64))
    } else {
        ReceivedText::take(&mut fields).map(|r| (r.webhook_id, r.headers, r.body))
    };
    let (webhook_id, headers, body) = fields.end_with(request)?;
    let body = body.into();
    Ok((webhook_id, ReceivedRequest { headers, body }))
}

/// Takes headers and body out, for a form with a webhook by name. `None`: a field is wrong, and noted in
/// `fields`.
pub fn take_received(fields: &mut Fields<'_>) -> Option<ReceivedRequest> {
    let headers = take_headers(fields, "headers");
    let body = if holds_base64(fields) {
        fields.required("body_base64", decode_base64)
    } else {
        fields.required("body", |text| Ok::<_, String>(text.as_bytes().to_vec()))
    };
    Some(ReceivedRequest {
        headers: headers?,
        body: body?.into(),
    })
}

/// Whether the body stands in `body_base64`. With both fields there, `body_base64` is refused as
/// unknown.
fn holds_base64(fields: &Fields<'_>) -> bool {
    fields.has("body_base64") && !fields.has("body")
}

fn take_headers(fields: &mut Fields<'_>, name: &str) -> Option<ReceivedHeaders> {
    let headers: BTreeMap<String, String> = fields.required_json(name, "an object of strings")?;
    if headers.len() > ReceivedHeaders::MAX {
        fields.refuse(name, format!("must be at most {}", ReceivedHeaders::MAX));
    }
    Some(ReceivedHeaders::new(headers))
}

fn decode_base64(text: &str) -> Result<Vec<u8>, &'static str> {
    let decoded = STANDARD.decode(text);
    decoded.map_err(|_| "must be base64 with padding")
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

/// Looks for another webhook whose secret made an unexplained signature. The search goes page by page:
/// no connection and no thread is held for long.
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
        let found =
            run_blocking(move || page.signers.into_iter().find(|s| signed(s, &unexplained)));
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

/// Runs hashing on a thread for blocking work: other requests go on meanwhile.
async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Refusal> {
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
            scheme: check.scheme,
            valid: check.matched.is_some(),
            matched: check.matched,
            timestamp: check.signed_at,
            age_seconds: check.signed_at.map(|at| (now - at).num_seconds()),
        }
    }
}

impl From<&SignatureFinding> for FindingBody {
    fn from(finding: &SignatureFinding) -> Self {
        Self {
            code: finding.code(),
            message: finding.message(),
            advice: finding.advice(),
            webhook_id: finding.other_webhook().map(|id| id.0),
        }
    }
}
