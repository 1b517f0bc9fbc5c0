//! Reads the lines of the log in their order and holds each against the hash the next one names.

use super::LogError;
use super::merkle::line_hash;
use super::record::Line;
use jiff::civil::Date;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// Longest line, bytes.
const LONGEST_LINE: u64 = 1 << 20;
/// What the first line names as the hash of the line before.
pub const NOTHING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// An error that names its file.
pub fn failed(path: &Path, why: impl ToString) -> LogError {
    LogError::File {
        path: path.to_path_buf(),
        why: why.to_string(),
    }
}

/// File of a day's lines.
pub fn segment(folder: &Path, day: Date) -> PathBuf {
    folder.join(format!("records-{day}.jsonl"))
}

/// File of a day's sealed content.
pub fn contents(folder: &Path, day: Date) -> PathBuf {
    folder.join(format!("content-{day}.bin"))
}

/// The days that have lines, oldest first.
pub fn days(folder: &Path) -> Result<Vec<Date>, LogError> {
    let mut days = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|why| failed(folder, why))? {
        let entry = entry.map_err(|why| failed(folder, why))?;
        let name = entry.file_name();
        let day = name
            .to_str()
            .and_then(|name| name.strip_prefix("records-")?.strip_suffix(".jsonl"));
        days.extend(day.and_then(|day| day.parse::<Date>().ok()));
    }
    days.sort_unstable();
    Ok(days)
}

/// Where a walk along the chain stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Sequence number of the last line.
    pub seq: u64,
    /// Its SHA-256, hexadecimal.
    pub hash: String,
}

impl Default for Head {
    fn default() -> Head {
        Head {
            seq: 0,
            hash: NOTHING.to_owned(),
        }
    }
}

/// How a file ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// Bytes of whole lines.
    pub whole: u64,
    /// Whether a piece of a line follows them.
    pub torn: bool,
}

/// What is done with every line: as it stands in the file, and as what it says.
pub type Visit<'a> = dyn FnMut(&[u8], Line) -> Result<(), LogError> + 'a;

/// Walks one file from `head` on. Every line goes to `each` as it stands in the file and as what it says.
pub fn walk_file(path: &Path, head: &mut Head, each: &mut Visit<'_>) -> Result<End, LogError> {
    let file = File::open(path).map_err(|why| failed(path, why))?;
    walk_lines(file, path, head, each)
}

/// The same with lines that are read from elsewhere; `path` names them in errors.
pub fn walk_lines(lines: impl Read, path: &Path, head: &mut Head, each: &mut Visit<'_>) -> Result<End, LogError> {
    let mut reader = BufReader::with_capacity(1 << 18, lines);
    let name = || {
        path.file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default()
    };
    let mut number = 0;
    let mut end = End { whole: 0, torn: false };
    let mut raw = Vec::new();
    loop {
        raw.clear();
        let read = reader
            .by_ref()
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut raw)
            .map_err(|why| failed(path, why))?;
        if read == 0 {
            return Ok(end);
        }
        number += 1;
        let broken = |what| LogError::Broken {
            file: name(),
            line: number,
            what,
        };
        if raw.pop() != Some(b'\n') {
            end.torn = true;
            return Ok(end);
        }
        let line: Line = serde_json::from_slice(&raw).map_err(|_| broken("it can't be read"))?;
        if line.seq != head.seq + 1 {
            return Err(broken(
                "its number does not follow the one before: lines are missing, doubled or moved",
            ));
        }
        if line.previous != head.hash {
            return Err(broken(
                "the line before is not the one that was written: it was changed or removed",
            ));
        }
        head.seq = line.seq;
        head.hash = hex::encode(line_hash(&raw));
        end.whole += read as u64;
        each(&raw, line)?;
    }
}
