//! The log for people: exchanges of late with filters, and one exchange with the timestamp that covers it.

use super::LogError;
use super::archive;
use super::chain::{self, failed};
use super::merkle::{Hash, Step, leaf, path, root};
use super::record::{Entry, Line, Outcome, Record, Side, Stamp};
use super::writer::Log;
use crate::ids::{MemberId, ServiceId};
use crate::replay::lock;
use jiff::Timestamp;
use jiff::civil::Date;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

/// Which exchanges are wanted; what is not named does not matter.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of this interface.
    pub service: Option<ServiceId>,
    /// Called by this client, or a subsystem of this member.
    pub client: Option<MemberId>,
    /// On this side.
    pub side: Option<Side>,
    /// That ended so.
    pub outcome: Option<Outcome>,
    /// With a fault of this type, in either spelling.
    pub fault: Option<String>,
    /// With this message id, or id of the exchange.
    pub id: Option<String>,
    /// Begun at or after.
    pub from: Option<Timestamp>,
    /// Begun before.
    pub until: Option<Timestamp>,
}

impl Filter {
    /// Whether an exchange is wanted.
    #[must_use]
    pub fn wants(&self, record: &Record) -> bool {
        self.service
            .as_ref()
            .is_none_or(|service| record.service.as_ref() == Some(service))
            && self
                .client
                .as_ref()
                .is_none_or(|client| record.client.as_ref().is_some_and(|of| client.covers(of)))
            && self.side.is_none_or(|side| record.side == side)
            && self.outcome.is_none_or(|outcome| record.outcome == outcome)
            && self.fault.as_ref().is_none_or(|fault| {
                record
                    .fault
                    .as_ref()
                    .is_some_and(|of| crate::fault::same_type(fault, of))
            })
            && self
                .id
                .as_ref()
                .is_none_or(|id| record.id == *id || record.request_id == *id)
            && self.from.is_none_or(|from| record.time >= from.as_millisecond())
            && self.until.is_none_or(|until| record.time < until.as_millisecond())
    }
}

/// One exchange out of the log, with what proves when it was written.
#[derive(Debug, Clone)]
pub struct Found {
    /// Sequence number.
    pub seq: u64,
    /// Its line as it stands in the file.
    pub raw: Vec<u8>,
    /// The record.
    pub record: Record,
    /// The day whose file it stands in.
    pub day: Date,
    /// The timestamp over its batch and the path to its root; none where it has none yet, and where other lines of the batch are
    /// destroyed with their day.
    pub stamp: Option<(Stamp, Vec<Step>)>,
}

impl Log {
    /// Exchanges of late, newest first, at most `most`, out of those held in memory.
    #[must_use]
    pub fn recent(&self, filter: &Filter, most: usize) -> Vec<(u64, Arc<Record>)> {
        let state = lock(&self.state);
        let newest = state.recent.iter().rev();
        newest
            .filter(|(_, record)| filter.wants(record))
            .take(most)
            .cloned()
            .collect()
    }

    /// Exchanges out of the files, oldest first, at most `most`. Reads every kept day; blocks.
    ///
    /// # Errors
    /// [`LogError`]
    pub fn search(&self, filter: &Filter, most: usize) -> Result<Vec<(u64, Record)>, LogError> {
        let mut found = Vec::new();
        walk(&self.folder, &mut |_, _, line| {
            if let Entry::Message(record) = line.entry
                && found.len() < most
                && filter.wants(&record)
            {
                found.push((line.seq, *record));
            }
        })?;
        Ok(found)
    }
}

/// Every line of every kept day. The newest may still be being written; a piece of a line at its end is left out.
fn walk(folder: &Path, each: &mut dyn FnMut(Date, &[u8], Line)) -> Result<(), LogError> {
    let mut head = archive::start(folder)?;
    for day in chain::days(folder)? {
        chain::walk_file(&chain::segment(folder, day), &mut head, &mut |raw, line| {
            each(day, raw, line);
            Ok(())
        })?;
    }
    Ok(())
}

/// Finds the exchanges with this message id or id of the exchange, each with the timestamp over it. Reads every kept day;
/// blocks.
///
/// # Errors
/// [`LogError`]
pub fn find(folder: &Path, id: &str) -> Result<Vec<Found>, LogError> {
    let filter = Filter {
        id: Some(id.to_owned()),
        ..Filter::default()
    };
    let mut found: Vec<Found> = Vec::new();
    let mut batch: Vec<(u64, Hash)> = Vec::new();
    walk(folder, &mut |day, raw, line| match line.entry {
        Entry::Message(record) => {
            batch.push((line.seq, leaf(raw)));
            if filter.wants(&record) {
                found.push(Found {
                    seq: line.seq,
                    raw: raw.to_vec(),
                    record: *record,
                    day,
                    stamp: None,
                });
            }
        }
        Entry::Timestamp(stamp) => {
            let in_batch = |seq: u64| stamp.first <= seq && seq <= stamp.last;
            let leaves: Vec<(u64, Hash)> = batch.iter().filter(|(seq, _)| in_batch(*seq)).copied().collect();
            batch.retain(|(seq, _)| *seq > stamp.last);
            let hashes: Vec<Hash> = leaves.iter().map(|(_, leaf)| *leaf).collect();
            // of a batch whose first lines are destroyed with their day no path leads to the root any more
            if !found.iter().any(|one| in_batch(one.seq))
                || root(&hashes).map(hex::encode).as_deref() != Some(stamp.root.as_str())
            {
                return;
            }
            for one in found.iter_mut().filter(|one| in_batch(one.seq)) {
                let at = leaves.iter().position(|(seq, _)| *seq == one.seq);
                one.stamp = at.and_then(|at| Some((stamp.clone(), path(&hashes, at)?)));
            }
        }
    })?;
    Ok(found)
}

/// The sealed content of an exchange, where it was kept and its day is not destroyed.
///
/// # Errors
/// [`LogError::File`]
pub fn content(folder: &Path, found: &Found) -> Result<Option<Vec<u8>>, LogError> {
    let Some(place) = found.record.content else {
        return Ok(None);
    };
    let path = chain::contents(folder, found.day);
    let refused = |why: std::io::Error| failed(&path, why);
    let mut file = File::open(&path).map_err(refused)?;
    file.seek(SeekFrom::Start(place.offset)).map_err(refused)?;
    let mut bytes = Vec::new();
    file.take(place.length).read_to_end(&mut bytes).map_err(refused)?;
    if bytes.len() as u64 != place.length {
        return Err(failed(&path, "it is shorter than the records say"));
    }
    Ok(Some(bytes))
}
