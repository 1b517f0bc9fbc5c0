//! A month beside the month before (與上月比較): what is new, what stopped, what changed, and the totals by amount. It is looked
//! at before a batch is released.

use crate::boxed;
use civic::ids::ApplicationId;
use civic::{Money, Text};
use store::tables::payment_compare;

use super::service_name;
use crate::guard::{self, Action};
use crate::staff::Staff;
use crate::{CaseError, Desk, Month};

pub use store::tables::payment_compare::Kind;

/// Most payments listed of each kind.
const LISTED: u64 = 100;

/// Payments of one amount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AmountRow {
    /// What is paid, as the rules call it.
    pub title: Text,
    /// One payment.
    pub amount: Money,
    /// How many.
    pub count: u64,
    /// All of them.
    pub sum: Money,
}

/// Payments that differ from the month before in one way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Differing {
    /// In which way.
    pub kind: Kind,
    /// How many.
    pub count: u64,
    /// Sum of this month.
    pub now: Money,
    /// Sum of the month before.
    pub before: Money,
    /// The first of them.
    pub rows: Vec<DifferingRow>,
}

/// A payment that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DifferingRow {
    /// The case.
    pub application: ApplicationId,
    /// Its number.
    pub number: String,
    /// What is paid, as the rules call it.
    pub title: Text,
    /// Amount of this month.
    pub now: Option<Money>,
    /// Amount of the month before.
    pub before: Option<Money>,
}

/// A month beside the month before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// Service.
    pub service: Text,
    /// The month.
    pub month: Month,
    /// Payments by amount.
    pub amounts: Vec<AmountRow>,
    /// New, stopped, changed.
    pub differing: Vec<Differing>,
}

pub(super) fn title(desk: &Desk, service: &str, purpose: &str) -> Text {
    let steps = desk.catalogue.get(service).map(|service| service.rules.steps());
    steps
        .and_then(|steps| steps.iter().find(|step| step.name == purpose))
        .map_or_else(|| Text::chinese(purpose), |step| step.title.clone())
}

fn count(n: i64) -> u64 {
    u64::try_from(n).unwrap_or_default()
}

/// Compares a month with the month before. The lists name cases by number only.
///
/// # Errors
/// [`CaseError::Refused`]; [`CaseError::NoService`] for another office's service; the store's.
#[boxed]
pub async fn month(desk: &Desk, staff: &Staff, service: &str, month: Month) -> Result<Comparison, CaseError> {
    guard::office(desk, staff, Action::Release)?;
    if !guard::is_own(desk, staff, &desk.service(service)?.id) {
        return Err(CaseError::NoService(service.to_owned()));
    }
    let db = desk.store.read();
    let (this, before) = (month.to_string(), month.plus(-1).to_string());
    let mut differing = Vec::new();
    for kind in [Kind::New, Kind::Stopped, Kind::Changed] {
        let sums = payment_compare::differences(db, service, &this, &before, kind).await?;
        let rows = payment_compare::list(db, service, &this, &before, kind, LISTED).await?;
        differing.push(Differing {
            kind,
            count: count(sums.count),
            now: Money(sums.now),
            before: Money(sums.before),
            rows: rows
                .into_iter()
                .map(|row| DifferingRow {
                    application: row.application_id.into(),
                    number: row.number.unwrap_or_default(),
                    title: title(desk, service, &row.purpose),
                    now: row.now.map(Money),
                    before: row.before.map(Money),
                })
                .collect(),
        });
    }
    let amounts = payment_compare::amounts(db, service, &this).await?;
    Ok(Comparison {
        service: service_name(desk, service),
        month,
        amounts: amounts
            .into_iter()
            .map(|row| AmountRow {
                title: title(desk, service, &row.purpose),
                amount: Money(row.amount),
                count: count(row.count),
                sum: Money(row.total),
            })
            .collect(),
        differing,
    })
}
