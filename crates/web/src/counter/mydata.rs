//! MyData by a code of the counter: the code, then the one-time password, then a short wait.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use cases::collect::{Draft, MyDataState};
use cases::counter;
use cases::{CaseError, Staff, State as CaseState};
use uuid::Uuid;

use super::{Serving, address, next};
use crate::address::{application, onward};
use crate::components::{Banner, Control, ErrorSummary, Field, Typed};
use crate::texts::Words;
use crate::{App, Frame, Posted, Problem, page_with};

#[derive(Template)]
#[template(path = "counter/mydata.html")]
struct MyDataPage {
    frame: Frame,
    staff: Staff,
    person: String,
    id: String,
    /// Data sets: those the service uses, or those behind the code.
    sets: Vec<String>,
    errors: Option<ErrorSummary>,
    news: Option<Banner>,
    stage: Stage,
    connected: bool,
}

impl MyDataPage {
    /// Whether the page looks again by itself.
    fn arriving(&self) -> bool {
        matches!(self.stage, Stage::Arriving)
    }
}

/// How far it is.
enum Stage {
    /// The code is wanted.
    Code(Field),
    /// The password is wanted; transaction and code go along.
    Password(Field, Uuid, String),
    /// On its way; the page looks again by itself.
    Arriving,
    /// Here.
    Here,
}

fn line(words: Words, name: &'static str, key: &str, value: &str, mode: &'static str, width: u8) -> Field {
    let control = Control::Input(Typed {
        value: value.to_owned(),
        autocomplete: "off",
        mode,
        width,
        ..Typed::default()
    });
    Field {
        hint: Some(words.t(&format!("{key}-hint"))),
        ..Field::new(words, name, words.t(key), control)
    }
}

fn code_field(words: Words, value: &str) -> Field {
    line(words, "code", "counter-code", value, "", 10)
}

fn password_field(words: Words) -> Field {
    line(words, "password", "counter-password", "", "numeric", 10)
}

/// Names of data sets.
fn names<'a>(app: &App, words: Words, sets: impl Iterator<Item = &'a String>) -> Vec<String> {
    let known = sets.filter_map(|id| app.desk.catalogue.mapping(id));
    known.map(|mapping| words.of(&mapping.title).to_owned()).collect()
}

fn render(
    app: &App,
    serving: Serving,
    draft: &Draft,
    mut stage: Stage,
    sets: Vec<String>,
    error: Option<String>,
) -> Result<Response, Problem> {
    let words = serving.frame.words;
    let news = match &draft.mydata {
        MyDataState::Arrived { sets, missing } => Some(Banner {
            words,
            success: true,
            text: words.t1("counter-mydata-here", "sets", sets),
            detail: (!missing.is_empty()).then(|| {
                words.t1(
                    "counter-mydata-missing",
                    "sets",
                    names(app, words, missing.iter()).join("、"),
                )
            }),
        }),
        MyDataState::Ended(_) => Some(Banner {
            words,
            success: false,
            text: words.t("counter-mydata-ended"),
            detail: None,
        }),
        _ => None,
    };
    let status = error
        .as_ref()
        .map_or(StatusCode::OK, |_| StatusCode::UNPROCESSABLE_ENTITY);
    let mut errors = None;
    if let (Some(text), Stage::Code(field) | Stage::Password(field, _, _)) = (error, &mut stage) {
        field.error = Some(text.clone());
        errors = Some(ErrorSummary {
            words,
            errors: vec![(field.name.clone(), text)],
        });
    }
    page_with(
        status,
        &MyDataPage {
            person: serving.visit.person.name,
            id: draft.id.to_string(),
            sets,
            errors,
            news,
            stage,
            connected: app.desk.mydata.is_some(),
            staff: serving.staff,
            frame: serving.frame,
        },
    )
}

/// Why a code was refused, in a sentence for the clerk.
fn sentence(words: Words, field: &str, problem: &str) -> String {
    match field {
        "password" => words.t(&format!("counter-password-error-{problem}")),
        _ => words.t(&format!("counter-code-error-{problem}")),
    }
}

/// `GET /counter/applications/{id}/mydata`
pub(super) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
    serving: Serving,
) -> Result<Response, Problem> {
    let draft = counter::draft(&app.desk, &serving.visit, application(&id)?).await?;
    if draft.state != CaseState::Draft || !draft.agreed {
        return Ok(onward(&next(&draft)));
    }
    let words = serving.frame.words;
    let stage = match draft.mydata {
        MyDataState::Arriving => Stage::Arriving,
        MyDataState::Arrived { .. } => Stage::Here,
        _ => Stage::Code(code_field(words, "")),
    };
    let sets = names(&app, words, draft.service.meta.mydata.iter());
    render(&app, serving, &draft, stage, sets, None)
}

/// `POST /counter/applications/{id}/mydata`: the code.
pub(super) async fn code(
    State(app): State<App>,
    Path(id): Path<String>,
    serving: Serving,
    posted: Posted,
) -> Result<Response, Problem> {
    let id = application(&id)?;
    let words = serving.frame.words;
    let typed: String = posted.text("code").chars().take(40).collect();
    let offer = counter::code(&app.desk, &serving.visit, id, &typed, serving.frame.language()).await;
    let draft = counter::draft(&app.desk, &serving.visit, id).await?;
    match offer {
        Ok(offer) => {
            let sets = names(&app, words, offer.sets.iter());
            let stage = Stage::Password(password_field(words), offer.transaction, typed);
            render(&app, serving, &draft, stage, sets, None)
        }
        Err(CaseError::Input { field, problem }) => {
            let text = sentence(words, field, problem);
            let sets = names(&app, words, draft.service.meta.mydata.iter());
            render(
                &app,
                serving,
                &draft,
                Stage::Code(code_field(words, &typed)),
                sets,
                Some(text),
            )
        }
        Err(CaseError::Incomplete(_)) => Ok(onward(&next(&draft))),
        Err(error) => Err(error.into()),
    }
}

/// `POST /counter/applications/{id}/password`: the one-time password.
pub(super) async fn password(
    State(app): State<App>,
    Path(id): Path<String>,
    serving: Serving,
    posted: Posted,
) -> Result<Response, Problem> {
    let id = application(&id)?;
    let words = serving.frame.words;
    let transaction: Uuid = posted.value("transaction")?;
    let code: String = posted.text("code").chars().take(40).collect();
    let taken = counter::password(
        &app.desk,
        &serving.visit,
        id,
        transaction,
        &code,
        posted.text("password"),
    )
    .await;
    let (field, problem) = match taken {
        Ok(_) => return Ok(onward(&address(id, "mydata"))),
        Err(CaseError::Input { field, problem }) => (field, problem),
        Err(error) => return Err(error.into()),
    };
    let draft = counter::draft(&app.desk, &serving.visit, id).await?;
    let sets = names(&app, words, draft.service.meta.mydata.iter());
    // a mistyped password is typed again; whatever is wrong with the code begins with the code
    let stage = match field {
        "password" => Stage::Password(password_field(words), transaction, code),
        _ => Stage::Code(code_field(words, &code)),
    };
    let text = sentence(words, field, problem);
    render(&app, serving, &draft, stage, sets, Some(text))
}
