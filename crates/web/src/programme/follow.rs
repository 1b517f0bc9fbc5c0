//! The ministry follows the plans it pays: all of them on one page, one with what waits for an answer, settlement and payment.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use cases::Staff;
use civic::Money;
use grants::clock::ACCEPT;
use grants::execution::{SettleError, percent};
use subsidies::{Answer, Execution, Filed, FilingState, Kind, SubsidyError};

use super::execution_form::day;
use super::execution_view::{FiledView, kind, quarters, risk, settlement, total, view, what, word};
use super::{Asked, Seat, Side, conflict, dollars, done, lines};
use crate::address::{id, onward};
use crate::components::{
    Banner, Cell, Colour, Control, ErrorSummary, Field, Head, Row, SummaryList, Table, Tag, Typed,
};
use crate::posted::Raw;
use crate::texts::Words;
use crate::{App, Frame, Posted, Problem, page, page_with};

#[derive(Template)]
#[template(path = "programme/progress.html")]
struct ProgressPage {
    frame: Frame,
    staff: Staff,
    back: String,
    programme: String,
    results: String,
    empty: bool,
    plans: Table,
}

/// A filing that waits, with the fields of its answer.
struct Waiting {
    filed: FiledView,
    to: String,
    revision: i64,
    field: Field,
    /// Whether it is a change, which is granted or refused.
    change: bool,
    /// Whether it can be accepted here; a request for payment is accepted by its settlement.
    accept: bool,
}

/// The form of the settlement or of its payment.
struct MoneyForm {
    to: String,
    revision: i64,
    facts: SummaryList,
    fields: Vec<Field>,
}

#[derive(Template)]
#[template(path = "programme/follow.html")]
struct FollowPage {
    frame: Frame,
    staff: Staff,
    done: Option<Banner>,
    errors: Option<ErrorSummary>,
    back: String,
    plan: String,
    government: String,
    title: String,
    kept: String,
    quarters: Table,
    waiting: Vec<Waiting>,
    settle: Option<MoneyForm>,
    pay: Option<MoneyForm>,
    settlement: Option<SummaryList>,
    answered: Vec<FiledView>,
}

/// `GET /programme/calls/{programme}/progress`
pub(super) async fn list(
    State(app): State<App>,
    seat: Seat,
    Path(programme): Path<String>,
) -> Result<Response, Problem> {
    let words = seat.frame.words;
    let plans = subsidies::progress(&app.subsidies, &seat.member, &programme).await?;
    let found = app.subsidies.programme(&programme)?;
    let rows = plans.iter().map(|line| {
        let name = subsidies::government(found, &line.government);
        let last = line.last.as_ref();
        let progress = last.and_then(|one| Some((one, one.report.as_ref()?)));
        let (quarter, progress) = progress.map_or_else(
            || (words.t("none"), words.t("none")),
            |(one, report)| {
                let quarter = words.t1("programme-quarter-n", "n", one.planned.quarter);
                (quarter, format!("{}% / {}%", report.progress, one.planned.progress))
            },
        );
        let mut behind: Vec<String> = line
            .risks
            .iter()
            .map(|(quarter, one)| {
                format!(
                    "{} {}",
                    words.t1("programme-quarter-n", "n", quarter),
                    risk(words, *one)
                )
            })
            .collect();
        behind.extend(line.overdue.iter().map(|step| {
            let days = step.days.saturating_neg();
            format!(
                "{} {}",
                what(words, step.what),
                words.t1("programme-step-late", "days", days)
            )
        }));
        vec![
            Cell::link(name, format!("/programme/received/{}/execution", line.id)),
            match behind.is_empty() {
                true => Cell::tag(Tag::new(words.t("programme-on-time"), Colour::Green)),
                false => Cell::tag(Tag::new(behind.join("、"), Colour::Red)),
            },
            Cell::text(quarter),
            Cell::text(progress),
            Cell::text(format!("{}%", line.spent_percent)),
            Cell::text(line.waiting.to_string()),
            match line.settled {
                None => Cell::text(words.t("none")),
                Some(false) => Cell::tag(Tag::new(words.t("programme-settled"), Colour::Yellow)),
                Some(true) => Cell::tag(Tag::new(words.t("programme-settled-paid"), Colour::Green)),
            },
        ]
    });
    page(&ProgressPage {
        back: format!("/programme/calls/{programme}/received"),
        programme: words.of(&found.name).to_owned(),
        results: format!("/results/{programme}"),
        empty: plans.is_empty(),
        plans: Table {
            caption: words.t("programme-progress-caption"),
            head: vec![
                Head::text(words.t("programme-government")),
                Head::text(words.t("programme-behind-risks")),
                Head::text(words.t("programme-newest-report")),
                Head::number(words.t("programme-real-and-planned")),
                Head::number(words.t("programme-spent-share")),
                Head::number(words.t("programme-waiting")),
                Head::text(words.t("programme-settlement")),
            ],
            rows: rows.collect(),
        },
        frame: seat.frame,
        staff: seat.staff,
    })
}

