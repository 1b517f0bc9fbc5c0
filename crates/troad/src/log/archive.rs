//! Archives: the lines of past days as ZIP files, each naming the SHA-256 of the one before; and the end of a day's files
//! when its days are over.

use super::LogError;
use super::chain::{self, Head, failed};
use super::merkle::line_hash;
use super::writer::{Log, sync_folder};
use crate::replay::lock;
use civic::legal_day;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// What the first archive names as the one before.
const NONE: &str = "none";

/// An archive, as a line of `archives/index.jsonl` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Archived {
    /// Its file: `mlog-{first}-{last}-{16 hexadecimal digits}.zip`.
    pub file: String,
    /// Its SHA-256, hexadecimal.
    pub sha256: String,
    /// SHA-256 of the archive before, or `none`.
    pub previous: String,
    /// The day whose lines it holds.
    pub day: Date,
    /// Number of its first line.
    pub first: u64,
    /// Number of its last line.
    pub last: u64,
    /// Hash of its last line.
    pub head: String,
}

/// What was destroyed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Days whose lines and content are gone.
    pub days: Vec<Date>,
}

fn index(folder: &Path) -> Result<Vec<Archived>, LogError> {
    let path = folder.join("archives/index.jsonl");
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(&path, error)),
    };
    text.lines()
        .map(|line| {
            serde_json::from_str(line).map_err(|_| LogError::Archive {
                file: "index.jsonl".to_owned(),
                what: "a line of it can't be read",
            })
        })
        .collect()
}

/// Where the kept lines begin: after the last archived day that is no longer there.
pub fn start(folder: &Path) -> Result<Head, LogError> {
    let Some(first) = chain::days(folder)?.into_iter().next() else {
        // with no file at all the log goes on behind the last archive
        return Ok(index(folder)?.pop().map_or_else(Head::default, |last| Head {
            seq: last.last,
            hash: last.head,
        }));
    };
    let before = index(folder)?.into_iter().rfind(|archived| archived.day < first);
    Ok(before.map_or_else(Head::default, |archived| Head {
        seq: archived.last,
        hash: archived.head,
    }))
}

fn sha256(path: &Path) -> Result<String, LogError> {
    let mut file = File::open(path).map_err(|why| failed(path, why))?;
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    let mut buffer = vec![0; 1 << 18];
    loop {
        let read = file.read(&mut buffer).map_err(|why| failed(path, why))?;
        match buffer.get(..read) {
            None | Some([]) => return Ok(hex::encode(context.finish())),
            Some(bytes) => context.update(bytes),
        }
    }
}

/// Checks that every archive is there, unchanged, and names the one before. Returns how many there are.
pub fn check(folder: &Path) -> Result<u64, LogError> {
    let mut previous = NONE.to_owned();
    let mut last = 0;
    let mut count = 0;
    for archived in index(folder)? {
        let wrong = |what| LogError::Archive {
            file: archived.file.clone(),
            what,
        };
        if archived.previous != previous || archived.first != last + 1 {
            return Err(wrong("it does not follow the archive before"));
        }
        if archived.file.contains(['/', '\\']) {
            return Err(wrong("its name is none of ours"));
        }
        let found = sha256(&folder.join("archives").join(&archived.file))?;
        if found != archived.sha256 {
            return Err(wrong("it was changed"));
        }
        previous = archived.sha256;
        last = archived.last;
        count += 1;
    }
    Ok(count)
}

/// Whether the line of number `seq` among those whose files are destroyed has this hash: looks it up in its archive, and follows
/// the chain from that day on to `start`, where the kept lines begin.
pub fn holds(folder: &Path, (seq, hash): (u64, &str), start: &Head) -> Result<bool, LogError> {
    let mut head = Head::default();
    let mut found = false;
    for archived in index(folder)?.into_iter().filter(|archived| archived.last <= start.seq) {
        let end = Head {
            seq: archived.last,
            hash: archived.head.clone(),
        };
        if archived.last >= seq {
            let path = folder.join("archives").join(&archived.file);
            let zipped = |why: zip::result::ZipError| failed(&path, why);
            let mut zip = ZipArchive::new(File::open(&path).map_err(|why| failed(&path, why))?).map_err(zipped)?;
            let lines = zip
                .by_name(&format!("records-{}.jsonl", archived.day))
                .map_err(zipped)?;
            chain::walk_lines(lines, &path, &mut head, &mut |raw, line| {
                found |= line.seq == seq && hex::encode(line_hash(raw)) == hash;
                Ok(())
            })?;
            if head != end {
                return Err(LogError::Archive {
                    file: archived.file,
                    what: "its lines do not end where the list of archives says",
                });
            }
        }
        head = end;
    }
    Ok(found && head == *start)
}

