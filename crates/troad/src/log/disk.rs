//! Brings to disk what the writer has written: all groups that have gathered with one sync.

use super::LogError;
use super::chain::failed;
use super::writer::Written;
use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;
use tokio::sync::oneshot;

/// Time between two syncs where no answer waits for them.
pub const BETWEEN_SYNCS: Duration = Duration::from_secs(1);
/// Most entries of one group.
pub const GROUP: usize = 4096;
/// Most groups of one sync.
const MOST: usize = 1 << 16;

/// What is never sent: a channel of it tells only that its other end is gone.
pub enum Never {}

/// Who waits for a record, and what they will be told.
pub type Waiting = Vec<(oneshot::Sender<Result<Written, LogError>>, Written)>;

/// Files with something that is not on disk yet, those that must be there first before the others, and who waits for them.
pub struct Unsynced {
    /// The files.
    pub files: Vec<Arc<File>>,
    /// Who waits.
    pub waiting: Waiting,
}

/// Tells all who wait.
pub fn tell(waiting: Waiting, result: &Result<(), LogError>) {
    for (sender, written) in waiting {
        let _ = sender.send(result.clone().map(|()| written));
    }
}

/// Says that the log has failed, and lets no call in any more.
pub fn give_up(failed: &AtomicBool, error: &LogError) {
    tracing::error!(%error, "the message log can't be written; the gateway takes no more calls");
    failed.store(true, Ordering::Release);
}

/// Brings to disk what the writer has written, until the writer ends. A sync holds up writes to the same file, so it comes
/// only so often where nobody waits for it. In between this thread sleeps on `ended`, which the writer drops at its end: a group
/// that is handed over need not wake it.
pub fn sync_all(
    folder: &Path,
    to_sync: &mpsc::Receiver<Unsynced>,
    ended: &mpsc::Receiver<Never>,
    pause: Duration,
    failed_flag: &AtomicBool,
) {
    while let Ok(first) = to_sync.recv() {
        let mut group = vec![first];
        if !pause.is_zero() {
            let _ = ended.recv_timeout(pause);
        }
        group.extend(to_sync.try_iter().take(MOST));
        let mut files: Vec<Arc<File>> = Vec::new();
        let mut waiting = Waiting::new();
        for one in group {
            for file in one.files {
                if !files.iter().any(|known| Arc::ptr_eq(known, &file)) {
                    files.push(file);
                }
            }
            waiting.extend(one.waiting);
        }
        let synced = files.iter().try_for_each(|file| file.sync_data());
        let result = synced.map_err(|why| failed(folder, why));
        if let Err(error) = &result {
            give_up(failed_flag, error);
        }
        tell(waiting, &result);
        if result.is_err() {
            return;
        }
    }
}
