//! Linking a LINE account: the person takes a code from their page and writes it to the city's account.

use crate::boxed;
use civic::Language;
use civic::ids::ChannelId;
use exchange::notify::NotifyError;
use exchange::notify::line::{Event, Line, UserId, What};
use jiff::SignedDuration;
use store::ledger;
use store::tables::channel::{self as table, Kind, State};
use store::tables::person as persons;
use uuid::Uuid;

use super::code::MINUTES;
use super::{Sealed, end, entry, fresh, input, key, lookup, own, seal, take};
use crate::guard::Who;
use crate::notify::deliver::Address;
use crate::notify::text;
use crate::people::Person;
use crate::{CaseError, Desk};

/// Letters and digits that nobody takes for one another.
const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// Letters of a code: 40 bits.
const LENGTH: usize = 8;
/// Longest time that an answer to somebody who wrote a wrong code may hold LINE's call up.
const ANSWER: std::time::Duration = std::time::Duration::from_secs(2);

fn code() -> String {
    let random = Uuid::new_v4().as_u64_pair().1;
    // the low half of a random UUID has 62 random bits, the lower 40 of them stand here
    let letter = |place: usize| {
        let five = usize::try_from(random >> (5 * place) & 31).unwrap_or(0);
        LETTERS.get(five).copied().unwrap_or(b'A')
    };
    (0..LENGTH).map(|place| char::from(letter(place))).collect()
}

/// What somebody wrote, if it has the form of a code.
fn written(text: &str) -> Option<String> {
    let folded = civic::fold_width(text);
    let letters: String = folded
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '-')
        .map(|c| c.to_ascii_uppercase())
        .take(LENGTH + 1)
        .collect();
    let is_code = letters.len() == LENGTH && letters.bytes().all(|byte| LETTERS.contains(&byte));
    is_code.then_some(letters)
}

/// The keyed hash of a code, by which the channel that waits for it is found.
fn waiting(desk: &Desk, code: &str) -> [u8; 32] {
    desk.store.seal().lookup("channel.line-code", code)
}

/// Begins to link a LINE account: the channel waits for the code that [`super::overview`] shows. One that waited before ends.
///
/// # Errors
/// [`CaseError::Input`] with field `line` and problem `unset` where the city has no account that can be linked;
/// [`CaseError::Refused`] to whoever acts for another; the store's.
#[boxed]
pub async fn link(desk: &Desk, person: &Person, language: Language) -> Result<ChannelId, CaseError> {
    own(desk, person)?;
    if !desk.ways.line.as_ref().is_some_and(Line::can_link) {
        return Err(input("line", "unset"));
    }
    let code = code();
    let mut row = fresh(desk, person.id, Kind::Line, waiting(desk, &code), language);
    let until = desk
        .now()
        .checked_add(SignedDuration::from_mins(MINUTES))
        .unwrap_or(desk.now());
    row.code_until = Some(until.as_microsecond());
    let used = entry(desk, &person.who(), person.lookup, Kind::Line);
    let sealer = desk.store.seal().clone();
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                let rows = table::of_person(tx, row.person_id).await?;
                // a code that nobody wrote leaves nothing behind
                for other in rows
                    .iter()
                    .filter(|row| row.kind == Kind::Line && row.state == State::Asked)
                {
                    table::delete(tx, other.id).await?;
                }
                let content = Sealed {
                    address: None,
                    code: Some(code),
                };
                row.sealed = Some(seal(tx, &sealer, key(tx, row.person_id).await?, row.id, &content).await?);
                let id = ChannelId::from_uuid(row.id);
                table::insert(tx, row).await?;
                ledger::append(tx, used).await?;
                Ok(id)
            })
        })
        .await
}

