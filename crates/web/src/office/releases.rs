//! Batches that wait for a second person (放行), for who may release them: cashiers and supervisors.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use cases::Staff;
use cases::pay::batch as verb;

use super::Duty;
use super::payments::{Batch, batch_row};
use crate::{App, Frame, Problem, page};

/// Where the page is.
pub(super) const HERE: &str = "/office/payments/release";

#[derive(Template)]
#[template(path = "office/releases.html")]
struct ReleasesPage {
    frame: Frame,
    staff: Staff,
    waiting: Vec<Batch>,
    others: Vec<Batch>,
}

/// `GET /office/payments/release`
pub(super) async fn show(State(app): State<App>, duty: Duty) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    let batches = verb::list(&app.desk, &staff).await?;
    let (waiting, others): (Vec<_>, Vec<_>) = batches.into_iter().partition(|batch| batch.releasable);
    let rows = |list: Vec<cases::pay::BatchRow>| list.iter().map(|row| batch_row(frame.words, row)).collect();
    page(&ReleasesPage {
        waiting: rows(waiting),
        others: rows(others),
        frame,
        staff,
    })
}
