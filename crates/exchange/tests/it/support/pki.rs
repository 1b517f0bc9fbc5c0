//! A small government: a root, an authority below it, and agencies that sign.

use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::sign::Signer;
use openssl::x509::extension::{BasicConstraints, KeyUsage};
use openssl::x509::{X509, X509Builder, X509Name, X509NameBuilder};
use std::sync::LazyLock;

/// A certificate and its key.
pub struct Holder {
    pub certificate: X509,
    pub key: PKey<Private>,
}

/// How a certificate is made.
pub struct Making<'a> {
    pub organisation: &'a str,
    pub from: &'a str,
    pub until: &'a str,
    pub authority: bool,
    pub may_sign: bool,
    pub bits: u32,
}

impl Default for Making<'_> {
    fn default() -> Self {
        Making {
            organisation: "內政部戶政司",
            from: "20240101000000Z",
            until: "20301231235959Z",
            authority: false,
            may_sign: true,
            bits: 2048,
        }
    }
}

fn name(organisation: &str) -> X509Name {
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_text("C", "TW").unwrap();
    name.append_entry_by_text("O", "行政院").unwrap();
    name.append_entry_by_text("OU", organisation).unwrap();
    name.build()
}

/// Makes a certificate signed by `issuer`, or by itself.
pub fn make(making: &Making<'_>, issuer: Option<&Holder>) -> Holder {
    let key = PKey::from_rsa(Rsa::generate(making.bits).unwrap()).unwrap();
    let mut builder: X509Builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    let mut serial = BigNum::new().unwrap();
    serial.rand(100, openssl::bn::MsbOption::ONE, false).unwrap();
    builder
        .set_serial_number(&Asn1Integer::from_bn(&serial).unwrap())
        .unwrap();
    let subject = name(making.organisation);
    builder.set_subject_name(&subject).unwrap();
    builder
        .set_issuer_name(issuer.map_or(&*subject, |issuer| issuer.certificate.subject_name()))
        .unwrap();
    builder
        .set_not_before(&Asn1Time::from_str(making.from).unwrap())
        .unwrap();
    builder
        .set_not_after(&Asn1Time::from_str(making.until).unwrap())
        .unwrap();
    builder.set_pubkey(&key).unwrap();
    let mut constraints = BasicConstraints::new();
    constraints.critical();
    if making.authority {
        constraints.ca();
    }
    builder.append_extension(constraints.build().unwrap()).unwrap();
    let mut usage = KeyUsage::new();
    usage.critical();
    match (making.authority, making.may_sign) {
        (true, _) => usage.key_cert_sign().crl_sign(),
        (false, true) => usage.digital_signature().non_repudiation(),
        (false, false) => usage.key_encipherment(),
    };
    builder.append_extension(usage.build().unwrap()).unwrap();
    builder
        .sign(issuer.map_or(&key, |issuer| &issuer.key), MessageDigest::sha256())
        .unwrap();
    Holder {
        certificate: builder.build(),
        key,
    }
}

impl Holder {
    pub fn der(&self) -> Vec<u8> {
        self.certificate.to_der().unwrap()
    }

    pub fn pem(&self) -> String {
        String::from_utf8(self.certificate.to_pem().unwrap()).unwrap()
    }

    /// SHA256withRSA.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let mut signer = Signer::new(MessageDigest::sha256(), &self.key).unwrap();
        signer.sign_oneshot_to_vec(message).unwrap()
    }
}

/// The root that the connector trusts.
pub static ROOT: LazyLock<Holder> = LazyLock::new(|| {
    make(
        &Making {
            organisation: "政府憑證總管理中心",
            authority: true,
            ..Making::default()
        },
        None,
    )
});
/// An authority below it.
pub static AUTHORITY: LazyLock<Holder> = LazyLock::new(|| {
    make(
        &Making {
            organisation: "政府憑證管理中心",
            authority: true,
            ..Making::default()
        },
        Some(&ROOT),
    )
});
/// An agency below the authority.
pub static AGENCY: LazyLock<Holder> = LazyLock::new(|| make(&Making::default(), Some(&AUTHORITY)));
