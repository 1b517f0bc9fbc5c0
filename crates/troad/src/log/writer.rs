//! The one writer: takes records from all exchanges and writes what has gathered as one block. Beside it one thread brings to
//! disk what was written, all groups of one sync together, so that no write waits for the disk.

use super::LogError;
use super::aggregate::Aggregates;
use super::archive;
use super::chain::{self, Head, failed};
use super::disk::{BETWEEN_SYNCS, GROUP, Never, Unsynced, Waiting, give_up, sync_all, tell};
use super::merkle::{self, Hash, leaf};
use super::record::{Content, Entry, Line, Record, Side, Stamp, at};
use crate::config::{self, Wait};
use crate::ids::MemberId;
use crate::replay::lock;
use civic::legal_day;
use jiff::Timestamp;
use jiff::civil::Date;
use std::collections::{HashSet, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;
use tokio::sync::oneshot;

/// A record that stands in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Its sequence number.
    pub seq: u64,
}

/// A record without a timestamp yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pending {
    /// Its sequence number.
    pub seq: u64,
    /// Its leaf.
    pub leaf: Hash,
    /// When its exchange began, milliseconds since 1970.
    pub time: i64,
}

/// A certificate that occurs in a record: SHA-256 of its DER form, and that form.
pub type Certificate = (Hash, Arc<[u8]>);

enum Job {
    Append {
        entry: Entry,
        content: Option<Vec<u8>>,
        certificates: Vec<Certificate>,
        written: oneshot::Sender<Result<Written, LogError>>,
    },
    End,
}

/// What is held in memory of the log.
#[derive(Default)]
pub(super) struct State {
    pub aggregates: Aggregates,
    pub recent: VecDeque<(u64, Arc<Record>)>,
    pub pending: VecDeque<Pending>,
    /// Whether no timestamps come, so that nothing waits for one.
    pub no_stamps: bool,
    pub head: Head,
    /// Messages answered since `since`, for the memory of ids.
    pub young: Vec<(MemberId, String)>,
    pub since: Option<Timestamp>,
}

/// The message log.
pub struct Log {
    pub(super) folder: PathBuf,
    pub(super) keep_days: u32,
    pub(super) state: Arc<Mutex<State>>,
    failed: Arc<AtomicBool>,
    jobs: mpsc::Sender<Job>,
    threads: Mutex<Vec<std::thread::JoinHandle<()>>>,
}

impl Log {
    /// Opens the log, checks its chain, counts what stands in it, and starts the writer. A piece of a line that a crash left
    /// at the end is taken off; a chain that does not hold is refused. What was answered `since` is noted.
    ///
    /// # Errors
    /// [`LogError`]
    pub fn open(config: &config::Log, since: Option<Timestamp>) -> Result<Log, LogError> {
        let folder = config.folder.clone();
        for folder in [&folder, &folder.join("certificates"), &folder.join("archives")] {
            std::fs::create_dir_all(folder).map_err(|why| failed(folder, why))?;
        }
        let mut state = State {
            head: archive::start(&folder)?,
            since,
            ..State::default()
        };
        let recent = config.recent;
        let mut head = state.head.clone();
        let days = chain::days(&folder)?;
        for (at, day) in days.iter().enumerate() {
            let path = chain::segment(&folder, *day);
            let end = chain::walk_file(&path, &mut head, &mut |raw, line| {
                state.take(leaf(raw), line, recent);
                Ok(())
            })?;
            match (end.torn, at + 1 == days.len()) {
                (false, _) => {}
                (true, true) => cut(&path, end.whole)?,
                (true, false) => {
                    return Err(LogError::Broken {
                        file: path.display().to_string(),
                        line: 0,
                        what: "it ends within a line",
                    });
                }
            }
        }
        state.head = head;
        state.since = None;
        let known = std::fs::read_dir(folder.join("certificates"))
            .map_err(|why| failed(&folder, why))?
            .filter_map(|entry| {
                let name = entry.ok()?.file_name().into_string().ok()?;
                let mut fingerprint = [0; 32];
                hex::decode_to_slice(name.strip_suffix(".der")?, &mut fingerprint).ok()?;
                Some(fingerprint)
            })
            .collect();
        let state = Arc::new(Mutex::new(state));
        let failed_flag = Arc::new(AtomicBool::new(false));
        let (jobs, incoming) = mpsc::channel();
        let (unsynced, to_sync) = mpsc::channel();
        let (alive, ended) = mpsc::channel();
        let pause = match config.wait {
            Wait::Written => BETWEEN_SYNCS,
            Wait::Disk => Duration::ZERO,
        };
        let mut writer = Writer {
            folder: folder.clone(),
            state: Arc::clone(&state),
            recent,
            wait: config.wait,
            open: None,
            known,
            unsynced,
            _alive: alive,
        };
        let flag = Arc::clone(&failed_flag);
        let named = |name: &str| std::thread::Builder::new().name(name.to_owned());
        let writing = named("message-log").spawn(move || writer.run(&incoming, &flag));
        let flag = Arc::clone(&failed_flag);
        let at = folder.clone();
        let syncing = named("message-log-disk").spawn(move || sync_all(&at, &to_sync, &ended, pause, &flag));
        let refused = |why: std::io::Error| failed(&folder, why);
        let threads = vec![writing.map_err(refused)?, syncing.map_err(refused)?];
        Ok(Log {
            folder,
            keep_days: config.keep_days,
            state,
            failed: failed_flag,
            jobs,
            threads: Mutex::new(threads),
        })
    }

