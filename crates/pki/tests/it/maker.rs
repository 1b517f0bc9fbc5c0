//! Certificates and revocation lists as a test wishes them.

use der::asn1::{BitString, UtcTime};
use der::{Decode, Encode};
use jiff::Timestamp;
use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::sign::Signer;
use openssl::x509::extension::{BasicConstraints, ExtendedKeyUsage, KeyUsage};
use openssl::x509::{X509, X509NameBuilder};
use rustls::pki_types::CertificateDer;
use std::time::Duration;
use x509_cert::certificate::{Certificate, Version};
use x509_cert::crl::{CertificateList, RevokedCert, TbsCertList};
use x509_cert::time::Time;

pub struct Made {
    pub certificate: X509,
    pub key: PKey<Private>,
}

/// How a certificate is made: by default one that signs, good in all of 2026.
#[derive(Clone, Copy)]
pub struct Wish {
    pub from: &'static str,
    pub until: &'static str,
    /// An authority, and how many more may stand below it.
    pub authority: Option<u32>,
    /// Names as OpenSSL writes them.
    pub usage: &'static str,
    pub extended: &'static [&'static str],
    pub is_sha_1: bool,
}

pub const SIGNS: Wish = Wish {
    from: "20260101000000Z",
    until: "20261231235959Z",
    authority: None,
    usage: "digitalSignature",
    extended: &[],
    is_sha_1: false,
};

pub fn authority(below: u32) -> Wish {
    Wish {
        authority: Some(below),
        usage: "keyCertSign",
        ..SIGNS
    }
}

pub fn p256() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

/// A certificate of a new P-256 key.
pub fn make(name: &str, wish: Wish, issuer: Option<&Made>) -> Made {
    make_of(p256(), name, wish, issuer)
}

pub fn make_of(key: PKey<Private>, name: &str, wish: Wish, issuer: Option<&Made>) -> Made {
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    let mut serial = BigNum::new().unwrap();
    serial.rand(100, MsbOption::ONE, false).unwrap();
    builder
        .set_serial_number(&Asn1Integer::from_bn(&serial).unwrap())
        .unwrap();
    let mut subject = X509NameBuilder::new().unwrap();
    subject.append_entry_by_text("O", "行政院").unwrap();
    subject.append_entry_by_text("CN", name).unwrap();
    let subject = subject.build();
    builder.set_subject_name(&subject).unwrap();
    let issuer_name = issuer.map_or(&*subject, |issuer| issuer.certificate.subject_name());
    builder.set_issuer_name(issuer_name).unwrap();
    builder.set_not_before(&Asn1Time::from_str(wish.from).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::from_str(wish.until).unwrap()).unwrap();
    builder.set_pubkey(&key).unwrap();
    let mut constraints = BasicConstraints::new();
    constraints.critical();
    if let Some(below) = wish.authority {
        constraints.ca().pathlen(below);
    }
    builder.append_extension(constraints.build().unwrap()).unwrap();
    let mut usage = KeyUsage::new();
    match wish.usage {
        "digitalSignature" => Some(usage.digital_signature()),
        "nonRepudiation" => Some(usage.non_repudiation()),
        "keyEncipherment" => Some(usage.key_encipherment()),
        "keyCertSign" => Some(usage.key_cert_sign().crl_sign()),
        _ => None,
    };
    if !wish.usage.is_empty() {
        builder.append_extension(usage.critical().build().unwrap()).unwrap();
    }
    if !wish.extended.is_empty() {
        let mut extended = ExtendedKeyUsage::new();
        wish.extended.iter().for_each(|one| _ = extended.other(one));
        builder.append_extension(extended.build().unwrap()).unwrap();
    }
    let digest = match wish.is_sha_1 {
        true => MessageDigest::sha1(),
        false => MessageDigest::sha256(),
    };
    builder.sign(issuer.map_or(&key, |issuer| &issuer.key), digest).unwrap();
    Made {
        certificate: builder.build(),
        key,
    }
}

impl Made {
    pub fn der(&self) -> CertificateDer<'static> {
        CertificateDer::from(self.certificate.to_der().unwrap())
    }

    pub fn pem(&self) -> String {
        String::from_utf8(self.certificate.to_pem().unwrap()).unwrap()
    }

    pub fn parsed(&self) -> Certificate {
        Certificate::from_der(&self.der()).unwrap()
    }

    /// Its list of what it revoked, DER, good from 2026 until the given time.
    pub fn list(&self, revoked: &[&Made], until: &str) -> Vec<u8> {
        let at = |text: &str| {
            let seconds = u64::try_from(text.parse::<Timestamp>().unwrap().as_second()).unwrap();
            Time::UtcTime(UtcTime::from_unix_duration(Duration::from_secs(seconds)).unwrap())
        };
        let began = at("2026-01-01T00:00:00Z");
        let own = self.parsed();
        let algorithm = own.signature_algorithm().clone();
        let number = x509_cert::ext::Extension {
            extn_id: "2.5.29.20".parse().unwrap(),
            critical: false,
            extn_value: der::asn1::OctetString::new(vec![2, 1, 1]).unwrap(),
        };
        let revoked: Vec<_> = revoked
            .iter()
            .map(|one| RevokedCert {
                serial_number: one.parsed().tbs_certificate().serial_number().clone(),
                revocation_date: began,
                crl_entry_extensions: None,
            })
            .collect();
        let list = TbsCertList {
            version: Version::V2,
            signature: algorithm.clone(),
            issuer: own.tbs_certificate().subject().clone(),
            this_update: began,
            next_update: Some(at(until)),
            revoked_certificates: (!revoked.is_empty()).then_some(revoked),
            crl_extensions: Some(vec![number]),
        };
        let mut signer = Signer::new(MessageDigest::sha256(), &self.key).unwrap();
        let signature = signer.sign_oneshot_to_vec(&list.to_der().unwrap()).unwrap();
        let list = CertificateList {
            tbs_cert_list: list,
            signature_algorithm: algorithm,
            signature: BitString::from_bytes(&signature).unwrap(),
        };
        list.to_der().unwrap()
    }
}
