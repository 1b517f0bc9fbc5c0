//! Channels (通知管道): where a person wants to be told. Each is theirs to open and to end; nobody is told on one they did not
//! choose, and an address counts only once its holder has shown that it is theirs.
//!
//! A mail address and a mobile number are confirmed by a code that is sent there, a LINE account by a code that is written to the
//! city's account from it, a browser by its own question to the person.

mod code;
mod line;
mod view;

pub use code::{ask, ask_again, confirm};
pub use line::{link, told};
pub use view::{ChannelView, Overview, overview};

pub(crate) use code::{SEND as CODE, send as send_code};

use crate::boxed;
use civic::ids::{ChannelId, KeyId, PersonId};
use civic::{Language, MobileNumber};
use exchange::notify::webpush::Subscription;
use exchange::notify::{line as line_account, sms, webpush};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use store::Tx;
use store::access::Grant;
use store::ledger::{self, Entry};
use store::seal::{Place, Seal};
use store::tables::channel::{self as table, Kind, State};
use store::tables::{delivery, person as persons};
use uuid::Uuid;

use crate::guard::{self, Who};
use crate::notify::deliver::Address;
use crate::people::Person;
use crate::{CaseError, Desk};

/// The action of the access policies and of the ledger.
const ACTION: &str = "channels";
/// Personal Data Protection Act §15 ②: with the consent of the person, which each channel is.
const BASIS: &str = "個人資料保護法 §15 ②";
/// Browsers of one person.
const BROWSERS: usize = 5;
/// Most bytes of what a browser gives.
const LARGEST: usize = 2048;

/// The ways beside mail on which the city can tell people something; each only where it is configured.
#[derive(Clone, Debug, Default)]
pub struct Ways {
    /// The gateway of text messages.
    pub sms: Option<sms::Gateway>,
    /// The city's LINE account.
    pub line: Option<line_account::Line>,
    /// The city as a sender of push messages.
    pub push: Option<webpush::Pusher>,
}

impl Desk {
    /// Whether the city can send on channels of this kind.
    #[must_use]
    pub fn can_send(&self, kind: Kind) -> bool {
        match kind {
            Kind::Email => self.mail.is_some(),
            Kind::Sms => self.ways.sms.is_some(),
            Kind::Line => self.ways.line.is_some(),
            Kind::Push => self.ways.push.is_some(),
        }
    }
}

/// What is sealed of a channel.
#[derive(Serialize, Deserialize)]
struct Sealed {
    /// Where it leads; nothing while a LINE account is not linked.
    address: Option<Address>,
    /// The code that is awaited.
    code: Option<String>,
}

fn input(field: &'static str, problem: &'static str) -> CaseError {
    CaseError::Input { field, problem }
}

/// The name of a field for a kind, as errors have it.
const fn field(kind: Kind) -> &'static str {
    kind.word()
}

/// An address as the keyed hash sees it: however it was typed, one address has one form.
fn plain(kind: Kind, address: &str) -> String {
    match kind {
        Kind::Email => address.trim().to_lowercase(),
        Kind::Sms => {
            MobileNumber::parse(address).map_or_else(|_| address.to_owned(), |number| number.reveal().to_owned())
        }
        Kind::Line | Kind::Push => address.to_owned(),
    }
}

/// The keyed hash by which an address is found again.
pub(crate) fn lookup(seal: &Seal, kind: Kind, address: &str) -> [u8; 32] {
    seal.lookup(&format!("channel.{}", kind.word()), &plain(kind, address))
}

/// May a person say where they are told. Whoever acts for another may not.
fn own(desk: &Desk, person: &Person) -> Result<Grant, CaseError> {
    guard::profile(desk, &person.who(), person.id, ACTION)
}

fn entry(desk: &Desk, who: &Who, subject: [u8; 32], kind: Kind) -> Entry {
    let (actor, actor_id) = who.in_ledger();
    Entry {
        at: desk.now(),
        actor,
        actor_id,
        action: ACTION.to_owned(),
        purpose: guard::of_person(BASIS, ACTION),
        application: None,
        subject: Some(subject),
        fields: vec![kind.word().to_owned()],
        count: 1,
    }
}

