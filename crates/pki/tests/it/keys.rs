//! Which signatures a key is believed to have made.

use crate::maker::{SIGNS, make_of, p256};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::{Padding, Rsa};
use openssl::sign::{RsaPssSaltlen, Signer};
use pki::{Algorithm, Hash, PublicKey};

const HASHES: [Hash; 3] = [Hash::Sha256, Hash::Sha384, Hash::Sha512];

fn sign(key: &PKey<Private>, algorithm: Algorithm) -> Option<Vec<u8>> {
    let (padding, hash) = match algorithm {
        Algorithm::RsaPkcs1(hash) => (Some(Padding::PKCS1), hash),
        Algorithm::RsaPss(hash) => (Some(Padding::PKCS1_PSS), hash),
        Algorithm::Ecdsa(hash) => (None, hash),
    };
    if padding.is_some() != key.rsa().is_ok() {
        return None;
    }
    let digest = match hash {
        Hash::Sha256 => MessageDigest::sha256(),
        Hash::Sha384 => MessageDigest::sha384(),
        Hash::Sha512 => MessageDigest::sha512(),
    };
    let mut signer = Signer::new(digest, key).unwrap();
    if let Some(padding) = padding {
        signer.set_rsa_padding(padding).unwrap();
        if padding == Padding::PKCS1_PSS {
            signer.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH).unwrap();
        }
    }
    Some(signer.sign_oneshot_to_vec(b"text").unwrap())
}

#[test]
fn a_signature_is_one_by_its_own_algorithm_alone() {
    let algorithms: Vec<Algorithm> = [Algorithm::RsaPkcs1, Algorithm::RsaPss, Algorithm::Ecdsa]
        .iter()
        .flat_map(|of| HASHES.map(of))
        .collect();
    let group = EcGroup::from_curve_name(Nid::SECP384R1).unwrap();
    let p384 = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
    let rsa = |bits| PKey::from_rsa(Rsa::generate(bits).unwrap()).unwrap();
    for (name, key, is_accepted) in [
        ("P-256", p256(), true),
        ("P-384", p384, true),
        ("RSA", rsa(2048), true),
        ("a short RSA key", rsa(1536), false),
    ] {
        let made = make_of(key, "戶政司", SIGNS, None);
        let public = PublicKey::of(&made.parsed()).unwrap();
        for by in &algorithms {
            let Some(signature) = sign(&made.key, *by) else {
                continue;
            };
            let is_known = is_accepted && *by != Algorithm::Ecdsa(Hash::Sha512);
            for algorithm in &algorithms {
                let expected = is_known && algorithm == by;
                assert_eq!(
                    public.verifies(*algorithm, b"text", &signature),
                    expected,
                    "{name}: {by:?}, {algorithm:?}"
                );
            }
            assert!(!public.verifies(*by, b"other text", &signature));
        }
    }
    let group = EcGroup::from_curve_name(Nid::SECP521R1).unwrap();
    let p521 = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
    assert_eq!(PublicKey::of(&make_of(p521, "戶政司", SIGNS, None).parsed()), None);
}
