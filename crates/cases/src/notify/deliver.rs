//! Sends a kept message on one channel, and notes what became of it.
//!
//! Each delivery carries its own identifier to the other side: as `Message-ID`, as LINE's retry key, as the gateway's `{id}`,
//! as the topic of a push message. So one whose sending was not noted before a crash is known there when it is sent again.

use std::time::Duration;

use civic::{Language, MobileNumber};
use exchange::notify::line::UserId;
use exchange::notify::webpush::{Push, Subscription, Urgency};
use exchange::notify::{Delivery, NotifyError, Why};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::Tx;
use store::outbox::Outcome;
use store::seal::Place;
use store::tables::channel;
use store::tables::delivery::{self, State};
use store::tables::message;
use uuid::Uuid;

use super::{Content, Told};
use crate::guard::{self, Action, Who};
use crate::history::time;
use crate::{CaseError, Desk, channels, record};

/// Kind of the work that sends a message on one channel.
pub(crate) const SEND: &str = "deliver";

/// Tries after which a person has to look.
const TRIES: i32 = 12;
/// Pause after the first try that failed; doubled with each.
const FIRST: SignedDuration = SignedDuration::from_secs(30);
/// Longest pause that is ours to choose.
const LONGEST: SignedDuration = SignedDuration::from_hours(6);
/// Pause while the city has no way of this kind.
const UNSET: SignedDuration = SignedDuration::from_hours(1);
/// Longest time of one sending.
const PATIENCE: Duration = Duration::from_secs(60);
/// Seconds that a push service keeps a message for a browser that is away.
const KEPT: u32 = 3 * 24 * 3600;

/// Where a message goes. `Debug` is left out: all of it is personal.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Address {
    /// A mail address.
    Email(String),
    /// A mobile number, ten digits.
    Sms(String),
    /// A LINE user.
    Line(String),
    /// A browser.
    Push(Subscription),
}

/// What became of a sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is there.
    Sent,
    /// To be tried again, not before so long.
    Later(SignedDuration, &'static str),
    /// Never.
    Never(&'static str),
    /// The address is gone.
    Gone,
}

/// The word of a reason, for tables and keys of texts.
const fn code(why: Why) -> &'static str {
    match why {
        Why::Unreachable => "unreachable",
        Why::Busy => "busy",
        Why::TooMany => "too_many",
        Why::Credentials => "credentials",
        Why::Gone => "gone",
        Why::TooLong => "too_long",
        Why::Refused => "refused",
    }
}

fn fate(result: Result<Delivery, NotifyError>) -> Fate {
    match result {
        Ok(Delivery::Delivered) => Fate::Sent,
        Ok(Delivery::Later { after, why }) => {
            Fate::Later(SignedDuration::try_from(after).unwrap_or(LONGEST), code(why))
        }
        Ok(Delivery::Never { why: Why::Gone }) => Fate::Gone,
        Ok(Delivery::Never { why }) => Fate::Never(code(why)),
        Err(NotifyError::Receiver(_)) => Fate::Never("address"),
        Err(NotifyError::Message(_)) => Fate::Never("too_long"),
        Err(_) => Fate::Later(UNSET, "credentials"),
    }
}

/// Sends a text to an address. `id` names the message to the other side, the same each time.
pub(crate) async fn to(desk: &Desk, address: &Address, told: &Told, id: Uuid, at: Timestamp) -> Fate {
    let sending = async {
        let now = desk.now();
        match address {
            Address::Email(to) => mail(desk, to, told, id, at).await,
            Address::Sms(number) => match (&desk.ways.sms, MobileNumber::parse(number)) {
                (Some(gateway), Ok(number)) => fate(gateway.send(&number, &told.short, &id.to_string(), now).await),
                (None, _) => Fate::Later(UNSET, "unset"),
                (_, Err(_)) => Fate::Never("address"),
            },
            Address::Line(user) => match (&desk.ways.line, UserId::parse(user)) {
                (Some(line), Ok(user)) => fate(line.push(&user, &told.short, id, now).await),
                (None, _) => Fate::Later(UNSET, "unset"),
                (_, Err(_)) => Fate::Never("address"),
            },
            Address::Push(browser) => {
                let Some(pusher) = &desk.ways.push else {
                    return Fate::Later(UNSET, "unset");
                };
                let (text, link) = match told.short.rsplit_once(" http") {
                    Some((text, rest)) => (text, format!("http{rest}")),
                    None => (told.short.as_str(), desk.city.portal.clone()),
                };
                let content = json!({ "text": text, "link": link }).to_string();
                // a repeated message takes the place of the first one where that is still unread
                let topic = id.simple().to_string();
                let push = Push {
                    content: content.as_bytes(),
                    ttl: KEPT,
                    urgency: Urgency::Normal,
                    topic: Some(&topic),
                };
                fate(pusher.deliver(browser, &push, now).await)
            }
        }
    };
    match tokio::time::timeout(PATIENCE, sending).await {
        Ok(fate) => fate,
        Err(_elapsed) => Fate::Later(FIRST, "unreachable"),
    }
}

async fn mail(desk: &Desk, to: &str, told: &Told, id: Uuid, at: Timestamp) -> Fate {
    use exchange::mail::MailError;
    let Some(mailer) = &desk.mail else {
        return Fate::Later(UNSET, "unset");
    };
    let name = id.to_string();
    let mail = exchange::mail::Mail {
        to,
        subject: &told.subject,
        text: &told.text,
        html: None,
        id: &name,
        at,
    };
    match mailer.send(&mail).await {
        Ok(()) => Fate::Sent,
        Err(MailError::Later(None)) => Fate::Later(FIRST, "unreachable"),
        Err(MailError::Later(Some(_))) => Fate::Later(FIRST, "busy"),
        Err(MailError::Receiver) => Fate::Never("address"),
        Err(_) => Fate::Never("refused"),
    }
}

