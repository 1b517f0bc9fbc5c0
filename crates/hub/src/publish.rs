//! From staged parts to a version: which rows stand for which, the rules of the whole load, and one commit.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;

use crate::dataset::{Dataset, Severity};
use crate::error::HubError;
use crate::file::Crypt;
use crate::ingest::{Job, LOADS, Outcome, Report, application, blocking, judge};
use crate::keys::{self, Record};
use crate::lake::{Added, Change, DataFile, Lake, Table, conform};
use crate::rejects::{Reason, Reject, RejectsFile};
use crate::source::{self, Batch, Collector};
use crate::stage::{Part, Staging};
use crate::stats::Stats;
use crate::validate::{Validator, unique_sets};
use crate::values::Problem;

/// Set on the number of a file that the table holds already.
const EXISTING: u32 = 1 << 31;
/// Folder of the rejects within a table's folder; a Delta table looks past names that begin so.
pub(crate) const REJECTS: &str = "_rejects";

/// What a load's rows do to those that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Merge {
    /// They are all there is; of two with one key the first is taken.
    Replace,
    /// The later row of a key is taken.
    Later,
    /// They come beside those that are there; a key that is there already is not taken.
    Beside,
}

/// Where the cells of a row can be found again.
pub(crate) enum Source {
    File(PathBuf),
    Batch(Batch),
}

/// A load between its staging and its version.
pub(crate) struct Work<'a> {
    pub lake: &'a Lake,
    pub validator: &'a Arc<Validator>,
    pub crypt: &'a Crypt,
    pub job: &'a Job,
    pub staging: &'a Staging,
    pub merge: Merge,
    pub source: Source,
    /// The load whose rejects are replayed, with those that stay rejected.
    pub base: Option<(String, Vec<Reject>)>,
}

/// Which rows go, and how they are counted.
#[derive(Default)]
struct Merged {
    /// Rows of parts and of existing files that go.
    drops: HashMap<u32, Vec<u32>>,
    /// Rows that stand where another has the same values: place, rule, place of the other.
    repeated: Vec<(u64, String, u64)>,
    /// How often rules of this number did not hold.
    counts: BTreeMap<usize, u64>,
    replaced: u64,
    deleted: u64,
    superseded: u64,
}

impl Merged {
    fn drop(&mut self, record: &Record) {
        self.drops.entry(record.file).or_default().push(record.row);
    }
}

