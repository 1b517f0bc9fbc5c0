//! Why a verb could not do what was asked.

use services::form::Invalid;
use store::StoreError;

use crate::transition::Illegal;

/// An error of a case. No message carries personal data.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// There is nothing of this kind, or the caller may not know of it.
    #[error("there is no such {0}, or it is not yours")]
    NotFound(&'static str),
    /// Somebody else was faster.
    #[error("somebody else changed this {0} in the meantime; look at it again, then repeat what you wanted to do")]
    Conflict(&'static str),
    /// The act has no place in the state the case is in.
    #[error(transparent)]
    Illegal(#[from] Illegal),
    /// The access policies say no.
    #[error(transparent)]
    Refused(#[from] store::access::Refused),
    /// There is no such service, or it is withdrawn.
    #[error("the service `{0}` is not offered; choose another one or ask 1999")]
    NoService(String),
    /// The answers of a page are not usable; what was typed is kept.
    #[error("{} answers need another look", .0.errors.len())]
    Invalid(Box<Invalid>),
    /// The form can't be handed in yet.
    #[error("the application is not complete; pages to go: {}", .0.join(", "))]
    Incomplete(Vec<String>),
    /// The round takes no applications now.
    #[error("no applications are taken now; what you filled in is kept as long as drafts are")]
    Closed {
        /// When the next round opens, in legal time, if one is announced.
        next: Option<jiff::civil::DateTime>,
    },
    /// The service can't be applied for in this way.
    #[error("this service is not applied for in this way; see how it is given on its page")]
    Channel,
    /// Somebody named in the application takes part in the round already.
    #[error("somebody named in this application takes part in the round already; withdraw the other application first")]
    Entered,
    /// The city gives it to the person of its own motion already.
    #[error("the city gives you this without an application; see your cases")]
    OnRoll,
    /// None of the places chosen has a seat of the kind needed, or may be chosen.
    #[error("none of the chosen places has a seat of the kind needed; choose others")]
    NoPlace,
    /// The authorisation to act for somebody has ended.
    #[error("the authorisation to act for this person has ended; nothing was done")]
    Stopped,
    /// The person's sign-in is too weak for this service.
    #[error("`{0}` asks for a stronger sign-in than this one; sign in by another method, what you filled in is kept")]
    Weak(String),
    /// A list can't be drawn from.
    #[error(transparent)]
    Lottery(#[from] lottery::ListError),
    /// A value given with an act is not usable.
    #[error("{field}: {problem}")]
    Input {
        /// Which value.
        field: &'static str,
        /// What is wrong and how to put it right.
        problem: &'static str,
    },
    /// An outside party could not be used.
    #[error("{party}: {problem}")]
    Outside {
        /// Which party.
        party: &'static str,
        /// What went wrong and what to do.
        problem: String,
    },
    /// A dataset of the city could not be used.
    #[error(transparent)]
    Hub(#[from] hub::HubError),
    /// The rules could not decide.
    #[error(transparent)]
    Rules(#[from] rules::RuleError),
    /// A letter could not be made.
    #[error(transparent)]
    Letter(#[from] services::LetterError),
    /// Stored bytes can't be understood.
    #[error("stored {what} can't be understood: {why}")]
    Corrupt {
        /// What was read.
        what: &'static str,
        /// Why it failed, without the value.
        why: String,
    },
    /// The store could not do its part.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<store::sea_orm::DbErr> for CaseError {
    fn from(error: store::sea_orm::DbErr) -> Self {
        Self::Store(error.into())
    }
}

impl CaseError {
    /// Whether the same call may succeed a little later.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_temporary())
    }

    /// JSON that does not read back; serde names the place, not the value.
    pub(crate) fn corrupt(what: &'static str, error: &serde_json::Error) -> Self {
        Self::Corrupt {
            what,
            why: format!("line {}, column {}", error.line(), error.column()),
        }
    }
}
