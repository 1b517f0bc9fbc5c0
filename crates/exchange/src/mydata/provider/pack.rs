//! The package of a data set: its files, a manifest of their digests, the signature over the manifest, and the certificate.

use super::ConfigError;
use quick_xml::escape::escape;
use ring::rand::SystemRandom;
use ring::signature::{self, KeyPair as _, RsaKeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{Cursor, Write as _};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// Most characters of a file's name.
const LONGEST: usize = 100;

/// Why a package can't be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackError {
    /// A name that is none of a plain file, or one that stands twice.
    #[error("`{0}` can't be the name of a file in a package: no folders, none twice, 100 characters at most")]
    Name(String),
    /// The package has no file.
    #[error("a package needs a file")]
    Empty,
    /// The key or the packer refuses.
    #[error("the package can't be made: {0}")]
    Made(&'static str),
}

/// The agency's certificate with its key.
pub(super) struct PackSigner {
    key: RsaKeyPair,
    certificate: Vec<u8>,
}

impl PackSigner {
    pub fn read(certificate: &str, key: &str) -> Result<PackSigner, ConfigError> {
        let first = pki::pem(certificate).ok().and_then(|found| found.into_iter().next());
        let first = first.ok_or(ConfigError::Certificate)?;
        let (_, parsed) = pki::read(&first).map_err(|_| ConfigError::Certificate)?;
        let key = PrivatePkcs8KeyDer::from_pem_slice(key.as_bytes()).map_err(|_| ConfigError::Key)?;
        let key = RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()).map_err(|_| ConfigError::Key)?;
        let public = parsed.tbs_certificate().subject_public_key_info();
        if public.subject_public_key.raw_bytes() != key.public_key().as_ref() {
            return Err(ConfigError::Pair);
        }
        Ok(PackSigner {
            key,
            certificate: first.to_vec(),
        })
    }

    /// RSA PKCS#1 v1.5 with SHA-256.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, PackError> {
        let mut signed = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(&signature::RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signed)
            .map_err(|_| PackError::Made("the key does not sign"))?;
        Ok(signed)
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.chars().count() <= LONGEST
        && !name.starts_with('.')
        && !name.contains(|letter: char| letter.is_control() || matches!(letter, '/' | '\\' | ':'))
}

pub(super) fn pack(signer: &PackSigner, meta: &str, files: &[(&str, &[u8])]) -> Result<Vec<u8>, PackError> {
    if files.is_empty() {
        return Err(PackError::Empty);
    }
    let mut manifest = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<files>\n");
    let mut names = BTreeSet::new();
    for (name, content) in files {
        if !is_name(name) || !names.insert(name.to_lowercase()) {
            return Err(PackError::Name((*name).to_owned()));
        }
        let digest = hex::encode(Sha256::digest(content));
        let name = escape(*name);
        let _ = writeln!(
            manifest,
            "<file><filename>{name}</filename><digest>{digest}</digest></file>"
        );
    }
    manifest.push_str("</files>\n");
    let signed = signer.sign(manifest.as_bytes())?;
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    // one fixed time: the same content gives the same bytes, whatever the clock of the library says
    let options = SimpleFileOptions::default().last_modified_time(zip::DateTime::default());
    let mut add = |name: &str, content: &[u8]| {
        zip.start_file(name, options)
            .and_then(|()| zip.write_all(content).map_err(Into::into))
            .map_err(|_| PackError::Made("the ZIP takes no more"))
    };
    for (name, content) in files {
        add(name, content)?;
    }
    add(&format!("{meta}/manifest.xml"), manifest.as_bytes())?;
    add(&format!("{meta}/manifest.sha256withrsa"), &signed)?;
    add(&format!("{meta}/certificate.cer"), &signer.certificate)?;
    let done = zip.finish().map_err(|_| PackError::Made("the ZIP can't be ended"))?;
    Ok(done.into_inner())
}
