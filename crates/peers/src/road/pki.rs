//! The demonstration's government authority: certificates for gateways, signers and the timestamp authority, and its list of
//! revoked ones.

use crate::PeerError;
use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectKeyIdentifier,
};
use openssl::x509::{X509, X509NameBuilder};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// What a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Mutual TLS, both sides.
    Gateway,
    /// Signing messages.
    Signing,
    /// Signing timestamps.
    Stamping,
    /// Encrypting keys, and nothing that is signed.
    Encryption,
}

/// A certificate with its key.
#[derive(Clone)]
pub struct Issued {
    /// The certificate.
    pub certificate: X509,
    /// Its key.
    pub key: PKey<Private>,
}

impl std::fmt::Debug for Issued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Issued").field(&self.certificate).finish()
    }
}

impl Issued {
    /// The certificate as PEM.
    #[must_use]
    pub fn certificate_pem(&self) -> String {
        String::from_utf8_lossy(&self.certificate.to_pem().unwrap_or_default()).into_owned()
    }

    /// The key as PKCS#8 PEM.
    #[must_use]
    pub fn key_pem(&self) -> String {
        String::from_utf8_lossy(&self.key.private_key_to_pem_pkcs8().unwrap_or_default()).into_owned()
    }
}

/// How a certificate is made.
#[derive(Debug, Clone, Copy)]
pub struct Wish {
    /// For what.
    pub purpose: Purpose,
    /// Days from now it begins.
    pub from: i64,
    /// Days from now it ends.
    pub until: i64,
    /// Signed by itself instead of the authority.
    pub self_signed: bool,
    /// With an RSA key instead of P-256.
    pub rsa: bool,
}

impl Wish {
    /// A good one.
    #[must_use]
    pub fn of(purpose: Purpose) -> Wish {
        Wish {
            purpose,
            from: -1,
            until: 365,
            self_signed: false,
            rsa: false,
        }
    }
}

/// The authority.
pub struct Authority {
    root: Issued,
    folder: PathBuf,
    revoked: Mutex<Vec<String>>,
}

fn key(rsa: bool) -> Result<PKey<Private>, PeerError> {
    if rsa {
        return Ok(PKey::from_rsa(Rsa::generate(2048)?)?);
    }
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    Ok(PKey::from_ec_key(EcKey::generate(&group)?)?)
}

impl Authority {
    /// A new authority that keeps its list in `folder`.
    ///
    /// # Errors
    /// [`PeerError`]
    pub fn new(folder: &Path) -> Result<Authority, PeerError> {
        std::fs::create_dir_all(folder).map_err(|why| PeerError::Folder {
            path: folder.to_path_buf(),
            why: why.to_string(),
        })?;
        let root = make("示範政府憑證總管理中心", None, None)?;
        Ok(Authority {
            root,
            folder: folder.to_path_buf(),
            revoked: Mutex::default(),
        })
    }

    /// The root as PEM.
    #[must_use]
    pub fn root_pem(&self) -> String {
        self.root.certificate_pem()
    }

    /// Issues a certificate to a unit.
    ///
    /// # Errors
    /// [`PeerError`]
    pub fn issue(&self, unit: &str, wish: Wish) -> Result<Issued, PeerError> {
        make(unit, Some(wish), (!wish.self_signed).then_some(&self.root))
    }

    /// Takes a certificate back; it stands in the list from now on.
    ///
    /// # Errors
    /// [`PeerError`]
    pub fn revoke(&self, issued: &Issued) -> Result<(), PeerError> {
        let serial = issued.certificate.serial_number().to_bn()?.to_hex_str()?.to_string();
        self.revoked
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .push(serial);
        Ok(())
    }

