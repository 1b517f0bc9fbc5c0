//! Carrying out our plan: what is next and by when, each filing with its form, what is settled.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use cases::Staff;
use grants::clock::{CHANGE, COMPLETE, LAPSE, Phase, report};
use grants::execution::{ReportError, ResultError};
use grants::indicator::InputError;
use subsidies::{Execution, Filed, FilingState, Kind, SubsidyError};

use super::execution_form::{Counted, FilingForm, blank, read, values};
use super::execution_view::{
    FiledView, StepView, change_until, content, filing_state, kind, name, quarters, settlement, steps, view, word,
};
use super::fields::Group;
use super::{Asked, Seat, conflict, done, minute, place};
use crate::address::{id, onward};
use crate::components::{Banner, ErrorSummary, Row, SummaryList, Table, Tag};
use crate::office::document;
use crate::posted::Raw;
use crate::texts::Words;
use crate::{App, Frame, Posted, Problem, page, page_with};

/// A way to a filing with how far it is.
struct Way {
    href: String,
    name: String,
    state: Option<Tag>,
}

#[derive(Template)]
#[template(path = "programme/execution.html")]
struct ExecutionPage {
    frame: Frame,
    staff: Staff,
    done: Option<Banner>,
    plan: String,
    government: String,
    title: String,
    kept: String,
    steps: Vec<StepView>,
    quarters: Table,
    change_until: String,
    changes: Vec<Way>,
    /// The way to a new request, while one may be made.
    change: Option<String>,
    others: Vec<Way>,
    settlement: Option<SummaryList>,
}

#[derive(Template)]
#[template(path = "programme/filing.html")]
struct FilingPage {
    frame: Frame,
    staff: Staff,
    errors: Option<ErrorSummary>,
    here: String,
    to: String,
    name: String,
    government: String,
    state: Option<Tag>,
    when: String,
    /// What the ministry said when it gave the filing back.
    returned: Option<String>,
    facts: SummaryList,
    /// Who saved it meanwhile, and what.
    theirs: Option<(String, SummaryList)>,
    /// The form, or what was sent.
    form: Option<Vec<Group>>,
    seen: i64,
    sent: Option<FiledView>,
}

/// `GET /programme/plans/{plan}/execution`
pub(super) async fn show(
    State(app): State<App>,
    seat: Seat,
    Path(plan): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let words = seat.frame.words;
    let all = of_ours(&app, &seat, &plan).await?;
    let here = format!("/programme/plans/{plan}/execution");
    let way = |kind: Kind, number: i32| Way {
        href: format!("{here}/{}/{number}", word(kind)),
        name: name(words, kind, number),
        state: all.filed(kind, number).map(|one| filing_state(words, kind, one.state)),
    };
    let changes = all.filings.iter().filter(|one| one.kind == Kind::Change);
    let open = all.settled.is_none() && matches!(all.change, Some((_, Phase::Open)));
    let next = all.next_change().filter(|_| open);
    let mut others = vec![way(Kind::Completion, 1), way(Kind::Request, 1)];
    let years = all.programme.period.years.iter();
    others.extend(years.map(|year| way(Kind::Results, i32::from(*year))));
    page(&ExecutionPage {
        done: done(&seat.frame, &asked.done),
        plan: format!("/programme/plans/{plan}"),
        government: subsidies::government(&all.programme, &all.row.government).to_owned(),
        title: all.plan.title.clone(),
        kept: words.money(all.kept.0),
        steps: steps(words, &all, &here),
        quarters: quarters(words, &all, Some(&here)),
        change_until: change_until(words, &all),
        changes: changes.map(|one| way(Kind::Change, one.number)).collect(),
        change: next.map(|next| format!("{here}/change/{next}")),
        others,
        settlement: all.settled.as_ref().map(|settled| settlement(words, &all, settled)),
        frame: seat.frame,
        staff: seat.staff,
    })
}

/// The plan of our government; the ministry has pages of its own.
async fn of_ours(app: &App, seat: &Seat, plan: &str) -> Result<Execution, Problem> {
    let number = id(plan)?;
    if seat.side != super::Side::Government {
        return Err(Problem::NotFound);
    }
    Ok(subsidies::execution(&app.subsidies, &seat.member, number).await?)
}

