//! Telling the persons of a roll, before anything is decided (通知當事人).

use crate::boxed;
use std::collections::BTreeMap;
use std::time::Instant;

use civic::{Money, roc};
use jiff::SignedDuration;
use jiff::civil::Date;
use store::outbox::{Outcome, Task};
use store::tables::roll_entry::Standing;
use store::tables::{application, message, roll as table, roll_entry};
use uuid::Uuid;

use super::{RollState, begun, find, refuse, step};
use crate::guard::{self, Action, Who};
use crate::history::day;
use crate::jobs::SITTING;
use crate::notify;
use crate::record::{self, Record};
use crate::staff::Staff;
use crate::{CaseError, Desk};

/// Kind of the work that tells everybody on a roll.
pub(crate) const TELL: &str = "roll.tell";

/// Lines told in one transaction: a message is a few rows, and each transaction waits for its commit behind those that send.
const LINES: u64 = 250;

/// The messages that tell somebody of the line about them.
const KINDS: [&str; 3] = ["listed", "listed_without_account", "listed_relief"];

/// Lines that are given something unless something happens.
pub(super) const OPEN: [Standing; 2] = [Standing::Listed, Standing::Confirmed];

/// Tells everybody who stands on the roll what they will be given, and until when they may decline or object.
///
/// # Errors
/// [`CaseError::Input`] before the roll is complete and confirmed, or where there is no time to object; [`CaseError::Conflict`];
/// [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn tell(desk: &Desk, staff: &Staff, service: &str, roll: &str, revision: i64) -> Result<(), CaseError> {
    let service = desk.service(service)?;
    guard::office_of(desk, staff, Action::Roll, service)?;
    let (rolls, roll) = find(service, roll)?;
    let mut row = begun(desk, service, &roll.id).await?;
    if rolls.object_days == 0 {
        return Err(refuse("not_told"));
    }
    let ready = match &rolls.confirm {
        Some(_) => RollState::Confirmed,
        None => RollState::Drawn,
    };
    if row.state != ready {
        return Err(refuse("not_ready"));
    }
    if row.revision != revision {
        return Err(CaseError::Conflict("roll"));
    }
    let until = desk.calendar.add_calendar_days(desk.today(), rolls.object_days);
    row.state = RollState::Telling;
    row.object_until = Some(until.to_string());
    let id = row.id;
    desk.store
        .write(move |tx| {
            Box::pin(async move { step(tx, row, Some(Task::new(TELL, format!("{TELL}:{id}"), &id))).await })
        })
        .await
}

/// The work of telling, from where it stopped.
///
/// # Errors
/// The store's.
pub(crate) async fn spread(desk: &Desk, id: Uuid) -> Result<Outcome, CaseError> {
    let Some(mut roll) = table::by_id(desk.store.read(), id).await? else {
        return Ok(Outcome::Done);
    };
    if roll.state != RollState::Telling {
        return Ok(Outcome::Done);
    }
    let until = day("roll", roll.object_until.as_deref().unwrap_or_default())?;
    let (mut after, started) = (None, Instant::now());
    loop {
        let lines = roll_entry::page(desk.store.read(), id, &OPEN, after, LINES).await?;
        let Some(last) = lines.last() else { break };
        after = Some(last.id);
        chunk(desk, &roll, until, lines).await?;
        if started.elapsed() > SITTING {
            return Ok(Outcome::Later(SignedDuration::ZERO));
        }
    }
    roll.state = RollState::Told;
    roll.told_at = Some(desk.now().as_microsecond());
    desk.store
        .write(move |tx| Box::pin(async move { step(tx, roll, None).await }))
        .await?;
    Ok(Outcome::Done)
}

async fn chunk(desk: &Desk, roll: &table::Model, until: Date, lines: Vec<roll_entry::Model>) -> Result<(), CaseError> {
    let applications: Vec<Uuid> = lines.iter().filter_map(|line| line.application_id).collect();
    let told = message::with_kinds(desk.store.read(), &KINDS, &applications).await?;
    let rows = application::by_ids(desk.store.read(), applications).await?;
    let keys: Vec<Uuid> = rows.iter().map(|row| row.key_id).collect();
    desk.store.seal().warm(desk.store.read(), &keys).await?;
    let mut rows: BTreeMap<Uuid, application::Model> = rows.into_iter().map(|row| (row.id, row)).collect();
    let mut drafts = Vec::with_capacity(lines.len());
    for line in lines {
        let Some(application) = line.application_id.filter(|id| !told.contains(id)) else {
            continue;
        };
        let row = rows.remove(&application).ok_or(CaseError::NotFound("application"))?;
        let record = record::open(desk, &Who::System, Action::Notify, row).await?;
        let number = record.row.number.clone().unwrap_or_default();
        let subject = line.subject.clone().try_into().ok();
        let entry = guard::entry(
            desk,
            &Who::System,
            Action::Notify,
            record.id(),
            &record.service,
            subject,
            &["answers"],
        );
        drafts.push(((draft(desk, roll, &record, &line, until), number), entry));
    }
    let seal = desk.store.seal().clone();
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                let (messages, entries): (Vec<_>, Vec<_>) = drafts.into_iter().unzip();
                notify::write_all(tx, &seal, messages).await?;
                store::ledger::append_all(tx, entries).await?;
                Ok(())
            })
        })
        .await
}

fn draft(desk: &Desk, roll: &table::Model, record: &Record, line: &roll_entry::Model, until: Date) -> notify::Draft {
    let language = record.row.language.parse().unwrap_or_default();
    let name = record
        .service
        .rolls
        .as_ref()
        .and_then(|rolls| rolls.get(&roll.roll))
        .map(|roll| roll.name.get(language).to_owned());
    let amount = match language {
        civic::Language::ZhTw => format!("{} 元", Money(line.amount).grouped()),
        _ => format!("NT${}", Money(line.amount).grouped()),
    };
    let words = BTreeMap::from([
        ("roll".to_owned(), name.unwrap_or_default()),
        ("amount".to_owned(), amount),
        ("until".to_owned(), roc::long(until)),
    ]);
    let kind = match (record.service.meta.payment.every, line.payable) {
        (services::Every::Never, _) => "listed_relief",
        (_, true) => "listed",
        (_, false) => "listed_without_account",
    };
    notify::Draft::new(desk, record, kind, words).keyed(roll.id)
}
