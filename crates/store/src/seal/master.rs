//! Keys that live outside the database: the master keys and the key of the lookups.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::cipher;
use crate::StoreError;

/// Master keys by version. The newest wraps new data keys, the older ones open what they wrapped
/// until [`super::Seal::rewrap`] has moved it to the newest.
///
/// As a file: one line for each key, its version and 32 bytes in base64, such as
/// `1 3q2+7w…=`; lines that begin with `#` are remarks.
#[derive(Clone)]
pub struct MasterKeys {
    keys: BTreeMap<i32, Zeroizing<[u8; 32]>>,
    newest: (i32, Zeroizing<[u8; 32]>),
}

impl fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MasterKeys")
            .field("newest", &self.newest.0)
            .finish_non_exhaustive()
    }
}

impl MasterKeys {
    /// Reads the text of a key file.
    ///
    /// # Errors
    /// [`StoreError::KeyFile`] with the line that isn't a key.
    pub fn parse(text: &str) -> Result<MasterKeys, StoreError> {
        let mut keys = BTreeMap::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = |why: &str| StoreError::KeyFile(format!("line {}: {why}", number + 1));
            let (version, key) = line
                .split_once(char::is_whitespace)
                .ok_or_else(|| wrong("write a version, a blank and the key in base64"))?;
            let version: i32 = version.parse().map_err(|_| wrong("the version is not a number"))?;
            if version < 1 {
                return Err(wrong("versions count from 1"));
            }
            let key = decode(key).ok_or_else(|| wrong("the key is not 32 bytes in base64"))?;
            if keys.insert(version, key).is_some() {
                return Err(wrong("this version stands in the file twice"));
            }
        }
        MasterKeys::new(keys)
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// [`StoreError::KeyFile`].
    pub fn load(path: &Path) -> Result<MasterKeys, StoreError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| StoreError::KeyFile(format!("{}: {error}", path.display())))?;
        MasterKeys::parse(&Zeroizing::new(text))
    }

    /// One random key as version 1.
    ///
    /// # Errors
    /// [`StoreError::Randomness`].
    pub fn generate() -> Result<MasterKeys, StoreError> {
        MasterKeys::new(BTreeMap::from([(1, cipher::random_key()?)]))
    }

    /// The same keys and a new random one, which from now on wraps.
    ///
    /// # Errors
    /// [`StoreError::Randomness`].
    pub fn rotated(&self) -> Result<MasterKeys, StoreError> {
        let mut keys = self.keys.clone();
        keys.insert(self.newest.0 + 1, cipher::random_key()?);
        MasterKeys::new(keys)
    }

    /// The text of a key file with these keys.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut text = String::from("# Master keys of the sealed data: version and key. Keep secret, keep safe.\n");
        for (version, key) in &self.keys {
            text.push_str(&format!("{version} {}\n", STANDARD.encode(key.as_slice())));
        }
        Zeroizing::new(text)
    }

    fn new(keys: BTreeMap<i32, Zeroizing<[u8; 32]>>) -> Result<MasterKeys, StoreError> {
        let newest = keys
            .last_key_value()
            .map(|(version, key)| (*version, key.clone()))
            .ok_or_else(|| StoreError::KeyFile("there is no key in it".into()))?;
        Ok(MasterKeys { keys, newest })
    }

    pub(super) fn current(&self) -> (i32, &[u8; 32]) {
        (self.newest.0, &self.newest.1)
    }

    pub(super) fn version(&self, version: i32) -> Result<&[u8; 32], StoreError> {
        self.keys
            .get(&version)
            .map(|key| &**key)
            .ok_or(StoreError::NoMasterKey(version))
    }
}

/// Key of the exact lookups. It is never rotated: the hashes it made stand in the tables.
#[derive(Clone)]
pub struct LookupKey(Zeroizing<[u8; 32]>);

impl fmt::Debug for LookupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LookupKey")
    }
}

impl LookupKey {
    /// Reads 32 bytes in base64.
    ///
    /// # Errors
    /// [`StoreError::KeyFile`].
    pub fn parse(text: &str) -> Result<LookupKey, StoreError> {
        decode(text.trim())
            .map(LookupKey)
            .ok_or_else(|| StoreError::KeyFile("the lookup key is not 32 bytes in base64".into()))
    }

    /// A random key.
    ///
    /// # Errors
    /// [`StoreError::Randomness`].
    pub fn generate() -> Result<LookupKey, StoreError> {
        Ok(LookupKey(cipher::random_key()?))
    }

    /// The key as [`LookupKey::parse`] reads it.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.0.as_slice()))
    }

    pub(super) fn hash(&self, kind: &str, value: &[u8]) -> [u8; 32] {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_slice()).expect("any key length");
        mac.update(&cipher::joined(&[kind.as_bytes(), value]));
        mac.finalize().into_bytes().into()
    }
}

fn decode(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let bytes = Zeroizing::new(STANDARD.decode(text.trim()).ok()?);
    bytes.as_slice().try_into().ok().map(Zeroizing::new)
}
