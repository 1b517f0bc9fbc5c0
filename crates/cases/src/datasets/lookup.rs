//! Lookups (資料查調): an officer asks a dataset of the city what it knows of somebody named in a case.
//!
//! What may be asked stands in `[[lookup]]` of the service and `[lookup]` of the dataset; the value it is asked by comes from the
//! case and not from the officer. The policies are asked each time, and each answer leaves one entry in the usage ledger,
//! which the person who was asked about can read, before it is handed out.

use crate::boxed;
use std::sync::Arc;

use civic::ids::ApplicationId;
use civic::{Purpose, Text};
use hub::{Dataset, Found};
use services::Service;
use services::form::FieldKind;
use services::lookup::Lookup;
use store::ledger;
use store::tables::application;

use super::Datasets;
use crate::guard::{self, Action, Who};
use crate::record::{self, Record};
use crate::staff::Staff;
use crate::transition::State;
use crate::{CaseError, Desk};

/// A question that may be put for a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Number of the lookup in the service's folder.
    pub lookup: usize,
    /// The item of the form that is asked about; the case itself without one.
    pub item: Option<String>,
    /// Name of the dataset.
    pub dataset: Text,
    /// What people know the item by; nothing where it is the case, or not answered.
    pub about: Option<String>,
    /// The law it rests on.
    pub law: String,
    /// Whether the case says what it is asked by.
    pub answered: bool,
}

/// An answer with where it comes from.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Number of the application.
    pub number: String,
    /// Name of its service.
    pub service: Text,
    /// What was asked.
    pub question: Question,
    /// The dataset that answered.
    pub dataset: Arc<Dataset>,
    /// Columns of the answer, as places of the dataset.
    pub columns: Vec<usize>,
    /// What it knows: version, age, rows and their places.
    pub found: Found,
}

/// The questions of a case that this city's datasets can answer, if this member of staff may put them.
pub(crate) fn questions(desk: &Desk, staff: &Staff, record: &Record) -> Vec<Question> {
    let Some(datasets) = &desk.datasets else {
        return Vec::new();
    };
    let mut questions = Vec::new();
    for (number, lookup) in record.service.meta.lookups.iter().enumerate() {
        let Some(dataset) = datasets.get(&lookup.dataset) else {
            continue;
        };
        if purpose(desk, &staff.who(), &record.row, &record.service, lookup, dataset).is_err() {
            continue;
        }
        let items = lookup.items(&record.answers).into_iter();
        questions.extend(items.map(|item| question(record, number, lookup, item, dataset)));
    }
    questions
}

fn question(record: &Record, number: usize, lookup: &Lookup, item: Option<&str>, dataset: &Dataset) -> Question {
    let form = &record.service.form;
    let group = lookup.group.as_deref().and_then(|group| form.group(group));
    let label = group.and_then(|group| Some(format!("{}.{}.{}", group.id, item?, group.label.as_ref()?)));
    let about = label.and_then(|key| record.answers.value(&key)?.as_str().map(str::to_owned));
    Question {
        lookup: number,
        item: item.map(str::to_owned),
        dataset: dataset.title.clone(),
        about,
        law: lookup.law.clone(),
        answered: lookup.key(&record.answers, item).is_some(),
    }
}

/// May `who` ask this dataset for this case: the purpose it is asked for.
fn purpose(
    desk: &Desk,
    who: &Who,
    row: &application::Model,
    service: &Service,
    lookup: &Lookup,
    dataset: &Dataset,
) -> Result<Purpose, CaseError> {
    let codes = &service.meta.purposes;
    let shared = codes.iter().find(|code| dataset.purposes.contains(code));
    let purpose = Purpose {
        code: shared.or(codes.first()).cloned().unwrap_or_default(),
        basis: lookup.law.clone(),
        function: Action::Lookup.word().to_owned(),
        application: Some(ApplicationId::from_uuid(row.id)),
    };
    guard::lookup(desk, who, row, service, dataset, purpose.clone())?;
    Ok(purpose)
}

/// Puts a question for a case.
///
/// # Errors
/// [`CaseError::NotFound`] for a question that the service does not have; [`CaseError::Refused`] by the access policies;
/// [`CaseError::Input`] while the case does not say what is asked by; [`CaseError::Hub`]; the store's.
#[boxed]
pub async fn ask(
    desk: &Desk,
    staff: &Staff,
    id: ApplicationId,
    number: usize,
    item: Option<String>,
) -> Result<Answer, CaseError> {
    let row = record::row(desk, id).await?;
    if matches!(row.state, State::Draft | State::Disposed) {
        return Err(CaseError::NotFound("application"));
    }
    let datasets: &Datasets = desk.datasets.as_ref().ok_or(CaseError::NotFound("dataset"))?;
    let record = record::open(desk, &staff.who(), Action::Read, row).await?;
    let service = &record.service;
    let lookup = service.meta.lookups.get(number).ok_or(CaseError::NotFound("lookup"))?;
    let dataset = datasets.get(&lookup.dataset).ok_or(CaseError::NotFound("dataset"))?;
    let item = item.as_deref();
    if !lookup.items(&record.answers).contains(&item) {
        return Err(CaseError::NotFound("lookup"));
    }
    let purpose = purpose(desk, &staff.who(), &record.row, service, lookup, dataset)?;
    let key = lookup.key(&record.answers, item).ok_or(CaseError::Input {
        field: "lookup",
        problem: "the case does not say what the dataset is asked by; ask the person for it first",
    })?;
    let columns: Vec<&str> = lookup.columns.iter().map(String::as_str).collect();
    let found = datasets
        .lookups
        .find(&lookup.dataset, &key, &columns, desk.now())
        .await?;
    let subject = match person(desk, service, lookup, &key) {
        Some(subject) => Some(subject),
        None => guard::subject(desk, &record).await?,
    };
    let fields = columns
        .iter()
        .map(|column| format!("{}.{column}", lookup.dataset))
        .collect();
    let (actor, actor_id) = staff.who().in_ledger();
    let entry = ledger::Entry {
        at: desk.now(),
        actor,
        actor_id,
        action: Action::Lookup.word().to_owned(),
        purpose,
        application: Some(id),
        subject,
        fields,
        count: u64::try_from(found.rows.len()).unwrap_or(u64::MAX),
    };
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                ledger::append(tx, entry).await?;
                Ok::<_, CaseError>(())
            })
        })
        .await?;
    Ok(Answer {
        number: record.row.number.clone().unwrap_or_default(),
        service: service.meta.name.clone(),
        question: question(&record, number, lookup, item, dataset),
        columns: columns.iter().filter_map(|column| dataset.column(column)).collect(),
        dataset: Arc::clone(dataset),
        found,
    })
}

/// The person a key is of, as the ledger names them; nothing where it holds no national id.
fn person(desk: &Desk, service: &Service, lookup: &Lookup, key: &[&str]) -> Option<[u8; 32]> {
    let is_id = |field: &String| {
        let pages = service.form.pages.iter().filter(|page| page.group == lookup.group);
        let mut fields = pages.flat_map(|page| &page.fields);
        fields.any(|known| known.id == *field && matches!(known.kind, FieldKind::NationalId))
    };
    let place = lookup.by.iter().position(is_id)?;
    let id = civic::NationalId::parse(key.get(place)?).ok()?;
    Some(desk.store.seal().lookup("national_id", id.reveal()))
}
