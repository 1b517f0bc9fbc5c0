//! The secrets and keys of the demonstration, made at the first start and kept in its folder: the issuer's signing key, a
//! government root, an agency's certificate for each office that signs data.

use crate::{Config, PeerError};
use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::{BigNum, MsbOption};
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{BasicConstraints, KeyUsage};
use openssl::x509::{X509, X509Name, X509NameBuilder};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// A certificate and its key.
#[derive(Clone)]
pub struct Signer {
    pub certificate: X509,
    pub key: PKey<Private>,
}

#[derive(Clone)]
pub struct Keys {
    pub issuer_secret: String,
    pub client_secret: String,
    pub cbc_iv: String,
    pub api_key: String,
    pub issuer: PKey<Private>,
    pub root_pem: String,
    /// Certificate and key of the root, PEM.
    pub root: (String, String),
    /// By agency.
    pub signers: BTreeMap<String, Signer>,
    /// The city's own certificate and key, PEM.
    pub city: (String, String),
    /// Secrets of the city's data sets, by resource.
    pub resource_secrets: BTreeMap<String, String>,
    /// One whose time is over.
    pub expired: Signer,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    issuer_secret: String,
    client_secret: String,
    cbc_iv: String,
    api_key: String,
    issuer: String,
    root: (String, String),
    signers: BTreeMap<String, (String, String)>,
    expired: (String, String),
    #[serde(default)]
    city: Option<(String, String)>,
    #[serde(default)]
    resource_secrets: BTreeMap<String, String>,
}

/// Reads the kept keys, or makes and keeps them; agencies that are new get a certificate.
pub async fn open(config: &Config) -> Result<Keys, PeerError> {
    let path = config.folder.join("keys.json");
    let agencies: Vec<String> = config
        .resources
        .iter()
        .map(|resource| resource.agency.clone())
        .collect();
    let offered: Vec<String> = config.offered.iter().map(|set| set.resource_id.clone()).collect();
    let made = tokio::task::spawn_blocking(move || make(&path, &agencies, &offered)).await;
    made.map_err(|error| PeerError::Folder {
        path: config.folder.clone(),
        why: error.to_string(),
    })?
}

fn make(path: &Path, agencies: &[String], offered: &[String]) -> Result<Keys, PeerError> {
    let folder = |why: String| PeerError::Folder {
        path: path.to_path_buf(),
        why,
    };
    let mut kept: Kept = match crate::keep::read(path)? {
        Some(kept) => kept,
        None => {
            let root = certificate("示範政府憑證總管理中心", None, true, 0, 3650)?;
            let expired = certificate("示範過期機關", Some(&root), false, -20, -10)?;
            Kept {
                issuer_secret: random(32)?,
                client_secret: random(16)?,
                cbc_iv: random(16)?,
                api_key: random(24)?,
                issuer: pem(&PKey::from_rsa(Rsa::generate(2048)?)?)?,
                expired: written(&expired)?,
                root: written(&root)?,
                signers: BTreeMap::new(),
                city: None,
                resource_secrets: BTreeMap::new(),
            }
        }
    };
    let root = read(&kept.root)?;
    for agency in agencies {
        if !kept.signers.contains_key(agency) {
            let made = certificate(agency, Some(&root), false, 0, 3650)?;
            kept.signers.insert(agency.clone(), written(&made)?);
        }
    }
    let city = match kept.city.clone() {
        Some(city) => city,
        None => written(&certificate("示範市政府", Some(&root), false, 0, 3650)?)?,
    };
    kept.city = Some(city.clone());
    for id in offered {
        if !kept.resource_secrets.contains_key(id) {
            kept.resource_secrets.insert(id.clone(), random(24)?);
        }
    }
    let bytes = serde_json::to_vec_pretty(&kept).map_err(|error| folder(error.to_string()))?;
    crate::keep::write(path, &bytes).map_err(|error| folder(error.to_string()))?;
    Ok(Keys {
        issuer: PKey::private_key_from_pem(kept.issuer.as_bytes())?,
        signers: kept
            .signers
            .iter()
            .map(|(agency, pair)| Ok((agency.clone(), read(pair)?)))
            .collect::<Result<_, PeerError>>()?,
        expired: read(&kept.expired)?,
        city,
        resource_secrets: kept.resource_secrets,
        root_pem: kept.root.0.clone(),
        root: kept.root,
        issuer_secret: kept.issuer_secret,
        client_secret: kept.client_secret,
        cbc_iv: kept.cbc_iv,
        api_key: kept.api_key,
    })
}

