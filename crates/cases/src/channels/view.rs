//! The channels of a person as their page shows them.

use crate::boxed;
use civic::ids::ChannelId;
use civic::{Language, MobileNumber};
use exchange::notify::line::Line;
use exchange::notify::webpush::Pusher;
use jiff::Timestamp;
use store::tables::channel::{self as table, Kind, State};
use store::tables::person as persons;

use super::{open, own};
use crate::history::time;
use crate::notify::deliver::Address;
use crate::people::Person;
use crate::{CaseError, Desk};

/// A channel.
#[derive(Clone, PartialEq, Eq)]
pub struct ChannelView {
    /// Identifier.
    pub id: ChannelId,
    /// Which kind.
    pub kind: Kind,
    /// Where it stands.
    pub state: State,
    /// Its address with the middle hidden; empty where there is nothing to show.
    pub shown: String,
    /// When it was confirmed, asked for, or ended.
    pub at: Timestamp,
    /// The code that is to be written to the city's LINE account.
    pub code: Option<String>,
    /// Until when a code is taken; nothing where none is awaited.
    pub code_until: Option<Timestamp>,
    /// Why it is gone, as a code.
    pub problem: Option<String>,
}

/// Everything that the page shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Overview {
    /// Channels that stand or wait, and those that are gone without the person having said so, by kind.
    pub channels: Vec<ChannelView>,
    /// Kinds on which the city can tell people something.
    pub offered: Vec<Kind>,
    /// Language of what is sent, where the person has a channel.
    pub language: Option<Language>,
    /// The public key that a browser needs to subscribe, Base64url.
    pub push_key: Option<String>,
    /// The address that adds the city's LINE account as a friend.
    pub line_friend: Option<String>,
}

/// An address with its middle hidden.
fn masked(address: &Address) -> String {
    match address {
        Address::Email(address) => {
            let (name, host) = address.split_once('@').unwrap_or((address, ""));
            let first: String = name.chars().take(1).collect();
            format!("{first}***@{host}")
        }
        Address::Sms(number) => MobileNumber::parse(number).map_or_else(|_| String::new(), |number| number.masked()),
        Address::Line(_) => String::new(),
        Address::Push(browser) => {
            let rest = browser.endpoint.split_once("://").map_or("", |(_, rest)| rest);
            rest.split(['/', ':']).next().unwrap_or_default().to_owned()
        }
    }
}

/// The channels of a person, and what they can choose.
///
/// # Errors
/// [`CaseError::Refused`] to whoever acts for another; the store's.
#[boxed]
pub async fn overview(desk: &Desk, person: &Person) -> Result<Overview, CaseError> {
    let grant = own(desk, person)?;
    let db = desk.store.read();
    let rows = table::of_person(db, person.id.uuid()).await?;
    let owner = persons::by_id(db, person.id.uuid())
        .await?
        .ok_or(CaseError::NotFound("person"))?;
    let language = rows
        .iter()
        .rev()
        .find(|row| matches!(row.state, State::Asked | State::Confirmed))
        .and_then(|row| row.language.parse().ok());
    let stands = |kind| rows.iter().any(|row| row.kind == kind && row.state == State::Confirmed);
    let mut channels = Vec::new();
    for row in &rows {
        let is_over = match row.state {
            State::Withdrawn => true,
            // what is gone is told until there is another of its kind
            State::Gone => stands(row.kind),
            State::Asked | State::Confirmed => false,
        };
        if is_over {
            continue;
        }
        let (shown, code) = match row.sealed {
            Some(_) => {
                let content = open(db, desk.store.seal(), &grant, owner.key_id.into(), row).await?;
                let shown = content.address.as_ref().map(masked).unwrap_or_default();
                (shown, content.code.filter(|_| row.kind == Kind::Line))
            }
            None => (String::new(), None),
        };
        let at = row.ended_at.or(row.confirmed_at).unwrap_or(row.asked_at);
        channels.push(ChannelView {
            id: ChannelId::from_uuid(row.id),
            kind: row.kind,
            state: row.state,
            shown,
            at: time(at),
            code,
            code_until: row.code_until.map(time).filter(|until| *until >= desk.now()),
            problem: row.problem.clone(),
        });
    }
    channels.sort_by_key(|channel| (channel.kind, channel.at));
    let line = desk.ways.line.as_ref();
    Ok(Overview {
        channels,
        offered: Kind::ALL
            .into_iter()
            .filter(|kind| desk.can_send(*kind) && (*kind != Kind::Line || line.is_some_and(Line::can_link)))
            .collect(),
        language,
        push_key: desk.ways.push.as_ref().map(Pusher::public_key),
        line_friend: line.and_then(Line::friend).map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::{Address, masked};

    #[test]
    fn an_address_is_shown_without_its_middle() {
        assert_eq!(
            masked(&Address::Email("wang@city.example".to_owned())),
            "w***@city.example"
        );
        assert_eq!(masked(&Address::Sms("0912345678".to_owned())), "0912***678");
        assert_eq!(masked(&Address::Line("U00".to_owned())), "");
    }
}