/// Takes what LINE tells by its webhook. Being told the same again changes nothing.
///
/// # Errors
/// [`CaseError::NotFound`] where the city has no LINE account; [`CaseError::Input`] with field `signature` for a call that is not
/// LINE's, and `body` for one that can't be read; the store's, after which LINE tells it again.
#[boxed]
pub async fn told(desk: &Desk, body: &[u8], signature: &str) -> Result<(), CaseError> {
    let line = desk.ways.line.as_ref().ok_or(CaseError::NotFound("LINE account"))?;
    let events = line.events(body, signature).map_err(|error| match error {
        NotifyError::Signature => input("signature", "unusable"),
        _ => input("body", "unusable"),
    })?;
    for Event { user, what } in events {
        match what {
            // being told is asked for on the person's page, never by adding the account alone
            What::Follow => {}
            What::Unfollow => unfollowed(desk, &user).await?,
            What::Text(text) => {
                let Some(code) = written(&text) else { continue };
                let (linked, language) = linked(desk, &user, &code).await?;
                answer(line, desk, &user, linked, language).await;
            }
        }
    }
    Ok(())
}

/// Ends the channels of an account that blocked the city's.
async fn unfollowed(desk: &Desk, user: &UserId) -> Result<(), CaseError> {
    let hash = lookup(desk.store.seal(), Kind::Line, user.reveal());
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                for row in table::by_lookup(tx, &hash).await? {
                    end(tx, row.id, State::Gone, Some("unfollowed")).await?;
                }
                Ok::<_, CaseError>(())
            })
        })
        .await
}

/// Links the account to the person whose code it wrote; whether there was one, and in which language they are told.
async fn linked(desk: &Desk, user: &UserId, code: &str) -> Result<(bool, Language), CaseError> {
    let (wanted, address) = (waiting(desk, code), user.reveal().to_owned());
    let hash = lookup(desk.store.seal(), Kind::Line, &address);
    let sealer = desk.store.seal().clone();
    let mut used = entry(desk, &Who::System, [0; 32], Kind::Line);
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                let now = tx.now().as_microsecond();
                let rows = table::by_lookup(tx, &wanted).await?;
                let mut rows = rows
                    .into_iter()
                    .filter(|row| row.state == State::Asked && row.code_until.is_some_and(|until| until >= now));
                let Some(row) = rows.next() else {
                    return Ok((false, Language::default()));
                };
                let owner = persons::by_id(tx, row.person_id).await?;
                used.subject = owner.and_then(|owner| owner.lookup.try_into().ok());
                let language = row.language.parse().unwrap_or_default();
                // an account that they had linked before keeps its row
                let earlier = table::by_lookup(tx, &hash).await?;
                let earlier = earlier.into_iter().find(|other| other.person_id == row.person_id);
                let row = match earlier {
                    Some(earlier) => {
                        table::delete(tx, row.id).await?;
                        let language = row.language;
                        table::Model { language, ..earlier }
                    }
                    None => {
                        let lookup = hash.to_vec();
                        table::Model { lookup, ..row }
                    }
                };
                take(tx, &sealer, row, Address::Line(address)).await?;
                ledger::append(tx, used).await?;
                Ok::<_, CaseError>((true, language))
            })
        })
        .await
}

/// Tells whoever wrote a code what became of it. It is a courtesy: the page says the same.
async fn answer(line: &Line, desk: &Desk, user: &UserId, linked: bool, language: Language) {
    let kind = if linked { "linked" } else { "unlinked" };
    let words = [("city".to_owned(), desk.city.name.get(language).to_owned())].into();
    let text = text::fill(text::short(kind, language), &words);
    let sent = line.push(user, &text, Uuid::new_v4(), desk.now());
    let _ = tokio::time::timeout(ANSWER, sent).await;
}

#[cfg(test)]
mod tests {
    use super::{code, written};

    #[test]
    fn a_code_is_known_however_it_is_written() {
        let code = code();
        assert_eq!(written(&code), Some(code.clone()));
        let (before, after) = code.split_at(4);
        let spoken = format!(" {}-{} \n", before.to_lowercase(), after.to_lowercase());
        assert_eq!(written(&spoken), Some(code));
        for other in ["", "hello", "ABCDEFG", "ABCDEFGHJ", "ABCDEFG0"] {
            assert_eq!(written(other), None, "{other}");
        }
    }
}
