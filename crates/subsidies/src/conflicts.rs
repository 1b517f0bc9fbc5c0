//! The conflicts of interest (利益迴避) that reviewers declared, with their reasons, which the ministry alone reads.

use jiff::Timestamp;
use store::tables::subsidy_conflict;
use uuid::Uuid;

use crate::draft::{names, time};
use crate::guard::{self, Action};
use crate::{Desk, Member, SubsidyError, boxed};

/// A conflict of interest that a reviewer declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// Name of the reviewer.
    pub by: String,
    /// When it was declared.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

/// The conflicts declared with the government of a plan, the first declared first, for who decides on it.
///
/// # Errors
/// [`SubsidyError::NotFound`]; [`SubsidyError::Refused`]; the store's.
#[boxed]
pub async fn conflicts(desk: &Desk, member: &Member, plan: Uuid) -> Result<Vec<Declared>, SubsidyError> {
    let row = guard::plan(desk, member, Action::Decide, plan).await?;
    let names = names(desk.store.read()).await?;
    let all = subsidy_conflict::of_programme(desk.store.read(), &row.programme).await?;
    let declared = all.into_iter().filter(|one| one.government == row.government);
    declared
        .map(|one| {
            Ok(Declared {
                by: names.get(&one.reviewer).cloned().unwrap_or_default(),
                at: time("subsidy_conflict", one.declared_at)?,
                reason: one.reason,
            })
        })
        .collect()
}
