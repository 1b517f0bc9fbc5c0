//! The register of destroyed data keys: a file outside of the database and its backups, to which each destruction is added.
//!
//! A backup holds the data keys of its day, wrapped. Whoever restores it would have keys again that were destroyed since;
//! the register says which, and restoring destroys them anew before anything is read.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use uuid::Uuid;

use crate::StoreError;
use crate::tables::data_key;

/// First line.
const NAME: &str = "tongban destroyed keys 1";
/// Keys of one page and one statement.
const PAGE: u64 = 1_000;
/// Longest reason.
const REASON: usize = 200;

/// A destroyed key: a line with its id, the time in microseconds UTC and the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destroyed {
    /// The key.
    pub id: Uuid,
    /// When.
    pub at: i64,
    /// Why; no personal data.
    pub why: String,
}

/// How many keys were on one side only.
pub(crate) struct Settled {
    pub added: u64,
    pub destroyed_again: u64,
}

/// The file.
#[derive(Clone, Debug)]
pub(crate) struct Register {
    path: PathBuf,
}

fn failed(path: &Path) -> impl Fn(std::io::Error) -> StoreError + '_ {
    move |error| StoreError::Files(format!("register of destroyed keys {}: {error}", path.display()))
}

impl Register {
    pub(crate) fn new(path: PathBuf) -> Register {
        Register { path }
    }

    /// Adds keys; they are on the disk when this returns.
    pub(crate) fn add(&self, keys: &[Destroyed]) -> Result<(), StoreError> {
        let written = || {
            if let Some(folder) = self.path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            let mut options = OpenOptions::new();
            options.create(true).append(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.open(&self.path)?;
            let mut text = String::new();
            if file.metadata()?.len() == 0 {
                text = format!("{NAME}\n");
            }
            for key in keys {
                let why: String = key.why.chars().take(REASON).filter(|c| !c.is_control()).collect();
                text.push_str(&format!("{} {} {why}\n", key.id, key.at));
            }
            // One write of whole lines, so that a crash cuts the last one off and mixes none.
            file.write_all(text.as_bytes())?;
            file.sync_all()
        };
        written().map_err(failed(&self.path))
    }

    /// Brings both sides together. Adds to the file what the database knows to be destroyed and the file does not: a crash
    /// between the commit and the file, or a file that is new. Destroys again what the file knows and the database has
    /// again: somebody put an older state of it in place by hand.
    pub(crate) async fn settle(&self, db: &impl ConnectionTrait) -> Result<Settled, StoreError> {
        let mut known: HashSet<Uuid> = HashSet::new();
        if self.path.exists() {
            for_each(&self.path, |key| {
                known.insert(key.id);
                Ok(())
            })?;
            self.end_line()?;
        }
        if known.is_empty() {
            // One without keys says that none was destroyed, which one that is missing does not.
            self.add(&[])?;
        }
        let (mut last, mut added) = (Uuid::nil(), 0);
        loop {
            let page: Vec<(Uuid, Option<i64>, Option<String>)> = data_key::Entity::find()
                .select_only()
                .columns([
                    data_key::Column::Id,
                    data_key::Column::DestroyedAt,
                    data_key::Column::DestroyedWhy,
                ])
                .filter(data_key::Column::Id.gt(last))
                .filter(data_key::Column::Wrapped.is_null())
                .order_by_asc(data_key::Column::Id)
                .limit(PAGE)
                .into_tuple()
                .all(db)
                .await?;
            let Some((end, ..)) = page.last() else { break };
            last = *end;
            let new: Vec<Destroyed> = page
                .into_iter()
                // What remains of the known ones is not destroyed in the database.
                .filter(|(id, ..)| !known.remove(id))
                .map(|(id, at, why)| Destroyed {
                    id,
                    at: at.unwrap_or_default(),
                    why: why.unwrap_or_default(),
                })
                .collect();
            if !new.is_empty() {
                self.add(&new)?;
                added += new.len() as u64;
            }
        }
        let destroyed_again = match known.is_empty() {
            true => 0,
            false => replay(db, &self.path).await?,
        };
        Ok(Settled { added, destroyed_again })
    }

    /// Ends a line that a crash cut off, so that the next one stands by itself.
    fn end_line(&self) -> Result<(), StoreError> {
        use std::io::{Read as _, Seek as _, SeekFrom};
        let ended = || {
            let mut file = OpenOptions::new().read(true).append(true).open(&self.path)?;
            if file.metadata()?.len() == 0 {
                return Ok(());
            }
            file.seek(SeekFrom::End(-1))?;
            let mut last = [0];
            file.read_exact(&mut last)?;
            if last != *b"\n" {
                file.write_all(b"\n")?;
            }
            Ok(())
        };
        ended().map_err(failed(&self.path))
    }
}

/// Every key of a register. A line that a crash cut off names no key that was told to be destroyed before; it is passed over.
fn for_each(path: &Path, mut each: impl FnMut(Destroyed) -> Result<(), StoreError>) -> Result<(), StoreError> {
    let mut lines = BufReader::new(File::open(path).map_err(failed(path))?).lines();
    match lines.next() {
        Some(Ok(line)) if line == NAME => {}
        None => return Ok(()),
        _ => {
            let why = std::io::Error::other("it does not begin as a register of a known version");
            return Err(failed(path)(why));
        }
    }
    for line in lines {
        if let Some(key) = parse(&line.map_err(failed(path))?) {
            each(key)?;
        }
    }
    Ok(())
}

fn parse(line: &str) -> Option<Destroyed> {
    let mut parts = line.splitn(3, ' ');
    Some(Destroyed {
        id: parts.next()?.parse().ok()?,
        at: parts.next()?.parse().ok()?,
        why: parts.next()?.to_owned(),
    })
}

/// Destroys in `db` what the register names. Gives how many of them the database still had.
///
/// # Errors
/// [`StoreError::Files`]; the database's.
pub(crate) async fn replay(db: &impl ConnectionTrait, path: &Path) -> Result<u64, StoreError> {
    let mut keys = Vec::new();
    for_each(path, |key| {
        keys.push(key);
        Ok(())
    })?;
    let mut gone = 0;
    for key in keys {
        let done = data_key::Entity::update_many()
            .col_expr(data_key::Column::Wrapped, Expr::value(Option::<Vec<u8>>::None))
            .col_expr(data_key::Column::DestroyedAt, Expr::value(key.at))
            .col_expr(data_key::Column::DestroyedWhy, Expr::value(key.why))
            .filter(data_key::Column::Id.eq(key.id))
            .filter(data_key::Column::Wrapped.is_not_null())
            .exec(db)
            .await?;
        gone += done.rows_affected;
    }
    Ok(gone)
}

/// Keys that `db` knows to be destroyed and the register does not: then it is older than this database, or another's.
pub(crate) async fn missing(db: &impl ConnectionTrait, path: &Path) -> Result<u64, StoreError> {
    let mut known = HashSet::new();
    for_each(path, |key| {
        known.insert(key.id);
        Ok(())
    })?;
    let destroyed: Vec<Uuid> = data_key::Entity::find()
        .select_only()
        .column(data_key::Column::Id)
        .filter(data_key::Column::Wrapped.is_null())
        .into_tuple()
        .all(db)
        .await?;
    Ok(destroyed.iter().filter(|id| !known.contains(*id)).count() as u64)
}
