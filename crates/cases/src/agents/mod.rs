//! Digital agents (數位代理人): a resident authorises a person or an organisation to act for them in chosen services, until
//! a day, with chosen powers; and the village officer's assisted session (里幹事協助), which is an authorisation of minutes.
//!
//! An agent acts as the [`Person`](crate::Person) of the principal with [`Acting`] in it, so every verb is the same for both, and
//! the access policies (`policies/agent.cedar`) decide by what the authorisation says. It is read anew at every request and
//! once more in the transaction of every act, so its end is effective at once.

mod acting;
mod assist;
mod give;
mod hide;
mod organisation;
mod take;
mod tell;
mod tidy;
mod view;

pub use acting::{Acting, By, act};
pub(crate) use acting::{Hold, in_force};
pub use assist::{AssistError, NewAssistance, ask, begin, may_assist};
pub use give::{NewAuthorisation, To, give, given, revoke};
pub(crate) use hide::{hide, is_account, kept, may_account};
pub use organisation::{Organisation, add, all, close};
pub use take::{Shown, accept, decline, done, entrusted, leave, one};
pub(crate) use tell::address as mail_address;
pub(crate) use tell::{Note, SEND, send, submitted};
pub use tell::{NoticeView, ask_for_data, notices};
pub(crate) use tidy::tidy;
pub use view::{Kind, Party, Standing, View};

use jiff::SignedDuration;

/// Ground of an authorisation in administrative procedure.
pub(crate) const BASIS: &str = "行政程序法 §24";

/// How far authorisations go; a city sets it in `[agents]` of its configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Days an authorisation lasts at most.
    pub longest_days: i64,
    /// Agents a resident may have in one service at a time; Administrative Procedure Act §24 II allows three.
    pub most: usize,
    /// Days within which the agent accepts; afterwards the offer is void.
    pub accept_days: i64,
    /// Days an authorisation is kept after its end as proof of who was allowed what; then its names are destroyed.
    pub retention_days: i64,
    /// Minutes a one-time password is taken.
    pub password_minutes: i64,
    /// Wrong passwords after which an assisted session can't begin any more.
    pub password_tries: i32,
    /// One-time passwords sent to one resident within an hour.
    pub passwords_an_hour: usize,
    /// Minutes without use after which an assisted session ends.
    pub idle_minutes: i64,
    /// Hours after which an assisted session ends in any case.
    pub assisted_hours: i64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            longest_days: 365,
            most: 3,
            accept_days: 30,
            retention_days: 5 * 365,
            password_minutes: 5,
            password_tries: 5,
            passwords_an_hour: 5,
            idle_minutes: 15,
            assisted_hours: 4,
        }
    }
}

impl Limits {
    pub(crate) fn idle(&self) -> SignedDuration {
        SignedDuration::from_mins(self.idle_minutes)
    }

    pub(crate) fn assisted(&self) -> SignedDuration {
        SignedDuration::from_hours(self.assisted_hours)
    }
}

/// What an authorisation lets an agent do or see (權限). The word is the one of `policies/agent.cedar`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Power {
    /// Open applications and answer their questions.
    Fill,
    /// Hand them in.
    Submit,
    /// Answer what the office asks to correct.
    Correct,
    /// Accept or decline a place that is offered.
    Answer,
    /// Take an application back; Administrative Procedure Act §24 wants this said expressly.
    Withdraw,
    /// See applications that the principal made themself, or another agent did.
    Earlier,
    /// Read letters.
    Letters,
    /// See payments.
    Payments,
    /// See and give the bank account to be paid to.
    Account,
    /// See what registers and MyData brought.
    Data,
    /// See the principal's national id, mail address and telephone.
    Profile,
}

impl Power {
    /// All powers, in the order of the pages.
    pub const ALL: [Power; 11] = [
        Power::Fill,
        Power::Submit,
        Power::Correct,
        Power::Answer,
        Power::Withdraw,
        Power::Earlier,
        Power::Letters,
        Power::Payments,
        Power::Account,
        Power::Data,
        Power::Profile,
    ];

    /// The word kept in the table and used by the policies.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Power::Fill => "fill",
            Power::Submit => "submit",
            Power::Correct => "correct",
            Power::Answer => "answer",
            Power::Withdraw => "withdraw",
            Power::Earlier => "earlier",
            Power::Letters => "letters",
            Power::Payments => "payments",
            Power::Account => "account",
            Power::Data => "data",
            Power::Profile => "profile",
        }
    }

    /// The power of this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Power> {
        Power::ALL.into_iter().find(|power| power.word() == word)
    }

    /// Whether it lets the agent do something, rather than see.
    #[must_use]
    pub const fn is_act(self) -> bool {
        matches!(
            self,
            Power::Fill | Power::Submit | Power::Correct | Power::Answer | Power::Withdraw
        )
    }
}
