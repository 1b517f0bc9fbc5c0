//! Evidence of one exchange: an ASiC-E container (ETSI EN 319 162-1) with the signatures of both gateways as CAdES, the
//! timestamp over the record's batch, and everything needed to follow them by hand.
//!
//! `mimetype` (first, stored) · `request.txt`, `response.txt` (what was signed) · `META-INF/ASiCManifest-request.xml`,
//! `META-INF/signature-request.p7s`, the same for the response · `record.json` (the line of the log) · `path.txt` (from that
//! line to the root of its batch) · `batch.txt`, `META-INF/ASiCManifest-timestamp.xml`, `META-INF/timestamp.tst` · where
//! content was kept: `request-headers.txt`, `request-body.bin`, `response-headers.txt`, `response-body.bin`.

use crate::log::merkle::{batch_manifest, batch_text, path_text};
use crate::log::{Found, LogError};
use crate::signature::{Proof, SignatureError};
use crate::statement::{Direction, message_manifest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pki::fingerprint;
use std::io::{Cursor, Write};
use std::path::Path;
use std::sync::Arc;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Media type of a container.
pub const MEDIA_TYPE: &str = "application/vnd.etsi.asic-e+zip";

/// Opens what a seal has sealed; none when it can't.
pub type Unseal = Arc<dyn Fn(&[u8]) -> Option<Vec<u8>> + Send + Sync>;

/// Why there is no evidence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// No such exchange.
    #[error("the log has no exchange with this id; days that were destroyed stand in their archive only")]
    Unknown,
    /// Not stamped yet, or the batch it was stamped with is no longer whole.
    #[error(
        "the log proves no timestamp over the exchange: none has come yet, or the day its batch began on was destroyed; wait for \
         the next batch, or ask for the evidence without one"
    )]
    NotStamped,
    /// No signed message in it: a refusal before the signatures.
    #[error("the exchange was refused before a message was signed; its record stands in the log")]
    NotSigned,
    /// A certificate is missing.
    #[error("the certificate of a signer is missing from the log's folder, or is another")]
    Certificate,
    /// The sealed content can't be opened, or its hash is not the one that was signed.
    #[error("the content that was kept can't be opened, or is not what was signed")]
    Content,
    /// The container can't be made.
    #[error("the container can't be made: {0}")]
    Container(String),
}

impl From<SignatureError> for EvidenceError {
    fn from(error: SignatureError) -> EvidenceError {
        EvidenceError::Container(error.to_string())
    }
}

/// A container and the name of its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// `{message id}-{sequence number}.asice`, with letters, digits and `-` of the id only.
    pub name: String,
    /// The file.
    pub bytes: Vec<u8>,
    /// Whether content stands in it.
    pub has_content: bool,
}

struct Files(Vec<(String, Vec<u8>)>);

impl Files {
    fn add(&mut self, name: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.0.push((name.into(), bytes.into()));
    }

    fn zip(self) -> Result<Vec<u8>, EvidenceError> {
        let refused = |error: String| EvidenceError::Container(error);
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        let packed = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        zip.start_file("mimetype", stored)
            .map_err(|error| refused(error.to_string()))?;
        zip.write_all(MEDIA_TYPE.as_bytes())
            .map_err(|error| refused(error.to_string()))?;
        for (name, bytes) in self.0 {
            zip.start_file(name, packed)
                .map_err(|error| refused(error.to_string()))?;
            zip.write_all(&bytes).map_err(|error| refused(error.to_string()))?;
        }
        let done = zip.finish().map_err(|error| refused(error.to_string()))?;
        Ok(done.into_inner())
    }
}

