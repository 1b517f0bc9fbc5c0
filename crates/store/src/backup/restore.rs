//! Restoring a backup into an empty place.

use std::path::{Path, PathBuf};

use sea_orm::TransactionTrait as _;

use super::create::look;
use super::manifest::{Engine, Manifest, digest};
use super::{BackupError, aside, failed, is_empty, postgres, verify};
use crate::engine;
use crate::seal::destroyed;

/// Where a backup is restored to.
#[derive(Clone, Debug)]
pub struct Target {
    /// Address of the database: an SQLite file that is not there, or an empty database of PostgreSQL.
    pub url: String,
    /// Folder of the sealed files, empty or not there.
    pub files: PathBuf,
    /// Files of the keys by their name in the backup. Each is there already, or comes from the backup.
    pub keys: Vec<(&'static str, PathBuf)>,
    /// The newest copy of the register of destroyed keys.
    pub register: PathBuf,
}

/// What was restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// What the backup said, and the restored database was found to be.
    pub manifest: Manifest,
    /// Keys that were destroyed after the backup was made and are destroyed again.
    pub destroyed_again: u64,
}

/// Verifies a backup, restores it, compares rows and ledger with the manifest, and destroys again the data keys that were
/// destroyed since it was made. On SQLite the database gets its name last: a restore that was cut off leaves none.
///
/// # Errors
/// [`BackupError`]; refused before anything is written where the target is not empty, or a key or the register is missing.
pub async fn restore(folder: &Path, target: &Target) -> Result<Restored, BackupError> {
    let manifest = verify(folder).await?;
    let wanted = Engine::of(&target.url);
    if manifest.engine != wanted {
        return Err(BackupError::OtherEngine {
            found: manifest.engine,
            wanted,
        });
    }
    if !is_empty(&target.files)? {
        return Err(BackupError::NotEmpty(target.files.display().to_string()));
    }
    if !target.register.exists() {
        return Err(BackupError::NoRegister(target.register.clone()));
    }
    for (name, path) in &target.keys {
        if !path.exists() && !manifest.files.contains_key(&format!("keys/{name}")) {
            return Err(BackupError::NoKey(path.clone()));
        }
    }
    let database = folder.join(wanted.file());
    let destroyed_again = match wanted {
        Engine::Sqlite => {
            let path = engine::sqlite_file(&target.url)?;
            let half = with_ending(&path, "restoring");
            for path in [&path, &half, &with_ending(&path, "wal")] {
                if path.exists() {
                    return Err(BackupError::NotEmpty(path.display().to_string()));
                }
            }
            let to = half.clone();
            aside(move || digest(&database, Some(&to))).await?;
            let again = settle(&format!("sqlite://{}", half.display()), &manifest, &target.register).await?;
            files(folder, target, &manifest).await?;
            std::fs::rename(&half, &path).map_err(failed(&path))?;
            again
        }
        Engine::Postgres => {
            postgres::restore(&target.url, &database).await?;
            let again = settle(&target.url, &manifest, &target.register).await?;
            files(folder, target, &manifest).await?;
            again
        }
    };
    Ok(Restored {
        manifest,
        destroyed_again,
    })
}

/// The path with `-ending` behind its name, as SQLite names the files beside a database.
fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!("-{ending}"));
    name.into()
}

/// Compares the restored database and destroys in it what was destroyed since.
async fn settle(url: &str, manifest: &Manifest, register: &Path) -> Result<u64, BackupError> {
    let connections = engine::connect(url).await?;
    let done = async {
        super::verify::compare(manifest, &look(&connections.write).await?)?;
        let missing = destroyed::missing(&connections.write, register).await?;
        if missing > 0 {
            return Err(BackupError::StaleRegister {
                path: register.to_owned(),
                missing,
            });
        }
        let tx = connections.write.begin().await?;
        let again = destroyed::replay(&tx, register).await?;
        tx.commit().await?;
        Ok(again)
    };
    let done = done.await;
    connections.read.close().await?;
    connections.write.close().await?;
    done
}

/// The sealed files, and the keys where the target has none. What was written when it fails stays, and is emptied by hand.
async fn files(folder: &Path, target: &Target, manifest: &Manifest) -> Result<(), BackupError> {
    let (folder, target) = (folder.to_owned(), target.clone());
    let stored = manifest.files.clone();
    aside(move || {
        for (name, stated) in &stored {
            let to = match name.split_once('/') {
                Some(("files", below)) => target.files.join(below),
                Some(("keys", key)) => match target.keys.iter().find(|(name, path)| *name == key && !path.exists()) {
                    Some((_, path)) => path.clone(),
                    None => continue,
                },
                _ => continue,
            };
            if digest(&folder.join(name), Some(&to))? != *stated {
                return Err(BackupError::Changed(name.clone()));
            }
        }
        std::fs::create_dir_all(&target.files).map_err(failed(&target.files))
    })
    .await
}