impl Work<'_> {
    fn dataset(&self) -> &Arc<Dataset> {
        &self.validator.dataset
    }

    /// Publishes the parts, or says why they are held.
    pub async fn publish(&self, mut report: Report, parts: Vec<Part>) -> Result<Report, HubError> {
        let dataset = self.dataset();
        let table = self.lake.create(dataset, self.job.now).await?;
        let files = table.files()?;
        let kept = match self.merge {
            Merge::Replace => &[][..],
            Merge::Later | Merge::Beside => &files,
        };
        let evolved = evolution(dataset, &table)?;
        if let (Some(why), false) = (&evolved.conflict, self.merge == Merge::Replace) {
            let held = crate::ingest::Held::source("conflict", &[], why.clone());
            return Ok(report.held(vec![held]));
        }
        let merged = self.merged(&table, kept, &parts).await?;
        let schema = dataset.schema();
        // what of the parts and of the files that are there stays
        let before: u64 = files.iter().map(|file| file.rows).sum();
        let dropped = |files: &mut dyn Iterator<Item = u32>| -> u64 {
            files
                .map(|file| merged.drops.get(&file).map_or(0, |rows| count(rows.len())))
                .sum()
        };
        let staged: u64 = parts.iter().map(|part| part.rows).sum();
        let staged = staged - dropped(&mut parts.iter().map(|part| part.number));
        let existing: u64 = kept.iter().map(|file| file.rows).sum();
        let existing = existing - dropped(&mut (0..).zip(kept).map(|(number, _)| EXISTING | number));
        report.read = parts.iter().map(|part| part.read).sum();
        report.rejected = parts.iter().map(|part| part.rejects).sum::<u64>() + count(merged.repeated.len());
        report.rows = staged + existing;
        report.replaced = merged.replaced;
        report.deleted = merged.deleted;
        report.superseded = merged.superseded;
        report.added = staged.saturating_sub(merged.replaced);
        let mut counts = merged.counts.clone();
        for part in &parts {
            for (rule, found) in &part.counts {
                *counts.entry(*rule).or_default() += found;
            }
            for (reason, found) in &part.reasons {
                *report.reasons.entry(reason.clone()).or_default() += found;
            }
        }
        if !merged.repeated.is_empty() {
            report
                .reasons
                .insert("repeated".to_owned(), count(merged.repeated.len()));
        }
        let compared = (self.base.is_none()).then_some(before).filter(|_| table.version() > 0);
        let (mut held, warnings) = judge(
            dataset,
            &parts,
            &counts,
            self.job,
            compared,
            report.rows,
            report.rejected,
        );
        report.warnings = warnings;
        // a few mended rows are no load, whose share of rejects or newest day says something
        if self.base.is_some() {
            held.retain(|held| held.code == "rows");
        }
        if !held.is_empty() {
            return Ok(report.held(held));
        }
        let number = table.noted(LOADS).unwrap_or_default() + 1;
        let load = self
            .base
            .as_ref()
            .map_or_else(|| report.load.clone(), |(load, _)| load.clone());
        self.put_rejects(&table, &load, number, &parts, &merged).await?;
        // two loads at once may have one number, and must not write over each other's files
        let mark = format!("{number:08}-{}", report.load.chars().take(12).collect::<String>());
        let (added, removed) = self.put_rows(&table, kept, &parts, &merged, &mark, &schema).await?;
        let removed: Vec<DataFile> = match self.merge {
            Merge::Replace => files,
            Merge::Later | Merge::Beside => removed,
        };
        let mut noted = vec![(LOADS.to_owned(), number), (application(&report.load), number)];
        if let Some((base, _)) = &self.base {
            noted.push((application(base), number));
        }
        let change = match self.merge {
            Merge::Replace => Change::Replace,
            Merge::Later | Merge::Beside => Change::Update,
        };
        let schema = evolved.changed.then_some(&*schema);
        let version = table
            .commit(change, &added, &removed, &noted, schema, self.job.now)
            .await?;
        report.outcome = Outcome::Published(version);
        Ok(report)
    }

    /// Finds the rows that stand for the same thing.
    async fn merged(&self, table: &Table, kept: &[DataFile], parts: &[Part]) -> Result<Merged, HubError> {
        let dataset = self.dataset();
        let sets = unique_sets(dataset);
        let mut existing = Vec::new();
        if !dataset.source.key.is_empty() {
            for (number, file) in (0..).zip(kept) {
                existing.push(self.existing_run(table, file, number).await?);
            }
        }
        let run =
            |set: usize| -> Vec<PathBuf> { parts.iter().map(|part| self.staging.run(set, part.number)).collect() };
        let runs: Vec<(Option<usize>, Vec<PathBuf>)> = sets
            .iter()
            .enumerate()
            .map(|(set, (_, rule))| (*rule, run(set)))
            .collect();
        let (merge, scratch) = (self.merge, self.staging.folder().to_path_buf());
        let dataset = Arc::clone(dataset);
        blocking(move || {
            let mut merged = Merged::default();
            // rules first: a row they reject takes the place of no other
            let mut rejected = HashSet::new();
            for (number, runs) in runs.iter().filter_map(|(rule, runs)| rule.map(|rule| (rule, runs))) {
                let Some(rule) = dataset.quality.get(number) else {
                    continue;
                };
                let mut first: Option<Record> = None;
                keys::grouped(runs, &scratch, &mut |record, last| {
                    match (&first, rule.severity) {
                        (None, _) => first = Some(record),
                        (Some(other), Severity::Reject) => {
                            if rejected.insert((record.file, record.row)) {
                                merged.drop(&record);
                                merged.repeated.push((record.place, rule.name.clone(), other.place));
                            }
                        }
                        (Some(_), Severity::Hold | Severity::Warn) => *merged.counts.entry(number).or_default() += 1,
                    }
                    if last {
                        first = None;
                    }
                    Ok(())
                })?;
            }
            for (_, runs) in runs.into_iter().filter(|(rule, _)| rule.is_none()) {
                let all: Vec<PathBuf> = runs.into_iter().chain(existing.iter().cloned()).collect();
                let mut group = Group::default();
                keys::grouped(&all, &scratch, &mut |record, last| {
                    if record.delete || !rejected.contains(&(record.file, record.row)) {
                        match merge {
                            Merge::Later => group.later(&mut merged, record),
                            Merge::Replace | Merge::Beside => group.first(&mut merged, record),
                        }
                    }
                    if last {
                        group.ends(&mut merged);
                    }
                    Ok(())
                })?;
            }
            for rows in merged.drops.values_mut() {
                rows.sort_unstable();
                rows.dedup();
            }
            merged.repeated.sort_unstable();
            Ok(merged)
        })
        .await
    }

    /// The run of keys of a file that the table holds.
    async fn existing_run(&self, table: &Table, file: &DataFile, number: u32) -> Result<PathBuf, HubError> {
        let dataset = Arc::clone(self.dataset());
        let bytes = table.read(&file.path).await?;
        let path = self.staging.folder().join(format!("existing-{number:05}.run"));
        let (crypt, validator, to, named) = (
            self.crypt.clone(),
            Arc::clone(self.validator),
            path.clone(),
            file.path.clone(),
        );
        let merge = self.merge;
        blocking(move || {
            let fail = |error: &dyn std::fmt::Display| HubError::lake(&dataset.id, format!("`{named}`: {error}"));
            let mut records = Vec::new();
            let mut row = 0;
            let wanted = dataset.source.key.iter().copied().chain(dataset.source.time);
            let wanted: Vec<&str> = wanted
                .filter_map(|column| dataset.columns.get(column))
                .map(|column| column.name.as_str())
                .collect();
            for batch in crypt.batches(bytes, Some(&wanted)).map_err(|error| fail(&error))? {
                let batch = batch.map_err(|error| fail(&error))?;
                let batch = conform(&batch, &dataset.schema()).map_err(|error| fail(&error))?;
                let columns: Vec<_> = dataset
                    .source
                    .key
                    .iter()
                    .map(|column| Arc::clone(batch.column(*column)))
                    .collect();
                let hashes = validator.hasher.rows(&columns, batch.num_rows());
                // a row that is there comes first where the load only adds
                let time = dataset.source.time.filter(|_| merge == Merge::Later);
                let orders = keys::orders(time.map(|column| batch.column(column)), batch.num_rows());
                for (hash, order) in hashes.into_iter().zip(orders) {
                    if let Some(hash) = hash {
                        records.push(Record {
                            hash,
                            order: if merge == Merge::Beside { i64::MIN } else { order },
                            place: 0,
                            file: EXISTING | number,
                            row,
                            delete: false,
                        });
                    }
                    row += 1;
                }
            }
            keys::write(&to, records)
        })
        .await?;
        Ok(path)
    }

    /// Puts what stays of parts and of changed files into the store. Answers what a commit adds and removes.
    async fn put_rows(
        &self,
        table: &Table,
        kept: &[DataFile],
        parts: &[Part],
        merged: &Merged,
        mark: &str,
        schema: &SchemaRef,
    ) -> Result<(Vec<Added>, Vec<DataFile>), HubError> {
        let (mut added, mut removed) = (Vec::new(), Vec::new());
        for (at, file) in (0_u32..).zip(kept) {
            let Some(drops) = merged.drops.get(&(EXISTING | at)) else {
                continue;
            };
            removed.push(file.clone());
            let bytes = table.read(&file.path).await?;
            let path = rewritten(&file.path, mark);
            added.extend(self.put_rest(table, bytes, drops, &path, schema).await?);
        }
        for part in parts.iter().filter(|part| part.rows > 0) {
            let path = format!("part-{mark}-{:05}.parquet", part.number);
            match merged.drops.get(&part.number) {
                None => {
                    table.put(&path, &self.staging.part(part.number)).await?;
                    added.push(Added {
                        path,
                        bytes: part.bytes,
                        stats: part.stats.clone(),
                    });
                }
                Some(drops) => {
                    let from = self.staging.part(part.number);
                    let bytes = tokio::fs::read(&from).await.map_err(HubError::file(&from))?;
                    added.extend(self.put_rest(table, bytes.into(), drops, &path, schema).await?);
                }
            }
        }
        Ok((added, removed))
    }

    /// Puts the rows of a file that are not dropped into the store; nothing where none is left.
    async fn put_rest(
        &self,
        table: &Table,
        bytes: bytes::Bytes,
        drops: &[u32],
        path: &str,
        schema: &SchemaRef,
    ) -> Result<Option<Added>, HubError> {
        let to = self.staging.folder().join("rest.parquet");
        let (crypt, dataset, drops, schema) = (
            self.crypt.clone(),
            Arc::clone(self.dataset()),
            drops.to_vec(),
            Arc::clone(schema),
        );
        let out = to.clone();
        let written = blocking(move || {
            let mut drops = drops.into_iter().peekable();
            rewrite(&crypt, &dataset, bytes, &schema, &out, &mut |batch, first| {
                (0..batch.num_rows())
                    .map(|row| {
                        let at = u32::try_from(first + row).unwrap_or(u32::MAX);
                        Some(drops.next_if_eq(&at).is_none())
                    })
                    .collect()
            })
        })
        .await?;
        if written.1.rows == 0 {
            return Ok(None);
        }
        table.put(path, &to).await?;
        Ok(Some(Added {
            path: path.to_owned(),
            bytes: written.0,
            stats: written.1,
        }))
    }

    /// Puts the rejects of the load into the store. They count when the load is published with their number.
    async fn put_rejects(
        &self,
        table: &Table,
        load: &str,
        number: i64,
        parts: &[Part],
        merged: &Merged,
    ) -> Result<(), HubError> {
        let repeated = self.repeated(merged).await?;
        let staying = self
            .base
            .as_ref()
            .map(|(_, staying)| staying.clone())
            .unwrap_or_default();
        let any = !repeated.is_empty() || !staying.is_empty() || parts.iter().any(|part| part.rejects > 0);
        if !any {
            return Ok(());
        }
        let path = self.staging.folder().join("rejects.parquet");
        let files: Vec<PathBuf> = parts
            .iter()
            .filter(|part| part.rejects > 0)
            .map(|part| self.staging.rejects(part.number))
            .collect();
        let (crypt, out) = (self.crypt.clone(), path.clone());
        blocking(move || {
            let mut file = RejectsFile::create(&crypt, &out)?;
            file.write(&staying)?;
            for from in files {
                let bytes = std::fs::read(&from).map_err(HubError::file(&from))?;
                let mut some = Vec::new();
                crate::rejects::read(&crypt, bytes.into(), &mut |reject| {
                    some.push(reject);
                    Ok(())
                })?;
                file.write(&some)?;
            }
            file.write(&repeated)?;
            file.close().map(drop)
        })
        .await?;
        table.put(&rejects_path(load, number), &path).await
    }

    /// Rows that are rejected because another has the same values, with their cells.
    async fn repeated(&self, merged: &Merged) -> Result<Vec<Reject>, HubError> {
        if merged.repeated.is_empty() {
            return Ok(Vec::new());
        }
        let reasons: BTreeMap<u64, Problem> = merged
            .repeated
            .iter()
            .map(|(place, rule, other)| {
                let problem = Problem::Repeated {
                    rule: rule.clone(),
                    place: *other,
                };
                (*place, problem)
            })
            .collect();
        let pick = |batch: &Batch, found: &mut Vec<Reject>| {
            for (row, place) in batch.places.iter().enumerate() {
                if let Some(problem) = reasons.get(place) {
                    found.push(Reject {
                        place: *place,
                        reasons: vec![Reason::new("", problem)],
                        cells: source::cells_of(batch, row),
                    });
                }
            }
        };
        let mut found = Vec::new();
        match &self.source {
            Source::Batch(batch) => {
                pick(batch, &mut found);
                Ok(found)
            }
            Source::File(path) => {
                let (dataset, path, sizes) = (Arc::clone(self.dataset()), path.clone(), self.job.sizes);
                let places: BTreeSet<u64> = reasons.keys().copied().collect();
                let batches = blocking(move || {
                    let mut kept = Vec::new();
                    let mut emit = |batch: Batch| {
                        let mask: BooleanArray =
                            batch.places.iter().map(|place| Some(places.contains(place))).collect();
                        if mask.true_count() > 0 {
                            kept.push(picked(&batch, &mask)?);
                        }
                        Ok(())
                    };
                    source::read(
                        &dataset,
                        &path,
                        Collector::new(sizes.part_rows, sizes.part_bytes, &mut emit),
                    )?;
                    Ok(kept)
                })
                .await?;
                for batch in &batches {
                    pick(batch, &mut found);
                }
                Ok(found)
            }
        }
    }
}

