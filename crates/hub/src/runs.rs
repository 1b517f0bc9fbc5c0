//! What became of loads: a small file each beside the table, so that the steward sees those that published nothing as well.
//! Like a report, none holds a value of a row.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::dataset::Dataset;
use crate::error::HubError;
use crate::ingest::Report;
use crate::lake::Lake;

/// Folder of the runs within a table's folder; a Delta table looks past names that begin so.
const RUNS: &str = "_runs";
/// Runs that are kept of a dataset.
const KEPT: usize = 400;

/// A load, or mended rows that were taken in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// When.
    pub at: Timestamp,
    /// What was found and done.
    pub report: Report,
}

/// Keeps a run; the oldest go.
pub(crate) async fn keep(lake: &Lake, run: &Run) -> Result<(), HubError> {
    let storage = lake.storage(&run.report.dataset);
    let text = serde_json::to_vec(run).map_err(|error| storage.fail(error))?;
    let name = format!("{RUNS}/{:020}-{}.json", run.at.as_millisecond(), run.report.load);
    storage.put(&name, text.into()).await?;
    let mut names = names(lake, &run.report.dataset).await?;
    let old = names.len().saturating_sub(KEPT);
    for name in names.drain(..old) {
        storage.delete(&name).await?;
    }
    Ok(())
}

/// Names of the runs, the oldest first.
async fn names(lake: &Lake, id: &str) -> Result<Vec<String>, HubError> {
    let found = lake.storage(id).list(RUNS).await?.into_iter();
    let mut names: Vec<String> = found
        .map(|(name, _)| name)
        .filter(|name| name.ends_with(".json"))
        .collect();
    names.sort();
    Ok(names)
}

/// The newest runs of a dataset, at most so many, the newest first.
///
/// # Errors
/// [`HubError::Lake`].
pub async fn runs(lake: &Lake, dataset: &Dataset, most: usize) -> Result<Vec<Run>, HubError> {
    let storage = lake.storage(&dataset.id);
    let mut runs = Vec::new();
    for name in names(lake, &dataset.id).await?.iter().rev().take(most) {
        let text = storage.read(name).await?;
        let run = serde_json::from_slice(&text);
        runs.push(run.map_err(|error| storage.fail(format!("`{name}` can't be read: {error}")))?);
    }
    Ok(runs)
}