/// A citizen's certificate (自然人憑證) under the root, with its key, and its serial number in hexadecimal.
pub fn card(root: &(String, String), name: &str) -> Result<(String, String, String), PeerError> {
    let made = certificate(name, Some(&read(root)?), false, 0, 3650)?;
    let serial = made.certificate.serial_number().to_bn()?.to_hex_str()?.to_string();
    let (certificate, key) = written(&made)?;
    Ok((certificate, key, serial))
}

/// Letters and digits from the system's randomness.
pub fn random(length: usize) -> Result<String, openssl::error::ErrorStack> {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = vec![0; length];
    openssl::rand::rand_bytes(&mut bytes)?;
    Ok(bytes
        .iter()
        .filter_map(|byte| LETTERS.get(usize::from(byte % 32)))
        .map(|letter| char::from(*letter))
        .collect())
}

fn pem(key: &PKey<Private>) -> Result<String, PeerError> {
    Ok(String::from_utf8_lossy(&key.private_key_to_pem_pkcs8()?).into_owned())
}

fn written(signer: &Signer) -> Result<(String, String), PeerError> {
    Ok((
        String::from_utf8_lossy(&signer.certificate.to_pem()?).into_owned(),
        pem(&signer.key)?,
    ))
}

fn read((certificate, key): &(String, String)) -> Result<Signer, PeerError> {
    Ok(Signer {
        certificate: X509::from_pem(certificate.as_bytes())?,
        key: PKey::private_key_from_pem(key.as_bytes())?,
    })
}

fn name(unit: &str) -> Result<X509Name, openssl::error::ErrorStack> {
    let mut name = X509NameBuilder::new()?;
    name.append_entry_by_text("C", "TW")?;
    name.append_entry_by_text("O", "示範行政院")?;
    name.append_entry_by_text("OU", unit)?;
    Ok(name.build())
}

/// A certificate valid from `from` to `until` days from now.
pub fn certificate(
    unit: &str,
    issuer: Option<&Signer>,
    authority: bool,
    from: i64,
    until: i64,
) -> Result<Signer, openssl::error::ErrorStack> {
    let key = PKey::from_rsa(Rsa::generate(2048)?)?;
    let mut builder = X509::builder()?;
    builder.set_version(2)?;
    let mut serial = BigNum::new()?;
    serial.rand(120, MsbOption::MAYBE_ZERO, false)?;
    let serial = Asn1Integer::from_bn(&serial)?;
    builder.set_serial_number(&serial)?;
    let subject = name(unit)?;
    builder.set_subject_name(&subject)?;
    builder.set_issuer_name(issuer.map_or(&*subject, |issuer| issuer.certificate.subject_name()))?;
    let now = jiff::Timestamp::now().as_second();
    let (from, until) = (
        Asn1Time::from_unix(now + from * 86_400 - 3_600)?,
        Asn1Time::from_unix(now + until * 86_400)?,
    );
    builder.set_not_before(&from)?;
    builder.set_not_after(&until)?;
    builder.set_pubkey(&key)?;
    let mut constraints = BasicConstraints::new();
    constraints.critical();
    if authority {
        constraints.ca();
    }
    let constraints = constraints.build()?;
    builder.append_extension(constraints)?;
    let mut usage = KeyUsage::new();
    usage.critical();
    if authority {
        usage.key_cert_sign().crl_sign();
    } else {
        usage.digital_signature().non_repudiation();
    }
    let usage = usage.build()?;
    builder.append_extension(usage)?;
    builder.sign(issuer.map_or(&key, |issuer| &issuer.key), MessageDigest::sha256())?;
    Ok(Signer {
        certificate: builder.build(),
        key,
    })
}
