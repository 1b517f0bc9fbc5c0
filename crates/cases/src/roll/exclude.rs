//! The list of exclusions (排除名單), and leaving out a line of a roll that is not granted yet.

use crate::boxed;
use civic::ids::ApplicationId;
use civic::{NationalId, roc};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use services::Service;
use store::Tx;
use store::seal::Place;
use store::tables::roll_entry::{self, Standing};
use store::tables::{application, exclusion as table, measure, roll};
use uuid::Uuid;

use super::{EXCLUSIONS, REASONS, RollState, begun, find, refuse};
use crate::change::Change;
use crate::collect::withdrawn_row;
use crate::guard::{self, Action, Who};
use crate::history::time;
use crate::staff::Staff;
use crate::transition::{Act, State};
use crate::{CaseError, Desk, record};

/// Most lines taken at once.
const MOST: usize = 20_000;
/// Most lines a page shows.
const SHOWN: u64 = 200;

/// Somebody on the list, as the office sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exclusion {
    /// Identifier.
    pub id: Uuid,
    /// National id, all but the last digits of it hidden.
    pub who: String,
    /// Why.
    pub reason: String,
    /// What the office noted.
    pub note: String,
    /// Since when.
    pub since: Timestamp,
    /// Last day.
    pub until: Option<Date>,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    national_id: String,
    note: String,
}

/// What is wrong with a line of a list: its number from 1, and which part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineError {
    /// Number from 1.
    pub line: usize,
    /// `national_id`, `reason`, `until`, `twice`, `note`.
    pub problem: &'static str,
}

/// What became of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Excluded {
    /// All of it is taken: how many persons, and how many lines of rolls were left out by that.
    Taken {
        /// Persons.
        persons: usize,
        /// Lines.
        lines: usize,
    },
    /// Nothing is taken, for these mistakes.
    Refused(Vec<LineError>),
}

struct New {
    subject: [u8; 32],
    reason: &'static str,
    until: Option<Date>,
    sealed: Sealed,
}

/// One line: national id, reason, and if wanted the last day and a note, between commas, tabs or semicolons.
fn read(line: &str) -> Result<(NationalId, &'static str, Option<Date>, String), &'static str> {
    let mut parts = line.splitn(4, [',', '\t', ';', '，']).map(str::trim);
    let id = NationalId::parse(parts.next().unwrap_or_default()).map_err(|_| "national_id")?;
    let word = parts.next().unwrap_or_default();
    let reason = REASONS.into_iter().find(|reason| *reason == word).ok_or("reason")?;
    let until = match parts.next().unwrap_or_default() {
        "" => None,
        day => Some(day.parse::<Date>().ok().or_else(|| roc::parse(day)).ok_or("until")?),
    };
    let note = parts.next().unwrap_or_default();
    if note.chars().count() > 200 {
        return Err("note");
    }
    Ok((id, reason, until, note.to_owned()))
}

/// Puts persons on the list of a service; a list with a mistake in any line is refused whole. Whoever stands on a roll that is
/// not granted is left out of it. A long list is written in parts, and handing it in again finishes one that was interrupted.
///
/// # Errors
/// [`CaseError::Input`] for an empty or too long list; [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn exclude(desk: &Desk, staff: &Staff, service: &str, text: &str) -> Result<Excluded, CaseError> {
    let service = desk.service(service)?.clone();
    guard::office_of(desk, staff, Action::Roll, &service)?;
    if service.rolls.is_none() {
        return Err(CaseError::NotFound("roll"));
    }
    let (mut new, mut wrong) = (Vec::<New>::new(), Vec::new());
    let mut seen = std::collections::HashSet::new();
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    for (number, line) in lines {
        if new.len() >= MOST {
            return Err(CaseError::Input {
                field: "list",
                problem: "too_long",
            });
        }
        let problem = match read(line) {
            Ok((id, reason, until, note)) => {
                let subject = desk.store.seal().lookup("national_id", id.reveal());
                if seen.insert(subject) {
                    let national_id = id.reveal().to_owned();
                    new.push(New {
                        subject,
                        reason,
                        until,
                        sealed: Sealed { national_id, note },
                    });
                    continue;
                }
                "twice"
            }
            Err(problem) => problem,
        };
        wrong.push(LineError {
            line: number + 1,
            problem,
        });
    }
    if !wrong.is_empty() {
        return Ok(Excluded::Refused(wrong));
    }
    if new.is_empty() {
        return Err(CaseError::Input {
            field: "list",
            problem: "empty",
        });
    }
    let persons = new.len();
    let mut lines = 0;
    for part in new.chunks_mut(50) {
        lines += put(desk, staff, &service, part).await?;
    }
    Ok(Excluded::Taken { persons, lines })
}

