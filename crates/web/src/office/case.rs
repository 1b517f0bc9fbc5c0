//! The case file: form, source and difference beside the rule's explanation, what can be done, and what happened.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use cases::review::{self, CaseFile, SideBySide};
use cases::{Act, Desk, Staff};
use civic::Language;
use civic::ids::{ApplicationId, LetterId};
use rules::{Decision, Entity};
use serde::Deserialize;
use serde_json::Value;
use services::Service;
use services::form::Answers;
use store::tables::payment;

use super::appeals::{More, more};
use super::later::{self, LaterCard};
use super::queue::{Left, left, short, state_tag};
use super::{Duty, document, done, lookups};
use crate::address::{application, id};
use crate::components::{Banner, ErrorSummary, Event, Finding, Outcome, Table, Tag, Timeline};
use crate::texts::Words;
use crate::{App, Frame, Problem, page_with};

/// Days a correction may be given, the usual one first.
pub(super) const DAYS: [i32; 3] = [14, 7, 30];

/// What an officer typed into the acts of a case, to be shown again.
#[derive(Clone, Debug, Default)]
pub(super) struct Typed {
    pub(super) note: String,
    /// The reasons; what the rules say until the officer has typed.
    pub(super) reasons: Option<String>,
    pub(super) message: String,
    pub(super) fields: BTreeSet<String>,
    pub(super) days: i32,
    /// Which act was refused: `refuse`, `correction`, or empty.
    pub(super) open: &'static str,
    /// Id of the input, and what to do there.
    pub(super) error: Option<(&'static str, String)>,
}

struct Group {
    title: String,
    rows: Vec<Line>,
}

struct Line {
    label: String,
    form: String,
    source: String,
    from: String,
    difference: Difference,
    /// The value a correction asks by.
    name: String,
    asked: bool,
}

enum Difference {
    Same,
    Other,
    Alone,
}

/// A step of the rules as a row.
struct Step {
    rank: u8,
    class: &'static str,
    sign: &'static str,
    word: String,
    title: String,
    person: Option<String>,
    value: String,
    law: String,
}

struct Letter {
    href: String,
    title: String,
    at: String,
}

struct Came {
    name: String,
    status: String,
    signer: String,
    at: String,
    digest: String,
}

struct Paid {
    period: String,
    amount: String,
    state: String,
    reason: String,
}

#[derive(Template)]
#[template(path = "office/case.html")]
struct CasePage {
    frame: Frame,
    staff: Staff,
    done: Option<Banner>,
    errors: Option<ErrorSummary>,
    here: String,
    revision: i64,
    number: String,
    service: String,
    state: Tag,
    facts: Vec<(String, String)>,
    clock: Left,
    account_refused: bool,
    outcome: Outcome,
    minimum: Vec<Step>,
    steps: Vec<Step>,
    figures: Vec<Step>,
    waiting: Vec<String>,
    groups: Vec<Group>,
    lookups: Vec<lookups::Asking>,
    evidence: Vec<Came>,
    letters: Vec<Letter>,
    messages: Table,
    payments: Vec<Paid>,
    timeline: Timeline,
    take: bool,
    mine: bool,
    approve: bool,
    may_approve: bool,
    refuse: bool,
    correct: bool,
    give_back: bool,
    undo: bool,
    undo_until: Option<String>,
    typed: Typed,
    reasons: String,
    prefilled: String,
    days: Vec<(i32, String, bool)>,
    later: Option<LaterCard>,
    more: More,
}

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    done: String,
}

/// `GET /office/cases/{id}`
pub(super) async fn show(
    State(app): State<App>,
    duty: Duty,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let done = done(&duty.frame, &asked.done);
    render(
        &app,
        duty,
        application(&id)?,
        StatusCode::OK,
        done,
        Typed {
            days: DAYS[0],
            ..Typed::default()
        },
    )
    .await
}

