//! Rejects: what is kept of a load, and rows that the steward has mended.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::StringArray;
use sha2::{Digest, Sha256};

use crate::dataset::{Dataset, Mode};
use crate::error::HubError;
use crate::ingest::{self, Job, LOADS, Outcome, Report, application};
use crate::lake::{At, Lake, Table};
use crate::publish::{self, Merge, REJECTS, Work, rejects_path};
use crate::rejects::{self, Reject};
use crate::source::{self, Batch};
use crate::stage::{self, Staging};

/// A rejected row with cells put right.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mended {
    /// Where it stands in its source.
    pub place: u64,
    /// Cells by column of the source; those that are not here stay as they were.
    pub cells: BTreeMap<String, Option<String>>,
}

/// The loads that have rejects waiting, by name.
///
/// # Errors
/// [`HubError`].
pub async fn waiting(lake: &Lake, dataset: &Dataset) -> Result<Vec<String>, HubError> {
    let Some(table) = lake.open(&dataset.id, At::Latest).await? else {
        return Ok(Vec::new());
    };
    let mut loads = Vec::new();
    for (path, _) in table.list(REJECTS).await? {
        let name = path.rsplit('/').next().unwrap_or_default().trim_end_matches(".parquet");
        let Some((load, number)) = name.rsplit_once('-') else {
            continue;
        };
        // a file of a load that was cut off before its commit has another number
        if let Some(noted) = current(&table, dataset, load)
            && number.parse() == Ok(noted)
        {
            loads.push(load.to_owned());
        }
    }
    Ok(loads)
}

/// The rejects of a load that are not mended yet.
///
/// # Errors
/// [`HubError::KeyMissing`], and the lake's.
pub async fn rejected(lake: &Lake, dataset: &Dataset, load: &str, key: Option<&[u8]>) -> Result<Vec<Reject>, HubError> {
    let crypt = ingest::crypt(dataset, key)?;
    let Some(table) = lake.open(&dataset.id, At::Latest).await? else {
        return Ok(Vec::new());
    };
    of(&table, &crypt, dataset, load).await
}

/// The number under which a load stands in the table. A whole source that another one has replaced stands there no more, and a row of
/// it that is mended now would be one of another day.
fn current(table: &Table, dataset: &Dataset, load: &str) -> Option<i64> {
    let number = table.noted(&application(load))?;
    let replaced = dataset.source.mode == Mode::Full && Some(number) != table.noted(LOADS);
    (!replaced).then_some(number)
}

async fn of(table: &Table, crypt: &crate::file::Crypt, dataset: &Dataset, load: &str) -> Result<Vec<Reject>, HubError> {
    let Some(number) = current(table, dataset, load) else {
        return Ok(Vec::new());
    };
    let path = rejects_path(load, number);
    let there = table.list(REJECTS).await?.into_iter().any(|(found, _)| found == path);
    if !there {
        return Ok(Vec::new());
    }
    let bytes = table.read(&path).await?;
    let mut found = Vec::new();
    rejects::read(crypt, bytes, &mut |reject| {
        found.push(reject);
        Ok(())
    })?;
    found.sort_by_key(|reject| reject.place);
    Ok(found)
}

/// Takes in rows that the steward has mended. Rows that are still wrong stay rejected, with their new reasons. Without a
/// time a mended row never takes the place of one that is there: that one may have come later.
///
/// # Errors
/// [`HubError::NotRejected`], and as [`crate::ingest`].
pub async fn replay(
    lake: &Lake,
    dataset: &Arc<Dataset>,
    load: &str,
    mended: &[Mended],
    job: &Job,
) -> Result<Report, HubError> {
    let crypt = job.crypt(dataset)?;
    let locked = ingest::lock(dataset, &job.staging)?;
    let mut kept: BTreeMap<u64, Reject> = BTreeMap::new();
    if let Some(table) = lake.open(&dataset.id, At::Latest).await? {
        for reject in of(&table, &crypt, dataset, load).await? {
            kept.insert(reject.place, reject);
        }
    }
    let mut rows: BTreeMap<u64, BTreeMap<String, Option<String>>> = BTreeMap::new();
    let mut digest = Sha256::new().chain_update(load);
    for row in mended {
        let place = row.place;
        let reject = kept.remove(&place).ok_or(HubError::NotRejected { place })?;
        let mut cells: BTreeMap<String, Option<String>> = reject.cells.into_iter().collect();
        cells.extend(row.cells.clone());
        digest.update(place.to_le_bytes());
        digest.update(format!("{cells:?}"));
        rows.insert(place, cells);
    }
    let name = ingest::load_name(&digest.finalize(), &dataset.digest);
    let report = Report::new(dataset, &name, Outcome::AlreadyPublished);
    if rows.is_empty() {
        return Ok(report);
    }
    let batch = batch(dataset, &rows);
    let validator = Arc::new(ingest::validator(lake, dataset, &crypt, job).await?);
    let staging = Staging::open(&locked.folder, &name)?;
    let part = {
        let validated = validator.batch(&batch)?;
        stage::write(&validator, &crypt, &staging, &batch, validated)?
    };
    let later = dataset.source.mode != Mode::Full && dataset.source.time.is_some();
    let work = Work {
        lake,
        validator: &validator,
        crypt: &crypt,
        job,
        staging: &staging,
        merge: if later { Merge::Later } else { Merge::Beside },
        source: publish::Source::Batch(batch),
        base: Some((load.to_owned(), kept.into_values().collect())),
    };
    let report = work.publish(report, vec![part]).await?;
    staging.remove();
    ingest::told(lake, report, job).await
}

/// Mended rows as their source would give them.
fn batch(dataset: &Dataset, rows: &BTreeMap<u64, BTreeMap<String, Option<String>>>) -> Batch {
    let names: BTreeSet<String> = source::wanted(dataset).into_iter().map(str::to_owned).collect();
    let cells = names.iter().map(|name| {
        rows.values()
            .map(|cells| cells.get(name).cloned().flatten())
            .collect::<StringArray>()
    });
    Batch {
        number: 0,
        before: 0,
        places: rows.keys().copied().collect(),
        cells: cells.collect(),
        names: names.into_iter().collect(),
        broken: Vec::new(),
    }
}
