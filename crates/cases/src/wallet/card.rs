//! The card that a granted case puts into the resident's wallet: offered on the page of the case, fetched by the wallet
//! (OpenID4VCI), revoked by its status list when the decision does not stand any more.

use crate::boxed;
use std::collections::BTreeMap;

use civic::Text;
use civic::ids::{ApplicationId, WalletRequestId};
use exchange::wallet::issuer::{
    Content, CredentialRequest, Granted, Issued, Issuer, IssuerError, Offered, Refusal, TokenRequest,
};
use exchange::wallet::status_list::{ENTRIES, Purpose, StatusList};
use jiff::{SignedDuration, Timestamp};
use ring::rand::SecureRandom;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use services::offered::Standing;
use store::access::Grant;
use store::tables::wallet_request::{self as request, Kind, Model, State};
use store::tables::{application, entitlement, succession, wallet_card};
use uuid::Uuid;

use super::show::place;
use super::{Wallet, issuer, not_too_many, outside};
use crate::change::Change;
use crate::guard::{self, Action, Who};
use crate::history::time;
use crate::people::Person;
use crate::record::{self, Record};
use crate::staff::Staff;
use crate::{CaseError, Desk, Month, decide};

/// How long a published list is good for.
const LIST_LIFE: SignedDuration = SignedDuration::from_hours(24);
/// How long a list is served as it was made: a revoked card is on it after a minute at the latest.
const LIST_PAUSE: SignedDuration = SignedDuration::from_secs(60);
/// Tries to find a free entry of a list.
const TRIES: usize = 64;

/// A card that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// When.
    pub given: Timestamp,
    /// Until when it is good by itself.
    pub until: Timestamp,
    /// When and why it was revoked (`fallen`, `renewed`), where it was.
    pub revoked: Option<(Timestamp, String)>,
}

/// An offer that is open.
#[derive(Clone, PartialEq, Eq)]
pub struct Open {
    /// The address that opens the wallet.
    pub link: String,
    /// Six digits that the wallet asks for.
    pub pin: String,
    /// When it is over.
    pub until: Timestamp,
}

impl std::fmt::Debug for Open {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Open")
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}

/// The card of a case, as the resident sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MyCard {
    /// What it is called.
    pub title: Text,
    /// What stands in it.
    pub fields: Vec<Text>,
    /// Whether it can be taken now.
    pub may_take: bool,
    /// The offer that is open.
    pub open: Option<Open>,
    /// Why the last offer ended without a card: a short word.
    pub ended: Option<String>,
    /// Cards that were given, newest first.
    pub given: Vec<Given>,
}

/// What is kept of an offer.
#[derive(Serialize, Deserialize)]
struct Kept {
    offered: Offered,
    granted: Option<Granted>,
    link: String,
    pin: String,
}

/// Whether the decision of a case stands today.
async fn stands(desk: &Desk, id: Uuid) -> Result<bool, CaseError> {
    let month = Month::of(desk.today()).to_string();
    Ok(succession::stands(desk.store.read(), id, &month).await?)
}

/// The card of an own case; nothing where its service gives none or the city has no way to wallets.
///
/// # Errors
/// [`CaseError::NotFound`]; the store's. Who may not act for the person's wallet sees no card.
#[boxed]
pub async fn mine(desk: &Desk, person: &Person, id: ApplicationId) -> Result<Option<MyCard>, CaseError> {
    let row = record::row(desk, id).await?;
    if row.person_id != Some(person.id.uuid()) {
        return Err(CaseError::NotFound("application"));
    }
    let service = desk.service(&row.service)?;
    let (Some(card), Some(_)) = (&service.card, issuer(desk)) else {
        return Ok(None);
    };
    let Ok(grant) = guard::case(desk, &person.who(), Action::Wallet, &row, service) else {
        return Ok(None);
    };
    let may_take = stands(desk, row.id).await?;
    let given = given(desk, id).await?;
    if !may_take && given.is_empty() {
        return Ok(None);
    }
    let newest = request::newest(desk.store.read(), Kind::Give, row.id, &card.credential_type).await?;
    let (mut open, mut ended) = (None, None);
    match newest {
        Some(offer) if matches!(offer.state, State::Waiting | State::Taken) => match desk.now() > time(offer.until) {
            true => ended = Some("too-late".to_owned()),
            false => {
                let kept = kept(desk, &grant, &row, &offer).await?;
                open = Some(Open {
                    link: kept.link,
                    pin: kept.pin,
                    until: time(offer.until),
                });
            }
        },
        Some(offer) => ended = offer.failure.filter(|_| offer.state == State::Ended),
        None => {}
    }
    Ok(Some(MyCard {
        title: card.title.clone(),
        fields: card.fields.iter().map(|field| field.title.clone()).collect(),
        open: open.filter(|_| may_take),
        ended,
        may_take,
        given,
    }))
}

