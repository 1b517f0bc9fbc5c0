//! My agents (我的代理人): whom a resident authorised, what they may do, what they did, and the way to end it at once.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use cases::agents::{self as verbs, Kind, NewAuthorisation, Standing, To, View};
use cases::history::EventView;
use cases::{CaseError, Person};
use civic::ids::AuthorisationId;
use jiff::ToSpan as _;
use store::ledger::{ActorKind, Entry, Recorded};
use uuid::Uuid;

use super::Resident;
use super::agent_form::{self, Typing, facts};
use crate::address::{id, onward};
use crate::components::{Choice, Colour, Control, ErrorSummary, Field, SummaryList, Tag};
use crate::texts::Words;
use crate::{App, Frame, Posted, Problem, page, page_with};

/// A line of a list of authorisations.
pub(super) struct Line {
    pub(super) href: String,
    pub(super) name: String,
    pub(super) services: String,
    pub(super) standing: Tag,
    pub(super) until: String,
}

/// Where an authorisation stands, in a word.
pub(crate) fn standing(words: Words, view: &View) -> Tag {
    let colour = match view.standing {
        Standing::Offered => Colour::Yellow,
        Standing::InForce => Colour::Green,
        Standing::Declined | Standing::Ended => Colour::Grey,
    };
    Tag::new(words.t(&format!("agent-standing-{}", view.standing.word())), colour)
}

pub(super) fn line(words: Words, view: &View, name: &str, base: &str) -> Line {
    let services: Vec<&str> = view.services.iter().map(|(_, text)| words.of(text)).collect();
    Line {
        href: format!("{base}/{}", view.id),
        name: if name.is_empty() {
            words.t("agent-forgotten")
        } else {
            name.to_owned()
        },
        services: services.join("、"),
        standing: standing(words, view),
        until: words.t1("agent-until-day", "day", words.date(view.until)),
    }
}

/// A notice on the page.
struct Told {
    when: String,
    subject: String,
    paragraphs: Vec<String>,
}

#[derive(Template)]
#[template(path = "resident/agents.html")]
struct AgentsPage {
    frame: Frame,
    lines: Vec<Line>,
    told: Vec<Told>,
}

/// `GET /agents`
pub(super) async fn list(State(app): State<App>, resident: Resident) -> Result<Response, Problem> {
    let Resident { frame, person } = resident;
    let words = frame.words;
    let given = verbs::given(&app.desk, &person).await?;
    let notices = verbs::notices(&app.desk, &person).await?;
    page(&AgentsPage {
        lines: given
            .iter()
            .map(|view| line(words, view, &view.agent, "/agents"))
            .collect(),
        told: notices
            .into_iter()
            .map(|one| Told {
                when: words.time(one.at),
                subject: one.subject,
                paragraphs: one
                    .text
                    .split("\n\n")
                    .map(|part| part.trim().to_owned())
                    .filter(|part| !part.is_empty())
                    .collect(),
            })
            .collect(),
        frame,
    })
}

#[derive(Template)]
#[template(path = "resident/agents_new.html")]
struct NewPage {
    frame: Frame,
    errors: Option<ErrorSummary>,
    to: Field,
    national_id: Field,
    name: Field,
    number: Field,
    services: Field,
    powers: Field,
    until: Field,
    email: Field,
}

