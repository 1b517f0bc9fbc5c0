//! Which act leads from which state to which: the whole life of a case in one table.

use std::fmt;

pub use store::tables::application::State;

/// Something done to a case that may move it to another state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Act {
    /// The person hands the application in (送件).
    Submit,
    /// An officer takes it from the queue (分文).
    Take,
    /// A supervisor gives it to somebody (改分).
    Assign,
    /// The officer puts it back into the queue (退回待辦).
    GiveBack,
    /// The officer approves (核准).
    Approve,
    /// The officer refuses (駁回).
    Refuse,
    /// The officer asks the person to correct; the clock stops (通知補正).
    RequestCorrection,
    /// The person corrects; the clock runs on (補正).
    Correct,
    /// The time for the correction is over; the officer goes on with what there is (逾期未補正).
    Lapse,
    /// The person takes the application back (撤回).
    Withdraw,
    /// The officer takes the decision back before the letter has left (收回).
    Undo,
    /// The letter has left (發文).
    Complete,
    /// The office leaves a line of its roll out (排除).
    LeaveOut,
    /// The roll is granted as a whole (核定名冊).
    Grant,
    /// The office sets its own decision aside upon an appeal and decides anew (自行撤銷).
    Reopen,
    /// The data is destroyed (銷毀).
    Dispose,
}

impl Act {
    /// All acts, for tests that try each one in each state.
    pub const ALL: [Self; 16] = [
        Self::Submit,
        Self::Take,
        Self::Assign,
        Self::GiveBack,
        Self::Approve,
        Self::Refuse,
        Self::RequestCorrection,
        Self::Correct,
        Self::Lapse,
        Self::Withdraw,
        Self::Undo,
        Self::Complete,
        Self::LeaveOut,
        Self::Grant,
        Self::Reopen,
        Self::Dispose,
    ];

    /// Kind of the event this act leaves in the history.
    #[must_use]
    pub const fn event(self) -> &'static str {
        match self {
            Self::Submit => "submitted",
            Self::Take => "taken",
            Self::Assign => "assigned",
            Self::GiveBack => "given_back",
            Self::Approve => "approved",
            Self::Refuse => "refused",
            Self::RequestCorrection => "correction_requested",
            Self::Correct => "corrected",
            Self::Lapse => "correction_lapsed",
            Self::Withdraw => "withdrawn",
            Self::Undo => "decision_undone",
            Self::Complete => "completed",
            Self::LeaveOut => "left_out",
            Self::Grant => "granted",
            Self::Reopen => "appeal_set_aside",
            Self::Dispose => "disposed",
        }
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Submit => "submit",
            Self::Take => "take",
            Self::Assign => "assign",
            Self::GiveBack => "give back",
            Self::Approve => "approve",
            Self::Refuse => "refuse",
            Self::RequestCorrection => "ask for a correction of",
            Self::Correct => "correct",
            Self::Lapse => "close the correction of",
            Self::Withdraw => "withdraw",
            Self::Undo => "undo the decision on",
            Self::Complete => "complete",
            Self::LeaveOut => "leave out",
            Self::Grant => "grant",
            Self::Reopen => "set aside the decision on",
            Self::Dispose => "dispose of",
        })
    }
}

/// An act that has no place in the state the case is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("can't {act} an application that is {}: {}", name(*state), why(*state))]
pub struct Illegal {
    /// Where the case stands.
    pub state: State,
    /// What was tried.
    pub act: Act,
}

/// The state a case is in after an act.
///
/// # Errors
/// [`Illegal`] when the act has no place in this state; the message says why.
pub const fn next(state: State, act: Act) -> Result<State, Illegal> {
    let to = match (state, act) {
        (State::Draft, Act::Submit) => State::Submitted,
        (State::Submitted, Act::Take | Act::Assign) => State::Review,
        (State::Review, Act::Assign) => State::Review,
        (State::Review, Act::GiveBack) => State::Submitted,
        (State::Review, Act::Approve) => State::Approved,
        (State::Review, Act::Refuse) => State::Refused,
        (State::Review, Act::RequestCorrection) => State::Correction,
        (State::Correction, Act::Correct | Act::Lapse) => State::Review,
        (State::Submitted | State::Review | State::Correction, Act::Withdraw) => State::Withdrawn,
        (State::Approved | State::Refused, Act::Undo) => State::Review,
        (State::Approved | State::Refused, Act::Complete) => State::Completed,
        (State::Submitted | State::Review, Act::LeaveOut) => State::Withdrawn,
        (State::Submitted, Act::Grant) => State::Approved,
        (State::Completed, Act::Reopen) => State::Review,
        (State::Draft | State::Withdrawn | State::Completed, Act::Dispose) => State::Disposed,
        _ => return Err(Illegal { state, act }),
    };
    Ok(to)
}

/// The acts that have a place in a state.
#[must_use]
pub fn allowed(state: State) -> Vec<Act> {
    Act::ALL.into_iter().filter(|act| next(state, *act).is_ok()).collect()
}

/// The name of a state as stored and as used for texts in the page catalogue.
#[must_use]
pub const fn name(state: State) -> &'static str {
    match state {
        State::Draft => "draft",
        State::Submitted => "submitted",
        State::Review => "review",
        State::Correction => "correction",
        State::Approved => "approved",
        State::Refused => "refused",
        State::Withdrawn => "withdrawn",
        State::Completed => "completed",
        State::Disposed => "disposed",
    }
}

const fn why(state: State) -> &'static str {
    match state {
        State::Draft => "it has not been submitted yet",
        State::Submitted => "no officer has taken it yet",
        State::Review => "an officer is working on it",
        State::Correction => "the person is correcting it",
        State::Approved | State::Refused => {
            "it has been decided; undo the decision first, as long as the letter has not left"
        }
        State::Withdrawn => "the person has withdrawn it",
        State::Completed => "its letter has left",
        State::Disposed => "its data has been destroyed",
    }
}

#[cfg(test)]
mod tests;
