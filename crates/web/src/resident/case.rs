//! My applications (我的申請): the list, and each with what happened and what is to do.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use cases::mine::{self, Mine};
use cases::{State as CaseState, collect, transition};
use civic::ids::LetterId;
use serde::Deserialize;
use uuid::Uuid;

use super::change::{self, ChangeCard, ClaimCard};
use super::roll::{self, LineCard};
use super::rounds::{self, TicketCard, cards};
use super::{Resident, agents, apply, explained};
use crate::address::application;
use crate::components::{
    Banner, Cell, Colour, Event, Head, Outcome, Reasons, Row, SummaryList, Table, Tag, Task, TaskList, Timeline,
};
use crate::texts::Words;
use crate::{App, Frame, Problem, page, page_with};

/// A line of the list.
struct Line {
    /// Its page; none while its service is not on offer.
    href: Option<String>,
    service: String,
    number: Option<String>,
    state: Tag,
    when: String,
}

#[derive(Template)]
#[template(path = "resident/applications.html")]
struct ApplicationsPage {
    frame: Frame,
    name: String,
    lines: Vec<Line>,
}

/// The state in a word.
fn state(words: Words, mine: &Mine) -> Tag {
    let colour = match (mine.state, mine.outcome.as_deref()) {
        (CaseState::Draft | CaseState::Correction, _) => Colour::Yellow,
        (CaseState::Completed, Some("approved")) => Colour::Green,
        (CaseState::Completed, _) => Colour::Red,
        (CaseState::Withdrawn | CaseState::Disposed, _) => Colour::Grey,
        _ => Colour::Blue,
    };
    let word = match (mine.state, mine.outcome.as_deref()) {
        (CaseState::Completed, Some(outcome)) => outcome.to_owned(),
        (CaseState::Submitted, _) if mine.is_listed => "listed".to_owned(),
        (state, _) => transition::name(state).to_owned(),
    };
    Tag::new(words.t(&format!("state-{word}")), colour)
}

/// `GET /applications`
pub(super) async fn list(State(app): State<App>, resident: Resident) -> Result<Response, Problem> {
    let Resident { frame, person } = resident;
    let words = frame.words;
    let found = mine::cases(&app.desk, &person).await?;
    let lines = found.iter().map(|mine| Line {
        href: mine.on_offer.then(|| format!("/applications/{}", mine.id)),
        service: words.of(&mine.service).to_owned(),
        number: mine.number.clone(),
        state: state(words, mine),
        when: match mine.submitted {
            Some(at) => words.t1("case-submitted", "time", words.time(at)),
            None => words.t1("case-opened", "time", words.time(mine.opened)),
        },
    });
    page(&ApplicationsPage {
        lines: lines.collect(),
        name: person.name.clone(),
        frame,
    })
}

#[derive(Template)]
#[template(path = "resident/draft.html")]
struct DraftPage {
    frame: Frame,
    service: String,
    tasks: TaskList,
    /// Why it can't be handed in now, where its round is closed.
    closed: Option<String>,
    next: String,
    until: String,
}

#[derive(Template)]
#[template(path = "resident/case.html")]
struct CasePage {
    frame: Frame,
    id: String,
    service: String,
    number: String,
    state: Tag,
    facts: SummaryList,
    /// What is to do now, with its address and word.
    todo: Option<(Banner, String, String)>,
    outcome: Option<Outcome>,
    reasons: Option<Reasons>,
    /// Address, title and time of each letter.
    letters: Vec<(String, String, String)>,
    payments: Option<Table>,
    /// The roll it stands on, where nobody applied.
    line: Option<LineCard>,
    /// What became of what the person just did.
    late: Option<Banner>,
    tickets: Vec<TicketCard>,
    timeline: Timeline,
    survey: Option<i16>,
    ask_survey: bool,
    can_withdraw: bool,
    answers: SummaryList,
    /// How the confirmation by an outside body stands.
    confirmation: Option<String>,
    /// What it is the later case of, and where that stands.
    later: Option<(String, String)>,
    change: Option<ChangeCard>,
    claims: Vec<ClaimCard>,
    /// Word of the way to the appeal, where there is one.
    appeal: Option<String>,
    /// The card for the digital wallet, where there is one: its title, and what to do with it.
    card: Option<(String, String)>,
}

/// What the address carries beside the application.
#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    ticket: String,
}

/// `GET /applications/{id}`
pub(super) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
    resident: Resident,
) -> Result<Response, Problem> {
    show_with(&app, &id, resident, &asked.ticket, None).await
}

