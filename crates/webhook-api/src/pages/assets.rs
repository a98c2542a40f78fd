//! Scripts and styles, out of the binary.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use actix_web::web::Path;
use rust_embed::Embed;
use sha2::{Digest, Sha256};

use webhook_admin::Refusal;
use webhook_web::Problem;

#[derive(Embed)]
#[folder = "assets/"]
struct Assets;

/// Where the assets of this build are: their path changes with them, so that browsers may keep
/// them.
static BASE: LazyLock<String> = LazyLock::new(|| {
    let mut hash = Sha256::new();
    for name in Assets::iter() {
        let file = Assets::get(&name).expect("it was listed");
        hash.update(name.as_bytes());
        hash.update(file.metadata.sha256_hash());
    }
    let hash = hex::encode(hash.finalize());
    format!("/admin/assets/{}", &hash[..16])
});

/// Where scripts and styles are.
pub(super) fn base() -> &'static str {
    &BASE
}

/// Serves one. While replicas are replaced, one may be asked for what another's page named: it
/// gives what it has, not to be kept.
#[allow(clippy::unused_async, reason = "handlers are async")]
pub(super) async fn show_asset(path: Path<(String, String)>) -> Result<HttpResponse, Problem> {
    let (fingerprint, name) = path.into_inner();
    let file = Assets::get(&name).ok_or(Refusal::NotFound("file"))?;
    let ours = base().ends_with(&format!("/{fingerprint}"));
    let kept = if ours {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    Ok(HttpResponse::Ok()
        .content_type(file.metadata.mimetype())
        .insert_header((CACHE_CONTROL, kept))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(file.data))
}
