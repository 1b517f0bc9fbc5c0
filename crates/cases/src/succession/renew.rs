//! Drawing up the yearly look (年度總清查): every case that still stands gets a later case for the time to come, with the answers
//! there are, put right by the register.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use civic::ids::ApplicationId;
use civic::{Month, NationalId};
use jiff::civil::Date;
use rules::Decision;
use services::Service;
use services::form::Answers;
use store::ledger::{self, ActorKind, Entry};
use store::outbox::Outcome;
use store::tables::roll_entry::Standing;
use store::tables::{application, exclusion, person, roll as table, roll_entry, succession};
use uuid::Uuid;

use super::{Kind, Link, root};
use crate::guard::{Action, Who};
use crate::history::day;
use crate::jobs::{CHUNK, SITTING};
use crate::people::NewPerson;
use crate::record::{self, Record};
use crate::register::{self, Family};
use crate::roll::{Pen, RollState, step};
use crate::{CaseError, Desk, decide, wanted};

/// Cases of one piece of work: the register is read once for them.
const PART: usize = 4_000;

/// A case that still stands, with whose it is.
struct InForce {
    record: Record,
    subject: [u8; 32],
    person: NewPerson,
    root: Uuid,
}

/// Draws up a roll of everybody who receives, from where it stopped.
///
/// # Errors
/// [`CaseError::Rules`] when the register can't be read; the store's.
pub(crate) async fn draw(desk: &Desk, roll: table::Model, service: Arc<Service>) -> Result<Outcome, CaseError> {
    let on = day("roll", &roll.reference_date)?;
    let month = Month::of(on).plus(-1).to_string();
    let opened = register::open(desk, &service, "list").await?;
    let begun = Instant::now();
    let (mut after, mut waiting) = (None, Vec::new());
    while waiting.len() < PART {
        let rows = succession::in_force(desk.store.read(), &service.id, &month, after, CHUNK as u64).await?;
        let Some(last) = rows.last() else { break };
        after = Some(last.id);
        waiting.extend(unlisted(desk, &roll, rows).await?);
    }
    let more = waiting.len() >= PART;
    let wanted: HashMap<[u8; 32], usize> = waiting.iter().enumerate().map(|(at, one)| (one.subject, at)).collect();
    let mut families = known(desk, &service, &opened.file, wanted).await?;
    let mut waiting = waiting.into_iter().enumerate().peekable();
    while waiting.peek().is_some() {
        let part: Vec<(InForce, Option<Family>)> = waiting
            .by_ref()
            .take(CHUNK)
            .map(|(at, one)| (one, families.remove(&at)))
            .collect();
        chunk(desk, &service, &roll, on, part).await?;
        if begun.elapsed() > SITTING {
            return Ok(Outcome::Later(jiff::SignedDuration::ZERO));
        }
    }
    if more {
        return Ok(Outcome::Later(jiff::SignedDuration::ZERO));
    }
    let mut roll = roll;
    roll.state = RollState::Drawn;
    roll.as_of = opened.as_of.to_string();
    desk.store
        .write(move |tx| Box::pin(async move { step(tx, roll, None).await }))
        .await?;
    Ok(Outcome::Done)
}

/// Those of some cases whose persons do not stand on the roll yet.
async fn unlisted(desk: &Desk, roll: &table::Model, rows: Vec<application::Model>) -> Result<Vec<InForce>, CaseError> {
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let Some(person) = row.person_id else { continue };
        let Some(person) = person::by_id(desk.store.read(), person).await? else {
            continue;
        };
        let Ok(subject) = <[u8; 32]>::try_from(person.lookup.clone()) else {
            continue;
        };
        let known = roll_entry::known(desk.store.read(), roll.id, &[person.lookup]).await?;
        if !known.is_empty() {
            continue;
        }
        let id = ApplicationId::from_uuid(row.id);
        let record = record::open(desk, &Who::System, Action::List, row).await?;
        let detail = |name: &str| wanted::profile(&record.service.form, &record.answers, name);
        let national_id = detail("national_id").map(|id| NationalId::parse(&id));
        let Some(Ok(national_id)) = national_id else {
            tracing::warn!(application = %id, "a case that stands names nobody");
            continue;
        };
        found.push(InForce {
            subject,
            person: NewPerson {
                national_id,
                name: detail("name").unwrap_or_default(),
                email: detail("email"),
                phone: detail("phone"),
            },
            root: root(desk, record.row.id).await?,
            record,
        });
    }
    Ok(found)
}

