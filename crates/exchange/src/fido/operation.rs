//! What the person is asked to do on the phone, and what comes back.

use super::FidoError;
use civic::NationalId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Most characters of a text to sign.
const LONGEST_TEXT: usize = 1024;
/// Most texts of a batch.
const MOST_TEXTS: usize = 20;
/// Most characters of what is shown on the phone. Assumed.
const LONGEST_HINT: usize = 100;

/// `op_code`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    /// Authenticate.
    #[serde(rename = "ATH")]
    Authenticate,
    /// Sign with the phone's key.
    #[serde(rename = "SIGN")]
    Sign,
    /// Sign with the card held to the phone.
    #[serde(rename = "NFCSIGN")]
    NfcSign,
    /// Sign several texts.
    #[serde(rename = "BATSIGN")]
    BatchSign,
}

impl Operation {
    pub(super) fn code(self) -> &'static str {
        match self {
            Operation::Authenticate => "ATH",
            Operation::Sign => "SIGN",
            Operation::NfcSign => "NFCSIGN",
            Operation::BatchSign => "BATSIGN",
        }
    }
}

/// How the request reaches the phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// The app reads a QR code of the ticket (`I-SCAN`).
    Scan,
    /// The city's page on the same phone opens the app (`MWEB2APP`).
    MobileWeb,
    /// An app of the city opens it (`APP2APP`).
    App,
    /// A message to the phone that the person gave this name (ATH-03); empty for the only one.
    Push {
        /// `device_user_def_desc`.
        device: String,
    },
}

impl Mode {
    pub(super) fn code(&self) -> &'static str {
        match self {
            Mode::Scan => "I-SCAN",
            Mode::MobileWeb => "MWEB2APP",
            Mode::App => "APP2APP",
            Mode::Push { .. } => "PUSH",
        }
    }
}

/// `sign_type`. `RAW` is not offered: it can't be verified without the phone's own format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SignType {
    /// The bare signature, with the certificate beside it.
    #[serde(rename = "PKCS#1")]
    Pkcs1,
    /// CMS SignedData.
    #[serde(rename = "PKCS#7")]
    Pkcs7,
}

impl SignType {
    pub(super) fn code(self) -> &'static str {
        match self {
            SignType::Pkcs1 => "PKCS#1",
            SignType::Pkcs7 => "PKCS#7",
        }
    }
}

/// `hash_algorithm`. SHA-1 is not offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Hash {
    /// SHA-256.
    #[serde(rename = "SHA256")]
    Sha256,
    /// SHA-384.
    #[serde(rename = "SHA384")]
    Sha384,
    /// SHA-512.
    #[serde(rename = "SHA512")]
    Sha512,
}

impl Hash {
    pub(super) fn code(self) -> &'static str {
        match self {
            Hash::Sha256 => "SHA256",
            Hash::Sha384 => "SHA384",
            Hash::Sha512 => "SHA512",
        }
    }
}

/// A text to sign, at most 1,024 characters. `Debug` is empty.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signing {
    /// The text as it is signed (`tbs_encoding` `NONE`).
    pub text: String,
    /// Form of the signature.
    pub sign_type: SignType,
    /// Digest.
    pub hash: Hash,
}

impl std::fmt::Debug for Signing {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Signing")
    }
}

impl Signing {
    /// `sign_info`.
    pub(super) fn json(&self) -> Value {
        json!({
            "sign_type": self.sign_type.code(), "sign_data": self.text, "tbs_encoding": "NONE",
            "hash_algorithm": self.hash.code(),
        })
    }
}

/// One request. `Debug` is empty.
#[derive(Clone)]
pub struct Ask<'a> {
    /// The person.
    pub person: &'a NationalId,
    /// The way to the phone.
    pub mode: Mode,
    /// What the phone shows, such as the service's name.
    pub hint: &'a str,
    /// Seconds that the person has: 30 to 600.
    pub seconds: u16,
    /// What is done: nothing to sign is an authentication.
    pub signing: Option<Signing>,
    /// Sign with the card held to the phone instead of the phone's key.
    pub by_card: bool,
}

impl std::fmt::Debug for Ask<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Ask")
    }
}

impl Ask<'_> {
    pub(super) fn operation(&self) -> Operation {
        match (&self.signing, self.by_card) {
            (None, _) => Operation::Authenticate,
            (Some(_), false) => Operation::Sign,
            (Some(_), true) => Operation::NfcSign,
        }
    }
}

pub(super) fn check_shown(hint: &str, seconds: u16) -> Result<(), FidoError> {
    if !(30..=600).contains(&seconds) {
        return Err(FidoError::Request("the time limit must be between 30 and 600 seconds"));
    }
    if hint.chars().count() > LONGEST_HINT || hint.chars().any(char::is_control) {
        return Err(FidoError::Request(
            "the hint must be one line of at most 100 characters",
        ));
    }
    Ok(())
}

pub(super) fn check_text(signing: &Signing) -> Result<(), FidoError> {
    if signing.text.is_empty() || signing.text.chars().count() > LONGEST_TEXT {
        return Err(FidoError::Request("the text to sign must have 1 to 1024 characters"));
    }
    Ok(())
}

/// `sign_info` of a batch: all texts in one form.
pub(super) fn batch(texts: &[Signing]) -> Result<Value, FidoError> {
    let Some(first) = texts.first() else {
        return Err(FidoError::Request("a batch has 1 to 20 texts"));
    };
    if texts.len() > MOST_TEXTS {
        return Err(FidoError::Request("a batch has 1 to 20 texts"));
    }
    if texts
        .iter()
        .any(|text| (text.sign_type, text.hash) != (first.sign_type, first.hash))
    {
        return Err(FidoError::Request("all texts of a batch are signed in one form"));
    }
    texts.iter().try_for_each(check_text)?;
    let mut info: Map<String, Value> = Map::new();
    info.insert("sign_type".to_owned(), json!(first.sign_type.code()));
    info.insert("tbs_encoding".to_owned(), json!("NONE"));
    info.insert("hash_algorithm".to_owned(), json!(first.hash.code()));
    let set: Vec<&str> = texts.iter().map(|text| text.text.as_str()).collect();
    info.insert("sign_data_set".to_owned(), json!(set));
    Ok(Value::Object(info))
}

/// What the phone gave. Its checksum was right and it is for the person asked; signatures are not verified yet
/// ([`super::verify`]). The signatures of a batch stand under no checksum: only verifying makes them believable. `Debug` is
/// empty.
#[derive(Clone, PartialEq, Eq)]
pub struct Proof {
    /// The operation that was done.
    pub operation: Operation,
    /// The authority's digest of the national id; how it is made is not public.
    pub hashed_id_num: String,
    /// The signatures (bytes), one for each text in their order; of an authentication the phone's own answer.
    pub signatures: Vec<Vec<u8>>,
    /// The certificate, DER or PEM, if the authority sends one.
    pub certificate: Option<Vec<u8>>,
}

impl std::fmt::Debug for Proof {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Proof")
    }
}
