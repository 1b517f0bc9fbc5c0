//! The ministry's decision, and the clock of the correction that follows it.

use crate::boxed;

use civic::{Money, legal_day};
use grants::correction::{Deferral, Record, Standing};
use jiff::civil::Date;
use store::tables::subsidy_plan::{Model, State};
use uuid::Uuid;

use crate::draft::time;
use crate::guard::{self, Action};
use crate::send::{changed, found};
use crate::{Desk, Member, SubsidyError, review, text, view};

/// Most characters of conditions or a reason.
const MOST_NOTE: usize = 2_000;

/// What is decided of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A subsidy, on conditions; the corrected plan is awaited from the next day on.
    Grant {
        /// NT dollars of the funded year.
        amount: Money,
        /// Conditions and comments; may be empty.
        conditions: String,
    },
    /// Nothing is given.
    Refuse {
        /// Why.
        reason: String,
    },
}

/// The correction of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    /// Where it stands now.
    pub standing: Standing,
    /// Last day in time.
    pub last_day: Date,
    /// Last day on which it is still taken, at a price.
    pub last_late_day: Date,
    /// What was approved.
    pub approved: Money,
    /// What is left of it as it stands now.
    pub kept: Money,
    /// Whether the ministry put the plan off.
    pub deferral: Option<Deferral>,
}

/// Decides on a plan that was sent, under the revision the member saw.
///
/// # Errors
/// [`SubsidyError::AboveMost`] for more than tier and cap allow; [`SubsidyError::FewSheets`] before the panel has scored it;
/// [`SubsidyError::Input`] for an amount below a dollar, or a refusal without a reason; [`SubsidyError::Conflict`];
/// [`SubsidyError::State`]; [`SubsidyError::NotFound`]; the store's.
#[boxed]
pub async fn decide(
    desk: &Desk,
    member: &Member,
    plan: Uuid,
    revision: i64,
    decision: Decision,
) -> Result<(), SubsidyError> {
    let row = guard::plan(desk, member, Action::Decide, plan).await?;
    let programme = desk.programme(&row.programme)?;
    let (state, amount, note) = match decision {
        Decision::Refuse { reason } => (State::Refused, None, text::needed("reason", &reason, MOST_NOTE)?),
        Decision::Grant { amount, conditions } => {
            if amount.0 < 1 {
                return Err(SubsidyError::input("amount", "empty"));
            }
            let there = review::sheets_of(desk, plan).await?;
            let needed = programme.review.sheets_at_least;
            if there < needed {
                return Err(SubsidyError::FewSheets { there, needed });
            }
            let whole = view::whole(desk, plan).await?;
            let most = view::most(&whole, programme);
            if amount > most {
                return Err(SubsidyError::AboveMost(most));
            }
            (
                State::Correction,
                Some(amount.0),
                text::optional("conditions", &conditions, MOST_NOTE)?,
            )
        }
    };
    let (desk, member) = (desk.clone(), member.clone());
    desk.clone()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let mut now = found(tx, plan, State::Sent).await?;
                if now.revision != revision {
                    return Err(SubsidyError::Conflict("plan"));
                }
                now.state = state;
                now.amount = amount;
                now.note = Some(note);
                now.decided_by = Some(member.id.uuid());
                now.decided_at = Some(tx.now().as_microsecond());
                // the decision stands on the government's page at once, so its day is the day of the comments
                now.commented_on = amount.map(|_| legal_day(tx.now()).to_string());
                changed(tx, &now).await?;
                guard::event(&desk, tx, &member, plan, guard::word(state), None).await?;
                Ok(())
            })
        })
        .await
}

/// Puts a plan off (緩議) whose days of correction are over. It stops no clock.
///
/// # Errors
/// [`SubsidyError::Deferral`] where it may not be put off; [`SubsidyError::Conflict`]; [`SubsidyError::State`];
/// [`SubsidyError::NotFound`]; the store's.
#[boxed]
pub async fn defer(desk: &Desk, member: &Member, plan: Uuid, revision: i64, reason: &str) -> Result<(), SubsidyError> {
    let row = guard::plan(desk, member, Action::Decide, plan).await?;
    let reason = text::optional("reason", reason, MOST_NOTE)?;
    if !matches!(row.state, State::Correction | State::Corrected) || row.deferred_on.is_some() {
        return Err(SubsidyError::State);
    }
    let deferral = Deferral {
        decided: legal_day(desk.now()),
        reason,
    };
    let rules = &desk.programme(&row.programme)?.correction;
    rules.may_defer(&record(&row)?, &deferral)?;
    let state = row.state;
    let (desk, member) = (desk.clone(), member.clone());
    desk.clone()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let mut now = found(tx, plan, state).await?;
                if now.revision != revision {
                    return Err(SubsidyError::Conflict("plan"));
                }
                now.deferred_on = Some(deferral.decided.to_string());
                now.deferral_reason = Some(deferral.reason);
                changed(tx, &now).await?;
                guard::event(&desk, tx, &member, plan, "defer", None).await?;
                Ok(())
            })
        })
        .await
}

/// Where the correction of a plan stands; nothing before a subsidy is approved.
///
/// # Errors
/// [`SubsidyError::Corrupt`]; [`SubsidyError::NotFound`] for a programme that is gone.
pub fn correction(desk: &Desk, row: &Model) -> Result<Option<Correction>, SubsidyError> {
    let (Some(amount), Some(_)) = (row.amount, &row.commented_on) else {
        return Ok(None);
    };
    let record = record(row)?;
    let rules = &desk.programme(&row.programme)?.correction;
    let standing = rules.standing(&record, desk.now());
    let approved = Money(amount);
    Ok(Some(Correction {
        standing,
        last_day: rules.last_day(record.commented),
        last_late_day: rules.last_late_day(record.commented),
        approved,
        kept: rules.kept(approved, standing),
        deferral: record.deferral,
    }))
}

/// The correction as `grants` computes with it.
pub(crate) fn record(row: &Model) -> Result<Record, SubsidyError> {
    let day = |text: &str| {
        text.parse::<Date>().map_err(|_| SubsidyError::Corrupt {
            what: "subsidy_plan",
            why: "a day that is none".to_owned(),
        })
    };
    let deferral = match &row.deferred_on {
        Some(decided) => Some(Deferral {
            decided: day(decided)?,
            reason: row.deferral_reason.clone().unwrap_or_default(),
        }),
        None => None,
    };
    let handed_in = row.handed_in_at.map(|at| time("subsidy_plan", at)).transpose()?;
    Ok(Record {
        commented: day(row.commented_on.as_deref().unwrap_or_default())?,
        handed_in,
        deferral,
    })
}
