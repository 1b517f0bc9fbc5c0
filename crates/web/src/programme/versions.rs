//! The versions of a part with their differences, and what colleagues say of it.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use cases::Staff;
use serde::Deserialize;
use subsidies::{Member, SubsidyError};
use uuid::Uuid;

use super::place;
use super::{Seat, lines};
use crate::address::{id, onward};
use crate::components::{Choice, Control, ErrorSummary, Field};
use crate::texts::Words;
use crate::{App, Frame, Posted, Problem, page, page_with};

/// A piece of a comparison; lines are kept by the style sheet.
pub(super) struct Piece {
    /// `same`, `old` or `new`.
    pub(super) kind: &'static str,
    pub(super) text: String,
}

pub(super) fn pieces(found: Vec<grants::plan::Piece>) -> Vec<Piece> {
    use grants::plan::Piece::{Added, Removed, Same};
    let pieces = found.into_iter().map(|piece| match piece {
        Same(text) => Piece { kind: "same", text },
        Removed(text) => Piece { kind: "old", text },
        Added(text) => Piece { kind: "new", text },
    });
    pieces.collect()
}

/// What stands beside the form of a part.
pub(super) struct Aside {
    /// What was said: who, when, what.
    pub(super) comments: Vec<(String, String, String)>,
    /// The newest version, and the way to all of them.
    pub(super) version: Option<String>,
}

/// Comments and the newest version of a part.
pub(super) async fn aside(app: &App, words: Words, member: &Member, plan: Uuid, part: &str) -> Result<Aside, Problem> {
    let comments = subsidies::comments(&app.subsidies, member, plan, part).await?;
    let versions = subsidies::versions(&app.subsidies, member, plan, part).await?;
    Ok(Aside {
        comments: comments
            .into_iter()
            .map(|one| (one.by, words.time(one.at), one.text))
            .collect(),
        version: versions.first().map(|newest| {
            words.with(
                "programme-version-newest",
                &[
                    ("version", newest.version.to_string()),
                    ("by", newest.by.clone()),
                    ("at", words.time(newest.at)),
                ],
            )
        }),
    })
}

#[derive(Template)]
#[template(path = "programme/versions.html")]
struct VersionsPage {
    frame: Frame,
    staff: Staff,
    title: String,
    back: String,
    here: String,
    none: bool,
    from: Field,
    to: Field,
    pieces: Vec<Piece>,
    same: bool,
    too_long: bool,
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
}

/// `GET /programme/plans/{plan}/parts/{part}/versions?from=&to=`
pub(super) async fn show(
    State(app): State<App>,
    seat: Seat,
    Path((plan, part)): Path<(String, String)>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let words = seat.frame.words;
    let number = id(&plan)?;
    let draft = subsidies::draft(&app.subsidies, &seat.member, number).await?;
    if !place::reading_order(&draft.programme).contains(&part) {
        return Err(Problem::NotFound);
    }
    let versions = subsidies::versions(&app.subsidies, &seat.member, number, &part).await?;
    let newest = versions.first().map_or(0, |one| one.version);
    // nothing chosen is the newest, beside the one before
    let to: i64 = wanted.to.parse().unwrap_or(newest);
    let from: i64 = wanted.from.parse().unwrap_or_else(|_| to.saturating_sub(1)).max(0);
    let (found, too_long) = match subsidies::compare(&app.subsidies, &seat.member, number, &part, from, to).await {
        Ok(found) => (pieces(found), false),
        Err(SubsidyError::Input { .. }) => (Vec::new(), true),
        Err(error) => return Err(error.into()),
    };
    let field = |name: &str, key: &str, chosen: i64, empty: bool| {
        let mut choices: Vec<Choice> = versions
            .iter()
            .map(|one| Choice {
                value: one.version.to_string(),
                label: words.with(
                    "programme-version",
                    &[
                        ("version", one.version.to_string()),
                        ("by", one.by.clone()),
                        ("at", words.time(one.at)),
                    ],
                ),
                hint: None,
                chosen: one.version == chosen,
            })
            .collect();
        if empty {
            choices.push(Choice {
                value: "0".to_owned(),
                label: words.t("programme-version-empty"),
                hint: None,
                chosen: chosen == 0,
            });
        }
        Field::new(words, name, words.t(key), Control::Select(choices))
    };
    let base = format!("/programme/plans/{plan}");
    page(&VersionsPage {
        title: place::title(words, &draft.programme, &part),
        back: place::href(&base, &part),
        here: format!("{base}/parts/{part}/versions"),
        none: versions.is_empty(),
        from: field("from", "programme-version-from", from, true),
        to: field("to", "programme-version-to", to, false),
        same: found.iter().all(|piece| piece.kind == "same"),
        pieces: found,
        too_long,
        frame: seat.frame,
        staff: seat.staff,
    })
}

#[derive(Template)]
#[template(path = "programme/comment.html")]
struct CommentPage {
    frame: Frame,
    staff: Staff,
    errors: ErrorSummary,
    title: String,
    back: String,
    here: String,
    field: Field,
}

/// `POST /programme/plans/{plan}/parts/{part}/comments`
pub(super) async fn comment(
    State(app): State<App>,
    seat: Seat,
    Path((plan, part)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, Problem> {
    let words = seat.frame.words;
    let text = lines(&posted.raw, "comment");
    let base = format!("/programme/plans/{plan}");
    let back = place::href(&base, &part);
    match subsidies::comment(&app.subsidies, &seat.member, id(&plan)?, &part, &text).await {
        Ok(()) => Ok(onward(&format!("{back}?done=commented#comments"))),
        Err(SubsidyError::Input { problem, .. }) => {
            let draft = subsidies::draft(&app.subsidies, &seat.member, id(&plan)?).await?;
            let wrong = words.t(match problem {
                "empty" => "programme-comment-empty",
                _ => "programme-comment-long",
            });
            let control = Control::TextArea { value: text, rows: 4 };
            let mut field = Field::new(words, "comment", words.t("programme-comment"), control);
            field.error = Some(wrong.clone());
            let page = CommentPage {
                errors: ErrorSummary {
                    words,
                    errors: vec![("comment".to_owned(), wrong)],
                },
                title: place::title(words, &draft.programme, &part),
                here: format!("{base}/parts/{part}/comments"),
                back,
                field,
                frame: seat.frame,
                staff: seat.staff,
            };
            page_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(error) => Err(error.into()),
    }
}
