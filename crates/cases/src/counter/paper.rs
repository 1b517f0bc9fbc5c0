//! The summary a person signs (申請摘要), the submission after it, and the receipt.

use crate::boxed;
use civic::ids::{ApplicationId, EvidenceId, FileId};
use civic::{Language, legal_day, roc};
use jiff::Timestamp;
use serde_json::{Value, json};
use services::form::Source;
use services::{Letter, Sheet};
use sha2::{Digest as _, Sha256};
use store::seal::Place;
use store::tables::paper::{self, Model};
use store::tables::{consent, evidence};
use uuid::Uuid;

use super::fill::unseen;
use super::{Visit, language};
use crate::change::{Change, same_revision};
use crate::collect::{self, Receipt};
use crate::guard::{self, Action};
use crate::history::time;
use crate::record::{self, Record};
use crate::transition::State;
use crate::{CaseError, Desk};

/// Name of the signed summary among the evidence.
const EVIDENCE: &str = "counter.summary";

/// Prints the summary; gives its identifier. It shows the answers of this revision and no others.
///
/// # Errors
/// [`CaseError::Incomplete`] while questions are open; [`CaseError::Conflict`]; [`CaseError::Letter`]; the store's.
#[boxed]
pub async fn print(desk: &Desk, visit: &Visit, id: ApplicationId, revision: i64) -> Result<Uuid, CaseError> {
    let draft = collect::draft(desk, &visit.person, id).await.map_err(unseen)?;
    let record = record::own(desk, &visit.person, id, Action::Fill).await?;
    collect::still_draft(&record.row)?;
    if !draft.questions.is_empty() || !draft.agreed {
        return Err(CaseError::Incomplete(
            draft.questions.into_iter().map(|asked| asked.address).collect(),
        ));
    }
    same_revision(&record.row, revision)?;
    let data = summary_data(desk, visit, &record).await?;
    let made = press(Sheet::Summary, data).await?;
    let file = desk
        .store
        .files()
        .put(&desk.store, record.row.key_id.into(), &made.pdf)
        .await?;
    let who = visit.person.who();
    let mut change = Change::note(desk, &who, &record.row, "summary_printed");
    change.entries.push(guard::entry(
        desk,
        &who,
        Action::Fill,
        id,
        &record.service,
        Some(visit.person.lookup),
        &["answers"],
    ));
    let row = Model {
        id: Uuid::new_v4(),
        application_id: id.uuid(),
        kind: "summary".to_owned(),
        file_id: file.uuid(),
        media: "application/pdf".to_owned(),
        digest: hex::encode(Sha256::digest(&made.pdf)),
        pages: i32::try_from(made.pages).unwrap_or(i32::MAX),
        shows: record.row.revision.saturating_add(1),
        made_by: visit.staff.uuid(),
        made_at: desk.now().as_microsecond(),
        signed_at: None,
        read: None,
    };
    let made = row.id;
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                change.write(tx).await?;
                paper::insert(tx, row).await?;
                Ok::<_, CaseError>(())
            })
        })
        .await?;
    Ok(made)
}

async fn press(sheet: Sheet, data: Value) -> Result<Letter, CaseError> {
    let made = tokio::task::spawn_blocking(move || services::counter_sheet(sheet, &data)).await;
    made.map_err(|error| CaseError::Outside {
        party: "letter press",
        problem: error.to_string(),
    })?
    .map_err(CaseError::from)
}

/// Day and minute in Taiwan, as official letters write them.
fn minute(at: Timestamp) -> String {
    let clock = civic::legal_time(at);
    format!("{} {:02}:{:02}", roc::plain(clock.date()), clock.hour(), clock.minute())
}

async fn summary_data(desk: &Desk, visit: &Visit, record: &Record) -> Result<Value, CaseError> {
    let language = language(&record.row);
    let form = &record.service.form;
    let parts: Vec<Value> = form
        .places(&record.answers)
        .iter()
        .filter_map(|place| {
            let view = form.view(place, &record.answers, None, None, language);
            let title = match &view.item {
                Some(item) => format!("{}：{item}", view.title),
                None => view.title.to_owned(),
            };
            let rows: Vec<Value> = view
                .fields
                .iter()
                .filter(|field| !field.shown.is_empty())
                .map(|field| {
                    let (source, day) = said(field.source);
                    json!({ "label": field.label, "value": field.shown, "source": source, "day": day })
                })
                .collect();
            (!rows.is_empty()).then(|| json!({ "title": title, "rows": rows }))
        })
        .collect();
    let consents = consent::of_application(desk.store.read(), record.row.id).await?;
    let agreed = consents
        .iter()
        .find(|consent| consent.kind == "notice" && consent.withdrawn_at.is_none())
        .ok_or_else(|| CaseError::Incomplete(vec!["notice".to_owned()]))?;
    let notice = record.service.notice(agreed.language.parse().unwrap_or_default());
    Ok(json!({
        "service": record.service.meta.name.get(language),
        "agency": record.service.meta.agency.get(Language::ZhTw),
        "person": visit.person.name,
        "shown": visit.shown.chinese(),
        "agent": visit.agent.as_ref().map(|agent| agent.name.as_str()).unwrap_or_default(),
        "notice": {
            "title": notice.title(),
            "version": agreed.digest.get(..12).unwrap_or(&agreed.digest),
            "at": minute(time(agreed.agreed_at)),
        },
        "printed": minute(desk.now()),
        "parts": parts,
    }))
}