/// The page of a case, with what was typed where an act was refused.
pub(super) async fn render(
    app: &App,
    duty: Duty,
    id: ApplicationId,
    status: StatusCode,
    done: Option<Banner>,
    typed: Typed,
) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    let words = frame.words;
    let file = review::case(&app.desk, &staff, id).await?;
    let may = |act: Act| file.allowed.contains(&act);
    let more = more(app, words, &staff, &file).await?;
    let (mut minimum, mut steps) = (Vec::new(), steps(words, &file));
    steps.sort_by_key(|step| step.rank);
    while steps.first().is_some_and(|step| step.rank == 0) {
        minimum.push(steps.remove(0));
    }
    let figures = steps.split_off(steps.partition_point(|step| step.rank < 4));
    let here = format!("/office/cases/{}", id.uuid());
    let mine = file.assigned_to_me;
    let page = CasePage {
        done,
        errors: typed.error.as_ref().map(|(id, text)| ErrorSummary {
            words,
            errors: vec![((*id).to_owned(), text.clone())],
        }),
        revision: file.revision,
        number: file.number.clone(),
        service: words.of(&file.service.meta.name).to_owned(),
        state: state_tag(words, file.state),
        facts: facts(&app.desk, words, &file),
        clock: left(words, file.state, file.stopped, file.days_left),
        account_refused: file.account_refused,
        outcome: outcome(words, &file.service, &file.decision),
        waiting: waiting(words, &file.service, &file.answers, &file.decision),
        groups: groups(&app.desk, words, &file.rows, &typed.fields),
        lookups: lookups::questions(words, &file.lookups),
        evidence: evidence(&app.desk, words, &file),
        messages: super::messages::of_case(words, file.deliveries.clone()),
        letters: file
            .letters
            .iter()
            .map(|letter| Letter {
                href: format!("{here}/letters/{}", letter.id.uuid()),
                title: words.t(&format!("office-letter-{}", letter.kind)),
                at: words.time(letter.at),
            })
            .collect(),
        payments: file
            .payments
            .iter()
            .map(|payment| Paid {
                period: payment.period.clone(),
                amount: words.money(payment.amount),
                state: words.t(payment_key(payment.state)),
                reason: payment
                    .reason
                    .as_deref()
                    .map(|code| reason(words, code))
                    .unwrap_or_default(),
            })
            .collect(),
        timeline: timeline(&app.desk, words, &file),
        take: may(Act::Take),
        mine,
        approve: mine && may(Act::Approve),
        may_approve: file.decision.outcome == Some(true) && !more.waits,
        refuse: mine && may(Act::Refuse) && !more.waits,
        correct: mine && may(Act::RequestCorrection),
        give_back: mine && may(Act::GiveBack),
        undo: mine && may(Act::Undo),
        undo_until: file.undo_until.map(|until| words.time(until)),
        reasons: typed.reasons.clone().unwrap_or_else(|| prefilled(&file)),
        prefilled: prefilled(&file),
        days: DAYS
            .into_iter()
            .map(|n| (n, correction_day(&app.desk, words, n), n == typed.days))
            .collect(),
        later: later::card(words, &file),
        minimum,
        steps,
        figures,
        typed,
        more,
        here,
        frame,
        staff,
    };
    page_with(status, &page)
}

/// The working day a correction of so many days is due.
pub(super) fn due(desk: &Desk, days: i32) -> jiff::civil::Date {
    let days = u16::try_from(days).unwrap_or(14);
    desk.calendar.add_calendar_days(desk.today(), days)
}

fn correction_day(desk: &Desk, words: Words, days: i32) -> String {
    words.with(
        "office-correction-days",
        &[("n", days.to_string()), ("day", words.date(due(desk, days)))],
    )
}

fn facts(desk: &Desk, words: Words, file: &CaseFile) -> Vec<(String, String)> {
    let mut facts = vec![
        (words.t("office-case-submitted"), words.time(file.submitted)),
        (
            words.t("office-case-channel"),
            words.t(&format!("office-channel-{}", file.channel)),
        ),
        (
            words.t("office-case-deadline"),
            file.deadline.map_or_else(|| words.t("none"), |day| words.date(day)),
        ),
        (words.t("office-case-law-day"), words.date(file.decision.reference_date)),
    ];
    if file.stopped_days > 0 {
        facts.push((
            words.t("office-case-stopped-days"),
            words.t1("office-case-stopped-days-n", "n", file.stopped_days),
        ));
    }
    if let Some(correction) = &file.correction {
        let left = desk.calendar.working_days_between(desk.today(), correction.due);
        let text = words.with(
            "office-case-correction-due-text",
            &[("day", short(words, correction.due)), ("n", left.max(0).to_string())],
        );
        facts.push((words.t("office-case-correction-due"), text));
        facts.push((words.t("office-case-correction-text"), correction.message.clone()));
    }
    facts
}