/// The rows of a batch that a mask names.
fn picked(batch: &Batch, mask: &BooleanArray) -> Result<Batch, HubError> {
    use arrow::array::AsArray as _;
    let cells = batch.cells.iter().map(|cells| {
        arrow::compute::filter(cells, mask)
            .map(|cells| cells.as_string::<i32>().clone())
            .map_err(|error| HubError::source(error.to_string()))
    });
    let places = batch.places.iter().enumerate();
    Ok(Batch {
        number: batch.number,
        before: batch.before,
        names: Arc::clone(&batch.names),
        places: places
            .filter(|(row, _)| mask.value(*row))
            .map(|(_, place)| *place)
            .collect(),
        cells: cells.collect::<Result<_, _>>()?,
        broken: Vec::new(),
    })
}

/// The rows of one key while they are met in their order.
#[derive(Default)]
struct Group {
    winner: Option<Record>,
    /// A row of the table that another took the place of.
    replaced: bool,
}

impl Group {
    /// Of two rows the later one stays.
    fn later(&mut self, merged: &mut Merged, record: Record) {
        let Some(before) = self.winner.replace(record) else {
            return;
        };
        // a row that says that something is gone is itself none of the table
        if !before.delete {
            merged.drop(&before);
        }
        if before.file & EXISTING == 0 {
            merged.superseded += 1;
        } else {
            self.replaced = true;
        }
    }

