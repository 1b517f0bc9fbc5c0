//! An application as the verbs hold it: its row, its service and the opened answers.

use std::sync::Arc;

use civic::ids::{ApplicationId, KeyId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use services::Service;
use services::form::Answers;
use store::access::Grant;
use store::sea_orm::ConnectionTrait;
use store::seal::Place;
use store::tables::application;

use crate::agents::Hold;
use crate::guard::{self, Action, Who};
use crate::people::Person;
use crate::{CaseError, Desk};

/// An application in the hand of a verb.
pub(crate) struct Record {
    pub(crate) row: application::Model,
    pub(crate) service: Arc<Service>,
    pub(crate) answers: Answers,
    pub(crate) grant: Grant,
}

impl Record {
    /// The application's name.
    pub(crate) fn id(&self) -> ApplicationId {
        ApplicationId::from_uuid(self.row.id)
    }
}

/// The row, if there is one.
pub(crate) async fn row(desk: &Desk, id: ApplicationId) -> Result<application::Model, CaseError> {
    application::by_id(desk.store.read(), id.uuid())
        .await?
        .ok_or(CaseError::NotFound("application"))
}

/// Whether the verb of this action writes its own entry of the usage ledger.
const fn is_told(action: Action) -> bool {
    matches!(action, Action::Submit | Action::Withdraw)
}

/// What an agent uses is recorded each time, and what a clerk takes over from a case of elsewhere; a person's own looks at their own
/// case are not.
async fn note(desk: &Desk, person: &Person, action: Action, record: &Record) -> Result<(), CaseError> {
    let taken_over = action == Action::Report && matches!(person.who(), Who::Clerk { .. });
    if (person.acting().is_none() && !taken_over) || is_told(action) {
        return Ok(());
    }
    let entry = guard::entry(
        desk,
        &person.who(),
        action,
        record.id(),
        &record.service,
        Some(person.lookup),
        &["answers"],
    );
    let hold = Hold::of(desk, &person.who());
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                hold.check(tx).await?;
                store::ledger::append(tx, entry).await?;
                Ok(())
            })
        })
        .await
}

/// A person's own application; somebody else's is not found, so that nobody learns which there are.
pub(crate) async fn own(desk: &Desk, person: &Person, id: ApplicationId, action: Action) -> Result<Record, CaseError> {
    let row = row(desk, id).await?;
    if row.person_id != Some(person.id.uuid()) || !crate::roll::is_told(desk, &row).await? {
        return Err(CaseError::NotFound("application"));
    }
    let record = open(desk, &person.who(), action, row).await?;
    note(desk, person, action, &record).await?;
    Ok(record)
}

/// A person's own application with how far its draft has come, in one query.
pub(crate) async fn own_draft(
    desk: &Desk,
    person: &Person,
    id: ApplicationId,
    action: Action,
) -> Result<OwnDraft, CaseError> {
    let found = application::progress(desk.store.read(), id.uuid()).await?;
    let found = found
        .filter(|found| found.row.person_id == Some(person.id.uuid()))
        .ok_or(CaseError::NotFound("application"))?;
    if !crate::roll::is_told(desk, &found.row).await? {
        return Err(CaseError::NotFound("application"));
    }
    // what is saved while something is to be corrected is part of the correction
    let action = match (action, found.row.state) {
        (Action::Fill, crate::State::Correction) => Action::Correct,
        (action, _) => action,
    };
    let record = open(desk, &person.who(), action, found.row).await?;
    note(desk, person, action, &record).await?;
    Ok(OwnDraft {
        record,
        agreed: found.agreed,
        mydata: found.mydata,
    })
}

/// An own application in the hand of a verb of the form.
pub(crate) struct OwnDraft {
    pub(crate) record: Record,
    /// Whether the notice was agreed to.
    pub(crate) agreed: bool,
    /// Whether the person was ever sent to MyData.
    pub(crate) mydata: bool,
}

/// An application for a purpose.
pub(crate) async fn open(desk: &Desk, who: &Who, action: Action, row: application::Model) -> Result<Record, CaseError> {
    let service = Arc::clone(desk.service(&row.service)?);
    let grant = guard::case(desk, who, action, &row, &service)?;
    let answers = answers(desk, &grant, &row, &service).await?;
    Ok(Record {
        row,
        service,
        answers,
        grant,
    })
}

pub(crate) async fn answers(
    desk: &Desk,
    grant: &Grant,
    row: &application::Model,
    service: &Service,
) -> Result<Answers, CaseError> {
    match &row.answers {
        Some(sealed) => {
            unseal(
                desk,
                grant,
                row.key_id.into(),
                Place::new("application", "answers", &row.id),
                sealed,
            )
            .await
        }
        None => Ok(Answers::new(&service.form)),
    }
}

/// Opens sealed JSON.
pub(crate) async fn unseal<T: DeserializeOwned>(
    desk: &Desk,
    grant: &Grant,
    key: KeyId,
    place: Place<'_>,
    sealed: &[u8],
) -> Result<T, CaseError> {
    let plain = desk
        .store
        .seal()
        .open(desk.store.read(), grant, key, place, sealed)
        .await?;
    serde_json::from_slice(&plain).map_err(|error| CaseError::corrupt(place.table, &error))
}

/// Seals JSON.
pub(crate) async fn seal<T: Serialize>(
    desk: &Desk,
    db: &impl ConnectionTrait,
    key: KeyId,
    place: Place<'_>,
    value: &T,
) -> Result<Vec<u8>, CaseError> {
    let plain =
        zeroize::Zeroizing::new(serde_json::to_vec(value).map_err(|error| CaseError::corrupt(place.table, &error))?);
    Ok(desk.store.seal().seal(db, key, place, &plain).await?)
}
