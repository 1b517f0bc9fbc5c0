//! T-Road management (T-Road 管理平臺): interfaces with their traffic and switches, approvals, certificates, faults; and exchanges of late.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use cases::road::{
    self, AgreementRow, AgreementState, CertificateRow, Decision, Exchange, ExchangeOutcome, Filter, InterfaceRow,
    NewAgreement, Overview, Side,
};
use cases::{CaseError, Staff};
use serde::Deserialize;

use super::act::conflict;
use super::audit::day;
use super::{Duty, done};
use crate::address::{id, onward};
use crate::components::{Banner, Cell, Colour, ErrorSummary, Head, Table, Tag};
use crate::texts::Words;
use crate::{App, Frame, Posted, Problem, page, page_with};

/// The first page.
pub(super) const HERE: &str = "/office/road";
/// Days before its end from which a certificate is marked.
const SOON: i64 = 30;

/// The pages of T-Road.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route(HERE, get(show))
        .route("/office/road/exchanges", get(exchanges))
        .route("/office/road/agreements", post(apply))
        .route("/office/road/agreements/{id}/{act}", post(decide))
        .route("/office/road/switch", post(switch))
        .route("/office/road/probe", post(probe))
}

/// An interface in words.
struct Interface {
    row: InterfaceRow,
    state: Tag,
    kind: String,
    latency: String,
    bytes: String,
    switched: String,
}

/// An approval in words.
struct Agreement {
    row: AgreementRow,
    id: String,
    state: Tag,
    days: String,
    quota: String,
    fields: String,
}

#[derive(Template)]
#[template(path = "office/road.html")]
struct RoadPage {
    frame: Frame,
    staff: Staff,
    done: Option<Banner>,
    errors: Option<ErrorSummary>,
    own: String,
    closed: Option<String>,
    interfaces: Vec<Interface>,
    agreements: Vec<Agreement>,
    members: Vec<(String, String)>,
    certificates: Table,
    faults: Table,
    may_change: bool,
    typed: Typed,
}

/// What was typed into the form of an approval.
#[derive(Default)]
struct Typed {
    number: String,
    service: String,
    client: String,
    purpose: String,
    legal_ground: String,
    fields: String,
    from: String,
    to: String,
    quota: String,
    error: Option<(&'static str, String)>,
}

impl Typed {
    fn of(posted: &Posted) -> Typed {
        let text = |name: &str| posted.text(name).chars().take(10_000).collect::<String>();
        Typed {
            number: text("number"),
            service: text("service"),
            client: text("client"),
            purpose: text("purpose"),
            legal_ground: text("legal_ground"),
            fields: text("fields").replace("\r\n", "\n"),
            from: text("from"),
            to: text("to"),
            quota: text("daily_quota"),
            error: None,
        }
    }

