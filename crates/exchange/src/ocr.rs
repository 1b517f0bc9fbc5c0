//! Reading scans (光學文字辨識) with Tesseract, and counting and drawing the pages of a PDF with poppler: programs of the
//! operating system, each in a process of its own that gets the bytes by its input and nothing else. No file is written, no
//! shell is asked, and a process that takes too long or says too much is ended.

use std::ffi::OsStr;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Longest time for one page.
const PAGE: Duration = Duration::from_secs(12);
/// Most bytes of text of one page.
const MOST_TEXT: u64 = 256 << 10;
/// Most bytes of one drawn page.
const MOST_PICTURE: u64 = 64 << 20;
/// Most lines of one page, and most characters of one line, that are kept.
const MOST_LINES: usize = 500;
const LONGEST_LINE: usize = 300;
/// Most pixels of a picture.
const MOST_PIXELS: u64 = 80_000_000;
/// Language data of Tesseract that must be there.
const LANGUAGE: &str = "chi_tra";

/// What a scan is, by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// PDF.
    Pdf,
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
}

impl Media {
    /// The media of a content, whatever its name says.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Media> {
        match bytes {
            [b'%', b'P', b'D', b'F', b'-', ..] => Some(Media::Pdf),
            [0xff, 0xd8, 0xff, ..] => Some(Media::Jpeg),
            [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some(Media::Png),
            _ => None,
        }
    }

    /// Media type.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Media::Pdf => "application/pdf",
            Media::Jpeg => "image/jpeg",
            Media::Png => "image/png",
        }
    }
}

/// Why a scan can't be taken or read. No message carries its content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScanError {
    /// The program is not installed.
    #[error("`{0}` is not installed")]
    Missing(&'static str),
    /// The content is damaged, or is protected by a password.
    #[error("the scan can't be opened; it may be damaged or locked")]
    Damaged,
    /// The picture has too many pixels.
    #[error("the picture has more than {MOST_PIXELS} pixels")]
    TooLarge,
    /// A program took too long or said too much, and was ended.
    #[error("`{0}` was ended: it took too long or said too much")]
    Ended(&'static str),
    /// A program could not be run.
    #[error("`{program}` can't be run: {why}")]
    Run {
        /// Which.
        program: &'static str,
        /// Why.
        why: String,
    },
}

/// The programs there are. The default has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tools {
    tesseract: Option<PathBuf>,
    pdfinfo: Option<PathBuf>,
    pdftoppm: Option<PathBuf>,
}

impl Tools {
    /// Looks for the programs in the folders of a search path (`PATH`). Tesseract without Traditional Chinese counts as missing.
    #[must_use]
    pub fn find(path: &OsStr) -> Tools {
        let program = |name: &str| {
            let mut places = std::env::split_paths(path).map(|folder| folder.join(name));
            places.find(|place| place.is_absolute() && place.is_file())
        };
        let knows_chinese = |place: &PathBuf| {
            run("tesseract", place, &["--list-langs"], Vec::new(), PAGE, MOST_TEXT).is_ok_and(|said| {
                String::from_utf8_lossy(&said)
                    .lines()
                    .any(|line| line.trim() == LANGUAGE)
            })
        };
        Tools {
            tesseract: program("tesseract").filter(knows_chinese),
            pdfinfo: program("pdfinfo"),
            pdftoppm: program("pdftoppm"),
        }
    }

    /// Whether scans can be read here.
    #[must_use]
    pub fn reads(&self) -> bool {
        self.tesseract.is_some()
    }

    /// Whether PDFs can be taken here: without a way to count their pages they can't.
    #[must_use]
    pub fn takes_pdf(&self) -> bool {
        self.pdfinfo.is_some()
    }