async fn key(tx: &Tx, person: Uuid) -> Result<KeyId, CaseError> {
    let row = persons::by_id(tx, person).await?.ok_or(CaseError::NotFound("person"))?;
    Ok(row.key_id.into())
}

async fn seal(tx: &Tx, seal: &Seal, key: KeyId, id: Uuid, content: &Sealed) -> Result<Vec<u8>, CaseError> {
    let plain =
        zeroize::Zeroizing::new(serde_json::to_vec(content).map_err(|error| CaseError::corrupt("channel", &error))?);
    Ok(seal.seal(tx, key, Place::new("channel", "sealed", &id), &plain).await?)
}

async fn open(
    db: &impl store::sea_orm::ConnectionTrait,
    seal: &Seal,
    grant: &Grant,
    key: KeyId,
    row: &table::Model,
) -> Result<Sealed, CaseError> {
    let sealed = row.sealed.as_deref().ok_or(CaseError::NotFound("channel"))?;
    let place = Place::new("channel", "sealed", &row.id);
    let plain = seal.open(db, grant, key, place, sealed).await?;
    serde_json::from_slice(&plain).map_err(|error| CaseError::corrupt("channel", &error))
}

/// Where a channel leads and in which language; nothing for one that nobody is told on any more.
pub(crate) async fn address(desk: &Desk, id: Uuid) -> Result<Option<(Address, Language)>, CaseError> {
    let db = desk.store.read();
    let Some(row) = table::by_id(db, id).await?.filter(|row| row.state == State::Confirmed) else {
        return Ok(None);
    };
    let Some(person) = persons::by_id(db, row.person_id).await? else {
        return Ok(None);
    };
    let grant = guard::profile(desk, &Who::System, PersonId::from_uuid(row.person_id), ACTION)?;
    let content = open(db, desk.store.seal(), &grant, person.key_id.into(), &row).await?;
    let language = row.language.parse().unwrap_or_default();
    Ok(content.address.map(|address| (address, language)))
}

/// A new row that nobody has confirmed.
fn fresh(desk: &Desk, person: PersonId, kind: Kind, lookup: [u8; 32], language: Language) -> table::Model {
    table::Model {
        id: ChannelId::generate(desk.clock.as_ref()).uuid(),
        person_id: person.uuid(),
        kind,
        lookup: lookup.to_vec(),
        sealed: None,
        state: State::Asked,
        language: language.tag().to_owned(),
        code_until: None,
        tries: 0,
        asked: 0,
        asked_at: desk.now().as_microsecond(),
        confirmed_at: None,
        ended_at: None,
        problem: None,
    }
}

/// Confirms a row: from now on messages go there. Other addresses of the kind end, but for browsers, of which there may be some.
async fn take(tx: &Tx, seal_with: &Seal, mut row: table::Model, address: Address) -> Result<(), CaseError> {
    let at = tx.now().as_microsecond();
    let rows = table::of_person(tx, row.person_id).await?;
    let others = rows.iter().filter(|other| {
        other.id != row.id && other.kind == row.kind && matches!(other.state, State::Asked | State::Confirmed)
    });
    let most = if row.kind == Kind::Push { BROWSERS - 1 } else { 0 };
    let others: Vec<Uuid> = others.map(|other| other.id).collect();
    // the oldest go first
    for id in others.iter().take(others.len().saturating_sub(most)) {
        end(tx, *id, State::Withdrawn, None).await?;
    }
    let key = key(tx, row.person_id).await?;
    let content = Sealed {
        address: Some(address),
        code: None,
    };
    row.sealed = Some(seal(tx, seal_with, key, row.id, &content).await?);
    row.state = State::Confirmed;
    row.confirmed_at = Some(at);
    row.ended_at = None;
    row.code_until = None;
    row.tries = 0;
    row.problem = None;
    table::replace(tx, row).await?;
    Ok(())
}

