//! Signing in: the page with the methods the city offers, and what all of them have in common.
//!
//! `for` in an address names the service that asks for a stronger sign-in than the one there is; then only methods that are
//! strong enough are offered, and the session goes on with all it held.

mod card;
mod issuer;
mod leave;
mod national_id;
mod phone;

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use cases::Desk;
use cases::history::{EventView, IDENTITY};
use cases::identity::{Method, Proven, Refusal, Verified, WORDS};
use cases::people::{self, NewPerson};
use exchange::oidc::Level;
use serde::{Deserialize, Serialize};
use tower_sessions::Session;

use crate::address::onward;
use crate::texts::Words;
use crate::visit::{self, Proof, Visit, Who, local};
use crate::{App, Frame, Posted, Problem, page_with};

/// What the session keeps while the person is away: what waits, and where to go afterwards. One sign-in at a time.
const PENDING: &str = "sign-in";

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/sign-in", get(show))
        .route("/sign-in/go", post(issuer::go))
        .route("/sign-in/return", get(issuer::back))
        .route("/sign-in/return/{issuer}", get(issuer::back_of))
        .route("/sign-in/phone", get(phone::show).post(phone::ask))
        .route("/sign-in/phone/wait", get(phone::wait))
        .route("/sign-in/phone/cancel", post(phone::cancel))
        .route("/sign-in/card", get(card::show).post(card::begin))
        .route("/sign-in/card/sign", get(card::sign).post(card::signed))
        .route("/sign-in/card/return", post(card::returned))
        .route("/sign-in/logout/{issuer}", post(leave::told))
        .route("/sign-out", post(leave::leave))
}

/// What a sign-in leads to.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct Aim {
    /// Where to go afterwards.
    #[serde(rename = "return", default)]
    to: String,
    /// The service that asks for a stronger sign-in.
    #[serde(rename = "for", default)]
    service: String,
}

impl Aim {
    /// What the form of a method carries along.
    fn of(posted: &Posted) -> Aim {
        Aim {
            to: posted.text("return").to_owned(),
            service: posted.text("for").to_owned(),
        }
    }

    /// Where to go afterwards: an address of this site.
    fn to(&self) -> &str {
        local(&self.to)
    }

    /// As a query.
    fn query(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("return", self.to());
        if !self.service.is_empty() {
            query.append_pair("for", &self.service);
        }
        query.finish()
    }

    /// The level the service asks for; nothing for a sign-in that no service asked for.
    fn needed(&self, app: &App) -> Option<Level> {
        let service = app.desk.catalogue.get(&self.service)?;
        app.desk.identity.needed(service)
    }
}

/// What waits for an answer, and what it leads to.
#[derive(Serialize, Deserialize)]
struct Going<T> {
    what: T,
    aim: Aim,
}

/// Takes out what waits, whatever follows: an answer is good for one try. What is of another method is gone with it.
async fn taken<T: for<'a> Deserialize<'a>>(session: &Session) -> Result<Option<Going<T>>, Problem> {
    let kept: Option<serde_json::Value> = session.remove(PENDING).await.map_err(|_| Problem::Broken)?;
    Ok(kept.and_then(|kept| serde_json::from_value(kept).ok()))
}

/// Why a stronger sign-in is asked for.
struct Why {
    /// The service that asks for it.
    service: String,
    /// How the person is signed in now, where they are.
    now: Option<String>,
}

#[derive(Template)]
#[template(path = "resident/sign_in.html")]
struct SignInPage {
    frame: Frame,
    aim: Aim,
    why: Option<Why>,
    /// Sentence about what went wrong.
    problem: Option<String>,
    /// Id and name of each issuer that is strong enough.
    issuers: Vec<(String, String)>,
    phone: bool,
    card: bool,
    /// Address of the way by phone or card, behind its path.
    query: String,
}

impl SignInPage {
    fn is_empty(&self) -> bool {
        self.issuers.is_empty() && !self.phone && !self.card
    }
}

/// A query of the sign-in pages.
#[derive(Deserialize)]
struct Asked {
    #[serde(flatten)]
    aim: Aim,
    #[serde(default)]
    problem: String,
}

/// The sentence for a word of a refusal; nothing for what is none.
fn sentence(words: Words, word: &str) -> Option<String> {
    WORDS.contains(&word).then(|| words.t(&format!("identity-no-{word}")))
}

/// What people call a method.
fn method_name(desk: &Desk, words: Words, method: &Method) -> String {
    match method {
        Method::Issuer(id) => desk.identity.issuer(id).map_or_else(
            || words.t("identity-issuer"),
            |issuer| words.of(&issuer.name).to_owned(),
        ),
        Method::Phone => words.t("identity-phone"),
        Method::Card => words.t("identity-card"),
    }
}

/// A proof in words: the method, and its level where it has one.
fn verified_name(desk: &Desk, words: Words, verified: &Verified) -> String {
    let name = method_name(desk, words, &verified.method);
    match verified.level {
        Some(level) => words.with(
            "identity-with-level",
            &[("method", name), ("level", level.number().to_string())],
        ),
        None => name,
    }
}

/// What stands below an event of a case: what was said, or how somebody proved who they are.
pub(crate) fn event_text(desk: &Desk, words: Words, event: &EventView) -> Option<String> {
    match &event.text {
        Some(text) if event.kind == IDENTITY => proof_text(desk, words, text),
        text => text.clone(),
    }
}

