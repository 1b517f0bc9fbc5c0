//! What the platform keeps for a while: citizens on its pages, packages that wait, what became of each transaction.

use super::counter::Counter;
use super::provider::Provided;
use super::signature::Signings;
use super::{IDLE, TICKET};
use std::collections::HashMap;
use tokio::sync::watch;
use uuid::Uuid;

/// Seconds a page that nobody touches is known, so that who comes back late is told so (408).
const VISIT: i64 = 3600;

/// A citizen on the platform's pages.
#[derive(Clone)]
pub struct Visit {
    pub tx_id: String,
    pub resources: Vec<String>,
    pub return_url: String,
    pub pid: String,
    pub touched: i64,
    pub verified: bool,
    /// Set by the first answer; holds the code of the way back as soon as it is known. A second click waits for the same.
    pub decided: Option<watch::Receiver<Option<u16>>>,
}

impl Visit {
    /// Whether the page was left open too long; an answer once given is not.
    pub fn is_idle(&self, now: i64) -> bool {
        self.decided.is_none() && now - self.touched > IDLE
    }
}

/// A package that waits to be fetched.
pub struct Ticket {
    pub tx_id: String,
    pub national_id: String,
    pub key: String,
    pub package: Option<Vec<u8>>,
    /// Every data set failed.
    pub failed: bool,
    pub made: i64,
    pub ready: i64,
    /// What the city answered to the notification; `None` while it has not answered yet.
    pub answered: Option<u16>,
    pub taken: bool,
}

/// What became of a transaction.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The citizen is still on the pages.
    Open,
    /// Another person verified than the one named.
    OtherPerson,
    /// The code of `txid_status`.
    Code(&'static str),
}

/// All of it, in one place and so of one moment.
#[derive(Default)]
pub struct Kept {
    pub visits: HashMap<Uuid, Visit>,
    pub tickets: HashMap<Uuid, Ticket>,
    pub counter: Counter,
    pub provided: Provided,
    pub signings: Signings,
    /// By `tx_id`, with the time of the last change.
    outcomes: HashMap<String, (Outcome, i64)>,
}

impl Kept {
    /// Lets go of what is past its time: the copy of a package above all.
    pub fn sweep(&mut self, now: i64) {
        self.visits.retain(|_, visit| now - visit.touched <= VISIT);
        self.tickets.retain(|_, ticket| now - ticket.made <= TICKET);
        self.counter.sweep(now);
        self.provided.sweep(now);
        self.outcomes.retain(|_, (_, at)| now - *at <= TICKET);
    }

    pub fn note(&mut self, tx_id: &str, outcome: Outcome, now: i64) {
        self.outcomes.insert(tx_id.to_owned(), (outcome, now));
    }

    pub fn outcome(&self, tx_id: &str) -> Option<Outcome> {
        self.outcomes.get(tx_id).map(|(outcome, _)| *outcome)
    }

    pub fn ticket_of(&self, tx_id: &str) -> Option<&Ticket> {
        self.tickets.values().find(|ticket| ticket.tx_id == tx_id)
    }
}
