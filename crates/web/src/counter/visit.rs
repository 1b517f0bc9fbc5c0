//! The first page: who stands there and how that was shown; then the services, and what was begun before.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use cases::counter::{self, NewAgent, NewVisit, Shown, Visit};
use cases::{CaseError, Staff, State as CaseState, transition};
use civic::{Channel, NationalId, roc};

use super::{Serving, address, next};
use crate::address::onward;
use crate::components::{Choice, Control, Entry, ErrorSummary, Field, Typed};
use crate::office::{Duty, clock};
use crate::texts::Words;
use crate::{App, Frame, Posted, Problem, page, page_with};

#[derive(Template)]
#[template(path = "counter/start.html")]
struct StartPage {
    frame: Frame,
    staff: Staff,
    errors: Option<ErrorSummary>,
    fields: Vec<Field>,
    /// Who stands there in the person's place.
    agent: Vec<Field>,
}

/// The fields of whoever stands there in the person's place.
const AGENT: [&str; 3] = ["agent_id", "agent_name", "authority"];

/// What was typed on the first page, and what is wrong with it.
#[derive(Default)]
struct Filled {
    national_id: String,
    name: String,
    birth: [String; 3],
    shown: String,
    renamed: bool,
    agent_id: String,
    agent_name: String,
    authority: bool,
    /// Input to lead to, name of the field, text.
    errors: Vec<(&'static str, &'static str, String)>,
}

impl Filled {
    fn of(posted: &Posted) -> Filled {
        let text = |name: &str| posted.text(name).chars().take(200).collect::<String>();
        Filled {
            national_id: text("national_id"),
            name: text("name"),
            birth: [
                text("birth_date.year"),
                text("birth_date.month"),
                text("birth_date.day"),
            ],
            shown: text("shown"),
            renamed: posted.text("renamed") == "yes",
            agent_id: text("agent_id"),
            agent_name: text("agent_name"),
            authority: posted.text("authority") == "yes",
            errors: Vec::new(),
        }
    }

    /// The visit to begin, or every mistake at once.
    fn read(&mut self, words: Words) -> Option<NewVisit> {
        let mut wrong = |input, field, key: &str| self.errors.push((input, field, words.t(key)));
        let national_id = NationalId::parse(&self.national_id).ok();
        if national_id.is_none() {
            wrong("national_id", "national_id", "counter-error-national-id");
        }
        if self.name.is_empty() {
            wrong("name", "name", "counter-error-name");
        }
        let [year, month, day] = &self.birth;
        let year = year.trim_start_matches("民國");
        let birth_date = roc::parse(&format!("{year}-{month:0>2}-{day:0>2}"));
        if birth_date.is_none() {
            wrong("birth_date.year", "birth_date", "counter-error-birth-date");
        }
        let shown = Shown::parse(&self.shown);
        if shown.is_none() {
            wrong("shown", "shown", "counter-error-shown");
        }
        // whoever types one of them means an agent
        let comes = !self.agent_id.is_empty() || !self.agent_name.is_empty() || self.authority;
        let agent_id = NationalId::parse(&self.agent_id).ok();
        if comes && agent_id.is_none() {
            wrong("agent_id", "agent_id", "counter-error-agent-id");
        }
        if comes && self.agent_name.is_empty() {
            wrong("agent_name", "agent_name", "counter-error-agent-name");
        }
        if comes && !self.authority {
            wrong("authority", "authority", "counter-error-authority");
        }
        if self.errors.iter().any(|(_, field, _)| AGENT.contains(field)) {
            return None;
        }
        Some(NewVisit {
            agent: agent_id.filter(|_| comes).map(|national_id| NewAgent {
                national_id,
                name: self.agent_name.clone(),
                authority_seen: self.authority,
            }),
            national_id: national_id?,
            name: Some(self.name.clone()).filter(|name| !name.is_empty())?,
            birth_date: birth_date?,
            shown: shown?,
            renamed: self.renamed,
        })
    }

