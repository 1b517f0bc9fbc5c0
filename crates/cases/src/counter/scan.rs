//! A paper the person brought (掃描文件): kept sealed, counted, and read where the machine can; what was read proposes answers
//! that the clerk confirms one by one.

use crate::boxed;
use std::sync::Arc;

use civic::ids::{ApplicationId, EvidenceId, FileId};
use exchange::ocr::{Media, ScanError};
use jiff::Timestamp;
use serde_json::json;
use services::form::Proposal;
use sha2::{Digest as _, Sha256};
use store::seal::Place;
use store::tables::evidence;
use store::tables::paper::{self, Model};
use uuid::Uuid;

use super::Visit;
use super::fill::unseen;
use crate::change::Change;
use crate::collect;
use crate::guard::{self, Action};
use crate::history::time;
use crate::record::{self, Record};
use crate::{CaseError, Desk};

/// Most bytes of a scan.
pub const LARGEST: usize = 10 << 20;
/// Most pages of a scan.
const MOST_PAGES: usize = 20;
/// Most scans of a case.
const MOST: usize = 10;
/// Pages that are read.
const READ: usize = 2;
/// Name of a scan among the evidence.
const EVIDENCE: &str = "counter.scan";

/// A paper that was scanned.
pub struct Scan {
    /// Identifier.
    pub id: Uuid,
    /// When.
    pub at: Timestamp,
    /// How many pages.
    pub pages: i32,
    /// What the lines propose for fields that are open; nothing where it could not be read.
    pub proposals: Option<Vec<Proposal>>,
}

/// Takes a scan: looks what it is, seals it, counts it, and reads it where Tesseract is installed.
///
/// # Errors
/// [`CaseError::Input`] for what is none, too large, too long, damaged, or one too many; [`CaseError::Conflict`]; the store's.
#[boxed]
pub async fn scan(desk: &Desk, visit: &Visit, id: ApplicationId, bytes: Vec<u8>) -> Result<Uuid, CaseError> {
    let record = record::own(desk, &visit.person, id, Action::Fill)
        .await
        .map_err(unseen)?;
    collect::still_draft(&record.row)?;
    if !collect::agreed(desk, id).await? {
        return Err(CaseError::Incomplete(vec!["notice".to_owned()]));
    }
    let wrong = |problem| CaseError::Input { field: "scan", problem };
    if bytes.is_empty() {
        return Err(wrong("empty"));
    }
    if bytes.len() > LARGEST {
        return Err(wrong("large"));
    }
    let media = Media::of(&bytes).ok_or_else(|| wrong("media"))?;
    if media == Media::Pdf && !desk.scans.takes_pdf() {
        return Err(wrong("pdf"));
    }
    let known = paper::of_application(desk.store.read(), id.uuid()).await?;
    if known.iter().filter(|row| row.kind == "scan").count() >= MOST {
        return Err(wrong("many"));
    }
    let (pages, lines, bytes) = looked_at(desk, media, bytes).await?;
    let pages = pages.map_err(|error| match error {
        ScanError::TooLarge => wrong("large"),
        _ => wrong("damaged"),
    })?;
    if pages > MOST_PAGES {
        return Err(wrong("long"));
    }
    keep(desk, visit, &record, media, pages, lines, &bytes).await
}

/// Pages and lines of a scan, and the scan again.
type Looked = (Result<usize, ScanError>, Option<Vec<String>>, Vec<u8>);

async fn looked_at(desk: &Desk, media: Media, bytes: Vec<u8>) -> Result<Looked, CaseError> {
    let tools = desk.scans.clone();
    let work = move || {
        let pages = tools.pages(media, &bytes);
        let readable = pages.as_ref().is_ok_and(|pages| *pages <= MOST_PAGES) && tools.reads();
        let lines = readable.then(|| tools.lines(media, &bytes, READ));
        let lines = match lines {
            Some(Ok(lines)) => Some(lines),
            Some(Err(error)) => {
                tracing::warn!(%error, "scan");
                None
            }
            None => None,
        };
        (pages, lines, bytes)
    };
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| CaseError::Outside {
            party: "worker",
            problem: error.to_string(),
        })
}

