//! The pages of an outside body's staff, such as a school's (確認單位): what waits, one application, and many by a
//! spreadsheet. They see only what is to be confirmed, and whom it is about.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use cases::confirm::{self, Group, Opened, Preview};
use cases::{CaseError, Staff};
use serde::Deserialize;
use services::form::Invalid;

use super::act::conflict;
use super::queue::short;
use super::{Duty, document, done};
use crate::address::{application, id, onward};
use crate::components::{Banner, Cell, ErrorSummary, Field, Head, Table};
use crate::resident::form_field;
use crate::texts::Words;
use crate::{App, Frame, Posted, Problem, page, page_with};

const HERE: &str = "/office/confirm";
/// The type of the spreadsheets we write.
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// What waits for one service.
struct Part {
    service: String,
    name: String,
    title: String,
    rows: Vec<Waiting>,
    sheet: String,
}

struct Waiting {
    href: String,
    number: String,
    asked: String,
    due: String,
    left: String,
    class: &'static str,
}

#[derive(Template)]
#[template(path = "office/confirm.html")]
struct ListPage {
    frame: Frame,
    staff: Staff,
    done: Option<Banner>,
    errors: Option<ErrorSummary>,
    body: String,
    parts: Vec<Part>,
}

#[derive(Template)]
#[template(path = "office/confirm_one.html")]
struct OnePage {
    frame: Frame,
    staff: Staff,
    errors: Option<ErrorSummary>,
    here: String,
    number: String,
    service: String,
    facts: Vec<(String, String)>,
    revision: i64,
    fields: Vec<Field>,
}

#[derive(Template)]
#[template(path = "office/confirm_sheet.html")]
struct PreviewPage {
    frame: Frame,
    staff: Staff,
    service: String,
    apply: Option<String>,
    count: usize,
    again: Option<String>,
    rows: Table,
    same: Vec<String>,
    wrong: Option<Table>,
}

fn left(words: Words, days: Option<i32>) -> (String, &'static str) {
    match days {
        None => (words.t("none"), "left--still"),
        Some(days) if days < 0 => (words.t1("office-days-late", "n", days.unsigned_abs()), "left--late"),
        Some(0) => (words.t("office-days-today"), "left--late"),
        Some(days) => (
            words.t1("office-days-left", "n", days),
            if days <= 3 { "left--soon" } else { "left--fine" },
        ),
    }
}

fn part(words: Words, group: Group) -> Part {
    let rows = group.rows.into_iter().map(|row| {
        let (left, class) = left(words, row.days_left);
        Waiting {
            href: format!("{HERE}/{}", row.id.uuid()),
            number: row.number,
            asked: short(words, civic::legal_day(row.asked)),
            due: row.due.map_or_else(|| words.t("none"), |day| short(words, day)),
            left,
            class,
        }
    });
    Part {
        rows: rows.collect(),
        name: words.of(&group.name).to_owned(),
        title: words.of(&group.title).to_owned(),
        sheet: format!("{HERE}/services/{}/sheet", group.service),
        service: group.service,
    }
}

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    done: String,
    #[serde(default)]
    n: String,
}

async fn render(
    app: &App,
    duty: Duty,
    status: StatusCode,
    done: Option<Banner>,
    error: Option<(String, String)>,
) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    let words = frame.words;
    let groups = confirm::waiting(&app.desk, &staff).await?;
    let body = confirm::body_name(&app.desk, &staff);
    let page = ListPage {
        done,
        errors: error.map(|error| ErrorSummary {
            words,
            errors: vec![error],
        }),
        body: body.map_or_else(|| staff.agency.clone(), |name| words.of(&name).to_owned()),
        parts: groups.into_iter().map(|group| part(words, group)).collect(),
        frame,
        staff,
    };
    page_with(status, &page)
}

/// `GET /office/confirm`
pub(super) async fn list(State(app): State<App>, duty: Duty, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let words = duty.frame.words;
    let many = asked.n.parse::<u32>().ok().map(|n| Banner {
        words,
        success: n > 0,
        text: words.t1("office-confirm-applied", "n", n),
        detail: None,
    });
    let done = many.or_else(|| done(&duty.frame, &asked.done));
    render(&app, duty, StatusCode::OK, done, None).await
}

fn one_page(duty: Duty, opened: &Opened, invalid: Option<&Invalid>) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    let words = frame.words;
    let form = &opened.service.form;
    let views = form.view_some(&opened.keys, &opened.answers, invalid, words.language);
    let fields = views.iter().map(|view| form_field(words, view)).collect();
    let errors = invalid.map(|invalid| ErrorSummary {
        words,
        errors: invalid
            .errors
            .iter()
            .map(|error| (error.key.clone(), error.message.clone()))
            .collect(),
    });
    let status = if invalid.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let due = opened.due.map_or_else(|| words.t("none"), |day| words.date(day));
    let facts = vec![
        (words.t("office-confirm-student"), opened.about.name.clone()),
        (words.t("office-confirm-identity"), opened.about.identity.clone()),
        (words.t("office-confirm-due"), due),
    ];
    page_with(
        status,
        &OnePage {
            errors,
            here: format!("{HERE}/{}", opened.id.uuid()),
            number: opened.number.clone(),
            service: words.of(&opened.service.meta.name).to_owned(),
            facts: facts.into_iter().filter(|(_, value)| !value.is_empty()).collect(),
            revision: opened.revision,
            fields,
            frame,
            staff,
        },
    )
}