/// 30 s, a minute, two … up to six hours.
fn pause(tries: i32) -> SignedDuration {
    let doubled = u32::try_from(tries - 1).unwrap_or(0).min(10);
    FIRST.saturating_mul(1 << doubled).min(LONGEST)
}

/// Sends the delivery of this id, if it is still to be sent.
///
/// # Errors
/// Temporary ones, after which the work is tried again.
pub(crate) async fn send(desk: &Desk, id: Uuid) -> Result<Outcome, CaseError> {
    let db = desk.store.read();
    let Some(row) = delivery::by_id(db, id).await? else {
        return Ok(Outcome::Done);
    };
    let Some(message) = message::by_id(db, row.message_id).await? else {
        return Ok(Outcome::Done);
    };
    if !row.state.is_open() {
        // somebody ended it meanwhile; the message may have nothing left to wait for
        let message = row.message_id;
        desk.store
            .write(move |tx| Box::pin(async move { settle(tx, message).await }))
            .await?;
        return Ok(Outcome::Done);
    }
    if !desk.can_send(row.channel) {
        return Ok(Outcome::Later(UNSET));
    }
    let Some(sealed) = &message.sealed else {
        return Ok(Outcome::Done);
    };
    let application = record::row(desk, row.application_id.into()).await?;
    let service = desk.service(&application.service)?;
    let grant = guard::case(desk, &Who::System, Action::Notify, &application, service)?;
    let place = Place::new("message", "sealed", &message.id);
    let content: Content = record::unseal(desk, &grant, application.key_id.into(), place, sealed).await?;
    let found = match row.channel_id {
        None => Some((Address::Email(content.to.clone()), None)),
        Some(channel) => channels::address(desk, channel)
            .await?
            .map(|(address, language)| (address, Some(language))),
    };
    let fate = match &found {
        Some((address, language)) => {
            let told = match language {
                Some(language) => content.told(*language),
                None => content.told(application.language.parse().unwrap_or(Language::ZhTw)),
            };
            to(desk, address, &told, row.id, time(row.made_at)).await
        }
        None => Fate::Never("withdrawn"),
    };
    note(desk, row, fate).await
}

/// Notes what became of a sending, and says whether the work is done.
async fn note(desk: &Desk, row: delivery::Model, fate: Fate) -> Result<Outcome, CaseError> {
    let (was, now) = (row.state, desk.now());
    let mut row = row;
    row.tries = row.tries.saturating_add(1);
    row.tried_at = Some(now.as_microsecond());
    row.next_at = None;
    row.problem = None;
    let mut outcome = Outcome::Done;
    row.state = match fate {
        Fate::Sent => {
            row.sent_at = Some(now.as_microsecond());
            State::Sent
        }
        Fate::Later(after, why) => {
            row.problem = Some(why.to_owned());
            if row.tries >= TRIES {
                State::Dead
            } else {
                let wait = after.max(pause(row.tries));
                row.next_at = now.checked_add(wait).ok().map(|at| at.as_microsecond());
                outcome = Outcome::Later(wait);
                State::Later
            }
        }
        Fate::Never(why) => {
            row.problem = Some(why.to_owned());
            if why == "withdrawn" {
                State::Ended
            } else {
                State::Failed
            }
        }
        Fate::Gone => {
            row.problem = Some("gone".to_owned());
            State::Gone
        }
    };
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                let (message, channel, state) = (row.message_id, row.channel_id, row.state);
                if delivery::replace(tx, row, was).await? && state == State::Gone {
                    gone(tx, channel).await?;
                }
                match state.is_open() {
                    true => Ok::<_, CaseError>(message::count_try(tx, message).await?),
                    false => settle(tx, message).await,
                }
            })
        })
        .await?;
    Ok(outcome)
}

/// Ends a channel whose address is gone, and what else was to be sent there.
async fn gone(tx: &Tx, channel: Option<Uuid>) -> Result<(), CaseError> {
    let Some(channel) = channel else { return Ok(()) };
    channel::end(
        tx,
        channel,
        channel::State::Gone,
        Some("gone"),
        tx.now().as_microsecond(),
    )
    .await?;
    delivery::end_of_channel(tx, channel, "gone").await?;
    Ok(())
}

/// Ends a message once none of its deliveries is still to be sent.
pub(crate) async fn settle(tx: &Tx, message: Uuid) -> Result<(), CaseError> {
    let rows = delivery::of_message(tx, message).await?;
    let sent = rows.iter().find(|row| row.state == State::Sent);
    let at = tx.now().as_microsecond();
    if let Some(sent) = sent {
        message::finish(tx, message, "sent", sent.sent_at.or(Some(at))).await?;
    } else if !rows.iter().any(|row| row.state.is_open()) {
        message::finish(tx, message, "failed", Some(at)).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_have_an_end() {
        assert_eq!(pause(1), FIRST);
        assert_eq!(pause(3), FIRST * 4);
        assert_eq!(pause(11), LONGEST);
        assert_eq!(pause(i32::MAX), LONGEST);
        assert_eq!(pause(0), FIRST);
    }
}
