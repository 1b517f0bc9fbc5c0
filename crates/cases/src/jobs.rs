//! The work behind the pages: what the outbox holds, and the rounds that look for what time has made due.
//!
//! Each handler is safe to run twice: it looks first whether its work is still to be done, and writes what it did in one
//! transaction whose unique keys refuse a second time.

use crate::boxed;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use store::outbox::{Outcome, Relay};
use store::tables::channel::Kind;
use uuid::Uuid;

use crate::collect::mydata;
use crate::notify::{deliver, letter};
use crate::{
    CaseError, Desk, agents, breach, channels, confirm, correct, dispose, outreach, pay, provide, remind, roll, round,
};

/// Rows of persons written in one transaction.
pub(crate) const CHUNK: usize = 40;

/// Longest time one piece of work goes on before it makes way for others: well before they think that it was abandoned.
pub(crate) const SITTING: std::time::Duration = std::time::Duration::from_secs(45);

/// Mails on their way at once: as many as the mail server is usually given connections, and some that are being prepared.
const MAILS: usize = 8;

/// Text messages, LINE messages or push messages on their way at once.
const CALLS: usize = 16;

/// Pause between two rounds of [`tidy`].
const ROUND: Duration = Duration::from_secs(15 * 60);

/// What a round of [`tidy`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tidied {
    /// Corrections whose time was over; their cases are back with their officers.
    pub lapsed: u64,
    /// Cases and drafts whose data was destroyed.
    pub disposed: u64,
    /// Holds on payments whose last day was over.
    pub resumed: u64,
    /// Authorisations of agents that ended by time, or whose names were destroyed.
    pub agents: u64,
    /// Rounds in which places were taken back because nobody answered in time.
    pub rounds: u64,
    /// Confirmations whose time was over; the office goes on with what there is.
    pub unconfirmed: u64,
    /// People reminded of a correction, and offices of their deadlines.
    pub reminded: u64,
    /// Counts of a night put, of who is entitled and does not receive.
    pub nights: u64,
    /// Lists of whom no invitation reached that were destroyed.
    pub lists: u64,
    /// Packages for the MyData platform that were destroyed.
    pub packages: u64,
    /// Ways to MyData that ended without a word from the platform.
    pub unanswered: u64,
    /// Cards in digital wallets that were revoked because their decision does not stand any more.
    pub cards: u64,
    /// Channels that were asked for and never confirmed.
    pub channels: u64,
}

/// The handlers of everything the verbs put into the outbox.
#[must_use]
pub fn relay(desk: &Arc<Desk>) -> Relay {
    let noticing = Arc::clone(desk);
    let (fetching, writing, sending, drawing) =
        (Arc::clone(desk), Arc::clone(desk), Arc::clone(desk), Arc::clone(desk));
    let (listing, telling, granting) = (Arc::clone(desk), Arc::clone(desk), Arc::clone(desk));
    let digesting = Arc::clone(desk);
    Relay::default()
        .on(mydata::FETCH, move |payload| {
            let desk = Arc::clone(&fetching);
            async move { done(mydata::fetch(&desk, read::<Uuid>(&payload)?).await) }
        })
        .on(letter::DECISION, move |payload| {
            let desk = Arc::clone(&writing);
            async move {
                let (application, decided_at) = read::<(Uuid, i64)>(&payload)?;
                done(letter::decided(&desk, application, decided_at).await)
            }
        })
        .on(round::SPREAD, move |payload| {
            let desk = Arc::clone(&drawing);
            async move {
                let (service, round) = read::<(String, String)>(&payload)?;
                done(round::spread(&desk, &service, &round).await)
            }
        })
        .on(pay::run::WORK, {
            let desk = Arc::clone(desk);
            move |payload| {
                let desk = Arc::clone(&desk);
                async move { done(pay::run::work(&desk, read::<Uuid>(&payload)?).await) }
            }
        })
        .on(provide::MAKE, {
            let desk = Arc::clone(desk);
            move |payload| {
                let desk = Arc::clone(&desk);
                async move { done(provide::make(&desk, read::<Uuid>(&payload)?).await) }
            }
        })
        .on(pay::departed::HOLD, {
            let desk = Arc::clone(desk);
            move |payload| {
                let desk = Arc::clone(&desk);
                async move { done(pay::departed::hold_case(&desk, read::<Uuid>(&payload)?).await) }
            }
        })
        .on(agents::SEND, move |payload| {
            let desk = Arc::clone(&noticing);
            async move { done(agents::send(&desk, read::<Uuid>(&payload)?).await) }
        })
        .on(roll::DRAW, move |payload| {
            let desk = Arc::clone(&listing);
            async move { done(roll::draw(&desk, read::<Uuid>(&payload)?).await) }
        })
        .on(roll::TELL, move |payload| {
            let desk = Arc::clone(&telling);
            async move { done(roll::tell_lines(&desk, read::<Uuid>(&payload)?).await) }
        })
        .on(roll::GRANT, move |payload| {
            let desk = Arc::clone(&granting);
            async move { done(roll::grant_lines(&desk, read::<Uuid>(&payload)?).await) }
        })
        .on(outreach::NIGHT, {
            let desk = Arc::clone(desk);
            move |payload| {
                let desk = Arc::clone(&desk);
                async move { done(outreach::night(&desk, &read::<String>(&payload)?).await) }
            }
        })
        .on(outreach::WRITE, {
            let desk = Arc::clone(desk);
            move |payload| {
                let desk = Arc::clone(&desk);
                async move { done(outreach::write(&desk, read::<Uuid>(&payload)?).await) }
            }
        })
        .on(outreach::SEND, {
            let desk = Arc::clone(desk);
            move |payload| {
                let desk = Arc::clone(&desk);
                async move { done(outreach::send(&desk, read::<Uuid>(&payload)?).await) }
            }
        })
        .on(breach::COUNT, {
            let desk = Arc::clone(desk);
            move |payload| {
                let desk = Arc::clone(&desk);
                async move { done(breach::count(&desk, read::<Uuid>(&payload)?).await) }
            }
        })
        .on(breach::TELL, {
            let desk = Arc::clone(desk);
            move |payload| {
                let desk = Arc::clone(&desk);
                async move { done(breach::spread(&desk, read::<Uuid>(&payload)?).await) }
            }
        })
        .on(remind::DIGEST, move |payload| {
            let desk = Arc::clone(&digesting);
            async move {
                let (service, day) = read::<(String, String)>(&payload)?;
                done(remind::digest(&desk, &service, &day).await)
            }
        })
        .on(deliver::SEND, move |payload| {
            let desk = Arc::clone(&sending);
            async move { done(deliver::send(&desk, read::<Uuid>(&payload)?).await) }
        })
        .on(channels::CODE, {
            let desk = Arc::clone(desk);
            move |payload| {
                let desk = Arc::clone(&desk);
                async move { done(channels::send_code(&desk, read::<Uuid>(&payload)?).await) }
            }
        })
        // a lane for each kind of channel: a slow party keeps nothing else waiting
        .lane(Kind::Email.word(), MAILS)
        .lane(Kind::Sms.word(), CALLS)
        .lane(Kind::Line.word(), CALLS)
        .lane(Kind::Push.word(), CALLS)
}

