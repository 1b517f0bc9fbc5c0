//! Our plan: what is decided, what is to do, chapter by chapter, and what was done.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use cases::Staff;
use grants::Severity;
use grants::clock::{CALL, Phase};
use grants::correction::Standing;
use subsidies::{Correction, Draft};

use super::execution_view::{StepView, noted, steps};
use super::part::{is_open, progress};
use super::place::{self, ASSESSMENT};
use super::{Asked, Seat, done, meeting, minute, standing};
use crate::address::id;
use crate::components::{Banner, Colour, ErrorSummary, Event, Row, SummaryList, Tag, Timeline};
use crate::texts::Words;
use crate::{App, Frame, Problem, page, page_with};

/// Lines of the history in sight; the others are folded away.
const SHOWN: usize = 8;

/// Lines of the history that a page has at most.
const MOST: usize = 200;

/// A chapter with its parts.
struct ChapterView {
    /// Its name on the page, by which the script finds it again.
    id: String,
    title: String,
    tag: Tag,
    /// Address, name, whether it is written; one for a chapter that is one part.
    parts: Vec<(String, String, bool)>,
    wrong: usize,
}

/// What was decided, and the days of the correction.
pub(super) struct Decided {
    pub(super) good: bool,
    pub(super) title: String,
    pub(super) facts: SummaryList,
}

#[derive(Template)]
#[template(path = "programme/plan.html")]
struct PlanPage {
    frame: Frame,
    staff: Staff,
    done: Option<Banner>,
    errors: Option<ErrorSummary>,
    left_over: Vec<String>,
    here: String,
    call: String,
    programme: String,
    title: String,
    government: String,
    state: Tag,
    clock: String,
    progress: String,
    decided: Option<Decided>,
    /// What is to be done next once the plan is carried out.
    steps: Option<Vec<StepView>>,
    /// When and where it is presented.
    meeting: Option<SummaryList>,
    /// Each PDF there is: its address, and what it is.
    pdfs: Vec<(String, String)>,
    first: Vec<ChapterView>,
    chapters: Vec<ChapterView>,
    refusals: usize,
    warnings: usize,
    open: bool,
    /// When the newest line of the history was written, in microseconds.
    since: i64,
    seen: BTreeMap<String, i64>,
    history: Timeline,
    earlier: Timeline,
}

/// What of the page changes while colleagues write.
#[derive(Template)]
#[template(path = "programme/live.html")]
struct LivePage {
    frame: Frame,
    state: Tag,
    progress: String,
    first: Vec<ChapterView>,
    chapters: Vec<ChapterView>,
    refusals: usize,
    warnings: usize,
    open: bool,
    /// What colleagues saved last: when, in microseconds, and in words.
    saves: Vec<(i64, String)>,
}

/// What happened when a document was taken in.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) done: Option<Banner>,
    pub(super) error: Option<String>,
    pub(super) left_over: Vec<String>,
}

/// Where the correction of a plan stands, in words.
pub(super) fn correction(words: Words, found: &Correction, rules: &grants::correction::Correction) -> Vec<Row> {
    let standing = match found.standing {
        Standing::Waiting => words.t("programme-standing-waiting"),
        Standing::Overdue { days } => words.t1("programme-standing-overdue", "days", days),
        Standing::InTime => words.t("programme-standing-in-time"),
        Standing::Late { days } => words.t1("programme-standing-late", "days", days),
        Standing::Forfeit => words.t("programme-standing-forfeit"),
    };
    let late = words.with(
        "programme-correction-late-value",
        &[
            ("day", words.date(found.last_late_day)),
            ("percent", rules.late_percent.to_string()),
        ],
    );
    let mut rows = vec![
        Row::new(words.t("programme-correction-standing"), standing),
        Row::new(words.t("programme-correction-last"), words.date(found.last_day)),
        Row::new(words.t("programme-correction-late"), late),
        Row::new(words.t("programme-correction-kept"), words.money(found.kept.0)),
    ];
    if let Some(deferral) = &found.deferral {
        let value = format!("{}\n{}", words.date(deferral.decided), deferral.reason);
        rows.push(Row::new(words.t("programme-deferral"), value));
    }
    rows
}

fn decided(words: Words, draft: &Draft) -> Option<Decided> {
    let note = draft.row.note.clone().unwrap_or_default();
    match (draft.row.state, draft.row.amount) {
        (subsidies::State::Refused, _) => Some(Decided {
            good: false,
            title: words.t("programme-decided-refused"),
            facts: SummaryList {
                rows: vec![Row::new(words.t("programme-reason"), note)],
            },
        }),
        (_, Some(amount)) => {
            let mut rows = vec![Row::new(words.t("programme-amount"), words.money(amount))];
            if !note.is_empty() {
                rows.push(Row::new(words.t("programme-conditions"), note));
            }
            if let Some(found) = &draft.correction {
                rows.extend(correction(words, found, &draft.programme.correction));
            }
            Some(Decided {
                good: true,
                title: words.t("programme-decided-granted"),
                facts: SummaryList { rows },
            })
        }
        _ => None,
    }
}

