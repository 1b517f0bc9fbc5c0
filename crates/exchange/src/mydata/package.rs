//! Opening a package: envelope, outer ZIP with its manifest, one inner ZIP for each data set with manifest, signature
//! and certificate. A package is accepted as a whole or refused as a whole.

use super::config::Config;
use super::jwe::{self, JweError};
use super::manifest::{self, Line, ManifestError};
use super::notification::SecretKey;
use super::unzip::{UnzipError, unzip};
use crate::certificate::{CertificateError, Facts, Trust};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use pki::{Algorithm, Hash, Purpose, Revocation};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// `SHA256withRSA`, as the platform's document calls it.
const SHA_256_WITH_RSA: Algorithm = Algorithm::RsaPkcs1(Hash::Sha256);

/// What became of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Results {
    /// 200: its files are there, signed by the agency.
    Data,
    /// 204: the register holds nothing about this person.
    Nothing,
    /// Its agency could not deliver; the status as the platform wrote it.
    Failed(u16),
    /// 200, but the platform holds all data back because another data set failed.
    HeldBack,
}

/// One data set of a package.
#[derive(Clone, PartialEq, Eq)]
pub struct DataSet {
    /// Its `resource_id`.
    pub resource_id: String,
    /// Its name, as the platform wrote it; may be empty.
    pub name: String,
    /// What became of it.
    pub result: Results,
    /// Its files by name, without those of the meta folder. Each matches the signed manifest.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Who signed it, when there is data.
    pub signer: Option<Facts>,
}

impl std::fmt::Debug for DataSet {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("DataSet")
            .field("resource_id", &self.resource_id)
            .field("result", &self.result)
            .field("files", &self.files.keys())
            .finish_non_exhaustive()
    }
}

/// A package that was checked from the envelope to the last digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// The data sets in the order of the manifest.
    pub resources: Vec<DataSet>,
    /// The time of the data. A package carries no signed time, so it is the time given when it was opened; the
    /// agencies answer while the person waits.
    pub issued: Timestamp,
}

impl Package {
    /// Checks that the package answers what was asked: no data set more, none less.
    ///
    /// # Errors
    ///
    /// [`PackageError::NotAsked`], [`PackageError::NotAnswered`].
    pub fn check_asked(&self, resources: &[String]) -> Result<(), PackageError> {
        if let Some(set) = self.resources.iter().find(|set| !resources.contains(&set.resource_id)) {
            return Err(PackageError::NotAsked(set.resource_id.clone()));
        }
        match resources
            .iter()
            .find(|id| !self.resources.iter().any(|set| set.resource_id == **id))
        {
            Some(id) => Err(PackageError::NotAnswered(id.clone())),
            None => Ok(()),
        }
    }

    /// Whether every data set came or is known to be empty.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.resources
            .iter()
            .all(|set| matches!(set.result, Results::Data | Results::Nothing))
    }
}

