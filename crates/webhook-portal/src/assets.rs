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

/// The path of this build's assets. The path changes with any asset, so browsers may cache assets for
/// good.
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

/// The path of scripts and styles.
pub(super) fn base() -> &'static str {
    &BASE
}

/// Serves an asset. During a roll-out, a replica may be asked for an asset of another build's page: the
/// replica serves its own, without permission to cache.
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
