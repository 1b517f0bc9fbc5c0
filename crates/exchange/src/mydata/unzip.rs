//! Unpacking a ZIP in memory, within bounds.

use super::config::PackageLimits;
use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use zip::ZipArchive;

/// A file this small is never called a bomb, whatever its ratio.
const HARMLESS: u64 = 1 << 20;

/// Why a ZIP is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnzipError {
    /// Not a ZIP, or a damaged one.
    #[error("the ZIP can't be read: {0}")]
    Damaged(String),
    /// More entries than accepted.
    #[error("the ZIP has more than {0} entries")]
    TooManyEntries(usize),
    /// A file or all files together are larger than accepted, or far larger than their packed form.
    #[error("the ZIP unpacks to more than is accepted at `{0}`; it may be a zip bomb")]
    Bomb(String),
    /// A name that leads out of the folder, or that is no plain file name.
    #[error("the ZIP holds a file with an unsafe name")]
    UnsafeName,
    /// A name that occurs twice, the two kinds of slash taken as one.
    #[error("the ZIP holds `{0}` twice")]
    Twice(String),
    /// An encrypted entry or a link.
    #[error("the ZIP holds `{0}`, which is encrypted or a link")]
    NotPlain(String),
}

/// Unpacks all files, by name with slashes forward. Folders are left out.
///
/// # Errors
///
/// [`UnzipError`] for what is damaged, too large or has names that leave their folder.
pub fn unzip(bytes: &[u8], limits: &PackageLimits) -> Result<BTreeMap<String, Vec<u8>>, UnzipError> {
    let damaged = |error: zip::result::ZipError| UnzipError::Damaged(error.to_string());
    // The archive's directory is read as a whole, so its size is bounded first. The packages within, stored as they
    // are, have such entries too.
    let headers = bytes.windows(4).filter(|window| window == b"PK\x01\x02").count();
    if headers > limits.entries.saturating_mul(100) {
        return Err(UnzipError::TooManyEntries(limits.entries));
    }
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
    if archive.len() > limits.entries {
        return Err(UnzipError::TooManyEntries(limits.entries));
    }
    if archive.has_duplicate_names() {
        return Err(UnzipError::Twice("a file".to_owned()));
    }
    let mut files = BTreeMap::new();
    let mut total = 0_u64;
    for index in 0..archive.len() {
        let file = archive.by_index(index).map_err(damaged)?;
        let name = safe_name(&file.name().map_err(damaged)?)?;
        if file.is_dir() || name.ends_with('/') {
            continue;
        }
        if file.encrypted() || file.is_symlink() {
            return Err(UnzipError::NotPlain(name));
        }
        let room = limits.file_bytes.min(limits.total_bytes.saturating_sub(total));
        let packed = file.compressed_size().max(1);
        let largest = room.min(packed.saturating_mul(limits.ratio).max(HARMLESS));
        if file.size() > largest {
            return Err(UnzipError::Bomb(name));
        }
        let mut content = Vec::new();
        file.take(largest.saturating_add(1))
            .read_to_end(&mut content)
            .map_err(|error| UnzipError::Damaged(error.to_string()))?;
        let size = u64::try_from(content.len()).unwrap_or(u64::MAX);
        if size > largest {
            return Err(UnzipError::Bomb(name));
        }
        total = total.saturating_add(size);
        if files.insert(name.clone(), content).is_some() {
            return Err(UnzipError::Twice(name));
        }
    }
    Ok(files)
}

/// The name with slashes forward, if it is a plain path below the folder. One provider writes backslashes.
fn safe_name(name: &str) -> Result<String, UnzipError> {
    let name = name.replace('\\', "/");
    let plain = name.len() <= 255
        && !name.contains(|character: char| character.is_control() || character == ':')
        && name
            .strip_suffix('/')
            .unwrap_or(&name)
            .split('/')
            .all(|part| !part.is_empty() && part != "." && part != "..");
    if plain { Ok(name) } else { Err(UnzipError::UnsafeName) }
}