/// Writes some of the list. Doing it again changes nothing.
async fn put(desk: &Desk, staff: &Staff, service: &Service, new: &mut [New]) -> Result<usize, CaseError> {
    let subjects: Vec<Vec<u8>> = new.iter().map(|one| one.subject.to_vec()).collect();
    let mut out = Vec::new();
    for line in roll_entry::open_of(desk.store.read(), &service.id, &subjects).await? {
        let reason = new.iter().find(|one| one.subject.as_slice() == line.subject);
        let reason = reason.map_or("other", |one| one.reason);
        out.push(Out::new(desk, &staff.who(), service, line, Standing::Excluded, reason).await?);
    }
    let count = out.len();
    let rows: Vec<(table::Model, Vec<u8>)> = new
        .iter()
        .map(|one| {
            let row = table::Model {
                id: Uuid::now_v7(),
                service: service.id.clone(),
                subject: one.subject.to_vec(),
                reason: one.reason.to_owned(),
                key_id: Uuid::nil(),
                sealed: Vec::new(),
                made_at: desk.now().as_microsecond(),
                made_by: Some(staff.id.uuid()),
                until: one.until.map(|day| day.to_string()),
            };
            let plain = serde_json::to_vec(&one.sealed).map_err(|error| CaseError::corrupt("exclusion", &error))?;
            Ok((row, plain))
        })
        .collect::<Result<_, CaseError>>()?;
    let seal = desk.store.seal().clone();
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                let key = seal.system_key(tx, EXCLUSIONS).await?;
                for (mut row, plain) in rows {
                    row.key_id = key.uuid();
                    row.sealed = seal
                        .seal(tx, key, Place::new("exclusion", "sealed", &row.id), &plain)
                        .await?;
                    table::put(tx, row).await?;
                }
                for out in out {
                    out.write(tx).await?;
                }
                Ok::<_, CaseError>(())
            })
        })
        .await?;
    Ok(count)
}

/// The list of a service, newest first, at most 200, and how many there are in all.
///
/// # Errors
/// [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn exclusions(desk: &Desk, staff: &Staff, service: &str) -> Result<(Vec<Exclusion>, u64), CaseError> {
    let service = desk.service(service)?;
    guard::office_of(desk, staff, Action::Roll, service)?;
    let today = desk.today().to_string();
    let db = desk.store.read();
    let (rows, total) = table::newest(db, &service.id, &today, SHOWN).await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let place = Place::new("exclusion", "sealed", &row.id);
        let plain = desk
            .store
            .seal()
            .open_own(db, row.key_id.into(), place, &row.sealed)
            .await?;
        let sealed: Sealed = serde_json::from_slice(&plain).map_err(|error| CaseError::corrupt("exclusion", &error))?;
        let end: String = sealed.national_id.chars().skip(6).collect();
        found.push(Exclusion {
            id: row.id,
            who: format!("{}*****{end}", sealed.national_id.chars().take(1).collect::<String>()),
            reason: row.reason,
            note: sealed.note,
            since: time(row.made_at),
            until: row.until.and_then(|day| day.parse().ok()),
        });
    }
    Ok((found, total))
}