    /// The list of revoked certificates as PEM, good for `days`, made by OpenSSL's `ca`.
    ///
    /// # Errors
    /// [`PeerError`]
    pub fn crl(&self, days: u32) -> Result<String, PeerError> {
        let folder = |why: String| PeerError::Folder {
            path: self.folder.clone(),
            why,
        };
        let write = |name: &str, bytes: &[u8]| {
            std::fs::write(self.folder.join(name), bytes).map_err(|error| folder(error.to_string()))
        };
        let revoked = self.revoked.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let lines: String = revoked
            .iter()
            .map(|serial| format!("R\t400101000000Z\t240101000000Z\t{serial}\tunknown\t/CN=revoked\n"))
            .collect();
        write("index.txt", lines.as_bytes())?;
        write("index.txt.attr", b"unique_subject = no\n")?;
        write("crlnumber", b"01\n")?;
        write("ca.pem", self.root.certificate_pem().as_bytes())?;
        write("ca.key", self.root.key_pem().as_bytes())?;
        let at = self.folder.display();
        let config = format!(
            "[ca]\ndefault_ca = main\n[main]\ndatabase = {at}/index.txt\ncrlnumber = {at}/crlnumber\n\
             certificate = {at}/ca.pem\nprivate_key = {at}/ca.key\ndefault_md = sha256\ncrl_extensions = list\n\
             [list]\nauthorityKeyIdentifier = keyid:always\n"
        );
        write("ca.cnf", config.as_bytes())?;
        let ran = std::process::Command::new("openssl")
            .args(["ca", "-gencrl", "-crldays", &days.to_string(), "-config"])
            .arg(self.folder.join("ca.cnf"))
            .output()
            .map_err(|error| folder(format!("openssl: {error}")))?;
        if !ran.status.success() {
            return Err(folder(String::from_utf8_lossy(&ran.stderr).into_owned()));
        }
        Ok(String::from_utf8_lossy(&ran.stdout).into_owned())
    }
}

/// A certificate; without a wish an authority's own.
fn make(unit: &str, wish: Option<Wish>, issuer: Option<&Issued>) -> Result<Issued, PeerError> {
    let key = key(wish.is_some_and(|wish| wish.rsa))?;
    let mut builder = X509::builder()?;
    builder.set_version(2)?;
    let mut serial = BigNum::new()?;
    serial.rand(120, MsbOption::MAYBE_ZERO, false)?;
    let serial = Asn1Integer::from_bn(&serial)?;
    builder.set_serial_number(&serial)?;
    let mut name = X509NameBuilder::new()?;
    name.append_entry_by_text("C", "TW")?;
    name.append_entry_by_text("O", "示範行政院")?;
    name.append_entry_by_text("OU", unit)?;
    let name = name.build();
    builder.set_subject_name(&name)?;
    builder.set_issuer_name(issuer.map_or(&*name, |issuer| issuer.certificate.subject_name()))?;
    let now = jiff::Timestamp::now().as_second();
    let (from, until) = wish.map_or((-1, 3650), |wish| (wish.from, wish.until));
    let from = Asn1Time::from_unix(now + from * 86_400)?;
    let until = Asn1Time::from_unix(now + until * 86_400)?;
    builder.set_not_before(&from)?;
    builder.set_not_after(&until)?;
    builder.set_pubkey(&key)?;
    let mut constraints = BasicConstraints::new();
    constraints.critical();
    let mut usage = KeyUsage::new();
    usage.critical();
    let mut extended = None;
    match wish.map(|wish| wish.purpose) {
        None => {
            constraints.ca();
            usage.key_cert_sign().crl_sign();
        }
        Some(Purpose::Gateway) => {
            usage.digital_signature();
            extended = Some(ExtendedKeyUsage::new().client_auth().server_auth().build()?);
        }
        Some(Purpose::Signing) => {
            usage.digital_signature().non_repudiation();
        }
        Some(Purpose::Encryption) => {
            usage.key_encipherment();
        }
        Some(Purpose::Stamping) => {
            usage.digital_signature().non_repudiation();
            extended = Some(ExtendedKeyUsage::new().critical().time_stamping().build()?);
        }
    }
    let constraints = constraints.build()?;
    builder.append_extension(constraints)?;
    let usage = usage.build()?;
    builder.append_extension(usage)?;
    if let Some(extended) = extended {
        builder.append_extension(extended)?;
    }
    let context = builder.x509v3_context(issuer.map(|issuer| &*issuer.certificate), None);
    let of = SubjectKeyIdentifier::new().build(&context)?;
    builder.append_extension(of)?;
    if issuer.is_some() {
        let context = builder.x509v3_context(issuer.map(|issuer| &*issuer.certificate), None);
        let by = AuthorityKeyIdentifier::new().keyid(true).build(&context)?;
        builder.append_extension(by)?;
    }
    builder.sign(issuer.map_or(&key, |issuer| &issuer.key), MessageDigest::sha256())?;
    Ok(Issued {
        certificate: builder.build(),
        key,
    })
}