/// Makes the containers of all exchanges with a message id or id of the exchange, out of the log in a folder. Content goes in
/// where it was kept and `unseal` opens it. With `stamped` an exchange without timestamp is refused. Blocks.
///
/// # Errors
/// [`EvidenceError`]
pub fn containers(
    folder: &Path,
    id: &str,
    stamped: bool,
    unseal: Option<&Unseal>,
) -> Result<Vec<Container>, EvidenceError> {
    let found = crate::log::find(folder, id)?;
    if found.is_empty() {
        return Err(EvidenceError::Unknown);
    }
    found
        .iter()
        .map(|one| container(folder, one, stamped, unseal))
        .collect()
}

fn container(folder: &Path, found: &Found, stamped: bool, unseal: Option<&Unseal>) -> Result<Container, EvidenceError> {
    let mut files = Files(Vec::new());
    let mut signed = 0;
    for direction in [Direction::Request, Direction::Response] {
        let Some((statement, signature)) = found.record.signed(direction) else {
            continue;
        };
        let proof: Proof = signature.parse()?;
        let path = folder
            .join("certificates")
            .join(format!("{}.der", hex::encode(proof.certificate)));
        let certificate = std::fs::read(&path).map_err(|_| EvidenceError::Certificate)?;
        if fingerprint(&certificate) != proof.certificate {
            return Err(EvidenceError::Certificate);
        }
        let word = direction.word();
        files.add(format!("{word}.txt"), statement.as_bytes());
        files.add(
            format!("META-INF/ASiCManifest-{word}.xml"),
            message_manifest(direction, &statement),
        );
        files.add(
            format!("META-INF/signature-{word}.p7s"),
            proof.cms(&certificate, direction, &statement)?,
        );
        signed += 1;
    }
    if signed == 0 {
        return Err(EvidenceError::NotSigned);
    }
    files.add("record.json", found.raw.as_slice());
    match &found.stamp {
        Some((stamp, steps)) => {
            let token = STANDARD
                .decode(&stamp.token)
                .map_err(|_| EvidenceError::Container("the token in the log can't be read".to_owned()))?;
            let batch = batch_text(stamp.first, stamp.last, stamp.count, &stamp.root);
            files.add("path.txt", path_text(steps));
            files.add("META-INF/ASiCManifest-timestamp.xml", batch_manifest(&batch));
            files.add("batch.txt", batch);
            files.add("META-INF/timestamp.tst", token);
        }
        None if stamped => return Err(EvidenceError::NotStamped),
        None => {}
    }
    let mut has_content = false;
    if let (Some(sealed), Some(unseal)) = (crate::log::content(folder, found)?, unseal) {
        let plain = unseal(&sealed).ok_or(EvidenceError::Content)?;
        let parts = parts(&plain).ok_or(EvidenceError::Content)?;
        let sides = [(&found.record.request, "request"), (&found.record.response, "response")];
        for ((part, word), content) in sides.into_iter().zip(parts.chunks(2)) {
            let (Some(part), [head, body]) = (part, content) else {
                return Err(EvidenceError::Content);
            };
            let mut running = crate::canonical::Running::default();
            running.update(body);
            let is_signed = hex::encode(crate::canonical::sha512(head)) == part.headers
                && running.finish().digest.map(hex::encode) == part.body;
            if !is_signed {
                return Err(EvidenceError::Content);
            }
            files.add(format!("{word}-headers.txt"), *head);
            if part.body.is_some() {
                files.add(format!("{word}-body.bin"), *body);
            }
        }
        has_content = true;
    }
    let id: String = found
        .record
        .id
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
        .take(80)
        .collect();
    Ok(Container {
        name: format!("{id}-{}.asice", found.seq),
        bytes: files.zip()?,
        has_content,
    })
}

/// The four parts of an exchange's content, each with its length (8 bytes, big-endian) before it.
fn parts(plain: &[u8]) -> Option<Vec<&[u8]>> {
    let mut rest = plain;
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (length, behind) = rest.split_first_chunk::<8>()?;
        let length = usize::try_from(u64::from_be_bytes(*length)).ok()?;
        let (part, behind) = behind.split_at_checked(length)?;
        found.push(part);
        rest = behind;
    }
    (found.len() == 4).then_some(found)
}
