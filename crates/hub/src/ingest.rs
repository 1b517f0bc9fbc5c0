//! A load: the source is surveyed, staged, held against the rules of the whole load, and published as one version or not
//! at all.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::dataset::{Check, Dataset, Mode, Severity};
use crate::error::HubError;
use crate::file::Crypt;
use crate::keys::Hasher;
use crate::lake::{At, Lake};
use crate::publish::{self, Merge};
use crate::runs::{self, Run};
use crate::source::{self, Drift};
use crate::stage::{self, Part, Progress, Sizes, Staging};
use crate::validate::Validator;

/// What a load is given beside its dataset and its lake.
#[derive(Clone)]
pub struct Job {
    /// Folder for what is staged; it must be on a disk of this machine.
    pub staging: PathBuf,
    /// Key of the dataset, of 16 or 32 bytes; only a dataset without personal columns may do without.
    pub key: Option<Vec<u8>>,
    /// The time of the load.
    pub now: Timestamp,
    /// How much is done at once.
    pub sizes: Sizes,
    /// Names of rules that held an earlier try and that the steward has looked at.
    pub accepted: BTreeSet<String>,
    /// Told after every part; the load stops when it answers `false`, and can be run again.
    pub follow: Arc<dyn Fn(Progress) -> bool + Send + Sync>,
}

impl Job {
    /// A job that follows nobody and accepts nothing.
    #[must_use]
    pub fn new(staging: &Path, key: Option<&[u8]>, now: Timestamp) -> Job {
        Job {
            staging: staging.to_path_buf(),
            key: key.map(<[u8]>::to_vec),
            now,
            sizes: Sizes::default(),
            accepted: BTreeSet::new(),
            follow: Arc::new(|_| true),
        }
    }

    pub(crate) fn crypt(&self, dataset: &Dataset) -> Result<Crypt, HubError> {
        crypt(dataset, self.key.as_deref())
    }
}

/// The key of a dataset's files, which one with personal columns can't do without.
pub(crate) fn crypt(dataset: &Dataset, key: Option<&[u8]>) -> Result<Crypt, HubError> {
    let fits = key.is_some_and(|key| matches!(key.len(), 16 | 32));
    match (dataset.is_personal(), fits) {
        (true, true) => Ok(Crypt::new(key)),
        (true, false) => Err(HubError::KeyMissing(dataset.id.clone())),
        (false, _) => Ok(Crypt::new(None)),
    }
}

/// What became of a load.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is this version.
    Published(u64),
    /// The same source was published by the same folder before, and nothing has come since that it would undo.
    AlreadyPublished,
    /// Nothing was published; the steward decides.
    Held(Vec<Held>),
}

/// Why a load waits for the steward.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Name of the rule, to be accepted by; none where the folder or the source must be put right.
    pub rule: Option<String>,
    /// What was found and what to do.
    pub why: String,
    /// A word for what was found that does not change: `encoding`, `source`, `conflict`, `missing`, `unknown`, `fresh`, `no_day`,
    /// `rows_change`, `rejects`, `rows`.
    #[serde(default)]
    pub code: String,
    /// What the sentence is about, in its order: a column, or numbers.
    #[serde(default)]
    pub about: Vec<String>,
}

impl Held {
    /// Held because of the folder or the source.
    #[must_use]
    pub fn source(code: &str, about: &[&str], why: String) -> Held {
        Held {
            rule: None,
            why,
            code: code.to_owned(),
            about: about.iter().map(|&one| one.to_owned()).collect(),
        }
    }
}

/// What a load found and did. Holds no value of any row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Name of the dataset.
    pub dataset: String,
    /// Name of the load: it is the same for the same source and the same folder.
    pub load: String,
    /// What became of it.
    pub outcome: Outcome,
    /// The word for places of rows: `line`, `row` or `item`.
    pub place: Cow<'static, str>,
    /// Rows read.
    pub read: u64,
    /// Rows that were new.
    pub added: u64,
    /// Rows that took the place of others.
    pub replaced: u64,
    /// Rows that are gone.
    pub deleted: u64,
    /// Rows of the source that a later one of the same key stood for.
    pub superseded: u64,
    /// Rows that were not taken; they are kept with their reasons.
    pub rejected: u64,
    /// How often each reason stands in the rejects.
    pub reasons: BTreeMap<String, u64>,
    /// How often rules that only warn did not hold.
    pub warnings: BTreeMap<String, u64>,
    /// Rows of the table afterwards.
    pub rows: u64,
}

