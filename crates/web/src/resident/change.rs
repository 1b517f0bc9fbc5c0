//! Reporting a change (異動通報), and what is claimed back: the cards of the case.

use axum::extract::{Path, State};
use axum::response::Response;
use cases::claim::View;
use cases::mine::MyCase;
use cases::succession::{self, Kind, Reporting};
use cases::{CaseError, collect};
use civic::Channel;

use super::{Resident, apply};
use crate::address::{application, onward};
use crate::components::{Cell, Head, Table, Tag};
use crate::office::{claim_month, claim_state};
use crate::texts::Words;
use crate::{App, Posted, Problem};

/// The card of a change to report.
pub(super) struct ChangeCard {
    pub(super) text: String,
    /// Within how many days, by which law.
    pub(super) law: String,
    /// Where the report goes on, where there is one; a button begins one otherwise.
    pub(super) href: Option<(String, String)>,
}

/// What can be reported of a case; nothing where its service takes no reports.
pub(super) fn card(words: Words, case: &MyCase) -> Option<ChangeCard> {
    let change = case.service.meta.change.as_ref()?;
    let what = words.of(&change.what).to_owned();
    let text = match change.days {
        Some(days) => words.with("change-text-days", &[("what", what), ("days", days.to_string())]),
        None => words.t1("change-text", "what", what),
    };
    let href = match &case.reporting {
        Reporting::No => return None,
        Reporting::Open => None,
        Reporting::Draft(id) => Some((format!("/applications/{id}"), words.t("change-go-on"))),
        Reporting::UnderWay(id) => Some((format!("/applications/{id}"), words.t("change-see"))),
    };
    let law = change.law.split('；').next().unwrap_or_default();
    Some(ChangeCard {
        text,
        law: law.trim_start_matches("verify：").to_owned(),
        href,
    })
}

/// What a later case says of itself: the earlier case, and from which month on it counts.
pub(super) fn later(words: Words, case: &MyCase) -> Option<(String, String)> {
    let later = case.later.as_ref()?;
    let key = match later.kind {
        Kind::Change => "later-change",
        Kind::Review => "later-review",
    };
    let text = words.t1(key, "from", claim_month(words, later.from));
    Some((text, format!("/applications/{}", later.predecessor)))
}

/// A claim as its person sees it.
pub(super) struct ClaimCard {
    pub(super) state: Tag,
    pub(super) text: String,
    pub(super) months: Table,
}

/// The claims of a case.
pub(super) fn claims(words: Words, claims: &[View]) -> Vec<ClaimCard> {
    let card = |view: &View| {
        let money = |amount: civic::Money| words.money(amount.0);
        let left = view.row.left();
        let text = match (left.0, view.row.due) {
            (0, _) => words.t("claim-mine-nothing"),
            (_, Some(due)) => words.with(
                "claim-mine",
                &[
                    ("total", money(view.row.total)),
                    ("left", money(left)),
                    ("due", words.date(due)),
                ],
            ),
            (_, None) => words.t1("claim-mine-total", "total", money(view.row.total)),
        };
        let rows = view
            .months
            .iter()
            .map(|(month, amount)| vec![Cell::text(claim_month(words, *month)), Cell::text(money(*amount))]);
        ClaimCard {
            state: claim_state(words, view.row.state),
            text,
            months: Table {
                caption: words.t("claim-months"),
                head: vec![
                    Head::text(words.t("payments-month")),
                    Head::number(words.t("claim-too-much")),
                ],
                rows: rows.collect(),
            },
        }
    };
    claims.iter().map(card).collect()
}

/// `POST /applications/{id}/change`
pub(super) async fn report(
    State(app): State<App>,
    Path(id): Path<String>,
    resident: Resident,
    _posted: Posted,
) -> Result<Response, Problem> {
    let Resident { frame, person } = resident;
    let language = frame.words.language;
    let case = application(&id)?;
    match succession::report(&app.desk, &person, case, Channel::Online, language).await {
        Ok(draft) => {
            let draft = collect::draft(&app.desk, &person, draft).await?;
            Ok(onward(&apply::next(&draft)))
        }
        // a report is being examined: the page of the case says so
        Err(CaseError::Input { .. }) => Ok(onward(&format!("/applications/{id}"))),
        Err(error) => Err(Problem::on(error, &format!("/applications/{id}"))),
    }
}