/// What the register says of the families of these persons.
async fn known(
    desk: &Desk,
    service: &Arc<Service>,
    file: &rules::PeopleFile,
    wanted: HashMap<[u8; 32], usize>,
) -> Result<HashMap<usize, Family>, CaseError> {
    let (service, file, seal) = (Arc::clone(service), file.clone(), desk.store.seal().clone());
    let read = tokio::task::spawn_blocking(move || {
        let rows = register::rows_of(&file, |id| {
            let subject = seal.lookup("national_id", NationalId::parse(id).ok()?.reveal());
            wanted.get(&subject).copied()
        })?;
        let numbers: Vec<u64> = rows.iter().map(|(row, _)| *row).collect();
        let mut places = rows.into_iter().map(|(_, place)| place);
        let mut found = HashMap::new();
        register::families(&file, &service, &numbers, |family| {
            if let Some(place) = places.next() {
                found.insert(place, family);
            }
            true
        })?;
        Ok::<_, CaseError>(found)
    });
    read.await.map_err(|error| CaseError::Outside {
        party: "register",
        problem: error.to_string(),
    })?
}

/// Why an officer looks at a case by itself; nothing where it is as it was.
fn apart(before: &Decision, now: &Decision, family: bool, known: bool) -> Option<&'static str> {
    match now.outcome {
        Some(false) => Some("ineligible"),
        None => Some("open"),
        Some(true) if !known => Some("unknown"),
        Some(true) if family => Some("family"),
        // compared under one law: what a new year changes for everybody is no reason to look
        Some(true) if before.outcome != now.outcome || before.amounts != now.amounts => Some("changed"),
        Some(true) => None,
    }
}

/// Writes some lines.
async fn chunk(
    desk: &Desk,
    service: &Arc<Service>,
    roll: &table::Model,
    on: Date,
    part: Vec<(InForce, Option<Family>)>,
) -> Result<(), CaseError> {
    let subjects: Vec<Vec<u8>> = part.iter().map(|(one, _)| one.subject.to_vec()).collect();
    let today = desk.today().to_string();
    let left_out: HashSet<Vec<u8>> = exclusion::of(desk.store.read(), &service.id, &subjects, &today)
        .await?
        .into_iter()
        .map(|(subject, _)| subject)
        .collect();
    let mut lines = Vec::with_capacity(part.len());
    for (one, family) in part {
        let (answers, changed): (Answers, bool) = match &family {
            Some(family) => {
                let renewed = service.form.renewed(&one.record.answers, &family.listed, desk.now());
                (renewed.answers, renewed.family)
            }
            None => (one.record.answers.clone(), false),
        };
        let before = decide::decide(service, &one.record.answers, on)?;
        let decision = decide::decide(service, &answers, on)?;
        let out = left_out.contains(one.subject.as_slice());
        lines.push(Line {
            reason: if out {
                Some("left_out")
            } else {
                apart(&before, &decision, changed, family.is_some())
            },
            area: family.map(|family| family.area).unwrap_or_default(),
            one,
            answers,
            decision,
        });
    }
    let pen = Pen::of(desk, service, roll);
    let (purpose, from) = (desk.purpose(service, "list", None), Month::of(on));
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                for line in lines {
                    line.write(tx, &pen, from, &purpose).await?;
                }
                Ok::<_, CaseError>(())
            })
        })
        .await
}

/// One case of the roll, ready to be written.
struct Line {
    one: InForce,
    answers: Answers,
    decision: Decision,
    reason: Option<&'static str>,
    area: String,
}

impl Line {
    async fn write(self, tx: &store::Tx, pen: &Pen, from: Month, purpose: &civic::Purpose) -> Result<(), CaseError> {
        let amounts = self.decision.amounts.values().filter_map(|amount| *amount);
        let amount = amounts.fold(0, i64::saturating_add);
        let payable = wanted::payee(&self.one.record.service.form, &self.answers).is_some();
        let id = pen.case(tx, &self.one.person, &self.answers, &self.decision).await?;
        let link = Link {
            predecessor: self.one.record.row.id,
            root: self.one.root,
            kind: Kind::Review,
            from,
        };
        succession::insert(tx, link.of(id.uuid())).await?;
        let entry = roll_entry::Model {
            id: Uuid::now_v7(),
            roll_id: pen.roll(),
            subject: self.one.subject.to_vec(),
            application_id: Some(id.uuid()),
            area: self.area,
            standing: match self.reason {
                Some(_) => Standing::Objected,
                None => Standing::Listed,
            },
            reason: self.reason.map(str::to_owned),
            amount,
            payable,
        };
        roll_entry::insert(tx, vec![entry]).await?;
        let used = Entry {
            at: tx.now(),
            actor: ActorKind::System,
            actor_id: None,
            action: "list".to_owned(),
            purpose: civic::Purpose {
                application: Some(id),
                ..purpose.clone()
            },
            application: Some(id),
            subject: Some(self.one.subject),
            fields: vec!["answers".to_owned(), "register".to_owned()],
            count: 1,
        };
        ledger::append(tx, used).await?;
        Ok(())
    }
}