fn new_page(
    app: &App,
    frame: Frame,
    typing: &Typing,
    wrong: Option<(&'static str, &'static str)>,
) -> Result<Response, Problem> {
    let words = frame.words;
    let kind = match typing.text("to").as_str() {
        "organisation" => "organisation",
        _ => "person",
    };
    let choices = ["person", "organisation"].map(|value| Choice {
        value: value.to_owned(),
        label: words.t(&format!("agent-to-{value}")),
        hint: Some(words.t(&format!("agent-to-hint-{value}"))),
        chosen: value == kind,
    });
    let today = app.desk.today();
    let longest = app.desk.agents.longest_days;
    let example = today.saturating_add(longest.min(90).days());
    let marked = |field: Field| Field {
        error: agent_form::problem(words, wrong, &field.name),
        ..field
    };
    let text = |name, key, kind| agent_form::line(words, typing, name, key, kind);
    let errors = wrong.and_then(|(field, _)| {
        let text = agent_form::problem(words, wrong, field)?;
        let at = if field == "until" { "until.year" } else { field };
        Some(ErrorSummary {
            words,
            errors: vec![(at.to_owned(), text)],
        })
    });
    let status = if errors.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let email = Field {
        optional: true,
        ..text("email", ("agent-email", Some("agent-email-hint")), "email")
    };
    page_with(
        status,
        &NewPage {
            errors,
            to: marked(Field::new(
                words,
                "to",
                words.t("agent-to"),
                Control::Radios(choices.into()),
            )),
            national_id: marked(text("national_id", ("agent-national-id", None), "text")),
            name: marked(text("name", ("agent-name", Some("agent-name-hint")), "text")),
            number: marked(text("number", ("agent-number", Some("agent-number-hint")), "text")),
            services: marked(agent_form::services(app, words, typing)),
            powers: marked(agent_form::powers(words, typing)),
            until: marked(agent_form::until(words, typing, example, longest)),
            email: marked(email),
            frame,
        },
    )
}

/// `GET /agents/new`
pub(super) async fn new(State(app): State<App>, resident: Resident) -> Result<Response, Problem> {
    // who acts for somebody learns here, not after the form, that they can't authorise others
    verbs::given(&app.desk, &resident.person).await?;
    new_page(&app, resident.frame, &Typing::fresh(), None)
}

/// `POST /agents/new`
pub(super) async fn give(State(app): State<App>, resident: Resident, posted: Posted) -> Result<Response, Problem> {
    let typing = Typing::of(posted);
    let to = match typing.text("to").as_str() {
        "organisation" => To::Organisation {
            number: typing.text("number"),
        },
        _ => To::Person {
            national_id: typing.text("national_id"),
            name: typing.text("name"),
        },
    };
    let new = NewAuthorisation {
        to,
        services: typing.list("services"),
        powers: typing.powers(),
        until: typing.until(),
        email: typing.text("email"),
    };
    match verbs::give(&app.desk, &resident.person, new).await {
        Ok(id) => Ok(onward(&format!("/agents/{id}"))),
        Err(CaseError::Input { field, problem }) => new_page(&app, resident.frame, &typing, Some((field, problem))),
        Err(error) => Err(error.into()),
    }
}

/// Something an agent did, as both sides read it.
pub(super) struct Did {
    pub(super) when: String,
    pub(super) what: String,
    pub(super) times: Option<String>,
    /// Where the principal looks at the case.
    pub(super) href: Option<String>,
}

/// What an agent did, newest first; the same done again and again on one day is one line.
pub(super) fn did(words: Words, entries: &[Recorded], with_links: bool) -> Vec<Did> {
    let mut lines: Vec<(&Entry, usize)> = Vec::new();
    for recorded in entries {
        let entry = &recorded.entry;
        let same = |(last, _): &(&Entry, usize)| {
            last.action == entry.action
                && last.purpose.application == entry.purpose.application
                && civic::legal_day(last.at) == civic::legal_day(entry.at)
        };
        match lines.iter_mut().find(|line| same(line)) {
            Some((_, count)) => *count += 1,
            None => lines.push((entry, 1)),
        }
    }
    let show = |(entry, count): (&Entry, usize)| Did {
        when: words.time(entry.at),
        what: what(words, &entry.action),
        times: (count > 1).then(|| words.t1("agent-times", "n", count)),
        href: entry
            .purpose
            .application
            .filter(|_| with_links)
            .map(|id| format!("/applications/{id}")),
    };
    lines.into_iter().map(show).collect()
}

#[derive(Template)]
#[template(path = "resident/agents_one.html")]
struct OnePage {
    frame: Frame,
    here: String,
    name: String,
    masked: Option<String>,
    kind: String,
    standing: Tag,
    facts: SummaryList,
    did: Vec<Did>,
    waits: bool,
    may_end: bool,
}

