//! What the ministry answers to what was handed in.

use grants::execution::changed;
use store::Tx;
use store::tables::subsidy_filing::{self, Kind, State};
use store::tables::subsidy_plan;
use uuid::Uuid;

use super::file::{Filing, replaced, unsettled, word};
use super::look::loaded;
use crate::guard::{self, Action};
use crate::{Desk, Member, SubsidyError, boxed, text};

/// Most characters of an answer.
const MOST_ANSWER: usize = 2_000;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is taken note of (備查), or the change granted (同意變更).
    Accept {
        /// What there is to say; may be empty.
        note: String,
    },
    /// It is given back to be mended (退回補正). A change is granted or refused, and not given back.
    Return {
        /// What is to be mended.
        reason: String,
    },
    /// The change is refused (不同意變更).
    Refuse {
        /// Why.
        reason: String,
    },
}

/// Answers what waits, under the revision the member saw. A request for payment is accepted by its settlement alone.
///
/// # Errors
/// [`SubsidyError::Input`] without a reason; [`SubsidyError::State`] for an answer that has no place; [`SubsidyError::Unready`] for a
/// change that what was reported or granted meanwhile no longer allows; [`SubsidyError::Conflict`]; [`SubsidyError::NotFound`]; the
/// store's.
#[boxed]
pub async fn answer(
    desk: &Desk,
    member: &Member,
    plan: Uuid,
    kind: Kind,
    number: i32,
    revision: i64,
    answer: Answer,
) -> Result<(), SubsidyError> {
    let of = guard::plan(desk, member, Action::Settle, plan).await?;
    let (state, said, act) = match answer {
        Answer::Accept { note } if kind != Kind::Request => (
            State::Accepted,
            text::optional("answer", &note, MOST_ANSWER)?,
            if kind == Kind::Change { "grant" } else { "accept" },
        ),
        Answer::Return { reason } if kind != Kind::Change => {
            (State::Returned, text::needed("answer", &reason, MOST_ANSWER)?, "return")
        }
        Answer::Refuse { reason } if kind == Kind::Change => {
            (State::Refused, text::needed("answer", &reason, MOST_ANSWER)?, "refuse")
        }
        _ => return Err(SubsidyError::State),
    };
    let (ours, by) = (desk.clone(), member.clone());
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                let mut row = subsidy_filing::one(tx, plan, kind, number)
                    .await?
                    .ok_or(SubsidyError::NotFound("filing"))?;
                if row.revision != revision {
                    return Err(SubsidyError::Conflict("filing"));
                }
                if row.state != State::Sent {
                    return Err(SubsidyError::State);
                }
                let reopens = match kind {
                    Kind::Change => state == State::Accepted,
                    Kind::Completion => state == State::Returned,
                    Kind::Report | Kind::Request | Kind::Results => false,
                };
                if reopens {
                    unsettled(tx, plan).await?;
                }
                if kind == Kind::Change && state == State::Accepted {
                    grantable(&ours, tx, &of, number).await?;
                }
                row.state = state;
                row.answer = Some(said);
                row.answered_by = Some(by.id.uuid());
                row.answered_at = Some(tx.now().as_microsecond());
                replaced(tx, &row).await?;
                let note = format!("{}:{number}", word(kind));
                guard::event(&ours, tx, &by, plan, act, Some(note)).await?;
                Ok(())
            })
        })
        .await
}

/// Whether a change may still be granted: reports go on while it waits, and a checkpoint that was reported on stays as it was.
async fn grantable(desk: &Desk, tx: &Tx, plan: &subsidy_plan::Model, number: i32) -> Result<(), SubsidyError> {
    let all = loaded(desk, tx, plan).await?;
    let sent = all.filed(Kind::Change, number).and_then(|one| one.sent.as_ref());
    let Some(Filing::Change(change)) = sent else {
        return Err(SubsidyError::State);
    };
    match changed(&all.plan, &all.programme, change, &all.reported()) {
        findings if findings.is_empty() => Ok(()),
        findings => Err(SubsidyError::Unready(findings)),
    }
}