    /// How many pages a scan has. Blocks until the program has said so.
    ///
    /// # Errors
    /// [`ScanError`].
    pub fn pages(&self, media: Media, bytes: &[u8]) -> Result<usize, ScanError> {
        match media {
            Media::Pdf => {
                let program = self.pdfinfo.as_ref().ok_or(ScanError::Missing("pdfinfo"))?;
                let said = run("pdfinfo", program, &["-"], bytes.to_vec(), PAGE, MOST_TEXT)?;
                let said = String::from_utf8_lossy(&said);
                let count = said.lines().find_map(|line| line.strip_prefix("Pages:"));
                count
                    .and_then(|count| count.trim().parse().ok())
                    .filter(|count| *count > 0)
                    .ok_or(ScanError::Damaged)
            }
            Media::Jpeg | Media::Png => {
                let (width, height) = size(media, bytes).ok_or(ScanError::Damaged)?;
                if u64::from(width).saturating_mul(u64::from(height)) > MOST_PIXELS {
                    return Err(ScanError::TooLarge);
                }
                Ok(1)
            }
        }
    }

    /// The lines of a scan's first `most` pages. Blocks for seconds: it belongs on a thread that may.
    ///
    /// # Errors
    /// [`ScanError`].
    pub fn lines(&self, media: Media, bytes: &[u8], most: usize) -> Result<Vec<String>, ScanError> {
        let tesseract = self.tesseract.as_ref().ok_or(ScanError::Missing("tesseract"))?;
        let pages = self.pages(media, bytes)?.min(most);
        let mut lines = Vec::new();
        for page in 1..=pages {
            let picture = match media {
                Media::Pdf => self.drawn(bytes, page)?,
                Media::Jpeg | Media::Png => bytes.to_vec(),
            };
            let args = ["stdin", "stdout", "-l", LANGUAGE, "--psm", "6"];
            let said = run("tesseract", tesseract, &args, picture, PAGE, MOST_TEXT)?;
            let text = String::from_utf8_lossy(&said);
            let found = text.lines().map(str::trim).filter(|line| !line.is_empty());
            lines.extend(
                found
                    .take(MOST_LINES)
                    .map(|line| line.chars().take(LONGEST_LINE).collect::<String>()),
            );
        }
        Ok(lines)
    }

    fn drawn(&self, bytes: &[u8], page: usize) -> Result<Vec<u8>, ScanError> {
        let program = self.pdftoppm.as_ref().ok_or(ScanError::Missing("pdftoppm"))?;
        let page = page.to_string();
        // the longer side in pixels, so that no page grows without bound
        let args = ["-png", "-scale-to", "2400", "-f", &page, "-l", &page, "-"];
        run("pdftoppm", program, &args, bytes.to_vec(), PAGE, MOST_PICTURE)
    }
}

/// Runs a program with this input; gives its output.
fn run(
    name: &'static str,
    program: &Path,
    args: &[&str],
    input: Vec<u8>,
    time: Duration,
    most: u64,
) -> Result<Vec<u8>, ScanError> {
    let failed = |why: std::io::Error| ScanError::Run {
        program: name,
        why: why.kind().to_string(),
    };
    let mut child = Command::new(program)
        .args(args)
        .env_clear()
        .env("LC_ALL", "C.UTF-8")
        .env("OMP_THREAD_LIMIT", "1")
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed)?;
    let stdin = child.stdin.take();
    let stdout = child.stdout.take();
    // a program that reads nothing, or says nothing, must not keep us
    let writer = std::thread::spawn(move || {
        if let Some(mut stdin) = stdin {
            // who ends early closes its input; its output decides
            let _ = stdin.write_all(&input);
        }
    });
    let reader = std::thread::spawn(move || {
        let mut said = Vec::new();
        if let Some(stdout) = stdout {
            let _ = stdout.take(most.saturating_add(1)).read_to_end(&mut said);
        }
        said
    });
    let end = Instant::now() + time;
    let status = loop {
        match child.try_wait().map_err(failed)? {
            Some(status) => break Some(status),
            // more than the limit is not read, so whoever says more waits here until its time is over
            None if Instant::now() >= end => {
                let _ = child.kill();
                let _ = child.wait();
                break None;
            }
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    };
    let said = reader.join().unwrap_or_default();
    let _ = writer.join();
    match status {
        None => Err(ScanError::Ended(name)),
        Some(_) if said.len() as u64 > most => Err(ScanError::Ended(name)),
        Some(status) if status.success() => Ok(said),
        Some(_) => Err(ScanError::Damaged),
    }
}

