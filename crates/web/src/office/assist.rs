//! The village officer's assisted session (里幹事協助): for a resident who stands before them, begun by the password they tell.

use std::net::SocketAddr;

use askama::Template;
use axum::Extension;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use cases::agents::{self as verbs, AssistError, Kind, NewAssistance, Party, Standing};
use cases::{CaseError, Staff};
use civic::ids::AuthorisationId;
use tower_sessions::Session;

use super::Duty;
use crate::acting;
use crate::address::{id, onward};
use crate::components::{Control, ErrorSummary, Field, Tag, Typed};
use crate::resident::agent_form::{self, Typing};
use crate::resident::standing;
use crate::{App, Frame, Posted, Problem, page_with};

/// A session of this officer.
struct Line {
    href: String,
    name: String,
    standing: Tag,
    when: String,
}

#[derive(Template)]
#[template(path = "office/assist.html")]
struct AssistPage {
    frame: Frame,
    staff: Staff,
    errors: Option<ErrorSummary>,
    national_id: Field,
    services: Field,
    powers: Field,
    lines: Vec<Line>,
}

/// The caller's address, for the record of refused attempts.
type Origin = Option<Extension<ConnectInfo<SocketAddr>>>;

fn origin(origin: Origin) -> String {
    origin.map_or_else(String::new, |Extension(ConnectInfo(address))| address.ip().to_string())
}

/// Sessions shown.
const SHOWN: usize = 20;

async fn assist_page(
    app: &App,
    duty: Duty,
    typing: &Typing,
    wrong: Option<(&'static str, &'static str)>,
) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    let words = frame.words;
    verbs::may_assist(&app.desk, &staff)?;
    let found = verbs::entrusted(&app.desk, &Party::Staff(&staff)).await?;
    let lines = found
        .iter()
        .filter(|view| view.kind == Kind::Assisted)
        .take(SHOWN)
        .map(|view| Line {
            href: if view.standing == Standing::Offered {
                format!("/office/assist/{}", view.id)
            } else {
                format!("/agent/{}", view.id)
            },
            name: view.principal.clone(),
            standing: standing(words, view),
            when: words.time(view.offered),
        });
    let marked = |field: Field| Field {
        error: agent_form::problem(words, wrong, &field.name),
        ..field
    };
    let errors = wrong.and_then(|(field, _)| {
        Some(ErrorSummary {
            words,
            errors: vec![(field.to_owned(), agent_form::problem(words, wrong, field)?)],
        })
    });
    let status = if errors.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    page_with(
        status,
        &AssistPage {
            errors,
            national_id: marked(agent_form::line(
                words,
                typing,
                "national_id",
                ("assist-national-id", None),
                "text",
            )),
            services: marked(agent_form::services(app, words, typing)),
            powers: marked(agent_form::powers(words, typing)),
            lines: lines.collect(),
            staff,
            frame,
        },
    )
}

/// `GET /office/assist`
pub(super) async fn show(State(app): State<App>, duty: Duty) -> Result<Response, Problem> {
    assist_page(&app, duty, &Typing::fresh(), None).await
}

/// `POST /office/assist`: the resident is sent a password.
pub(super) async fn ask(State(app): State<App>, duty: Duty, from: Origin, posted: Posted) -> Result<Response, Problem> {
    let typing = Typing::of(posted);
    let new = NewAssistance {
        national_id: typing.text("national_id"),
        services: typing.list("services"),
        powers: typing.powers(),
    };
    match verbs::ask(&app.desk, &duty.staff, new, &origin(from)).await {
        Ok(id) => Ok(onward(&format!("/office/assist/{id}"))),
        Err(CaseError::Input { field, problem }) => assist_page(&app, duty, &typing, Some((field, problem))).await,
        Err(error) => Err(error.into()),
    }
}

#[derive(Template)]
#[template(path = "office/assist_password.html")]
struct PasswordPage {
    frame: Frame,
    staff: Staff,
    here: String,
    name: String,
    minutes: i64,
    errors: Option<ErrorSummary>,
    password: Field,
    /// Whether a password can still be typed.
    waits: bool,
}

async fn password_page(app: &App, duty: Duty, id: AuthorisationId, wrong: Option<String>) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    verbs::may_assist(&app.desk, &staff)?;
    let view = verbs::one(&app.desk, &Party::Staff(&staff), id).await?;
    let words = frame.words;
    let errors = wrong.as_ref().map(|text| ErrorSummary {
        words,
        errors: vec![("password".to_owned(), text.clone())],
    });
    let status = if errors.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let control = Control::Input(Typed {
        mode: "numeric",
        autocomplete: "off",
        width: 10,
        ..Typed::default()
    });
    page_with(
        status,
        &PasswordPage {
            here: format!("/office/assist/{id}"),
            minutes: app.desk.agents.password_minutes,
            errors,
            password: Field {
                error: wrong,
                hint: Some(words.t("assist-password-hint")),
                ..Field::new(words, "password", words.t("assist-password"), control)
            },
            waits: view.kind == Kind::Assisted && view.standing == Standing::Offered,
            name: view.principal,
            staff,
            frame,
        },
    )
}

/// `GET /office/assist/{id}`
pub(super) async fn password(
    State(app): State<App>,
    Path(address): Path<String>,
    duty: Duty,
) -> Result<Response, Problem> {
    password_page(&app, duty, AuthorisationId::from_uuid(id(&address)?), None).await
}

/// `POST /office/assist/{id}`: begins the session with the password.
pub(super) async fn begin(
    State(app): State<App>,
    Path(address): Path<String>,
    duty: Duty,
    session: Session,
    from: Origin,
    posted: Posted,
) -> Result<Response, Problem> {
    let id = AuthorisationId::from_uuid(id(&address)?);
    match verbs::begin(&app.desk, &duty.staff, id, posted.text("password"), &origin(from)).await {
        Ok(()) => {
            acting::begin(&app, &session, &Party::Staff(&duty.staff), id).await?;
            Ok(onward("/applications"))
        }
        Err(AssistError::Wrong { left }) => {
            let text = duty.frame.words.t1("assist-wrong", "left", left);
            password_page(&app, duty, id, Some(text)).await
        }
        Err(AssistError::Over) => {
            let text = duty.frame.t("assist-over");
            password_page(&app, duty, id, Some(text)).await
        }
        Err(AssistError::Case(error)) => Err(error.into()),
    }
}
