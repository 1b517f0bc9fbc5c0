//! What is done with a request: made, taken back, given more time, answered.

use std::collections::BTreeMap;

use civic::ids::{ApplicationId, ConsentId};
use civic::roc;
use store::Tx;
use store::ledger;
use store::tables::{application, preference, rights_request as table};
use uuid::Uuid;

use super::{Content, Kind, State, allowed, case_of, close, entry, open, recorded};
use crate::boxed;
use crate::change::Change;
use crate::guard::{self, Action, Who};
use crate::people::{self, Person};
use crate::record::{self, Record};
use crate::staff::Staff;
use crate::{CaseError, Desk, notify};

/// Longest text, in characters.
const LONGEST: usize = 4000;
/// Requests of one person that may wait at a time.
const OPEN: u64 = 20;

/// What a person asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Which right.
    pub kind: Kind,
    /// The entry of the usage ledger it is about.
    pub entry: Option<u64>,
    /// The case it is about; of an entry the case of the entry.
    pub application: Option<ApplicationId>,
    /// What they say.
    pub text: String,
}

/// Calendar days for the answer, and as many once more where it takes longer (個資法 §13).
const fn days(kind: Kind) -> u16 {
    match kind {
        Kind::Ask => 15,
        Kind::Correct | Kind::Stop | Kind::Delete => 30,
    }
}

fn checked(field: &'static str, text: &str) -> Result<String, CaseError> {
    let text = text.trim();
    let problem = match text.chars().count() {
        0 => "empty",
        n if n > LONGEST => "too_long",
        _ => return Ok(text.to_owned()),
    };
    Err(CaseError::Input { field, problem })
}

/// Whether a case is closed and waits for the end of its retention, with nothing claimed or appealed that still needs it.
pub(super) fn is_over(row: &application::Model) -> bool {
    matches!(row.state, crate::State::Completed | crate::State::Withdrawn) && row.dispose_after.is_some()
}

/// Makes a request (行使當事人權利). Where it disputes what a case says, the case tells so from then on (個資法 §11 II).
///
/// # Errors
/// [`CaseError::Input`] for a text that is empty or too long, where too many requests wait, or for a deletion of nothing in
/// particular; [`CaseError::NotFound`] for an entry or a case that is not the person's; [`CaseError::Refused`] to whoever acts
/// for another; the store's.
#[boxed]
pub async fn make(desk: &Desk, person: &Person, asked: Asked) -> Result<Uuid, CaseError> {
    let who = person.who();
    guard::profile(desk, &who, person.id, Action::Exercise.word())?;
    let text = checked("text", &asked.text)?;
    if table::open_of_person(desk.store.read(), person.id.uuid()).await? >= OPEN {
        return Err(CaseError::Input {
            field: "text",
            problem: "too_many",
        });
    }
    let about = match asked.entry {
        Some(seq) => Some(
            recorded(desk, &person.lookup, seq)
                .await?
                .ok_or(CaseError::NotFound("entry"))?,
        ),
        None => None,
    };
    let application = about
        .and_then(|about| about.entry.application)
        .or(asked.application)
        .map(ApplicationId::uuid);
    let case = match application {
        Some(id) => application::by_id(desk.store.read(), id).await?,
        None => None,
    };
    // what was destroyed names nobody any more, and an entry about it can still be asked about
    let case = case.filter(|case| case.person_id == Some(person.id.uuid()));
    if asked.application.is_some() && asked.entry.is_none() && case.is_none() {
        return Err(CaseError::NotFound("application"));
    }
    if asked.kind == Kind::Delete && case.is_none() {
        return Err(CaseError::Input {
            field: "application",
            problem: "empty",
        });
    }
    let agency = case
        .as_ref()
        .and_then(|case| desk.catalogue.get(&case.service))
        .map(|service| guard::agency(service).to_owned());
    let (now, today) = (desk.now().as_microsecond(), desk.today());
    let mut row = table::Model {
        id: ConsentId::generate(desk.clock.as_ref()).uuid(),
        person_id: person.id.uuid(),
        kind: asked.kind,
        entry: asked.entry.and_then(|seq| seq.try_into().ok()),
        application_id: case.as_ref().map(|case| case.id),
        agency,
        state: State::Open,
        made: today.to_string(),
        due: desk.calendar.add_calendar_days(today, days(asked.kind)).to_string(),
        extended: false,
        sealed: Vec::new(),
        answered_by: None,
        made_at: now,
        changed_at: now,
        revision: 1,
    };
    allowed(desk, &who, Action::Exercise, &row)?;
    let content = Content {
        text,
        longer: None,
        answer: None,
    };
    row.sealed = close(desk, &row, &content).await?;
    let used = entry(desk, &who, Action::Exercise, &row, person.lookup, &["request"]);
    let disputes = matches!(asked.kind, Kind::Correct | Kind::Stop);
    let note = case
        .filter(|case| disputes && case.state != crate::State::Disposed)
        .map(|case| Change::note(desk, &who, &case, "data_disputed"));
    let id = row.id;
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                table::insert(tx, row).await?;
                if let Some(note) = note {
                    note.write(tx).await?;
                }
                ledger::append(tx, used).await?;
                Ok::<_, CaseError>(id)
            })
        })
        .await
}