/// The page of a case, with an objection that was not taken: what was typed, and the key of what is wrong.
pub(super) async fn show_with(
    app: &App,
    id: &str,
    resident: Resident,
    told: &str,
    objection: Option<(String, String)>,
) -> Result<Response, Problem> {
    let Resident { frame, person } = resident;
    let words = frame.words;
    let application = application(id)?;
    let case = mine::case(&app.desk, &person, application).await?;
    let service = words.of(&case.mine.service).to_owned();
    if case.mine.state == CaseState::Draft {
        let draft = collect::draft(&app.desk, &person, application).await?;
        let mut pages: Vec<&str> = draft
            .questions
            .iter()
            .map(|question| question.address.as_str())
            .collect();
        pages.dedup();
        let done = |yes: bool| {
            if yes {
                Tag::new(words.t("task-done"), Colour::Green)
            } else {
                Tag::new(words.t("task-open"), Colour::Yellow)
            }
        };
        let task = |title: &str, page: &str, open: bool, state, hint: Option<String>| Task {
            title: words.t(title),
            href: open.then(|| apply::address(application, page)),
            hint,
            state,
        };
        let filled = draft.answers.filled_from_sources() > 0;
        let mut tasks = vec![task("task-notice", "notice", true, done(draft.agreed), None)];
        if !draft.service.meta.mydata.is_empty() {
            let optional = if filled {
                done(true)
            } else {
                Tag::new(words.t("task-choice"), Colour::Blue)
            };
            tasks.push(task(
                "task-mydata",
                "mydata",
                draft.agreed,
                optional,
                Some(words.t("task-mydata-hint")),
            ));
        }
        if super::wallet::offers(app, &person, &draft) {
            let choice = Tag::new(words.t("task-choice"), Colour::Blue);
            let hint = Some(words.t("task-wallet-hint"));
            tasks.push(task("task-wallet", "wallet", draft.agreed, choice, hint));
        }
        let first = apply::question(&draft);
        let first = first
            .rsplit_once(&format!("{application}/"))
            .map_or("check", |(_, page)| page)
            .to_owned();
        let left = (!pages.is_empty()).then(|| words.t1("task-questions-left", "n", pages.len()));
        tasks.push(task(
            "task-questions",
            &first,
            draft.agreed && !pages.is_empty(),
            done(pages.is_empty()),
            left,
        ));
        tasks.push(task(
            "task-check",
            "check",
            draft.agreed && pages.is_empty(),
            done(false),
            None,
        ));
        return page(&DraftPage {
            service,
            tasks: TaskList { tasks },
            closed: rounds::closed(app, words, &draft.service),
            next: apply::next(&draft),
            until: words.date(civic::legal_day(draft.draft_until)),
            frame,
        });
    }
    let mut facts = Vec::new();
    if let Some(at) = case.mine.submitted {
        facts.push(Row::new(words.t("case-when"), words.time(at)));
    }
    if let (Some(day), None) = (case.mine.deadline, &case.mine.outcome) {
        facts.push(Row::new(words.t("case-deadline"), words.date(day)));
    }
    let banner = |text: String, detail: Option<String>| Banner {
        words,
        success: false,
        text,
        detail,
    };
    let todo = match (&case.correction, case.account_refused) {
        (Some(correction), _) if case.mine.state == CaseState::Correction && case.may_correct => Some((
            banner(
                words.t1("case-correct", "due", words.date(correction.due)),
                Some(correction.message.clone()),
            ),
            apply::address(application, "check"),
            words.t("case-correct-go"),
        )),
        (_, true) => Some((
            banner(words.t("case-account"), None),
            apply::address(application, "account"),
            words.t("case-account-go"),
        )),
        _ => None,
    };
    let letters = case.letters.iter().map(|letter| {
        (
            apply::address(application, &format!("letters/{}", letter.id)),
            words.t(&format!("letter-{}", letter.kind)),
            words.time(letter.at),
        )
    });
    let payments = (!case.payments.is_empty()).then(|| Table {
        caption: words.t("payments-title"),
        head: vec![
            Head::text(words.t("payments-month")),
            Head::number(words.t("payments-amount")),
            Head::text(words.t("payments-state")),
        ],
        rows: case
            .payments
            .iter()
            .map(|payment| {
                let month = payment.period.parse::<cases::Month>().map_or_else(
                    |_| payment.period.clone(),
                    |month| {
                        words.with(
                            "payments-of",
                            &[
                                ("year", month.roc_year().to_string()),
                                ("month", month.number().to_string()),
                            ],
                        )
                    },
                );
                let state = format!("payment-{}", payment_word(payment.state));
                vec![
                    Cell::text(month),
                    Cell::text(words.money(payment.amount)),
                    Cell::text(words.t(&state)),
                ]
            })
            .collect(),
    });
    let events = case.events.iter().map(|event| Event {
        at: event.at,
        title: agents::event(words, event),
        by: Some(agents::actor(words, event, &person)),
        text: super::event_text(&app.desk, words, event),
    });
    let answers = case.rows.iter().filter(|row| !row.form.is_empty()).map(|row| Row {
        note: case
            .answers
            .get(&row.key)
            .map(|answer| super::fields::source(words, &answer.source)),
        ..Row::new(row.label.clone(), row.form.clone())
    });
    let standing = cases::confirm::standing(&app.desk, application).await?;
    let confirmation = standing.filter(|_| case.mine.outcome.is_none()).map(|one| {
        use cases::confirm::ConfirmationState;
        let key = match one.state {
            ConfirmationState::Waiting => "case-confirm-waiting",
            ConfirmationState::Confirmed => "case-confirm-confirmed",
            ConfirmationState::Lapsed => "case-confirm-lapsed",
        };
        let due = one.due.map_or_else(String::new, |day| words.date(day));
        words.with(key, &[("body", words.of(&one.body).to_owned()), ("due", due)])
    });
    let appeal = match cases::appeal::mine(&app.desk, &person, application).await {
        Ok(appeals) if appeals.may_lodge => Some(words.t("appeal-link")),
        Ok(appeals) if !appeals.all.is_empty() => Some(words.t("appeal-see")),
        _ => None,
    };
    let line = case.line.as_ref().map(|line| {
        let every = case.service.meta.payment.every;
        let mut card = roll::card(words, id, line, every, &case);
        if let Some((typed, key)) = &objection {
            card.typed.clone_from(typed);
            card.error = Some(words.t(key));
        }
        card
    });
    let card = cases::wallet::card::mine(&app.desk, &person, application).await?;
    let card = card.map(|card| {
        let key = match (card.given.is_empty(), card.may_take) {
            (true, _) => "card-link",
            (false, true) => "card-link-taken",
            (false, false) => "card-link-over",
        };
        (words.of(&card.title).to_owned(), words.t(key))
    });
    let status = match &objection {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let case_page = CasePage {
        later: change::later(words, &case),
        change: change::card(words, &case),
        claims: change::claims(words, &case.claims),
        line,
        confirmation,
        appeal,
        card,
        state: state(words, &case.mine),
        number: case.mine.number.clone().unwrap_or_default(),
        outcome: case
            .decision
            .as_ref()
            .map(|decision| explained::outcome(words, &case.service, decision, case.mine.state)),
        reasons: case
            .decision
            .as_ref()
            .filter(|_| !case.hidden)
            .map(|decision| explained::reasons(words, &case.service, decision, &case.answers)),
        letters: letters.collect(),
        payments,
        late: match told {
            "late" => Some(banner(words.t("ticket-late"), None)),
            "objected" => Some(banner(words.t("line-objected-done"), None)),
            _ => None,
        },
        tickets: cards(words, id, &case.tickets, case.may_answer),
        timeline: Timeline {
            words,
            events: events.collect(),
        },
        survey: case.survey.and_then(|survey| survey.grade),
        ask_survey: case.survey.is_some_and(|survey| survey.grade.is_none()),
        can_withdraw: case.can_withdraw,
        answers: SummaryList {
            rows: answers.collect(),
        },
        facts: SummaryList { rows: facts },
        todo,
        service,
        id: id.to_owned(),
        frame,
    };
    page_with(status, &case_page)
}

/// The word of a payment's state, for the texts.
fn payment_word(state: store::tables::payment::State) -> &'static str {
    use store::tables::payment::State;
    match state {
        State::Paid => "paid",
        State::Rejected => "rejected",
        _ => "waiting",
    }
}

/// `GET /applications/{id}/letters/{letter}`
pub(super) async fn letter(
    State(app): State<App>,
    Path((id, letter)): Path<(String, String)>,
    resident: Resident,
) -> Result<Response, Problem> {
    application(&id)?;
    let letter = Uuid::try_parse(&letter)
        .map(LetterId::from_uuid)
        .map_err(|_| Problem::NotFound)?;
    let pdf = mine::letter(&app.desk, &resident.person, letter).await?;
    let name = format!("inline; filename=\"letter-{}.pdf\"", letter);
    Ok((
        [
            (CONTENT_TYPE, "application/pdf".to_owned()),
            (CONTENT_DISPOSITION, name),
        ],
        pdf,
    )
        .into_response())
}
