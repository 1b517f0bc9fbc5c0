//! Publishing: a checkpoint is signed only over a ledger that was verified from its first entry and that goes on from every
//! checkpoint published before.

use std::path::Path;

use super::checkpoint::{Checkpoint, SigningKey, VerifyingKey};
use super::verify::{Published, Walk, links, words};
use super::{Fault, Verified};
use crate::{Store, StoreError};

/// What the names of published checkpoints end in.
const ENDING: &str = "checkpoint";
/// Most checkpoints of a folder: one an hour for more than a century.
const MOST: usize = 1_000_000;

fn failed(path: &Path) -> impl Fn(std::io::Error) -> StoreError + '_ {
    move |error| StoreError::Files(format!("{}: {error}", path.display()))
}

/// The checkpoints in a folder, in order, each with a valid signature.
///
/// # Errors
/// [`StoreError::Files`]; [`Fault::Checkpoint`] with the file's name.
pub fn published(folder: &Path, key: &VerifyingKey) -> Result<Vec<Checkpoint>, StoreError> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(failed(folder))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed(folder))?.path();
        if path.extension().is_none_or(|ending| ending != ENDING) {
            continue;
        }
        if found.len() == MOST {
            return Err(StoreError::Files(format!(
                "{}: more than {MOST} checkpoints",
                folder.display()
            )));
        }
        let note = std::fs::read_to_string(&path).map_err(failed(&path))?;
        let checkpoint = Checkpoint::open(&note, key).map_err(|fault| match fault {
            Fault::Checkpoint(why) => Fault::Checkpoint(format!("{}: {why}", path.display())),
            other => other,
        })?;
        found.push(checkpoint);
    }
    found.sort_by_key(|checkpoint| checkpoint.head.seq);
    Ok(found)
}

/// Publishes the ledger again and again, and reads each time only what is new.
pub struct Publisher {
    walk: Walk,
    last_word: i64,
}

impl Publisher {
    /// A publisher of a ledger of which this was published before.
    #[must_use]
    pub fn new(published: &[Checkpoint]) -> Publisher {
        let published: Vec<Published> = published.iter().map(Published::from).collect();
        Publisher {
            walk: Walk::new(&published),
            last_word: i64::MIN,
        }
    }

    /// Verifies what came since the last time, signs the end of it and writes it into `folder`, with the key that others
    /// verify it by in the file `key`. Gives nothing where nothing came since what was published.
    ///
    /// # Errors
    /// [`StoreError::Ledger`] when the ledger doesn't hold, or doesn't go on from what was published: nothing is signed;
    /// [`StoreError::Files`]; the database's. After an error begin with a new publisher.
    pub async fn publish(
        &mut self,
        store: &Store,
        key: &SigningKey,
        folder: &Path,
    ) -> Result<Option<Checkpoint>, StoreError> {
        let Publisher { walk, last_word } = self;
        let end = super::head(store.read()).await?;
        *last_word = words(store.read(), *last_word, |id, text| {
            walk.digests.insert(id, text);
            Ok(())
        })
        .await?;
        links(store.read(), walk.head, end, |link| Ok(walk.step(&link)?)).await?;
        let Verified { head, root, .. } = walk.finish()?;
        let checkpoint = Checkpoint {
            origin: key.name().to_owned(),
            head,
            root,
            at: store.now(),
        };
        let path = folder.join(format!("{:016}.{ENDING}", head.seq));
        if path.exists() {
            return Ok(None);
        }
        std::fs::create_dir_all(folder).map_err(failed(folder))?;
        write(&folder.join("key"), &format!("{}\n", key.public()))?;
        write(&path, &checkpoint.sign(key))?;
        std::fs::File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(failed(folder))?;
        Ok(Some(checkpoint))
    }
}

/// Writes a file that is there whole or not at all.
fn write(path: &Path, text: &str) -> Result<(), StoreError> {
    let half = path.with_extension("half");
    let written = || {
        let mut file = std::fs::File::create(&half)?;
        std::io::Write::write_all(&mut file, text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&half, path)
    };
    written().map_err(failed(path))
}