/// What the history of a case says of a proof.
fn proof_text(desk: &Desk, words: Words, text: &str) -> Option<String> {
    let (method, level, issuer) = cases::history::read_proof(text)?;
    let method = match (method, issuer) {
        ("issuer", Some(id)) => Method::Issuer(id.to_owned()),
        ("phone", _) => Method::Phone,
        ("card", _) => Method::Card,
        _ => return None,
    };
    let name = method_name(desk, words, &method);
    Some(match level {
        Some(level) => words.with("identity-with-level", &[("method", name), ("level", level.to_string())]),
        None => words.t1("identity-without-level", "method", name),
    })
}

/// The page of the methods.
async fn methods(
    app: &App,
    frame: Frame,
    session: &Session,
    aim: Aim,
    (status, problem): (StatusCode, Option<String>),
) -> Result<Response, Problem> {
    let frame = frame.with_token(session).await?;
    let words = frame.words;
    let identity = &app.desk.identity;
    let needed = aim.needed(app);
    let why = app
        .desk
        .catalogue
        .get(&aim.service)
        .filter(|_| needed.is_some())
        .map(|service| Why {
            service: words.of(&service.meta.name).to_owned(),
            now: frame
                .visit
                .verified
                .as_ref()
                .map(|verified| verified_name(&app.desk, words, verified)),
        });
    let issuers = identity
        .issuers
        .iter()
        .filter(|issuer| identity.reaches(&Method::Issuer(issuer.id.clone()), needed));
    page_with(
        status,
        &SignInPage {
            issuers: issuers
                .map(|issuer| (issuer.id.clone(), words.of(&issuer.name).to_owned()))
                .collect(),
            phone: identity.phone.is_some() && identity.reaches(&Method::Phone, needed),
            card: identity.card.is_some() && identity.reaches(&Method::Card, needed),
            query: aim.query(),
            problem,
            why,
            aim,
            frame,
        },
    )
}

/// `GET /sign-in`
async fn show(
    State(app): State<App>,
    frame: Frame,
    session: Session,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let aim = asked.aim;
    // an old link, or another window was faster: there is nothing to prove any more
    let needed = aim.needed(&app);
    let is_enough = frame.visit.verified.as_ref().is_some_and(|one| one.reaches(needed));
    if needed.is_some() && is_enough && frame.resident() {
        return Ok(onward(aim.to()));
    }
    let problem = sentence(frame.words, &asked.problem);
    methods(&app, frame, &session, aim, (StatusCode::OK, problem)).await
}

/// Status and word of a refusal; what is ours or the store's goes on as a problem.
fn refused(refusal: Refusal) -> Result<(StatusCode, &'static str), Problem> {
    match refusal {
        Refusal::No("too-many") => Ok((StatusCode::TOO_MANY_REQUESTS, "too-many")),
        Refusal::No(word) => Ok((StatusCode::UNPROCESSABLE_ENTITY, word)),
        Refusal::Case(error) => Err(error.into()),
    }
}

/// The page of the methods with what went wrong.
async fn again(app: &App, frame: Frame, session: &Session, aim: Aim, refusal: Refusal) -> Result<Response, Problem> {
    let (status, word) = refused(refusal)?;
    let problem = sentence(frame.words, word);
    methods(app, frame, session, aim, (status, problem)).await
}

/// Signs somebody in who proved who they are, or lets the session go on with a stronger proof.
async fn enter(app: &App, frame: &Frame, session: &Session, aim: &Aim, proven: Proven) -> Result<Response, Entry> {
    if !proven.verified.reaches(aim.needed(app)) {
        return Err(Refusal::No("too-weak").into());
    }
    let issuer = match &proven.verified.method {
        Method::Issuer(id) => Some(id.clone()),
        Method::Phone | Method::Card => None,
    };
    let proof = Proof {
        verified: Some(proven.verified),
        marks: proven.marks,
        id_token: issuer.zip(proven.id_token),
    };
    if !aim.service.is_empty()
        && let Who::Resident(id) = frame.visit.who
    {
        let person = people::get(&app.desk, id).await.map_err(Problem::from)?;
        if person.national_id != proven.national_id {
            return Err(Refusal::No("other-person").into());
        }
        Visit::step_up(session, proof).await?;
        return Ok(onward(aim.to()));
    }
    let new = NewPerson {
        national_id: proven.national_id,
        name: proven.name.unwrap_or_default(),
        email: None,
        phone: None,
    };
    let person = people::sign_in(&app.desk, new).await.map_err(Problem::from)?;
    let to = aim.to();
    let found = super::find::carried(session, to).await?;
    Visit::sign_in_by(session, Who::Resident(person.id), proof).await?;
    super::find::bring(session, found).await?;
    Ok(onward(if to == "/" { "/applications" } else { to }))
}

/// Why somebody who proved who they are does not come in.
enum Entry {
    Refused(Refusal),
    Problem(Problem),
}

impl From<Refusal> for Entry {
    fn from(refusal: Refusal) -> Entry {
        Entry::Refused(refusal)
    }
}

impl From<Problem> for Entry {
    fn from(problem: Problem) -> Entry {
        Entry::Problem(problem)
    }
}

/// Keeps what waits for an answer.
async fn keep<T: Serialize + Sync>(session: &Session, what: &T, aim: &Aim) -> Result<(), Problem> {
    visit::put(session, PENDING, &Going { what, aim: aim.clone() }).await
}