    /// The sentence at a field, where it is the one that is wrong.
    fn wrong(&self, field: &str) -> Option<&str> {
        self.error
            .as_ref()
            .filter(|(at, _)| *at == field)
            .map(|(_, text)| text.as_str())
    }
}

fn table(words: Words, caption: &str, head: &[(&str, bool)], rows: Vec<Vec<Cell>>) -> Table {
    let head = head.iter().map(|(key, number)| match number {
        true => Head::number(words.t(key)),
        false => Head::text(words.t(key)),
    });
    Table {
        caption: words.t(caption),
        head: head.collect(),
        rows,
    }
}

fn certificates(words: Words, rows: Vec<CertificateRow>) -> Table {
    let rows = rows.into_iter().map(|row| {
        let tag = match (&row.problem, row.days) {
            (Some(_), _) => Tag::new(words.t("road-certificate-bad"), Colour::Red),
            (None, days) if days < SOON => Tag::new(words.t1("road-certificate-days", "n", days), Colour::Yellow),
            (None, days) => Tag::new(words.t1("road-certificate-days", "n", days), Colour::Green),
        };
        vec![
            Cell::text(row.member),
            Cell::text(words.t(if row.signs {
                "road-certificate-signs"
            } else {
                "road-certificate-connects"
            })),
            Cell::text(row.subject),
            Cell::text(words.time(row.until)),
            Cell::tag(tag),
            Cell::text(row.problem.unwrap_or_else(|| words.t("none"))),
        ]
    });
    table(
        words,
        "road-certificates",
        &[
            ("road-member", false),
            ("road-certificate-for", false),
            ("road-certificate-holder", false),
            ("road-certificate-until", false),
            ("office-queue-state", false),
            ("road-certificate-problem", false),
        ],
        rows.collect(),
    )
}

fn interface(words: Words, row: InterfaceRow) -> Interface {
    Interface {
        state: if row.enabled {
            Tag::new(words.t("road-on"), Colour::Green)
        } else {
            Tag::new(words.t("road-off"), Colour::Red)
        },
        kind: words.t(if row.offered { "road-offered" } else { "road-used" }),
        latency: row
            .latency_ms
            .map_or_else(|| words.t("none"), |(middle, late)| format!("{middle:.1} / {late:.1}")),
        bytes: format!("{} / {}", row.bytes.0, row.bytes.1),
        switched: row.switched.as_ref().map_or_else(String::new, |(reason, at)| {
            words.with(
                "road-switched",
                &[("reason", reason.clone()), ("time", words.time(*at))],
            )
        }),
        row,
    }
}

fn agreement(words: Words, row: AgreementRow) -> Agreement {
    let (key, colour) = match row.state {
        AgreementState::Applied => ("road-state-applied", Colour::Yellow),
        AgreementState::Approved => ("road-state-approved", Colour::Green),
        AgreementState::Refused => ("road-state-refused", Colour::Red),
        AgreementState::Ended => ("road-state-ended", Colour::Grey),
    };
    Agreement {
        id: row.id.map(|id| id.to_string()).unwrap_or_default(),
        state: Tag::new(words.t(key), colour),
        days: format!("{} – {}", words.date(row.days.0), words.date(row.days.1)),
        quota: match row.quota {
            (used, Some(most)) => format!("{used} / {most}"),
            (used, None) => used.to_string(),
        },
        fields: row.fields.join("、"),
        row,
    }
}

async fn render(
    app: &App,
    duty: Duty,
    done: Option<Banner>,
    typed: Typed,
    more: Option<(&'static str, String)>,
) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    let words = frame.words;
    let view: Overview = road::overview(&app.desk, &staff).await?;
    let errors: Vec<(String, String)> = typed
        .error
        .iter()
        .cloned()
        .chain(more)
        .map(|(field, text)| (field.to_owned(), text))
        .collect();
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let faults = view
        .faults
        .into_iter()
        .map(|(fault, number)| vec![Cell::text(fault), Cell::text(number.to_string())]);
    page_with(
        status,
        &RoadPage {
            done,
            errors: (!errors.is_empty()).then_some(ErrorSummary { words, errors }),
            own: view.own,
            closed: view.closed,
            interfaces: view.interfaces.into_iter().map(|row| interface(words, row)).collect(),
            agreements: view.agreements.into_iter().map(|row| agreement(words, row)).collect(),
            members: view.members,
            certificates: certificates(words, view.certificates),
            faults: table(
                words,
                "road-faults",
                &[("road-fault", false), ("road-number", true)],
                faults.collect(),
            ),
            may_change: view.may_change,
            typed,
            frame,
            staff,
        },
    )
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    done: String,
}

/// `GET /office/road`
async fn show(State(app): State<App>, duty: Duty, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let banner = done(&duty.frame, &asked.done);
    render(&app, duty, banner, Typed::default(), None).await
}

/// The sentence for a field that is wrong.
fn sentence(words: Words, field: &str, problem: &str) -> String {
    let key = format!("road-error-{}-{}", field.replace('_', "-"), problem.replace('_', "-"));
    if words.has(&key) {
        words.t(&key)
    } else {
        words.t(&format!("road-error-{}", problem.replace('_', "-")))
    }
}

/// `POST /office/road/agreements`
async fn apply(State(app): State<App>, duty: Duty, posted: Posted) -> Result<Response, Problem> {
    let words = duty.frame.words;
    let mut typed = Typed::of(&posted);
    let quota = typed.quota.trim();
    let daily_quota = match quota {
        "" => Some(None),
        text => text.parse().ok().filter(|number| *number > 0).map(Some),
    };
    let Some(daily_quota) = daily_quota else {
        // who may not ask is told so before what was typed is looked at
        road::overview(&app.desk, &duty.staff).await?;
        typed.error = Some(("daily_quota", words.t("road-error-daily-quota")));
        return render(&app, duty, None, typed, None).await;
    };
    let new = NewAgreement {
        number: typed.number.clone(),
        service: typed.service.clone(),
        client: typed.client.clone(),
        purpose: typed.purpose.clone(),
        legal_ground: typed.legal_ground.clone(),
        fields: typed.fields.clone(),
        from: day(typed.from.trim()),
        to: day(typed.to.trim()),
        daily_quota,
    };
    match road::apply(&app.desk, &duty.staff, &new).await {
        Ok(()) => Ok(onward("/office/road?done=road-applied")),
        Err(CaseError::Input { field, problem }) => {
            typed.error = Some((field, sentence(words, field, problem)));
            render(&app, duty, None, typed, None).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /office/road/agreements/{id}/{act}`: approves, refuses or ends.
async fn decide(
    State(app): State<App>,
    duty: Duty,
    Path((agreement, act)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, Problem> {
    let words = duty.frame.words;
    let agreement = id(&agreement)?;
    let revision = posted.value("revision")?;
    let reason = posted.text("reason");
    let (desk, staff) = (&app.desk, &duty.staff);
    let result = match act.as_str() {
        "approve" => road::decide(desk, staff, agreement, revision, Decision::Approve, reason).await,
        "refuse" => road::decide(desk, staff, agreement, revision, Decision::Refuse, reason).await,
        "end" => road::end(desk, staff, agreement, revision, reason).await,
        _ => return Err(Problem::NotFound),
    };
    match result {
        Ok(()) => Ok(onward("/office/road?done=road-decided")),
        Err(CaseError::Conflict(_)) => conflict(duty, HERE.to_owned()),
        Err(CaseError::Input { .. }) => {
            let error = Some(("agreements", words.t("road-error-reason")));
            render(&app, duty, None, Typed::default(), error).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /office/road/switch`
async fn switch(State(app): State<App>, duty: Duty, posted: Posted) -> Result<Response, Problem> {
    let words = duty.frame.words;
    let on = posted.text("on") == "yes";
    match road::switch(
        &app.desk,
        &duty.staff,
        posted.text("service"),
        on,
        posted.text("reason"),
    )
    .await
    {
        Ok(()) => Ok(onward("/office/road?done=road-switched")),
        Err(CaseError::Input { .. }) => {
            let error = Some(("interfaces", words.t("road-error-reason")));
            render(&app, duty, None, Typed::default(), error).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /office/road/probe`: tries the way to a provider.
async fn probe(State(app): State<App>, duty: Duty, posted: Posted) -> Result<Response, Problem> {
    let words = duty.frame.words;
    match road::probe(&app.desk, &duty.staff, posted.text("service")).await {
        Ok(()) => Ok(onward("/office/road?done=road-probed")),
        Err(CaseError::Outside { problem, .. }) => {
            let error = Some(("interfaces", words.t1("road-probe-failed", "problem", problem)));
            render(&app, duty, None, Typed::default(), error).await
        }
        Err(error) => Err(error.into()),
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Wanted {
    service: String,
    outcome: String,
    id: String,
}

#[derive(Template)]
#[template(path = "office/road_exchanges.html")]
struct ExchangesPage {
    frame: Frame,
    staff: Staff,
    wanted: Wanted,
    /// Word, text, and whether it is chosen.
    outcomes: Vec<(&'static str, String, bool)>,
    exchanges: Table,
}

/// How an exchange ended: its word in addresses, the key of its text, its colour.
const OUTCOMES: [(&str, &str, ExchangeOutcome, Colour); 5] = [
    ("done", "road-outcome-done", ExchangeOutcome::Done, Colour::Green),
    (
        "application",
        "road-outcome-application",
        ExchangeOutcome::Application,
        Colour::Yellow,
    ),
    ("own", "road-outcome-own", ExchangeOutcome::Own, Colour::Red),
    ("road", "road-outcome-road", ExchangeOutcome::Road, Colour::Red),
    (
        "aborted",
        "road-outcome-aborted",
        ExchangeOutcome::Aborted,
        Colour::Grey,
    ),
];

fn outcome(words: Words, outcome: ExchangeOutcome) -> Tag {
    let mut all = OUTCOMES.into_iter();
    let found = all.find(|(_, _, one, _)| *one == outcome);
    found.map_or_else(
        || Tag::new(String::new(), Colour::Grey),
        |(_, key, _, colour)| Tag::new(words.t(key), colour),
    )
}

fn listed(words: Words, rows: Vec<Exchange>) -> Table {
    let rows = rows.into_iter().map(|row| {
        vec![
            Cell::text(row.seq.to_string()),
            Cell::text(words.time(row.at)),
            Cell::text(words.t(match row.side {
                Side::Consumer => "road-side-consumer",
                Side::Provider => "road-side-provider",
            })),
            Cell::text(row.client),
            Cell::text(row.service),
            Cell::text(row.endpoint),
            Cell::tag(outcome(words, row.outcome)),
            Cell::text(row.status.to_string()),
            Cell::text(row.fault.unwrap_or_else(|| words.t("none"))),
            Cell::text(row.latency_ms.to_string()),
            Cell::text(row.id),
        ]
    });
    table(
        words,
        "road-exchanges",
        &[
            ("road-line", true),
            ("road-time", false),
            ("road-side", false),
            ("road-client", false),
            ("road-service", false),
            ("road-endpoint", false),
            ("road-ended", false),
            ("road-status", true),
            ("road-fault", false),
            ("road-milliseconds", true),
            ("road-message", false),
        ],
        rows.collect(),
    )
}

/// `GET /office/road/exchanges`
async fn exchanges(State(app): State<App>, duty: Duty, Query(wanted): Query<Wanted>) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    let words = frame.words;
    let chosen = OUTCOMES.iter().find(|(word, ..)| *word == wanted.outcome);
    let service = match wanted.service.trim() {
        "" => Ok(None),
        name => name.parse().map(Some).map_err(|_| ()),
    };
    // a name that nobody can have fits no exchange
    let none_fits = service.is_err();
    let filter = Filter {
        service: service.ok().flatten(),
        outcome: chosen.map(|(_, _, outcome, _)| *outcome),
        id: Some(wanted.id.trim().to_owned()).filter(|id| !id.is_empty()),
        ..Filter::default()
    };
    let mut found = road::exchanges(&app.desk, &staff, &filter)?;
    if none_fits {
        found.clear();
    }
    page(&ExchangesPage {
        exchanges: listed(words, found),
        outcomes: OUTCOMES
            .iter()
            .map(|(word, key, ..)| (*word, words.t(key), *word == wanted.outcome))
            .collect(),
        wanted,
        frame,
        staff,
    })
}