/// What was typed into a form that is shown again, and what is wrong with it.
#[derive(Default)]
struct Again {
    raw: Raw,
    wrong: Vec<(String, String)>,
    done: Option<Banner>,
}

impl Again {
    fn typed(&self, name: &str) -> String {
        lines(&self.raw, name)
    }

    /// The revision under which the form with this field is sent: the one that was seen, where it was typed into.
    fn revision(&self, name: &str, newest: i64) -> i64 {
        let seen = self.raw.contains_key(name).then(|| self.typed("revision").parse().ok());
        seen.flatten().unwrap_or(newest)
    }

    fn field(&self, words: Words, name: &str, label: String, control: Control) -> Field {
        let mut field = Field::new(words, name, label, control);
        let wrong = self.wrong.iter().find(|(at, _)| at == name);
        field.error = wrong.map(|(_, text)| text.clone());
        field
    }

    fn area(&self, words: Words, name: &str, key: &str) -> Field {
        let value = self.typed(name);
        self.field(words, name, words.t(key), Control::TextArea { value, rows: 3 })
    }
}

fn answer_name(kind: Kind, number: i32) -> String {
    format!("answer.{}.{number}", word(kind))
}

fn waiting(words: Words, all: &Execution, filed: &Filed, here: &str, again: &Again) -> Waiting {
    let name = answer_name(filed.kind, filed.number);
    let key = match filed.kind {
        Kind::Request => "programme-answer-return",
        Kind::Change => "programme-answer-change",
        Kind::Report | Kind::Completion | Kind::Results => "programme-answer",
    };
    Waiting {
        filed: view(words, all, filed),
        to: format!("{here}/{}/{}", word(filed.kind), filed.number),
        revision: again.revision(&name, filed.revision),
        field: again.area(words, &name, key),
        change: filed.kind == Kind::Change,
        accept: filed.kind != Kind::Request,
    }
}

/// The form of the settlement, where payment is requested.
fn settling(words: Words, all: &Execution, filed: &Filed, plan: &str, again: &Again) -> Option<MoneyForm> {
    let Some(subsidies::Filing::Request(request)) = &filed.sent else {
        return None;
    };
    let spent: Vec<grants::execution::Spent> = request
        .spent
        .iter()
        .map(|amount| grants::execution::Spent {
            amount: *amount,
            struck: Money(0),
        })
        .collect();
    let whole = grants::execution::settle(&all.programme, &all.row.government, all.kept, &spent).ok()?;
    let mut rows = vec![
        Row::new(words.t("programme-spent-sum"), words.money(whole.spent.0)),
        Row::new(
            words.t("programme-by-ratio"),
            words.with(
                "programme-by-ratio-value",
                &[
                    ("amount", words.money(whole.by_ratio.0)),
                    ("percent", whole.percent.to_string()),
                ],
            ),
        ),
        Row::new(words.t("programme-kept"), words.money(whole.kept.0)),
        Row::new(words.t("programme-paid-if-all"), words.money(whole.paid.0)),
        Row::new(words.t("programme-lapsed"), words.money(whole.lapsed.0)),
    ];
    let share = percent(whole.spent, total(all));
    rows.push(Row::new(words.t("programme-spent-share"), format!("{share}%")));
    let lines = all.plan.lines_of(all.programme.period.funded);
    let mut fields: Vec<Field> = lines
        .zip(&request.spent)
        .enumerate()
        .map(|(at, (line, spent))| {
            let name = format!("struck.{at}");
            let typed = Typed {
                value: again.typed(&name),
                mode: "numeric",
                width: 10,
                suffix: Some(words.t("programme-dollars")),
                ..Typed::default()
            };
            let label = words.t1("programme-strike-of", "work", line.work.as_str());
            let mut field = again.field(words, &name, label, Control::Input(typed));
            field.hint = Some(words.t1("programme-strike-hint", "spent", words.money(spent.0)));
            field.optional = true;
            field
        })
        .collect();
    let late = filed.first_sent_at.map_or(0, |at| all.programme.late(ACCEPT, at));
    let mut note = again.area(words, "note", "programme-settle-note");
    note.optional = late == 0;
    note.hint = Some(match late {
        0 => words.t("programme-settle-note-struck"),
        days => words.t1("programme-settle-note-late", "days", days),
    });
    fields.push(note);
    Some(MoneyForm {
        to: format!("/programme/received/{plan}/settlement"),
        revision: again.revision("note", filed.revision),
        facts: SummaryList { rows },
        fields,
    })
}

