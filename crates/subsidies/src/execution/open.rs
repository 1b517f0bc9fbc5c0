//! What everybody may read of a programme (成果公開): each funded plan with its amount, progress and indicators.
//!
//! Nothing of a plan that is not approved and corrected stands here, nothing that the ministry has not taken note of, and no text but
//! the plan's title and its indicators.

use std::collections::BTreeMap;

use civic::Money;
use grants::execution::{Shown, percent, results};
use store::tables::subsidy_filing::{Kind, State};

use super::file::Filing;
use super::look::{Execution, funded, loaded_all};
use crate::{Desk, SubsidyError, boxed, view};

/// A funded plan as everybody may read of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Name of the government.
    pub government: String,
    /// Title of the plan.
    pub title: String,
    /// All costs of the funded year.
    pub total: Money,
    /// What the ministry gives, or has paid once it is settled.
    pub amount: Money,
    /// Whether it is settled.
    pub settled: bool,
    /// The newest quarter of which the ministry took note, its progress and what was planned, in per cent.
    pub progress: Option<(u8, u8, u8)>,
    /// Spent of the total by then, in whole per cent.
    pub spent_percent: Option<u8>,
    /// Indicators by year, as far as the ministry took note of them; otherwise with targets alone.
    pub years: Vec<(i16, Vec<Shown>)>,
}

/// The outcomes of a programme, in the order of its governments. They are public.
///
/// # Errors
/// [`SubsidyError::NotFound`]; the store's.
#[boxed]
pub async fn outcomes(desk: &Desk, programme: &str) -> Result<Vec<Outcome>, SubsidyError> {
    let rows = funded(desk, programme).await?;
    loaded_all(desk, desk.store.read(), &rows)
        .await?
        .into_iter()
        .map(outcome)
        .collect()
}

fn outcome(all: Execution) -> Result<Outcome, SubsidyError> {
    let accepted = |kind: Kind, number: i32| {
        let one = all.filed(kind, number).filter(|one| one.state == State::Accepted)?;
        one.sent.as_ref()
    };
    let newest =
        all.quarters
            .iter()
            .rev()
            .find_map(|one| match accepted(Kind::Report, i32::from(one.planned.quarter))? {
                Filing::Report(report) => Some((one, report)),
                _ => None,
            });
    let total = all
        .plan
        .subsidy(all.programme.period.funded)
        .map_or(Money(0), |subsidy| subsidy.total);
    let mut years = Vec::new();
    for year in &all.programme.period.years {
        let none = BTreeMap::new();
        let reported = match accepted(Kind::Results, i32::from(*year)) {
            Some(Filing::Results(reported)) => reported,
            _ => &none,
        };
        years.push((*year, results(&all.plan, &all.programme, *year, reported)?));
    }
    Ok(Outcome {
        government: view::government(&all.programme, &all.row.government).to_owned(),
        title: all.plan.title.clone(),
        total,
        amount: all.settled.as_ref().map_or(all.kept, |one| one.amounts.amounts.paid),
        settled: all.settled.is_some(),
        progress: newest.map(|(quarter, report)| (report.quarter, report.progress, quarter.planned.progress)),
        spent_percent: newest.map(|(_, report)| percent(report.spending, total)),
        years,
    })
}