    /// Gives a record to the writer. What is returned resolves when it is written or on disk, as the configuration says.
    pub fn append(
        &self,
        record: Record,
        content: Option<Vec<u8>>,
        certificates: Vec<Certificate>,
    ) -> oneshot::Receiver<Result<Written, LogError>> {
        self.send(Entry::Message(Box::new(record)), content, certificates)
    }

    /// Gives a timestamp to the writer.
    pub fn append_stamp(&self, stamp: Stamp) -> oneshot::Receiver<Result<Written, LogError>> {
        self.send(Entry::Timestamp(stamp), None, Vec::new())
    }

    fn send(
        &self,
        entry: Entry,
        content: Option<Vec<u8>>,
        certificates: Vec<Certificate>,
    ) -> oneshot::Receiver<Result<Written, LogError>> {
        let (written, receiver) = oneshot::channel();
        // a writer that has ended drops the sender, which the receiver sees as an error
        let _ = self.jobs.send(Job::Append {
            entry,
            content,
            certificates,
            written,
        });
        receiver
    }

    /// Whether records can still be written. Once a write failed no exchange is accepted any more.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        !self.failed.load(Ordering::Acquire)
    }

    /// The last line's number and hash: what an outside keeper notes to see later that nothing was cut off the end.
    #[must_use]
    pub fn head(&self) -> (u64, String) {
        let state = lock(&self.state);
        (state.head.seq, state.head.hash.clone())
    }

    /// Says that no timestamp authority is configured: records no longer wait in memory for a timestamp.
    pub(crate) fn expect_no_timestamps(&self) {
        let mut state = lock(&self.state);
        state.no_stamps = true;
        state.pending = VecDeque::new();
    }

    /// The oldest records without a timestamp, at most `most`.
    #[must_use]
    pub fn pending(&self, most: usize) -> Vec<Pending> {
        lock(&self.state).pending.iter().take(most).copied().collect()
    }

    /// How many records have no timestamp yet.
    #[must_use]
    pub fn pending_count(&self) -> usize {
        lock(&self.state).pending.len()
    }

    /// When the oldest exchange without a timestamp began.
    #[must_use]
    pub fn oldest_pending(&self) -> Option<Timestamp> {
        lock(&self.state).pending.front().map(|pending| at(pending.time))
    }

    /// Reads the counts of now. The log waits as long as `read` takes.
    pub fn counts<T>(&self, read: impl FnOnce(&Aggregates) -> T) -> T {
        read(&lock(&self.state).aggregates)
    }

    /// Client and message id of what was answered since the time [`Log::open`] was told; once.
    pub fn take_young(&self) -> Vec<(MemberId, String)> {
        std::mem::take(&mut lock(&self.state).young)
    }

    /// Folder of the log.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes what has gathered and ends the writer. Blocks until it is on disk.
    pub fn close(&self) {
        let _ = self.jobs.send(Job::End);
        for thread in std::mem::take(&mut *lock(&self.threads)) {
            let _ = thread.join();
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.close();
    }
}

