//! What the person does about the line that concerns them.

use crate::boxed;
use civic::ids::ApplicationId;
use civic::{Money, Text};
use jiff::civil::Date;
use store::Tx;
use store::tables::roll_entry::{self, Standing};
use store::tables::{application, roll as table};

use super::RollState;
use crate::change::{Change, same_revision};
use crate::guard::{self, Action};
use crate::people::Person;
use crate::record::{self, Record};
use crate::transition::{Act, Illegal, State};
use crate::{CaseError, Desk};

/// Longest objection, in characters.
const LONGEST: usize = 2000;

/// The line of a case, as its person sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MyLine {
    /// What the roll is called.
    pub roll: Text,
    /// How the line stands.
    pub standing: Standing,
    /// What is to be given.
    pub amount: Money,
    /// Whether an account is known.
    pub payable: bool,
    /// Last day to decline or object.
    pub until: Option<Date>,
    /// Whether the person may still decline, or object.
    pub open: bool,
}

/// The line of a case; nothing for a case somebody applied for.
pub(crate) async fn of_case(desk: &Desk, record: &Record) -> Result<Option<MyLine>, CaseError> {
    let Some(roll) = record.row.roll_id else {
        return Ok(None);
    };
    let db = desk.store.read();
    let (Some(line), Some(roll)) = (
        roll_entry::of_application(db, record.row.id).await?,
        table::by_id(db, roll).await?,
    ) else {
        return Ok(None);
    };
    let spec = record.service.rolls.as_ref().and_then(|rolls| rolls.get(&roll.roll));
    Ok(Some(MyLine {
        roll: spec.map_or_else(|| Text::chinese(&roll.roll), |spec| spec.name.clone()),
        standing: line.standing,
        amount: Money(line.amount),
        payable: line.payable,
        until: roll.object_until.as_ref().and_then(|day| day.parse().ok()),
        open: is_open(desk, &roll) && record.row.state == State::Submitted && line.standing != Standing::Objected,
    }))
}

/// Whether the person may know of a case: one of a roll is theirs to see once the persons are told.
pub(crate) async fn is_told(desk: &Desk, row: &application::Model) -> Result<bool, CaseError> {
    let Some(id) = row.roll_id else { return Ok(true) };
    if !matches!(row.state, State::Submitted | State::Withdrawn) {
        // an officer looks at it by itself: the person may be asked something, and is told the decision
        return Ok(true);
    }
    let roll = table::by_id(desk.store.read(), id).await?;
    Ok(roll.is_some_and(|roll| !matches!(roll.state, RollState::Drawing | RollState::Drawn | RollState::Confirmed)))
}

/// Whether the time to decline or object is not over.
fn is_open(desk: &Desk, roll: &table::Model) -> bool {
    match roll.state {
        RollState::Granting | RollState::Granted => false,
        _ => roll
            .object_until
            .as_ref()
            .is_none_or(|until| *until >= desk.today().to_string()),
    }
}

/// Objects (異議): an officer looks at the case by itself, and the roll is granted without it.
///
/// # Errors
/// [`CaseError::Input`] without a reason or after the time; [`CaseError::Illegal`] once it is decided; [`CaseError::Conflict`];
/// [`CaseError::NotFound`]; the store's.
#[boxed]
pub async fn object(
    desk: &Desk,
    person: &Person,
    id: ApplicationId,
    revision: i64,
    text: &str,
) -> Result<(), CaseError> {
    let record = record::own(desk, person, id, Action::Object).await?;
    let text = text.trim();
    let problem = match text.chars().count() {
        0 => Some("empty"),
        count if count > LONGEST => Some("too_long"),
        _ => None,
    };
    if let Some(problem) = problem {
        return Err(CaseError::Input {
            field: "objection",
            problem,
        });
    }
    same_revision(&record.row, revision)?;
    let line = roll_entry::of_application(desk.store.read(), id.uuid())
        .await?
        .ok_or(CaseError::NotFound("roll"))?;
    let roll = table::by_id(desk.store.read(), line.roll_id)
        .await?
        .ok_or(CaseError::NotFound("roll"))?;
    if record.row.state != State::Submitted {
        return Err(Illegal {
            state: record.row.state,
            act: Act::Take,
        }
        .into());
    }
    if !is_open(desk, &roll) || line.standing == Standing::Objected {
        return Err(CaseError::Input {
            field: "objection",
            problem: "time_over",
        });
    }
    let mut change = Change::note(desk, &person.who(), &record.row, "objected");
    change.say(desk, text).await?;
    change.entries.push(guard::entry(
        desk,
        &person.who(),
        Action::Object,
        id,
        &record.service,
        Some(person.lookup),
        &["objection"],
    ));
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                if !roll_entry::step(tx, line.id, line.standing, Standing::Objected, None).await? {
                    return Err(CaseError::Conflict("roll"));
                }
                change.write(tx).await
            })
        })
        .await
}

/// Notes, in the transaction in which a person takes their case back, that they want nothing (婉拒).
pub(crate) async fn declined(tx: &Tx, row: &application::Model) -> Result<(), CaseError> {
    if row.roll_id.is_none() {
        return Ok(());
    }
    let Some(line) = roll_entry::of_application(tx, row.id).await? else {
        return Ok(());
    };
    if !roll_entry::step(tx, line.id, line.standing, Standing::Declined, None).await? {
        return Err(CaseError::Conflict("roll"));
    }
    Ok(())
}

/// Notes, in the transaction in which a person gives an account, that one is known.
pub(crate) async fn payable(tx: &Tx, row: &application::Model) -> Result<(), CaseError> {
    if row.roll_id.is_some()
        && let Some(line) = roll_entry::of_application(tx, row.id).await?
    {
        roll_entry::set_payable(tx, line.id).await?;
    }
    Ok(())
}