/// Ends a channel and everything that was still to be sent there.
async fn end(tx: &Tx, id: Uuid, state: State, problem: Option<&str>) -> Result<(), CaseError> {
    table::end(tx, id, state, problem, tx.now().as_microsecond()).await?;
    delivery::end_of_channel(tx, id, problem.unwrap_or("withdrawn")).await?;
    Ok(())
}

/// Ends a channel. What was on its way there and is not sent yet is not sent; ending it again changes nothing.
///
/// # Errors
/// [`CaseError::NotFound`] for one that is not theirs; [`CaseError::Refused`] to whoever acts for another; the store's.
#[boxed]
pub async fn withdraw(desk: &Desk, person: &Person, id: ChannelId) -> Result<(), CaseError> {
    own(desk, person)?;
    let (owner, id) = (person.id.uuid(), id.uuid());
    let (who, subject, at) = (person.who(), person.lookup, desk.now());
    let mut used = entry(desk, &who, subject, Kind::Email);
    used.at = at;
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                let row = table::by_id(tx, id).await?.filter(|row| row.person_id == owner);
                let row = row.ok_or(CaseError::NotFound("channel"))?;
                end(tx, id, State::Withdrawn, None).await?;
                used.fields = vec![row.kind.word().to_owned()];
                ledger::append(tx, used).await?;
                Ok(())
            })
        })
        .await
}

/// Sets the language of everything that the person is sent on their channels.
///
/// # Errors
/// [`CaseError::Refused`] to whoever acts for another; the store's.
#[boxed]
pub async fn speak(desk: &Desk, person: &Person, language: Language) -> Result<(), CaseError> {
    own(desk, person)?;
    let owner = person.id.uuid();
    desk.store
        .write(move |tx| {
            Box::pin(async move { Ok::<_, CaseError>(table::set_language(tx, owner, language.tag()).await?) })
        })
        .await
}

/// Takes a browser that the person let notify them; `given` is the JSON of its subscription.
///
/// # Errors
/// [`CaseError::Input`] with field `push` for what no push service gives; [`CaseError::Refused`] to whoever acts for another; the
/// store's.
#[boxed]
pub async fn subscribe(desk: &Desk, person: &Person, given: &str, language: Language) -> Result<ChannelId, CaseError> {
    own(desk, person)?;
    let Some(pusher) = &desk.ways.push else {
        return Err(input("push", "unset"));
    };
    let unusable = || input("push", "unusable");
    if given.len() > LARGEST {
        return Err(unusable());
    }
    let browser: Subscription = serde_json::from_str(given).map_err(|_| unusable())?;
    pusher.accepts(&browser).map_err(|_| unusable())?;
    let hash = lookup(desk.store.seal(), Kind::Push, &browser.endpoint);
    let new = fresh(desk, person.id, Kind::Push, hash, language);
    let used = entry(desk, &person.who(), person.lookup, Kind::Push);
    let sealer = desk.store.seal().clone();
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                let rows = table::of_person(tx, new.person_id).await?;
                let known = rows
                    .into_iter()
                    .find(|row| row.kind == Kind::Push && row.lookup == new.lookup);
                let row = match known {
                    Some(row) => row,
                    None => {
                        table::insert(tx, new.clone()).await?;
                        new
                    }
                };
                let id = row.id;
                take(tx, &sealer, row, Address::Push(browser)).await?;
                ledger::append(tx, used).await?;
                Ok(ChannelId::from_uuid(id))
            })
        })
        .await
}

/// Deletes what was asked for and never confirmed; gives how many.
///
/// # Errors
/// The store's.
pub(crate) async fn tidy(desk: &Desk) -> Result<u64, CaseError> {
    let day = SignedDuration::from_hours(24);
    let before = desk.now().checked_sub(day).unwrap_or(jiff::Timestamp::MIN);
    let before = before.as_microsecond();
    desk.store
        .write(move |tx| Box::pin(async move { Ok::<_, CaseError>(table::delete_unconfirmed(tx, before).await?) }))
        .await
}
