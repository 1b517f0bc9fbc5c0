//! Requests of people about their data (當事人權利案件): what waits by its last day, and one request with its answer.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use cases::rights::{self, Line, State as Step};
use cases::{CaseError, Staff};
use serde::Deserialize;

use super::audit;
use super::queue::short;
use super::{Duty, done, overtaken};
use crate::address::{id, onward};
use crate::components::{Banner, Cell, Choice, Control, ErrorSummary, Field, Head, Row, SummaryList, Table, Tag};
use crate::resident::rights as own;
use crate::texts::Words;
use crate::{App, Frame, Posted, Problem, page, page_with};

pub(super) const HERE: &str = "/office/privacy";

/// The pages.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route(HERE, get(list))
        .route("/office/privacy/{id}", get(show))
        .route("/office/privacy/{id}/{act}", post(act))
}

#[derive(Template)]
#[template(path = "office/privacy.html")]
struct ListPage {
    frame: Frame,
    staff: Staff,
    done: Option<Banner>,
    open: Table,
    over: Table,
}

#[derive(Template)]
#[template(path = "office/request.html")]
struct RequestPage {
    frame: Frame,
    staff: Staff,
    done: Option<Banner>,
    errors: Option<ErrorSummary>,
    here: String,
    title: String,
    state: Tag,
    revision: i64,
    facts: SummaryList,
    text: String,
    longer: Option<String>,
    answer: Option<String>,
    is_open: bool,
    /// What is said of a deletion.
    deletion: Option<String>,
    /// Fields of the answer.
    fields: Vec<Field>,
    /// Field of the extension, where there is one.
    extension: Option<Field>,
}

/// Where a request stands, as the office says it.
fn state(words: Words, state: Step) -> Tag {
    Tag {
        text: words.t(&format!("office-privacy-state-{}", own::state_word(state))),
        ..own::state(words, state)
    }
}

fn table(words: Words, caption: &str, lines: Vec<Line>) -> Table {
    let day = |day: Option<jiff::civil::Date>| day.map_or_else(|| words.t("none"), |day| short(words, day));
    let rows = lines.into_iter().map(|line| {
        let left = match line.days_left {
            None => words.t("none"),
            Some(days) if days < 0 => words.t1("office-privacy-late", "n", days.unsigned_abs()),
            Some(0) => words.t("office-days-today"),
            Some(days) => words.t1("office-privacy-left", "n", days),
        };
        let title = words.t(&format!("rights-kind-{}", own::word(line.kind)));
        vec![
            Cell::link(title, format!("{HERE}/{}", line.id)),
            Cell::tag(state(words, line.state)),
            Cell::text(left),
            Cell::text(day(line.due)),
            Cell::text(day(line.made)),
            Cell::text(line.number.unwrap_or_else(|| words.t("none"))),
        ]
    });
    let heads = [
        "office-privacy-right",
        "office-queue-state",
        "office-queue-left",
        "office-privacy-due",
        "office-privacy-made",
        "office-queue-number",
    ];
    Table {
        caption: words.t(caption),
        head: heads.iter().map(|key| Head::text(words.t(key))).collect(),
        rows: rows.collect(),
    }
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    done: String,
}

/// `GET /office/privacy`
async fn list(State(app): State<App>, duty: Duty, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    let words = frame.words;
    let open = rights::list(&app.desk, &staff, true).await?;
    let over = rights::list(&app.desk, &staff, false).await?;
    page(&ListPage {
        done: done(&frame, &asked.done),
        open: table(words, "office-privacy-open", open),
        over: table(words, "office-privacy-over", over),
        frame,
        staff,
    })
}

/// What was typed.
#[derive(Default)]
struct Typed {
    outcome: String,
    answer: String,
    longer: String,
}

const OUTCOMES: [(&str, Step); 3] = [
    ("granted", Step::Granted),
    ("partly", Step::Partly),
    ("refused", Step::Refused),
];

