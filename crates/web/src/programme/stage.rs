//! The self-assessment (數位發展現況階段自評, annex 2): the stages, one stage at a time, and the table as it will be printed.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use cases::Staff;
use grants::Programme;
use grants::assessment::{Assessment, TableRow, table};
use subsidies::{Part, SubsidyError};

use super::fields::Group;
use super::part::{Theirs, is_open, progress, theirs};
use super::place::{self, ASSESSMENT, Said};
use super::stage_fields::{ItemView, StageForm};
use super::stage_form;
use super::versions::{Aside, aside};
use super::{Asked, Seat, conflict, done};
use crate::address::{id, onward};
use crate::components::{Banner, Colour, ErrorSummary, Field, Tag, Task, TaskList};
use crate::posted::Raw;
use crate::{App, Frame, Posted, Problem, page, page_with};

/// Empty evidence and extra items that the button for more adds.
const MORE: usize = 3;

#[derive(Template)]
#[template(path = "programme/assessment.html")]
struct OverviewPage {
    frame: Frame,
    staff: Staff,
    done: Option<Banner>,
    plan: String,
    name: &'static str,
    progress: String,
    stages: TaskList,
    findings: Vec<Said>,
    rows: Vec<AnnexRow>,
    aside: Aside,
    next: (String, String),
}

#[derive(Template)]
#[template(path = "programme/stage.html")]
struct StagePage {
    frame: Frame,
    staff: Staff,
    errors: Option<ErrorSummary>,
    theirs: Option<Theirs>,
    plan: String,
    here: String,
    title: String,
    seen: i64,
    open: bool,
    findings: Vec<Said>,
    stands: Field,
    evidence: Vec<Group>,
    items: Vec<ItemView>,
    extra: Vec<Group>,
    rest: Vec<Group>,
}

/// A row of the printed table: the stage, and the lines of each cell with whether they are a heading.
pub(super) struct AnnexRow {
    pub(super) stage: String,
    pub(super) cells: Vec<Vec<(bool, String)>>,
}

/// The table of annex 2 as it will be printed.
pub(super) fn annex(assessment: &Assessment, programme: &Programme) -> Vec<AnnexRow> {
    let rows = table(assessment, programme).into_iter().map(|row| AnnexRow {
        stage: row.stage,
        cells: [row.evidence, row.done, row.plan]
            .into_iter()
            .map(|cell| {
                let lines = cell.into_iter();
                lines
                    .map(|line| (TableRow::HEADINGS.contains(&line.as_str()), line))
                    .collect()
            })
            .collect(),
    });
    rows.collect()
}

/// `GET /programme/plans/{plan}/assessment`
pub(super) async fn overview(
    State(app): State<App>,
    seat: Seat,
    Path(plan): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let words = seat.frame.words;
    let number = id(&plan)?;
    let draft = subsidies::draft(&app.subsidies, &seat.member, number).await?;
    let here = format!("/programme/plans/{plan}");
    let said = place::said(words, &draft.programme, &draft.findings);
    let of_part: Vec<Said> = said
        .into_iter()
        .filter(|one| one.place.as_ref().is_some_and(|place| place.part == ASSESSMENT))
        .collect();
    let stages = draft.programme.stages.iter().map(|stage| {
        let wrong = of_part.iter().filter(|one| {
            let of = one.place.as_ref().and_then(|place| place.stage.as_ref());
            of == Some(&stage.id) && !one.warning
        });
        let wrong = wrong.count();
        let state = match draft.plan.assessment.row(&stage.id) {
            None => Tag::new(words.t("programme-stage-left-out"), Colour::Grey),
            Some(_) if wrong > 0 => Tag::new(words.t1("programme-wrong-n", "n", wrong), Colour::Red),
            Some(row) if row.is_built() => Tag::new(words.t("programme-stage-built"), Colour::Green),
            Some(_) => Tag::new(words.t("programme-stage-plan"), Colour::Blue),
        };
        Task {
            title: format!("{} {}", stage.id, words.of(&stage.title)),
            href: Some(format!("{here}/assessment/{}", stage.id)),
            hint: Some(words.t1("programme-needs", "platform", words.of(&stage.platform))),
            state,
        }
    });
    let order = place::reading_order(&draft.programme);
    let next = order
        .iter()
        .position(|one| one == ASSESSMENT)
        .and_then(|at| order.get(at + 1));
    let next = next.map_or("title", String::as_str);
    page(&OverviewPage {
        done: done(&seat.frame, &asked.done),
        name: ASSESSMENT,
        progress: progress(words, &draft),
        stages: TaskList {
            tasks: stages.collect(),
        },
        findings: of_part,
        rows: annex(&draft.plan.assessment, &draft.programme),
        aside: aside(&app, words, &seat.member, number, ASSESSMENT).await?,
        next: (place::href(&here, next), place::title(words, &draft.programme, next)),
        plan: here,
        frame: seat.frame,
        staff: seat.staff,
    })
}

