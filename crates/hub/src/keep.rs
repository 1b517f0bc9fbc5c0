//! What is done to a table when nothing comes in: small files become large ones, and what is kept long enough goes.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array as _, AsArray as _, BooleanArray};
use arrow::datatypes::Date32Type;
use jiff::{Timestamp, ToSpan as _};

use crate::dataset::Dataset;
use crate::error::HubError;
use crate::ingest::{self, LOADS, blocking, crypt};
use crate::lake::{Added, At, Change, DataFile, Lake, Table, conform};
use crate::publish::{REJECTS, rewrite, rewritten};
use crate::stats::Stats;

/// Rows below which a file is put together with its neighbours.
const SMALL: u64 = 1 << 17;
/// Most rows of a file that was put together.
const LARGE: u64 = 1 << 18;

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Kept {
    /// Files that others took the place of.
    pub files_before: usize,
    /// Those others.
    pub files_after: usize,
    /// Rows that were kept for as long as the law says, and are gone.
    pub rows_expired: u64,
    /// Files deleted, of rejects too.
    pub files_deleted: usize,
    /// Entries of the log deleted.
    pub log_entries_deleted: usize,
}

/// Puts neighbouring small files together. Rows and their order stay.
///
/// # Errors
/// [`HubError`]; nothing was published then.
pub async fn compact(
    lake: &Lake,
    dataset: &Arc<Dataset>,
    staging: &Path,
    key: Option<&[u8]>,
    now: Timestamp,
) -> Result<Kept, HubError> {
    let crypt = crypt(dataset, key)?;
    let locked = ingest::lock(dataset, staging)?;
    let mut kept = Kept::default();
    let Some(table) = lake.open(&dataset.id, At::Latest).await? else {
        return Ok(kept);
    };
    let number = table.noted(LOADS).unwrap_or_default();
    let version = table.version();
    let schema = table.schema()?;
    let (mut added, mut removed) = (Vec::new(), Vec::new());
    for (at, group) in groups(table.files()?).into_iter().enumerate() {
        let to = locked.folder.join("compacted.parquet");
        let mut files = Vec::new();
        for file in &group {
            files.push(table.read(&file.path).await?);
        }
        let (crypt, dataset, schema, out) = (crypt.clone(), Arc::clone(dataset), Arc::clone(&schema), to.clone());
        let (bytes, stats) = blocking(move || {
            let mut writing = crypt.create(&out, Arc::clone(&schema))?;
            let mut stats: Option<Stats> = None;
            let fail = |error: &dyn std::fmt::Display| HubError::lake(&dataset.id, error);
            for file in files {
                for batch in crypt.batches(file, None).map_err(|error| fail(&error))? {
                    let batch = batch.map_err(|error| fail(&error))?;
                    let batch = conform(&batch, &schema).map_err(|error| fail(&error))?;
                    writing.write(&batch)?;
                    let these = Stats::of(&dataset, &batch);
                    stats = Some(match stats {
                        Some(stats) => stats.and(these),
                        None => these,
                    });
                }
            }
            Ok((writing.close()?.bytes, stats.unwrap_or_default()))
        })
        .await?;
        let first = group.first().map_or("part", |file| file.path.as_str());
        let path = rewritten(first, &format!("{number:08}-c{version}-{at:05}"));
        table.put(&path, &to).await?;
        let _ = std::fs::remove_file(&to);
        added.push(Added { path, bytes, stats });
        removed.extend(group);
    }
    if !added.is_empty() {
        kept.files_before = removed.len();
        kept.files_after = added.len();
        table
            .commit(Change::Rearrange, &added, &removed, &[], None, now)
            .await?;
    }
    Ok(kept)
}

/// Groups of two or more neighbours that are small and together not too large.
fn groups(files: Vec<DataFile>) -> Vec<Vec<DataFile>> {
    let mut groups: Vec<Vec<DataFile>> = vec![Vec::new()];
    let mut rows = 0;
    for file in files {
        if file.rows >= SMALL || rows + file.rows > LARGE {
            groups.push(Vec::new());
            rows = 0;
        }
        if file.rows < SMALL {
            rows += file.rows;
            if let Some(group) = groups.last_mut() {
                group.push(file);
            }
        }
    }
    groups.retain(|group| group.len() > 1);
    groups
}

/// Takes out rows whose years are over, then deletes what no version within the time of history needs.
///
/// # Errors
/// [`HubError`].
pub async fn retain(
    lake: &Lake,
    dataset: &Arc<Dataset>,
    staging: &Path,
    key: Option<&[u8]>,
    now: Timestamp,
) -> Result<Kept, HubError> {
    let locked = ingest::lock(dataset, staging)?;
    let mut kept = Kept::default();
    let Some(table) = lake.open(&dataset.id, At::Latest).await? else {
        return Ok(kept);
    };
    kept.rows_expired = expire(&table, dataset, &locked.folder, key, now).await?;
    let Some(table) = lake.open(&dataset.id, At::Latest).await? else {
        return Ok(kept);
    };
    let days = dataset.retention.history_days;
    (kept.files_deleted, kept.log_entries_deleted) = table.vacuum(days, now).await?;
    // rejects wait as long as versions do
    let oldest = now - (i64::from(days) * 24).hours();
    for (path, at) in table.list(REJECTS).await? {
        if at < oldest {
            table.delete(&path).await?;
            kept.files_deleted += 1;
        }
    }
    Ok(kept)
}

/// Takes out rows whose years are over.
async fn expire(
    table: &Table,
    dataset: &Arc<Dataset>,
    folder: &Path,
    key: Option<&[u8]>,
    now: Timestamp,
) -> Result<u64, HubError> {
    let Some((years, column)) = dataset.retention.rows else {
        return Ok(0);
    };
    // a table has its own order of columns, which is not the folder's once that has changed
    let Some(column) = dataset.columns.get(column).map(|column| column.name.clone()) else {
        return Ok(0);
    };
    let crypt = crypt(dataset, key)?;
    let last = civic::legal_day(now)
        .checked_sub(i64::from(years).years())
        .map(crate::values::days)
        .unwrap_or(i32::MIN);
    let number = table.noted(LOADS).unwrap_or_default();
    let schema = table.schema()?;
    let version = table.version();
    let (mut added, mut removed, mut gone) = (Vec::new(), Vec::new(), 0);
    for file in table.files()? {
        let bytes = table.read(&file.path).await?;
        let to = folder.join("expired.parquet");
        let (crypt, dataset, schema, out) = (crypt.clone(), Arc::clone(dataset), Arc::clone(&schema), to.clone());
        let column = column.clone();
        let (length, stats) = blocking(move || {
            rewrite(&crypt, &dataset, bytes, &schema, &out, &mut |batch, _| {
                let days = batch
                    .column_by_name(&column)
                    .and_then(|days| days.as_primitive_opt::<Date32Type>());
                (0..batch.num_rows())
                    .map(|row| {
                        let over = days.is_some_and(|days| !days.is_null(row) && days.value(row) < last);
                        Some(!over)
                    })
                    .collect::<BooleanArray>()
            })
        })
        .await?;
        if stats.rows == file.rows {
            continue;
        }
        gone += file.rows - stats.rows;
        if stats.rows > 0 {
            let path = rewritten(&file.path, &format!("{number:08}-x{version}"));
            table.put(&path, &to).await?;
            added.push(Added {
                path,
                bytes: length,
                stats,
            });
        }
        let _ = std::fs::remove_file(&to);
        removed.push(file);
    }
    if !removed.is_empty() {
        table.commit(Change::Update, &added, &removed, &[], None, now).await?;
    }
    Ok(gone)
}