async fn keep(
    desk: &Desk,
    visit: &Visit,
    record: &Record,
    media: Media,
    pages: usize,
    lines: Option<Vec<String>>,
    bytes: &[u8],
) -> Result<Uuid, CaseError> {
    let key = record.row.key_id.into();
    let file = desk.store.files().put(&desk.store, key, bytes).await?;
    let id = Uuid::new_v4();
    let read = match lines {
        Some(lines) => {
            let place = Place::new("paper", "read", &id);
            Some(record::seal(desk, desk.store.read(), key, place, &lines).await?)
        }
        None => None,
    };
    let who = visit.person.who();
    let now = desk.now().as_microsecond();
    let mut change = Change::note(desk, &who, &record.row, "paper_scanned");
    change.row.uploads = change.row.uploads.saturating_add(1);
    change.entries.push(guard::entry(
        desk,
        &who,
        Action::Fill,
        record.id(),
        &record.service,
        Some(visit.person.lookup),
        &["scan"],
    ));
    let digest = hex::encode(Sha256::digest(bytes));
    let row = Model {
        id,
        application_id: record.row.id,
        kind: "scan".to_owned(),
        file_id: file.uuid(),
        media: media.name().to_owned(),
        digest: digest.clone(),
        pages: i32::try_from(pages).unwrap_or(i32::MAX),
        shows: record.row.revision.saturating_add(1),
        made_by: visit.staff.uuid(),
        made_at: now,
        signed_at: None,
        read,
    };
    let evidence_id = EvidenceId::generate(desk.clock.as_ref()).uuid();
    let place = Place::new("evidence", "sealed", &evidence_id);
    let sealed = record::seal(
        desk,
        desk.store.read(),
        key,
        place,
        &json!({ "paper": id, "pages": pages }),
    )
    .await?;
    let evidence = evidence::Model {
        id: evidence_id,
        application_id: record.row.id,
        transaction_id: None,
        resource: EVIDENCE.to_owned(),
        status: "received".to_owned(),
        digest,
        signer: None,
        issued_at: None,
        received_at: now,
        sealed: Some(sealed),
    };
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                change.write(tx).await?;
                paper::insert(tx, row).await?;
                evidence::insert(tx, vec![evidence]).await?;
                Ok::<_, CaseError>(id)
            })
        })
        .await
}

/// The scans of a case, oldest first, with what each proposes now.
///
/// # Errors
/// [`CaseError::NotFound`]; the store's.
#[boxed]
pub async fn scans(desk: &Desk, visit: &Visit, id: ApplicationId) -> Result<Vec<Scan>, CaseError> {
    let record = record::own(desk, &visit.person, id, Action::Fill)
        .await
        .map_err(unseen)?;
    let form = Arc::clone(&record.service);
    let rows = paper::of_application(desk.store.read(), id.uuid()).await?;
    let mut scans = Vec::new();
    for row in rows.into_iter().filter(|row| row.kind == "scan") {
        let proposals = match &row.read {
            Some(sealed) => {
                let place = Place::new("paper", "read", &row.id);
                let lines: Vec<String> =
                    record::unseal(desk, &record.grant, record.row.key_id.into(), place, sealed).await?;
                Some(form.form.propose(&lines, &record.answers, desk.now()))
            }
            None => None,
        };
        scans.push(Scan {
            id: row.id,
            at: time(row.made_at),
            pages: row.pages,
            proposals,
        });
    }
    Ok(scans)
}

/// A scan as it was taken: media type and content.
///
/// # Errors
/// [`CaseError::NotFound`]; the store's.
#[boxed]
pub async fn content(
    desk: &Desk,
    visit: &Visit,
    id: ApplicationId,
    scan: Uuid,
) -> Result<(&'static str, Vec<u8>), CaseError> {
    let record = record::own(desk, &visit.person, id, Action::Fill)
        .await
        .map_err(unseen)?;
    let row = paper::by_id(desk.store.read(), scan)
        .await?
        .filter(|row| row.application_id == id.uuid() && row.kind == "scan")
        .ok_or(CaseError::NotFound("paper"))?;
    let bytes = desk
        .store
        .files()
        .get(&desk.store, &record.grant, FileId::from_uuid(row.file_id))
        .await?;
    let media = Media::of(&bytes).ok_or(CaseError::NotFound("paper"))?;
    Ok((media.name(), bytes.to_vec()))
}