/// Takes a piece of a line off the end of a file.
fn cut(path: &Path, whole: u64) -> Result<(), LogError> {
    let file = OpenOptions::new()
        .write(true)
        .open(path)
        .map_err(|why| failed(path, why))?;
    file.set_len(whole)
        .and_then(|()| file.sync_all())
        .map_err(|why| failed(path, why))
}

impl State {
    /// Takes a line, with its leaf, into what is held in memory.
    fn take(&mut self, leaf: Hash, line: Line, recent: usize) {
        match line.entry {
            Entry::Message(record) => {
                self.aggregates.add(&record);
                if let (Some(since), Some(client), Side::Provider) = (self.since, &record.client, record.side)
                    && record.request.is_some()
                    && at(record.time) >= since
                {
                    self.young.push((client.clone(), record.id.clone()));
                }
                if !self.no_stamps {
                    self.pending.push_back(Pending {
                        seq: line.seq,
                        leaf,
                        time: record.time,
                    });
                }
                if self.recent.len() >= recent {
                    self.recent.pop_front();
                }
                if recent > 0 {
                    self.recent.push_back((line.seq, Arc::new(*record)));
                }
            }
            Entry::Timestamp(stamp) => {
                while self.pending.front().is_some_and(|pending| pending.seq <= stamp.last) {
                    self.pending.pop_front();
                }
            }
        }
    }
}

/// The open files of a day.
struct Open {
    day: Date,
    lines: Arc<File>,
    content: Option<(Arc<File>, u64)>,
}

struct Writer {
    folder: PathBuf,
    state: Arc<Mutex<State>>,
    recent: usize,
    wait: Wait,
    open: Option<Open>,
    known: HashSet<Hash>,
    unsynced: mpsc::Sender<Unsynced>,
    /// Gone with the writer: the thread beside it then need not wait any longer.
    _alive: mpsc::Sender<Never>,
}

impl Writer {
    fn run(&mut self, incoming: &mpsc::Receiver<Job>, failed: &AtomicBool) {
        while let Ok(first) = incoming.recv() {
            let mut group = vec![first];
            group.extend(incoming.try_iter().take(GROUP));
            let ends = group.iter().any(|job| matches!(job, Job::End));
            let mut waiting = Waiting::new();
            let mut files = Vec::new();
            let result = self.write(group, &mut waiting, &mut files);
            if let Err(error) = &result {
                give_up(failed, error);
            }
            let for_disk = match (self.wait, &result) {
                (Wait::Disk, Ok(())) => waiting,
                _ => {
                    tell(waiting, &result);
                    Waiting::new()
                }
            };
            let handed = self.unsynced.send(Unsynced {
                files,
                waiting: for_disk,
            });
            if ends || result.is_err() || handed.is_err() {
                failed.store(true, Ordering::Release);
                return;
            }
        }
    }