/// Takes somebody off the list of a service; from the next roll on they are on it again.
///
/// # Errors
/// [`CaseError::NotFound`]; [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn readmit(desk: &Desk, staff: &Staff, service: &str, id: Uuid) -> Result<(), CaseError> {
    let service = desk.service(service)?;
    guard::office_of(desk, staff, Action::Roll, service)?;
    let row = table::by_id(desk.store.read(), id)
        .await?
        .filter(|row| row.service == service.id)
        .ok_or(CaseError::NotFound("exclusion"))?;
    let gone = desk
        .store
        .write(move |tx| {
            Box::pin(async move { Ok::<_, CaseError>(table::remove(tx, &row.service, &row.subject).await?) })
        })
        .await?;
    if gone {
        Ok(())
    } else {
        Err(CaseError::Conflict("exclusion"))
    }
}

/// Leaves one line out of a roll that is not granted yet, by the number of its case.
///
/// # Errors
/// [`CaseError::Input`] for a reason that is none, or once the roll is being granted; [`CaseError::NotFound`];
/// [`CaseError::Conflict`]; [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn leave_out(
    desk: &Desk,
    staff: &Staff,
    service: &str,
    roll: &str,
    number: &str,
    reason: &str,
) -> Result<(), CaseError> {
    let service = desk.service(service)?.clone();
    guard::office_of(desk, staff, Action::Roll, &service)?;
    let (_, spec) = find(&service, roll)?;
    let roll = begun(desk, &service, &spec.id).await?;
    let reason = REASONS.into_iter().find(|one| *one == reason).ok_or(CaseError::Input {
        field: "reason",
        problem: "none",
    })?;
    if matches!(
        roll.state,
        RollState::Granting | RollState::Granted | RollState::Drawing
    ) {
        return Err(refuse("not_ready"));
    }
    let line = line(desk, &roll, number).await?;
    let out = Out::new(desk, &staff.who(), &service, line, Standing::Excluded, reason).await?;
    desk.store
        .write(move |tx| Box::pin(async move { out.write(tx).await }))
        .await
}

/// The line of a roll whose case has this number.
pub(super) async fn line(desk: &Desk, roll: &roll::Model, number: &str) -> Result<roll_entry::Model, CaseError> {
    let db = desk.store.read();
    let row = application::by_number(db, number.trim())
        .await?
        .filter(|row| row.roll_id == Some(roll.id))
        .ok_or(CaseError::NotFound("application"))?;
    roll_entry::of_application(db, row.id)
        .await?
        .ok_or(CaseError::NotFound("application"))
}

/// A line that is left out, with the change of its case.
pub(super) struct Out {
    line: roll_entry::Model,
    to: Standing,
    reason: &'static str,
    change: Change,
    measure: Option<Uuid>,
}

impl Out {
    pub(super) async fn new(
        desk: &Desk,
        who: &Who,
        service: &Service,
        line: roll_entry::Model,
        to: Standing,
        reason: &'static str,
    ) -> Result<Out, CaseError> {
        let id = line.application_id.ok_or(CaseError::NotFound("application"))?;
        let row = record::row(desk, ApplicationId::from_uuid(id)).await?;
        if !matches!(row.state, State::Submitted | State::Review) {
            return Err(CaseError::Conflict("application"));
        }
        let mut change = Change::act(desk, who, &row, Act::LeaveOut)?;
        change.say(desk, reason).await?;
        withdrawn_row(desk, &mut change.row, service);
        let subject = line.subject.clone().try_into().ok();
        change.entries.push(guard::entry(
            desk,
            who,
            Action::Roll,
            ApplicationId::from_uuid(id),
            service,
            subject,
            &["left_out"],
        ));
        Ok(Out {
            measure: row.measure_id,
            line,
            to,
            reason,
            change,
        })
    }

    pub(super) async fn write(self, tx: &Tx) -> Result<(), CaseError> {
        if !roll_entry::step(tx, self.line.id, self.line.standing, self.to, Some(self.reason)).await? {
            return Err(CaseError::Conflict("roll"));
        }
        if let Some(measure) = self.measure {
            measure::set_outcome(tx, measure, Some("withdrawn"), None).await?;
        }
        self.change.write(tx).await
    }
}
