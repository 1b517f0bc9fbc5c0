//! What is published of the ledger from time to time: how many entries, the root over them, signed.
//!
//! A checkpoint is a signed note as transparency logs publish it (C2SP tlog-checkpoint and signed-note, Ed25519), so that
//! programs that nobody of us wrote can check it. Two more lines say the hash of the last entry and the time.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::merkle::Hash;
use super::{Fault, Head};
use crate::StoreError;

/// Longest note; one of ours has some 300 bytes.
const LONGEST: usize = 16 << 10;
/// Number of Ed25519 in the format of notes.
const ED25519_KEY: u8 = 1;

/// The ledger as it was published at some moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Name of the ledger, unique to it: the portal's host and `/ledger`.
    pub origin: String,
    /// The last entry.
    pub head: Head,
    /// Root of the tree over the entries.
    pub root: Hash,
    /// When.
    pub at: Timestamp,
}

fn wrong(why: &str) -> Fault {
    Fault::Checkpoint(why.to_owned())
}

impl Checkpoint {
    fn text(&self) -> String {
        format!(
            "{}\n{}\n{}\nhead {}\ntime {}\n",
            self.origin,
            self.head.seq,
            STANDARD.encode(self.root),
            hex::encode(self.head.hash),
            self.at
        )
    }

    fn parse(text: &str) -> Option<Checkpoint> {
        let mut lines = text.lines();
        let checkpoint = Checkpoint {
            origin: lines.next()?.to_owned(),
            head: Head {
                seq: lines.next()?.parse().ok()?,
                hash: [0; 32],
            },
            root: STANDARD.decode(lines.next()?).ok()?.try_into().ok()?,
            at: Timestamp::UNIX_EPOCH,
        };
        let hash = hex::decode(lines.next()?.strip_prefix("head ")?).ok()?;
        let checkpoint = Checkpoint {
            head: Head {
                hash: hash.try_into().ok()?,
                ..checkpoint.head
            },
            at: lines.next()?.strip_prefix("time ")?.parse().ok()?,
            ..checkpoint
        };
        // One way to write it: what was signed is what was understood.
        (checkpoint.text() == text).then_some(checkpoint)
    }

    /// The signed note.
    #[must_use]
    pub fn sign(&self, key: &SigningKey) -> String {
        let text = self.text();
        let mut signature = key.public.id().to_vec();
        signature.extend_from_slice(key.pair.sign(text.as_bytes()).as_ref());
        format!("{text}\n\u{2014} {} {}\n", key.public.name, STANDARD.encode(signature))
    }

    /// Reads a signed note and checks its signature.
    ///
    /// # Errors
    /// [`Fault::Checkpoint`].
    pub fn open(note: &str, key: &VerifyingKey) -> Result<Checkpoint, Fault> {
        if note.len() > LONGEST {
            return Err(wrong("it is too long"));
        }
        let (text, signatures) = note
            .split_once("\n\n")
            .ok_or_else(|| wrong("there is no empty line between its text and its signature"))?;
        let text = format!("{text}\n");
        let prefix = format!("\u{2014} {} ", key.name);
        let signature = signatures
            .lines()
            .find_map(|line| line.strip_prefix(&prefix))
            .ok_or_else(|| Fault::Checkpoint(format!("it is not signed by `{}`", key.name)))?;
        let signature = STANDARD
            .decode(signature)
            .map_err(|_| wrong("its signature is not base64"))?;
        let (id, signature) = signature
            .split_first_chunk::<4>()
            .ok_or_else(|| wrong("its signature is too short"))?;
        if *id != key.id() {
            return Err(wrong("it is signed by another key of the same name"));
        }
        UnparsedPublicKey::new(&ED25519, key.key)
            .verify(text.as_bytes(), signature)
            .map_err(|_| wrong("its signature does not fit; it was changed"))?;
        Checkpoint::parse(&text).ok_or_else(|| wrong("it is signed, but its text is not that of a ledger's checkpoint"))
    }
}

/// The public half of the key that signs checkpoints, written `name+id+key` as in C2SP signed-note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyingKey {
    name: String,
    key: [u8; 32],
}

fn tagged(key: &[u8; 32]) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(33));
    bytes.push(ED25519_KEY);
    bytes.extend_from_slice(key);
    bytes
}