/// Where the form of a stage stands.
#[derive(Default)]
struct Standing {
    typed: Option<Raw>,
    wrong: Option<(String, &'static str)>,
    more: usize,
    seen: Option<i64>,
    theirs: Option<Theirs>,
}

async fn render(
    app: &App,
    seat: Seat,
    plan: &str,
    name: &str,
    status: StatusCode,
    standing: Standing,
) -> Result<Response, Problem> {
    let words = seat.frame.words;
    let draft = subsidies::draft(&app.subsidies, &seat.member, id(plan)?).await?;
    let stage = draft.programme.stage(name).ok_or(Problem::NotFound)?;
    let raw = standing
        .typed
        .unwrap_or_else(|| stage_form::values(draft.plan.assessment.row(name), stage));
    let said = place::said(words, &draft.programme, &draft.findings);
    let mine = said.into_iter().filter(|one| {
        let place = one.place.as_ref();
        place.is_some_and(|place| place.stage.as_deref() == Some(name))
    });
    let (at_item, findings): (Vec<Said>, Vec<Said>) =
        mine.partition(|one| one.place.as_ref().is_some_and(|place| !place.anchor.is_empty()));
    let at_item: Vec<(String, String)> = at_item
        .into_iter()
        .filter_map(|one| Some((one.place?.anchor, one.text)))
        .collect();
    let form = StageForm {
        words,
        programme: &draft.programme,
        stage,
        raw: &raw,
        wrong: standing.wrong,
        findings: &at_item,
        more: standing.more,
    };
    let errors = form.wrong.as_ref().map(|(field, key)| ErrorSummary {
        words,
        errors: vec![(field.clone(), words.t(key))],
    });
    let page = StagePage {
        errors,
        theirs: standing.theirs,
        here: format!("/programme/plans/{plan}/assessment/{name}"),
        plan: format!("/programme/plans/{plan}"),
        title: format!("{} {}", stage.id, words.of(&stage.title)),
        seen: standing
            .seen
            .unwrap_or_else(|| draft.versions.get(ASSESSMENT).copied().unwrap_or(0)),
        open: is_open(&draft),
        findings,
        stands: form.stands(),
        evidence: form.evidence(),
        items: form.items(),
        extra: form.extra(),
        rest: form.rest(),
        frame: seat.frame,
        staff: seat.staff,
    };
    page_with(status, &page)
}

/// `GET /programme/plans/{plan}/assessment/{stage}`
pub(super) async fn show(
    State(app): State<App>,
    seat: Seat,
    Path((plan, stage)): Path<(String, String)>,
) -> Result<Response, Problem> {
    render(&app, seat, &plan, &stage, StatusCode::OK, Standing::default()).await
}

/// `POST /programme/plans/{plan}/assessment/{stage}`: saves the stage within the whole assessment, over the version that was seen.
pub(super) async fn save(
    State(app): State<App>,
    seat: Seat,
    Path((plan, name)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, Problem> {
    let number = id(&plan)?;
    let draft = subsidies::draft(&app.subsidies, &seat.member, number).await?;
    let stage = draft.programme.stage(&name).ok_or(Problem::NotFound)?;
    let seen: i64 = posted.value("seen")?;
    if posted.raw.contains_key("more") {
        let standing = Standing {
            typed: Some(posted.raw),
            more: MORE,
            seen: Some(seen),
            ..Standing::default()
        };
        return render(&app, seat, &plan, &name, StatusCode::OK, standing).await;
    }
    let again = StatusCode::UNPROCESSABLE_ENTITY;
    let row = match stage_form::row(&posted.raw, stage) {
        Ok(row) => row,
        Err(wrong) => {
            let standing = Standing {
                typed: Some(posted.raw),
                wrong: Some(wrong),
                seen: Some(seen),
                ..Standing::default()
            };
            return render(&app, seat, &plan, &name, again, standing).await;
        }
    };
    let mut assessment = draft.plan.assessment.clone();
    assessment.rows.retain(|one| one.stage != name);
    assessment.rows.extend(row);
    // rows stand in the order of the stages
    let at = |of: &str| draft.programme.stages.iter().position(|stage| stage.id == of);
    assessment.rows.sort_by_key(|row| at(&row.stage).unwrap_or(usize::MAX));
    let here = format!("/programme/plans/{plan}");
    match subsidies::save(&app.subsidies, &seat.member, number, Part::Assessment(assessment), seen).await {
        Ok(_) if posted.raw.contains_key("onward") => {
            let stages = &draft.programme.stages;
            let next = at(&name).and_then(|at| stages.get(at + 1));
            Ok(onward(&next.map_or_else(
                || format!("{here}/assessment?done=saved"),
                |next| format!("{here}/assessment/{}", next.id),
            )))
        }
        Ok(_) => Ok(onward(&format!("{here}/assessment?done=saved"))),
        Err(SubsidyError::Conflict(_)) => {
            let (theirs, newest) = theirs(&app, &seat, number, ASSESSMENT, seen).await?;
            let standing = Standing {
                typed: Some(posted.raw),
                seen: Some(newest),
                theirs: Some(theirs),
                ..Standing::default()
            };
            render(&app, seat, &plan, &name, StatusCode::CONFLICT, standing).await
        }
        Err(SubsidyError::Input { .. }) => {
            let standing = Standing {
                typed: Some(posted.raw),
                wrong: Some((stage_form::STANDS.to_owned(), "programme-too-long")),
                seen: Some(seen),
                ..Standing::default()
            };
            render(&app, seat, &plan, &name, again, standing).await
        }
        Err(SubsidyError::State) => conflict(seat, here),
        Err(error) => Err(error.into()),
    }
}
