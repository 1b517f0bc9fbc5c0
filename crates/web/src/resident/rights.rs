//! My rights (我的權利): a person asks about a use of their data, has it corrected, its use stopped or it deleted, takes a copy,
//! and sees by when each request is answered.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use cases::rights::{self, Asked, Kind, State as Step, View};
use cases::{CaseError, mine};
use serde::Deserialize;

use super::{Resident, agents};
use crate::address::{id, onward};
use crate::components::{Banner, Choice, Colour, Control, ErrorSummary, Field, Tag};
use crate::texts::Words;
use crate::{App, Frame, Posted, Problem, page_with};

const HERE: &str = "/my-data/requests";

/// The rights in the order of the law.
const KINDS: [Kind; 4] = [Kind::Ask, Kind::Correct, Kind::Stop, Kind::Delete];

/// The word of a right in addresses, forms and texts.
pub(crate) const fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Ask => "ask",
        Kind::Correct => "correct",
        Kind::Stop => "stop",
        Kind::Delete => "delete",
    }
}

/// Where a request stands.
pub(crate) fn state(words: Words, state: Step) -> Tag {
    let colour = match state {
        Step::Open => Colour::Yellow,
        Step::Granted => Colour::Green,
        Step::Partly => Colour::Blue,
        Step::Refused => Colour::Red,
        Step::Withdrawn => Colour::Grey,
    };
    Tag::new(words.t(&format!("rights-state-{}", state_word(state))), colour)
}

/// The end of the keys of the texts that say where a request stands.
pub(crate) const fn state_word(state: Step) -> &'static str {
    match state {
        Step::Open => "open",
        Step::Granted => "granted",
        Step::Partly => "partly",
        Step::Refused => "refused",
        Step::Withdrawn => "withdrawn",
    }
}

struct One {
    id: String,
    revision: i64,
    title: String,
    state: Tag,
    note: String,
    case: Option<String>,
    text: String,
    longer: Option<String>,
    answer: Option<String>,
    is_open: bool,
}

#[derive(Template)]
#[template(path = "resident/rights.html")]
struct RightsPage {
    frame: Frame,
    errors: Option<ErrorSummary>,
    done: Option<Banner>,
    all: Vec<One>,
    /// The use that is asked about.
    about: Option<String>,
    entry: Option<u64>,
    fields: Vec<Field>,
}

/// Which use is asked about.
#[derive(Deserialize)]
pub(super) struct About {
    entry: Option<u64>,
    #[serde(default)]
    done: String,
}

/// What was typed.
#[derive(Default)]
struct Typed {
    kind: String,
    case: String,
    text: String,
}

fn one(words: Words, view: View) -> One {
    let day = |day: Option<jiff::civil::Date>| day.map_or_else(String::new, |day| words.date(day));
    let values = [("made", day(view.made)), ("due", day(view.due))];
    let note = match (view.state, view.extended) {
        (Step::Open, false) => "rights-note-open",
        (Step::Open, true) => "rights-note-extended",
        _ => "rights-note-over",
    };
    let case = view.service.as_ref().map(|service| {
        let number = view.number.clone().unwrap_or_default();
        format!("{} {number}", words.of(service)).trim_end().to_owned()
    });
    One {
        id: view.id.to_string(),
        revision: view.revision,
        title: words.t(&format!("rights-kind-{}", word(view.kind))),
        state: state(words, view.state),
        note: words.with(note, &values),
        case,
        text: view.text,
        longer: view.longer,
        answer: view.answer,
        is_open: view.state == Step::Open,
    }
}

