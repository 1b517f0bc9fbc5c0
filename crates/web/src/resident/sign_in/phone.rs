//! 行動自然人憑證: the national id, the phone, and the page that waits for it.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use cases::identity::phone::{self, Confirming, Look, Way};
use tower_sessions::Session;

use super::{Aim, Asked, Entry, enter, keep, national_id, refused, sentence, taken};
use crate::address::onward;
use crate::components::{Choice, Control, ErrorSummary, Field, Qr};
use crate::{App, Frame, Posted, Problem, page, page_with};

#[derive(Template)]
#[template(path = "resident/sign_in_phone.html")]
struct PhonePage {
    frame: Frame,
    aim: Aim,
    /// Back to the methods.
    query: String,
    errors: Option<ErrorSummary>,
    national_id: Field,
    way: Field,
}

/// What was chosen, by the word of the form.
fn way(word: &str) -> Way {
    match word {
        "scan" => Way::Scan,
        "app" => Way::App,
        _ => Way::Push,
    }
}

fn phone_page(frame: Frame, aim: Aim, typed: &str, chosen: Way, problem: Option<String>) -> PhonePage {
    let words = frame.words;
    let choice = |word: &str, way: Way| Choice {
        value: word.to_owned(),
        label: words.t(&format!("identity-phone-way-{word}")),
        hint: Some(words.t(&format!("identity-phone-way-{word}-hint"))),
        chosen: way == chosen,
    };
    PhonePage {
        errors: problem.map(|text| national_id::wrong(words, text)),
        national_id: national_id::field(words, typed),
        way: Field::new(
            words,
            "way",
            words.t("identity-phone-way"),
            Control::Radios(vec![
                choice("push", Way::Push),
                choice("scan", Way::Scan),
                choice("app", Way::App),
            ]),
        ),
        query: aim.query(),
        aim,
        frame,
    }
}

/// `GET /sign-in/phone`
pub(super) async fn show(
    State(app): State<App>,
    frame: Frame,
    session: Session,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    if app.desk.identity.phone.is_none() {
        return Err(Problem::NotFound);
    }
    let frame = frame.with_token(&session).await?;
    let problem = sentence(frame.words, &asked.problem);
    page(&phone_page(frame, asked.aim, "", Way::Push, problem))
}

/// `POST /sign-in/phone`: asks the phone.
pub(super) async fn ask(
    State(app): State<App>,
    frame: Frame,
    session: Session,
    posted: Posted,
) -> Result<Response, Problem> {
    let aim = Aim::of(&posted);
    let typed: String = posted.text("national_id").chars().take(20).collect();
    let way = way(posted.text("way"));
    match phone::ask(&app.desk, &typed, way, frame.visit.token()).await {
        Ok(confirming) => {
            keep(&session, &confirming, &aim).await?;
            Ok(onward("/sign-in/phone/wait"))
        }
        Err(refusal) => {
            let (status, word) = refused(refusal)?;
            let problem = sentence(frame.words, word);
            page_with(status, &phone_page(frame, aim, &typed, way, problem))
        }
    }
}

#[derive(Template)]
#[template(path = "resident/sign_in_wait.html")]
struct WaitPage {
    frame: Frame,
    way: Way,
    /// The QR code, as SVG.
    qr: Option<Qr>,
    /// Opens the app on this phone.
    app_link: String,
    until: String,
    /// Whole seconds after which the page may look again.
    pause: u64,
}

/// `GET /sign-in/phone/wait`: looks whether the phone has confirmed, no more often than the authority allows.
pub(super) async fn wait(State(app): State<App>, frame: Frame, session: Session) -> Result<Response, Problem> {
    let Some(going) = taken::<Confirming>(&session).await? else {
        // another window has come in already, or there is nothing to wait for
        return Ok(onward(if frame.resident() {
            "/applications"
        } else {
            "/sign-in?problem=lost"
        }));
    };
    let aim = going.aim;
    let entered = match phone::look(&app.desk, going.what).await {
        Ok(Look::Waiting(confirming)) => {
            keep(&session, &*confirming, &aim).await?;
            let frame = frame.with_token(&session).await?;
            return waiting(&app, frame, &confirming);
        }
        Ok(Look::Done(proven)) => enter(&app, &frame, &session, &aim, *proven).await,
        Err(refusal) => Err(refusal.into()),
    };
    match entered {
        Ok(response) => Ok(response),
        // on an address of its own, so that a reload of the page asks nobody again
        Err(Entry::Refused(refusal)) => {
            let (_, word) = refused(refusal)?;
            Ok(onward(&format!("/sign-in/phone?problem={word}&{}", aim.query())))
        }
        Err(Entry::Problem(problem)) => Err(problem),
    }
}

fn waiting(app: &App, frame: Frame, confirming: &Confirming) -> Result<Response, Problem> {
    let back = format!("{}/sign-in/phone/wait", app.desk.city.portal);
    let back = url::Url::parse(&back).map_err(|_| Problem::Broken)?;
    let pause = confirming.pause(app.desk.now()).as_secs().saturating_add(1).max(5);
    page_with(
        StatusCode::OK,
        &WaitPage {
            way: confirming.way,
            qr: match confirming.way {
                Way::Scan => Some(Qr::new(frame.t("identity-wait-qr"), confirming.ticket()).ok_or(Problem::Broken)?),
                Way::Push | Way::App => None,
            },
            app_link: phone::app_link(&app.desk, confirming, &back).unwrap_or_default(),
            until: frame.words.time(confirming.until()),
            pause,
            frame,
        },
    )
}

/// `POST /sign-in/phone/cancel`: forgets the request; what the phone says afterwards is asked by nobody.
pub(super) async fn cancel(session: Session, _: Posted) -> Result<Response, Problem> {
    let going = taken::<Confirming>(&session).await?;
    let query = going.map(|going| going.aim.query()).unwrap_or_default();
    Ok(onward(&format!("/sign-in?{query}")))
}