/// Why a package is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackageError {
    /// The envelope.
    #[error(transparent)]
    Envelope(#[from] JweError),
    /// The content of the envelope is not the JSON agreed.
    #[error("the envelope does not hold a package: {0}")]
    Payload(&'static str),
    /// Made for another service.
    #[error("the package is made for another service than `{0}`")]
    OtherService(String),
    /// A ZIP; `resource` is empty for the outer one.
    #[error("package `{resource}`: {error}")]
    Zip {
        /// The data set.
        resource: String,
        /// What is wrong.
        error: UnzipError,
    },
    /// A manifest; `resource` is empty for the outer one.
    #[error("manifest of `{resource}`: {error}")]
    Manifest {
        /// The data set.
        resource: String,
        /// What is wrong.
        error: ManifestError,
    },
    /// A file that must be there is not.
    #[error("package `{resource}` lacks `{file}`")]
    Missing {
        /// The data set; empty for the outer package.
        resource: String,
        /// The file.
        file: String,
    },
    /// A file that no manifest names.
    #[error("package `{resource}` holds `{file}`, which its manifest does not name")]
    Unlisted {
        /// The data set; empty for the outer package.
        resource: String,
        /// The file.
        file: String,
    },
    /// A file that is not the one the agency signed.
    #[error("`{file}` of `{resource}` was altered: its digest is not the signed one")]
    Digest {
        /// The data set.
        resource: String,
        /// The file.
        file: String,
    },
    /// Certificate or signature.
    #[error("data set `{resource}`: {error}")]
    Certificate {
        /// The data set.
        resource: String,
        /// What is wrong.
        error: CertificateError,
    },
    /// Signed by another agency than the one that provides this data set.
    #[error("the data set `{resource}` is signed by `{subject}`, which is not its provider")]
    WrongSigner {
        /// The data set.
        resource: String,
        /// Name of the holder.
        subject: String,
    },
    /// A data set that was not asked for.
    #[error("the package holds the data set `{0}`, which was not asked for")]
    NotAsked(String),
    /// A data set of which the package says nothing.
    #[error("the package says nothing of the data set `{0}`")]
    NotAnswered(String),
}

impl PackageError {
    /// A short fixed name of the refusal, for records and counts.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            PackageError::Envelope(JweError::WrongKey) => "wrong-key",
            PackageError::Envelope(JweError::Altered) | PackageError::Digest { .. } => "altered-package",
            PackageError::Envelope(_) => "bad-envelope",
            PackageError::Zip {
                error: UnzipError::Bomb(_) | UnzipError::TooManyEntries(_),
                ..
            } => "zip-bomb",
            PackageError::Zip {
                error: UnzipError::UnsafeName,
                ..
            } => "unsafe-file-name",
            PackageError::Certificate { error, .. } => match error {
                CertificateError::Expired(_) => "expired-certificate",
                CertificateError::NotYetValid(_) => "certificate-not-yet-valid",
                CertificateError::UnknownSignature => "unknown-signature",
                _ => "untrusted-certificate",
            },
            PackageError::WrongSigner { .. } => "wrong-signer",
            PackageError::Payload(_) | PackageError::Zip { .. } | PackageError::Manifest { .. } => "damaged-package",
            PackageError::Missing { .. } | PackageError::Unlisted { .. } => "altered-package",
            PackageError::OtherService(_) | PackageError::NotAsked(_) | PackageError::NotAnswered(_) => "wrong-package",
        }
    }
}

/// The content of the envelope.
#[derive(Deserialize)]
struct Payload {
    filename: String,
    data: String,
}

/// Opens a fetched envelope.
pub(super) fn open(
    config: &Config,
    trust: &Trust,
    envelope: &[u8],
    key: &SecretKey,
    now: Timestamp,
) -> Result<Package, PackageError> {
    let compact = std::str::from_utf8(envelope).map_err(|_| JweError::Form)?;
    let content = jwe::open(compact, key.bytes())?;
    let payload: Payload =
        serde_json::from_slice(&content).map_err(|_| PackageError::Payload("it is not the agreed JSON object"))?;
    drop(content);
    if payload.filename != format!("{}.zip", config.client_id) {
        return Err(PackageError::OtherService(config.client_id.clone()));
    }
    let data = payload
        .data
        .strip_prefix(&config.data_prefix)
        .ok_or(PackageError::Payload("its data do not start as agreed"))?;
    let archive = STANDARD
        .decode(data)
        .map_err(|_| PackageError::Payload("its data are not Base64"))?;
    drop(payload);
    let resources = outer(config, trust, &archive, now)?;
    Ok(Package { resources, issued: now })
}

