//! Verifying a backup by reading it whole.

use std::path::Path;

use super::create::{Taken, look};
use super::manifest::{Engine, MANIFEST, Manifest, SEAL, digest, files_below};
use super::{BackupError, aside, postgres};
use crate::engine;
use crate::ledger::{Fault, Head, Published};

/// Reads every byte of a backup: each file must be what the manifest says and nothing else may be there. A database of
/// SQLite is opened as well: its pages, the rows of each table, and the ledger from its first entry to the root. A dump of
/// PostgreSQL is read by `pg_restore`; its rows and ledger are compared when it is restored.
///
/// # Errors
/// [`BackupError`] with the first thing found.
pub async fn verify(folder: &Path) -> Result<Manifest, BackupError> {
    let of = folder.to_owned();
    let manifest = aside(move || whole(&of)).await?;
    let database = folder.join(manifest.engine.file());
    match manifest.engine {
        Engine::Sqlite => {
            let db = engine::snapshot(&database);
            let sound = async {
                if let Some(why) = engine::broken_page(&db).await? {
                    return Err(BackupError::Manifest(format!("the database is damaged: {why}")));
                }
                compare(&manifest, &look(&db).await?)
            };
            let sound = sound.await;
            db.close().await?;
            sound?;
        }
        Engine::Postgres => postgres::list(&database).await?,
    }
    Ok(manifest)
}

fn whole(folder: &Path) -> Result<Manifest, BackupError> {
    let manifest = Manifest::read(folder)?;
    let there = files_below(folder)?;
    let known = |name: &&String| ![MANIFEST, SEAL].contains(&name.as_str()) && !manifest.files.contains_key(*name);
    if let Some(stranger) = there.iter().find(known) {
        return Err(BackupError::Stranger(stranger.clone()));
    }
    for (name, stated) in &manifest.files {
        let found = match digest(&folder.join(name), None) {
            Err(BackupError::File { why, .. }) if why.kind() == std::io::ErrorKind::NotFound => {
                return Err(BackupError::Missing(name.clone()));
            }
            other => other?,
        };
        if found != *stated {
            return Err(BackupError::Changed(name.clone()));
        }
    }
    match manifest.files.contains_key(manifest.engine.file()) {
        true => Ok(manifest),
        false => Err(BackupError::Missing(manifest.engine.file().to_owned())),
    }
}

/// Whether a database is what the manifest says: the rows of each table, the end and the root of the ledger.
pub(super) fn compare(manifest: &Manifest, found: &Taken) -> Result<(), BackupError> {
    let tables = manifest.tables.keys().chain(found.tables.keys());
    for table in tables {
        let rows = |tables: &std::collections::BTreeMap<String, u64>| tables.get(table).copied().unwrap_or(0);
        let (stated, found) = (rows(&manifest.tables), rows(&found.tables));
        if stated != found {
            return Err(BackupError::Rows {
                table: table.clone(),
                stated,
                found,
            });
        }
    }
    let Published { head, root } = stated(manifest)?;
    if head != found.verified.head || root != Some(found.verified.root) {
        return Err(crate::StoreError::from(Fault::Rewritten(head.seq)).into());
    }
    Ok(())
}

fn stated(manifest: &Manifest) -> Result<Published, BackupError> {
    let head: Head = manifest.head.parse().map_err(BackupError::Manifest)?;
    let root = hex::decode(&manifest.root).ok().and_then(|root| root.try_into().ok());
    match root {
        Some(root) => Ok(Published { head, root: Some(root) }),
        None => Err(BackupError::Manifest("its root is not 32 bytes in hexadecimal".into())),
    }
}