fn read<T: DeserializeOwned>(payload: &[u8]) -> Result<T, String> {
    serde_json::from_slice(payload).map_err(|error| format!("the payload can't be read: {error}"))
}

/// A case that somebody changed meanwhile is looked at again at once; it is nobody's failure.
fn done(result: Result<Outcome, CaseError>) -> Result<Outcome, String> {
    match result {
        Ok(outcome) => Ok(outcome),
        Err(CaseError::Conflict(_)) => Ok(Outcome::Later(jiff::SignedDuration::from_secs(1))),
        Err(error) => Err(error.to_string()),
    }
}

/// Looks once for what time has made due: corrections that never came, drafts nobody touched, closed cases past their retention.
///
/// # Errors
/// The store's; what was done before stays done.
#[boxed]
pub async fn tidy(desk: &Desk) -> Result<Tidied, CaseError> {
    Ok(Tidied {
        lapsed: correct::lapse(desk).await?,
        disposed: dispose::run(desk).await?,
        resumed: pay::hold::lapse(desk).await?,
        agents: agents::tidy(desk).await?,
        rounds: round::lapse(desk).await?,
        unconfirmed: confirm::lapse(desk).await?,
        reminded: remind::run(desk).await?,
        nights: outreach::schedule(desk).await?,
        lists: outreach::tidy(desk).await?,
        packages: provide::tidy(desk).await?,
        unanswered: mydata::lapse(desk).await?,
        cards: crate::wallet::tidy(desk).await?,
        channels: channels::tidy(desk).await?,
    })
}

/// Works until the caller drops it: the outbox at once, the rounds every quarter of an hour.
#[boxed]
pub async fn run(desk: Arc<Desk>) {
    let relay = relay(&desk);
    run_with(desk, relay).await;
}

/// The same with a relay that does the work of others beside that of [`relay`]: there is one outbox, and who takes a piece of work
/// from it must know how to do it.
#[boxed]
pub async fn run_with(desk: Arc<Desk>, relay: Relay) {
    let rounds = async {
        loop {
            match tidy(&desk).await {
                Ok(tidied) if tidied == Tidied::default() => {}
                Ok(Tidied {
                    lapsed,
                    disposed,
                    resumed,
                    agents,
                    rounds,
                    unconfirmed,
                    reminded,
                    nights,
                    lists,
                    packages,
                    unanswered,
                    cards,
                    channels,
                }) => tracing::info!(
                    lapsed,
                    disposed,
                    resumed,
                    agents,
                    rounds,
                    unconfirmed,
                    reminded,
                    nights,
                    lists,
                    packages,
                    unanswered,
                    cards,
                    channels,
                    "a round of tidying"
                ),
                Err(error) => tracing::warn!(%error, "a round of tidying failed and is tried again"),
            }
            tokio::time::sleep(ROUND).await;
        }
    };
    tokio::join!(relay.run(&desk.store), rounds);
}
