//! Staging: the source becomes validated parts on disk, each noted in a journal when it is whole. A load that was cut off
//! goes on behind the parts whose files are as they were noted.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};

use crate::error::HubError;
use crate::file::{self, Crypt};
use crate::keys;
use crate::rejects::{Reject, RejectsFile};
use crate::source::{self, Batch, Collector, Drift};
use crate::stats::Stats;
use crate::validate::{Validated, Validator};

/// How much is done at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Most rows of a part.
    pub part_rows: usize,
    /// Bytes of cells after which a part ends.
    pub part_bytes: usize,
    /// Threads that validate and write, beside the one that reads.
    pub threads: usize,
}

impl Default for Sizes {
    /// Parts of 262,144 rows or 64 MiB on two threads: some 600 MiB of memory, whatever the length of the source.
    fn default() -> Sizes {
        Sizes {
            part_rows: 1 << 18,
            part_bytes: 64 << 20,
            threads: 2,
        }
    }
}

/// How far a load is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Rows read so far, rejected ones too.
    pub read: u64,
    /// Rows rejected so far.
    pub rejected: u64,
    /// Parts that are on disk.
    pub parts: u32,
}

/// A part that is on disk.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Part {
    pub number: u32,
    pub digest: String,
    pub bytes: u64,
    pub read: u64,
    pub rows: u64,
    pub rejects: u64,
    pub rejects_digest: String,
    /// Digests of the runs of keys.
    pub runs: Vec<String>,
    pub counts: BTreeMap<usize, u64>,
    pub latest: BTreeMap<usize, i128>,
    /// Rejects by column and word.
    pub reasons: BTreeMap<String, u64>,
    pub stats: Stats,
}

/// The folder of one load.
pub(crate) struct Staging {
    folder: PathBuf,
}

impl Staging {
    /// The folder of a load, with what an earlier try left there.
    pub fn open(within: &Path, load: &str) -> Result<Staging, HubError> {
        let folder = within.join(load);
        fs::create_dir_all(&folder).map_err(HubError::file(&folder))?;
        Ok(Staging { folder })
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn part(&self, number: u32) -> PathBuf {
        self.folder.join(format!("part-{number:05}.parquet"))
    }

    pub fn rejects(&self, number: u32) -> PathBuf {
        self.folder.join(format!("rejects-{number:05}.parquet"))
    }

    pub fn run(&self, set: usize, number: u32) -> PathBuf {
        self.folder.join(format!("keys-{set}-{number:05}.run"))
    }

    fn journal(&self) -> PathBuf {
        self.folder.join("journal.jsonl")
    }

    /// Removes the folder. What can't be removed is removed by the next load of another source.
    pub fn remove(self) {
        let _ = fs::remove_dir_all(&self.folder);
    }

    /// The parts that an earlier try left whole.
    fn whole(&self, sizes: &Sizes) -> BTreeMap<u32, Part> {
        let Ok(journal) = File::open(self.journal()) else {
            return BTreeMap::new();
        };
        let mut lines = BufReader::new(journal).lines().map_while(Result::ok);
        if lines.next() != Some(heading(sizes)) {
            return BTreeMap::new();
        }
        // a line that was cut off is no line
        let noted = lines.filter_map(|line| serde_json::from_str::<Part>(&line).ok());
        let same = |path: PathBuf, digest: &str| file::digest(&path).is_some_and(|found| found == digest);
        noted
            .filter(|part| {
                let mut runs = part.runs.iter().enumerate();
                same(self.part(part.number), &part.digest)
                    && same(self.rejects(part.number), &part.rejects_digest)
                    && runs.all(|(set, digest)| same(self.run(set, part.number), digest))
            })
            .map(|part| (part.number, part))
            .collect()
    }
}

/// Removes what loads of other sources left behind, which nobody goes on with any more.
pub(crate) fn clear(folder: &Path, load: &str) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if entry.file_name() != load && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Parts cut in another way are other parts.
fn heading(sizes: &Sizes) -> String {
    format!("parts of {} rows or {} bytes", sizes.part_rows, sizes.part_bytes)
}

/// What staging gives.
pub(crate) struct Staged {
    pub parts: Vec<Part>,
    pub drift: Drift,
}

/// Reads and validates a source into parts.
pub(crate) fn stage(
    validator: &Validator,
    crypt: &Crypt,
    path: &Path,
    staging: &Staging,
    sizes: &Sizes,
    follow: &(dyn Fn(Progress) -> bool + Sync),
) -> Result<Staged, HubError> {
    // what was held against the values of another dataset then says nothing of its values now
    let mut done = match validator.foreign.is_empty() {
        true => staging.whole(sizes),
        false => BTreeMap::new(),
    };
    let journal = Mutex::new(begin(staging, sizes, done.values())?);
    let failed = AtomicBool::new(false);
    let found: Mutex<(Vec<Part>, Option<HubError>)> = Mutex::default();
    let progress = Mutex::new(Progress::default());
    let (sender, receiver) = sync_channel::<Batch>(1);
    let receiver = Arc::new(Mutex::new(receiver));
    let note = |part: Part| {
        let now = {
            let mut now = progress.lock().unwrap_or_else(|held| held.into_inner());
            now.read += part.read;
            now.rejected += part.rejects;
            now.parts += 1;
            *now
        };
        found.lock().unwrap_or_else(|held| held.into_inner()).0.push(part);
        follow(now)
    };
    let fail = |error: HubError| {
        failed.store(true, Ordering::Relaxed);
        found
            .lock()
            .unwrap_or_else(|held| held.into_inner())
            .1
            .get_or_insert(error);
    };
    let drift = std::thread::scope(|scope| {
        for _ in 0..sizes.threads.max(1) {
            // each has its own share, so that the reader is not kept waiting when all of them have ended
            let receiver = Arc::clone(&receiver);
            let (failed, journal, note, fail) = (&failed, &journal, &note, &fail);
            scope.spawn(move || {
                loop {
                    let next = receiver.lock().unwrap_or_else(|held| held.into_inner()).recv();
                    let Ok(batch) = next else { return };
                    if failed.load(Ordering::Relaxed) {
                        // what waits is thrown away, so that the reader is not kept waiting
                        continue;
                    }
                    let written = validator
                        .batch(&batch)
                        .and_then(|validated| write(validator, crypt, staging, &batch, validated))
                        .and_then(|part| {
                            append(journal, staging, &part)?;
                            Ok(part)
                        });
                    match written.map(note) {
                        Ok(true) => {}
                        Ok(false) => fail(HubError::Stopped),
                        Err(error) => fail(error),
                    }
                }
            });
        }
        drop(receiver);
        let mut emit = |batch: Batch| {
            if failed.load(Ordering::Relaxed) {
                return Err(HubError::Stopped);
            }
            if let Some(part) = done.remove(&batch.number) {
                return if note(part) { Ok(()) } else { Err(HubError::Stopped) };
            }
            sender.send(batch).map_err(|_| HubError::Stopped)
        };
        let collector = Collector::new(sizes.part_rows, sizes.part_bytes, &mut emit);
        let drift = source::read(&validator.dataset, path, collector);
        drop(sender);
        drift
    });
    let (mut parts, error) = found.into_inner().unwrap_or_else(|held| held.into_inner());
    if let Some(error) = error {
        return Err(error);
    }
    parts.sort_by_key(|part| part.number);
    Ok(Staged { parts, drift: drift? })
}

/// Begins the journal with the parts that are whole.
fn begin<'a>(staging: &Staging, sizes: &Sizes, whole: impl Iterator<Item = &'a Part>) -> Result<File, HubError> {
    let path = staging.journal();
    let next = path.with_extension("next");
    let mut text = heading(sizes) + "\n";
    for part in whole {
        text.push_str(&line(part)?);
    }
    fs::write(&next, text).map_err(HubError::file(&next))?;
    fs::rename(&next, &path).map_err(HubError::file(&path))?;
    OpenOptions::new()
        .append(true)
        .open(&path)
        .map_err(HubError::file(&path))
}