    /// Of two rows the first one stays.
    fn first(&mut self, merged: &mut Merged, record: Record) {
        match &self.winner {
            None => self.winner = Some(record),
            // what a table of an earlier folder holds twice is not this load's to mend
            Some(_) if record.file & EXISTING != 0 => {}
            Some(winner) => {
                if !record.delete {
                    merged.drop(&record);
                }
                merged.repeated.push((record.place, "key".to_owned(), winner.place));
            }
        }
    }

    fn ends(&mut self, merged: &mut Merged) {
        let group = std::mem::take(self);
        match group.winner {
            Some(winner) if group.replaced && winner.delete => merged.deleted += 1,
            Some(_) if group.replaced => merged.replaced += 1,
            _ => {}
        }
    }
}

/// Writes the rows of a file that a mask keeps into another; `mask` is told the number of a batch's first row. Answers
/// its length and statistics.
pub(crate) fn rewrite(
    crypt: &Crypt,
    dataset: &Dataset,
    bytes: bytes::Bytes,
    schema: &SchemaRef,
    to: &std::path::Path,
    mask: &mut dyn FnMut(&RecordBatch, usize) -> BooleanArray,
) -> Result<(u64, Stats), HubError> {
    let fail = |error: &dyn std::fmt::Display| HubError::lake(&dataset.id, error);
    let mut out = crypt.create(to, Arc::clone(schema))?;
    let (mut stats, mut first): (Option<Stats>, usize) = (None, 0);
    for batch in crypt.batches(bytes, None).map_err(|error| fail(&error))? {
        let batch = batch.map_err(|error| fail(&error))?;
        let batch = conform(&batch, schema).map_err(|error| fail(&error))?;
        let mask = mask(&batch, first);
        first += batch.num_rows();
        let rest = filter_record_batch(&batch, &mask).map_err(|error| fail(&error))?;
        out.write(&rest)?;
        let these = Stats::of(dataset, &rest);
        stats = Some(match stats {
            Some(stats) => stats.and(these),
            None => these,
        });
    }
    let written = out.close()?;
    Ok((written.bytes, stats.unwrap_or_default()))
}