/// A request that waits, as it was seen.
async fn held(desk: &Desk, id: Uuid, revision: i64) -> Result<table::Model, CaseError> {
    let row = table::by_id(desk.store.read(), id)
        .await?
        .ok_or(CaseError::NotFound("request"))?;
    if row.revision == revision && row.state == State::Open {
        Ok(row)
    } else {
        Err(CaseError::Conflict("request"))
    }
}

async fn replace(tx: &Tx, row: &table::Model) -> Result<(), CaseError> {
    if table::replace(tx, row).await? {
        Ok(())
    } else {
        Err(CaseError::Conflict("request"))
    }
}

/// Takes a request back.
///
/// # Errors
/// [`CaseError::NotFound`] for somebody else's; [`CaseError::Conflict`] where it was answered meanwhile; the store's.
#[boxed]
pub async fn withdraw(desk: &Desk, person: &Person, id: Uuid, revision: i64) -> Result<(), CaseError> {
    let row = table::by_id(desk.store.read(), id).await?;
    if row.is_none_or(|row| row.person_id != person.id.uuid()) {
        return Err(CaseError::NotFound("request"));
    }
    let mut row = held(desk, id, revision).await?;
    allowed(desk, &person.who(), Action::Exercise, &row)?;
    row.state = State::Withdrawn;
    row.changed_at = desk.now().as_microsecond();
    let used = entry(desk, &person.who(), Action::Exercise, &row, person.lookup, &[]);
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                replace(tx, &row).await?;
                ledger::append(tx, used).await?;
                Ok::<_, CaseError>(())
            })
        })
        .await
}

/// Gives a request more time, once, and tells the person why (個資法 §13).
///
/// # Errors
/// [`CaseError::Input`] without a reason; [`CaseError::Conflict`] where it had more time already; [`CaseError::Refused`]; the
/// store's.
#[boxed]
pub async fn extend(desk: &Desk, staff: &Staff, id: Uuid, revision: i64, reason: &str) -> Result<(), CaseError> {
    let reason = checked("longer", reason)?;
    let mut row = held(desk, id, revision).await?;
    let grant = allowed(desk, &staff.who(), Action::AnswerRequest, &row)?;
    if row.extended {
        return Err(CaseError::Conflict("request"));
    }
    let made = crate::history::day("rights_request", &row.made)?;
    let due = desk.calendar.add_calendar_days(made, days(row.kind).saturating_mul(2));
    let mut content = open(desk, &grant, &row).await?;
    content.longer = Some(reason);
    row.sealed = close(desk, &row, &content).await?;
    row.extended = true;
    row.due = due.to_string();
    let words = BTreeMap::from([("due".to_owned(), roc::long(due))]);
    finish(desk, staff, row, None, "request_extended", words).await
}

