//! Why a verb could not do what was asked.

use grants::Finding;
use grants::correction::DeferralError;
use grants::review::{AllotError, SheetError};
use jiff::civil::{Date, DateTime};
use store::StoreError;

/// An error of a plan. No message carries personal data.
#[derive(Debug, thiserror::Error)]
pub enum SubsidyError {
    /// There is nothing of this kind, or the caller may not know of it.
    #[error("there is no such {0}, or it is not yours")]
    NotFound(&'static str),
    /// Somebody else was faster.
    #[error("somebody else changed this {0} in the meantime; look at theirs, then save yours again")]
    Conflict(&'static str),
    /// The act has no place in the state the plan is in.
    #[error("this plan is not in a state in which that can be done; look at it again")]
    State,
    /// The access policies say no.
    #[error(transparent)]
    Refused(#[from] store::access::Refused),
    /// The call has not opened.
    #[error("plans are taken from {0} on; the draft is kept")]
    NotYet(DateTime),
    /// The call has closed.
    #[error("plans were taken until before {0}; this one came later, and the draft is kept")]
    Late(DateTime),
    /// A change is requested after its last moment.
    #[error("changes were taken until before {0}; this one came later, and the draft is kept")]
    ChangeLate(DateTime),
    /// Payment is requested after the year's money has lapsed.
    #[error("payment could be requested until before {0}; nothing is carried over, and the draft is kept")]
    Lapsed(DateTime),
    /// A report that can't be sent.
    #[error(transparent)]
    Report(#[from] grants::execution::ReportError),
    /// Values of indicators that can't be sent.
    #[error(transparent)]
    Results(#[from] grants::execution::ResultError),
    /// A settlement that can't be made.
    #[error(transparent)]
    Settle(#[from] grants::execution::SettleError),
    /// The audit file can't be made.
    #[error(transparent)]
    Audit(#[from] grants::execution::AuditError),
    /// The checks found what keeps a plan from being sent.
    #[error("{} things keep this plan from being sent; mend them, the draft is kept", .0.len())]
    Unready(Vec<Finding>),
    /// The corrected plan comes after its last day.
    #[error("corrected plans were taken until the end of {0}; the plan counts as given up")]
    Forfeit(Date),
    /// A value given with an act is not usable.
    #[error("{field}: {problem}")]
    Input {
        /// Which value.
        field: &'static str,
        /// What is wrong, as a word that pages have a sentence for.
        problem: &'static str,
    },
    /// The amount is above what the programme allows.
    #[error("the programme gives this plan {} NT dollars at most; write no more", .0.grouped())]
    AboveMost(civic::Money),
    /// The panel has not said enough.
    #[error("{there} of {needed} score sheets are there; wait for the others")]
    FewSheets {
        /// Sheets there are.
        there: usize,
        /// Sheets the programme asks for.
        needed: usize,
    },
    /// A score sheet that is not taken.
    #[error(transparent)]
    Sheet(#[from] SheetError),
    /// A choice over the budget that can't be made.
    #[error(transparent)]
    Allot(#[from] AllotError),
    /// A document that can't be made or read.
    #[error(transparent)]
    Document(#[from] grants::odt::OdtError),
    /// A plan that can't be printed.
    #[error(transparent)]
    Pdf(#[from] grants::pdf::PdfError),
    /// Plans that can't be compared.
    #[error(transparent)]
    Similarity(#[from] grants::similarity::SimilarityError),
    /// A deferral that can't be recorded.
    #[error(transparent)]
    Deferral(#[from] DeferralError),
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

impl From<store::sea_orm::DbErr> for SubsidyError {
    fn from(error: store::sea_orm::DbErr) -> Self {
        Self::Store(error.into())
    }
}

impl SubsidyError {
    /// JSON that does not read back; serde names the place, not the value.
    pub(crate) fn json(what: &'static str, error: &serde_json::Error) -> Self {
        Self::Corrupt {
            what,
            why: format!("line {}, column {}", error.line(), error.column()),
        }
    }

    pub(crate) fn input(field: &'static str, problem: &'static str) -> Self {
        Self::Input { field, problem }
    }
}