/// Whether a filing can be written at the moment.
fn is_open(all: &Execution, kind: Kind, filed: Option<&Filed>) -> bool {
    let settled = all.settled.is_some() && matches!(kind, Kind::Change | Kind::Completion | Kind::Request);
    !settled && filed.is_none_or(|one| matches!(one.state, FilingState::Draft | FilingState::Returned))
}

/// What a filing is held against: its clock, and the numbers of the plan.
fn facts(words: Words, app: &App, all: &Execution, kind: Kind, number: i32) -> SummaryList {
    let mut rows = Vec::new();
    let clock = match kind {
        Kind::Report => Some(report(u8::try_from(number).unwrap_or_default())),
        Kind::Change => Some(CHANGE.to_owned()),
        Kind::Completion => Some(COMPLETE.to_owned()),
        Kind::Request => Some(grants::clock::ACCEPT.to_owned()),
        Kind::Results => None,
    };
    let now = app.subsidies.now();
    if let Some(clock) = clock.and_then(|clock| all.programme.clock(&clock))
        && let Some(term) = all.programme.term(&clock.id, now)
    {
        let mut row = Row::new(words.t("programme-filing-clock"), minute(words, term.closes));
        row.note = Some(words.of(&clock.late).to_owned());
        rows.push(row);
    }
    match kind {
        Kind::Report => {
            let planned = all.plan.checkpoints.iter().find(|one| i32::from(one.quarter) == number);
            if let Some(planned) = planned {
                rows.push(Row::new(words.t("programme-checkpoint-text"), &planned.text));
                rows.push(Row::new(
                    words.t("programme-planned-progress"),
                    format!("{}%", planned.progress),
                ));
                rows.push(Row::new(
                    words.t("programme-planned-spending"),
                    words.money(planned.spending.0),
                ));
            }
        }
        Kind::Request => {
            rows.push(Row::new(words.t("programme-kept"), words.money(all.kept.0)));
            if let Some(term) = all.programme.term(LAPSE, now) {
                rows.push(Row::new(words.t("programme-lapse-clock"), minute(words, term.closes)));
            }
        }
        Kind::Change | Kind::Completion | Kind::Results => {}
    }
    SummaryList { rows }
}

/// What was typed into a form that is shown again, and what is wrong with it.
#[derive(Default)]
struct Again {
    raw: Option<Raw>,
    wrong: Vec<(String, String)>,
    /// The revision that what was typed stands over; nothing where the newest one is shown.
    seen: Option<i64>,
    /// A colleague saved it meanwhile, which is shown beside what was typed.
    conflict: bool,
}

async fn render(
    app: &App,
    seat: Seat,
    (plan, kind_word, number): (&str, &str, &str),
    status: StatusCode,
    again: Again,
) -> Result<Response, Problem> {
    let words = seat.frame.words;
    let (kind, number) = named(kind_word, number)?;
    let all = of_ours(app, &seat, plan).await?;
    if !is_named(&all, kind, number) {
        return Err(Problem::NotFound);
    }
    let filed = all.filed(kind, number);
    let counted = match kind {
        Kind::Results => {
            let year = i16::try_from(number).unwrap_or_default();
            subsidies::counted(&app.subsidies, &all.programme, &all.plan, year).await?
        }
        _ => Counted::new(),
    };
    let form = is_open(&all, kind, filed).then(|| {
        let raw = again.raw.unwrap_or_else(|| match filed {
            Some(filed) => values(&all, &filed.content),
            None => blank(&all, kind),
        });
        let form = FilingForm {
            words,
            all: &all,
            raw: &raw,
            wrong: &again.wrong,
            counted: &counted,
        };
        form.groups(kind)
    });
    let here = format!("/programme/plans/{plan}/execution");
    // what was sent or settled meanwhile has no form that could be shown again
    if again.conflict && form.is_none() {
        return conflict(seat, format!("{here}/{}/{number}", word(kind)));
    }
    let theirs = filed.filter(|_| again.conflict).map(|filed| {
        let told = words.t1("programme-filing-theirs", "by", &filed.by);
        (told, content(words, &all, filed, &filed.content))
    });
    let sent = filed.filter(|_| form.is_none()).map(|filed| view(words, &all, filed));
    let page = FilingPage {
        errors: (!again.wrong.is_empty()).then_some(ErrorSummary {
            words,
            errors: again.wrong,
        }),
        to: format!("{here}/{}/{number}", word(kind)),
        name: name(words, kind, number),
        government: subsidies::government(&all.programme, &all.row.government).to_owned(),
        state: filed.map(|one| filing_state(words, kind, one.state)),
        when: sent.as_ref().map_or_else(String::new, |one| one.when.clone()),
        returned: filed
            .filter(|one| one.state == FilingState::Returned)
            .and_then(|one| one.answer.clone()),
        facts: facts(words, app, &all, kind, number),
        theirs,
        form,
        seen: again.seen.unwrap_or_else(|| filed.map_or(0, |one| one.revision)),
        sent,
        here,
        frame: seat.frame,
        staff: seat.staff,
    };
    page_with(status, &page)
}