/// Until when the plan can be sent.
fn clock(words: Words, app: &App, draft: &Draft) -> String {
    let now = app.subsidies.now();
    let (Some(term), Some(phase)) = (draft.programme.term(CALL, now), draft.programme.phase(CALL, now)) else {
        return String::new();
    };
    match (draft.row.state, phase) {
        (subsidies::State::Draft, Phase::Open) => words.t1("programme-until", "closes", minute(words, term.closes)),
        (subsidies::State::Draft, Phase::Over) => words.t1("programme-over", "closes", minute(words, term.closes)),
        (subsidies::State::Draft, Phase::Before) => {
            let opens = term.opens.map_or_else(String::new, |opens| minute(words, opens));
            words.t1("programme-opens", "opens", opens)
        }
        _ => String::new(),
    }
}

fn tag(words: Words, written: usize, parts: usize) -> Tag {
    match written {
        0 => Tag::new(words.t("programme-empty"), Colour::Grey),
        _ if written >= parts => Tag::new(words.t("programme-written"), Colour::Green),
        _ => {
            let values = [("written", written.to_string()), ("parts", parts.to_string())];
            Tag::new(words.with("programme-partly", &values), Colour::Yellow)
        }
    }
}

/// How far the plan has come.
fn state(words: Words, draft: &Draft) -> Tag {
    let correction = draft.correction.as_ref();
    let forfeit = correction.is_some_and(|found| found.standing == Standing::Forfeit);
    standing(words, draft.row.state, forfeit)
}

/// How many findings keep the plan from being sent.
fn refusals(draft: &Draft) -> usize {
    let refusals = draft.findings.iter().filter(|one| one.severity == Severity::Refusal);
    refusals.count()
}

/// What others than this member saved last, the newest first.
fn saves(words: Words, draft: &Draft, own: &str) -> Vec<(i64, String)> {
    let saves = draft.history.iter().rev();
    let saves = saves.filter(|act| act.act == "save" && act.by != own).take(SHOWN);
    let told = saves.map(|act| {
        let part = act.note.as_deref().unwrap_or_default();
        let values = [
            ("by", act.by.clone()),
            ("part", place::title(words, &draft.programme, part)),
        ];
        (act.at.as_microsecond(), words.with("programme-saved-by", &values))
    });
    told.collect()
}

/// The parts that stand before the chapters, and the chapters.
fn chapters(words: Words, here: &str, draft: &Draft) -> (Vec<ChapterView>, Vec<ChapterView>) {
    let (plan, programme) = (&draft.plan, &draft.programme);
    let refused: Vec<String> = draft
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Refusal)
        .filter_map(|finding| place::place(words, programme, &finding.place).map(|place| place.part))
        .collect();
    let wrong = |part: &str| refused.iter().filter(|one| *one == part).count();
    let before = |part: &str, is_written: bool| ChapterView {
        id: format!("part.{part}"),
        title: place::title(words, programme, part),
        tag: tag(words, usize::from(is_written), 1),
        parts: vec![(
            place::href(here, part),
            place::title(words, programme, part),
            is_written,
        )],
        wrong: wrong(part),
    };
    let first = vec![
        before("title", !plan.title.trim().is_empty()),
        before(ASSESSMENT, !plan.assessment.rows.is_empty()),
    ];
    let chapters = programme.chapters.iter().enumerate().map(|(at, chapter)| {
        let complete = draft.completeness.iter().find(|one| one.chapter == chapter.id);
        let (written, needed) = complete.map_or((0, 1), |one| (one.written, one.parts));
        let parts: Vec<(String, String)> = match place::kind(chapter.kind) {
            Some(part) => vec![(part.to_owned(), words.of(&chapter.title).to_owned())],
            None if chapter.sections.is_empty() => {
                vec![(format!("text:{}", chapter.id), words.of(&chapter.title).to_owned())]
            }
            None => chapter
                .sections
                .iter()
                .map(|section| {
                    let part = format!("text:{}.{}", chapter.id, section.id);
                    (part, words.of(&section.title).to_owned())
                })
                .collect(),
        };
        ChapterView {
            id: format!("chapter.{}", chapter.id),
            title: format!("{}. {}", at + 1, words.of(&chapter.title)),
            tag: tag(words, written, needed),
            wrong: parts.iter().map(|(part, _)| wrong(part)).sum(),
            parts: parts
                .into_iter()
                .map(|(part, name)| {
                    let is_written = match part.strip_prefix("text:") {
                        Some(id) => !plan.text(id).trim().is_empty(),
                        None => written >= needed,
                    };
                    (place::href(here, &part), name, is_written)
                })
                .collect(),
        }
    });
    (first, chapters.collect())
}