impl Report {
    pub(crate) fn new(dataset: &Dataset, load: &str, outcome: Outcome) -> Report {
        Report {
            dataset: dataset.id.clone(),
            load: load.to_owned(),
            outcome,
            place: source::place_word(dataset.source.format).into(),
            read: 0,
            added: 0,
            replaced: 0,
            deleted: 0,
            superseded: 0,
            rejected: 0,
            reasons: BTreeMap::new(),
            warnings: BTreeMap::new(),
            rows: 0,
        }
    }

    pub(crate) fn held(mut self, why: Vec<Held>) -> Report {
        self.outcome = Outcome::Held(why);
        self
    }
}

/// Application that notes how many loads were published.
pub(crate) const LOADS: &str = "loads";

/// Application of one load.
pub(crate) fn application(load: &str) -> String {
    format!("load:{load}")
}

/// The lock of a dataset's staging folder, held by one load at a time; the system frees it when the process ends.
pub(crate) struct Locked {
    pub folder: PathBuf,
    _lock: File,
}

pub(crate) fn lock(dataset: &Dataset, staging: &Path) -> Result<Locked, HubError> {
    let folder = staging.join(&dataset.id);
    std::fs::create_dir_all(&folder).map_err(HubError::file(&folder))?;
    let path = folder.join("lock");
    let lock = File::create(&path).map_err(HubError::file(&path))?;
    lock.try_lock().map_err(|_| HubError::Busy(dataset.id.clone()))?;
    Ok(Locked { folder, _lock: lock })
}

/// Runs work that would keep other tasks waiting.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, HubError> + Send + 'static,
) -> Result<T, HubError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(HubError::source(format!("the work ended early: {error}"))),
    }
}

/// Brings in a source, and keeps what became of it as a [`crate::Run`].
///
/// The same source by the same folder gives the same rows, however often it is run, whatever cut it off.
///
/// # Errors
/// [`HubError`]; nothing was published then.
pub async fn ingest(lake: &Lake, dataset: &Arc<Dataset>, path: &Path, job: &Job) -> Result<Report, HubError> {
    let report = load(lake, dataset, path, job).await?;
    told(lake, report, job).await
}

/// Keeps what became of a load that did something, or was held.
pub(crate) async fn told(lake: &Lake, report: Report, job: &Job) -> Result<Report, HubError> {
    let run = Run { at: job.now, report };
    let kept = match run.report.outcome {
        Outcome::AlreadyPublished => Ok(()),
        Outcome::Published(_) | Outcome::Held(_) => runs::keep(lake, &run).await,
    };
    match (kept, &run.report.outcome) {
        (Err(error), Outcome::Held(_)) => Err(error),
        // what was published stays published
        _ => Ok(run.report),
    }
}