async fn render(
    app: &App,
    duty: Duty,
    request: &str,
    status: StatusCode,
    said: Option<Banner>,
    typed: Typed,
    error: Option<(&str, String)>,
) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    let words = frame.words;
    let file = rights::file(&app.desk, &staff, id(request)?).await?;
    let view = file.view;
    let wrong = |name: &str| {
        let found = error.as_ref().filter(|(field, _)| *field == name);
        found.map(|(_, text)| text.clone())
    };
    let day = |day: Option<jiff::civil::Date>| day.map_or_else(|| words.t("none"), |day| words.date(day));
    let mut facts = vec![
        Row::new(words.t("office-privacy-made"), day(view.made)),
        Row::new(words.t("office-privacy-due"), day(view.due)),
        Row::new(words.t("office-result-name"), file.person.name.clone()),
        Row::new(
            words.t("office-result-phone"),
            file.person.phone.clone().unwrap_or_else(|| words.t("none")),
        ),
        Row::new(
            words.t("office-result-email"),
            file.person.email.clone().unwrap_or_else(|| words.t("none")),
        ),
    ];
    if let Some(service) = &view.service {
        let number = view.number.clone().unwrap_or_default();
        let case = format!("{} {number}", words.of(service));
        facts.push(Row::new(words.t("office-privacy-case"), case.trim_end().to_owned()));
    }
    if let Some(about) = &file.entry {
        let by = audit::actor(words, about.entry.actor, file.by.as_deref());
        let what = audit::action(words, &about.entry.action);
        let fields = about.entry.fields.join("、");
        let text = format!(
            "{}\n{by} {what}\n{}\n{fields}",
            words.time(about.entry.at),
            about.entry.purpose.basis
        );
        facts.push(Row::new(
            words.t1("office-privacy-entry", "n", about.seq),
            text.trim_end().to_owned(),
        ));
    }
    let is_open = view.state == Step::Open;
    let outcomes = OUTCOMES.iter().map(|(word, _)| Choice {
        value: (*word).to_owned(),
        label: words.t(&format!("office-privacy-state-{word}")),
        hint: None,
        chosen: typed.outcome == *word,
    });
    let area = |name: &str, label: &str, value: String| Field {
        error: wrong(name),
        ..Field::new(words, name, words.t(label), Control::TextArea { value, rows: 6 })
    };
    let fields = vec![
        Field {
            error: wrong("outcome"),
            ..Field::new(
                words,
                "outcome",
                words.t("office-privacy-outcome"),
                Control::Radios(outcomes.collect()),
            )
        },
        Field {
            hint: Some(words.t("office-privacy-answer-hint")),
            ..area("answer", "rights-answer", typed.answer)
        },
    ];
    let deletion = (is_open && view.kind == rights::Kind::Delete).then(|| {
        words.t(if file.may_delete {
            "office-privacy-deletes"
        } else {
            "office-privacy-needed"
        })
    });
    let page = RequestPage {
        done: said,
        errors: error.as_ref().map(|(field, text)| ErrorSummary {
            words,
            errors: vec![((*field).to_owned(), text.clone())],
        }),
        here: format!("{HERE}/{}", view.id),
        title: words.t(&format!("rights-kind-{}", own::word(view.kind))),
        state: state(words, view.state),
        revision: view.revision,
        facts: SummaryList { rows: facts },
        text: view.text,
        longer: view.longer,
        answer: view.answer,
        is_open,
        deletion,
        extension: file
            .may_extend
            .then(|| area("longer", "office-privacy-longer", typed.longer)),
        fields,
        frame,
        staff,
    };
    page_with(status, &page)
}

/// `GET /office/privacy/{id}`
async fn show(
    State(app): State<App>,
    duty: Duty,
    Path(request): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let said = done(&duty.frame, &asked.done);
    render(&app, duty, &request, StatusCode::OK, said, Typed::default(), None).await
}

/// `POST /office/privacy/{id}/{act}`: answers a request, or gives it more time.
async fn act(
    State(app): State<App>,
    duty: Duty,
    Path((request, act)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, Problem> {
    let revision = posted.value("revision")?;
    let text = |name: &str| posted.text(name).replace("\r\n", "\n");
    let typed = Typed {
        outcome: text("outcome"),
        answer: text("answer"),
        longer: text("longer"),
    };
    let (desk, staff, words) = (&app.desk, &duty.staff, duty.frame.words);
    let (to, unusable) = (id(&request)?, StatusCode::UNPROCESSABLE_ENTITY);
    let (said, result) = match act.as_str() {
        "extend" => (
            "request-extended",
            rights::extend(desk, staff, to, revision, &typed.longer).await,
        ),
        "answer" => {
            let outcome = OUTCOMES.iter().find(|(word, _)| *word == typed.outcome);
            let Some((_, outcome)) = outcome else {
                let error = ("outcome", words.t("office-privacy-error-outcome"));
                return render(&app, duty, &request, unusable, None, typed, Some(error)).await;
            };
            (
                "request-answered",
                rights::answer(desk, staff, to, revision, *outcome, &typed.answer).await,
            )
        }
        _ => return Err(Problem::NotFound),
    };
    match result {
        Ok(()) => Ok(onward(&format!("{HERE}?done={said}"))),
        Err(CaseError::Conflict(_)) => {
            let said = Some(overtaken(words));
            render(&app, duty, &request, StatusCode::CONFLICT, said, typed, None).await
        }
        Err(CaseError::Input { field, problem }) => {
            let key = match problem {
                "too_long" => "office-error-too-long",
                "case_needed" => "office-privacy-needed",
                _ => "office-privacy-error-text",
            };
            let error = (field, words.t(key));
            render(&app, duty, &request, unusable, None, typed, Some(error)).await
        }
        Err(error) => Err(error.into()),
    }
}