/// Name, id and the 32 bytes of a written key.
fn parts(text: &str) -> Option<(&str, &str, Zeroizing<[u8; 32]>)> {
    let mut parts = text.trim().splitn(3, '+');
    let (name, id, key) = (parts.next()?, parts.next()?, parts.next()?);
    let key = Zeroizing::new(STANDARD.decode(key).ok()?);
    match key.split_first() {
        Some((&ED25519_KEY, key)) if is_name(name) => Some((name, id, Zeroizing::new(key.try_into().ok()?))),
        _ => None,
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 255 && !name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+')
}

impl VerifyingKey {
    fn id(&self) -> [u8; 4] {
        let hash = Sha256::new()
            .chain_update(&self.name)
            .chain_update(b"\n")
            .chain_update(tagged(&self.key).as_slice());
        let hash: Hash = hash.finalize().into();
        hash.first_chunk().copied().unwrap_or_default()
    }

    /// Reads a written key.
    ///
    /// # Errors
    /// [`Fault::Checkpoint`].
    pub fn parse(text: &str) -> Result<VerifyingKey, Fault> {
        let read = parts(text).and_then(|(name, id, key)| {
            let read = VerifyingKey {
                name: name.to_owned(),
                key: *key,
            };
            (hex::encode(read.id()) == id).then_some(read)
        });
        read.ok_or_else(|| {
            wrong("the key is not usable; it is one line `name+id+key`, as published beside the checkpoints")
        })
    }
}

impl fmt::Display for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = STANDARD.encode(tagged(&self.key).as_slice());
        write!(f, "{}+{}+{key}", self.name, hex::encode(self.id()))
    }
}

/// The key that signs checkpoints.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    seed: Zeroizing<[u8; 32]>,
    public: VerifyingKey,
}

/// What a written signing key begins with.
const PRIVATE: &str = "PRIVATE+KEY+";

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SigningKey").field(&self.public.name).finish()
    }
}

impl SigningKey {
    /// A random key of this name: the ledger's origin.
    ///
    /// # Errors
    /// [`StoreError::KeyFile`] for a name with blanks or `+`; [`StoreError::Randomness`].
    pub fn generate(name: &str) -> Result<SigningKey, StoreError> {
        let unusable = || StoreError::KeyFile(format!("`{name}` can't be the name of a signing key"));
        let seed = Zeroizing::new(crate::seal::secret()?.as_slice().try_into().map_err(|_| unusable())?);
        SigningKey::new(name, seed).ok_or_else(unusable)
    }

    fn new(name: &str, seed: Zeroizing<[u8; 32]>) -> Option<SigningKey> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_slice()).ok()?;
        let key = pair.public_key().as_ref().try_into().ok()?;
        is_name(name).then(|| SigningKey {
            pair,
            seed,
            public: VerifyingKey {
                name: name.to_owned(),
                key,
            },
        })
    }

    /// Reads the text of a key file.
    ///
    /// # Errors
    /// [`StoreError::KeyFile`].
    pub fn parse(text: &str) -> Result<SigningKey, StoreError> {
        let read = text.trim().strip_prefix(PRIVATE).and_then(|rest| {
            let (name, id, seed) = parts(rest)?;
            let key = SigningKey::new(name, seed)?;
            (hex::encode(key.public.id()) == id).then_some(key)
        });
        read.ok_or_else(|| {
            StoreError::KeyFile("the ledger's signing key is one line `PRIVATE+KEY+name+id+key`; put it back from where it is kept safe".into())
        })
    }

    /// The text of a key file.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let seed = Zeroizing::new(STANDARD.encode(tagged(&self.seed).as_slice()));
        Zeroizing::new(format!(
            "{PRIVATE}{}+{}+{}\n",
            self.public.name,
            hex::encode(self.public.id()),
            seed.as_str()
        ))
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> &VerifyingKey {
        &self.public
    }

    /// The name: the origin of what it signs.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.public.name
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    /// Key and note of the documentation of Go's `golang.org/x/mod/sumdb/note`.
    #[test]
    fn keys_and_signatures_are_those_of_other_programs() {
        let key = SigningKey::parse("PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")
            .unwrap();
        assert_eq!(
            key.public().to_string(),
            "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
        );
        let text =
            "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
        let mut signature = key.public().id().to_vec();
        signature.extend_from_slice(key.pair.sign(text.as_bytes()).as_ref());
        assert_eq!(
            STANDARD.encode(signature),
            "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
        );
    }

    #[test]
    fn a_note_opens_as_it_was_signed_and_no_byte_of_it_can_change() {
        let key = SigningKey::generate("e.example/ledger").unwrap();
        let checkpoint = Checkpoint {
            origin: "e.example/ledger".into(),
            head: Head { seq: 7, hash: [3; 32] },
            root: [5; 32],
            at: "2026-11-20T02:00:00Z".parse().unwrap(),
        };
        let note = checkpoint.sign(&key);
        let public = VerifyingKey::parse(&key.public().to_string()).unwrap();
        assert_eq!(Checkpoint::open(&note, &public).unwrap(), checkpoint);
        assert_eq!(SigningKey::parse(&key.to_text()).unwrap().public(), key.public());
        for at in 0..note.len() - 1 {
            let mut bytes = note.clone().into_bytes();
            bytes[at] ^= 1;
            if let Ok(text) = String::from_utf8(bytes) {
                assert!(Checkpoint::open(&text, &public).is_err(), "byte {at}");
            }
        }
        let other = SigningKey::generate("e.example/ledger").unwrap();
        assert!(Checkpoint::open(&note, other.public()).is_err());
    }
}
