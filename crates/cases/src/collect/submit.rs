//! The submission (送件): the number, the legal clock, and what the rules said under which law.

use crate::boxed;
use std::collections::BTreeMap;
use std::sync::Arc;

use civic::ids::ApplicationId;
use civic::roc;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use services::Service;
use store::tables::{application, confirmation, decision, measure};
use uuid::Uuid;

use super::{questions, still_draft};
use crate::agents;
use crate::change::{Change, same_revision};
use crate::guard::{self, Action};
use crate::people::Person;
use crate::record::{self, OwnDraft};
use crate::round::Entry;
use crate::transition::{Act, State};
use crate::{CaseError, Desk, confirm, decide, identity, notify, people, wanted};

/// What a person holds in hand after the submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The application.
    pub id: ApplicationId,
    /// Its number (案號).
    pub number: String,
    /// Legal day by which it is decided.
    pub deadline: Date,
    /// When it was handed in.
    pub submitted: Timestamp,
}

fn receipt(row: &application::Model) -> Option<Receipt> {
    Some(Receipt {
        id: ApplicationId::from_uuid(row.id),
        number: row.number.clone()?,
        deadline: row.deadline.as_ref()?.parse().ok()?,
        submitted: Timestamp::from_microsecond(row.submitted_at?).ok()?,
    })
}

/// Hands the application in. The same token again gives the same receipt, whatever is clicked twice or sent again.
///
/// # Errors
/// [`CaseError::Incomplete`] with the pages to go; [`CaseError::Weak`] for a sign-in that is too weak; [`CaseError::Conflict`]; [`CaseError::Illegal`]; the rules' and the store's.
#[boxed]
pub async fn submit(
    desk: &Desk,
    person: &Person,
    id: ApplicationId,
    revision: i64,
    form_token: Uuid,
) -> Result<Receipt, CaseError> {
    let OwnDraft { record, agreed, .. } = record::own_draft(desk, person, id, Action::Submit).await?;
    if record.row.state != State::Draft && record.row.form_token == Some(form_token) {
        return receipt(&record.row).ok_or(CaseError::NotFound("application"));
    }
    still_draft(&record.row)?;
    super::not_paused(desk, &record.service)?;
    identity::enough(desk, person, &record.service)?;
    same_revision(&record.row, revision)?;
    let now = desk.now();
    let today = desk.today();
    let decision = decide::of(desk, &record, today)?;
    let left = questions(&record, &decision);
    if !left.is_empty() || !agreed {
        let mut pages: Vec<String> = left.into_iter().map(|question| question.address).collect();
        pages.dedup();
        return Err(CaseError::Incomplete(pages));
    }
    let deadline = record.service.meta.deadline.end(&desk.calendar, today);
    let mut change = Change::act(desk, &person.who(), &record.row, Act::Submit)?;
    change.prove(desk, person).await?;
    change.entries.push(guard::entry(
        desk,
        &person.who(),
        Action::Submit,
        id,
        &record.service,
        Some(person.lookup),
        &["answers"],
    ));
    let measure_id = Uuid::new_v4();
    change.row.submitted_at = Some(now.as_microsecond());
    change.row.deadline = Some(deadline.to_string());
    change.row.finding = Some(decide::finding(&decision).to_owned());
    change.row.measure_id = Some(measure_id);
    let entry = crate::round::entry(desk, person, &record, &decision).await?;
    let kept = decide::row(desk, &record, &decision, "submitted").await?;
    let measure = measure::Model {
        id: measure_id,
        service: record.service.id.clone(),
        month: crate::Month::of(today).to_string(),
        channel: record.row.channel.clone(),
        outcome: None,
        days: None,
        paper_documents: record.service.meta.paper_documents,
        uploads: record.row.uploads,
        corrections: 0,
        grade: None,
    };
    let series = format!("{}-{}", roc::year(today), record.service.meta.series);
    let words = BTreeMap::from([("deadline".to_owned(), roc::long(deadline))]);
    let draft = notify::Draft::new(desk, &record, "received", words);
    let asked = confirm::begin(desk, &record);
    let told = agents::submitted(desk, person, &record).await?;
    let whose = (Arc::clone(&record.service), today, person.lookup);
    let row = draft
        .write_numbered(desk, change, series, whose, (kept, measure, entry, asked, told))
        .await?;
    desk.recent.forget(&row.id);
    // who signed in by a card or a phone has no name until they give one
    if person.name.is_empty()
        && person.acting().is_none()
        && let Some(name) = wanted::profile(&record.service.form, &record.answers, "name")
        && let Err(error) = people::rename(desk, person, &name).await
    {
        tracing::warn!(%error, "the name of a person could not be kept");
    }
    receipt(&row).ok_or(CaseError::NotFound("application"))
}

impl notify::Draft {
    /// Writes the submission; the number is known only inside the transaction, and the receipt names it.
    async fn write_numbered(
        self,
        desk: &Desk,
        change: Change,
        series: String,
        (service, today, subject): (Arc<Service>, Date, [u8; 32]),
        (kept, measure, entry, asked, told): (
            decision::Model,
            measure::Model,
            Option<Entry>,
            Option<confirmation::Model>,
            Option<agents::Note>,
        ),
    ) -> Result<application::Model, CaseError> {
        let seal = desk.store.seal().clone();
        desk.store
            .write(move |tx| {
                Box::pin(async move {
                    let mut change = change;
                    let count = application::next_in_series(tx, &series).await?;
                    let number = format!("{series}-{count:06}");
                    change.row.number = Some(number.clone());
                    let row = change.row.clone();
                    change.write(tx).await?;
                    decision::insert(tx, kept).await?;
                    measure::insert(tx, measure).await?;
                    crate::roll::not_listed(tx, &service, today, &subject).await?;
                    if let Some(entry) = entry {
                        entry.write(tx).await?;
                    }
                    if let Some(asked) = asked {
                        confirmation::insert(tx, asked).await?;
                    }
                    self.seal(tx, &seal, &number).await?.write(tx).await?;
                    if let Some(told) = told {
                        told.with("number", &number).write(tx).await?;
                    }
                    Ok::<_, CaseError>(row)
                })
            })
            .await
    }
}

/// Sets the day from which the data of a closed application is destroyed.
pub(crate) fn withdrawn_row(desk: &Desk, row: &mut application::Model, service: &Service) {
    let days = i64::from(service.meta.retention_days);
    row.dispose_after = Some(desk.today().saturating_add(days.days()).to_string());
}
