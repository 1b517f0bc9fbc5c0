//! Files that arrive: `inbox/<dataset>` of the work folder takes them, the oldest is brought in first and deleted once it is
//! published. One that is held keeps those behind it waiting, since they may build on it, until the steward has decided.
//!
//! Who writes a file gives it a name that begins with a point and renames it when it is whole.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use hub::{Held, HubError, Outcome};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Datasets, Holding, Unusable};

/// A file that was not published, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Name of the file.
    pub file: String,
    /// When it was tried.
    pub at: Timestamp,
    /// Why it waits. Without a rule the folder or the source must be put right first.
    pub why: Vec<Held>,
    /// Digest of the folder it was tried by: with another it is tried again.
    folder: String,
    /// Rules that the steward has accepted for it.
    accepted: BTreeSet<String>,
    /// Whether the steward wants it tried again.
    again: bool,
}

/// What the steward decides of a file that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The rules that hold it were looked at; it is brought in all the same.
    Accept,
    /// It is tried again, after the folder or a dataset it refers to was put right.
    Again,
    /// It is deleted without being brought in.
    Discard,
}

impl Datasets {
    fn inbox(&self, id: &str) -> PathBuf {
        self.work.join("inbox").join(id)
    }

    fn note(&self, id: &str) -> PathBuf {
        self.work.join("waiting").join(format!("{id}.json"))
    }

    /// The files of a dataset, the oldest first.
    pub(super) fn files(&self, id: &str) -> Result<Vec<String>, HubError> {
        let inbox = self.inbox(id);
        let entries = match fs::read_dir(&inbox) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(file(&inbox, error)),
        };
        let mut files = Vec::new();
        for entry in entries.flatten() {
            let (name, meta) = (entry.file_name().into_string(), entry.metadata());
            if let (Ok(name), Ok(meta)) = (name, meta)
                && meta.is_file()
                && !name.starts_with('.')
            {
                files.push((meta.modified().ok(), name));
            }
        }
        files.sort();
        Ok(files.into_iter().map(|(_, name)| name).collect())
    }

    /// The file of a dataset that waits for its steward.
    pub(super) fn waiting(&self, id: &str) -> Result<Option<Waiting>, HubError> {
        let path = self.note(id);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(file(&path, error)),
        };
        let waiting: Waiting = serde_json::from_slice(&text).map_err(|error| file(&path, error.into()))?;
        // the file may have been taken away by hand
        let there = self.files(id)?.contains(&waiting.file);
        Ok(there.then_some(waiting))
    }

    fn keep(&self, id: &str, waiting: Option<&Waiting>) -> Result<(), HubError> {
        let path = self.note(id);
        let Some(waiting) = waiting else {
            return match fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(file(&path, error)),
                _ => Ok(()),
            };
        };
        let folder = self.work.join("waiting");
        fs::create_dir_all(&folder).map_err(|error| file(&folder, error))?;
        let text = serde_json::to_vec(waiting).map_err(|error| file(&path, error.into()))?;
        let half = path.with_extension("half");
        fs::write(&half, text).map_err(|error| file(&half, error))?;
        fs::rename(&half, &path).map_err(|error| file(&path, error))
    }

    /// Notes what the steward decides of the file that waits; nothing where it is another by now.
    pub(super) fn decide(&self, id: &str, name: &str, decision: Decision) -> Result<bool, HubError> {
        let Some(mut waiting) = self.waiting(id)?.filter(|waiting| waiting.file == name) else {
            return Ok(false);
        };
        match decision {
            Decision::Accept => {
                let rules = waiting.why.iter().filter_map(|held| held.rule.clone());
                waiting.accepted.extend(rules);
                waiting.again = true;
                self.keep(id, Some(&waiting))?;
            }
            Decision::Again => {
                waiting.again = true;
                self.keep(id, Some(&waiting))?;
            }
            Decision::Discard => {
                let path = self.inbox(id).join(&waiting.file);
                fs::remove_file(&path).map_err(|error| file(&path, error))?;
                self.keep(id, None)?;
            }
        }
        Ok(true)
    }

    /// Brings in what has arrived. Answers what went wrong on our side; what waits for a steward is none of it.
    pub async fn bring_in(&self, now: Timestamp) -> Vec<Unusable> {
        let mut unusable = Vec::new();
        for (id, holding) in &self.held {
            if let Err(why) = self.bring_in_of(id, holding, now).await {
                unusable.push(Unusable { id: id.clone(), why });
            }
        }
        unusable
    }

    async fn bring_in_of(&self, id: &str, holding: &Holding, now: Timestamp) -> Result<(), HubError> {
        for name in self.files(id)? {
            let before = self.waiting(id)?.filter(|waiting| waiting.file == name);
            let decided = |waiting: &Waiting| waiting.again || waiting.folder != holding.dataset.digest;
            if before.as_ref().is_some_and(|waiting| !decided(waiting)) {
                break;
            }
            let accepted = before.map(|waiting| waiting.accepted).unwrap_or_default();
            let mut job = self.job(holding, now);
            job.accepted.clone_from(&accepted);
            let path = self.inbox(id).join(&name);
            let why = match hub::ingest(&self.lake, &holding.dataset, &path, &job).await {
                Ok(report) => match report.outcome {
                    Outcome::Published(_) | Outcome::AlreadyPublished => Vec::new(),
                    Outcome::Held(why) => why,
                },
                // the file is not what the folder says it is
                Err(error @ HubError::Source { .. }) => vec![Held::source("source", &[], error.to_string())],
                // the command of the hub, or another process, is at it
                Err(HubError::Busy(_) | HubError::Overtaken(_)) => break,
                Err(error) => return Err(error),
            };
            if why.is_empty() {
                fs::remove_file(&path).map_err(|error| file(&path, error))?;
                self.keep(id, None)?;
                continue;
            }
            let waiting = Waiting {
                file: name,
                at: now,
                why,
                folder: holding.dataset.digest.clone(),
                accepted,
                again: false,
            };
            self.keep(id, Some(&waiting))?;
            break;
        }
        Ok(())
    }
}

fn file(path: &Path, error: std::io::Error) -> HubError {
    HubError::File {
        path: path.to_path_buf(),
        error,
    }
}
