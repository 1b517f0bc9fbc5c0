//! Entering a round: only while its window is open, and each person once.

use civic::legal_time;
use rules::{Decision, Entity};
use services::round::Window;
use store::Tx;
use store::tables::round_entry;
use uuid::Uuid;

use super::spec::specs;
use crate::people::Person;
use crate::record::Record;
use crate::{CaseError, Desk};

/// What a submission enters.
pub(crate) struct Entry(Vec<round_entry::Model>);

/// The round an application enters when it is handed in now; nothing for a service without rounds.
///
/// # Errors
/// [`CaseError::Closed`]; [`CaseError::Entered`]; [`CaseError::NoPlace`]; the store's.
pub(crate) async fn entry(
    desk: &Desk,
    person: &Person,
    record: &Record,
    decision: &Decision,
) -> Result<Option<Entry>, CaseError> {
    let Some(rounds) = &record.service.rounds else {
        return Ok(None);
    };
    let round = match rounds.at(legal_time(desk.now())) {
        Window::Open(round) => round,
        Window::Closed(next) => {
            return Err(CaseError::Closed {
                next: next.map(|round| round.opens),
            });
        }
    };
    // whoever may take part must have something to take part for; who does not qualify is told so in the letter
    if decision.outcome == Some(true) && specs(rounds, round, &record.answers, decision).is_empty() {
        return Err(CaseError::NoPlace);
    }
    let service = &record.service.id;
    let hash = |text: &str| {
        desk.store
            .seal()
            .lookup("round", &format!("{service}/{}/{text}", round.id))
            .to_vec()
    };
    let mut subjects: Vec<Vec<u8>> = placed(record, decision, rounds.class.as_deref())
        .iter()
        .map(|id| hash(&id.to_ascii_uppercase()))
        .collect();
    if subjects.is_empty() {
        subjects.push(hash(person.national_id.reveal()));
    }
    subjects.sort();
    subjects.dedup();
    if round_entry::any_of(desk.store.read(), service, &round.id, &subjects).await? {
        return Err(CaseError::Entered);
    }
    let rows = subjects.into_iter().map(|subject| round_entry::Model {
        id: Uuid::new_v4(),
        service: service.clone(),
        round: round.id.clone(),
        subject,
        application_id: record.row.id,
    });
    Ok(Some(Entry(rows.collect())))
}

/// The identities of the persons who need a seat themselves, such as the children of a family.
fn placed(record: &Record, decision: &Decision, class: Option<&str>) -> Vec<String> {
    let form = &record.service.form;
    let identity = form
        .person_group()
        .and_then(|group| Some((group.id.as_str(), group.identity.as_deref()?)));
    let (Some(class), Some((group, field))) = (class, identity) else {
        return Vec::new();
    };
    let persons = decision
        .steps
        .iter()
        .filter(|step| step.name == class && step.entity == Entity::Person && !step.value.is_null());
    persons
        .filter_map(|step| step.person.as_ref())
        .filter_map(|person| record.answers.value(&format!("{group}.{person}.{field}")))
        .filter_map(|value| value.as_str().map(str::to_owned))
        .collect()
}

impl Entry {
    /// Writes who takes part.
    ///
    /// # Errors
    /// [`CaseError::Entered`] when one of them entered in this moment; the store's.
    pub(crate) async fn write(self, tx: &Tx) -> Result<(), CaseError> {
        round_entry::insert(tx, self.0).await.map_err(|error| {
            let error = store::StoreError::from(error);
            if error.is_duplicate() {
                CaseError::Entered
            } else {
                CaseError::Store(error)
            }
        })
    }
}