fn outcome(words: Words, service: &Service, decision: &Decision) -> Outcome {
    let (finding, key) = match decision.outcome {
        Some(true) => (Finding::Good, "office-outcome-eligible"),
        Some(false) => (Finding::Bad, "office-outcome-ineligible"),
        None => (Finding::Open, "office-outcome-open"),
    };
    let title = |name: &str| {
        service
            .rules
            .steps()
            .iter()
            .find(|step| step.name == *name)
            .map_or_else(|| name.to_owned(), |step| words.of(&step.title).to_owned())
    };
    let amounts = decision.amounts.iter().filter(|_| decision.outcome == Some(true));
    Outcome {
        finding,
        title: words.t(key),
        amounts: amounts
            // an amount of zero is one that is not paid
            .filter_map(|(name, amount)| {
                let amount = amount.filter(|amount| *amount > 0)?;
                Some((title(name), words.money(amount)))
            })
            .collect(),
        text: words.t(&format!("{key}-text")),
    }
}

/// The person an id of the rules stands for.
fn person(words: Words, service: &Service, answers: &Answers, id: &str) -> String {
    service.form.person_group().map_or_else(
        || id.to_owned(),
        |group| service.form.item_name(&group.id, id, answers, words.language),
    )
}

fn steps(words: Words, file: &CaseFile) -> Vec<Step> {
    let decision = &file.decision;
    let infos = file.service.rules.steps();
    let found = decision.steps.iter().filter_map(|step| {
        infos
            .iter()
            .find(|info| info.name == step.name)
            .map(|info| (step, info))
    });
    found
        .map(|(step, info)| {
            let (rank, class, sign, key) = match (info.is_condition, &step.value) {
                (true, Value::Bool(false)) if decision.minimum.contains(&step.name) => {
                    (0, "failed", "✕", "reason-failed")
                }
                (true, Value::Bool(false)) => (1, "failed", "✕", "reason-failed"),
                (true, Value::Null) => (2, "open", "？", "reason-open"),
                (true, _) => (3, "met", "✓", "reason-met"),
                (false, _) => (4, "figure", "＝", "office-step-figure"),
            };
            Step {
                rank,
                class,
                sign,
                word: words.t(key),
                title: words.of(&info.title).to_owned(),
                person: step
                    .person
                    .as_deref()
                    .map(|id| person(words, &file.service, &file.answers, id)),
                value: if rank < 4 && !step.value.is_null() {
                    String::new()
                } else {
                    value(words, &step.value, info.unit.as_deref())
                },
                law: info.law.clone(),
            }
        })
        .collect()
}

/// A value of the rules as people read it.
fn value(words: Words, value: &Value, unit: Option<&str>) -> String {
    match value {
        Value::Null => words.t("office-value-unknown"),
        Value::Bool(true) => words.t("yes"),
        Value::Bool(false) => words.t("no"),
        Value::Number(number) => match number.as_i64() {
            Some(whole) if unit.is_some_and(|unit| unit.starts_with("NT$")) => words.money(whole),
            Some(whole) => civic::Money(whole).grouped(),
            None => number.to_string(),
        },
        Value::String(text) => match text.parse::<jiff::civil::Date>() {
            Ok(day) => words.date(day),
            Err(_) => text.clone(),
        },
        other => other.to_string(),
    }
}

fn waiting(words: Words, service: &Service, answers: &Answers, decision: &Decision) -> Vec<String> {
    let title = |entity: Entity, name: &str| {
        let input = service
            .rules
            .inputs()
            .iter()
            .find(|input| input.entity == entity && input.name == name);
        input.map_or_else(|| name.to_owned(), |input| words.of(&input.title).to_owned())
    };
    let one = |input: &rules::InputRef| {
        let title = title(input.entity, &input.name);
        match &input.person {
            Some(id) => format!("{title}（{}）", person(words, service, answers, id)),
            None => title,
        }
    };
    decision.waiting.iter().map(one).collect()
}

/// The reasons a refusal begins with: one line for each condition of the smallest set that explains it.
fn prefilled(file: &CaseFile) -> String {
    let steps = file.service.rules.steps();
    let names = if file.decision.minimum.is_empty() {
        &file.decision.failed
    } else {
        &file.decision.minimum
    };
    let found = names
        .iter()
        .filter_map(|name| steps.iter().find(|step| step.name == *name));
    let lines: Vec<String> = found
        .map(|step| format!("不符合「{}」（{}）。", step.title.get(Language::ZhTw), step.law))
        .collect();
    lines.join("\n")
}

