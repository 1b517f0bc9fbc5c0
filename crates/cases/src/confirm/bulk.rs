//! Many confirmations at once: the sheet of what waits goes out, comes back, is looked at row by row, and is applied as a
//! whole or not at all.

use crate::boxed;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use civic::Language;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use services::confirm::{About, CellError, Confirmation, Line, Read, Refusal, SheetRow};
use services::form::Answers;
use store::seal::Place;
use store::tables::{application, confirmation as table, confirmation_upload, staff as accounts};
use uuid::Uuid;

use super::{MOST, Ready, is_open, missing, of, open, used};
use crate::guard::{self, Action};
use crate::record::{self, Record};
use crate::staff::Staff;
use crate::{CaseError, Desk, collect, decide};

/// One value that would change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The question.
    pub label: String,
    /// What the person answered; empty where they did not.
    pub before: String,
    /// What the body says.
    pub after: String,
}

/// One row that would be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Number of the row in the sheet, from 1.
    pub row: u32,
    /// Number of the application.
    pub number: String,
    /// What would change; nothing where the values are confirmed as they are.
    pub differences: Vec<Difference>,
}

/// What a sheet would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// Name of the upload, to confirm it by; nothing where no row would be applied.
    pub upload: Option<Uuid>,
    /// Rows that would be applied, in order.
    pub rows: Vec<Row>,
    /// Rows that say again what was confirmed before; they change nothing.
    pub again: usize,
    /// What is wrong, by row and column. These rows are left out.
    pub errors: Vec<CellError>,
}

/// What is kept of a row between the preview and its confirmation.
#[derive(Serialize, Deserialize)]
struct Stored {
    application: Uuid,
    revision: i64,
    values: BTreeMap<String, Value>,
}

fn say(language: Language, chinese: &str, english: &str) -> String {
    if language == Language::ZhTw { chinese } else { english }.to_owned()
}

fn about(desk: &Desk, record: &Record, confirmation: &Confirmation) -> Result<About, CaseError> {
    let decision = decide::decide(&record.service, &record.answers, collect::law_day(desk, &record.row))?;
    Ok(confirmation.about(&record.service.form, &record.answers, &decision))
}

fn shown(answers: &Answers, key: &str, record: &Record, language: Language) -> String {
    record.service.form.shown(key, answers, language)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, CaseError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| CaseError::Outside {
            party: "spreadsheet",
            problem: error.to_string(),
        })
}

/// The sheet of what waits for the own body, to be filled in and handed back; an entry in the usage ledger for each row.
///
/// # Errors
/// [`CaseError::NotFound`] where the service has nothing confirmed by the own body; [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn sheet(desk: &Desk, staff: &Staff, service: &str, language: Language) -> Result<Vec<u8>, CaseError> {
    guard::office(desk, staff, Action::Confirm)?;
    let service = Arc::clone(desk.service(service)?);
    let (confirmation, _) = of(&service, staff)?;
    let waiting = table::waiting(desk.store.read(), &staff.agency, MOST).await?;
    let (mut rows, mut entries) = (Vec::new(), Vec::new());
    for (row, application) in waiting.into_iter().filter(|(row, _)| row.service == service.id) {
        let record = open(desk, staff, application, &row.body).await?;
        let subject = guard::subject(desk, &record).await?;
        let fields = used(confirmation);
        entries.push(guard::entry(
            desk,
            &staff.who(),
            Action::Confirm,
            record.id(),
            &service,
            subject,
            &fields,
        ));
        let values = confirmation
            .fields
            .iter()
            .map(|key| shown(&record.answers, key, &record, language));
        rows.push(SheetRow {
            number: record.row.number.clone().unwrap_or_default(),
            about: about(desk, &record, confirmation)?,
            values: values.collect(),
        });
    }
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                for entry in entries {
                    store::ledger::append(tx, entry).await?;
                }
                Ok::<_, CaseError>(())
            })
        })
        .await?;
    blocking(move || {
        let confirmation = service
            .confirmation
            .as_ref()
            .ok_or(CaseError::NotFound("confirmation"))?;
        services::confirm::write(confirmation, &service.form, &rows, language).map_err(|error| CaseError::Outside {
            party: "spreadsheet",
            problem: error.to_string(),
        })
    })
    .await?
}

/// What becomes of one row.
enum Seen {
    /// It would be applied.
    Apply(Stored, Vec<Difference>),
    /// It says again what was confirmed before.
    Again,
    /// It is left out.
    Wrong(Vec<CellError>),
}