/// Whether there is such a filing, or may be one.
fn is_named(all: &Execution, kind: Kind, number: i32) -> bool {
    match kind {
        Kind::Report => all.quarters.iter().any(|one| i32::from(one.planned.quarter) == number),
        Kind::Change => all.filed(kind, number).is_some() || all.next_change() == Some(number),
        Kind::Completion | Kind::Request => number == 1,
        Kind::Results => all.programme.period.years.iter().any(|year| i32::from(*year) == number),
    }
}

fn named(word: &str, number: &str) -> Result<(Kind, i32), Problem> {
    let kind = kind(word).ok_or(Problem::NotFound)?;
    let number = number.parse().map_err(|_| Problem::NotFound)?;
    Ok((kind, number))
}

/// `GET /programme/plans/{plan}/execution/{kind}/{number}`
pub(super) async fn form(
    State(app): State<App>,
    seat: Seat,
    Path((plan, kind, number)): Path<(String, String, String)>,
) -> Result<Response, Problem> {
    let name = (plan.as_str(), kind.as_str(), number.as_str());
    render(&app, seat, name, StatusCode::OK, Again::default()).await
}

/// `POST /programme/plans/{plan}/execution/{kind}/{number}`: saves a filing, and sends it where the button says so.
pub(super) async fn save(
    State(app): State<App>,
    seat: Seat,
    Path((plan, kind_word, number_word)): Path<(String, String, String)>,
    posted: Posted,
) -> Result<Response, Problem> {
    let words = seat.frame.words;
    let seen = posted.value("seen")?;
    let send = posted.text("what") == "send";
    let (kind, number) = named(&kind_word, &number_word)?;
    let all = of_ours(&app, &seat, &plan).await?;
    let here = format!("/programme/plans/{plan}/execution");
    let name = (plan.as_str(), kind_word.as_str(), number_word.as_str());
    let unusable = StatusCode::UNPROCESSABLE_ENTITY;
    let filing = match read(&all, kind, number, &posted.raw) {
        Ok(filing) => filing,
        Err(wrong) => {
            let wrong = wrong.into_iter().map(|(field, key)| (field, words.t(key)));
            let again = Again {
                wrong: wrong.collect(),
                raw: Some(posted.raw),
                seen: Some(seen),
                conflict: false,
            };
            return render(&app, seat, name, unusable, again).await;
        }
    };
    let (desk, member) = (&app.subsidies, &seat.member);
    let result = subsidies::file(desk, member, id(&plan)?, number, filing, seen, send).await;
    // a text that is too long was not kept; everything else is a draft of one revision more by now
    let kept = match &result {
        Err(SubsidyError::Input {
            problem: "too_long", ..
        }) => seen,
        _ => seen.saturating_add(1),
    };
    let wrong = match result {
        Ok(()) if send => return Ok(onward(&format!("{here}?done=filed"))),
        Ok(()) => return Ok(onward(&format!("{here}?done=kept"))),
        // a colleague saved it meanwhile: what was typed is shown over what they saved
        Err(SubsidyError::Conflict(_)) => {
            let again = Again {
                raw: Some(posted.raw),
                wrong: vec![(first_field(kind).to_owned(), words.t("programme-filing-conflict"))],
                seen: None,
                conflict: true,
            };
            return render(&app, seat, name, StatusCode::CONFLICT, again).await;
        }
        Err(SubsidyError::State) => return conflict(seat, format!("{here}/{kind_word}/{number_word}")),
        Err(error) => told(words, &all, kind, error)?,
    };
    let again = Again {
        raw: Some(posted.raw),
        wrong,
        seen: Some(kept),
        conflict: false,
    };
    render(&app, seat, name, unusable, again).await
}

