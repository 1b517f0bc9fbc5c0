//! A plan as it was sent, chapter by chapter, with what the ministry can do with it beside it.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use cases::Staff;
use civic::Money;
use grants::correction::Standing;
use grants::plan::PlanIndicator;
use grants::{Plan, Programme};
use subsidies::{Part, Sent};

use super::decide::{Again, Desk, desk};
use super::part::services;
use super::place;
use super::plan::correction;
use super::stage::{AnnexRow, annex};
use super::{Asked, Seat, Side, done, standing};
use crate::address::id;
use crate::components::{Banner, Cell, ErrorSummary, Head, Row, SummaryList, Table, Tag};
use crate::texts::Words;
use crate::{App, Frame, Problem, page_with};

/// A chapter of a plan as it was sent.
struct ChapterView {
    title: String,
    /// Heading and text of each part.
    parts: Vec<(String, String)>,
    table: Option<Table>,
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
    pdf: String,
    sheet: Option<String>,
    /// Where the plan is followed once it is carried out.
    execution: Option<String>,
    /// What the checks leave to a person: where, and what.
    warnings: Vec<(String, String)>,
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

/// What the checks find in the plan as it was sent and did not keep it back.
fn warnings(words: Words, sent: &Sent) -> Vec<(String, String)> {
    let findings = grants::plan::check(&sent.plan, &sent.programme);
    let said = place::said(words, &sent.programme, &findings).into_iter();
    let warnings = said.filter(|one| one.warning).map(|one| {
        let name = one.place.map_or_else(|| words.t("programme-whole"), |place| place.name);
        (name, one.text)
    });
    warnings.collect()
}

fn chapters(words: Words, plan: &Plan, programme: &Programme, services: &[(String, String)]) -> Vec<ChapterView> {
    let chapters = programme.chapters.iter().enumerate().map(|(at, chapter)| {
        let title = format!("{}. {}", at + 1, words.of(&chapter.title));
        match place::kind(chapter.kind) {
            Some("contact") => ChapterView {
                parts: vec![(String::new(), words.t("programme-contact-above"))],
                table: None,
                title,
            },
            Some(part) => ChapterView {
                table: Some(of_part(words, plan, programme, services, part, &title)),
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

/// Which formula of the programme an indicator takes, and which measure of the platform it is counted by.
fn bound(words: Words, programme: &Programme, services: &[(String, String)], one: &PlanIndicator) -> [String; 2] {
    let printed = one.printed.as_deref().and_then(|id| programme.indicator(id));
    let measure = match one.measure.as_deref() {
        None => words.t("none"),
        Some("all") => words.t("programme-measure-all"),
        Some(of) => {
            let known = services.iter().find(|(id, _)| id == of);
            known.map_or_else(|| of.to_owned(), |(_, name)| name.clone())
        }
    };
    let printed = printed.map_or_else(|| words.t("none"), |found| words.of(&found.title).to_owned());
    [printed, measure]
}

/// A table of a plan, as its form is read.
fn of_part(
    words: Words,
    plan: &Plan,
    programme: &Programme,
    services: &[(String, String)],
    part: &str,
    caption: &str,
) -> Table {
    let head = |columns: &[(&str, bool)]| Head::all(words, columns);
    let money = |amount: Money| Cell::text(amount.grouped());
    let (head, rows): (Vec<Head>, Vec<Vec<Cell>>) = match Part::of(plan, programme, part) {
        Some(Part::Indicators(all)) => (
            head(&[
                ("programme-indicator-title", false),
                ("programme-indicator-printed", false),
                ("programme-measure", false),
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
                    let [printed, measure] = bound(words, programme, services, &one);
                    let targets = targets.join("；");
                    [name, printed, measure, one.formula, one.base, one.source, targets]
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

/// The page of a plan that was sent.
pub(super) async fn render(
    app: &App,
    seat: Seat,
    plan: &str,
    status: StatusCode,
    again: Again,
) -> Result<Response, Problem> {
    let words = seat.frame.words;
    let sent = subsidies::sent(&app.subsidies, &seat.member, id(plan)?).await?;
    let desk = match seat.side {
        Side::Ministry => Some(desk(app, &seat, &sent, &again).await?),
        Side::Government | Side::Panel => None,
    };
    let forfeit = sent
        .correction
        .as_ref()
        .is_some_and(|found| found.standing == Standing::Forfeit);
    let page = SentPage {
        done: again.done,
        errors: again.wrong.map(|(field, text)| ErrorSummary {
            words,
            errors: vec![(field.to_owned(), text)],
        }),
        back: format!("/programme/calls/{}/received", sent.row.programme),
        title: sent.plan.title.clone(),
        government: subsidies::government(&sent.programme, &sent.row.government).to_owned(),
        state: standing(words, sent.row.state, forfeit),
        facts: facts(words, &sent),
        pdf: format!("/programme/received/{plan}/pdf"),
        sheet: (seat.side == Side::Panel).then(|| format!("/programme/received/{plan}/sheet")),
        execution: (seat.side == Side::Ministry && sent.row.state == subsidies::State::Corrected)
            .then(|| format!("/programme/received/{plan}/execution")),
        chapters: chapters(words, &sent.plan, &sent.programme, &services(app, words)),
        warnings: warnings(words, &sent),
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
