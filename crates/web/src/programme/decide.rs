//! What the ministry does with a plan that was sent: its place in the order, the decision, putting it off.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use civic::Money;
use subsidies::{Appraisal, Decision, Sent, SubsidyError};

use super::sent::render;
use super::sheet::points;
use super::{Seat, conflict, dollars, hundredths, lines};
use crate::address::{id, onward};
use crate::components::{Banner, Cell, Choice, Control, Field, Head, Table, Typed};
use crate::texts::Words;
use crate::{App, Posted, Problem};

/// What the ministry can do with a plan, and what was typed.
pub(super) struct Desk {
    pub(super) here: String,
    pub(super) revision: i64,
    pub(super) sheets: Vec<Table>,
    pub(super) scored: String,
    /// The conflicts of interest that reviewers declared with the government: who and when, and why.
    pub(super) conflicts: Vec<(String, String)>,
    pub(super) appraise: Option<Vec<Field>>,
    pub(super) decide: Option<(Vec<Field>, Vec<Field>)>,
    pub(super) defer: Option<Field>,
}

/// What was typed into a form that is shown again.
#[derive(Default)]
pub(super) struct Again {
    pub(super) posted: Option<Posted>,
    pub(super) wrong: Option<(&'static str, String)>,
    pub(super) done: Option<Banner>,
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
pub(super) async fn desk(app: &App, seat: &Seat, sent: &Sent, again: &Again) -> Result<Desk, Problem> {
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
    let conflicts = subsidies::conflicts(&app.subsidies, &seat.member, sent.row.id).await?;
    let conflicts = conflicts
        .into_iter()
        .map(|one| (format!("{}，{}", one.by, words.time(one.at)), one.reason));
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
        // what was typed stands over the revision that was seen
        revision: match &again.posted {
            Some(posted) => posted.value("revision")?,
            None => sent.row.revision,
        },
        sheets: sheets.collect(),
        scored,
        conflicts: conflicts.collect(),
        appraise,
        decide,
        defer,
    })
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