/// The field at which what is wrong with a filing as a whole is told.
const fn first_field(kind: Kind) -> &'static str {
    match kind {
        Kind::Report => "progress",
        Kind::Change => "change",
        Kind::Completion => "on",
        Kind::Request => "accepted_on",
        Kind::Results => "text.0",
    }
}

/// What keeps a filing from being sent, by field; the draft is kept.
fn told(words: Words, all: &Execution, kind: Kind, error: SubsidyError) -> Result<Vec<(String, String)>, Problem> {
    let at = |field: &str, text: String| vec![(field.to_owned(), text)];
    Ok(match error {
        SubsidyError::NotYet(opens) => at(
            "progress",
            words.t1("programme-report-early", "opens", minute(words, opens)),
        ),
        SubsidyError::ChangeLate(closes) => at(
            "change",
            words.t1("programme-change-late", "closes", minute(words, closes)),
        ),
        SubsidyError::Lapsed(closes) => at(
            "accepted_on",
            words.t1("programme-request-lapsed", "closes", minute(words, closes)),
        ),
        SubsidyError::Unready(findings) => {
            let said = place::said(words, &all.programme, &findings);
            let said = said.into_iter().map(|one| {
                let (anchor, name) = one
                    .place
                    .map_or_else(Default::default, |place| (place.anchor, place.name));
                (anchor, format!("{name}：{}", one.text))
            });
            said.collect()
        }
        SubsidyError::Report(error) => match error {
            ReportError::ProgressFalls(before) => at(
                "progress",
                words.t1("programme-report-falls", "before", format!("{before}%")),
            ),
            ReportError::SpendingFalls(before) => at(
                "spending",
                words.t1("programme-report-falls", "before", words.money(before.0)),
            ),
            ReportError::Progress => at("progress", words.t("programme-wrong-percent")),
            ReportError::Spending => at("spending", words.t("programme-wrong-amount")),
            ReportError::Done => at("done", words.t("programme-report-done-empty")),
            ReportError::Reason => at("reason", words.t("programme-report-reason-empty")),
            ReportError::TooLong => at("done", words.t("programme-filing-long")),
            ReportError::Quarter(_) => return Err(Problem::NotFound),
        },
        SubsidyError::Results(error) => {
            let place = |of: &str| all.plan.indicators.iter().position(|one| one.id == of).unwrap_or(0);
            match error {
                ResultError::Missing(of) => at(
                    &format!("text.{}", place(&of)),
                    words.t1("programme-reached-empty", "indicator", of),
                ),
                ResultError::TooLong(of) => at(&format!("text.{}", place(&of)), words.t("programme-filing-long")),
                ResultError::Number { indicator, error } => {
                    let (InputError::Missing(input) | InputError::OutOfBounds(input)) = error;
                    at(
                        &format!("value.{}.{input}", place(&indicator)),
                        words.t1("programme-number-empty", "indicator", indicator),
                    )
                }
            }
        }
        SubsidyError::Input { field, problem } => {
            let key = match (field, problem) {
                (_, "too_long") => "programme-filing-long",
                ("quarter", _) => "programme-report-earlier",
                (_, "later") => "programme-report-later",
                (_, "completion") => "programme-request-completion",
                (_, "day") => "programme-wrong-day-of",
                (_, "amount") => "programme-wrong-amount",
                _ => "programme-filing-empty",
            };
            let field = match (field, kind) {
                ("quarter", _) => "progress",
                ("spent", _) => "spent.0",
                ("text", Kind::Report) => "done",
                ("text" | "what", Kind::Change) => "change",
                ("text", Kind::Request) => "note",
                ("text", Kind::Results) => "text.0",
                (field, _) => field,
            };
            at(field, words.t(key))
        }
        error => return Err(error.into()),
    })
}

/// `GET /programme/plans/{plan}/audit`: the audit file of our plan, or, at the ministry's address, of one it pays.
pub(super) async fn audit(State(app): State<App>, seat: Seat, Path(plan): Path<String>) -> Result<Response, Problem> {
    let bytes = subsidies::audit(&app.subsidies, &seat.member, id(&plan)?).await?;
    Ok(document("application/zip", "attachment", "audit.zip", bytes))
}