async fn render(
    app: &App,
    resident: Resident,
    entry: Option<u64>,
    done: bool,
    typed: Typed,
    error: Option<(&str, String)>,
) -> Result<Response, Problem> {
    let Resident { frame, person } = resident;
    let words = frame.words;
    let about = match entry {
        Some(seq) => {
            let found = rights::entry_of(&app.desk, &person, seq).await?;
            let what = agents::what(words, &found.entry.action);
            Some(words.with("rights-about", &[("time", words.time(found.entry.at)), ("what", what)]))
        }
        None => None,
    };
    let wrong = |name: &str| {
        let found = error.as_ref().filter(|(field, _)| *field == name);
        found.map(|(_, text)| text.clone())
    };
    let kinds = KINDS.into_iter().map(|kind| Choice {
        value: word(kind).to_owned(),
        label: words.t(&format!("rights-kind-{}", word(kind))),
        hint: Some(words.t(&format!("rights-hint-{}", word(kind)))),
        chosen: typed.kind == word(kind) || (typed.kind.is_empty() && kind == Kind::Ask),
    });
    let mut fields = vec![Field {
        error: wrong("kind"),
        ..Field::new(words, "kind", words.t("rights-kind"), Control::Radios(kinds.collect()))
    }];
    if about.is_none() {
        let mut cases = vec![Choice {
            value: String::new(),
            label: words.t("rights-case-none"),
            hint: None,
            chosen: typed.case.is_empty(),
        }];
        for case in mine::cases(&app.desk, &person).await? {
            let number = case.number.unwrap_or_else(|| words.date(civic::legal_day(case.opened)));
            cases.push(Choice {
                value: case.id.to_string(),
                label: format!("{} {number}", words.of(&case.service)),
                hint: None,
                chosen: typed.case == case.id.to_string(),
            });
        }
        fields.push(Field {
            hint: Some(words.t("rights-case-hint")),
            error: wrong("application"),
            ..Field::new(words, "application", words.t("rights-case"), Control::Select(cases))
        });
    }
    fields.push(Field {
        hint: Some(words.t("rights-text-hint")),
        error: wrong("text"),
        ..Field::new(
            words,
            "text",
            words.t("rights-text"),
            Control::TextArea {
                value: typed.text,
                rows: 6,
            },
        )
    });
    let status = error
        .as_ref()
        .map_or(StatusCode::OK, |_| StatusCode::UNPROCESSABLE_ENTITY);
    let all = rights::mine(&app.desk, &person).await?;
    let page = RightsPage {
        errors: error.map(|(field, text)| ErrorSummary {
            words,
            errors: vec![(field.to_owned(), text)],
        }),
        done: done.then(|| Banner {
            words,
            success: true,
            text: words.t("rights-done"),
            detail: None,
        }),
        all: all.into_iter().map(|view| one(words, view)).collect(),
        about,
        entry,
        fields,
        frame,
    };
    page_with(status, &page)
}

/// `GET /my-data/requests`
pub(super) async fn show(
    State(app): State<App>,
    Query(about): Query<About>,
    resident: Resident,
) -> Result<Response, Problem> {
    let done = about.done == "yes";
    render(&app, resident, about.entry, done, Typed::default(), None).await
}

/// `POST /my-data/requests`
pub(super) async fn make(State(app): State<App>, resident: Resident, posted: Posted) -> Result<Response, Problem> {
    let typed = Typed {
        kind: posted.text("kind").to_owned(),
        case: posted.text("application").to_owned(),
        text: posted.text("text").replace("\r\n", "\n"),
    };
    let words = resident.frame.words;
    let entry = match posted.text("entry") {
        "" => None,
        _ => Some(posted.value("entry")?),
    };
    let application = match typed.case.as_str() {
        "" => None,
        case => Some(crate::address::application(case)?),
    };
    let Some(kind) = KINDS.into_iter().find(|kind| word(*kind) == typed.kind) else {
        let error = ("kind", words.t("rights-error-kind"));
        return render(&app, resident, entry, false, typed, Some(error)).await;
    };
    let asked = Asked {
        kind,
        entry,
        application,
        text: typed.text.clone(),
    };
    match rights::make(&app.desk, &resident.person, asked).await {
        Ok(_) => Ok(onward(&format!("{HERE}?done=yes"))),
        Err(CaseError::Input { field, problem }) => {
            let key = match (field, problem) {
                (_, "too_long") => "rights-error-long",
                (_, "too_many") => "rights-error-many",
                ("application", _) => "rights-error-case",
                _ => "rights-error-text",
            };
            let field = if entry.is_some() && field == "application" {
                "kind"
            } else {
                field
            };
            let error = (field, words.t(key));
            render(&app, resident, entry, false, typed, Some(error)).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /my-data/requests/{id}/withdraw`
pub(super) async fn withdraw(
    State(app): State<App>,
    Path(request): Path<String>,
    resident: Resident,
    posted: Posted,
) -> Result<Response, Problem> {
    let revision = posted.value("revision")?;
    match rights::withdraw(&app.desk, &resident.person, id(&request)?, revision).await {
        Ok(()) => Ok(onward(HERE)),
        Err(error) => Err(Problem::on(error, HERE)),
    }
}

/// `GET /my-data/copy`: all of it as one file.
pub(super) async fn copy(State(app): State<App>, resident: Resident) -> Result<Response, Problem> {
    let copy = rights::copy(&app.desk, &resident.person).await?;
    let bytes = serde_json::to_vec_pretty(&copy).map_err(|error| {
        tracing::error!(%error, "copy");
        Problem::Broken
    })?;
    let head = [
        (CONTENT_TYPE, "application/json; charset=utf-8"),
        (CONTENT_DISPOSITION, "attachment; filename=\"my-data.json\""),
        (CACHE_CONTROL, "no-store"),
    ];
    Ok((head, bytes).into_response())
}
