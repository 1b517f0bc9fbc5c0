//! What earlier applications hold for a new one: shown with source, day and validity, and taken over only with the
//! person's agreement.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use cases::State as CaseState;
use cases::collect;
use cases::held::{self, Offer};

use super::{Resident, apply};
use crate::address::{application, onward};
use crate::components::{Row, SummaryList};
use crate::texts::Words;
use crate::{App, Frame, Posted, Problem, page};

#[derive(Template)]
#[template(path = "resident/held.html")]
struct HeldPage {
    frame: Frame,
    id: String,
    service: String,
    purpose: String,
    /// Whom the values are about, and the values.
    parts: Vec<(String, SummaryList)>,
    revision: i64,
    /// Where to go on without them.
    onward: String,
}

/// Where a draft goes on once its notice is agreed to: to what is held already, if there is anything.
pub(super) async fn next(app: &App, resident: &Resident, draft: &collect::Draft) -> Result<String, Problem> {
    let language = resident.frame.language();
    let offers = held::offered(&app.desk, &resident.person, draft.id, language).await?;
    Ok(if offers.is_empty() {
        apply::next(draft)
    } else {
        apply::address(draft.id, "held")
    })
}

fn row(words: Words, offer: &Offer) -> Row {
    let key = if offer.is_official { "held-official" } else { "held-own" };
    let note = words.with(
        key,
        &[
            ("number", offer.number.clone()),
            ("given", words.date(offer.given)),
            ("until", words.date(offer.until)),
        ],
    );
    Row {
        note: Some(note),
        ..Row::new(offer.label.clone(), offer.shown.clone())
    }
}

/// `GET /applications/{id}/held`
pub(super) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
    resident: Resident,
) -> Result<Response, Problem> {
    let Resident { frame, person } = resident;
    let draft = collect::draft(&app.desk, &person, application(&id)?).await?;
    if draft.state != CaseState::Draft || !draft.agreed {
        return Ok(onward(&apply::next(&draft)));
    }
    let words = frame.words;
    let offers = held::offered(&app.desk, &person, draft.id, frame.language()).await?;
    if offers.is_empty() {
        return Ok(onward(&apply::next(&draft)));
    }
    let mut parts: Vec<(String, SummaryList)> = Vec::new();
    for offer in &offers {
        let about = offer.about.clone().unwrap_or_else(|| words.t("held-application"));
        let row = row(words, offer);
        match parts.iter_mut().find(|(name, _)| *name == about) {
            Some((_, list)) => list.rows.push(row),
            None => parts.push((about, SummaryList { rows: vec![row] })),
        }
    }
    page(&HeldPage {
        id,
        service: words.of(&draft.service.meta.name).to_owned(),
        purpose: notice(words, &draft),
        parts,
        revision: draft.revision,
        onward: apply::next(&draft),
        frame,
    })
}

/// What the person agrees to, in words.
fn notice(words: Words, draft: &collect::Draft) -> String {
    words.with(
        "held-notice",
        &[
            ("service", words.of(&draft.service.meta.name).to_owned()),
            ("agency", words.of(&draft.service.meta.agency).to_owned()),
            ("law", draft.service.meta.legal_basis.clone()),
        ],
    )
}

/// `POST /applications/{id}/held`
pub(super) async fn take(
    State(app): State<App>,
    Path(id): Path<String>,
    resident: Resident,
    posted: Posted,
) -> Result<Response, Problem> {
    let Resident { frame, person } = resident;
    let draft = collect::draft(&app.desk, &person, application(&id)?).await?;
    if draft.state != CaseState::Draft || !draft.agreed {
        return Ok(onward(&apply::next(&draft)));
    }
    let revision = posted.value("_revision")?;
    let notice = notice(frame.words, &draft);
    held::take(&app.desk, &person, draft.id, revision, &notice, frame.language()).await?;
    let draft = collect::draft(&app.desk, &person, draft.id).await?;
    Ok(onward(&apply::next(&draft)))
}
