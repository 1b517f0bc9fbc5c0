//! Codes of six digits: sent to an address, and typed by whoever reads there.

use crate::boxed;
use std::collections::BTreeMap;

use civic::ids::{ChannelId, PersonId};
use civic::{Language, MobileNumber};
use jiff::SignedDuration;
use services::messages::Messages;
use store::Tx;
use store::ledger;
use store::outbox::{self, Outcome, Task};
use store::tables::channel::{self as table, Kind, State};
use store::tables::person as persons;
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use super::{Sealed, end, entry, field, fresh, input, key, lookup, open, own, seal, take};
use crate::guard::{self, Who};
use crate::history::time;
use crate::notify::deliver::{self, Address, Fate};
use crate::notify::text;
use crate::people::Person;
use crate::{CaseError, Desk};

/// Kind of the work that sends a code.
pub(crate) const SEND: &str = "channel.code";

/// Minutes that a code is good for.
pub(super) const MINUTES: i64 = 15;
/// Wrong codes after which the right one is not taken any more.
const TRIES: i32 = 5;
/// Codes that one person is sent in a day, to whatever address.
const A_DAY: i32 = 5;

/// Six digits of a random number.
fn digits() -> String {
    // the low half of a random UUID has 62 random bits: a remainder of 10⁶ is as good as even
    let number = Uuid::new_v4().as_u64_pair().1 % 1_000_000;
    format!("{number:06}")
}

/// An address as typed.
fn typed(kind: Kind, text: &str) -> Result<Address, CaseError> {
    let unusable = || input(field(kind), "unusable");
    match kind {
        Kind::Email => crate::agents::mail_address(text)?
            .map(Address::Email)
            .ok_or_else(unusable),
        Kind::Sms => MobileNumber::parse(text)
            .map(|number| Address::Sms(number.reveal().to_owned()))
            .map_err(|_| unusable()),
        Kind::Line | Kind::Push => Err(unusable()),
    }
}

/// Notes that a person wants to be told at a mail address or a mobile number, and has a code sent there.
///
/// # Errors
/// [`CaseError::Input`] whose field is the word of the kind, for an address that can't be (`unusable`), a kind the city has no way
/// for (`unset`), or too many codes in a day (`too_many`); [`CaseError::Refused`] to whoever acts for another; the store's.
#[boxed]
pub async fn ask(
    desk: &Desk,
    person: &Person,
    kind: Kind,
    text: &str,
    language: Language,
) -> Result<ChannelId, CaseError> {
    own(desk, person)?;
    if !desk.can_send(kind) {
        return Err(input(field(kind), "unset"));
    }
    let address = typed(kind, text.trim())?;
    let hash = lookup(desk.store.seal(), kind, text);
    asked(desk, person, fresh(desk, person.id, kind, hash, language), address).await
}

/// Has another code sent to an address that waits for one.
///
/// # Errors
/// As [`ask`]; [`CaseError::NotFound`] for a channel that is not theirs or waits for no code.
#[boxed]
pub async fn ask_again(desk: &Desk, person: &Person, id: ChannelId) -> Result<ChannelId, CaseError> {
    let grant = own(desk, person)?;
    let db = desk.store.read();
    let row = table::by_id(db, id.uuid()).await?;
    let row = row
        .filter(|row| row.person_id == person.id.uuid() && row.state == State::Asked)
        .ok_or(CaseError::NotFound("channel"))?;
    let owner = persons::by_id(db, row.person_id)
        .await?
        .ok_or(CaseError::NotFound("person"))?;
    let content = open(db, desk.store.seal(), &grant, owner.key_id.into(), &row).await?;
    let address = content.address.ok_or(CaseError::NotFound("channel"))?;
    asked(desk, person, row, address).await
}

async fn asked(desk: &Desk, person: &Person, wanted: table::Model, address: Address) -> Result<ChannelId, CaseError> {
    let (now, day) = (desk.now(), SignedDuration::from_hours(24));
    let since = now.checked_sub(day).unwrap_or(jiff::Timestamp::MIN).as_microsecond();
    let until = now.checked_add(SignedDuration::from_mins(MINUTES)).unwrap_or(now);
    let used = entry(desk, &person.who(), person.lookup, wanted.kind);
    let sealer = desk.store.seal().clone();
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                let rows = table::of_person(tx, wanted.person_id).await?;
                let sent: i32 = rows
                    .iter()
                    .filter(|row| row.asked_at >= since)
                    .map(|row| row.asked)
                    .sum();
                let known = rows
                    .iter()
                    .find(|row| row.kind == wanted.kind && row.lookup == wanted.lookup);
                if let Some(known) = known.filter(|known| known.state == State::Confirmed) {
                    return Ok(ChannelId::from_uuid(known.id));
                }
                if sent >= A_DAY {
                    return Err(input(field(wanted.kind), "too_many"));
                }
                // one address of a kind waits at a time; the others keep how many codes they were sent
                for row in rows
                    .iter()
                    .filter(|row| row.kind == wanted.kind && row.state == State::Asked)
                {
                    end(tx, row.id, State::Withdrawn, None).await?;
                }
                let (mut row, is_new) = match known {
                    Some(known) => (known.clone(), false),
                    None => (wanted, true),
                };
                let content = Sealed {
                    address: Some(address),
                    code: Some(digits()),
                };
                let key = key(tx, row.person_id).await?;
                row.sealed = Some(seal(tx, &sealer, key, row.id, &content).await?);
                if row.asked_at < since {
                    (row.asked, row.asked_at) = (0, tx.now().as_microsecond());
                }
                row.asked = row.asked.saturating_add(1);
                row.state = State::Asked;
                row.tries = 0;
                row.code_until = Some(until.as_microsecond());
                (row.ended_at, row.problem) = (None, None);
                let id = row.id;
                let task = Task::new(SEND, format!("{SEND}:{}", named(&row)), &id).lane(row.kind.word());
                match is_new {
                    true => table::insert(tx, row).await?,
                    false => table::replace(tx, row).await?,
                }
                outbox::put(tx, task).await?;
                ledger::append(tx, used).await?;
                Ok(ChannelId::from_uuid(id))
            })
        })
        .await
}

