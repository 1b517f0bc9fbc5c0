//! What questionnaires came to, counted without the person.

use crate::boxed;
use store::tables::screening as table;
use uuid::Uuid;

use super::look::View;
use crate::guard::{self, Action};
use crate::staff::Staff;
use crate::{CaseError, Desk};

/// How often one service was found, over a span of months.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Folder name of the service.
    pub service: String,
    /// Entitled.
    pub entitled: i64,
    /// Not known in the end.
    pub maybe: i64,
    /// Not entitled.
    pub not: i64,
}

/// Counts a questionnaire that has ended: a row for each service, which says neither who asked nor what was said.
///
/// # Errors
/// The store's.
#[boxed]
pub async fn count(desk: &Desk, view: &View) -> Result<(), CaseError> {
    let day = desk.today();
    let month = format!("{:04}-{:02}", day.year(), day.month());
    let rows: Vec<table::Model> = view
        .standings
        .iter()
        .map(|standing| table::Model {
            id: Uuid::new_v4(),
            service: standing.service.id.clone(),
            month: month.clone(),
            outcome: match standing.outcome() {
                Some(true) => "entitled",
                None => "maybe",
                Some(false) => "not",
            }
            .to_owned(),
        })
        .collect();
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                for row in rows {
                    table::insert(tx, row).await?;
                }
                Ok::<_, CaseError>(())
            })
        })
        .await
}

/// The counts of the services a member of staff's office decides, from one month (`YYYY-MM`) to another.
///
/// # Errors
/// [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn counts(desk: &Desk, staff: &Staff, from: Option<&str>, to: Option<&str>) -> Result<Vec<Found>, CaseError> {
    guard::office(desk, staff, Action::Measure)?;
    let mut all: Vec<Found> = Vec::new();
    for (service, outcome, n) in table::counts(desk.store.read(), from, to).await? {
        if !guard::is_own(desk, staff, &service) {
            continue;
        }
        if all.last().is_none_or(|last| last.service != service) {
            all.push(Found {
                service,
                ..Found::default()
            });
        }
        if let Some(last) = all.last_mut() {
            match outcome.as_str() {
                "entitled" => last.entitled += n,
                "not" => last.not += n,
                _ => last.maybe += n,
            }
        }
    }
    Ok(all)
}
