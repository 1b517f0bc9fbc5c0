//! Signing in with account, password and one-time code; what was wrong of the three is not told.

use std::net::SocketAddr;

use askama::Template;
use axum::Extension;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use cases::staff::{self, SignInError};
use serde::Deserialize;
use tower_sessions::Session;
use zeroize::Zeroizing;

use super::home;
use crate::address::onward;
use crate::components::{Control, ErrorSummary, Field, Typed};
use crate::visit::{Visit, Who, local};
use crate::{App, Frame, Posted, Problem, page, page_with};

#[derive(Template)]
#[template(path = "office/sign_in.html")]
struct SignInPage {
    frame: Frame,
    errors: Option<ErrorSummary>,
    back: String,
    account: Field,
    password: Field,
    code: Field,
}

impl SignInPage {
    fn new(frame: Frame, account: &str, back: &str, error: Option<String>) -> SignInPage {
        let words = frame.words;
        let typed = |value: &str, kind, mode, autocomplete, width| {
            Control::Input(Typed {
                value: value.to_owned(),
                kind,
                mode,
                autocomplete,
                width,
                ..Typed::default()
            })
        };
        let field = |name: &str, key: &str, control| Field::new(words, name, words.t(key), control);
        SignInPage {
            errors: error.map(|text| ErrorSummary {
                words,
                errors: vec![("account".to_owned(), text)],
            }),
            back: back.to_owned(),
            account: field(
                "account",
                "office-sign-in-account",
                typed(account, "text", "", "username", 20),
            ),
            password: field(
                "password",
                "office-sign-in-password",
                typed("", "password", "", "current-password", 20),
            ),
            code: Field {
                hint: Some(words.t("office-sign-in-code-hint")),
                ..field(
                    "code",
                    "office-sign-in-code",
                    typed("", "text", "numeric", "one-time-code", 10),
                )
            },
            frame,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Return {
    #[serde(rename = "return", default)]
    to: String,
}

/// Only pages of the office and the counter are come back to.
fn office(path: &str) -> &str {
    let path = local(path);
    let office = path == "/office" || path.starts_with("/office/") && !path.starts_with("/office/sign-");
    let inside = office || path == "/counter" || path.starts_with("/counter/");
    if inside && !path.contains("..") { path } else { "" }
}

/// `GET /office/sign-in`
pub(super) async fn show(frame: Frame, session: Session, Query(back): Query<Return>) -> Result<Response, Problem> {
    let frame = frame.with_token(&session).await?;
    page(&SignInPage::new(frame, "", office(&back.to), None))
}

/// `POST /office/sign-in`: a new session id and a new token for whoever comes in.
pub(super) async fn enter(
    State(app): State<App>,
    frame: Frame,
    session: Session,
    origin: Option<Extension<ConnectInfo<SocketAddr>>>,
    posted: Posted,
) -> Result<Response, Problem> {
    let back = office(posted.text("return")).to_owned();
    let account = posted.text("account").chars().take(80).collect::<String>();
    let password = Zeroizing::new(
        posted
            .raw
            .get("password")
            .and_then(|values| values.first())
            .cloned()
            .unwrap_or_default(),
    );
    let origin = origin.map_or_else(String::new, |Extension(ConnectInfo(address))| address.ip().to_string());
    // a password of any length is hashed; an absurd one is not worth the time
    let signed = if password.len() > 1024 {
        Err(SignInError::Wrong)
    } else {
        staff::sign_in(&app.desk, &account, password, posted.text("code"), &origin).await
    };
    let (status, text) = match signed {
        Ok(staff) => {
            Visit::sign_in(&session, Who::Staff(staff.id)).await?;
            return Ok(onward(if back.is_empty() { home(&staff) } else { &back }));
        }
        Err(SignInError::Wrong) => (StatusCode::UNPROCESSABLE_ENTITY, frame.t("office-sign-in-wrong")),
        Err(SignInError::Locked(until)) => (
            StatusCode::TOO_MANY_REQUESTS,
            frame
                .words
                .t1("office-sign-in-locked", "until", frame.words.time(until)),
        ),
        Err(SignInError::Case(error)) => return Err(error.into()),
    };
    page_with(status, &SignInPage::new(frame, &account, &back, Some(text)))
}

/// `POST /office/sign-out`
pub(super) async fn leave(session: Session, _: Posted) -> Result<Response, Problem> {
    Visit::sign_out(&session).await?;
    Ok(onward("/office/sign-in"))
}