/// The draft where it is written, and what was sent of it.
fn pdfs(words: Words, here: &str, draft: &Draft) -> Vec<(String, String)> {
    let mut pdfs = Vec::new();
    if is_open(draft) {
        pdfs.push((format!("{here}/pdf"), words.t("programme-pdf-draft")));
    }
    for (corrected, at) in &draft.sent {
        let (which, key) = match corrected {
            true => ("corrected", "programme-pdf-corrected"),
            false => ("sent", "programme-pdf-sent"),
        };
        pdfs.push((format!("{here}/pdf/{which}"), words.t1(key, "at", words.time(*at))));
    }
    pdfs
}

/// The page of the plan.
pub(super) async fn render(
    app: &App,
    seat: Seat,
    plan: &str,
    status: StatusCode,
    outcome: Outcome,
) -> Result<Response, Problem> {
    let words = seat.frame.words;
    let draft = subsidies::draft(&app.subsidies, &seat.member, id(plan)?).await?;
    let meeting = match draft.row.state {
        subsidies::State::Sent => subsidies::own_time(&app.subsidies, &seat.member, id(plan)?).await?,
        _ => None,
    };
    let meeting = meeting.map(|found| meeting::own(words, &found));
    let here = format!("/programme/plans/{plan}");
    let refusals = refusals(&draft);
    let (first, chapters) = chapters(words, &here, &draft);
    let events = draft.history.iter().rev().take(MOST).map(|act| {
        let title = words.t(&format!("programme-act-{}", act.act.replace('_', "-")));
        let part = act
            .note
            .as_deref()
            .map(|part| noted(words, part).unwrap_or_else(|| place::title(words, &draft.programme, part)));
        Event {
            at: act.at,
            title: part.map_or_else(|| title.clone(), |part| format!("{title}：{part}")),
            by: Some(act.by.clone()),
            text: None,
        }
    });
    let mut events: Vec<Event> = events.collect();
    let earlier = events.split_off(events.len().min(SHOWN));
    let title = match draft.plan.title.trim() {
        "" => words.t("programme-untitled"),
        title => title.to_owned(),
    };
    let steps = match draft.row.state {
        subsidies::State::Corrected => {
            let all = subsidies::execution(&app.subsidies, &seat.member, draft.row.id).await?;
            Some(steps(words, &all, &format!("{here}/execution")))
        }
        _ => None,
    };
    let page = PlanPage {
        steps,
        done: outcome.done,
        errors: outcome.error.map(|text| ErrorSummary {
            words,
            errors: vec![("document".to_owned(), text)],
        }),
        left_over: outcome.left_over,
        call: format!("/programme/calls/{}", draft.programme.id),
        programme: words.of(&draft.programme.name).to_owned(),
        title,
        government: subsidies::government(&draft.programme, &draft.row.government).to_owned(),
        state: state(words, &draft),
        clock: clock(words, app, &draft),
        progress: progress(words, &draft),
        decided: decided(words, &draft),
        meeting,
        pdfs: pdfs(words, &here, &draft),
        first,
        chapters,
        refusals,
        warnings: draft.findings.len() - refusals,
        open: is_open(&draft),
        since: draft.history.last().map_or(0, |act| act.at.as_microsecond()),
        seen: draft.versions.clone(),
        history: Timeline { words, events },
        earlier: Timeline { words, events: earlier },
        here,
        frame: seat.frame,
        staff: seat.staff,
    };
    page_with(status, &page)
}

/// `GET /programme/plans/{plan}`
pub(super) async fn show(
    State(app): State<App>,
    seat: Seat,
    Path(plan): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let outcome = Outcome {
        done: done(&seat.frame, &asked.done),
        ..Outcome::default()
    };
    render(&app, seat, &plan, StatusCode::OK, outcome).await
}

/// `GET /programme/plans/{plan}/progress`: for the script of the page, how far each part is and what colleagues saved.
pub(super) async fn live(State(app): State<App>, seat: Seat, Path(plan): Path<String>) -> Result<Response, Problem> {
    let words = seat.frame.words;
    let draft = subsidies::draft(&app.subsidies, &seat.member, id(&plan)?).await?;
    let (first, chapters) = chapters(words, &format!("/programme/plans/{plan}"), &draft);
    let refusals = refusals(&draft);
    page(&LivePage {
        state: state(words, &draft),
        progress: progress(words, &draft),
        first,
        chapters,
        refusals,
        warnings: draft.findings.len() - refusals,
        open: is_open(&draft),
        saves: saves(words, &draft, &seat.staff.name),
        frame: seat.frame,
    })
}
