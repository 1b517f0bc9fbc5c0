//! OpenID Connect (authorization code with PKCE): the way to the issuer, and back.

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use cases::identity::{Refusal, issuer};
use exchange::oidc::Pending;
use serde::{Deserialize, Serialize};
use tower_sessions::Session;

use super::{Aim, Entry, again, enter, keep, sentence, taken};
use crate::address::onward;
use crate::{App, Frame, Posted, Problem};

/// A sign-in at an issuer, while the person is there.
#[derive(Serialize, Deserialize)]
struct Away {
    issuer: String,
    pending: Pending,
}

/// `POST /sign-in/go`: sends the browser to the issuer.
pub(super) async fn go(
    State(app): State<App>,
    frame: Frame,
    session: Session,
    posted: Posted,
) -> Result<Response, Problem> {
    let issuers = &app.desk.identity.issuers;
    let id = match posted.text("issuer") {
        // the only one need not be named
        "" => issuers.first().map(|issuer| issuer.id.clone()),
        id => Some(id.to_owned()),
    };
    let id = id.ok_or(Problem::Outside)?;
    let aim = Aim::of(&posted);
    match issuer::begin(&app.desk, &id, aim.needed(&app), frame.visit.token()).await {
        Ok((to, pending)) => {
            keep(&session, &Away { issuer: id, pending }, &aim).await?;
            Ok(onward(to.as_str()))
        }
        Err(Refusal::No("unreachable")) => {
            let problem = sentence(frame.words, "unreachable");
            super::methods(&app, frame, &session, aim, (StatusCode::SERVICE_UNAVAILABLE, problem)).await
        }
        Err(refusal) => again(&app, frame, &session, aim, refusal).await,
    }
}

/// `GET /sign-in/return`: the issuer sent the browser back.
pub(super) async fn back(
    State(app): State<App>,
    frame: Frame,
    session: Session,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    finish(&app, frame, &session, None, query.unwrap_or_default()).await
}

/// `GET /sign-in/return/{issuer}`: the same over an address of the issuer's own, so that one issuer can't answer for another.
pub(super) async fn back_of(
    State(app): State<App>,
    Path(issuer): Path<String>,
    frame: Frame,
    session: Session,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    finish(&app, frame, &session, Some(&issuer), query.unwrap_or_default()).await
}

async fn finish(
    app: &App,
    frame: Frame,
    session: &Session,
    over: Option<&str>,
    query: String,
) -> Result<Response, Problem> {
    if app.desk.identity.issuers.is_empty() {
        return Err(Problem::Outside);
    }
    let Some(going) = taken::<Away>(session).await? else {
        return again(app, frame, session, Aim::default(), Refusal::No("lost")).await;
    };
    let (away, aim) = (going.what, going.aim);
    let proven = if over.is_some_and(|over| over != away.issuer) {
        issuer::mixed_up(&app.desk).await
    } else {
        issuer::finish(&app.desk, &away.issuer, &query, away.pending, aim.needed(app)).await
    };
    let entered = match proven {
        Ok(proven) => enter(app, &frame, session, &aim, proven).await,
        Err(refusal) => Err(refusal.into()),
    };
    match entered {
        Ok(response) => Ok(response),
        Err(Entry::Refused(refusal)) => again(app, frame, session, aim, refusal).await,
        Err(Entry::Problem(problem)) => Err(problem),
    }
}
