//! Later cases at the office (續案): the month from which the decision counts.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use cases::review::CaseFile;
use cases::succession::{self, Kind};
use cases::{CaseError, Month};

use super::act::conflict;
use super::case::{DAYS, Typed, render};
use super::{Duty, claims};
use crate::address::{application, onward};
use crate::texts::Words;
use crate::{App, Posted, Problem};

/// What the page of a later case shows of it.
pub(super) struct LaterCard {
    pub(super) text: String,
    /// Address of the earlier case.
    pub(super) href: String,
    pub(super) number: String,
    /// The month as typed, `2026-11`, where it can be changed.
    pub(super) from: Option<String>,
}

/// The card of a later case; nothing for a first one.
pub(super) fn card(words: Words, file: &CaseFile) -> Option<LaterCard> {
    let later = file.later.as_ref()?;
    let key = match later.kind {
        Kind::Change => "later-change",
        Kind::Review => "later-review",
    };
    Some(LaterCard {
        text: words.t1(key, "from", claims::month(words, later.from)),
        href: format!("/office/cases/{}", later.predecessor.uuid()),
        number: later.number.clone(),
        from: (later.open && file.assigned_to_me).then(|| later.from.to_string()),
    })
}

/// `POST /office/cases/{id}/from`
pub(super) async fn set_from(
    State(app): State<App>,
    duty: Duty,
    Path(case): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let id = application(&case)?;
    let revision = posted.value("revision")?;
    let result = match posted.text("from").trim().parse::<Month>() {
        Ok(from) => succession::set_from(&app.desk, &duty.staff, id, revision, from).await,
        Err(_) => Err(CaseError::Input {
            field: "from",
            problem: "no_month",
        }),
    };
    match result {
        Ok(()) => Ok(onward(&format!("/office/cases/{case}?done=from-set"))),
        Err(CaseError::Conflict(_) | CaseError::Illegal(_)) => conflict(duty, format!("/office/cases/{case}")),
        Err(CaseError::Input { problem, .. }) => {
            let key = match problem {
                "out_of_range" => "later-from-range",
                "no_month" => "office-pay-month-wrong",
                _ => "later-from-take",
            };
            let typed = Typed {
                days: DAYS[0],
                error: Some(("from", duty.frame.t(key))),
                ..Typed::default()
            };
            render(&app, duty, id, StatusCode::UNPROCESSABLE_ENTITY, None, typed).await
        }
        Err(error) => Err(error.into()),
    }
}
