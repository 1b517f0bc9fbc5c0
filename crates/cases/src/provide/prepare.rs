//! The work behind a data set that is not there at once, and what is let go of afterwards.

use std::collections::BTreeMap;

use civic::ids::{FileId, PersonId};
use jiff::{SignedDuration, Timestamp};
use store::ledger;
use store::outbox::Outcome;
use store::seal::Place;
use store::tables::mydata_transfer::{self as table, State};
use store::tables::person;
use uuid::Uuid;

use super::{content, of_person, pack};
use crate::{CaseError, Desk, record};

/// Kind of the work that makes a package.
pub(crate) const MAKE: &str = "mydata.provide";
/// How long transfers are kept: twice the year that the platform asks for, so that a yearly audit sees a whole one.
const KEPT: SignedDuration = SignedDuration::from_hours(2 * 366 * 24);
/// Packages of one round.
const ROUND: u64 = 200;

/// Makes the package of a transfer and keeps it sealed until the platform fetches it. Safe to run again after any interruption.
///
/// # Errors
/// Temporary ones, after which the work is tried again.
pub(crate) async fn make(desk: &Desk, id: Uuid) -> Result<Outcome, CaseError> {
    let Some(row) = table::by_id(desk.store.read(), id).await? else {
        return Ok(Outcome::Done);
    };
    if row.state != State::Preparing {
        return Ok(Outcome::Done);
    }
    let known = match row.person_id {
        Some(person) => person::by_id(desk.store.read(), person).await?,
        None => None,
    };
    let offered = desk.catalogue.offered(&row.resource_id).filter(|offered| {
        // a data set whose service was withdrawn meanwhile is told as refused
        desk.catalogue.get(&offered.service).is_some()
    });
    let mut next = row.clone();
    next.parameters = None;
    let mut entries = Vec::new();
    match (known, offered) {
        (Some(known), Some(offered)) => {
            let grant = of_person(desk, offered, PersonId::from_uuid(known.id))?;
            let parameters: BTreeMap<String, String> = match &row.parameters {
                Some(sealed) => {
                    let place = Place::new("mydata_transfer", "parameters", &row.id);
                    record::unseal(desk, &grant, known.key_id.into(), place, sealed).await?
                }
                None => BTreeMap::new(),
            };
            let (bytes, read) = content(desk, offered, &known, &parameters).await?;
            entries = read;
            match bytes {
                Some(bytes) => {
                    let package = pack(desk, offered, bytes).await?;
                    let file = desk
                        .store
                        .files()
                        .put(&desk.store, known.key_id.into(), &package)
                        .await?;
                    next.file_id = Some(file.uuid());
                    next.state = State::Ready;
                }
                None => next.state = State::Nothing,
            }
        }
        _ => next.state = State::Refused,
    }
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                if !table::replace(tx, &next).await? {
                    return Err(CaseError::Conflict("transfer"));
                }
                for entry in entries {
                    ledger::append(tx, entry).await?;
                }
                Ok(())
            })
        })
        .await?;
    Ok(Outcome::Done)
}

/// Destroys packages that the platform can't fetch any more, and transfers past their time; says how many packages.
///
/// # Errors
/// The store's.
pub(crate) async fn tidy(desk: &Desk) -> Result<u64, CaseError> {
    let Some(provider) = &desk.provider else { return Ok(0) };
    let seconds = i64::try_from(provider.config().longest_seconds).unwrap_or(i64::MAX);
    let before = |long: SignedDuration| desk.now().checked_sub(long).unwrap_or(Timestamp::MIN).as_microsecond();
    let mut count = 0;
    for row in table::forgotten(desk.store.read(), before(SignedDuration::from_secs(seconds)), ROUND).await? {
        let file = row.file_id;
        let mut next = row;
        next.file_id = None;
        let done = desk
            .store
            .write(move |tx| Box::pin(async move { Ok::<_, CaseError>(table::replace(tx, &next).await?) }))
            .await?;
        if let (true, Some(file)) = (done, file) {
            desk.store.files().delete(FileId::from_uuid(file)).await?;
            count += 1;
        }
    }
    let oldest = before(KEPT);
    desk.store
        .write(move |tx| Box::pin(async move { Ok::<_, CaseError>(table::delete_before(tx, oldest).await?) }))
        .await?;
    Ok(count)
}