async fn load(lake: &Lake, dataset: &Arc<Dataset>, path: &Path, job: &Job) -> Result<Report, HubError> {
    let crypt = job.crypt(dataset)?;
    let locked = lock(dataset, &job.staging)?;
    let surveyed = {
        let (dataset, path) = (Arc::clone(dataset), path.to_path_buf());
        blocking(move || source::survey(&dataset, &path)).await?
    };
    let load = load_name(&surveyed.digest, &dataset.digest);
    let report = Report::new(dataset, &load, Outcome::AlreadyPublished);
    let table = lake.open(&dataset.id, At::Latest).await?;
    stage::clear(&locked.folder, &load);
    let staging = Staging::open(&locked.folder, &load)?;
    if let Some(table) = &table {
        let before = table.noted(&application(&load));
        let latest = table.noted(LOADS);
        // a whole source of earlier may come again; changes may not
        let published = match dataset.source.mode {
            Mode::Full => before.is_some() && before == latest,
            Mode::Incremental | Mode::Changes => before.is_some(),
        };
        if published {
            staging.remove();
            return Ok(report);
        }
    }
    if let Some(why) = surveyed.disagreement {
        staging.remove();
        return Ok(report.held(vec![Held::source("encoding", &[], why)]));
    }
    let validator = validator(lake, dataset, &crypt, job).await?;
    let validator = Arc::new(validator);
    let staged = {
        let (validator, crypt, path) = (Arc::clone(&validator), crypt.clone(), path.to_path_buf());
        let (sizes, follow) = (job.sizes, Arc::clone(&job.follow));
        let within = Staging::open(&locked.folder, &load)?;
        blocking(move || stage::stage(&validator, &crypt, &path, &within, &sizes, &*follow)).await?
    };
    if let Some(held) = drifted(dataset, &staged.drift) {
        staging.remove();
        return Ok(report.held(held));
    }
    let merge = match dataset.source.mode {
        Mode::Full => Merge::Replace,
        Mode::Incremental | Mode::Changes => Merge::Later,
    };
    let source = publish::Source::File(path.to_path_buf());
    let work = publish::Work {
        lake,
        validator: &validator,
        crypt: &crypt,
        job,
        staging: &staging,
        merge,
        source,
        base: None,
    };
    let report = work.publish(report, staged.parts).await?;
    if matches!(report.outcome, Outcome::Published(_)) {
        staging.remove();
    }
    Ok(report)
}

/// The name of a load.
pub(crate) fn load_name(source: &[u8], dataset: &str) -> String {
    let digest = Sha256::new()
        .chain_update(source)
        .chain_update(dataset.as_bytes())
        .finalize();
    hex::encode(digest).chars().take(32).collect()
}

/// What validation needs, with the values that rules refer to in other datasets.
pub(crate) async fn validator(
    lake: &Lake,
    dataset: &Arc<Dataset>,
    crypt: &Crypt,
    job: &Job,
) -> Result<Validator, HubError> {
    let hasher = Hasher::new(crypt.key())?;
    let mut foreign = BTreeMap::new();
    for (number, rule) in dataset.quality.iter().enumerate() {
        if let Check::Foreign { dataset: id, other, .. } = &rule.check {
            let folder = dataset.folder.parent().unwrap_or(Path::new("")).join(id);
            let other_set = Dataset::load(&folder)?;
            let known = values_of(lake, &other_set, other, &hasher, job).await?;
            foreign.insert(number, known);
        }
    }
    Ok(Validator {
        dataset: Arc::clone(dataset),
        hasher,
        foreign,
    })
}

/// Hashes of all values of a column.
async fn values_of(
    lake: &Lake,
    dataset: &Dataset,
    column: &str,
    hasher: &Hasher,
    job: &Job,
) -> Result<HashSet<[u8; 16]>, HubError> {
    if dataset.column(column).is_none() {
        let id = &dataset.id;
        return Err(HubError::lake(
            id,
            format!("it has no column `{column}`, which a rule refers to"),
        ));
    }
    let crypt = crypt(dataset, job.key.as_deref())?;
    let Some(table) = lake.open(&dataset.id, At::Latest).await? else {
        return Err(HubError::lake(
            &dataset.id,
            "a rule refers to it and nothing of it was brought in yet; bring it in first",
        ));
    };
    let mut known = HashSet::new();
    for file in table.files()? {
        let bytes = table.read(&file.path).await?;
        let fail = |error: &dyn std::fmt::Display| HubError::lake(&dataset.id, error);
        for batch in crypt.batches(bytes, Some(&[column])).map_err(|error| fail(&error))? {
            let batch = batch.map_err(|error| fail(&error))?;
            // a file of before the column was there
            if batch.num_columns() == 0 {
                continue;
            }
            known.extend(hasher.rows(batch.columns(), batch.num_rows()).into_iter().flatten());
        }
    }
    Ok(known)
}