/// Looks at a sheet: what it would do, row by row. Nothing is applied; what would be is kept sealed for a day.
///
/// # Errors
/// The inner [`Refusal`] for a file that is not taken at all; [`CaseError::NotFound`]; [`CaseError::Refused`]; the
/// store's.
#[boxed]
pub async fn check(
    desk: &Desk,
    staff: &Staff,
    service: &str,
    bytes: Vec<u8>,
    language: Language,
) -> Result<Result<Preview, Refusal>, CaseError> {
    guard::office(desk, staff, Action::Confirm)?;
    let service = Arc::clone(desk.service(service)?);
    let (confirmation, _) = of(&service, staff)?;
    let (reader, now) = (Arc::clone(&service), desk.now());
    let read = blocking(move || {
        let confirmation = reader.confirmation.as_ref();
        confirmation.map(|one| services::confirm::read(one, &reader.form, &bytes, language, now))
    })
    .await?;
    let Read { lines, errors } = match read {
        Some(Ok(read)) => read,
        Some(Err(refusal)) => return Ok(Err(refusal)),
        None => return Err(CaseError::NotFound("confirmation")),
    };
    let waiting = table::waiting(desk.store.read(), &staff.agency, MOST).await?;
    let waiting: HashMap<String, (table::Model, application::Model)> = waiting
        .into_iter()
        .filter_map(|(row, application)| Some((application.number.clone()?, (row, application))))
        .collect();
    let mut preview = Preview {
        errors,
        ..Preview::default()
    };
    let (mut kept, mut entries) = (Vec::new(), Vec::new());
    for line in &lines {
        let known = waiting.get(&line.number).filter(|(row, _)| row.service == service.id);
        let seen = match known {
            Some((row, application)) => {
                let record = open(desk, staff, application.clone(), &row.body).await?;
                let subject = guard::subject(desk, &record).await?;
                let fields = used(confirmation);
                entries.push(guard::entry(
                    desk,
                    &staff.who(),
                    Action::Confirm,
                    record.id(),
                    &service,
                    subject,
                    &fields,
                ));
                look(desk, confirmation, row, &record, line, language)?
            }
            None => settled(desk, staff, &service, line, language).await?,
        };
        match seen {
            Seen::Apply(stored, differences) => {
                kept.push(stored);
                preview.rows.push(Row {
                    row: line.row,
                    number: line.number.clone(),
                    differences,
                });
            }
            Seen::Again => preview.again += 1,
            Seen::Wrong(mut wrong) => preview.errors.append(&mut wrong),
        }
    }
    preview.errors.sort_by_key(|error| error.row);
    let upload = if kept.is_empty() {
        None
    } else {
        let row = upload(desk, staff, &service.id, &kept).await?;
        preview.upload = Some(row.id);
        Some(row)
    };
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                for entry in entries {
                    store::ledger::append(tx, entry).await?;
                }
                if let Some(row) = upload {
                    confirmation_upload::put(tx, row).await?;
                }
                Ok::<_, CaseError>(())
            })
        })
        .await?;
    Ok(Ok(preview))
}

async fn upload(
    desk: &Desk,
    staff: &Staff,
    service: &str,
    kept: &[Stored],
) -> Result<confirmation_upload::Model, CaseError> {
    let account = accounts::by_id(desk.store.read(), staff.id.uuid()).await?;
    let account = account.ok_or(CaseError::NotFound("account"))?;
    let id = Uuid::new_v4();
    let place = Place::new("confirmation_upload", "sealed", &id);
    Ok(confirmation_upload::Model {
        id,
        staff_id: account.id,
        service: service.to_owned(),
        sealed: record::seal(desk, desk.store.read(), account.key_id.into(), place, &kept).await?,
        made_at: desk.now().as_microsecond(),
    })
}

fn wrong(line: &Line, column: String, message: String) -> CellError {
    CellError {
        row: line.row,
        column,
        message,
    }
}

/// A row whose application waits for the own body.
fn look(
    desk: &Desk,
    confirmation: &Confirmation,
    row: &table::Model,
    record: &Record,
    line: &Line,
    language: Language,
) -> Result<Seen, CaseError> {
    let form = &record.service.form;
    let about = about(desk, record, confirmation)?;
    let mut errors = Vec::new();
    if line.about.name != about.name {
        let message = say(
            language,
            "姓名和申請案不同，這一列可能錯位了。請用下載的表格，不要改案號和姓名。",
            "The name is not that of the application; the row may have slipped. Don't change numbers and names.",
        );
        errors.push(wrong(line, say(language, "B 姓名", "B Name"), message));
    }
    if line.about.identity != about.identity.to_ascii_uppercase() {
        let message = say(
            language,
            "統一編號和申請案不同，這一列可能錯位了。",
            "The national ID is not that of the application; the row may have slipped.",
        );
        errors.push(wrong(line, say(language, "C 統一編號", "C National ID"), message));
    }
    for key in missing(record, row, &line.values, desk.now()) {
        if let Some((_, field)) = form.field(&key) {
            errors.push(wrong(
                line,
                field.label.get(language).to_owned(),
                field.missing(language),
            ));
        }
    }
    if !errors.is_empty() {
        return Ok(Seen::Wrong(errors));
    }
    let differences = line.values.iter().filter_map(|(key, value)| {
        let (_, field) = form.field(key)?;
        (record.answers.value(key) != Some(value)).then(|| Difference {
            label: field.label.get(language).to_owned(),
            before: shown(&record.answers, key, record, language),
            after: field.shown(value, language),
        })
    });
    let differences = differences.collect();
    let stored = Stored {
        application: record.row.id,
        revision: record.row.revision,
        values: line.values.clone(),
    };
    Ok(Seen::Apply(stored, differences))
}

