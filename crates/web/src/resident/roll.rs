//! What the city gives of its own motion: the card of the case, and the objection.

use axum::extract::{Path, State};
use axum::response::Response;
use cases::mine::MyCase;
use cases::roll::{self, MyLine, Standing};
use cases::{CaseError, Every};

use super::{Resident, case};
use crate::address::{application, onward};
use crate::texts::Words;
use crate::{App, Posted, Problem};

/// The card of a line.
pub(super) struct LineCard {
    pub(super) texts: Vec<String>,
    /// Address of the page that takes an account.
    pub(super) account: Option<String>,
    /// Whether who looks may object.
    pub(super) may_object: bool,
    /// Whether who looks may decline.
    pub(super) may_decline: bool,
    pub(super) revision: i64,
    pub(super) typed: String,
    pub(super) error: Option<String>,
}

/// The card of a case that stands on a roll.
pub(super) fn card(words: Words, id: &str, line: &MyLine, every: Every, case: &MyCase) -> LineCard {
    let mut texts = vec![words.t1("line-listed", "roll", words.of(&line.roll))];
    let pays = every != Every::Never;
    match line.standing {
        Standing::Declined => texts = vec![words.t("line-declined")],
        Standing::Excluded | Standing::Denied => texts = vec![words.t("line-excluded")],
        _ if pays => texts.push(words.t1("line-amount", "amount", words.money(line.amount.0))),
        _ => texts.push(words.t("line-relief")),
    }
    if line.standing == Standing::Objected {
        texts.push(words.t("line-objected"));
    }
    if let (true, Some(day)) = (line.open, line.until) {
        texts.push(words.t1("line-until", "day", words.date(day)));
    }
    if line.open && pays && !line.payable {
        texts.push(words.t("line-without-account"));
    }
    LineCard {
        texts,
        account: (line.open && pays && case.may_account).then(|| format!("/applications/{id}/account")),
        may_object: line.open && case.may_object,
        may_decline: line.open && case.can_withdraw,
        revision: case.mine.revision,
        typed: String::new(),
        error: None,
    }
}

/// `POST /applications/{id}/object`
pub(super) async fn object(
    State(app): State<App>,
    Path(id): Path<String>,
    resident: Resident,
    posted: Posted,
) -> Result<Response, Problem> {
    let text = posted.text("objection").replace("\r\n", "\n");
    let revision = posted.value("_revision")?;
    match roll::object(&app.desk, &resident.person, application(&id)?, revision, &text).await {
        Ok(()) => Ok(onward(&format!("/applications/{id}?ticket=objected"))),
        Err(CaseError::Input { problem, .. }) => {
            let key = format!("line-object-{}", problem.replace('_', "-"));
            case::show_with(&app, &id, resident, "", Some((text, key))).await
        }
        Err(error) => Err(error.into()),
    }
}
