//! The confirmation on the way of a case: asked with the submission, asked again after a correction, waited for before the
//! decision, and over when its time is.

use crate::boxed;
use std::collections::BTreeMap;

use civic::ids::ApplicationId;
use civic::{Text, roc};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use services::confirm::OnLapse;
use store::Tx;
use store::tables::confirmation::State;
use store::tables::{confirmation as table, confirmation_upload};

use super::Standing;
use crate::change::Change;
use crate::guard::{Action, Who};
use crate::history::time;
use crate::record::{self, Record};
use crate::{CaseError, Desk, notify};

/// Cases of one round.
const ROUND: u64 = 100;
/// How long an upload waits to be confirmed.
const UPLOAD_LIFE: SignedDuration = SignedDuration::from_hours(24);

/// What a submission asks of a body; nothing where no body of the list is named.
pub(crate) fn begin(desk: &Desk, record: &Record) -> Option<table::Model> {
    let confirmation = record.service.confirmation.as_ref()?;
    let body = confirmation.of(&record.answers)?;
    let fields = confirmation.unconfirmed(&record.answers, &body.id);
    (!fields.is_empty()).then(|| table::Model {
        application_id: record.row.id,
        service: record.service.id.clone(),
        body: body.id.clone(),
        fields: fields.join(" "),
        state: State::Waiting,
        due: confirmation.deadline.end(&desk.calendar, desk.today()).to_string(),
        asked_at: desk.now().as_microsecond(),
        answered_at: None,
        answered_by: None,
        revision: 1,
    })
}

/// What a correction changes about the confirmation.
pub(crate) enum Renewal {
    /// Nothing.
    Same,
    /// No body of the list is named any more.
    End(uuid::Uuid),
    /// A body is asked for the first time.
    Begin(table::Model),
    /// A body is asked again for what was corrected.
    Again(table::Model),
}

/// What is asked again after the person has corrected: what they answered anew, or another body.
pub(crate) async fn again(desk: &Desk, record: &Record) -> Result<Renewal, CaseError> {
    let known = table::of_application(desk.store.read(), record.row.id).await?;
    Ok(match (known, begin(desk, record)) {
        (None, None) => Renewal::Same,
        (None, Some(new)) => Renewal::Begin(new),
        (Some(row), None) => {
            let confirmation = record.service.confirmation.as_ref();
            match confirmation.and_then(|one| one.of(&record.answers)) {
                Some(_) => Renewal::Same,
                None => Renewal::End(row.application_id),
            }
        }
        // whoever did not answer in time is not asked a second time
        (Some(row), Some(new)) if row.state == State::Lapsed && row.body == new.body => Renewal::Same,
        (Some(row), Some(new)) => Renewal::Again(table::Model {
            due: if row.state == State::Waiting && row.body == new.body {
                row.due
            } else {
                new.due.clone()
            },
            revision: row.revision,
            ..new
        }),
    })
}

impl Renewal {
    /// Writes it.
    ///
    /// # Errors
    /// [`CaseError::Conflict`] when the body answered in this moment; the store's.
    pub(crate) async fn write(self, tx: &Tx) -> Result<(), CaseError> {
        match self {
            Renewal::Same => {}
            Renewal::End(id) => table::delete_of(tx, id).await?,
            Renewal::Begin(row) => table::insert(tx, row).await?,
            Renewal::Again(row) => {
                if !table::replace(tx, &row).await? {
                    return Err(CaseError::Conflict("confirmation"));
                }
            }
        }
        Ok(())
    }
}

/// Refuses a decision while a body is still asked.
///
/// # Errors
/// [`CaseError::Input`]; the store's.
pub(crate) async fn settled(desk: &Desk, id: ApplicationId) -> Result<(), CaseError> {
    let row = table::of_application(desk.store.read(), id.uuid()).await?;
    if row.is_some_and(|row| row.state == State::Waiting) {
        return Err(CaseError::Input {
            field: "confirmation",
            problem: "waiting",
        });
    }
    Ok(())
}

/// Where the confirmation of a case stands. It opens no data; whoever calls it has opened the case.
///
/// # Errors
/// The store's.
#[boxed]
pub async fn standing(desk: &Desk, id: ApplicationId) -> Result<Option<Standing>, CaseError> {
    let Some(row) = table::of_application(desk.store.read(), id.uuid()).await? else {
        return Ok(None);
    };
    let service = desk.catalogue.get(&row.service);
    let Some(confirmation) = service.and_then(|service| service.confirmation.as_ref()) else {
        return Ok(None);
    };
    let body = confirmation.body(&row.body);
    Ok(Some(Standing {
        title: confirmation.title.clone(),
        body: body.map_or_else(|| Text::chinese(row.body.clone()), |body| body.name.clone()),
        state: row.state,
        due: row.due.parse().ok(),
        answered: row.answered_at.map(time),
        lapses: confirmation.on_lapse == OnLapse::Decide,
    }))
}

/// Gives cases whose body did not answer in time to the office, where the service says so; gives how many. Deletes
/// uploads that nobody confirmed.
///
/// # Errors
/// The store's; what was done before stays done.
pub(crate) async fn lapse(desk: &Desk) -> Result<u64, CaseError> {
    let old = desk.now().checked_sub(UPLOAD_LIFE).unwrap_or(Timestamp::UNIX_EPOCH);
    let old = old.as_microsecond();
    desk.store
        .write(move |tx| {
            Box::pin(async move { Ok::<_, CaseError>(confirmation_upload::delete_before(tx, old).await?) })
        })
        .await?;
    let lapsing = desk.catalogue.all().filter(|service| {
        let confirmation = service.confirmation.as_ref();
        confirmation.is_some_and(|confirmation| confirmation.on_lapse == OnLapse::Decide)
    });
    let services: Vec<String> = lapsing.map(|service| service.id.clone()).collect();
    let mut count = 0;
    loop {
        let rows = table::overdue(desk.store.read(), &services, &desk.today().to_string(), ROUND).await?;
        let found = rows.len() as u64;
        for mut row in rows {
            let application = record::row(desk, row.application_id.into()).await?;
            let record = record::open(desk, &Who::System, Action::Notify, application).await?;
            let change = Change::note(desk, &Who::System, &record.row, "confirmation_lapsed");
            let due: Option<Date> = row.due.parse().ok();
            let words = BTreeMap::from([("due".to_owned(), due.map(roc::long).unwrap_or_default())]);
            let message = notify::Draft::new(desk, &record, "unconfirmed", words);
            let number = record.row.number.clone().unwrap_or_default();
            row.state = State::Lapsed;
            let seal = desk.store.seal().clone();
            let done = desk.store.write(move |tx| {
                Box::pin(async move {
                    if !table::replace(tx, &row).await? {
                        return Err(CaseError::Conflict("confirmation"));
                    }
                    change.write(tx).await?;
                    message.seal(tx, &seal, &number).await?.write(tx).await
                })
            });
            match done.await {
                // Confirmed, or changed, in this very moment.
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
