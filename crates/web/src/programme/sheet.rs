//! A reviewer's score sheet (評分表) for a plan: points and a comment for each criterion, beside what it looks at.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use cases::Staff;
use grants::review::{Score, SheetError};
use subsidies::SubsidyError;

use super::{Asked, Seat, conflict, done, lines};
use crate::address::{id, onward};
use crate::components::{Banner, Control, ErrorSummary, Field, Typed};
use crate::posted::Raw;
use crate::{App, Frame, Posted, Problem, page_with};

struct CriterionView {
    title: String,
    looks: Vec<String>,
    fields: Vec<Field>,
}

#[derive(Template)]
#[template(path = "programme/sheet.html")]
struct SheetPage {
    frame: Frame,
    staff: Staff,
    done: Option<Banner>,
    errors: Option<ErrorSummary>,
    here: String,
    back: String,
    government: String,
    title: String,
    revision: i64,
    open: bool,
    total: String,
    criteria: Vec<CriterionView>,
}

/// Tenths of a point as people write them: 285 is 28.5.
pub(super) fn points(tenths: u32) -> String {
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// Typed points in tenths: whole points, or with one place behind the point.
fn tenths(text: &str) -> Option<u16> {
    let text = civic::fold_width(text);
    let (whole, part) = text.split_once('.').unwrap_or((&text, "0"));
    let whole: u16 = whole.parse().ok()?;
    let part: u16 = match part.len() {
        1 => part.parse().ok()?,
        _ => return None,
    };
    whole.checked_mul(10)?.checked_add(part)
}

/// Where the form stands.
#[derive(Default)]
struct Standing {
    typed: Option<Raw>,
    wrong: Vec<(String, String)>,
    revision: Option<i64>,
    done: Option<Banner>,
}

async fn render(
    app: &App,
    seat: Seat,
    plan: &str,
    status: StatusCode,
    standing: Standing,
) -> Result<Response, Problem> {
    let words = seat.frame.words;
    let number = id(plan)?;
    let (scores, revision) = subsidies::my_sheet(&app.subsidies, &seat.member, number).await?;
    let sent = subsidies::sent(&app.subsidies, &seat.member, number).await?;
    let criteria = sent.programme.criteria.iter().map(|criterion| {
        let kept = scores.iter().find(|score| score.criterion == criterion.id);
        let value = |field: &str, kept: String| match &standing.typed {
            Some(typed) => lines(typed, &format!("{field}.{}", criterion.id)),
            None => kept,
        };
        let name = format!("points.{}", criterion.id);
        let typed = Typed {
            value: value(
                "points",
                kept.map_or_else(String::new, |score| points(u32::from(score.tenths))),
            ),
            width: 4,
            suffix: Some(words.t1("programme-of-points", "points", criterion.points)),
            ..Typed::default()
        };
        let mut score = Field::new(words, &name, words.t("programme-points"), Control::Input(typed));
        score.optional = criterion.bonus;
        let comment = value("comment", kept.map_or_else(String::new, |score| score.comment.clone()));
        let mut comment = Field::new(
            words,
            format!("comment.{}", criterion.id),
            words.t("programme-sheet-comment"),
            Control::TextArea {
                value: comment,
                rows: 3,
            },
        );
        comment.optional = true;
        for field in [&mut score, &mut comment] {
            let wrong = standing.wrong.iter().find(|(at, _)| *at == field.name);
            field.error = wrong.map(|(_, text)| text.clone());
        }
        CriterionView {
            title: words.of(&criterion.title).to_owned(),
            looks: criterion.looks.iter().map(|look| words.of(look).to_owned()).collect(),
            fields: vec![score, comment],
        }
    });
    let total: u32 = scores.iter().map(|score| u32::from(score.tenths)).sum();
    let page = SheetPage {
        criteria: criteria.collect(),
        done: standing.done,
        errors: (!standing.wrong.is_empty()).then(|| ErrorSummary {
            words,
            errors: standing.wrong.clone(),
        }),
        here: format!("/programme/received/{plan}/sheet"),
        back: format!("/programme/received/{plan}"),
        government: subsidies::government(&sent.programme, &sent.row.government).to_owned(),
        title: sent.plan.title.clone(),
        revision: standing.revision.unwrap_or(revision),
        open: sent.row.state == subsidies::State::Sent,
        total: match scores.is_empty() {
            true => words.t("programme-sheet-none"),
            false => words.t1("programme-sheet-total", "total", points(total)),
        },
        frame: seat.frame,
        staff: seat.staff,
    };
    page_with(status, &page)
}

/// `GET /programme/received/{plan}/sheet`
pub(super) async fn show(
    State(app): State<App>,
    seat: Seat,
    Path(plan): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let standing = Standing {
        done: done(&seat.frame, &asked.done),
        ..Standing::default()
    };
    render(&app, seat, &plan, StatusCode::OK, standing).await
}

/// `POST /programme/received/{plan}/sheet`
pub(super) async fn save(
    State(app): State<App>,
    seat: Seat,
    Path(plan): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let words = seat.frame.words;
    let number = id(&plan)?;
    let revision: i64 = posted.value("revision")?;
    let here = format!("/programme/received/{plan}/sheet");
    // who may not score is told that before anything of the plan is read
    subsidies::my_sheet(&app.subsidies, &seat.member, number).await?;
    let sent = subsidies::sent(&app.subsidies, &seat.member, number).await?;
    let mut scores = Vec::new();
    let mut wrong = Vec::new();
    for criterion in &sent.programme.criteria {
        let name = format!("points.{}", criterion.id);
        let typed = lines(&posted.raw, &name);
        let comment = lines(&posted.raw, &format!("comment.{}", criterion.id));
        if typed.is_empty() && criterion.bonus && comment.is_empty() {
            continue;
        }
        let most = u32::from(criterion.points) * 10;
        match tenths(&typed).filter(|tenths| u32::from(*tenths) <= most) {
            Some(tenths) => scores.push(Score {
                criterion: criterion.id.clone(),
                tenths,
                comment,
            }),
            None => {
                let values = [
                    ("criterion", words.of(&criterion.title).to_owned()),
                    ("points", criterion.points.to_string()),
                ];
                wrong.push((name, words.with("programme-points-wrong", &values)));
            }
        }
    }
    let again = StatusCode::UNPROCESSABLE_ENTITY;
    if !wrong.is_empty() {
        let standing = Standing {
            typed: Some(posted.raw),
            wrong,
            revision: Some(revision),
            ..Standing::default()
        };
        return render(&app, seat, &plan, again, standing).await;
    }
    match subsidies::score(&app.subsidies, &seat.member, number, scores, revision).await {
        Ok(()) => Ok(onward(&format!("{here}?done=scored"))),
        Err(SubsidyError::Conflict(_)) => {
            let first = sent
                .programme
                .criteria
                .first()
                .map_or("", |criterion| criterion.id.as_str());
            let standing = Standing {
                typed: Some(posted.raw),
                wrong: vec![(format!("points.{first}"), words.t("programme-sheet-conflict"))],
                ..Standing::default()
            };
            render(&app, seat, &plan, StatusCode::CONFLICT, standing).await
        }
        Err(SubsidyError::Sheet(SheetError::Comment)) => {
            let long = |name: &&String| {
                let typed = lines(&posted.raw, name);
                name.starts_with("comment.") && typed.chars().count() > grants::review::MOST_COMMENT
            };
            let field = posted.raw.keys().find(long).cloned().unwrap_or_default();
            let standing = Standing {
                typed: Some(posted.raw),
                wrong: vec![(field, words.t("programme-comment-long"))],
                revision: Some(revision),
                ..Standing::default()
            };
            render(&app, seat, &plan, again, standing).await
        }
        Err(SubsidyError::State) => conflict(seat, format!("/programme/received/{plan}")),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::{points, tenths};

    #[test]
    fn points_have_one_place() {
        for (typed, expected) in [
            ("28", Some(280)),
            ("28.5", Some(285)),
            ("0", Some(0)),
            ("28.55", None),
            ("28.", None),
            ("-1", None),
            ("", None),
            ("6554", None),
            ("二十", None),
        ] {
            assert_eq!(tenths(typed), expected, "{typed}");
        }
        assert_eq!(points(285), "28.5");
        assert_eq!(points(5), "0.5");
    }
}
