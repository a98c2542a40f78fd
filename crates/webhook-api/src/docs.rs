//! The pages of the API's documentation at `/api/docs/`, and the document that the pages show.

use std::sync::{Arc, LazyLock};

use actix_web::HttpResponse;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, ContentType, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use actix_web::web::Path;
use utoipa_swagger_ui::{Config, serve};
use webhook_admin::Refusal;
use webhook_web::Problem;

use crate::asyncapi::asyncapi_document;
use crate::openapi::openapi_document;

const PAGE: &str = include_str!("../assets/docs.html");

/// Files of this crate: name, media type, text.
const OWN_FILES: [(&str, &str, &str); 2] = [
    (
        "docs.css",
        "text/css; charset=utf-8",
        include_str!("../assets/docs.css"),
    ),
    (
        "docs.js",
        "text/javascript; charset=utf-8",
        include_str!("../assets/docs.js"),
    ),
];

/// Files of Swagger UI for the page. The library's own page, which offers to load documents of other
/// hosts, is not served.
const LIBRARY_FILES: [&str; 3] = [
    "swagger-ui.css",
    "swagger-ui-bundle.js",
    "favicon-32x32.png",
];

/// Swagger UI puts styles on elements, and pictures into styles.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; \
    frame-ancestors 'none'";

/// How long a browser keeps a file before the browser asks again: a new release shows after an hour.
const FILE_CACHE: &str = "public, max-age=3600";

/// Shows the page.
#[allow(clippy::unused_async, reason = "handlers are async")]
pub(crate) async fn show_page() -> HttpResponse {
    HttpResponse::Ok()
        .content_type(ContentType::html())
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((X_FRAME_OPTIONS, "DENY"))
        .insert_header((REFERRER_POLICY, "same-origin"))
        .insert_header((CACHE_CONTROL, "no-cache"))
        .body(PAGE)
}

/// Serves a script, a style or a picture of the page.
#[allow(clippy::unused_async, reason = "handlers are async")]
pub(crate) async fn show_file(name: Path<String>) -> Result<HttpResponse, Problem> {
    let (media_type, bytes) = find_file(&name).ok_or(Refusal::NotFound("file"))?;
    Ok(HttpResponse::Ok()
        .content_type(media_type)
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((CACHE_CONTROL, FILE_CACHE))
        .body(bytes))
}

/// Shows the OpenAPI document.
#[allow(clippy::unused_async, reason = "handlers are async")]
pub(crate) async fn show_document() -> HttpResponse {
    /// Written once: the document is large, and the same for every request.
    static DOCUMENT: LazyLock<String> = LazyLock::new(openapi_document);
    HttpResponse::Ok()
        .content_type(ContentType::json())
        .insert_header((CACHE_CONTROL, "no-cache"))
        .body(DOCUMENT.as_str())
}

/// Shows the AsyncAPI document.
#[allow(clippy::unused_async, reason = "handlers are async")]
pub(crate) async fn show_messages_document() -> HttpResponse {
    /// Written once: the document is the same for every request.
    static DOCUMENT: LazyLock<String> = LazyLock::new(asyncapi_document);
    HttpResponse::Ok()
        .content_type(ContentType::json())
        .insert_header((CACHE_CONTROL, "no-cache"))
        .body(DOCUMENT.as_str())
}

/// The media type and the bytes of a file.
fn find_file(name: &str) -> Option<(String, Vec<u8>)> {
    let own = OWN_FILES.iter().find(|(own, ..)| *own == name);
    if let Some((_, media_type, text)) = own {
        return Some(((*media_type).to_owned(), text.as_bytes().to_vec()));
    }
    if !LIBRARY_FILES.contains(&name) {
        return None;
    }
    let file = serve(name, Arc::new(Config::default())).ok().flatten()?;
    Some((file.content_type, file.bytes.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_asks_for_nothing_but_files_that_are_served() {
        let asked = PAGE.split(['"']).filter(|text| {
            let extensions = [".css", ".js", ".png"];
            extensions.iter().any(|extension| text.ends_with(extension))
        });
        let asked: Vec<&str> = asked.collect();

        assert_eq!(asked.len(), OWN_FILES.len() + LIBRARY_FILES.len());
        for name in asked {
            assert!(find_file(name).is_some(), "{name}");
        }
    }

    #[test]
    fn the_page_of_the_library_is_not_served() {
        assert!(find_file("index.html").is_none());
        assert!(find_file("swagger-initializer.js").is_none());
    }
}