impl Log {
    /// Archives the days before today that are not archived yet. With `stamped_only` a day waits until all its records have a
    /// timestamp. Blocks.
    ///
    /// # Errors
    /// [`LogError`]
    pub fn archive(&self, now: Timestamp, stamped_only: bool) -> Result<Vec<Archived>, LogError> {
        let today = legal_day(now);
        let known = index(&self.folder)?;
        let oldest_pending = lock(&self.state).pending.front().map(|pending| pending.seq);
        let mut previous = known.last().map_or_else(|| NONE.to_owned(), |last| last.sha256.clone());
        let mut head = start(&self.folder)?;
        let mut made = Vec::new();
        // the newest file may still take the end of an exchange that began on its day
        let mut days = chain::days(&self.folder)?;
        days.pop();
        for day in days.into_iter().filter(|day| *day < today) {
            let before = head.clone();
            let path = chain::segment(&self.folder, day);
            let mut times: Option<(i64, i64)> = None;
            chain::walk_file(&path, &mut head, &mut |_, line| {
                if let super::Entry::Message(record) = line.entry {
                    let (first, last) = times.unwrap_or((record.time, record.time));
                    times = Some((first.min(record.time), last.max(record.time)));
                }
                Ok(())
            })?;
            if known.iter().any(|archived| archived.day == day) {
                continue;
            }
            if stamped_only && oldest_pending.is_some_and(|seq| seq <= head.seq) {
                break;
            }
            let (first, last) = times.unwrap_or_default();
            let file = format!("mlog-{first}-{last}-{}.zip", head.hash.get(..16).unwrap_or_default());
            let archived = self.write_archive(&path, file, previous, day, &before, &head)?;
            previous = archived.sha256.clone();
            made.push(archived);
        }
        Ok(made)
    }

    fn write_archive(
        &self,
        lines: &Path,
        file: String,
        previous: String,
        day: Date,
        before: &Head,
        head: &Head,
    ) -> Result<Archived, LogError> {
        let folder = self.folder.join("archives");
        let path = folder.join(&file);
        let refused = |why: std::io::Error| failed(&path, why);
        let zipped = |why: zip::result::ZipError| failed(&path, why);
        let mut zip = ZipWriter::new(File::create(&path).map_err(refused)?);
        let packed = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .large_file(true);
        zip.start_file("linking.txt", packed).map_err(zipped)?;
        let linking = format!(
            "archive of the message log, form 1\nprevious-archive-sha256: {previous}\nday: {day}\nfirst: {}\nlast: {}\n\
             line-before-sha256: {}\nlast-line-sha256: {}\n",
            before.seq + 1,
            head.seq,
            before.hash,
            head.hash
        );
        zip.write_all(linking.as_bytes()).map_err(refused)?;
        zip.start_file(format!("records-{day}.jsonl"), packed).map_err(zipped)?;
        let mut source = File::open(lines).map_err(|why| failed(lines, why))?;
        std::io::copy(&mut source, &mut zip).map_err(refused)?;
        let done = zip.finish().map_err(zipped)?;
        done.sync_all().map_err(refused)?;
        let archived = Archived {
            sha256: sha256(&path)?,
            file,
            previous,
            day,
            first: before.seq + 1,
            last: head.seq,
            head: head.hash.clone(),
        };
        let index = folder.join("index.jsonl");
        let mut line = serde_json::to_vec(&archived).map_err(|why| failed(&index, why))?;
        line.push(b'\n');
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(&index)
            .and_then(|mut file| {
                file.write_all(&line)?;
                file.sync_all()
            })
            .map_err(|why| failed(&index, why))?;
        sync_folder(&folder)?;
        Ok(archived)
    }

    /// Destroys the lines and content of archived days older than the days to keep. The archives stay. Blocks.
    ///
    /// # Errors
    /// [`LogError`]
    pub fn prune(&self, now: Timestamp) -> Result<Pruned, LogError> {
        let today = legal_day(now);
        let oldest = today.checked_sub(i64::from(self.keep_days).days()).unwrap_or(today);
        let mut pruned = Pruned::default();
        let known = index(&self.folder)?;
        for day in chain::days(&self.folder)?.into_iter().filter(|day| *day < oldest) {
            if !known.iter().any(|archived| archived.day == day) {
                break;
            }
            let content = chain::contents(&self.folder, day);
            if content.exists() {
                std::fs::remove_file(&content).map_err(|why| failed(&content, why))?;
            }
            let lines = chain::segment(&self.folder, day);
            std::fs::remove_file(&lines).map_err(|why| failed(&lines, why))?;
            pruned.days.push(day);
        }
        sync_folder(&self.folder)?;
        lock(&self.state).aggregates.forget_before(oldest);
        Ok(pruned)
    }
}
