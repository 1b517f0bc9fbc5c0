//! A certificate authority of the demonstration (示範內政部憑證管理中心) and the cards it gave its people, by OpenSSL.

use crate::keys::{self, Signer};
use crate::{Account, PeerError};
use openssl::cms::{CMSOptions, CmsContentInfo};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::stack::Stack;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The authority. Its cards are made when they are first asked for.
#[derive(Clone)]
pub struct Authority(Arc<Parts>);

struct Parts {
    root: Signer,
    authority: Signer,
    cards: Mutex<HashMap<String, Signer>>,
}

impl Authority {
    /// A root, an authority under it, and no card yet.
    ///
    /// # Errors
    /// [`PeerError::Key`].
    pub fn new() -> Result<Authority, PeerError> {
        let root = keys::certificate("示範政府憑證總管理中心", None, true, 0, 3650)?;
        let authority = keys::certificate("示範內政部憑證管理中心", Some(&root), true, 0, 3650)?;
        Ok(Authority(Arc::new(Parts {
            root,
            authority,
            cards: Mutex::default(),
        })))
    }

    /// The root, PEM.
    #[must_use]
    pub fn root_pem(&self) -> String {
        text(&self.0.root)
    }

    /// The authority under it, PEM.
    #[must_use]
    pub fn authority_pem(&self) -> String {
        text(&self.0.authority)
    }

    /// The person's card. Its subject names the person; the national id is not in it.
    pub(crate) fn card(&self, account: &Account) -> Result<Signer, ErrorStack> {
        let mut cards = self.0.cards.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(card) = cards.get(&account.national_id) {
            return Ok(card.clone());
        }
        let card = keys::certificate(&account.name, Some(&self.0.authority), false, 0, 1825)?;
        cards.insert(account.national_id.clone(), card.clone());
        Ok(card)
    }

    /// Whose card has this serial number (hexadecimal).
    pub(crate) fn holder(&self, serial: &str) -> Option<String> {
        let cards = self.0.cards.lock().unwrap_or_else(PoisonError::into_inner);
        cards.iter().find_map(|(id, card)| {
            let number = card.certificate.serial_number().to_bn().ok()?.to_hex_str().ok()?;
            number.eq_ignore_ascii_case(serial).then(|| id.clone())
        })
    }

    /// PKCS#7 over a content by a card, with the authority's certificate in it.
    pub(crate) fn pkcs7(&self, card: &Signer, content: &[u8]) -> Result<Vec<u8>, ErrorStack> {
        let mut between = Stack::new()?;
        between.push(self.0.authority.certificate.clone())?;
        let options = CMSOptions::BINARY;
        CmsContentInfo::sign(
            Some(&card.certificate),
            Some(&card.key),
            Some(&between),
            Some(content),
            options,
        )?
        .to_der()
    }

    /// The bare RSA PKCS#1 v1.5 signature.
    pub(crate) fn pkcs1(card: &Signer, digest: MessageDigest, content: &[u8]) -> Result<Vec<u8>, ErrorStack> {
        openssl::sign::Signer::new(digest, &card.key)?.sign_oneshot_to_vec(content)
    }
}

fn text(signer: &Signer) -> String {
    let pem = signer.certificate.to_pem().unwrap_or_default();
    String::from_utf8_lossy(&pem).into_owned()
}
