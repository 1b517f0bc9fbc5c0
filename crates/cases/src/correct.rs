//! Correct (補正): the person answers again what the officer asked about; the rules run again and the clock runs on.

use civic::ids::ApplicationId;
use jiff::ToSpan as _;
use jiff::civil::Date;
use store::tables::decision;

use crate::change::{Change, same_revision};
use crate::guard::{self, Action};
use crate::people::Person;
use crate::review::act::stood_still;
use crate::transition::Act;
use crate::{CaseError, Desk, collect, decide, record};

/// Hands the correction in. Pages are saved by [`crate::collect::save`] before.
///
/// # Errors
/// [`CaseError::Illegal`] when no correction is asked for; [`CaseError::Conflict`]; the rules' and the store's.
pub async fn submit(desk: &Desk, person: &Person, id: ApplicationId, revision: i64) -> Result<(), CaseError> {
    let record = record::own(desk, person, id, Action::Fill).await?;
    let mut change = Change::act(desk, &person.who(), &record.row, Act::Correct)?;
    same_revision(&record.row, revision)?;
    // The law of the day of submission still holds; the correction changes facts, not the law.
    let decision = decide::decide(&record.service, &record.answers, collect::law_day(desk, &record.row))?;
    let stopped = record.row.clock_stopped_at.map_or(0, |at| stood_still(desk, at));
    change.row.stopped_days += stopped;
    change.row.clock_stopped_at = None;
    change.row.correction = None;
    change.row.correction_due = None;
    change.row.finding = Some(decide::finding(&decision).to_owned());
    let deadline: Option<Date> = record.row.deadline.as_ref().and_then(|day| day.parse().ok());
    change.row.deadline = deadline.map(|day| desk.calendar.working_from(day.saturating_add(i64::from(stopped).days())).to_string());
    change.entries.push(guard::entry(desk, &person.who(), Action::Submit, id, &record.service, Some(person.lookup), &["answers"]));
    let kept = decide::row(desk, &record, &decision, "corrected").await?;
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                change.write(tx).await?;
                decision::insert(tx, kept).await?;
                Ok(())
            })
        })
        .await
}
