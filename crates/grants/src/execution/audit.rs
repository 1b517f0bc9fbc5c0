//! The audit file (稽核檔) of a plan: a ZIP archive of what was sent and decided, with the digest of each part.

use std::io::{Cursor, Write as _};

use serde_json::json;
use sha2::{Digest as _, Sha256};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A file that can't be made.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The archive can't be written.
    #[error("the audit file can't be packed: {0}")]
    Packed(String),
}

/// Packs files under their names, with `manifest.json`, which says of each its length and SHA-256, and `SHA256SUMS` for
/// `sha256sum --check`. The same content gives the same bytes.
///
/// # Errors
/// [`AuditError::Packed`], for example for two files of one name.
pub fn pack(about: &serde_json::Value, files: &[(String, Vec<u8>)]) -> Result<Vec<u8>, AuditError> {
    let packed = |error: &dyn std::fmt::Display| AuditError::Packed(error.to_string());
    let mut listed = Vec::with_capacity(files.len());
    let mut sums = String::new();
    for (name, bytes) in files {
        let digest = hex::encode(Sha256::digest(bytes));
        sums.push_str(&format!("{digest}  {name}\n"));
        listed.push(json!({ "name": name, "bytes": bytes.len(), "sha256": digest }));
    }
    let manifest = json!({ "about": about, "files": listed });
    let manifest = serde_json::to_vec_pretty(&manifest).map_err(|error| packed(&error))?;
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    // no time of this machine: the archive of the same content is the same
    let options = SimpleFileOptions::default().last_modified_time(zip::DateTime::default());
    let own = [("manifest.json", manifest.as_slice()), ("SHA256SUMS", sums.as_bytes())];
    let all = files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    for (name, bytes) in own.into_iter().chain(all) {
        zip.start_file(name, options).map_err(|error| packed(&error))?;
        zip.write_all(bytes).map_err(|error| packed(&error))?;
    }
    Ok(zip.finish().map_err(|error| packed(&error))?.into_inner())
}