async fn one(app: &App, person: &Person, id: AuthorisationId) -> Result<View, Problem> {
    let given = verbs::given(&app.desk, person).await?;
    given.into_iter().find(|view| view.id == id).ok_or(Problem::NotFound)
}

/// `GET /agents/{id}`
pub(super) async fn show(
    State(app): State<App>,
    Path(address): Path<String>,
    resident: Resident,
) -> Result<Response, Problem> {
    let Resident { frame, person } = resident;
    let words = frame.words;
    let id = AuthorisationId::from_uuid(id(&address)?);
    let view = one(&app, &person, id).await?;
    let done = verbs::done(&app.desk, Some(&person), None, id).await?;
    page(&OnePage {
        here: format!("/agents/{id}"),
        name: if view.agent.is_empty() {
            words.t("agent-forgotten")
        } else {
            view.agent.clone()
        },
        kind: words.t(&format!("agent-kind-{}", view.kind.word())),
        standing: standing(words, &view),
        facts: facts(words, &view),
        did: did(words, &done, true),
        waits: view.standing == Standing::Offered && view.kind != Kind::Assisted,
        may_end: matches!(view.standing, Standing::Offered | Standing::InForce),
        masked: view.masked,
        frame,
    })
}

/// `POST /agents/{id}`: ends it at once.
pub(super) async fn end(
    State(app): State<App>,
    Path(address): Path<String>,
    resident: Resident,
    _: Posted,
) -> Result<Response, Problem> {
    let id = AuthorisationId::from_uuid(id(&address)?);
    verbs::revoke(&app.desk, &resident.person, id).await?;
    Ok(onward(&format!("/agents/{id}")))
}

/// The agents of a person by the id the ledger has of them.
pub(super) async fn names(app: &App, person: &Person) -> Result<Vec<(Uuid, String)>, Problem> {
    let given = verbs::given(&app.desk, person).await?;
    Ok(given
        .into_iter()
        .filter_map(|view| Some((view.agent_id?, view.agent)))
        .collect())
}

/// The agent who made an entry of the ledger about the person; nothing when it was somebody else.
pub(super) fn who(words: Words, names: &[(Uuid, String)], person: &Person, entry: &Entry) -> Option<String> {
    let actor = entry.actor_id?;
    if actor == person.id.uuid() {
        return None;
    }
    let named = names.iter().find(|(id, _)| *id == actor).map(|(_, name)| name);
    match (entry.actor, named) {
        (_, Some(name)) if !name.is_empty() => Some(words.t1("actor-agent-named", "name", name)),
        (ActorKind::Resident, _) => Some(words.t("actor-agent")),
        (ActorKind::Organisation, _) => Some(words.t("actor-agent-organisation")),
        _ => None,
    }
}

/// What an entry of the ledger tells, in words.
pub(crate) fn what(words: Words, action: &str) -> String {
    let key = format!("use-{}", action.replace(['_', '.'], "-"));
    if words.has(&key) {
        words.t(&key)
    } else {
        words.t("use-other")
    }
}

/// What happened to a case; done by an agent it is told as theirs.
pub(super) fn event(words: Words, event: &EventView) -> String {
    let kind = event.kind.replace('_', "-");
    let by_agent = format!("event-agent-{kind}");
    if matches!(event.actor.as_str(), "agent" | "assistant") && words.has(&by_agent) {
        return words.t(&by_agent);
    }
    words.t(&format!("event-{kind}"))
}

/// Who made something happen, for the person or the agent who reads it.
pub(super) fn actor(words: Words, event: &EventView, person: &Person) -> String {
    match (event.actor.as_str(), &event.name) {
        ("person", _) if person.acting().is_some() => person.name.clone(),
        ("agent", Some(name)) => words.t1("actor-agent-named", "name", name),
        ("assistant", Some(name)) => words.t1("actor-assistant-named", "name", name),
        (actor, _) => words.t(&format!("actor-{actor}")),
    }
}