/// Opens the outer ZIP.
fn outer(config: &Config, trust: &Trust, archive: &[u8], now: Timestamp) -> Result<Vec<DataSet>, PackageError> {
    let whole = String::new;
    let mut files = unzip(archive, &config.limits).map_err(|error| PackageError::Zip {
        resource: whole(),
        error,
    })?;
    let name = format!("{}/manifest.xml", config.meta_folder);
    let manifest = files.remove(&name).ok_or_else(|| PackageError::Missing {
        resource: whole(),
        file: name,
    })?;
    let lines = manifest::outer(&manifest, config.limits.manifest_bytes).map_err(|error| PackageError::Manifest {
        resource: whole(),
        error,
    })?;
    let held_back = lines.iter().any(|line| !matches!(line.code, 200 | 204));
    let mut sets = Vec::with_capacity(lines.len());
    for line in lines {
        let archive = files.remove(&line.filename.replace('\\', "/"));
        sets.push(match (line.code, archive) {
            (200, Some(archive)) => data_set(config, trust, line, &archive, now)?,
            (200, None) if held_back => bare(line, Results::HeldBack),
            (200, None) => {
                return Err(PackageError::Missing {
                    resource: whole(),
                    file: line.filename,
                });
            }
            (_, Some(_)) => {
                return Err(PackageError::Unlisted {
                    resource: whole(),
                    file: line.filename,
                });
            }
            (204, None) => bare(line, Results::Nothing),
            (code, None) => bare(line, Results::Failed(code)),
        });
    }
    match files.into_keys().next() {
        Some(file) => Err(PackageError::Unlisted {
            resource: whole(),
            file,
        }),
        None => Ok(sets),
    }
}

/// A data set without files.
fn bare(line: Line, result: Results) -> DataSet {
    DataSet {
        resource_id: line.resource_id,
        name: line.resource_name,
        result,
        files: BTreeMap::new(),
        signer: None,
    }
}

/// Opens the ZIP of one data set and checks all of it.
fn data_set(
    config: &Config,
    trust: &Trust,
    line: Line,
    archive: &[u8],
    now: Timestamp,
) -> Result<DataSet, PackageError> {
    let resource = line.resource_id.clone();
    let refused = |error| PackageError::Certificate {
        resource: resource.clone(),
        error,
    };
    let mut files = unzip(archive, &config.limits).map_err(|error| PackageError::Zip {
        resource: resource.clone(),
        error,
    })?;
    let digests = {
        let meta = |file: &str| {
            let file = format!("{}/{file}", config.meta_folder);
            files.get(&file).ok_or(PackageError::Missing {
                resource: resource.clone(),
                file,
            })
        };
        let manifest = meta("manifest.xml")?;
        let chain = pki::chain_of(meta("certificate.cer")?).map_err(refused)?;
        let trusted = trust.check(&chain, Purpose::Signing, Revocation::default(), now);
        let trusted = trusted.map_err(refused)?;
        trusted
            .verify(SHA_256_WITH_RSA, manifest, meta("manifest.sha256withrsa")?)
            .map_err(refused)?;
        // Nothing of the manifest is read before its signature holds.
        let digests =
            manifest::inner(manifest, config.limits.manifest_bytes).map_err(|error| PackageError::Manifest {
                resource: resource.clone(),
                error,
            })?;
        (digests, trusted.facts)
    };
    let (digests, signer) = digests;
    if let Some(agency) = config.signers.get(&resource)
        && !signer.names.contains(agency)
    {
        return Err(PackageError::WrongSigner {
            resource,
            subject: signer.subject,
        });
    }
    for (file, digest) in &digests {
        let content = files.get(file).ok_or_else(|| PackageError::Missing {
            resource: resource.clone(),
            file: file.clone(),
        })?;
        if Sha256::digest(content).as_slice() != digest {
            return Err(PackageError::Digest {
                resource: resource.clone(),
                file: file.clone(),
            });
        }
    }
    let folder = format!("{}/", config.meta_folder);
    files.retain(|file, _| !file.starts_with(&folder));
    match files.keys().find(|file| !digests.contains_key(*file)) {
        Some(file) => Err(PackageError::Unlisted {
            resource,
            file: file.clone(),
        }),
        None => Ok(DataSet {
            files,
            signer: Some(signer),
            ..bare(line, Results::Data)
        }),
    }
}