/// The cards that were given of a case, newest first.
async fn given(desk: &Desk, id: ApplicationId) -> Result<Vec<Given>, CaseError> {
    let rows = wallet_card::of_application(desk.store.read(), id.uuid()).await?;
    let view = |row: wallet_card::Model| Given {
        given: time(row.given_at),
        until: time(row.valid_until),
        revoked: row
            .revoked_at
            .map(|at| (time(at), row.reason.clone().unwrap_or_default())),
    };
    Ok(rows.into_iter().map(view).collect())
}

/// The cards that were given of a case, for the office that decides it.
///
/// # Errors
/// [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn of_case(desk: &Desk, staff: &Staff, id: ApplicationId) -> Result<Vec<Given>, CaseError> {
    let row = record::row(desk, id).await?;
    let service = desk.service(&row.service)?;
    guard::case(desk, &staff.who(), Action::Read, &row, service)?;
    given(desk, id).await
}

async fn kept(desk: &Desk, grant: &Grant, row: &application::Model, offer: &Model) -> Result<Kept, CaseError> {
    record::unseal(desk, grant, row.key_id.into(), place(&offer.id), &offer.sealed).await
}

async fn sealed(desk: &Desk, row: &application::Model, offer: &Model, kept: &Kept) -> Result<Vec<u8>, CaseError> {
    record::seal(desk, desk.store.read(), row.key_id.into(), place(&offer.id), kept).await
}

/// Offers the card of a case. An offer that was open ends.
///
/// # Errors
/// [`CaseError::NotFound`] where there is no card to give now; [`CaseError::Refused`] for who is not the person themself;
/// [`CaseError::Input`] for too many in an hour; the store's.
#[boxed]
pub async fn offer(desk: &Desk, person: &Person, id: ApplicationId) -> Result<(), CaseError> {
    let record = record::own(desk, person, id, Action::Wallet).await?;
    let card = record.service.card.as_ref().ok_or(CaseError::NotFound("card"))?;
    let (Some(wallet), Some(issuer)) = (&desk.wallet, issuer(desk)) else {
        return Err(CaseError::NotFound("card"));
    };
    if !stands(desk, record.row.id).await? {
        return Err(CaseError::NotFound("card"));
    }
    not_too_many(desk, record.row.id).await?;
    let now = desk.now();
    let (offer, offered) = issuer
        .offer(&card.credential_type, true, &wallet.random, now)
        .map_err(outside)?;
    let kept = Kept {
        link: offer.link,
        pin: offer.pin.unwrap_or_default(),
        granted: None,
        offered,
    };
    let mut row = Model {
        id: WalletRequestId::generate(desk.clock.as_ref()).uuid(),
        kind: Kind::Give,
        application_id: record.row.id,
        credential_type: card.credential_type.clone(),
        state: State::Waiting,
        lookup: kept.offered.key.clone(),
        token: None,
        sealed: Vec::new(),
        failure: None,
        started_at: now.as_microsecond(),
        until: kept.offered.until.as_microsecond(),
        ended_at: None,
        revision: 1,
    };
    row.sealed = sealed(desk, &record.row, &row, &kept).await?;
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                request::end_open(tx, Kind::Give, row.application_id, &row.credential_type, row.started_at).await?;
                Ok::<_, CaseError>(request::insert(tx, row).await?)
            })
        })
        .await
}

