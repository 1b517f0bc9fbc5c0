//! Making a backup while the platform works.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::manifest::{Engine, FORM, Manifest, Stored, digest, files_below};
use super::{BackupError, aside, failed, is_empty, postgres};
use crate::engine;
use crate::ledger::{self, Verified};

/// The database as it was taken.
pub(super) struct Taken {
    pub verified: Verified,
    pub tables: BTreeMap<String, u64>,
}

/// Makes a backup of the database `url` and the files below `files` in the empty folder `out`. `keys` go into it under
/// `keys/` with the names given; pass none unless the backup is kept as safe as the keys themselves.
///
/// # Errors
/// [`BackupError`]. What was written stays without a manifest and verifies as unfinished. A ledger that doesn't hold is
/// not backed up over a good backup's place: the error names the entry.
pub async fn create(
    url: &str,
    files: &Path,
    keys: &[(&'static str, PathBuf)],
    out: &Path,
    at: Timestamp,
) -> Result<Manifest, BackupError> {
    if !is_empty(out)? {
        return Err(BackupError::NotEmpty(out.display().to_string()));
    }
    std::fs::create_dir_all(out).map_err(failed(out))?;
    #[cfg(unix)]
    std::fs::set_permissions(out, std::os::unix::fs::PermissionsExt::from_mode(0o700)).map_err(failed(out))?;
    let engine = Engine::of(url);
    let database = out.join(engine.file());
    let taken = match engine {
        Engine::Sqlite => sqlite(url, &database).await?,
        Engine::Postgres => postgres::dump(url, &database).await?,
    };
    let (from, to, keys) = (files.to_owned(), out.to_owned(), keys.to_vec());
    let with_keys = !keys.is_empty();
    let stored = aside(move || copy(&from, &to, engine, &keys)).await?;
    let manifest = Manifest {
        form: FORM,
        at: at.to_string(),
        engine,
        head: taken.verified.head.to_string(),
        root: hex::encode(taken.verified.root),
        tables: taken.tables,
        files: stored,
        keys: with_keys,
    };
    manifest.write(out)?;
    Ok(manifest)
}

async fn sqlite(url: &str, to: &Path) -> Result<Taken, BackupError> {
    engine::vacuum_into(url, to).await?;
    let db = engine::snapshot(to);
    let taken = look(&db).await;
    db.close().await?;
    taken
}

/// What is in a database now.
pub(super) async fn look(db: &impl sea_orm::ConnectionTrait) -> Result<Taken, BackupError> {
    Ok(Taken {
        verified: ledger::verify_on(db, &[]).await?,
        tables: engine::rows(db).await?,
    })
}

fn copy(
    files: &Path,
    out: &Path,
    engine: Engine,
    keys: &[(&'static str, PathBuf)],
) -> Result<BTreeMap<String, Stored>, BackupError> {
    let mut stored = BTreeMap::new();
    let name = engine.file();
    let database = out.join(name);
    std::fs::File::open(&database)
        .and_then(|file| file.sync_all())
        .map_err(failed(&database))?;
    stored.insert(name.to_owned(), digest(&database, None)?);
    for below in files_below(files)? {
        let name = format!("files/{below}");
        match digest(&files.join(&below), Some(&out.join(&name))) {
            // Deleted since, with the data it belonged to.
            Err(BackupError::File { path, why })
                if why.kind() == std::io::ErrorKind::NotFound && path.starts_with(files) => {}
            other => {
                stored.insert(name, other?);
            }
        }
    }
    for (key, path) in keys {
        let name = format!("keys/{key}");
        stored.insert(name.clone(), digest(path, Some(&out.join(&name)))?);
    }
    Ok(stored)
}