/// What a typed code did.
enum Typed {
    Right,
    Wrong,
    Over,
}

/// Takes the code that was sent to an address: from now on messages go there.
///
/// # Errors
/// [`CaseError::Input`] with field `code`: `wrong`, or `over` when it is too old or was wrong too often; [`CaseError::NotFound`] for a
/// channel that is not theirs or waits for no code; [`CaseError::Refused`] to whoever acts for another; the store's.
#[boxed]
pub async fn confirm(desk: &Desk, person: &Person, id: ChannelId, typed: &str) -> Result<(), CaseError> {
    let grant = own(desk, person)?;
    let typed: String = civic::fold_width(typed).chars().filter(char::is_ascii_digit).collect();
    let (owner, id) = (person.id.uuid(), id.uuid());
    let used = entry(desk, &person.who(), person.lookup, Kind::Email);
    let sealer = desk.store.seal().clone();
    let outcome = desk
        .store
        .write(move |tx: &Tx| {
            Box::pin(async move {
                let row = table::by_id(tx, id).await?;
                let row = row
                    .filter(|row| row.person_id == owner && row.state == State::Asked && row.kind != Kind::Line)
                    .ok_or(CaseError::NotFound("channel"))?;
                let in_time = row.code_until.is_some_and(|until| until >= tx.now().as_microsecond());
                if !in_time || row.tries >= TRIES {
                    return Ok(Typed::Over);
                }
                let content = open(tx, &sealer, &grant, key(tx, owner).await?, &row).await?;
                let (Some(address), Some(code)) = (content.address, content.code) else {
                    return Ok(Typed::Over);
                };
                if !bool::from(code.as_bytes().ct_eq(typed.as_bytes())) {
                    let tries = row.tries.saturating_add(1);
                    table::replace(tx, table::Model { tries, ..row }).await?;
                    return Ok(if tries >= TRIES { Typed::Over } else { Typed::Wrong });
                }
                let fields = vec![row.kind.word().to_owned()];
                take(tx, &sealer, row, address).await?;
                ledger::append(tx, ledger::Entry { fields, ..used }).await?;
                Ok::<_, CaseError>(Typed::Right)
            })
        })
        .await?;
    match outcome {
        Typed::Right => Ok(()),
        Typed::Wrong => Err(input("code", "wrong")),
        Typed::Over => Err(input("code", "over")),
    }
}

/// Sends the code that a channel waits for.
///
/// # Errors
/// Temporary ones, after which the work is tried again.
pub(crate) async fn send(desk: &Desk, id: Uuid) -> Result<Outcome, CaseError> {
    let db = desk.store.read();
    let now = desk.now().as_microsecond();
    let Some(row) = table::by_id(db, id).await? else {
        return Ok(Outcome::Done);
    };
    if row.state != State::Asked || row.code_until.is_none_or(|until| until < now) {
        return Ok(Outcome::Done);
    }
    let Some(owner) = persons::by_id(db, row.person_id).await? else {
        return Ok(Outcome::Done);
    };
    let grant = guard::profile(desk, &Who::System, PersonId::from_uuid(row.person_id), super::ACTION)?;
    let content = open(db, desk.store.seal(), &grant, owner.key_id.into(), &row).await?;
    let (Some(address), Some(code)) = (content.address, content.code) else {
        return Ok(Outcome::Done);
    };
    let language = row.language.parse().unwrap_or_default();
    let words = BTreeMap::from([
        ("city".to_owned(), desk.city.name.get(language).to_owned()),
        ("phone".to_owned(), desk.city.phone.clone()),
        ("minutes".to_owned(), MINUTES.to_string()),
        ("code".to_owned(), code),
    ]);
    let told = text::told("code", language, &Messages::default(), &words);
    // one name for each code, so that a second one is no repetition of the first
    let name = named(&row);
    match deliver::to(desk, &address, &told, name, time(now)).await {
        Fate::Sent => Ok(Outcome::Done),
        Fate::Later(after, _) => Ok(Outcome::Later(after)),
        Fate::Never(_) | Fate::Gone => {
            desk.store
                .write(move |tx| Box::pin(async move { end(tx, id, State::Gone, Some("refused")).await }))
                .await?;
            Ok(Outcome::Done)
        }
    }
}

/// A name for the code that a channel waits for: the same each time that it is sent, another one for another code.
fn named(row: &table::Model) -> Uuid {
    let (high, low) = row.id.as_u64_pair();
    let code = row
        .asked_at
        .unsigned_abs()
        .wrapping_add(u64::from(row.asked.unsigned_abs()));
    Uuid::from_u64_pair(high, low ^ code)
}

#[cfg(test)]
mod tests {
    use super::digits;

    #[test]
    fn a_code_has_six_digits() {
        for _ in 0..200 {
            let code = digits();
            assert!(
                code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()),
                "{code}"
            );
        }
    }
}