/// An offer in the hand of an endpoint, with its case.
struct Found {
    offer: Model,
    row: application::Model,
    grant: Grant,
    kept: Kept,
}

async fn found(desk: &Desk, offer: Option<Model>) -> Result<Option<Found>, CaseError> {
    let open = |offer: &Model| matches!(offer.state, State::Waiting | State::Taken);
    let Some(offer) = offer.filter(open) else {
        return Ok(None);
    };
    let row = record::row(desk, ApplicationId::from_uuid(offer.application_id)).await?;
    let service = desk.service(&row.service)?;
    let grant = guard::case(desk, &Who::System, Action::Import, &row, service)?;
    let kept = kept(desk, &grant, &row, &offer).await?;
    Ok(Some(Found {
        offer,
        row,
        grant,
        kept,
    }))
}

/// A refusal for a wallet, with the body that says why.
#[derive(Debug)]
pub struct Refused {
    /// Status of the answer.
    pub status: u16,
    /// Its body.
    pub body: Value,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Refused {
        Refused {
            status: refusal.status(),
            body: refusal.body(None),
        }
    }
}

/// What a wallet is answered.
pub type Answer = Result<Value, Refused>;

/// The token endpoint: a code and its PIN for the right to fetch the card.
///
/// # Errors
/// The store's; everything else is an answer.
#[boxed]
pub async fn token(desk: &Desk, body: &[u8]) -> Result<Answer, CaseError> {
    let (Some(wallet), Some(issuer)) = (&desk.wallet, issuer(desk)) else {
        return Ok(Err(Refusal::InvalidGrant.into()));
    };
    let request = match TokenRequest::read(body) {
        Ok(request) => request,
        Err(refusal) => return Ok(Err(refusal.into())),
    };
    let offer = request::by_lookup(desk.store.read(), Kind::Give, &request.key()).await?;
    let Some(found) = found(desk, offer).await? else {
        return Ok(Err(Refusal::InvalidGrant.into()));
    };
    let Found {
        mut offer,
        row,
        mut kept,
        ..
    } = found;
    let answer = issuer.handle_token(&request, &mut kept.offered, &wallet.random, desk.now());
    let answer = answer.map(|(answer, granted)| {
        offer.state = State::Taken;
        offer.token = Some(granted.key.clone());
        offer.until = granted.until.as_microsecond();
        kept.granted = Some(granted);
        answer
    });
    offer.sealed = sealed(desk, &row, &offer, &kept).await?;
    let was_first = desk
        .store
        .write(move |tx| Box::pin(async move { Ok::<_, CaseError>(request::replace(tx, &offer).await?) }))
        .await?;
    // of two at once only one counts: a PIN can't be tried beside the count of wrong ones
    Ok(match was_first {
        true => answer.map_err(Refused::from),
        false => Err(Refusal::InvalidGrant.into()),
    })
}

