//! The digital wallet (數位憑證皮夾): cards that residents show while they fill in an application ([`show`]), and the card that a
//! granted case puts into their wallet ([`card`]).
//!
//! The wallet comes over another connection than the browser. What has to be remembered until then stands sealed under the key
//! of the case in `wallet_request`, and is found by a digest of what the wallet names.

pub mod card;
pub mod show;

use exchange::wallet::issuer::Issuer;
use exchange::wallet::verifier::Verifier;
use jiff::{SignedDuration, Timestamp};
use ring::rand::SystemRandom;
use services::Catalogue;
use services::wallet::ShownCard;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use store::tables::{wallet_card, wallet_request, wallet_seen};

use crate::{CaseError, Desk, Month};

/// Most requests and offers of a case within an hour.
const MOST: u64 = 30;
/// How long it is kept that a request ended.
const KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);

/// The city's ways to wallets. A city may only ask, only give, or both.
pub struct Wallet {
    /// Asks for cards; without it none is taken.
    pub verifier: Option<Verifier>,
    /// Gives cards; without it none is offered.
    pub issuer: Option<Issuer>,
    random: SystemRandom,
    /// Status lists as they were published last, by address.
    lists: Mutex<HashMap<String, (Timestamp, String)>>,
}

impl Wallet {
    /// Ways to wallets.
    #[must_use]
    pub fn new(verifier: Option<Verifier>, issuer: Option<Issuer>) -> Wallet {
        Wallet {
            verifier,
            issuer,
            random: SystemRandom::new(),
            lists: Mutex::default(),
        }
    }

    fn lists(&self) -> MutexGuard<'_, HashMap<String, (Timestamp, String)>> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The cards that the city gives, as the issuer is configured with them: those of all services on offer.
#[must_use]
pub fn kinds(catalogue: &Catalogue) -> Vec<exchange::wallet::issuer::CardKind> {
    let title = |text: &civic::Text| text.get(civic::Language::ZhTw).to_owned();
    let cards = catalogue.all().filter_map(|service| service.card.as_ref());
    cards
        .map(|card| exchange::wallet::issuer::CardKind {
            credential_type: card.credential_type.clone(),
            title: title(&card.title),
            fields: card
                .fields
                .iter()
                .map(|field| exchange::wallet::issuer::Field {
                    name: field.name.clone(),
                    title: title(&field.title),
                })
                .collect(),
            valid_days: card.days,
        })
        .collect()
}

/// The cards that a service takes, where the city can ask for any.
#[must_use]
pub fn taken<'a>(desk: &'a Desk, service: &'a services::Service) -> Vec<&'a ShownCard> {
    match verifier(desk) {
        Some(_) => {
            let cards = service.meta.wallet.iter();
            cards.filter_map(|card| desk.catalogue.card(card)).collect()
        }
        None => Vec::new(),
    }
}

fn verifier(desk: &Desk) -> Option<&Verifier> {
    desk.wallet.as_ref()?.verifier.as_ref()
}

fn issuer(desk: &Desk) -> Option<&Issuer> {
    desk.wallet.as_ref()?.issuer.as_ref()
}

fn outside(problem: impl ToString) -> CaseError {
    CaseError::Outside {
        party: "wallet",
        problem: problem.to_string(),
    }
}

/// Refuses to begin again and again: each costs a key of the case, and nobody needs more.
async fn not_too_many(desk: &Desk, application: uuid::Uuid) -> Result<(), CaseError> {
    let since = desk.now().checked_sub(SignedDuration::from_hours(1));
    let since = since.unwrap_or(Timestamp::MIN).as_microsecond();
    let begun = wallet_request::begun_since(desk.store.read(), application, since).await?;
    match begun < MOST {
        true => Ok(()),
        false => Err(CaseError::Input {
            field: "wallet",
            problem: "begun too often; try again in an hour",
        }),
    }
}

fn digest(text: &str) -> String {
    use sha2::{Digest as _, Sha256};
    hex::encode(Sha256::digest(text))
}

/// Ends requests and offers whose time is over, revokes cards whose decision does not stand any more, and forgets what is over.
/// Gives how many cards were revoked.
///
/// # Errors
/// The store's.
pub(crate) async fn tidy(desk: &Desk) -> Result<u64, CaseError> {
    let now = desk.now();
    let before = now.checked_sub(KEPT).unwrap_or(Timestamp::MIN).as_microsecond();
    let (now, month) = (now.as_microsecond(), Month::of(desk.today()).to_string());
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                wallet_request::lapse(tx, now).await?;
                wallet_request::delete_before(tx, before).await?;
                wallet_seen::delete_before(tx, now).await?;
                wallet_card::delete_before(tx, before).await?;
                Ok::<_, CaseError>(wallet_card::revoke_fallen(tx, &month, now).await?)
            })
        })
        .await
}