    fn field(&self, words: Words, name: &'static str, key: &str, control: Control) -> Field {
        let wrong = self.errors.iter().find(|(_, one, _)| *one == name);
        Field {
            error: wrong.map(|(_, _, text)| text.clone()),
            ..Field::new(words, name, words.t(key), control)
        }
    }

    fn agent(&self, words: Words) -> Vec<Field> {
        let seen = Choice {
            value: "yes".to_owned(),
            label: words.t("counter-authority-yes"),
            hint: None,
            chosen: self.authority,
        };
        let [id, name, authority] = AGENT;
        vec![
            self.field(words, id, "counter-agent-id", line(&self.agent_id, 20)),
            self.field(words, name, "counter-agent-name", line(&self.agent_name, 20)),
            self.field(words, authority, "counter-authority", Control::Checkboxes(vec![seen])),
        ]
    }

    fn fields(&self, words: Words) -> Vec<Field> {
        let field = |name: &'static str, key: &str, control| self.field(words, name, key, control);
        let parts = [("year", 4_u8), ("month", 2), ("day", 2)].into_iter().zip(&self.birth);
        let boxes = parts.map(|((part, width), value)| Entry {
            part: part.to_owned(),
            label: words.t(&format!("date-{part}")),
            value: value.clone(),
            width,
        });
        let ways = Shown::ALL.map(|shown| Choice {
            value: shown.word().to_owned(),
            label: document(words, shown),
            hint: None,
            chosen: self.shown == shown.word(),
        });
        let mut fields = vec![
            Field {
                hint: Some(words.t("counter-shown-hint")),
                ..field("shown", "counter-shown", Control::Radios(ways.into()))
            },
            field("national_id", "counter-national-id", line(&self.national_id, 20)),
            field("name", "counter-name", line(&self.name, 20)),
        ];
        if self.errors.iter().any(|(input, _, _)| *input == "renamed") {
            fields.push(field(
                "renamed",
                "counter-renamed",
                Control::Checkboxes(vec![Choice {
                    value: "yes".to_owned(),
                    label: words.t("counter-renamed-yes"),
                    hint: None,
                    chosen: false,
                }]),
            ));
        }
        fields.push(field(
            "birth_date",
            "counter-birth-date",
            Control::Boxes(boxes.collect()),
        ));
        fields
    }
}

/// A line to type in.
fn line(value: &str, width: u8) -> Control {
    Control::Input(Typed {
        value: value.to_owned(),
        autocomplete: "off",
        width,
        ..Typed::default()
    })
}

/// Name of the document that was seen.
fn document(words: Words, shown: Shown) -> String {
    words.t(&format!("counter-shown-{}", shown.word().replace('_', "-")))
}

fn start(duty: Duty, filled: &Filled) -> Result<Response, Problem> {
    let words = duty.frame.words;
    let status = if filled.errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let errors: Vec<(String, String)> = filled
        .errors
        .iter()
        .map(|(input, _, text)| ((*input).to_owned(), text.clone()))
        .collect();
    page_with(
        status,
        &StartPage {
            errors: (!errors.is_empty()).then_some(ErrorSummary { words, errors }),
            fields: filled.fields(words),
            agent: filled.agent(words),
            frame: duty.frame,
            staff: duty.staff,
        },
    )
}

/// A case begun at the counter.
struct Line {
    service: String,
    state: String,
    number: String,
    opened: String,
    href: String,
}

#[derive(Template)]
#[template(path = "counter/visit.html")]
struct VisitPage {
    frame: Frame,
    staff: Staff,
    person: String,
    national_id: String,
    birth_date: String,
    shown: String,
    /// Name of who stands there in the person's place.
    agent: Option<String>,
    /// Folder name and name of each service, and what is to know before it is chosen.
    services: Vec<(String, String, String)>,
    lines: Vec<Line>,
}

/// `GET /counter`
pub(super) async fn show(State(app): State<App>, duty: Duty) -> Result<Response, Problem> {
    match counter::current(&app.desk, &duty.staff).await? {
        Some(visit) => served(&app, duty, &visit).await,
        None => start(duty, &Filled::default()),
    }
}