/// Why a load whose columns are not those of the folder waits.
fn drifted(dataset: &Dataset, drift: &Drift) -> Option<Vec<Held>> {
    if drift.is_none() {
        return None;
    }
    let known: Vec<&str> = drift.unknown.iter().map(String::as_str).collect();
    let missing = drift.missing.iter().map(|name| {
        let near = crate::folder::did_you_mean(name, known.iter().copied())
            .filter(|said| said.starts_with("did"))
            .map(|said| said.replace("did you mean", "is it now called"));
        let advice = near.unwrap_or_else(|| "ask the source for it, or take it out of `from`".to_owned());
        Held::source(
            "missing",
            &[name],
            format!("the source has no column `{name}` any more; {advice}"),
        )
    });
    let unknown = drift.unknown.iter().map(|name| {
        let why = format!(
            "the source has a column `{name}` that the folder of `{}` does not know; describe it in a `[[column]]`, or \
             put it into `ignore`",
            dataset.id
        );
        Held::source("unknown", &[name], why)
    });
    Some(missing.chain(unknown).collect())
}

/// What a rule found.
struct Found {
    /// Rows, or 1 for the load as a whole.
    count: u64,
    code: &'static str,
    why: String,
    about: Vec<String>,
}

/// The rules that hold a load, with how often they did not hold; and those that warn.
pub(crate) fn judge(
    dataset: &Dataset,
    parts: &[Part],
    counts: &BTreeMap<usize, u64>,
    job: &Job,
    before: Option<u64>,
    after: u64,
    rejected: u64,
) -> (Vec<Held>, BTreeMap<String, u64>) {
    let read: u64 = parts.iter().map(|part| part.read).sum();
    let (mut held, mut warnings) = (Vec::new(), BTreeMap::new());
    for (number, rule) in dataset.quality.iter().enumerate() {
        let found: Option<Found> = match &rule.check {
            Check::Fresh { column, days } => {
                let latest = parts.iter().filter_map(|part| part.latest.get(column)).max();
                let today = i128::from(crate::values::days(civic::legal_day(job.now)));
                let day = latest.map(|latest| match dataset.columns.get(*column).map(|column| &column.kind) {
                    Some(crate::dataset::Kind::Timestamp(_)) => latest.div_euclid(86_400_000_000),
                    _ => *latest,
                });
                match day {
                    Some(day) if today - day <= i128::from(*days) => None,
                    Some(day) => Some(Found {
                        count: 1,
                        code: "fresh",
                        why: format!("its latest day is {} days old, allowed are {days}", today - day),
                        about: vec![(today - day).to_string(), days.to_string()],
                    }),
                    None => Some(Found {
                        count: 1,
                        code: "no_day",
                        why: "it has no day at all".to_owned(),
                        about: Vec::new(),
                    }),
                }
            }
            Check::RowsChange { min, max } => before.filter(|before| *before > 0).and_then(|before| {
                let share = after.saturating_mul(100) / before;
                let least = min.is_some_and(|min| share < u64::from(min));
                let most = max.is_some_and(|max| share > u64::from(max));
                (least || most).then(|| Found {
                    count: 1,
                    code: "rows_change",
                    why: format!("there would be {after} rows where {before} were, {share} per cent"),
                    about: [after, before, share].map(|number| number.to_string()).to_vec(),
                })
            }),
            Check::RejectsAtMost(most) => {
                let over = rejected.saturating_mul(100) > read.saturating_mul(u64::from(*most));
                over.then(|| Found {
                    count: 1,
                    code: "rejects",
                    why: format!("{rejected} of {read} rows were rejected, allowed are {most} per cent"),
                    about: [rejected, read, u64::from(*most)]
                        .map(|number| number.to_string())
                        .to_vec(),
                })
            }
            _ => counts.get(&number).filter(|count| **count > 0).map(|&count| Found {
                count,
                code: "rows",
                why: format!("{count} rows do not keep it"),
                about: vec![count.to_string()],
            }),
        };
        match (found, rule.severity) {
            (Some(found), Severity::Hold) if !job.accepted.contains(&rule.name) => held.push(Held {
                rule: Some(rule.name.clone()),
                why: format!(
                    "the rule `{}` holds the load: {}; look at it, then accept the rule",
                    rule.name, found.why
                ),
                code: found.code.to_owned(),
                about: found.about,
            }),
            (Some(found), _) => {
                warnings.insert(rule.name.clone(), found.count);
            }
            (None, _) => {}
        }
    }
    (held, warnings)
}
