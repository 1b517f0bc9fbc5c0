//! What a backup says of itself, and how files come into it.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{BackupError, failed};

/// Name of the manifest in the backup's folder.
pub(super) const MANIFEST: &str = "manifest.json";
/// Name of the file with the manifest's SHA-256, in hexadecimal.
pub(super) const SEAL: &str = "manifest.sha256";
/// The form of backups this program makes and reads.
pub(super) const FORM: u64 = 1;
/// Largest manifest: some millions of files.
const LARGEST: u64 = 1 << 30;
/// Folders in folders; the store's own go two deep.
const DEPTH: usize = 8;

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Engine::Sqlite => "SQLite",
            Engine::Postgres => "PostgreSQL",
        })
    }
}

impl Engine {
    pub(super) fn of(url: &str) -> Engine {
        if url.starts_with("sqlite:") {
            Engine::Sqlite
        } else {
            Engine::Postgres
        }
    }

    /// Name of the database's file in the backup.
    pub(super) fn file(self) -> &'static str {
        match self {
            Engine::Sqlite => "database.sqlite",
            Engine::Postgres => "database.dump",
        }
    }
}

/// A file of the backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stored {
    /// Bytes.
    pub size: u64,
    /// Hexadecimal.
    pub sha256: String,
}

/// What a backup must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Form of the backup.
    pub form: u64,
    /// When it was made, RFC 3339.
    pub at: String,
    /// Of which database.
    pub engine: Engine,
    /// End of the ledger, `seq:hash`.
    pub head: String,
    /// Root of the ledger's tree, hexadecimal.
    pub root: String,
    /// Rows of each table.
    pub tables: BTreeMap<String, u64>,
    /// Each file by its path.
    pub files: BTreeMap<String, Stored>,
    /// Whether the keys are in it.
    pub keys: bool,
}

/// The form alone: read first, so that a backup of a later program is told as such.
#[derive(Deserialize)]
struct Form {
    form: u64,
}

impl Manifest {
    /// Writes it as the last of the backup.
    pub(super) fn write(&self, folder: &Path) -> Result<(), BackupError> {
        let text = serde_json::to_string_pretty(self).map_err(|error| BackupError::Manifest(error.to_string()))?;
        let seal = format!("{}\n", hex::encode(Sha256::digest(&text)));
        for (name, text) in [(SEAL, seal), (MANIFEST, text)] {
            let path = folder.join(name);
            let mut file = File::create(&path).map_err(failed(&path))?;
            file.write_all(text.as_bytes())
                .and_then(|()| file.sync_all())
                .map_err(failed(&path))?;
        }
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(failed(folder))
    }

    /// Reads it and checks its form and digest.
    pub(super) fn read(folder: &Path) -> Result<Manifest, BackupError> {
        let path = folder.join(MANIFEST);
        let size = match std::fs::metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(BackupError::Unfinished(folder.to_owned()));
            }
            other => other.map_err(failed(&path))?.len(),
        };
        if size > LARGEST {
            return Err(BackupError::Manifest(format!("it has more than {LARGEST} bytes")));
        }
        let text = std::fs::read(&path).map_err(failed(&path))?;
        let path = folder.join(SEAL);
        let seal = std::fs::read_to_string(&path).map_err(|_| BackupError::Missing(SEAL.to_owned()))?;
        if seal.trim() != hex::encode(Sha256::digest(&text)) {
            return Err(BackupError::Changed(MANIFEST.to_owned()));
        }
        let wrong = |error: serde_json::Error| BackupError::Manifest(error.to_string());
        let Form { form } = serde_json::from_slice(&text).map_err(wrong)?;
        if form != FORM {
            return Err(BackupError::Form {
                found: form,
                known: FORM,
            });
        }
        let manifest: Manifest = serde_json::from_slice(&text).map_err(wrong)?;
        match manifest.files.keys().find(|name| !is_inside(name)) {
            Some(name) => Err(BackupError::Manifest(format!(
                "`{name}` is not a path inside the backup"
            ))),
            None => Ok(manifest),
        }
    }
}

/// Whether a path of the manifest stays in the folder it is put below.
fn is_inside(name: &str) -> bool {
    !name.is_empty()
        && Path::new(name)
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
}

/// The files below a folder by their relative path, with `/`. Files that are still being written are left out.
pub(super) fn files_below(root: &Path) -> Result<Vec<String>, BackupError> {
    let mut found = Vec::new();
    let mut folders: Vec<(PathBuf, String, usize)> = vec![(root.to_owned(), String::new(), 0)];
    while let Some((folder, prefix, depth)) = folders.pop() {
        let entries = match std::fs::read_dir(&folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            other => other.map_err(failed(&folder))?,
        };
        for entry in entries {
            let entry = entry.map_err(failed(&folder))?;
            let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
                continue;
            };
            // The object store writes under a name with `#` and renames it when it is whole.
            if name.contains('#') {
                continue;
            }
            let kind = entry.file_type().map_err(failed(&folder))?;
            if kind.is_dir() && depth < DEPTH {
                folders.push((entry.path(), format!("{prefix}{name}/"), depth + 1));
            } else if kind.is_file() {
                found.push(format!("{prefix}{name}"));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Reads a file to its end, piece by piece, and writes it to `to` where that is given, flushed to the disk.
pub(super) fn digest(from: &Path, to: Option<&Path>) -> Result<Stored, BackupError> {
    let mut file = File::open(from).map_err(failed(from))?;
    let mut copy = match to {
        Some(to) => {
            if let Some(folder) = to.parent() {
                std::fs::create_dir_all(folder).map_err(failed(folder))?;
            }
            let mut options = std::fs::OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            Some((to, options.open(to).map_err(failed(to))?))
        }
        None => None,
    };
    let (mut hash, mut size, mut piece) = (Sha256::new(), 0, vec![0; 1 << 20]);
    loop {
        let read = file.read(&mut piece).map_err(failed(from))?;
        let piece = piece.get(..read).unwrap_or_default();
        if piece.is_empty() {
            break;
        }
        hash.update(piece);
        size += piece.len() as u64;
        if let Some((to, copy)) = &mut copy {
            copy.write_all(piece).map_err(failed(to))?;
        }
    }
    if let Some((to, copy)) = &copy {
        copy.sync_all().map_err(failed(to))?;
    }
    Ok(Stored {
        size,
        sha256: hex::encode(hash.finalize()),
    })
}