/// `GET /office/confirm/{id}`
pub(super) async fn show(State(app): State<App>, duty: Duty, Path(id): Path<String>) -> Result<Response, Problem> {
    let opened = confirm::one(&app.desk, &duty.staff, application(&id)?).await?;
    one_page(duty, &opened, None)
}

/// `POST /office/confirm/{id}`
pub(super) async fn answer(
    State(app): State<App>,
    duty: Duty,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let id = application(&id)?;
    let revision = posted.value("revision")?;
    let language = duty.frame.words.language;
    match confirm::answer(&app.desk, &duty.staff, id, revision, &posted.raw, language).await {
        Ok(()) => Ok(onward(&format!("{HERE}?done=confirmed"))),
        Err(CaseError::Conflict(_)) => conflict(duty, format!("{HERE}/{}", id.uuid())),
        Err(CaseError::Invalid(invalid)) => {
            let opened = confirm::one(&app.desk, &duty.staff, id).await?;
            one_page(duty, &opened, Some(&invalid))
        }
        Err(error) => Err(error.into()),
    }
}

/// `GET /office/confirm/services/{service}/sheet`: what waits, as a spreadsheet to fill in.
pub(super) async fn sheet(
    State(app): State<App>,
    duty: Duty,
    Path(service): Path<String>,
) -> Result<Response, Problem> {
    let bytes = confirm::sheet(&app.desk, &duty.staff, &service, duty.frame.words.language).await?;
    Ok(document(XLSX, "attachment", "confirm.xlsx", bytes))
}

/// `POST /office/confirm/services/{service}/sheet`: looks at a filled-in spreadsheet and shows what it would do.
pub(super) async fn look(
    State(app): State<App>,
    duty: Duty,
    Path(service): Path<String>,
    mut posted: Posted,
) -> Result<Response, Problem> {
    let words = duty.frame.words;
    let input = format!("file-{service}");
    let Some(file) = posted.files.remove("file") else {
        let error = (input, words.t("office-confirm-file-missing"));
        return render(&app, duty, StatusCode::UNPROCESSABLE_ENTITY, None, Some(error)).await;
    };
    let checked = confirm::check(&app.desk, &duty.staff, &service, file.bytes.to_vec(), words.language).await?;
    match checked {
        Ok(preview) => preview_page(&app, duty, &service, &preview),
        Err(refusal) => {
            let error = (input, refusal.message(words.language));
            render(&app, duty, StatusCode::UNPROCESSABLE_ENTITY, None, Some(error)).await
        }
    }
}

fn preview_page(app: &App, duty: Duty, service: &str, preview: &Preview) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    let words = frame.words;
    let heads = |keys: &[&str]| keys.iter().map(|key| Head::text(words.t(key))).collect();
    let changed = preview.rows.iter().flat_map(|row| {
        row.differences.iter().map(|one| {
            let before = if one.before.is_empty() {
                words.t("none")
            } else {
                one.before.clone()
            };
            let cells = [
                row.number.clone(),
                row.row.to_string(),
                one.label.clone(),
                before,
                one.after.clone(),
            ];
            cells.into_iter().map(Cell::text).collect()
        })
    });
    let same = preview.rows.iter().filter(|row| row.differences.is_empty());
    let wrong = preview.errors.iter().map(|error| {
        let cells = [error.row.to_string(), error.column.clone(), error.message.clone()];
        cells.into_iter().map(Cell::text).collect()
    });
    let name = app.desk.service(service)?.meta.name.clone();
    page(&PreviewPage {
        service: words.of(&name).to_owned(),
        apply: preview.upload.map(|id| format!("{HERE}/uploads/{id}/apply")),
        count: preview.rows.len(),
        again: (preview.again > 0).then(|| words.t1("office-confirm-again", "n", preview.again)),
        rows: Table {
            caption: words.t("office-confirm-changes"),
            head: heads(&[
                "office-queue-number",
                "office-confirm-row",
                "office-confirm-question",
                "office-confirm-before",
                "office-confirm-after",
            ]),
            rows: changed.collect(),
        },
        same: same.map(|row| row.number.clone()).collect(),
        wrong: (!preview.errors.is_empty()).then(|| Table {
            caption: words.t1("office-confirm-wrong", "n", rows_of(preview)),
            head: heads(&["office-confirm-row", "office-confirm-column", "office-confirm-problem"]),
            rows: wrong.collect(),
        }),
        frame,
        staff,
    })
}

/// How many rows have a mistake.
fn rows_of(preview: &Preview) -> usize {
    let rows: BTreeMap<u32, ()> = preview.errors.iter().map(|error| (error.row, ())).collect();
    rows.len()
}

/// `POST /office/confirm/uploads/{upload}/apply`: all rows that were looked at, or none.
pub(super) async fn apply(
    State(app): State<App>,
    duty: Duty,
    Path(upload): Path<String>,
    _: Posted,
) -> Result<Response, Problem> {
    match confirm::apply(&app.desk, &duty.staff, id(&upload)?).await {
        Ok(count) => Ok(onward(&format!("{HERE}?n={count}"))),
        Err(CaseError::Conflict(_)) => conflict(duty, HERE.to_owned()),
        Err(error) => Err(error.into()),
    }
}
