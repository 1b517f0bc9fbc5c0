//! Checks a whole log offline: the chain of lines, the timestamps over their batches, the chain of archives.

use super::LogError;
use super::archive;
use super::chain;
use super::merkle::{Hash, batch_manifest, batch_text, leaf, root};
use super::record::{Entry, Stamp};
use std::path::Path;

/// What was found sound.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Verified {
    /// Records.
    pub records: u64,
    /// Timestamps.
    pub timestamps: u64,
    /// Records no timestamp covers yet.
    pub unstamped: u64,
    /// Archives.
    pub archives: u64,
    /// Sequence number of the last line.
    pub seq: u64,
    /// Its hash.
    pub head: String,
}

/// Checks the log in a folder. `token` checks a timestamp: the token (DER) and the bytes it must cover. `anchor` is a number
/// and hash noted earlier by an outside keeper; the line of that number must still be there, or in an archive, and unchanged.
///
/// # Errors
/// [`LogError`]
pub fn verify(
    folder: &Path,
    token: &dyn Fn(&Stamp, &[u8]) -> bool,
    anchor: Option<(u64, &str)>,
) -> Result<Verified, LogError> {
    let archives = archive::check(folder)?;
    let mut head = archive::start(folder)?;
    let mut found = Verified {
        records: 0,
        timestamps: 0,
        unstamped: 0,
        archives,
        seq: 0,
        head: String::new(),
    };
    let mut batch: Vec<(u64, Hash)> = Vec::new();
    let mut anchored = match anchor {
        None => true,
        Some((seq, hash)) if seq == head.seq => hash == head.hash,
        Some((seq, _)) if seq > head.seq => false,
        Some(anchor) => archive::holds(folder, anchor, &head)?,
    };
    let start = head.seq;
    for day in chain::days(folder)? {
        let path = chain::segment(folder, day);
        let end = chain::walk_file(&path, &mut head, &mut |raw, line| {
            if anchor == Some((line.seq, hex::encode(super::merkle::line_hash(raw)).as_str())) {
                anchored = true;
            }
            match line.entry {
                Entry::Message(_) => {
                    found.records += 1;
                    batch.push((line.seq, leaf(raw)));
                }
                Entry::Timestamp(stamp) => {
                    found.timestamps += 1;
                    covers(&stamp, &mut batch, start, token)?;
                }
            }
            Ok(())
        })?;
        if end.torn {
            return Err(LogError::Broken {
                file: path.display().to_string(),
                line: 0,
                what: "it ends within a line",
            });
        }
    }
    if !anchored {
        return Err(LogError::Broken {
            file: folder.display().to_string(),
            line: 0,
            what: "the line that was noted outside is missing or another: the end was cut off or written anew",
        });
    }
    found.unstamped = batch.len() as u64;
    found.seq = head.seq;
    found.head = head.hash;
    Ok(found)
}

/// Holds a timestamp against the lines it names and takes them off the batch.
fn covers(
    stamp: &Stamp,
    batch: &mut Vec<(u64, Hash)>,
    start: u64,
    token: &dyn Fn(&Stamp, &[u8]) -> bool,
) -> Result<(), LogError> {
    let (mut of, later): (Vec<_>, Vec<_>) = std::mem::take(batch)
        .into_iter()
        .partition(|(seq, _)| *seq <= stamp.last);
    *batch = later;
    // of a batch whose first lines are destroyed with their day only the token remains
    if stamp.first <= start {
        return Ok(());
    }
    of.retain(|(seq, _)| *seq >= stamp.first);
    let leaves: Vec<Hash> = of.iter().map(|(_, leaf)| *leaf).collect();
    let text = batch_text(stamp.first, stamp.last, stamp.count, &stamp.root);
    let is_whole =
        root(&leaves).map(hex::encode).as_deref() == Some(stamp.root.as_str()) && leaves.len() as u64 == stamp.count;
    match is_whole && token(stamp, batch_manifest(&text).as_bytes()) {
        true => Ok(()),
        false => Err(LogError::Stamp {
            first: stamp.first,
            last: stamp.last,
        }),
    }
}
