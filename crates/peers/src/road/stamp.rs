//! A timestamp authority (RFC 3161): OpenSSL's `ts` behind HTTP.

use super::faults::FaultSwitch;
use super::pki::{Authority, Issued, Purpose, Wish};
use crate::PeerError;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

struct Shared {
    folder: PathBuf,
    faults: FaultSwitch,
    /// OpenSSL keeps the serial number in a file; one at a time.
    turn: Mutex<u64>,
}

/// The authority, with its key and settings in `folder`.
pub fn router(authority: &Authority, folder: &Path, faults: FaultSwitch) -> Result<Router, PeerError> {
    let signer: Issued = authority.issue("示範時戳中心", Wish::of(Purpose::Stamping))?;
    let folder = folder.join("stamps");
    let failed = |why: std::io::Error| PeerError::Folder {
        path: folder.clone(),
        why: why.to_string(),
    };
    std::fs::create_dir_all(&folder).map_err(failed)?;
    let at = folder.display();
    let settings = format!(
        "[tsa]\ndefault_tsa = main\n[main]\nserial = {at}/serial\ncrypto_device = builtin\nsigner_cert = {at}/signer.pem\n\
         certs = {at}/root.pem\nsigner_key = {at}/signer.key\nsigner_digest = sha256\ndefault_policy = 1.2.3.4.1\n\
         digests = sha256, sha384, sha512\nclock_precision_digits = 3\naccuracy = secs:1\nordering = no\ntsa_name = no\ness_cert_id_chain = no\n\
         ess_cert_id_alg = sha256\n"
    );
    let files = [
        ("signer.pem", signer.certificate_pem()),
        ("signer.key", signer.key_pem()),
        ("root.pem", authority.root_pem()),
        ("tsa.cnf", settings),
        ("serial", "01\n".to_owned()),
    ];
    for (name, text) in files {
        std::fs::write(folder.join(name), text).map_err(failed)?;
    }
    let shared = Shared {
        folder,
        faults,
        turn: Mutex::new(0),
    };
    Ok(Router::new().route("/", post(stamp)).with_state(Arc::new(shared)))
}

async fn stamp(State(shared): State<Arc<Shared>>, query: Bytes) -> Response {
    let faults = shared.faults.now();
    if faults.no_stamps {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let mut query = query.to_vec();
    if let (true, Some(at)) = (
        faults.other_stamps,
        query.windows(2).position(|pair| pair == [0x04, 0x20]),
    ) {
        // the first byte of the hash in the query
        if let Some(byte) = query.get_mut(at + 2) {
            *byte ^= 1;
        }
    }
    let made = tokio::task::spawn_blocking(move || {
        let mut turn = shared.turn.lock().unwrap_or_else(PoisonError::into_inner);
        *turn += 1;
        let (asked, answer) = (shared.folder.join("query.tsq"), shared.folder.join("reply.tsr"));
        std::fs::write(&asked, &query)?;
        let ran = std::process::Command::new("openssl")
            .args(["ts", "-reply", "-config"])
            .arg(shared.folder.join("tsa.cnf"))
            .arg("-queryfile")
            .arg(&asked)
            .arg("-out")
            .arg(&answer)
            .output()?;
        match ran.status.success() {
            true => std::fs::read(&answer),
            false => Err(std::io::Error::other(String::from_utf8_lossy(&ran.stderr).into_owned())),
        }
    });
    match made.await {
        Ok(Ok(reply)) => ([(header::CONTENT_TYPE, "application/timestamp-reply")], reply).into_response(),
        Ok(Err(error)) => {
            tracing::error!(%error, "the demonstration's timestamp authority fails");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
