//! One function for each kind of thing that comes from outside: it reads the bytes and must come back, whatever they are.
//! cargo-fuzz calls them with random bytes (`cargo +nightly fuzz run NAME`), a test of `exchange` with the files of `corpus/`.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use exchange::certificate::sign_in::{Challenge, SignIn};
use exchange::certificate::{Evidence, cms, sign_in};
use exchange::fido::{Operation, Service, Ticket};
use exchange::jose::{SigningKey, Token};
use exchange::mydata::{PackageLimits, jwe, manifest, unzip};
use exchange::oidc::check_form;
use exchange::wallet::did;
use exchange::wallet::issuer::{CredentialRequest, TokenRequest};
use exchange::wallet::sd_jwt::SdJwt;
use exchange::wallet::status_list::{Purpose, StatusList};
use exchange::wallet::verifier::{Pending, Verifier, Wanted, module::Module};
use jiff::{SignedDuration, Timestamp};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;
use uuid::Uuid;

/// A target by name.
pub type Target = (&'static str, fn(&[u8]));

/// All of them; each has a folder in `corpus/` and a file in `fuzz_targets/`.
pub const TARGETS: [Target; 10] = [
    ("jwe", jwe),
    ("package", package),
    ("manifest", manifest),
    ("pkcs7", pkcs7),
    ("evidence", evidence),
    ("sd_jwt", sd_jwt),
    ("logout_token", logout_token),
    ("wallet", wallet),
    ("status_list", status_list),
    ("fido", fido),
];

/// The envelope of a MyData package. The first 64 bytes are a content key, so that what is under the tag is reached, too.
pub fn jwe(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = jwe::open(text, b"0f1e2d3c4b5a69788796a5b4c3d2e1f0");
    }
    if let Some((key, rest)) = bytes.split_first_chunk::<64>() {
        let (iv, content) = rest.split_at(rest.len().min(16));
        let _ = jwe::decrypt(key, b"header", iv, content, &[0; 32]);
    }
}

/// The archives of a MyData package and the manifests in them.
pub fn package(bytes: &[u8]) {
    let limits = PackageLimits {
        file_bytes: 1 << 20,
        total_bytes: 4 << 20,
        ..PackageLimits::default()
    };
    let Ok(files) = unzip(bytes, &limits) else { return };
    for (name, content) in files {
        match name.ends_with(".xml") {
            true => manifest(&content),
            false => {
                let _ = unzip(&content, &limits);
            }
        }
    }
}

/// Both manifests of a MyData package.
pub fn manifest(bytes: &[u8]) {
    let _ = manifest::outer(bytes, 1 << 20);
    let _ = manifest::inner(bytes, 1 << 20);
}

const ROOT: &str = include_str!("../../crates/exchange/tests/data/certificates/root.pem");
const CHALLENGE: &str = include_str!("../../crates/exchange/tests/data/certificates/challenge.txt");
const LIST: &[u8] = include_bytes!("../../crates/exchange/tests/data/certificates/moica.crl");
const CARD: &[u8] = include_bytes!("../../crates/exchange/tests/data/certificates/card.p7");

fn at() -> Timestamp {
    Timestamp::from_second(1_796_090_430).unwrap_or_default()
}

static SIGN_IN: LazyLock<Option<(SignIn, Challenge)>> = LazyLock::new(|| {
    let config = json!({ "roots": ROOT, "audience": "city.example" });
    let config: sign_in::Config = serde_json::from_value(config).ok()?;
    let challenge = json!({ "text": CHALLENGE, "made": at() });
    Some((SignIn::new(config).ok()?, serde_json::from_value(challenge).ok()?))
});

/// A PKCS#7 signature, its certificates and their chain.
pub fn pkcs7(bytes: &[u8]) {
    let _ = cms::Signed::read(bytes);
    let evidence = Evidence::read(&[LIST.to_vec()], &[], true, SignedDuration::ZERO);
    if let (Some((sign_in, challenge)), Ok(evidence)) = (&*SIGN_IN, evidence) {
        let _ = sign_in.verify(challenge, &STANDARD.encode(bytes), &evidence, at());
    }
}