/// A row whose application does not wait for the own body: confirmed before, too late, or none of ours. Which numbers
/// there are elsewhere is not told.
async fn settled(
    desk: &Desk,
    staff: &Staff,
    service: &services::Service,
    line: &Line,
    language: Language,
) -> Result<Seen, CaseError> {
    let column = say(language, "A 申請案號", "A Application");
    let unknown = say(
        language,
        "沒有這個案號，或不是貴校（貴機構）的申請。請刪掉這一列。",
        "There is no such application, or it is not of your body. Remove the row.",
    );
    let application = application::by_number(desk.store.read(), &line.number).await?;
    let Some(application) = application.filter(|row| row.service == service.id) else {
        return Ok(Seen::Wrong(vec![wrong(line, column, unknown)]));
    };
    let row = table::of_application(desk.store.read(), application.id).await?;
    let Some(row) = row.filter(|row| row.body == staff.agency) else {
        return Ok(Seen::Wrong(vec![wrong(line, column, unknown)]));
    };
    let message = match row.state {
        table::State::Confirmed if is_open(&application) => {
            let record = open(desk, staff, application, &row.body).await?;
            let same = |(key, value): (&String, &Value)| record.answers.value(key) == Some(value);
            if line.values.iter().all(same) {
                return Ok(Seen::Again);
            }
            say(
                language,
                "這件已經確認過，內容和這一列不同。要更正請聯絡承辦人。",
                "This application was confirmed before, with other values. Ask the office to have it corrected.",
            )
        }
        table::State::Confirmed => return Ok(Seen::Again),
        table::State::Lapsed => say(
            language,
            "確認期限已過，機關已依現有資料續辦。",
            "The time to confirm is over; the office goes on with what there is.",
        ),
        table::State::Waiting => say(
            language,
            "這件申請已經撤回或結案，不用確認。",
            "This application was withdrawn or closed; nothing is to be confirmed.",
        ),
    };
    Ok(Seen::Wrong(vec![wrong(line, column, message)]))
}

/// Applies an upload that was looked at: all its rows in one transaction, or none. Gives how many.
///
/// # Errors
/// [`CaseError::NotFound`] for an upload of somebody else, used before, or older than a day; [`CaseError::Conflict`]
/// when an application changed meanwhile, upon which nothing is applied; the store's.
#[boxed]
pub async fn apply(desk: &Desk, staff: &Staff, id: Uuid) -> Result<usize, CaseError> {
    guard::office(desk, staff, Action::Confirm)?;
    let missing = || CaseError::NotFound("upload");
    let row = confirmation_upload::by_id(desk.store.read(), id).await?;
    let row = row.filter(|row| row.staff_id == staff.id.uuid()).ok_or_else(missing)?;
    let account = accounts::by_id(desk.store.read(), staff.id.uuid())
        .await?
        .ok_or_else(missing)?;
    let place = Place::new("confirmation_upload", "sealed", &row.id);
    let seal = desk.store.seal();
    let plain = seal
        .open_own(desk.store.read(), account.key_id.into(), place, &row.sealed)
        .await?;
    let kept: Vec<Stored> = serde_json::from_slice(&plain).map_err(|error| CaseError::corrupt("upload", &error))?;
    let mut ready = Vec::with_capacity(kept.len());
    for stored in kept {
        let asked = table::of_application(desk.store.read(), stored.application).await?;
        let asked = asked.filter(|row| row.body == staff.agency && row.state == table::State::Waiting);
        let application = record::row(desk, stored.application.into()).await?;
        let unchanged = application.revision == stored.revision && is_open(&application);
        let Some(asked) = asked.filter(|_| unchanged) else {
            return Err(CaseError::Conflict("confirmation"));
        };
        let record = open(desk, staff, application, &asked.body).await?;
        ready.push(Ready::new(desk, staff, asked, record, &stored.values).await?);
    }
    let (count, seal) = (ready.len(), desk.store.seal().clone());
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                if !confirmation_upload::take(tx, id).await? {
                    return Err(CaseError::Conflict("upload"));
                }
                for one in ready {
                    one.write(tx, &seal).await?;
                }
                Ok(())
            })
        })
        .await?;
    Ok(count)
}
