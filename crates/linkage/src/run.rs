//! A whole match from files to a file, as `tongban linkage match` and an outside examiner ask for it.

use crate::block::Estimate;
use crate::cluster::{clusters, components, in_one_list, one_to_one};
use crate::compare::level_of;
use crate::error::LinkError;
use crate::matching::{Matching, Pair};
use crate::model::Model;
use crate::table::read_csv;
use crate::weights::{Weights, bits_of};
use arrow::array::{Array, LargeStringArray, RecordBatch};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// The files of a match.
#[derive(Clone, Debug)]
pub struct Files {
    /// CSV table.
    pub left: PathBuf,
    /// The other CSV table; without it the left one is matched with itself.
    pub right: Option<PathBuf>,
    /// The model.
    pub model: PathBuf,
    /// CSV file for the pairs.
    pub out: PathBuf,
    /// JSON file of weights: read where it is there, else written after training.
    pub weights: Option<PathBuf>,
}

/// What a match found.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Summary {
    /// Rows of the left table.
    pub left_rows: usize,
    /// Rows of the right table; none where one table was matched with itself.
    pub right_rows: Option<usize>,
    /// Pairs above the floor.
    pub pairs: usize,
    /// Pairs from the threshold on, each row once where the model says so.
    pub matches: usize,
    /// Pairs for a person to look at.
    pub review: usize,
    /// Clusters of two and more rows.
    pub clusters: usize,
    /// What each blocking rule cost and left out.
    pub blocks: Vec<Estimate>,
    /// What was learned.
    pub weights: Weights,
}

/// Matches two files, or one with itself, and writes the pairs above the model's floor: both ids, weight, probability, decision, cluster,
/// rule and the level of each comparison. `step` is told what is done now.
///
/// # Errors
/// [`LinkError`] when a file can't be read or written, the model has mistakes, or a table does not fit it.
pub fn match_files(files: &Files, threads: usize, step: &dyn Fn(&str)) -> Result<Summary, LinkError> {
    let inputs = [
        Some(&files.left),
        files.right.as_ref(),
        Some(&files.model),
        files.weights.as_ref(),
    ];
    if inputs.contains(&Some(&files.out)) {
        return Err(wrong(
            &files.out,
            "the pairs would be written over what is read; name another file",
        ));
    }
    // Opened before the work, which may be long, and given its name after it: a table of pairs that is there stays until then.
    let part = part_of(&files.out);
    let file = File::create(&part).map_err(|error| LinkError::file(&files.out, &error))?;
    let matched = into(file, files, threads, step);
    let kept = matched.and_then(|summary| {
        std::fs::rename(&part, &files.out).map_err(|error| LinkError::file(&files.out, &error))?;
        Ok(summary)
    });
    if kept.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    kept
}

/// The name of a file while it is written.
fn part_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

fn into(file: File, files: &Files, threads: usize, step: &dyn Fn(&str)) -> Result<Summary, LinkError> {
    let model = Model::load(&files.model)?;
    step("reading the tables");
    let left = read_csv(&files.left)?;
    let right = files.right.as_deref().map(read_csv).transpose()?;
    step("making keys");
    let matching = match &right {
        Some(right) => Matching::between(&model, &left, right, threads)?,
        None => Matching::within(&model, &left, threads)?,
    };
    let weights = match kept_weights(files.weights.as_deref())? {
        Some(weights) => weights,
        None => {
            step("learning the weights");
            let (weights, _) = matching.train()?;
            if let Some(path) = &files.weights {
                let text = serde_json::to_vec_pretty(&weights).map_err(|error| wrong(path, error))?;
                std::fs::write(path, text).map_err(|error| LinkError::file(path, &error))?;
            }
            weights
        }
    };
    let wanted: u64 = matching.estimates().iter().map(|estimate| estimate.pairs).sum();
    step(&format!("comparing at most {wanted} pairs"));
    let pairs = matching.pairs(&weights)?;
    step("writing the pairs");
    let decided = Decided::new(&model, &left, right.as_ref(), &pairs);
    write(
        (file, &files.out),
        &model,
        (&left, right.as_ref().unwrap_or(&left)),
        &pairs,
        &decided,
    )?;
    Ok(Summary {
        left_rows: left.num_rows(),
        right_rows: right.as_ref().map(RecordBatch::num_rows),
        pairs: pairs.len(),
        matches: decided
            .decisions
            .iter()
            .filter(|decision| **decision == "match")
            .count(),
        review: decided
            .decisions
            .iter()
            .filter(|decision| **decision == "review")
            .count(),
        clusters: decided.clusters,
        blocks: matching.estimates().to_vec(),
        weights,
    })
}

fn wrong(path: &Path, why: impl std::fmt::Display) -> LinkError {
    LinkError::File {
        path: path.to_path_buf(),
        why: why.to_string(),
    }
}

