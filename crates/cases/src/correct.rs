//! Correct (補正): the person answers again what the officer asked about; the rules run again and the clock runs on.

use crate::boxed;
use civic::ids::ApplicationId;
use jiff::ToSpan as _;
use jiff::civil::Date;
use store::tables::{application, decision};

use crate::change::{Change, same_revision};
use crate::guard::{self, Action, Who};
use crate::people::Person;
use crate::review::act::stood_still;
use crate::transition::Act;
use crate::{CaseError, Desk, collect, confirm, decide, record};

/// Hands the correction in. Pages are saved by [`crate::collect::save`] before.
///
/// # Errors
/// [`CaseError::Illegal`] when no correction is asked for; [`CaseError::Conflict`]; the rules' and the store's.
#[boxed]
pub async fn submit(desk: &Desk, person: &Person, id: ApplicationId, revision: i64) -> Result<(), CaseError> {
    let record = record::own(desk, person, id, Action::Correct).await?;
    crate::identity::enough(desk, person, &record.service)?;
    let mut change = Change::act(desk, &person.who(), &record.row, Act::Correct)?;
    change.prove(desk, person).await?;
    same_revision(&record.row, revision)?;
    // The law of the day of submission still holds; the correction changes facts, not the law.
    let decision = decide::decide(&record.service, &record.answers, collect::law_day(desk, &record.row))?;
    resume(desk, &mut change.row);
    change.row.finding = Some(decide::finding(&decision).to_owned());
    change.entries.push(guard::entry(
        desk,
        &person.who(),
        Action::Submit,
        id,
        &record.service,
        Some(person.lookup),
        &["answers"],
    ));
    let kept = decide::row(desk, &record, &decision, "corrected").await?;
    let renewal = confirm::again(desk, &record).await?;
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                change.write(tx).await?;
                decision::insert(tx, kept).await?;
                renewal.write(tx).await
            })
        })
        .await
}

/// Cases of one round.
const ROUND: u64 = 100;

/// Gives cases whose correction never came back to their officers (逾期未補正), who go on with what there is; gives how
/// many. The clock runs on from that day.
///
/// # Errors
/// The store's; what was given back before stays so.
pub(crate) async fn lapse(desk: &Desk) -> Result<u64, CaseError> {
    let mut count = 0;
    loop {
        let rows = application::uncorrected(desk.store.read(), &desk.today().to_string(), ROUND).await?;
        let found = rows.len() as u64;
        for row in rows {
            let mut change = Change::act(desk, &Who::System, &row, Act::Lapse)?;
            resume(desk, &mut change.row);
            match desk
                .store
                .write(move |tx| Box::pin(async move { change.write(tx).await }))
                .await
            {
                // Corrected in this very moment.
                Err(CaseError::Conflict(_)) => {}
                other => {
                    other?;
                    count += 1;
                }
            }
        }
        if found < ROUND {
            return Ok(count);
        }
    }
}

/// Lets the legal clock run on: the deadline moves by the days it stood still.
fn resume(desk: &Desk, row: &mut application::Model) {
    let stopped = row.clock_stopped_at.map_or(0, |at| stood_still(desk, at));
    row.stopped_days += stopped;
    row.clock_stopped_at = None;
    row.correction = None;
    row.correction_due = None;
    let deadline: Option<Date> = row.deadline.as_ref().and_then(|day| day.parse().ok());
    row.deadline = deadline.map(|day| {
        desk.calendar
            .working_from(day.saturating_add(i64::from(stopped).days()))
            .to_string()
    });
}