/// Word of a source, and the day its agency issued it.
fn said(source: Option<&Source>) -> (&'static str, String) {
    match source {
        None => ("", String::new()),
        Some(Source::Person | Source::Screening) => ("person", String::new()),
        // whose it was first, and its day
        Some(Source::Earlier { of, given, .. }) => (said(Some(of)).0, roc::plain(*given)),
        Some(Source::Profile) => ("profile", String::new()),
        // what a body confirmed stands as what a register says
        Some(Source::Register | Source::Body { .. }) => ("register", String::new()),
        Some(Source::Wallet { .. }) => ("wallet", String::new()),
        Some(Source::MyData { issued, .. }) => ("mydata", issued.map(roc::plain).unwrap_or_default()),
    }
}

/// The newest summary that shows the answers in force, if one was printed.
///
/// # Errors
/// [`CaseError::NotFound`]; the store's.
#[boxed]
pub async fn signable(desk: &Desk, visit: &Visit, id: ApplicationId) -> Result<Option<Uuid>, CaseError> {
    let record = record::own(desk, &visit.person, id, Action::Fill)
        .await
        .map_err(unseen)?;
    Ok(valid(desk, &record).await?.map(|row| row.id))
}

/// A signature changes the revision once and no answer.
fn is_valid(row: &Model, revision: i64) -> bool {
    let signed = i64::from(row.signed_at.is_some());
    row.kind == "summary" && row.shows.saturating_add(signed) == revision
}

async fn valid(desk: &Desk, record: &Record) -> Result<Option<Model>, CaseError> {
    let papers = paper::of_application(desk.store.read(), record.row.id).await?;
    Ok(papers.into_iter().rev().find(|row| is_valid(row, record.row.revision)))
}

/// The PDF of a summary.
///
/// # Errors
/// [`CaseError::NotFound`]; the store's.
#[boxed]
pub async fn summary(desk: &Desk, visit: &Visit, id: ApplicationId, summary: Uuid) -> Result<Vec<u8>, CaseError> {
    let record = record::own(desk, &visit.person, id, Action::Fill)
        .await
        .map_err(unseen)?;
    let row = paper::by_id(desk.store.read(), summary)
        .await?
        .filter(|row| row.application_id == id.uuid() && row.kind == "summary")
        .ok_or(CaseError::NotFound("paper"))?;
    let bytes = desk
        .store
        .files()
        .get(&desk.store, &record.grant, FileId::from_uuid(row.file_id))
        .await?;
    Ok(bytes.to_vec())
}

/// Hands the application in: the person has signed the summary, whose digest becomes evidence. The same token again gives
/// the same receipt.
///
/// # Errors
/// [`CaseError::Input`] without a summary of the answers in force; as [`collect::submit`].
#[boxed]
pub async fn hand_in(
    desk: &Desk,
    visit: &Visit,
    id: ApplicationId,
    revision: i64,
    form_token: Uuid,
) -> Result<Receipt, CaseError> {
    let record = record::own(desk, &visit.person, id, Action::Submit)
        .await
        .map_err(unseen)?;
    if record.row.state != State::Draft {
        return collect::submit(desk, &visit.person, id, revision, form_token).await;
    }
    let summary = valid(desk, &record).await?.ok_or(CaseError::Input {
        field: "signed",
        problem: "stale",
    })?;
    let mut now_at = record.row.revision;
    if summary.signed_at.is_none() {
        same_revision(&record.row, revision)?;
        sign(desk, visit, &record, summary).await?;
        now_at = now_at.saturating_add(1);
    }
    collect::submit(desk, &visit.person, id, now_at, form_token).await
}

async fn sign(desk: &Desk, visit: &Visit, record: &Record, summary: Model) -> Result<(), CaseError> {
    let now = desk.now().as_microsecond();
    let who = visit.person.who();
    let id = EvidenceId::generate(desk.clock.as_ref()).uuid();
    let place = Place::new("evidence", "sealed", &id);
    let sealed = json!({ "paper": summary.id, "digest": summary.digest, "shown": visit.known_by(), "signed": now, "agent": visit.agent });
    let evidence = evidence::Model {
        id,
        application_id: record.row.id,
        transaction_id: None,
        resource: EVIDENCE.to_owned(),
        status: "received".to_owned(),
        digest: summary.digest.clone(),
        signer: None,
        issued_at: Some(summary.made_at),
        received_at: now,
        sealed: Some(record::seal(desk, desk.store.read(), record.row.key_id.into(), place, &sealed).await?),
    };
    let kind = match visit.agent {
        None => "summary_signed",
        Some(_) => "summary_signed_by_agent",
    };
    let change = Change::note(desk, &who, &record.row, kind);
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                change.write(tx).await?;
                if !paper::sign(tx, summary.id, now).await? {
                    return Err(CaseError::Conflict("paper"));
                }
                evidence::insert(tx, vec![evidence]).await?;
                Ok(())
            })
        })
        .await
}

/// The receipt of what was handed in, as a PDF.
///
/// # Errors
/// [`CaseError::NotFound`] before the submission; [`CaseError::Letter`]; the store's.
#[boxed]
pub async fn receipt(desk: &Desk, visit: &Visit, id: ApplicationId) -> Result<Vec<u8>, CaseError> {
    let record = record::own(desk, &visit.person, id, Action::Fill)
        .await
        .map_err(unseen)?;
    let (Some(number), Some(submitted), Some(deadline)) =
        (&record.row.number, record.row.submitted_at, &record.row.deadline)
    else {
        return Err(CaseError::NotFound("receipt"));
    };
    let deadline = deadline.parse().unwrap_or_else(|_| legal_day(time(submitted)));
    let data = json!({
        "service": record.service.meta.name.get(language(&record.row)),
        "agency": record.service.meta.agency.get(Language::ZhTw),
        "person": visit.person.name,
        "number": number,
        "submitted": minute(time(submitted)),
        "deadline": roc::long(deadline),
        "portal": desk.city.portal,
        "phone": desk.city.phone,
    });
    Ok(press(Sheet::Receipt, data).await?.pdf)
}