/// The credential endpoint: the card, for a proof of the wallet's key.
///
/// # Errors
/// The store's; everything else is an answer.
#[boxed]
pub async fn credential(desk: &Desk, authorization: Option<&str>, body: &[u8]) -> Result<Answer, CaseError> {
    let (Some(wallet), Some(issuer)) = (&desk.wallet, issuer(desk)) else {
        return Ok(Err(Refusal::InvalidToken.into()));
    };
    let request = match CredentialRequest::read(authorization, body) {
        Ok(request) => request,
        Err(refusal) => return Ok(Err(refusal.into())),
    };
    let offer = request::by_token(desk.store.read(), &request.key()).await?;
    let Some(found) = found(desk, offer).await? else {
        return Ok(Err(Refusal::InvalidToken.into()));
    };
    let Found {
        offer,
        row,
        grant,
        mut kept,
    } = found;
    let Some(mut granted) = kept.granted.take() else {
        return Ok(Err(Refusal::InvalidToken.into()));
    };
    let service = std::sync::Arc::clone(desk.service(&row.service)?);
    let record = Record {
        answers: record::answers(desk, &grant, &row, &service).await?,
        service,
        grant,
        row,
    };
    let Some((subject, not_after)) = content(desk, &record).await? else {
        return Ok(Err(Refusal::InvalidToken.into()));
    };
    let Some(index) = free_entry(desk, wallet, &offer.credential_type).await? else {
        tracing::error!(card = offer.credential_type, "the status list of a card is full");
        return Ok(Err(Refusal::ServerError.into()));
    };
    let content = Content {
        subject: &subject,
        index,
        not_after: Some(not_after),
    };
    match issuer.handle_credential(&request, &mut granted, &content, &wallet.random, desk.now()) {
        Ok((answer, issued)) => {
            let fields: Vec<&str> = subject.keys().map(String::as_str).collect();
            match note(desk, &record, offer, &issued, &fields).await {
                Ok(()) => Ok(Ok(answer)),
                // the same token twice at once, an entry that was given in this moment, or a case that was changed
                Err(CaseError::Conflict(_)) => Ok(Err(Refusal::InvalidToken.into())),
                Err(CaseError::Store(error)) if error.is_duplicate() => Ok(Err(Refusal::ServerError.into())),
                Err(error) => Err(error),
            }
        }
        Err(refusal) => {
            let refused = Refused {
                status: refusal.status(),
                body: granted.refused(refusal, issuer),
            };
            kept.granted = Some(granted);
            let mut offer = offer;
            offer.sealed = sealed(desk, &record.row, &offer, &kept).await?;
            desk.store
                .write(move |tx| Box::pin(async move { Ok::<_, CaseError>(request::replace(tx, &offer).await?) }))
                .await?;
            Ok(Err(refused))
        }
    }
}

/// What stands in the card of a case, and when it ends at the latest; nothing where the decision does not stand.
async fn content(desk: &Desk, record: &Record) -> Result<Option<(BTreeMap<String, Value>, Timestamp)>, CaseError> {
    let Some(card) = &record.service.card else {
        return Ok(None);
    };
    if !stands(desk, record.row.id).await? {
        return Ok(None);
    }
    let Some(decision) = decide::latest(desk, record).await? else {
        return Ok(None);
    };
    let spans = entitlement::of_application(desk.store.read(), record.row.id).await?;
    let first = spans.iter().map(|span| span.first_month.clone()).min();
    let last = spans.iter().map(|span| span.last_month.clone()).max();
    let standing = Standing {
        number: record.row.number.as_deref().unwrap_or_default(),
        service: &record.service.meta.name,
        decided: civic::legal_day(record.row.decided_at.map_or(Timestamp::UNIX_EPOCH, time)),
        first_month: first.as_deref(),
        last_month: last.as_deref(),
        decision: &decision,
    };
    let end = last.as_deref().and_then(end_of).unwrap_or(Timestamp::MAX);
    let claims = card.claims(&record.service.form, &record.answers, &standing);
    Ok(Some((claims, end)))
}

/// The end of a month, in legal time.
fn end_of(month: &str) -> Option<Timestamp> {
    let next = month.parse::<Month>().ok()?.plus(1);
    format!("{next}-01").parse().ok().map(civic::legal_start)
}

