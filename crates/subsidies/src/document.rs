//! The plan as a PDF to print and keep, and as an OpenDocument text to work on outside, whose changed parts are taken back.

use crate::boxed;
use std::collections::BTreeMap;

use grants::pdf::{self, Stamp};
use grants::{Plan, Programme, odt};
use std::sync::Arc;
use store::tables::subsidy_plan::State;
use store::tables::{subsidy_part, subsidy_submission};
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::draft::time;
use crate::guard::{self, Action};
use crate::part::{self, Part};
use crate::{Desk, Member, SubsidyError, draft, view};

/// PDFs that are made at the same moment: each takes a processor and its memory for up to seconds, which other requests need too.
static PRESSES: Semaphore = Semaphore::const_new(2);

/// The plan of the member's government as an OpenDocument text in the layout of the annex, which keeps from which version of each
/// part it was made.
///
/// # Errors
/// [`SubsidyError::Document`] for a plan that can't be printed; [`SubsidyError::NotFound`]; the store's.
#[boxed]
pub async fn export(desk: &Desk, member: &Member, plan: Uuid) -> Result<Vec<u8>, SubsidyError> {
    let row = guard::plan(desk, member, Action::View, plan).await?;
    let programme = desk.programme(&row.programme)?;
    let parts = subsidy_part::newest(desk.store.read(), plan, i64::MAX).await?;
    let whole = part::assembled(&desk.store, desk.store.read(), programme, &row.government, &parts).await?;
    let versions = parts.into_iter().map(|row| (row.part, row.version)).collect();
    Ok(odt::write_versioned(&whole, programme, &versions)?)
}

/// The plan of the member's government as it stands now, as a PDF that says on every page that it is a draft.
///
/// # Errors
/// [`SubsidyError::State`] for a plan that is not written any more; [`SubsidyError::Pdf`] for one that can't be printed;
/// [`SubsidyError::NotFound`]; the store's.
#[boxed]
pub async fn print_draft(desk: &Desk, member: &Member, plan: Uuid) -> Result<Vec<u8>, SubsidyError> {
    let row = guard::plan(desk, member, Action::View, plan).await?;
    if !matches!(row.state, State::Draft | State::Correction) {
        return Err(SubsidyError::State);
    }
    let programme = Arc::clone(desk.programme(&row.programme)?);
    let parts = subsidy_part::newest(desk.store.read(), plan, i64::MAX).await?;
    let whole = part::assembled(&desk.store, desk.store.read(), &programme, &row.government, &parts).await?;
    printed(whole, programme, Stamp::Draft { made: desk.now() }).await
}

/// What the member's government sent, as a PDF: the plan, or the corrected plan.
///
/// # Errors
/// [`SubsidyError::NotFound`] also where it was not sent; [`SubsidyError::Pdf`]; the store's.
#[boxed]
pub async fn print_own(desk: &Desk, member: &Member, plan: Uuid, corrected: bool) -> Result<Vec<u8>, SubsidyError> {
    let row = guard::plan(desk, member, Action::View, plan).await?;
    let rows = subsidy_submission::of_plan(desk.store.read(), plan).await?;
    let wanted = rows.into_iter().find(|one| (one.round > 1) == corrected);
    let submission = wanted.ok_or(SubsidyError::NotFound("plan"))?;
    print(desk, &row.programme, &submission).await
}

/// What was sent last, as a PDF, for the panel and the ministry. It is an entry of the usage ledger.
///
/// # Errors
/// [`SubsidyError::NotFound`]; [`SubsidyError::Pdf`]; the store's.
#[boxed]
pub async fn print_sent(desk: &Desk, member: &Member, plan: Uuid) -> Result<Vec<u8>, SubsidyError> {
    let row = guard::plan(desk, member, Action::Read, plan).await?;
    view::note_use(desk, member, Action::Read, &row.programme).await?;
    let last = subsidy_submission::last(desk.store.read(), plan).await?;
    print(desk, &row.programme, &last.ok_or(SubsidyError::NotFound("plan"))?).await
}

async fn print(desk: &Desk, programme: &str, row: &subsidy_submission::Model) -> Result<Vec<u8>, SubsidyError> {
    let programme = Arc::clone(desk.programme(programme)?);
    let stamp = Stamp::Sent {
        corrected: row.round > 1,
        at: time("subsidy_submission", row.sent_at)?,
        digest: hex::encode(&row.digest),
    };
    printed(view::submitted(desk, desk.store.read(), row).await?, programme, stamp).await
}

async fn printed(plan: Plan, programme: Arc<Programme>, stamp: Stamp) -> Result<Vec<u8>, SubsidyError> {
    let ended = |why: String| SubsidyError::Corrupt { what: "plan", why };
    let turn = PRESSES.acquire().await.map_err(|error| ended(error.to_string()))?;
    // the turn ends with the work: a request that was given up still takes its processor
    let work = move || {
        let _turn = turn;
        pdf::write(&plan, &programme, stamp)
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(made) => Ok(made?),
        Err(error) => Err(ended(format!("printing ended early: {error}"))),
    }
}

/// Saves every part that a document changed, all in one transaction or none, over the versions from which the document was made:
/// what colleagues saved since stays where the document did not change it. A document that does not say them is taken over the
/// versions of `seen`, as [`crate::Draft::versions`] gave them. Returns how many parts changed, and the paragraphs that stand in no
/// part.
///
/// # Errors
/// [`SubsidyError::Document`] for what can't be read, with its place; [`SubsidyError::Input`] for the plan of another government, or
/// a part beyond its bounds; [`SubsidyError::Conflict`] when somebody saved a part meanwhile that the document changed too;
/// [`SubsidyError::State`];
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
    let exported = match &read.versions {
        Some(versions) => {
            let rows = at_versions(desk, plan, &stored, versions).await?;
            let then = part::assembled(&desk.store, desk.store.read(), programme, &row.government, &rows).await?;
            Some(then.tidied()?)
        }
        None => None,
    };
    let seen = read.versions.as_ref().unwrap_or(seen);
    let mut changed = Vec::new();
    for name in Part::names(programme) {
        let Some(after) = Part::of(&read.plan, programme, &name) else {
            continue;
        };
        let is_unchanged = |before: &Plan| Part::of(before, programme, &name).as_ref() == Some(&after);
        if is_unchanged(&whole) || exported.as_ref().is_some_and(is_unchanged) {
            continue;
        }
        after.check(programme)?;
        changed.push((after, seen.get(&name).copied().unwrap_or(0)));
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

/// The rows of these versions of a plan's parts. A version that there is not is left out: whoever changed the part against it is told
/// of a conflict.
async fn at_versions(
    desk: &Desk,
    plan: Uuid,
    newest: &[subsidy_part::Model],
    versions: &BTreeMap<String, i64>,
) -> Result<Vec<subsidy_part::Model>, SubsidyError> {
    let mut rows = Vec::with_capacity(newest.len());
    // a part without a newest version has none at all
    for row in newest {
        match versions.get(&row.part) {
            Some(version) if *version == row.version => rows.push(row.clone()),
            Some(version) => {
                rows.extend(subsidy_part::version(desk.store.read(), plan, &row.part, *version).await?);
            }
            None => {}
        }
    }
    Ok(rows)
}