/// A revocation list, and an OCSP answer.
pub fn evidence(bytes: &[u8]) {
    for evidence in [
        Evidence::read(&[bytes.to_vec()], &[], true, SignedDuration::ZERO),
        Evidence::read(&[], &[bytes.to_vec()], true, SignedDuration::ZERO),
    ] {
        if let (Some((sign_in, challenge)), Ok(evidence)) = (&*SIGN_IN, evidence) {
            let _ = sign_in.verify(challenge, &STANDARD.encode(CARD), &evidence, at());
        }
    }
}

static KEY: LazyLock<Option<SigningKey>> = LazyLock::new(|| {
    let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).ok()?;
    let body = STANDARD.encode(der.as_ref());
    SigningKey::from_pem(&format!(
        "-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n"
    ))
    .ok()
});

/// A card as it comes, and one of which the claims (before the first line's end) are signed and the disclosures (a line each)
/// are random.
pub fn sd_jwt(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Some(key) = &*KEY else { return };
    if let Ok(card) = SdJwt::parse(text) {
        let _ = card.claims(key.public());
        let _ = card.check_binding(key.public(), "a", "n", 0, 60);
    }
    let mut lines = text.lines();
    let claims: Option<Value> = lines.next().and_then(|line| serde_json::from_str(line).ok());
    let Some(claims @ Value::Object(_)) = claims else {
        return;
    };
    if let Ok(token) = key.sign(Map::new(), &claims) {
        let disclosures: String = lines.map(|line| format!("{}~", URL_SAFE_NO_PAD.encode(line))).collect();
        if let Ok(card) = SdJwt::parse(&format!("{token}~{disclosures}")) {
            let _ = card.claims(key.public());
        }
    }
}

/// A logout token.
pub fn logout_token(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = check_form(text);
        let _ = Token::parse(text, 1 << 16);
    }
}

static VERIFIER: LazyLock<Option<(Verifier, Pending)>> = LazyLock::new(|| {
    let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).ok()?;
    let key = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        STANDARD.encode(der.as_ref())
    );
    let config = json!({ "address": "https://city.example/wallet", "key": key, "name": "city", "issuers": [] });
    let verifier = Verifier::new(serde_json::from_value(config).ok()?).ok()?;
    let pending = json!({
        "state": "0123456789abcdef0123456789abcdef", "nonce": "n", "definition_id": "d", "purpose": "",
        "wanted": [Wanted { credential_type: "card".to_owned(), claims: vec!["name".to_owned()] }], "begun": at(),
    });
    Some((verifier, serde_json::from_value(pending).ok()?))
});

/// What wallets and modules post.
pub fn wallet(bytes: &[u8]) {
    let _ = Verifier::state_of(bytes);
    if let Some((verifier, pending)) = &*VERIFIER {
        let _ = verifier.read_response(bytes, pending, at());
    }
    let _ = TokenRequest::read(bytes);
    let _ = CredentialRequest::read(Some("Bearer t"), bytes);
    let _ = Module::read_callback(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = did::key(text);
    }
}

/// A status list: the packed bits as they come, in a token that is signed.
pub fn status_list(bytes: &[u8]) {
    let Some(key) = &*KEY else { return };
    let did = did::of(key.public());
    let encoded = URL_SAFE_NO_PAD.encode(bytes);
    let claims =
        json!({ "iss": did, "vc": { "credentialSubject": { "statusPurpose": "revocation", "encodedList": encoded } } });
    if let Ok(text) = key.sign(Map::new(), &claims) {
        let list = StatusList::read(
            &text,
            &did,
            key.public(),
            Purpose::Revocation,
            "https://l.example/",
            0,
            60,
        );
        if let Ok(list) = list {
            let _ = list.get(bytes.len());
        }
    }
}

static SERVICE: LazyLock<Option<Service>> = LazyLock::new(|| {
    let key = STANDARD.encode([7; 32]);
    let config = json!({ "api": "https://a.example", "web": "https://w.example", "sp_service_id": "s", "key": key });
    Service::new(serde_json::from_value(config).ok()?).ok()
});

/// A ticket and a callback of 行動自然人憑證.
pub fn fido(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = Ticket::parse(text);
    }
    if let Some(service) = &*SERVICE {
        let _ = service.read_callback(bytes, Uuid::nil(), Operation::Sign);
    }
}
