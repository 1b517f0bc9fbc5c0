//! Signing out: the person's own, here and at the issuer, and the issuer's (OpenID Connect Back-Channel Logout 1.0).

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use cases::identity::{Refusal, issuer};
use tower_sessions::Session;

use crate::address::onward;
use crate::visit::Visit;
use crate::{App, Posted, Problem};

/// `POST /sign-out`: ends the session, and goes on to the issuer where the person signed in at one.
pub(super) async fn leave(State(app): State<App>, session: Session, _: Posted) -> Result<Response, Problem> {
    let at = Visit::id_token(&session).await?;
    Visit::sign_out(&session).await?;
    let to = match at {
        Some((id, token)) => issuer::logout_url(&app.desk, &id, &token).await,
        None => None,
    };
    Ok(onward(to.as_ref().map_or("/", |to| to.as_str())))
}

/// `POST /sign-in/logout/{issuer}`: the issuer says whose sessions have ended. It has no session here, and needs none: its
/// signature says who it is.
pub(super) async fn told(State(app): State<App>, Path(issuer): Path<String>, body: Bytes) -> Result<Response, Problem> {
    let mut tokens = url::form_urlencoded::parse(&body).filter(|(name, _)| name == "logout_token");
    let token = tokens.next().filter(|_| tokens.next().is_none());
    let ended = match token {
        Some((_, token)) => issuer::logout(&app.desk, &issuer, &token).await,
        None => Err(Refusal::No("issuer-refused")),
    };
    let status = match ended {
        Ok(_) => StatusCode::OK,
        Err(Refusal::No(_)) => StatusCode::BAD_REQUEST,
        Err(Refusal::Case(error)) => return Err(error.into()),
    };
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_TYPE, "application/json"),
    ];
    let body = match status {
        StatusCode::OK => "{}",
        _ => "{\"error\":\"invalid_request\"}",
    };
    Ok((status, headers, body).into_response())
}