fn line(part: &Part) -> Result<String, HubError> {
    let text = serde_json::to_string(part).map_err(|error| HubError::source(error.to_string()))?;
    Ok(text + "\n")
}

fn append(journal: &Mutex<File>, staging: &Staging, part: &Part) -> Result<(), HubError> {
    let line = line(part)?;
    let path = staging.journal();
    let mut journal = journal.lock().unwrap_or_else(|held| held.into_inner());
    journal.write_all(line.as_bytes()).map_err(HubError::file(&path))?;
    journal.sync_data().map_err(HubError::file(&path))
}

/// Writes a part with its rejects and runs.
pub(crate) fn write(
    validator: &Validator,
    crypt: &Crypt,
    staging: &Staging,
    batch: &Batch,
    validated: Validated,
) -> Result<Part, HubError> {
    let number = batch.number;
    let mut out = crypt.create(&staging.part(number), validator.dataset.schema())?;
    out.write(&validated.rows)?;
    let written = out.close()?;
    let mut rejects = RejectsFile::create(crypt, &staging.rejects(number))?;
    rejects.write(&validated.rejects)?;
    let rejects = rejects.close()?;
    let mut runs = Vec::new();
    for (set, records) in validated.records.into_iter().enumerate() {
        let path = staging.run(set, number);
        keys::write(&path, records)?;
        runs.push(file::digest(&path).unwrap_or_default());
    }
    let count = |of: usize| u64::try_from(of).unwrap_or(u64::MAX);
    Ok(Part {
        number,
        digest: written.digest,
        bytes: written.bytes,
        read: count(batch.places.len() + batch.broken.len()),
        rows: count(validated.rows.num_rows()),
        rejects: count(validated.rejects.len()),
        rejects_digest: rejects.digest,
        runs,
        counts: validated.counts,
        latest: validated.latest,
        reasons: reasons(&validated.rejects),
        stats: Stats::of(&validator.dataset, &validated.rows),
    })
}

/// How often each problem stands in some rejects, by `column: word`, or by the name of the rule as ``rule `name` ``.
pub(crate) fn reasons(rejects: &[Reject]) -> BTreeMap<String, u64> {
    let mut counted = BTreeMap::new();
    for reason in rejects.iter().flat_map(|reject| &reject.reasons) {
        let key = match (reason.column.as_str(), &reason.rule) {
            ("", Some(rule)) if reason.code == "rule" => format!("rule `{rule}`"),
            ("", _) => reason.code.clone(),
            (column, _) => format!("{column}: {}", reason.code),
        };
        *counted.entry(key).or_default() += 1;
    }
    counted
}