/// The form of the payment, once it is settled and something is to be paid.
fn paying(words: Words, all: &Execution, plan: &str, again: &Again) -> Option<MoneyForm> {
    let settled = all.settled.as_ref()?;
    if settled.payment.is_some() || settled.amounts.amounts.paid.0 == 0 {
        return None;
    }
    let on = Typed {
        value: again.typed("on"),
        kind: "date",
        width: 10,
        ..Typed::default()
    };
    let reference = Typed {
        value: again.typed("reference"),
        width: 20,
        ..Typed::default()
    };
    Some(MoneyForm {
        to: format!("/programme/received/{plan}/payment"),
        revision: again.revision("reference", settled.revision),
        facts: SummaryList {
            rows: vec![Row::new(
                words.t("programme-paid"),
                words.money(settled.amounts.amounts.paid.0),
            )],
        },
        fields: vec![
            again.field(words, "on", words.t("programme-paid-on"), Control::Input(on)),
            again.field(
                words,
                "reference",
                words.t("programme-paid-reference"),
                Control::Input(reference),
            ),
        ],
    })
}

async fn render(app: &App, seat: Seat, plan: &str, status: StatusCode, again: Again) -> Result<Response, Problem> {
    let words = seat.frame.words;
    let number = id(plan)?;
    if seat.side == Side::Government {
        return Err(Problem::NotFound);
    }
    let all = subsidies::execution(&app.subsidies, &seat.member, number).await?;
    let here = format!("/programme/received/{plan}/execution");
    let sent = all.filings.iter().filter(|one| one.state == FilingState::Sent);
    let request = sent.clone().find(|one| one.kind == Kind::Request);
    let answered = all.filings.iter().filter(|one| one.state != FilingState::Sent);
    let page = FollowPage {
        quarters: quarters(words, &all, None),
        waiting: sent.map(|one| waiting(words, &all, one, &here, &again)).collect(),
        settle: request.and_then(|one| settling(words, &all, one, plan, &again)),
        pay: paying(words, &all, plan, &again),
        settlement: all.settled.as_ref().map(|settled| settlement(words, &all, settled)),
        answered: answered.map(|one| view(words, &all, one)).collect(),
        done: again.done,
        errors: (!again.wrong.is_empty()).then_some(ErrorSummary {
            words,
            errors: again.wrong,
        }),
        back: format!("/programme/calls/{}/progress", all.programme.id),
        plan: format!("/programme/received/{plan}"),
        government: subsidies::government(&all.programme, &all.row.government).to_owned(),
        title: all.plan.title.clone(),
        kept: words.money(all.kept.0),
        frame: seat.frame,
        staff: seat.staff,
    };
    page_with(status, &page)
}

/// `GET /programme/received/{plan}/execution`
pub(super) async fn show(
    State(app): State<App>,
    seat: Seat,
    Path(plan): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let again = Again {
        done: done(&seat.frame, &asked.done),
        ..Again::default()
    };
    render(&app, seat, &plan, StatusCode::OK, again).await
}

/// Where an act goes on, or shows its form again with what is wrong.
async fn after(
    app: &App,
    seat: Seat,
    plan: &str,
    raw: Raw,
    done: &str,
    result: Result<(), SubsidyError>,
    field: impl Fn(&SubsidyError) -> Option<(String, String)>,
) -> Result<Response, Problem> {
    let here = format!("/programme/received/{plan}/execution");
    match result {
        Ok(()) => Ok(onward(&format!("{here}?done={done}"))),
        Err(SubsidyError::Conflict(_) | SubsidyError::State) => conflict(seat, here),
        Err(error) => {
            let Some(wrong) = field(&error) else {
                return Err(error.into());
            };
            let again = Again {
                raw,
                wrong: vec![wrong],
                done: None,
            };
            render(app, seat, plan, StatusCode::UNPROCESSABLE_ENTITY, again).await
        }
    }
}