/// A random entry of the lists of a card that no other has: entries in order would tell how many were given between two.
async fn free_entry(desk: &Desk, wallet: &Wallet, credential_type: &str) -> Result<Option<usize>, CaseError> {
    for _ in 0..TRIES {
        let mut bytes = [0; 4];
        if wallet.random.fill(&mut bytes).is_err() {
            return Ok(None);
        }
        let entry = u32::from_be_bytes(bytes) % u32::try_from(ENTRIES).unwrap_or(u32::MAX);
        let (Ok(number), Ok(index)) = (i32::try_from(entry), usize::try_from(entry)) else {
            return Ok(None);
        };
        if !wallet_card::is_used(desk.store.read(), credential_type, number).await? {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

/// Notes a card that was made: its entry, its place in the history, the use of the data, and the end of the offer. An earlier card of
/// the case is revoked, so that one is good at a time.
async fn note(desk: &Desk, record: &Record, offer: Model, issued: &Issued, fields: &[&str]) -> Result<(), CaseError> {
    let now = desk.now().as_microsecond();
    let mut change = Change::note(desk, &Who::System, &record.row, "wallet_given");
    let subject = guard::subject(desk, record).await?;
    change.entries.push(guard::entry(
        desk,
        &Who::System,
        Action::Wallet,
        record.id(),
        &record.service,
        subject,
        fields,
    ));
    let card = wallet_card::Model {
        id: issued.cid,
        application_id: record.row.id,
        credential_type: issued.credential_type.clone(),
        list_index: i32::try_from(issued.index).map_err(|_| CaseError::Conflict("card"))?,
        state: wallet_card::State::Valid,
        reason: None,
        given_at: now,
        valid_until: issued.expires.as_microsecond(),
        revoked_at: None,
    };
    let mut done = offer;
    done.state = State::Done;
    done.ended_at = Some(now);
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                change.write(tx).await?;
                wallet_card::revoke_of(tx, card.application_id, "renewed", now).await?;
                wallet_card::insert(tx, card).await?;
                match request::replace(tx, &done).await? {
                    true => Ok(()),
                    false => Err(CaseError::Conflict("wallet")),
                }
            })
        })
        .await
}

/// How the city describes itself as an issuer; nothing where it gives no cards.
///
/// # Errors
/// [`CaseError::Outside`] for a configuration that can't be used.
pub fn metadata(desk: &Desk) -> Result<Option<Value>, CaseError> {
    let described = issuer(desk).map(Issuer::metadata).transpose();
    described.map_err(|error: IssuerError| outside(error))
}

/// The city's public keys.
#[must_use]
pub fn keys(desk: &Desk) -> Option<Value> {
    issuer(desk).map(Issuer::jwks)
}

/// The schema of a card.
#[must_use]
pub fn schema(desk: &Desk, credential_type: &str) -> Option<Value> {
    issuer(desk)?.schema(credential_type)
}

/// A signed status list; nothing where there is no such card. Cards whose decision does not stand any more are on it, also where
/// nobody has looked since.
///
/// # Errors
/// The store's; [`CaseError::Outside`] for a configuration that can't be used.
#[boxed]
pub async fn status_list(desk: &Desk, credential_type: &str, purpose: &str) -> Result<Option<String>, CaseError> {
    let purpose = match purpose {
        "revocation" => Purpose::Revocation,
        "suspension" => Purpose::Suspension,
        _ => return Ok(None),
    };
    let (Some(wallet), Some(issuer)) = (&desk.wallet, issuer(desk)) else {
        return Ok(None);
    };
    if issuer.schema(credential_type).is_none() {
        return Ok(None);
    }
    let now = desk.now();
    let address = issuer.list_address(credential_type, purpose).map_err(outside)?;
    if let Some((made, list)) = wallet.lists().get(address.as_str())
        && now.duration_since(*made).abs() < LIST_PAUSE
    {
        return Ok(Some(list.clone()));
    }
    let mut list = StatusList::new(purpose);
    // the city suspends none
    if purpose == Purpose::Revocation {
        super::tidy(desk).await?;
        for entry in wallet_card::revoked(desk.store.read(), credential_type).await? {
            let entry = usize::try_from(entry).map_err(outside)?;
            list.set(entry, true).map_err(outside)?;
        }
    }
    let until = now.saturating_add(LIST_LIFE).unwrap_or(Timestamp::MAX);
    let list = list.publish(issuer.key(), &address, now, until).map_err(outside)?;
    wallet.lists().insert(address.to_string(), (now, list.clone()));
    Ok(Some(list))
}
