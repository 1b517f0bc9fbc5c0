//! The agent's side (我代辦的): who asks me to act for them, what that means, acting and stopping, and what I did.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use cases::agents::{self as verbs, Kind, Shown, Standing};
use civic::ids::AuthorisationId;
use sha2::{Digest as _, Sha256};
use tower_sessions::Session;

use super::agent_form::facts;
use super::agents::{Did, Line, did, line, standing};
use crate::acting::{self, Myself};
use crate::address::{id, onward};
use crate::components::{SummaryList, Tag};
use crate::texts::Words;
use crate::visit::{Visit, Who};
use crate::{App, Frame, Posted, Problem, page};

/// The notice an agent reads before accepting (個人資料保護法 §8), paragraph by paragraph.
const NOTICE: [&str; 6] = [
    "agent-notice-who",
    "agent-notice-data",
    "agent-notice-record",
    "agent-notice-duty",
    "agent-notice-kept",
    "agent-notice-rights",
];

/// The notice in the reader's language, with the days it is kept.
fn notice(app: &App, words: Words) -> Vec<String> {
    let days = app.desk.agents.retention_days;
    NOTICE.iter().map(|key| words.t1(key, "days", days)).collect()
}

#[derive(Template)]
#[template(path = "resident/agent.html")]
struct AgentPage {
    frame: Frame,
    lines: Vec<Line>,
}

/// `GET /agent`
pub(super) async fn list(State(app): State<App>, frame: Frame, me: Myself) -> Result<Response, Problem> {
    let words = frame.words;
    let found = verbs::entrusted(&app.desk, &me.party()).await?;
    page(&AgentPage {
        lines: found
            .iter()
            .map(|view| line(words, view, &view.principal, "/agent"))
            .collect(),
        frame,
    })
}

#[derive(Template)]
#[template(path = "resident/agent_one.html")]
struct OnePage {
    frame: Frame,
    here: String,
    name: String,
    standing: Tag,
    facts: SummaryList,
    /// Shown while it waits to be accepted.
    notice: Vec<String>,
    revision: i64,
    waits: bool,
    in_force: bool,
    did: Vec<Did>,
}

/// `GET /agent/{id}`
pub(super) async fn show(
    State(app): State<App>,
    Path(address): Path<String>,
    frame: Frame,
    me: Myself,
) -> Result<Response, Problem> {
    let words = frame.words;
    let id = AuthorisationId::from_uuid(id(&address)?);
    let view = verbs::one(&app.desk, &me.party(), id).await?;
    let done = verbs::done(&app.desk, None, Some(&me.party()), id).await?;
    let waits = view.standing == Standing::Offered && view.kind != Kind::Assisted;
    page(&OnePage {
        here: format!("/agent/{id}"),
        name: if view.principal.is_empty() {
            words.t("agent-forgotten")
        } else {
            view.principal.clone()
        },
        standing: standing(words, &view),
        facts: facts(words, &view),
        notice: if waits { notice(&app, words) } else { Vec::new() },
        revision: view.revision,
        waits,
        in_force: view.standing == Standing::InForce,
        did: did(words, &done, false),
        frame,
    })
}

/// `POST /agent/{id}/{act}`: `accept`, `decline`, `leave` or `begin`.
pub(super) async fn act(
    State(app): State<App>,
    Path((address, act)): Path<(String, String)>,
    frame: Frame,
    session: Session,
    me: Myself,
    posted: Posted,
) -> Result<Response, Problem> {
    let id = AuthorisationId::from_uuid(id(&address)?);
    let party = me.party();
    match act.as_str() {
        "accept" => {
            let text = notice(&app, frame.words).join("\n");
            let shown = Shown {
                digest: hex::encode(Sha256::digest(text.as_bytes())),
                language: frame.language(),
            };
            verbs::accept(&app.desk, &party, id, posted.value("revision")?, shown).await?;
        }
        "decline" => verbs::decline(&app.desk, &party, id).await?,
        "leave" => {
            verbs::leave(&app.desk, &party, id).await?;
            if frame
                .visit
                .acting
                .as_ref()
                .is_some_and(|acting| acting.authorisation == id)
            {
                Visit::act_for(&session, frame.visit.who, None).await?;
            }
        }
        "begin" => {
            // an authorisation that is not this party's is none
            verbs::one(&app.desk, &party, id).await?;
            acting::begin(&app, &session, &party, id).await?;
            return Ok(onward("/applications"));
        }
        _ => return Err(Problem::NotFound),
    }
    Ok(onward(&format!("/agent/{id}")))
}

/// `POST /agent/stop`: stops acting; the authorisation stays. An assisted session ends with it.
pub(super) async fn stop(
    State(app): State<App>,
    frame: Frame,
    session: Session,
    me: Myself,
    _: Posted,
) -> Result<Response, Problem> {
    if let Some(acting) = &frame.visit.acting {
        let view = verbs::one(&app.desk, &me.party(), acting.authorisation).await?;
        if view.kind == Kind::Assisted {
            verbs::leave(&app.desk, &me.party(), acting.authorisation).await?;
        }
        Visit::act_for(&session, frame.visit.who, None).await?;
    }
    Ok(onward("/agent"))
}

#[derive(Template)]
#[template(path = "resident/agent_stopped.html")]
struct StoppedPage {
    frame: Frame,
    /// Whether who reads it can go back to their list.
    known: bool,
}

/// `GET /agent/stopped`: the authorisation has ended.
pub(super) async fn stopped(frame: Frame) -> Result<Response, Problem> {
    page(&StoppedPage {
        known: frame.visit.who != Who::Nobody,
        frame,
    })
}