/// The name of what is left of a file after a load: it keeps its place in the order.
pub(crate) fn rewritten(path: &str, mark: &str) -> String {
    let stem = path.trim_end_matches(".parquet");
    let stem = stem.split_once('~').map_or(stem, |(stem, _)| stem);
    format!("{stem}~{mark}.parquet")
}

pub(crate) fn rejects_path(load: &str, number: i64) -> String {
    format!("{REJECTS}/{load}-{number:08}.parquet")
}

fn count(of: usize) -> u64 {
    u64::try_from(of).unwrap_or(u64::MAX)
}

/// How the folder's columns differ from the table's.
struct Evolution {
    changed: bool,
    /// Why only a whole source can change them.
    conflict: Option<String>,
}

fn evolution(dataset: &Dataset, table: &Table) -> Result<Evolution, HubError> {
    let (wanted, there) = (dataset.schema(), table.schema()?);
    let changed = wanted != there
        && (wanted.fields().len() != there.fields().len()
            || wanted
                .fields()
                .iter()
                .zip(there.fields())
                .any(|(one, other)| one.name() != other.name() || one.data_type() != other.data_type()));
    let gone: Vec<&str> = there
        .fields()
        .iter()
        .filter(|field| {
            wanted
                .field_with_name(field.name())
                .map_or(true, |other| other.data_type() != field.data_type())
        })
        .map(|field| field.name().as_str())
        .collect();
    let conflict = (!gone.is_empty()).then(|| {
        format!(
            "the folder no longer has the columns `{}` of the table as they were; bring in a whole source with \
             `mode = \"full\"`, or describe them again",
            gone.join("`, `")
        )
    });
    Ok(Evolution { changed, conflict })
}