/// `POST /programme/received/{plan}/execution/{kind}/{number}`: takes note of a filing, gives it back, grants or refuses a change.
pub(super) async fn answer(
    State(app): State<App>,
    seat: Seat,
    Path((plan, kind_word, number)): Path<(String, String, String)>,
    posted: Posted,
) -> Result<Response, Problem> {
    let words = seat.frame.words;
    let kind = kind(&kind_word).ok_or(Problem::NotFound)?;
    let number: i32 = number.parse().map_err(|_| Problem::NotFound)?;
    let revision = posted.value("revision")?;
    let name = answer_name(kind, number);
    let text = lines(&posted.raw, &name);
    let (said, told) = match posted.text("what") {
        "accept" => (Answer::Accept { note: text }, "accepted"),
        "return" => (Answer::Return { reason: text }, "returned"),
        "refuse" => (Answer::Refuse { reason: text }, "refused-change"),
        _ => return Err(Problem::Unusable),
    };
    let result = subsidies::answer(&app.subsidies, &seat.member, id(&plan)?, kind, number, revision, said).await;
    after(&app, seat, &plan, posted.raw, told, result, |error| match error {
        SubsidyError::Input { problem, .. } => {
            let key = match *problem {
                "too_long" => "programme-note-long",
                _ => "programme-reason-empty",
            };
            Some((name.clone(), words.t(key)))
        }
        _ => None,
    })
    .await
}

/// `POST /programme/received/{plan}/settlement`
pub(super) async fn settle(
    State(app): State<App>,
    seat: Seat,
    Path(plan): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let words = seat.frame.words;
    let revision = posted.value("revision")?;
    let mut struck = Vec::new();
    let mut wrong = Vec::new();
    for at in 0..grants::plan::MOST_LINES {
        let name = format!("struck.{at}");
        if !posted.raw.contains_key(&name) {
            break;
        }
        match dollars(&lines(&posted.raw, &name)) {
            Ok(amount) => struck.push(amount.unwrap_or(Money(0))),
            Err(()) => wrong.push((name, words.t("programme-wrong-amount"))),
        }
    }
    if !wrong.is_empty() {
        let again = Again {
            raw: posted.raw,
            wrong,
            done: None,
        };
        return render(&app, seat, &plan, StatusCode::UNPROCESSABLE_ENTITY, again).await;
    }
    let note = lines(&posted.raw, "note");
    let result = subsidies::settle(&app.subsidies, &seat.member, id(&plan)?, revision, &struck, &note).await;
    after(&app, seat, &plan, posted.raw, "settled", result, |error| match error {
        SubsidyError::Settle(SettleError::Struck(at) | SettleError::Amount(at)) => Some((
            format!("struck.{}", at.saturating_sub(1)),
            words.t("programme-strike-more"),
        )),
        SubsidyError::Input {
            problem: "too_long", ..
        } => Some(("note".to_owned(), words.t("programme-note-long"))),
        SubsidyError::Input { field: "note", .. } => Some(("note".to_owned(), words.t("programme-reason-empty"))),
        _ => None,
    })
    .await
}

/// `POST /programme/received/{plan}/payment`
pub(super) async fn pay(
    State(app): State<App>,
    seat: Seat,
    Path(plan): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let words = seat.frame.words;
    let revision = posted.value("revision")?;
    let mut wrong = Vec::new();
    let on = day(&posted.raw, "on", &mut wrong);
    if !wrong.is_empty() {
        let again = Again {
            wrong: wrong.into_iter().map(|(field, key)| (field, words.t(key))).collect(),
            raw: posted.raw,
            done: None,
        };
        return render(&app, seat, &plan, StatusCode::UNPROCESSABLE_ENTITY, again).await;
    }
    let reference = lines(&posted.raw, "reference");
    let result = subsidies::pay(&app.subsidies, &seat.member, id(&plan)?, revision, on, &reference).await;
    after(&app, seat, &plan, posted.raw, "paid", result, |error| match error {
        SubsidyError::Input { field: "on", .. } => Some(("on".to_owned(), words.t("programme-paid-day-wrong"))),
        SubsidyError::Input { .. } => Some(("reference".to_owned(), words.t("programme-paid-reference-empty"))),
        _ => None,
    })
    .await
}
