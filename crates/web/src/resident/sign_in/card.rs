//! 自然人憑證: the national id, the text that the card signs, and its signature, from the component's page or put in by hand.

use askama::Template;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::response::Response;
use cases::identity::card::{self, Signing};
use cases::identity::{Proven, Refusal};
use tower_sessions::Session;

use super::{Aim, Asked, Entry, PENDING, again, enter, keep, national_id, refused, sentence, taken};
use crate::address::onward;
use crate::components::{ErrorSummary, Field};
use crate::{App, Frame, Posted, Problem, page, page_with};

/// Most characters of a signature in Base64.
const LONGEST: usize = 200_000;

#[derive(Template)]
#[template(path = "resident/sign_in_card.html")]
struct CardPage {
    frame: Frame,
    aim: Aim,
    /// Back to the methods.
    query: String,
    errors: Option<ErrorSummary>,
    national_id: Field,
}

fn card_page(frame: Frame, aim: Aim, typed: &str, problem: Option<String>) -> CardPage {
    let words = frame.words;
    CardPage {
        errors: problem.map(|text| national_id::wrong(words, text)),
        national_id: national_id::field(words, typed),
        query: aim.query(),
        aim,
        frame,
    }
}

/// `GET /sign-in/card`
pub(super) async fn show(
    State(app): State<App>,
    frame: Frame,
    session: Session,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    if app.desk.identity.card.is_none() {
        return Err(Problem::NotFound);
    }
    let frame = frame.with_token(&session).await?;
    let problem = sentence(frame.words, &asked.problem);
    page(&card_page(frame, asked.aim, "", problem))
}

/// `POST /sign-in/card`: makes the text to sign.
pub(super) async fn begin(
    State(app): State<App>,
    frame: Frame,
    session: Session,
    posted: Posted,
) -> Result<Response, Problem> {
    let aim = Aim::of(&posted);
    let typed: String = posted.text("national_id").chars().take(20).collect();
    match card::challenge(&app.desk, &typed, frame.visit.token()).await {
        Ok(signing) => {
            keep(&session, &signing, &aim).await?;
            Ok(onward("/sign-in/card/sign"))
        }
        Err(refusal) => {
            let (status, word) = refused(refusal)?;
            let problem = sentence(frame.words, word);
            page_with(status, &card_page(frame, aim, &typed, problem))
        }
    }
}

#[derive(Template)]
#[template(path = "resident/sign_in_card_sign.html")]
struct SignPage {
    frame: Frame,
    text: String,
    /// Where the card is reached.
    component: Option<String>,
}

/// `GET /sign-in/card/sign`: the text to sign, and the way to the card.
pub(super) async fn sign(State(app): State<App>, frame: Frame, session: Session) -> Result<Response, Problem> {
    let kept: Option<serde_json::Value> = session.get(PENDING).await.map_err(|_| Problem::Broken)?;
    let going: Option<super::Going<Signing>> = kept.and_then(|kept| serde_json::from_value(kept).ok());
    let Some(going) = going else {
        return Ok(onward("/sign-in/card?problem=lost"));
    };
    let frame = frame.with_token(&session).await?;
    page(&SignPage {
        text: going.what.text().to_owned(),
        component: card::component(&app.desk, &going.what).map(String::from),
        frame,
    })
}

/// `POST /sign-in/card/sign`: a signature that was put in by hand.
pub(super) async fn signed(
    State(app): State<App>,
    frame: Frame,
    session: Session,
    posted: Posted,
) -> Result<Response, Problem> {
    finish(&app, frame, &session, posted.text("signature")).await
}

#[derive(Template)]
#[template(path = "resident/sign_in_card_back.html")]
struct BackPage {
    frame: Frame,
    signature: String,
}

/// `POST /sign-in/card/return`: the component's page sends the signature. It has no token of ours; that it is over the text of
/// this very session says as much. A page of another site comes without the session's cookie: then the person sends the
/// signature on with a button.
pub(super) async fn returned(
    State(app): State<App>,
    frame: Frame,
    session: Session,
    body: Bytes,
) -> Result<Response, Problem> {
    if app.desk.identity.card.is_none() {
        return Err(Problem::Forbidden);
    }
    let mut fields = url::form_urlencoded::parse(&body);
    let signature = fields.find(|(name, _)| name == "signature");
    let signature = signature.map(|(_, value)| value.into_owned()).unwrap_or_default();
    let is_sent_on = url::form_urlencoded::parse(&body).any(|(name, _)| name == "again");
    if frame.visit.token().is_empty() && !is_sent_on && signature.len() <= LONGEST {
        return page(&BackPage { frame, signature });
    }
    finish(&app, frame, &session, &signature).await
}

async fn finish(app: &App, frame: Frame, session: &Session, signature: &str) -> Result<Response, Problem> {
    let Some(going) = taken::<Signing>(session).await? else {
        return again(app, frame, session, Aim::default(), Refusal::No("lost")).await;
    };
    let aim = going.aim;
    let proven: Result<Proven, Refusal> = if signature.len() > LONGEST {
        Err(Refusal::No("card-form"))
    } else {
        card::finish(&app.desk, going.what, signature).await
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
