//! The plans that reached the ministry: the list with conflicts of interest, one plan as it was sent, and what is decided of it.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use cases::Staff;
use civic::Money;
use grants::{Plan, Programme};
use subsidies::{Appraisal, Decision, Part, Sent, SubsidyError};

use super::place;
use super::plan::correction;
use super::sheet::points;
use super::stage::{AnnexRow, annex};
use super::{Asked, Seat, Side, conflict, dollars, done, hundredths, lines, state};
use crate::address::{id, onward};
use crate::components::{
    Banner, Cell, Choice, Control, ErrorSummary, Field, Head, Row, SummaryList, Table, Tag, Typed,
};
use crate::texts::Words;
use crate::{App, Frame, Posted, Problem, page_with};

#[derive(Template)]
#[template(path = "programme/received.html")]
struct ListPage {
    frame: Frame,
    staff: Staff,
    done: Option<Banner>,
    errors: Option<ErrorSummary>,
    call: String,
    programme: String,
    plans: Table,
    empty: bool,
    ranking: Option<String>,
    /// The form in which a reviewer declares a conflict.
    declare: Option<(String, Vec<Field>)>,
}

async fn render_list(
    app: &App,
    seat: Seat,
    programme: &str,
    status: StatusCode,
    done: Option<Banner>,
    typed: (&str, String),
    wrong: Option<(&'static str, String)>,
) -> Result<Response, Problem> {
    let words = seat.frame.words;
    let found = subsidies::received(&app.subsidies, &seat.member, programme).await?;
    let programme = app.subsidies.programme(programme)?;
    let rows = found.iter().map(|one| {
        let name = subsidies::government(programme, &one.government);
        let here = format!("/programme/received/{}", one.id);
        let (first, way) = match (one.may_read, seat.side) {
            (true, Side::Panel) => (
                Cell::link(name, here.clone()),
                Cell::link(words.t1("programme-sheet-of", "name", name), format!("{here}/sheet")),
            ),
            (true, _) => (Cell::link(name, here), Cell::text(words.t("none"))),
            (false, _) => (Cell::text(name), Cell::text(words.t("programme-conflicted"))),
        };
        vec![
            first,
            Cell::tag(state(words, one.state)),
            Cell::text(words.time(one.sent_at)),
            way,
        ]
    });
    let mut head = vec![
        Head::text(words.t("programme-government")),
        Head::text(words.t("programme-state")),
        Head::text(words.t("programme-sent-at")),
    ];
    let mut rows: Vec<Vec<Cell>> = rows.collect();
    match seat.side {
        Side::Panel => head.push(Head::text(words.t("programme-sheet"))),
        Side::Government | Side::Ministry => rows.iter_mut().for_each(|row| row.truncate(3)),
    }
    let wrong_at = |field: &str| {
        wrong
            .as_ref()
            .filter(|(at, _)| *at == field)
            .map(|(_, text)| text.clone())
    };
    let declare = (seat.side == Side::Panel).then(|| {
        let choices = programme.governments.iter().map(|one| Choice {
            value: one.id.clone(),
            label: one.name.clone(),
            hint: None,
            chosen: one.id == typed.0,
        });
        let mut government = Field::new(
            words,
            "government",
            words.t("programme-government"),
            Control::Select(choices.collect()),
        );
        government.error = wrong_at("government");
        let control = Control::TextArea {
            value: typed.1.clone(),
            rows: 3,
        };
        let mut reason = Field::new(words, "reason", words.t("programme-reason"), control);
        reason.error = wrong_at("reason");
        let to = format!("/programme/calls/{}/conflicts", programme.id);
        (to, vec![government, reason])
    });
    let page = ListPage {
        done,
        errors: wrong.map(|(field, text)| ErrorSummary {
            words,
            errors: vec![(field.to_owned(), text)],
        }),
        call: format!("/programme/calls/{}", programme.id),
        programme: words.of(&programme.name).to_owned(),
        empty: rows.is_empty(),
        plans: Table {
            caption: words.t("programme-received-title"),
            head,
            rows,
        },
        ranking: (seat.side == Side::Ministry).then(|| format!("/programme/calls/{}/ranking", programme.id)),
        declare,
        frame: seat.frame,
        staff: seat.staff,
    };
    page_with(status, &page)
}

/// `GET /programme/calls/{programme}/received`
pub(super) async fn list(
    State(app): State<App>,
    seat: Seat,
    Path(programme): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let done = done(&seat.frame, &asked.done);
    render_list(&app, seat, &programme, StatusCode::OK, done, ("", String::new()), None).await
}

/// `POST /programme/calls/{programme}/conflicts`: a reviewer declares a conflict of interest.
pub(super) async fn declare(
    State(app): State<App>,
    seat: Seat,
    Path(programme): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let words = seat.frame.words;
    let (government, reason) = (posted.text("government"), lines(&posted.raw, "reason"));
    let again = StatusCode::UNPROCESSABLE_ENTITY;
    match subsidies::declare(&app.subsidies, &seat.member, &programme, government, &reason).await {
        Ok(()) => Ok(onward(&format!("/programme/calls/{programme}/received?done=declared"))),
        Err(SubsidyError::NotFound("government")) => {
            let wrong = ("government", words.t("programme-choose-government"));
            render_list(&app, seat, &programme, again, None, (government, reason), Some(wrong)).await
        }
        Err(SubsidyError::Input { field, problem }) => {
            let text = words.t(match (field, problem) {
                ("government", _) => "programme-declared-twice",
                (_, "too_long") => "programme-reason-long",
                _ => "programme-reason-empty",
            });
            let wrong = (field, text);
            render_list(&app, seat, &programme, again, None, (government, reason), Some(wrong)).await
        }
        Err(error) => Err(error.into()),
    }
}

/// A chapter of a plan as it was sent.
struct ChapterView {
    title: String,
    /// Heading and text of each part.
    parts: Vec<(String, String)>,
    table: Option<Table>,
}

/// What the ministry can do with a plan, and what was typed.
struct Desk {
    here: String,
    revision: i64,
    sheets: Vec<Table>,
    scored: String,
    appraise: Option<Vec<Field>>,
    decide: Option<(Vec<Field>, Vec<Field>)>,
    defer: Option<Field>,
}

#[derive(Template)]
#[template(path = "programme/sent.html")]
struct SentPage {
    frame: Frame,
    staff: Staff,
    done: Option<Banner>,
    errors: Option<ErrorSummary>,
    back: String,
    title: String,
    government: String,
    state: Tag,
    facts: SummaryList,
    sheet: Option<String>,
    chapters: Vec<ChapterView>,
    rows: Vec<AnnexRow>,
    desk: Option<Desk>,
}

fn facts(words: Words, sent: &Sent) -> SummaryList {
    let mut rows = Vec::new();
    let funded = sent.programme.period.funded;
    if let Some(subsidy) = sent.plan.subsidy(funded) {
        let value = words.with(
            "programme-asked-value",
            &[
                ("ministry", words.money(subsidy.ministry().0)),
                ("total", words.money(subsidy.total.0)),
                ("own", words.money(subsidy.own.0)),
            ],
        );
        rows.push(Row::new(words.t1("programme-asked-of", "year", funded), value));
    }
    rows.push(Row::new(words.t("programme-most"), words.money(sent.most.0)));
    if let Some(reason) = &sent.plan.cap_exception {
        rows.push(Row::new(words.t("programme-subsidy-exception"), reason));
    }
    if let Some(amount) = sent.row.amount {
        rows.push(Row::new(words.t("programme-amount"), words.money(amount)));
    }
    if let Some(note) = sent.row.note.as_ref().filter(|note| !note.is_empty()) {
        let key = match sent.row.state {
            subsidies::State::Refused => "programme-reason",
            _ => "programme-conditions",
        };
        rows.push(Row::new(words.t(key), note));
    }
    if let Some(found) = &sent.correction {
        rows.extend(correction(words, found, &sent.programme.correction));
    }
    let contact = &sent.plan.contact;
    let contact = [&contact.unit, &contact.name, &contact.telephone, &contact.email];
    let contact = contact.map(String::as_str).join("\n");
    rows.push(Row::new(words.t("programme-contact"), contact));
    let mut digest = Row::new(words.t("programme-digest"), &sent.digest);
    digest.note = Some(words.t("programme-digest-note"));
    rows.push(digest);
    SummaryList { rows }
}

fn chapters(words: Words, plan: &Plan, programme: &Programme) -> Vec<ChapterView> {
    let chapters = programme.chapters.iter().enumerate().map(|(at, chapter)| {
        let title = format!("{}. {}", at + 1, words.of(&chapter.title));
        match place::kind(chapter.kind) {
            Some("contact") => ChapterView {
                parts: vec![(String::new(), words.t("programme-contact-above"))],
                table: None,
                title,
            },
            Some(part) => ChapterView {
                table: Some(of_part(words, plan, programme, part, &title)),
                parts: Vec::new(),
                title,
            },
            None => ChapterView {
                parts: match chapter.sections.is_empty() {
                    true => vec![(String::new(), plan.text(&chapter.id).to_owned())],
                    false => chapter
                        .sections
                        .iter()
                        .map(|section| {
                            let text = plan.text(&format!("{}.{}", chapter.id, section.id));
                            (words.of(&section.title).to_owned(), text.to_owned())
                        })
                        .collect(),
                },
                table: None,
                title,
            },
        }
    });
    chapters.collect()
}

/// A table of a plan, as its form is read.
fn of_part(words: Words, plan: &Plan, programme: &Programme, part: &str, caption: &str) -> Table {
    let head = |keys: &[(&str, bool)]| -> Vec<Head> {
        let heads = keys.iter();
        heads
            .map(|(key, numeric)| Head {
                text: words.t(key),
                numeric: *numeric,
            })
            .collect()
    };
    let money = |amount: Money| Cell::text(amount.grouped());
    let (head, rows): (Vec<Head>, Vec<Vec<Cell>>) = match Part::of(plan, programme, part) {
        Some(Part::Indicators(all)) => (
            head(&[
                ("programme-indicator-title", false),
                ("programme-indicator-formula", false),
                ("programme-indicator-base", false),
                ("programme-indicator-source", false),
                ("programme-indicator-targets", false),
            ]),
            all.into_iter()
                .map(|one| {
                    let targets: Vec<String> = one
                        .targets
                        .iter()
                        .map(|target| format!("{}：{}", words.t1("programme-year", "year", target.year), target.text))
                        .collect();
                    let name = format!("{} {}", one.id, one.title);
                    [name, one.formula, one.base, one.source, targets.join("；")]
                        .map(Cell::text)
                        .into()
                })
                .collect(),
        ),
        Some(Part::Budget(all)) => (
            head(&[
                ("programme-line-work", false),
                ("programme-line-year", false),
                ("programme-line-amount", true),
                ("programme-line-kind", false),
                ("programme-line-items", false),
                ("programme-line-indicators", false),
                ("programme-line-note", false),
            ]),
            all.into_iter()
                .map(|line| {
                    let kind = match line.kind {
                        grants::plan::Kind::Capital => "programme-kind-capital",
                        grants::plan::Kind::Current => "programme-kind-current",
                    };
                    vec![
                        Cell::text(line.work),
                        Cell::text(line.year.to_string()),
                        money(line.amount),
                        Cell::text(words.t(kind)),
                        Cell::text(line.items.join("、")),
                        Cell::text(line.indicators.join("、")),
                        Cell::text(line.note),
                    ]
                })
                .collect(),
        ),
        Some(Part::Subsidy { years, .. }) => (
            head(&[
                ("programme-line-year", false),
                ("programme-subsidy-total", true),
                ("programme-subsidy-own", true),
                ("programme-subsidy-capital", true),
                ("programme-subsidy-current", true),
            ]),
            years
                .into_iter()
                .map(|one| {
                    vec![
                        Cell::text(one.year.to_string()),
                        money(one.total),
                        money(one.own),
                        money(one.capital),
                        money(one.current),
                    ]
                })
                .collect(),
        ),
        Some(Part::Checkpoints(all)) => (
            head(&[
                ("programme-checkpoint-quarter", false),
                ("programme-checkpoint-progress", true),
                ("programme-checkpoint-spending", true),
                ("programme-checkpoint-text", false),
            ]),
            all.into_iter()
                .map(|one| {
                    vec![
                        Cell::text(one.quarter.to_string()),
                        Cell::text(format!("{}%", one.progress)),
                        money(one.spending),
                        Cell::text(one.text),
                    ]
                })
                .collect(),
        ),
        _ => (Vec::new(), Vec::new()),
    };
    Table {
        caption: caption.to_owned(),
        head,
        rows,
    }
}

/// What was typed into a form that is shown again.
#[derive(Default)]
struct Again {
    posted: Option<Posted>,
    wrong: Option<(&'static str, String)>,
    done: Option<Banner>,
}

fn grade(words: Words, name: &str, key: &str, value: &str) -> Field {
    let choices = (1..=5).map(|grade: u8| Choice {
        value: grade.to_string(),
        label: grade.to_string(),
        hint: None,
        chosen: value == grade.to_string(),
    });
    let mut field = Field::new(words, name, words.t(key), Control::Select(choices.collect()));
    field.hint = Some(words.t("programme-grade-hint"));
    field
}

/// What the ministry can do with the plan as it stands.
async fn desk(app: &App, seat: &Seat, sent: &Sent, again: &Again) -> Result<Desk, Problem> {
    let words = seat.frame.words;
    let typed = |name: &str| again.posted.as_ref().map(|posted| lines(&posted.raw, name));
    let wrong = |mut field: Field| {
        let here = again.wrong.as_ref().filter(|(at, _)| *at == field.name);
        field.error = here.map(|(_, text)| text.clone());
        field
    };
    let ranking = subsidies::ranking(&app.subsidies, &seat.member, &sent.row.programme).await?;
    let line = ranking.lines.iter().find(|line| line.plan == sent.row.id);
    let scored = line.map_or_else(String::new, |line| {
        let values = [
            ("sheets", line.sheets.to_string()),
            ("needed", sent.programme.review.sheets_at_least.to_string()),
            ("raw", hundredths(line.raw)),
            ("adjusted", hundredths(line.adjusted)),
        ];
        match line.sheets {
            0 => words.with("programme-scored-none", &values),
            _ if !line.enough => words.with("programme-scored-few", &values),
            _ => words.with("programme-scored", &values),
        }
    });
    let found = subsidies::sheets(&app.subsidies, &seat.member, sent.row.id).await?;
    let sheets = found.into_iter().map(|(name, scores)| {
        let total: u32 = scores.iter().map(|score| u32::from(score.tenths)).sum();
        let rows = sent.programme.criteria.iter().filter_map(|criterion| {
            let score = scores.iter().find(|score| score.criterion == criterion.id)?;
            Some(vec![
                Cell::text(words.of(&criterion.title)),
                Cell::text(points(u32::from(score.tenths))),
                Cell::text(&score.comment),
            ])
        });
        Table {
            caption: words.with("programme-sheet-caption", &[("name", name), ("total", points(total))]),
            head: vec![
                Head::text(words.t("programme-criterion")),
                Head::number(words.t("programme-points")),
                Head::text(words.t("programme-sheet-comment")),
            ],
            rows: rows.collect(),
        }
    });
    let is_sent = sent.row.state == subsidies::State::Sent;
    let appraise = is_sent.then(|| {
        let known = line.and_then(|line| line.appraisal);
        let on = |name: &str, kept: Option<bool>| match &again.posted {
            Some(posted) if posted.raw.contains_key("urgency") => posted.raw.contains_key(name),
            _ => kept.unwrap_or(false),
        };
        let boxes = [
            ("necessary", "programme-necessary", known.map(|known| known.necessary)),
            ("feasible", "programme-feasible", known.map(|known| known.feasible)),
            (
                "own_budget",
                "programme-own-budget",
                known.map(|known| known.own_budget),
            ),
        ];
        let mut fields: Vec<Field> = boxes
            .into_iter()
            .map(|(name, key, kept)| {
                let choice = Choice {
                    value: "1".to_owned(),
                    label: words.t(key),
                    hint: None,
                    chosen: on(name, kept),
                };
                let legend = words.t(&format!("{key}-legend"));
                Field::new(words, name, legend, Control::Checkboxes(vec![choice]))
            })
            .collect();
        let kept = |grade: Option<u8>| grade.map_or_else(String::new, |grade| grade.to_string());
        for (name, key, value) in [
            ("urgency", "programme-urgency", kept(known.map(|known| known.urgency))),
            (
                "feasibility",
                "programme-feasibility",
                kept(known.map(|known| known.feasibility)),
            ),
        ] {
            fields.push(wrong(grade(words, name, key, &typed(name).unwrap_or(value))));
        }
        fields
    });
    let decide = is_sent.then(|| {
        let amount = Typed {
            value: typed("amount").unwrap_or_default(),
            mode: "numeric",
            width: 10,
            suffix: Some(words.t("programme-dollars")),
            ..Typed::default()
        };
        let mut amount = Field::new(words, "amount", words.t("programme-amount"), Control::Input(amount));
        amount.hint = Some(words.t1("programme-amount-hint", "most", words.money(sent.most.0)));
        let text = |name: &str, key: &str| {
            let value = typed(name).unwrap_or_default();
            Field::new(words, name, words.t(key), Control::TextArea { value, rows: 4 })
        };
        let mut conditions = text("conditions", "programme-conditions");
        conditions.optional = true;
        (
            vec![wrong(amount), wrong(conditions)],
            vec![wrong(text("reason", "programme-reason"))],
        )
    });
    let over = sent.correction.as_ref().is_some_and(|found| {
        use grants::correction::Standing::{InTime, Waiting};
        !matches!(found.standing, Waiting | InTime) && found.deferral.is_none()
    });
    let defer = over.then(|| {
        let value = typed("deferral").unwrap_or_default();
        let control = Control::TextArea { value, rows: 3 };
        wrong(Field::new(words, "deferral", words.t("programme-reason"), control))
    });
    Ok(Desk {
        here: format!("/programme/received/{}", sent.row.id),
        revision: sent.row.revision,
        sheets: sheets.collect(),
        scored,
        appraise,
        decide,
        defer,
    })
}

async fn render(app: &App, seat: Seat, plan: &str, status: StatusCode, again: Again) -> Result<Response, Problem> {
    let words = seat.frame.words;
    let sent = subsidies::sent(&app.subsidies, &seat.member, id(plan)?).await?;
    let desk = match seat.side {
        Side::Ministry => Some(desk(app, &seat, &sent, &again).await?),
        Side::Government | Side::Panel => None,
    };
    let page = SentPage {
        done: again.done,
        errors: again.wrong.map(|(field, text)| ErrorSummary {
            words,
            errors: vec![(field.to_owned(), text)],
        }),
        back: format!("/programme/calls/{}/received", sent.row.programme),
        title: sent.plan.title.clone(),
        government: subsidies::government(&sent.programme, &sent.row.government).to_owned(),
        state: state(words, sent.row.state),
        facts: facts(words, &sent),
        sheet: (seat.side == Side::Panel).then(|| format!("/programme/received/{plan}/sheet")),
        chapters: chapters(words, &sent.plan, &sent.programme),
        rows: annex(&sent.plan.assessment, &sent.programme),
        desk,
        frame: seat.frame,
        staff: seat.staff,
    };
    page_with(status, &page)
}

/// `GET /programme/received/{plan}`
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

/// `POST /programme/received/{plan}/{act}`: says how urgent and feasible a plan is, grants, refuses, puts off.
pub(super) async fn act(
    State(app): State<App>,
    seat: Seat,
    Path((plan, act)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, Problem> {
    let words = seat.frame.words;
    let (number, revision) = (id(&plan)?, posted.value("revision")?);
    let (desk, member) = (&app.subsidies, &seat.member);
    let here = format!("/programme/received/{plan}");
    let result = match act.as_str() {
        "appraise" => {
            let appraisal = Appraisal {
                necessary: posted.raw.contains_key("necessary"),
                feasible: posted.raw.contains_key("feasible"),
                own_budget: posted.raw.contains_key("own_budget"),
                // an empty choice is out of range and told as such
                urgency: posted.text("urgency").parse().unwrap_or(0),
                feasibility: posted.text("feasibility").parse().unwrap_or(0),
            };
            subsidies::appraise(desk, member, number, revision, appraisal).await
        }
        "grant" => {
            let Ok(amount) = dollars(posted.text("amount")) else {
                let wrong = Some(("amount", words.t("programme-wrong-amount")));
                let again = Again {
                    posted: Some(posted),
                    wrong,
                    done: None,
                };
                return render(&app, seat, &plan, StatusCode::UNPROCESSABLE_ENTITY, again).await;
            };
            let decision = Decision::Grant {
                amount: amount.unwrap_or(Money(0)),
                conditions: lines(&posted.raw, "conditions"),
            };
            subsidies::decide(desk, member, number, revision, decision).await
        }
        "refuse" => {
            let reason = lines(&posted.raw, "reason");
            subsidies::decide(desk, member, number, revision, Decision::Refuse { reason }).await
        }
        "defer" => subsidies::defer(desk, member, number, revision, &lines(&posted.raw, "deferral")).await,
        _ => return Err(Problem::NotFound),
    };
    let wrong: (&'static str, String) = match result {
        Ok(()) => return Ok(onward(&format!("{here}?done={act}"))),
        Err(SubsidyError::Conflict(_) | SubsidyError::State) => return conflict(seat, here),
        Err(SubsidyError::AboveMost(most)) => ("amount", words.t1("programme-above-most", "most", words.money(most.0))),
        Err(SubsidyError::FewSheets { there, needed }) => (
            "amount",
            words.with(
                "programme-few-sheets",
                &[("there", there.to_string()), ("needed", needed.to_string())],
            ),
        ),
        Err(SubsidyError::Deferral(error)) => {
            use grants::correction::DeferralError::{HandedIn, NoReason, TooEarly};
            let text = match error {
                TooEarly(day) => words.t1("programme-defer-early", "day", words.date(day)),
                HandedIn => words.t("programme-standing-in-time"),
                NoReason => words.t("programme-reason-empty"),
            };
            ("deferral", text)
        }
        Err(SubsidyError::Input { field, problem }) => {
            let text = match (field, problem) {
                ("urgency" | "feasibility", _) => words.t("programme-grade-wrong"),
                ("amount", _) => words.t("programme-amount-empty"),
                (_, "too_long") => words.t("programme-note-long"),
                _ => words.t("programme-reason-empty"),
            };
            (field, text)
        }
        Err(error) => return Err(error.into()),
    };
    let again = Again {
        posted: Some(posted),
        wrong: Some(wrong),
        done: None,
    };
    render(&app, seat, &plan, StatusCode::UNPROCESSABLE_ENTITY, again).await
}