/// Answers a request. What is granted is done with the answer: a case is destroyed in the next night, and who wants no use of
/// their data beyond their cases is not written to of the city's own motion any more. What is to be corrected is corrected by
/// the office on the case itself.
///
/// # Errors
/// [`CaseError::Input`] without a text, or where a case that is still needed is to be deleted; [`CaseError::Conflict`];
/// [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn answer(
    desk: &Desk,
    staff: &Staff,
    id: Uuid,
    revision: i64,
    outcome: State,
    text: &str,
) -> Result<(), CaseError> {
    if !matches!(outcome, State::Granted | State::Partly | State::Refused) {
        return Err(CaseError::Input {
            field: "outcome",
            problem: "empty",
        });
    }
    let text = checked("answer", text)?;
    let mut row = held(desk, id, revision).await?;
    let grant = allowed(desk, &staff.who(), Action::AnswerRequest, &row)?;
    let case = case_of(desk, &row).await?;
    let mut change = None;
    if let Some(case) = case.filter(|case| case.state != crate::State::Disposed) {
        match (row.kind, outcome) {
            (Kind::Delete, State::Granted) => {
                if !is_over(&case) {
                    return Err(CaseError::Input {
                        field: "outcome",
                        problem: "case_needed",
                    });
                }
                let mut deletes = Change::note(desk, &staff.who(), &case, "deletion_granted");
                deletes.row.dispose_after = Some(desk.today().to_string());
                change = Some(deletes);
            }
            (Kind::Correct | Kind::Stop, _) => {
                change = Some(Change::note(desk, &staff.who(), &case, "dispute_settled"));
            }
            _ => {}
        }
    }
    let mut content = open(desk, &grant, &row).await?;
    content.answer = Some(text);
    row.sealed = close(desk, &row, &content).await?;
    row.state = outcome;
    row.answered_by = Some(staff.id.uuid());
    finish(desk, staff, row, change, "request_answered", BTreeMap::new()).await
}

/// Writes the row, what follows for the case, the entry of the ledger and the message.
async fn finish(
    desk: &Desk,
    staff: &Staff,
    mut row: table::Model,
    change: Option<Change>,
    kind: &'static str,
    words: BTreeMap<String, String>,
) -> Result<(), CaseError> {
    let person = people::of(desk, row.person_id.into()).await?;
    let used = entry(
        desk,
        &staff.who(),
        Action::AnswerRequest,
        &row,
        person.lookup,
        &["request"],
    );
    let stops = row.kind == Kind::Stop && row.state == State::Granted;
    let refuses = stops.then(|| preference::Model {
        id: Uuid::new_v4(),
        subject: person.lookup.to_vec(),
        wants: false,
        changed_at: desk.now().as_microsecond(),
    });
    let message = message(desk, &row, kind, words).await?;
    row.changed_at = desk.now().as_microsecond();
    let seal = desk.store.seal().clone();
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                replace(tx, &row).await?;
                if let Some(change) = change {
                    change.write(tx).await?;
                }
                if let Some(refuses) = refuses {
                    preference::put(tx, refuses).await?;
                }
                if let Some((message, number)) = message {
                    message.seal(tx, &seal, &number).await?.write(tx).await?;
                }
                ledger::append(tx, used).await?;
                Ok::<_, CaseError>(())
            })
        })
        .await
}

/// The message to the person, on the ways of the case it is about. About no case there is none: the answer stands on the page
/// of the person's data.
async fn message(
    desk: &Desk,
    row: &table::Model,
    kind: &'static str,
    mut words: BTreeMap<String, String>,
) -> Result<Option<(notify::Draft, String)>, CaseError> {
    let Some(case) = case_of(desk, row).await? else {
        return Ok(None);
    };
    if case.state == crate::State::Disposed || desk.catalogue.get(&case.service).is_none() {
        return Ok(None);
    }
    let record: Record = record::open(desk, &Who::System, Action::Notify, case).await?;
    words.insert("link".to_owned(), format!("{}/my-data/requests", desk.city.portal));
    let number = record.row.number.clone().unwrap_or_default();
    let message = notify::Draft::new(desk, &record, kind, words).keyed(format!("{}:{}", row.id, row.revision));
    Ok(Some((message, number)))
}
