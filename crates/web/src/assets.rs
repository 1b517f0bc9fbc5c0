//! Style sheets and scripts: in the binary, under an address that changes with their content, compressed once.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::Embed;
use sha2::{Digest, Sha256};

#[derive(Embed)]
#[folder = "assets/"]
struct Folder;

struct Asset {
    href: String,
    hash: String,
    kind: &'static str,
    plain: Vec<u8>,
    gzip: Option<Vec<u8>>,
}

/// By file name; folders are for us, not for addresses.
static ASSETS: LazyLock<BTreeMap<String, Asset>> = LazyLock::new(|| {
    let mut assets = BTreeMap::new();
    for path in Folder::iter() {
        let name = path.rsplit('/').next().unwrap_or(&path).to_owned();
        if let (Some(kind), Some(file)) = (kind(&name), Folder::get(&path)) {
            assets.insert(name.clone(), Asset::new(&name, kind, file.data.into_owned()));
        }
    }
    assets
});

/// What is served; other files of the folder are for readers of the source.
fn kind(name: &str) -> Option<&'static str> {
    match name.rsplit('.').next()? {
        "css" => Some("text/css; charset=utf-8"),
        "js" => Some("text/javascript; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        "woff2" => Some("font/woff2"),
        _ => None,
    }
}

impl Asset {
    fn new(name: &str, kind: &'static str, plain: Vec<u8>) -> Asset {
        let digest = hex::encode(Sha256::digest(&plain));
        let hash = digest.get(..16).unwrap_or(&digest).to_owned();
        // a woff2 is compressed inside
        let gzip = if kind.starts_with("font/") {
            None
        } else {
            compressed(&plain)
        };
        Asset {
            href: format!("/assets/{hash}/{name}"),
            hash,
            kind,
            plain,
            gzip,
        }
    }
}

fn compressed(plain: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).ok()?;
    encoder.finish().ok().filter(|gzip| gzip.len() < plain.len())
}

/// The address of a file of `assets/`, by its name. An unknown name gives an address that answers 404, and a test finds it.
#[must_use]
pub fn href(name: &str) -> &'static str {
    ASSETS.get(name).map_or("/assets/missing", |asset| asset.href.as_str())
}

/// Kind and content of a file, for the few that must stand at an address of their own.
pub(crate) fn content(name: &str) -> Option<(&'static str, &'static [u8])> {
    ASSETS.get(name).map(|asset| (asset.kind, asset.plain.as_slice()))
}

/// Names of all files served.
pub fn names() -> impl Iterator<Item = &'static str> {
    ASSETS.keys().map(String::as_str)
}

/// `GET /assets/{hash}/{name}`
pub(crate) async fn serve(Path((hash, name)): Path<(String, String)>, headers: HeaderMap) -> Response {
    let Some(asset) = ASSETS.get(&name).filter(|asset| asset.hash == hash) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let common = [
        (header::CONTENT_TYPE, asset.kind),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::VARY, "accept-encoding"),
    ];
    let takes_gzip = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("gzip"));
    match &asset.gzip {
        Some(gzip) if takes_gzip => (common, [(header::CONTENT_ENCODING, "gzip")], gzip.as_slice()).into_response(),
        _ => (common, asset.plain.as_slice()).into_response(),
    }
}