async fn served(app: &App, duty: Duty, visit: &Visit) -> Result<Response, Problem> {
    let words = duty.frame.words;
    let offered = app
        .desk
        .catalogue
        .all()
        .filter(|service| service.meta.channels.contains(&Channel::Counter));
    let services = offered.map(|service| {
        (
            service.id.clone(),
            words.of(&service.meta.name).to_owned(),
            words.of(&service.meta.summary).to_owned(),
        )
    });
    let lines = counter::cases(&app.desk, visit).await?;
    let lines = lines.into_iter().map(|case| Line {
        service: words.of(&case.service.meta.name).to_owned(),
        state: words.t(&format!("state-{}", transition::name(case.state))),
        number: case.number.unwrap_or_default(),
        opened: words.time(case.opened),
        href: address(case.id, if case.state == CaseState::Draft { "" } else { "done" }),
    });
    page(&VisitPage {
        person: visit.person.name.clone(),
        national_id: visit.person.national_id.reveal().to_owned(),
        birth_date: words.date(visit.birth_date),
        shown: document(words, visit.shown),
        agent: visit.agent.as_ref().map(|agent| agent.name.clone()),
        services: services.collect(),
        lines: lines.collect(),
        frame: duty.frame,
        staff: duty.staff,
    })
}

/// `POST /counter`: begins to serve a person.
pub(super) async fn begin(State(app): State<App>, duty: Duty, posted: Posted) -> Result<Response, Problem> {
    let words = duty.frame.words;
    // who may not serve is told so before what was typed is looked at
    counter::current(&app.desk, &duty.staff).await?;
    let mut filled = Filled::of(&posted);
    let Some(new) = filled.read(words) else {
        return start(duty, &filled);
    };
    let wrong = match counter::begin(&app.desk, &duty.staff, new).await {
        Ok(()) => return Ok(onward("/counter")),
        Err(CaseError::Input {
            field: "name",
            problem: "differs",
        }) => ("renamed", "name", "counter-error-differs"),
        Err(CaseError::Input { field: "name", .. }) => ("name", "name", "counter-error-name"),
        Err(CaseError::Input { field: "agent_id", .. }) => ("agent_id", "agent_id", "counter-error-agent-same"),
        Err(CaseError::Input {
            field: "agent_name", ..
        }) => ("agent_name", "agent_name", "counter-error-agent-name"),
        Err(CaseError::Input { .. }) => ("birth_date.year", "birth_date", "counter-error-birth-date"),
        Err(error) => return Err(error.into()),
    };
    filled.errors.push((wrong.0, wrong.1, words.t(wrong.2)));
    start(duty, &filled)
}

/// `POST /counter/end`: the person goes.
pub(super) async fn end(State(app): State<App>, duty: Duty, _: Posted) -> Result<Response, Problem> {
    counter::end(&app.desk, &duty.staff).await?;
    Ok(onward("/counter"))
}

#[derive(Template)]
#[template(path = "counter/closed.html")]
struct ClosedPage {
    frame: Frame,
    staff: Staff,
    text: String,
}

/// `POST /counter/open`: an application for a service, or the draft there is.
pub(super) async fn open(State(app): State<App>, serving: Serving, posted: Posted) -> Result<Response, Problem> {
    let Serving { frame, staff, visit } = serving;
    let words = frame.words;
    match counter::open(&app.desk, &visit, posted.text("service"), frame.language()).await {
        Ok(id) => {
            let draft = counter::draft(&app.desk, &visit, id).await?;
            Ok(onward(&next(&draft)))
        }
        Err(CaseError::Closed { next }) => page_with(
            StatusCode::CONFLICT,
            &ClosedPage {
                text: match next {
                    Some(opens) => words.t1("round-closed-next", "time", clock(words, opens)),
                    None => words.t("round-closed-now"),
                },
                frame,
                staff,
            },
        ),
        Err(error) => Err(error.into()),
    }
}
