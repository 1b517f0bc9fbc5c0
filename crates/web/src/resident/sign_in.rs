//! Signing in at the issuer (OpenID Connect, authorization code with PKCE), and coming back.

use askama::Template;
use axum::extract::{Query, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use cases::people::{self, NewPerson};
use civic::NationalId;
use exchange::oidc::Pending;
use serde::Deserialize;
use tower_sessions::Session;

use crate::address::onward;
use crate::visit::{self, Visit, Who, local};
use crate::{App, Frame, Posted, Problem, page, page_with};

/// What the session keeps while the person is away: the pending sign-in, and where to go afterwards.
const PENDING: &str = "sign-in";

#[derive(Template)]
#[template(path = "resident/sign_in.html")]
struct SignInPage {
    frame: Frame,
    back: String,
    /// Key of the sentence about what went wrong.
    problem: Option<&'static str>,
}

#[derive(Deserialize)]
pub(super) struct Return {
    #[serde(rename = "return", default)]
    to: String,
}

/// `GET /sign-in`
pub(super) async fn show(frame: Frame, session: Session, Query(back): Query<Return>) -> Result<Response, Problem> {
    let frame = frame.with_token(&session).await?;
    page(&SignInPage {
        frame,
        back: local(&back.to).to_owned(),
        problem: None,
    })
}

/// `POST /sign-in/go`: sends the browser to the issuer.
pub(super) async fn go(State(app): State<App>, session: Session, posted: Posted) -> Result<Response, Problem> {
    let provider = app.oidc.as_ref().ok_or(Problem::Outside)?;
    let (to, pending) = provider.begin(&[], app.desk.now()).map_err(|error| {
        tracing::warn!(%error, "sign-in");
        Problem::Outside
    })?;
    visit::put(&session, PENDING, &(pending, local(posted.text("return")).to_owned())).await?;
    Ok(onward(to.as_str()))
}

/// `GET /sign-in/return`: the issuer sent the browser back.
pub(super) async fn back(
    State(app): State<App>,
    frame: Frame,
    session: Session,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let provider = app.oidc.as_ref().ok_or(Problem::Outside)?;
    // taken out whatever follows: an answer is good for one try
    let kept: Option<(Pending, String)> = session.remove(PENDING).await.map_err(|_| Problem::Broken)?;
    let again = async |frame: Frame, problem, back: String| {
        let frame = frame.with_token(&session).await?;
        page_with(
            StatusCode::UNPROCESSABLE_ENTITY,
            &SignInPage {
                frame,
                back,
                problem: Some(problem),
            },
        )
    };
    let Some((pending, to)) = kept else {
        return again(frame, "sign-in-lost", "/".to_owned()).await;
    };
    let query = query.unwrap_or_default();
    let identity = match provider.finish(&query, pending, app.desk.now()).await {
        Ok(identity) => identity,
        Err(error) => {
            tracing::warn!(%error, "sign-in refused");
            return again(frame, "sign-in-refused", to).await;
        }
    };
    let id = identity
        .national_id
        .as_deref()
        .and_then(|text| NationalId::parse(text).ok());
    let Some(national_id) = id else {
        return again(frame, "sign-in-no-id", to).await;
    };
    let new = NewPerson {
        national_id,
        name: identity.name.unwrap_or_default(),
        email: None,
        phone: None,
    };
    let person = people::sign_in(&app.desk, new).await?;
    let found = super::find::carried(&session, &to).await?;
    Visit::sign_in(&session, Who::Resident(person.id)).await?;
    super::find::bring(&session, found).await?;
    Ok(onward(if to == "/" { "/applications" } else { &to }))
}

/// `POST /sign-out`
pub(super) async fn leave(session: Session, _: Posted) -> Result<Response, Problem> {
    Visit::sign_out(&session).await?;
    Ok(onward("/"))
}