/// Width and height of a picture, from its head.
fn size(media: Media, bytes: &[u8]) -> Option<(u32, u32)> {
    match media {
        Media::Pdf => None,
        Media::Png => {
            let head = bytes.get(12..24)?;
            let number = |at: usize| head.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes);
            head.starts_with(b"IHDR").then_some(())?;
            Some((number(4)?, number(8)?)).filter(|(width, height)| *width > 0 && *height > 0)
        }
        Media::Jpeg => {
            let mut rest = bytes.get(2..)?;
            loop {
                let [0xff, marker, high, low, ..] = rest else {
                    return None;
                };
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                // start of frame, but not the tables that have neighbouring numbers
                if matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc) {
                    let number = |at: usize| rest.get(at..at + 2)?.try_into().ok().map(u16::from_be_bytes);
                    let (height, width) = (u32::from(number(5)?), u32::from(number(7)?));
                    return Some((width, height)).filter(|(width, height)| *width > 0 && *height > 0);
                }
                rest = rest.get(length.checked_add(2)?..)?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes
    }

    #[test]
    fn content_says_what_it_is_and_how_large() {
        assert_eq!(Media::of(b"%PDF-1.7"), Some(Media::Pdf));
        assert_eq!(Media::of(&png(1, 1)), Some(Media::Png));
        let jpeg = b"\xff\xd8\xff\xe0\0\x04ab\xff\xc0\0\x0b\x08\0\x20\0\x10\x03";
        assert_eq!(Media::of(jpeg), Some(Media::Jpeg));
        assert_eq!(size(Media::Jpeg, jpeg), Some((16, 32)));
        for other in [&b""[..], b"GIF89a", b"<svg>", b"PK\x03\x04", b"%pdf-"] {
            assert_eq!(Media::of(other), None);
        }
        let none = Tools::default();
        assert_eq!(none.pages(Media::Png, &png(200, 300)), Ok(1));
        assert_eq!(none.pages(Media::Png, &png(100_000, 100_000)), Err(ScanError::TooLarge));
        for cut in 8..png(1, 1).len() {
            assert_eq!(none.pages(Media::Png, &png(1, 1)[..cut]), Err(ScanError::Damaged));
        }
        for cut in 3..jpeg.len() - 1 {
            assert_eq!(none.pages(Media::Jpeg, &jpeg[..cut]), Err(ScanError::Damaged), "{cut}");
        }
        assert_eq!(none.pages(Media::Pdf, b"%PDF-1.7"), Err(ScanError::Missing("pdfinfo")));
        assert_eq!(
            none.lines(Media::Png, &png(1, 1), 1),
            Err(ScanError::Missing("tesseract"))
        );
    }

    #[test]
    fn a_program_that_hangs_or_talks_without_end_is_ended() {
        let time = Duration::from_millis(200);
        let sleep = run("sleep", Path::new("/bin/sleep"), &["60"], vec![0; 1 << 20], time, 10);
        assert_eq!(sleep, Err(ScanError::Ended("sleep")));
        let talk = run("yes", Path::new("/usr/bin/yes"), &[], Vec::new(), time, 10);
        assert_eq!(talk, Err(ScanError::Ended("yes")));
        let fails = run("false", Path::new("/bin/false"), &[], vec![0; 1 << 20], time, 10);
        assert_eq!(fails, Err(ScanError::Damaged));
        let none = run("none", Path::new("/nowhere/none"), &[], Vec::new(), time, 10);
        assert!(matches!(none, Err(ScanError::Run { program: "none", .. })));
        let echo = run("cat", Path::new("/bin/cat"), &[], b"abc".to_vec(), PAGE, 10);
        assert_eq!(echo, Ok(b"abc".to_vec()));
    }
}
