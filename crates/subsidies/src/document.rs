//! The plan as an OpenDocument text to work on outside, and the parts that were changed there taken back.

use crate::boxed;
use std::collections::BTreeMap;

use grants::odt;
use store::tables::subsidy_part;
use uuid::Uuid;

use crate::guard::{self, Action};
use crate::part::{self, Part};
use crate::{Desk, Member, SubsidyError, draft};

/// The plan of the member's government as an OpenDocument text in the layout of the annex.
///
/// # Errors
/// [`SubsidyError::Document`] for a plan that can't be printed; [`SubsidyError::NotFound`]; the store's.
#[boxed]
pub async fn export(desk: &Desk, member: &Member, plan: Uuid) -> Result<Vec<u8>, SubsidyError> {
    let row = guard::plan(desk, member, Action::View, plan).await?;
    let programme = desk.programme(&row.programme)?;
    let parts = subsidy_part::newest(desk.store.read(), plan, i64::MAX).await?;
    let whole = part::assembled(&desk.store, desk.store.read(), programme, &row.government, &parts).await?;
    Ok(odt::write(&whole, programme)?)
}

/// Saves every part that a document changed, all in one transaction or none, over the versions of `seen`, as
/// [`crate::Draft::versions`] gave them. Returns how many parts changed, and the paragraphs that stand in no part.
///
/// # Errors
/// [`SubsidyError::Document`] for what can't be read, with its place; [`SubsidyError::Input`] for the plan of another government, or
/// a part beyond its bounds; [`SubsidyError::Conflict`] when somebody saved one of the parts meanwhile; [`SubsidyError::State`];
/// [`SubsidyError::NotFound`]; the store's.
#[boxed]
pub async fn import(
    desk: &Desk,
    member: &Member,
    plan: Uuid,
    bytes: &[u8],
    seen: &BTreeMap<String, i64>,
) -> Result<(usize, Vec<String>), SubsidyError> {
    let row = guard::plan(desk, member, Action::Write, plan).await?;
    let programme = desk.programme(&row.programme)?;
    let read = odt::read(bytes, programme)?;
    if read.plan.government != row.government {
        return Err(SubsidyError::input("document", "government"));
    }
    let stored = subsidy_part::newest(desk.store.read(), plan, i64::MAX).await?;
    let whole = part::assembled(&desk.store, desk.store.read(), programme, &row.government, &stored).await?;
    // a document keeps no control characters, and losing them is no change
    let whole = whole.tidied()?;
    let mut changed = Vec::new();
    for name in Part::names(programme) {
        let (before, after) = (
            Part::of(&whole, programme, &name),
            Part::of(&read.plan, programme, &name),
        );
        if let Some(after) = after.filter(|after| before.as_ref() != Some(after)) {
            after.check(programme)?;
            changed.push((after, seen.get(&name).copied().unwrap_or(0)));
        }
    }
    let count = changed.len();
    let (desk, member) = (desk.clone(), member.clone());
    let done = desk
        .clone()
        .store
        .write(move |tx| {
            Box::pin(async move {
                draft::writable(tx, plan).await?;
                for (part, seen) in &changed {
                    draft::put(&desk, tx, &member, &row, part, *seen).await?;
                }
                Ok(())
            })
        })
        .await;
    draft::told(done)?;
    Ok((count, read.left_over))
}