fn source_name(desk: &Desk, words: Words, name: &str) -> String {
    match name {
        "profile" => words.t("office-source-profile"),
        "register" => words.t("office-source-register"),
        other => match other.strip_prefix(cases::review::EARLIER) {
            Some(number) => words.t1("office-source-earlier", "number", number),
            None => data_set(desk, words, other),
        },
    }
}

/// What a MyData set or a card is called; its id where nothing names it.
fn data_set(desk: &Desk, words: Words, set: &str) -> String {
    let catalogue = &desk.catalogue;
    let title = catalogue.mapping(set).map(|mapping| &mapping.title);
    let title = title.or_else(|| catalogue.card(set).map(|card| &card.title));
    title.map_or_else(|| set.to_owned(), |title| words.of(title).to_owned())
}

fn groups(desk: &Desk, words: Words, rows: &[SideBySide], asked: &BTreeSet<String>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for row in rows {
        let name = format!("{}：{}", row.page, row.label);
        let difference = match (&row.source, row.differs) {
            (Some(_), true) => Difference::Other,
            (Some(_), false) => Difference::Same,
            (None, _) => Difference::Alone,
        };
        let blank = |text: &str| {
            if text.is_empty() {
                words.t("office-value-empty")
            } else {
                text.to_owned()
            }
        };
        let line = Line {
            label: row.label.clone(),
            form: match &row.before {
                Some(before) => words.with(
                    "office-confirm-was",
                    &[("now", row.form.clone()), ("before", blank(before))],
                ),
                None => blank(&row.form),
            },
            source: row.source.as_deref().map(blank).unwrap_or_default(),
            from: row
                .source_name
                .as_deref()
                .map(|name| source_name(desk, words, name))
                .unwrap_or_default(),
            difference,
            asked: asked.contains(&name),
            name,
        };
        match groups.last_mut().filter(|group| group.title == row.page) {
            Some(group) => group.rows.push(line),
            None => groups.push(Group {
                title: row.page.clone(),
                rows: vec![line],
            }),
        }
    }
    groups
}

fn evidence(desk: &Desk, words: Words, file: &CaseFile) -> Vec<Came> {
    let view = |one: &review::EvidenceView| Came {
        name: data_set(desk, words, &one.resource),
        status: words.t(&format!("office-evidence-{}", one.status)),
        signer: one.signer.clone().unwrap_or_else(|| words.t("none")),
        at: words.time(one.received),
        digest: one.digest.chars().take(12).collect(),
    };
    file.evidence.iter().map(view).collect()
}

fn timeline(desk: &Desk, words: Words, file: &CaseFile) -> Timeline {
    let events = file.events.iter().map(|event| Event {
        at: event.at,
        title: words.t(&format!("office-event-{}", event.kind.replace('_', "-"))),
        by: Some(match (&event.name, event.actor.as_str()) {
            (Some(name), "agent" | "assistant") => words.t1(&format!("office-by-{}", event.actor), "name", name),
            (Some(name), _) => name.clone(),
            (None, actor) => words.t(&format!("office-actor-{actor}")),
        }),
        text: crate::resident::event_text(desk, words, event),
    });
    Timeline {
        words,
        events: events.collect(),
    }
}

pub(super) fn payment_key(state: payment::State) -> &'static str {
    match state {
        payment::State::Due => "office-payment-due",
        payment::State::Held => "office-payment-held",
        payment::State::Batched => "office-payment-batched",
        payment::State::Released => "office-payment-released",
        payment::State::Paid => "office-payment-paid",
        payment::State::Rejected => "office-payment-rejected",
    }
}

/// The bank's reason code in words, the code behind them.
pub(super) fn reason(words: Words, code: &str) -> String {
    let plain = code.len() <= 4 && code.chars().all(|c| c.is_ascii_alphanumeric());
    let key = format!("office-bank-{code}");
    let text = if plain && words.has(&key) {
        words.t(&key)
    } else {
        words.t("office-bank-other")
    };
    format!("{text} ({})", code.chars().take(35).collect::<String>())
}

/// `GET /office/cases/{id}/letters/{letter}`
pub(super) async fn letter(
    State(app): State<App>,
    duty: Duty,
    Path((case, letter)): Path<(String, String)>,
) -> Result<Response, Problem> {
    application(&case)?;
    let letter = id(&letter)?;
    let bytes = review::letter(&app.desk, &duty.staff, LetterId::from_uuid(letter)).await?;
    Ok(document("application/pdf", "inline", &format!("{letter}.pdf"), bytes))
}