    /// Writes a group: content and certificates first, so that no line names what is not there.
    fn write(&mut self, group: Vec<Job>, waiting: &mut Waiting, files: &mut Vec<Arc<File>>) -> Result<(), LogError> {
        let mut head = lock(&self.state).head.clone();
        let mut block = Vec::with_capacity(group.len() * 1500);
        let mut taken = Vec::with_capacity(group.len());
        for job in group {
            let Job::Append {
                mut entry,
                content,
                certificates,
                written,
            } = job
            else {
                continue;
            };
            waiting.push((written, Written { seq: head.seq + 1 }));
            for (fingerprint, der) in certificates {
                self.keep_certificate(&fingerprint, &der)?;
            }
            let time = match &entry {
                Entry::Message(record) => record.time,
                Entry::Timestamp(stamp) => stamp.time,
            };
            let day = legal_day(at(time));
            // a clock that is set back goes on in the day that is open
            let day = self.open.as_ref().map_or(day, |open| open.day.max(day));
            if self.open.as_ref().is_none_or(|open| open.day != day) {
                self.flush(&mut block, files)?;
                self.open = Some(self.open_day(day)?);
            }
            if let (Some(bytes), Entry::Message(record)) = (content, &mut entry) {
                record.content = Some(self.keep_content(&bytes, files)?);
            }
            let line = Line {
                seq: head.seq + 1,
                previous: head.hash.clone(),
                entry,
            };
            let raw = serde_json::to_vec(&line).map_err(|why| failed(&self.folder, why))?;
            head.seq = line.seq;
            head.hash = hex::encode(merkle::line_hash(&raw));
            block.extend_from_slice(&raw);
            block.push(b'\n');
            taken.push((leaf(&raw), line));
        }
        self.flush(&mut block, files)?;
        let mut state = lock(&self.state);
        for (leaf, line) in taken {
            state.take(leaf, line, self.recent);
        }
        state.head = head;
        Ok(())
    }

    fn flush(&mut self, block: &mut Vec<u8>, files: &mut Vec<Arc<File>>) -> Result<(), LogError> {
        if let (Some(open), false) = (&self.open, block.is_empty()) {
            (&*open.lines)
                .write_all(block)
                .map_err(|why| failed(&self.folder, why))?;
            files.push(Arc::clone(&open.lines));
        }
        block.clear();
        Ok(())
    }

    fn open_day(&self, day: Date) -> Result<Open, LogError> {
        // lines of a day before the newest file's would break the order of the files
        let day = chain::days(&self.folder)?.last().map_or(day, |last| day.max(*last));
        let path = chain::segment(&self.folder, day);
        let lines = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(|why| failed(&path, why))?;
        sync_folder(&self.folder)?;
        Ok(Open {
            day,
            lines: Arc::new(lines),
            content: None,
        })
    }

    fn keep_content(&mut self, bytes: &[u8], files: &mut Vec<Arc<File>>) -> Result<Content, LogError> {
        let Some(open) = &mut self.open else {
            return Err(LogError::Closed);
        };
        let path = chain::contents(&self.folder, open.day);
        let refused = |why: std::io::Error| failed(&path, why);
        let (file, end) = match &mut open.content {
            Some(content) => content,
            none => {
                let mut file = OpenOptions::new()
                    .create(true)
                    .append(true)
                    .open(&path)
                    .map_err(refused)?;
                let end = file.seek(SeekFrom::End(0)).map_err(refused)?;
                none.insert((Arc::new(file), end))
            }
        };
        (&**file).write_all(bytes).map_err(refused)?;
        files.push(Arc::clone(file));
        let content = Content {
            offset: *end,
            length: bytes.len() as u64,
        };
        *end += content.length;
        Ok(content)
    }

    fn keep_certificate(&mut self, fingerprint: &Hash, der: &[u8]) -> Result<(), LogError> {
        if self.known.contains(fingerprint) {
            return Ok(());
        }
        let folder = self.folder.join("certificates");
        let path = folder.join(format!("{}.der", hex::encode(fingerprint)));
        let whole = File::create(folder.join("new")).and_then(|mut file| {
            file.write_all(der)?;
            file.sync_all()
        });
        whole
            .and_then(|()| std::fs::rename(folder.join("new"), &path))
            .map_err(|why| failed(&path, why))?;
        sync_folder(&folder)?;
        self.known.insert(*fingerprint);
        Ok(())
    }
}

/// Makes a new file's name itself durable.
pub(super) fn sync_folder(folder: &Path) -> Result<(), LogError> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|why| failed(folder, why))
}