fn kept_weights(path: Option<&Path>) -> Result<Option<Weights>, LinkError> {
    let Some(path) = path.filter(|path| path.exists()) else {
        return Ok(None);
    };
    let size = std::fs::metadata(path)
        .map_err(|error| LinkError::file(path, &error))?
        .len();
    if size > 1 << 20 {
        return Err(wrong(path, "it is larger than 1 MiB"));
    }
    let text = std::fs::read(path).map_err(|error| LinkError::file(path, &error))?;
    serde_json::from_slice(&text).map(Some).map_err(|error| {
        wrong(
            path,
            format!("it holds no weights ({error}); delete it to learn them anew"),
        )
    })
}

/// The decision and the cluster of each pair.
struct Decided {
    decisions: Vec<&'static str>,
    of_left: Vec<u32>,
    clusters: usize,
}

impl Decided {
    fn new(model: &Model, left: &RecordBatch, right: Option<&RecordBatch>, pairs: &[Pair]) -> Decided {
        let least = bits_of(model.threshold);
        let (rows, moved) = match right {
            Some(right) => (left.num_rows() + right.num_rows(), in_one_list(left.num_rows(), pairs)),
            None => (left.num_rows(), pairs.to_vec()),
        };
        let first = u32::try_from(left.num_rows()).unwrap_or(u32::MAX);
        let (linked, of_left): (Vec<Pair>, Vec<u32>) = match right {
            Some(right) if model.one_to_one => {
                let linked = one_to_one(left.num_rows(), right.num_rows(), pairs, least);
                let of_left = components(rows, &in_one_list(left.num_rows(), &linked), least);
                (linked, of_left)
            }
            _ => {
                let of_left = clusters(rows, &moved, least, model.floor);
                let moved_by = right.map_or(0, |_| first);
                let together = |pair: &&Pair| of_left[pair.left as usize] == of_left[(pair.right + moved_by) as usize];
                (pairs.iter().filter(together).copied().collect(), of_left)
            }
        };
        let mut sizes = of_left.clone();
        sizes.sort_unstable();
        let clusters = sizes.chunk_by(|a, b| a == b).filter(|run| run.len() > 1).count();
        let mut linked = linked.iter().map(|pair| (pair.left, pair.right)).peekable();
        let decisions = pairs
            .iter()
            .map(|pair| match linked.next_if_eq(&(pair.left, pair.right)) {
                Some(_) => "match",
                None if pair.probability() >= model.threshold => "other partner",
                None if pair.probability() >= model.review => "review",
                None => "no match",
            })
            .collect();
        Decided {
            decisions,
            of_left,
            clusters,
        }
    }
}

fn ids<'a>(batch: &'a RecordBatch, model: &Model) -> Option<&'a LargeStringArray> {
    batch.column_by_name(&model.id)?.as_any().downcast_ref()
}

fn write(
    (file, path): (File, &Path),
    model: &Model,
    (left, right): (&RecordBatch, &RecordBatch),
    pairs: &[Pair],
    decided: &Decided,
) -> Result<(), LinkError> {
    let mut out = csv::Writer::from_writer(BufWriter::new(file));
    let mut header = vec!["left", "right", "weight", "probability", "decision", "cluster", "rule"];
    header.extend(model.comparisons.iter().map(|comparison| comparison.name.as_str()));
    out.write_record(&header).map_err(|error| wrong(path, error))?;
    let (left, right) = (ids(left, model), ids(right, model));
    let id = |ids: Option<&LargeStringArray>, row: u32| match ids {
        Some(ids) if ids.is_valid(row as usize) => ids.value(row as usize).to_owned(),
        // a record without an id is named by its row, from 1
        _ => format!("#{}", row + 1),
    };
    for (pair, decision) in pairs.iter().zip(&decided.decisions) {
        let mut record = vec![
            id(left, pair.left),
            id(right, pair.right),
            format!("{:.4}", pair.weight),
            format!("{:.6}", pair.probability()),
            (*decision).to_owned(),
        ];
        let cluster = decided.of_left.get(pair.left as usize).filter(|_| *decision == "match");
        record.push(cluster.map(ToString::to_string).unwrap_or_default());
        record.push((pair.rule + 1).to_string());
        for (at, comparison) in model.comparisons.iter().enumerate() {
            let level = level_of(pair.levels, at) as usize;
            record.push(match comparison.levels.get(level) {
                Some(level) => level.text.clone(),
                None if level == comparison.levels.len() => "else".to_owned(),
                None => "null".to_owned(),
            });
        }
        out.write_record(&record).map_err(|error| wrong(path, error))?;
    }
    let mut inner = out.into_inner().map_err(|error| LinkError::file(path, error.error()))?;
    inner.flush().map_err(|error| LinkError::file(path, &error))
}
