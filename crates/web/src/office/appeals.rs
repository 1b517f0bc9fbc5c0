//! Administrative appeals (訴願) at the office: what is open, one case's appeals with the list of its file, and giving a
//! case to a colleague (改分).

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use cases::appeal::{self, Document, State as Step, View};
use cases::{CaseError, Staff, review};
use civic::ids::StaffId;
use jiff::civil::Date;
use serde::Deserialize;

use super::act::conflict;
use super::queue::short;
use super::{Duty, done};
use crate::address::{application, id, onward};
use crate::components::{Banner, Cell, Colour, ErrorSummary, Head, Table, Tag};
use crate::resident::card::given;
use crate::texts::Words;
use crate::{App, Frame, Posted, Problem, page, page_with};

#[derive(Template)]
#[template(path = "office/appeals.html")]
struct ListPage {
    frame: Frame,
    staff: Staff,
    rows: Table,
}

struct One {
    id: String,
    revision: i64,
    state: Tag,
    facts: Vec<(String, String)>,
    text: String,
    answer: Option<String>,
    open: bool,
}

/// What was typed, to be shown again.
#[derive(Default)]
struct Typed {
    text: String,
    delivered: String,
    received: String,
    reason: String,
    answer: String,
}

#[derive(Template)]
#[template(path = "office/appeal.html")]
struct AppealPage {
    frame: Frame,
    staff: Staff,
    done: Option<Banner>,
    errors: Option<ErrorSummary>,
    here: String,
    case: String,
    number: String,
    service: String,
    law: String,
    all: Vec<One>,
    until: Option<String>,
    may_record: bool,
    documents: Table,
    typed: Typed,
}

pub(crate) fn state(words: Words, state: Step) -> Tag {
    let (key, colour) = match state {
        Step::Lodged => ("appeal-state-lodged", Colour::Yellow),
        Step::SetAside => ("appeal-state-set-aside", Colour::Blue),
        Step::Decided => ("appeal-state-decided", Colour::Green),
        Step::Forwarded => ("appeal-state-forwarded", Colour::Blue),
        Step::Withdrawn => ("appeal-state-withdrawn", Colour::Grey),
    };
    Tag::new(words.t(key), colour)
}

fn day(words: Words, day: Option<Date>) -> String {
    day.map_or_else(|| words.t("none"), |day| words.date(day))
}

/// `GET /office/appeals`
pub(super) async fn list(State(app): State<App>, duty: Duty) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    let words = frame.words;
    let found = appeal::list(&app.desk, &staff).await?;
    let rows = found.into_iter().map(|line| {
        let left = match line.days_left {
            None => words.t("none"),
            Some(days) if days < 0 => words.t1("office-days-late", "n", days.unsigned_abs()),
            Some(0) => words.t("office-days-today"),
            Some(days) => words.t1("office-days-left", "n", days),
        };
        let short = |at: Option<Date>| at.map_or_else(|| words.t("none"), |day| short(words, day));
        let late = if line.late {
            words.t("office-appeal-late")
        } else {
            words.t("none")
        };
        vec![
            Cell::link(line.number, format!("/office/cases/{}/appeal", line.application.uuid())),
            Cell::text(left),
            Cell::text(short(line.due)),
            Cell::tag(state(words, line.state)),
            Cell::text(words.of(&line.service)),
            Cell::text(short(line.lodged)),
            Cell::text(late),
        ]
    });
    let heads = [
        "office-queue-number",
        "office-queue-left",
        "office-appeal-due",
        "office-queue-state",
        "office-service",
        "office-appeal-lodged",
        "office-appeal-period",
    ];
    page(&ListPage {
        rows: Table {
            caption: words.t("office-nav-appeals"),
            head: heads.iter().map(|key| Head::text(words.t(key))).collect(),
            rows: rows.collect(),
        },
        frame,
        staff,
    })
}

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    done: String,
}

fn one(words: Words, view: View) -> One {
    let way = words.t(if view.paper {
        "office-appeal-paper"
    } else {
        "office-appeal-online"
    });
    let late = view.late.then(|| words.t("office-appeal-late"));
    let mut facts = vec![
        (words.t("office-appeal-way"), way),
        (words.t("office-appeal-delivered"), day(words, view.delivered)),
        (words.t("office-appeal-lodged"), day(words, view.lodged)),
        (words.t("office-appeal-due"), day(words, view.due)),
    ];
    facts.extend(late.map(|late| (words.t("office-appeal-period"), late)));
    One {
        id: view.id.to_string(),
        revision: view.revision,
        state: state(words, view.state),
        facts,
        text: view.text,
        answer: view.answer,
        open: view.state == Step::Lodged,
    }
}

