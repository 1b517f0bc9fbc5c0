//! The demonstration's natural-person certificates: one authority, the phone (行動自然人憑證) and the card reader with the
//! authority's query (自然人憑證) that both rest on it.

use crate::{Authority, PeerError, Population, Terms, fido, ics};
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use std::sync::Arc;
use url::Url;

/// What the twins need to know.
#[derive(Clone)]
pub struct Config {
    /// The people; all of them have a phone and a card.
    pub population: Arc<dyn Population>,
    /// Where the authority's own page sends the browser back to.
    pub callback_url: Url,
    /// Where the card reader's page sends signatures.
    pub return_url: Url,
    /// The city's name at the authority's query.
    pub agency: String,
    /// The clock.
    pub terms: Terms,
    /// Ports of phone and card reader; 0 takes any free one.
    pub ports: (u16, u16),
}

/// The running twins. They stop when they are dropped.
pub struct Running {
    /// The phone and its authority.
    pub fido: fido::Running,
    /// The card reader, and the query whose card it is.
    pub ics: ics::Running,
    /// Who made the certificates.
    pub authority: Authority,
    /// The city's key for the query (PKCS#8, PEM).
    pub agency_key: String,
}

/// Starts both twins with certificates of one authority.
///
/// # Errors
/// [`PeerError`].
pub async fn start(config: Config) -> Result<Running, PeerError> {
    let authority = Authority::new()?;
    let key = PKey::from_rsa(Rsa::generate(2048)?)?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let agency_key = text(key.private_key_to_pem_pkcs8()?);
    let public = text(key.public_key_to_pem()?);
    let phone = fido::start(fido::Config {
        population: Arc::clone(&config.population),
        authority: authority.clone(),
        callback_url: config.callback_url,
        terms: config.terms.clone(),
        port: config.ports.0,
    });
    let phone = phone.await?;
    let card = ics::start(ics::Config {
        population: config.population,
        authority: authority.clone(),
        agency: config.agency,
        agency_key: public,
        return_url: config.return_url,
        terms: config.terms,
        port: config.ports.1,
    });
    Ok(Running {
        fido: phone,
        ics: card.await?,
        authority,
        agency_key,
    })
}

impl Running {
    /// The page that stands in for the phone.
    #[must_use]
    pub fn phone(&self) -> String {
        self.fido.phone()
    }

    /// The page that stands in for the card reader.
    #[must_use]
    pub fn card(&self) -> String {
        format!("{}/card", self.ics.address)
    }
}