fn documents(words: Words, found: Vec<Document>) -> Table {
    let rows = found.into_iter().enumerate().map(|(at, document)| {
        let kind = document.kind.replace('_', "-");
        let letter = format!("office-letter-{kind}");
        let name = match document.name {
            Some(set) => format!("{}（{set}）", words.t("office-appeal-evidence")),
            None if words.has(&letter) => words.t(&letter),
            None => words.t(&format!("office-event-{kind}")),
        };
        vec![
            Cell::text((at + 1).to_string()),
            Cell::text(name),
            Cell::text(words.time(document.at)),
            Cell::text(document.digest.unwrap_or_else(|| words.t("none"))),
        ]
    });
    let heads = [
        "office-appeal-document-number",
        "office-appeal-document",
        "office-appeal-document-at",
        "office-evidence-digest",
    ];
    Table {
        caption: words.t("office-appeal-documents"),
        head: heads.iter().map(|key| Head::text(words.t(key))).collect(),
        rows: rows.collect(),
    }
}

async fn render(
    app: &App,
    duty: Duty,
    case: &str,
    status: StatusCode,
    done: Option<Banner>,
    error: Option<(&str, String)>,
    typed: Typed,
) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    let words = frame.words;
    let (appeals, found) = appeal::of_case(&app.desk, &staff, application(case)?).await?;
    let page = AppealPage {
        done,
        errors: error.map(|(field, text)| ErrorSummary {
            words,
            errors: vec![(field.to_owned(), text)],
        }),
        here: format!("/office/cases/{}/appeal", appeals.id.uuid()),
        case: format!("/office/cases/{}", appeals.id.uuid()),
        number: appeals.number,
        service: words.of(&appeals.service).to_owned(),
        law: appeals.rules.law,
        all: appeals.all.into_iter().map(|view| one(words, view)).collect(),
        until: appeals.until.map(|until| words.date(until)),
        may_record: appeals.may_lodge,
        documents: documents(words, found),
        typed,
        frame,
        staff,
    };
    page_with(status, &page)
}

/// `GET /office/cases/{id}/appeal`
pub(super) async fn show(
    State(app): State<App>,
    duty: Duty,
    Path(case): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let done = done(&duty.frame, &asked.done);
    render(&app, duty, &case, StatusCode::OK, done, None, Typed::default()).await
}

/// A day typed in ROC years or as `2026-11-20`; nothing where nothing was typed.
fn typed_day(text: &str) -> Result<Option<Date>, ()> {
    if text.is_empty() {
        return Ok(None);
    }
    civic::roc::parse(text).map(Some).ok_or(())
}

fn explain(words: Words, field: &str, problem: &str) -> String {
    match (field, problem) {
        (_, "too_long") => words.t("office-error-too-long"),
        ("delivered" | "received", _) => words.t("office-appeal-day-wrong"),
        _ => words.t("office-appeal-empty"),
    }
}

/// `POST /office/cases/{id}/appeal`: an appeal that came on paper.
pub(super) async fn record(
    State(app): State<App>,
    duty: Duty,
    Path(case): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let typed = Typed {
        text: posted.text("text").replace("\r\n", "\n"),
        delivered: posted.text("delivered").to_owned(),
        received: posted.text("received").to_owned(),
        ..Typed::default()
    };
    let words = duty.frame.words;
    let again = StatusCode::UNPROCESSABLE_ENTITY;
    let (Ok(delivered), Ok(Some(received))) = (typed_day(&typed.delivered), typed_day(&typed.received)) else {
        let field = if typed_day(&typed.delivered).is_err() {
            "delivered"
        } else {
            "received"
        };
        let error = (field, words.t("office-appeal-day-wrong"));
        return render(&app, duty, &case, again, None, Some(error), typed).await;
    };
    let id = application(&case)?;
    match appeal::record_paper(&app.desk, &duty.staff, id, delivered, received, &typed.text).await {
        Ok(()) => Ok(onward(&format!("/office/cases/{case}/appeal?done=appeal-recorded"))),
        Err(CaseError::Conflict(_)) => conflict(duty, format!("/office/cases/{case}/appeal")),
        Err(CaseError::Input { field, problem }) => {
            let error = (field, explain(words, field, problem));
            render(&app, duty, &case, again, None, Some(error), typed).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /office/cases/{id}/appeal/{appeal}/{act}`: sets the decision aside, or answers and forwards.
pub(super) async fn act(
    State(app): State<App>,
    duty: Duty,
    Path((case, appeal, act)): Path<(String, String, String)>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (appeal, revision) = (id(&appeal)?, posted.value("revision")?);
    let text = |name: &str| posted.text(name).replace("\r\n", "\n");
    let typed = Typed {
        reason: text("reason"),
        answer: text("answer"),
        ..Typed::default()
    };
    let (desk, staff) = (&app.desk, &duty.staff);
    let (to, result) = match act.as_str() {
        "set-aside" => (
            format!("/office/cases/{case}?done=appeal-set-aside"),
            appeal::set_aside(desk, staff, appeal, revision, &typed.reason).await,
        ),
        "forward" => (
            format!("/office/cases/{case}/appeal?done=appeal-forwarded"),
            appeal::forward(desk, staff, appeal, revision, &typed.answer).await,
        ),
        _ => return Err(Problem::NotFound),
    };
    match result {
        Ok(()) => Ok(onward(&to)),
        Err(CaseError::Conflict(_) | CaseError::Illegal(_)) => conflict(duty, format!("/office/cases/{case}/appeal")),
        Err(CaseError::Input { field, problem }) => {
            let error = (field, explain(duty.frame.words, field, problem));
            let again = StatusCode::UNPROCESSABLE_ENTITY;
            render(&app, duty, &case, again, None, Some(error), typed).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /office/cases/{id}/assign`: gives a case to a colleague.
pub(super) async fn assign(
    State(app): State<App>,
    duty: Duty,
    Path(case): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let to = StaffId::from_uuid(id(posted.text("colleague")).map_err(|_| Problem::Unusable)?);
    let revision = posted.value("revision")?;
    let here = format!("/office/cases/{case}");
    match review::assign(&app.desk, &duty.staff, application(&case)?, revision, to).await {
        Ok(()) => Ok(onward(&format!("{here}?done=assigned"))),
        Err(CaseError::Conflict(_) | CaseError::Illegal(_)) => conflict(duty, here),
        Err(error) => Err(error.into()),
    }
}

/// What stands on the page of a case beside its own parts: whose confirmation it waits for, its appeals, and to whom it
/// may be given.
pub(super) struct More {
    pub(super) confirmation: Option<String>,
    pub(super) waits: bool,
    pub(super) appeal: bool,
    pub(super) colleagues: Vec<(String, String)>,
    /// Cards in the resident's digital wallet: when each was given, and whether it stands.
    pub(super) cards: Vec<(String, Tag)>,
}

/// What there is beside the parts of a case that was opened.
pub(super) async fn more(app: &App, words: Words, staff: &Staff, file: &review::CaseFile) -> Result<More, Problem> {
    use cases::confirm::ConfirmationState;
    let standing = cases::confirm::standing(&app.desk, file.id).await?;
    let waits = standing
        .as_ref()
        .is_some_and(|one| one.state == ConfirmationState::Waiting);
    let confirmation = standing.map(|one| {
        let key = match one.state {
            ConfirmationState::Waiting if one.lapses => "office-confirm-waiting-lapses",
            ConfirmationState::Waiting => "office-confirm-waiting",
            ConfirmationState::Confirmed => "office-confirm-confirmed",
            ConfirmationState::Lapsed => "office-confirm-lapsed",
        };
        let body = words.of(&one.body).to_owned();
        let due = one.due.map_or_else(String::new, |day| words.date(day));
        words.with(key, &[("body", body), ("due", due)])
    });
    let now = app.desk.now();
    let cards = cases::wallet::card::of_case(&app.desk, staff, file.id).await?;
    let colleagues = review::assignable(&app.desk, staff, file.id).await?;
    Ok(More {
        confirmation,
        waits,
        appeal: file.service.meta.appeal.is_some()
            && matches!(file.state, cases::State::Completed | cases::State::Review),
        cards: cards.iter().map(|card| given(words, card, now)).collect(),
        colleagues: colleagues
            .into_iter()
            .map(|one| (one.id.uuid().to_string(), one.name))
            .collect(),
    })
}
