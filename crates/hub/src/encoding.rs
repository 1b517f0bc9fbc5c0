//! From the bytes of a source to UTF-8: nothing is guessed and nothing is lost unseen.
//!
//! What can't be read becomes [`LOST`] with the bytes behind it in hexadecimal, as `U+FFFD<FA40>`, so that the cell is
//! rejected with its place and the steward sees what stood there. A source that holds U+FFFD itself lost the character
//! before it came here and is told the same way.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, BufRead, Read};
use std::sync::{Arc, LazyLock};

use crate::dataset::{Encoding, Source};

/// Stands where a character can't be read.
pub(crate) const LOST: char = '\u{fffd}';

/// Bytes read at once.
const CHUNK: usize = 1 << 16;
/// Lines with other characters than ASCII after which the two encodings are told apart.
const ENOUGH: u64 = 2000;
/// Longest line that is looked at as a whole.
const LONGEST_LINE: usize = 1 << 20;

/// Big5 by code from 0x8100, as browsers read it (WHATWG): ETEN's characters and the supplementary ones of Hong Kong.
/// Some codes are a letter with an accent of its own, so a code is one or two characters.
static BIG5: LazyLock<Vec<[char; 2]>> = LazyLock::new(|| {
    (0x8100..=0xFEFF_u16)
        .map(|code| {
            let bytes = code.to_be_bytes();
            match encoding_rs::BIG5.decode_without_bom_handling_and_without_replacement(&bytes) {
                Some(text) if !text.as_bytes().last().is_some_and(u8::is_ascii) => {
                    let mut chars = text.chars();
                    [chars.next().unwrap_or('\0'), chars.next().unwrap_or('\0')]
                }
                _ => ['\0', '\0'],
            }
        })
        .collect()
});

/// The characters of a Big5 code, if it has any here.
fn big5(encoding: Encoding, code: u16) -> Option<[char; 2]> {
    // Hong Kong put other characters where Taiwanese systems have those that users defined, and U+0000 means none
    let user_defined = !(0xA140..0xFA40).contains(&code);
    if encoding == Encoding::Big5 && user_defined {
        return None;
    }
    let found = *BIG5.get(usize::from(code.checked_sub(0x8100)?))?;
    (found[0] != '\0').then_some(found)
}

/// Reads a source as UTF-8.
pub(crate) struct Decoded<R> {
    inner: R,
    encoding: Encoding,
    eudc: Arc<BTreeMap<u16, String>>,
    /// Bytes read and not yet turned into characters.
    raw: Vec<u8>,
    ready: String,
    given: usize,
    ended: bool,
    begun: bool,
}

impl<R: Read> Decoded<R> {
    pub(crate) fn new(inner: R, source: &Source) -> Decoded<R> {
        Decoded {
            inner,
            encoding: source.encoding,
            eudc: Arc::clone(&source.eudc),
            raw: Vec::with_capacity(CHUNK * 2),
            ready: String::with_capacity(CHUNK * 2),
            given: 0,
            ended: false,
            begun: false,
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        self.ready.clear();
        self.given = 0;
        while self.ready.is_empty() && !self.ended {
            let kept = self.raw.len();
            self.raw.resize(kept + CHUNK, 0);
            let read = self.inner.read(self.raw.get_mut(kept..).unwrap_or_default())?;
            self.raw.truncate(kept + read);
            self.ended = read == 0;
            let used = match self.encoding {
                Encoding::Utf8 => utf8(&self.raw, self.ended, &mut self.ready),
                encoding => double(encoding, &self.eudc, &self.raw, self.ended, &mut self.ready),
            };
            self.raw.drain(..used);
            if !self.begun && !self.ready.is_empty() {
                self.begun = true;
                if self.ready.starts_with('\u{feff}') {
                    self.ready.drain(..'\u{feff}'.len_utf8());
                }
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let ready = self.fill_buf()?;
        let count = ready.len().min(out.len());
        if let (Some(to), Some(from)) = (out.get_mut(..count), ready.get(..count)) {
            to.copy_from_slice(from);
        }
        self.consume(count);
        Ok(count)
    }
}

impl<R: Read> BufRead for Decoded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.given >= self.ready.len() {
            self.fill()?;
        }
        Ok(self.ready.as_bytes().get(self.given..).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        self.given += count;
    }
}

fn lost(bytes: &[u8], out: &mut String) {
    out.push(LOST);
    out.push('<');
    for byte in bytes {
        // writing into a text does not fail
        let _ = write!(out, "{byte:02X}");
    }
    out.push('>');
}

/// Decodes UTF-8 and answers how many bytes are done with.
fn utf8(raw: &[u8], ended: bool, out: &mut String) -> usize {
    let mut done = 0;
    while let Some(rest) = raw.get(done..).filter(|rest| !rest.is_empty()) {
        match std::str::from_utf8(rest) {
            Ok(text) => {
                out.push_str(text);
                return raw.len();
            }
            Err(error) => {
                let good = error.valid_up_to();
                out.push_str(&String::from_utf8_lossy(rest.get(..good).unwrap_or_default()));
                done += good;
                let bad = match error.error_len() {
                    Some(length) => length,
                    None if ended => rest.len() - good,
                    // the rest of the character comes with the next bytes
                    None => return done,
                };
                lost(raw.get(done..done + bad).unwrap_or_default(), out);
                done += bad;
            }
        }
    }
    done
}

/// Decodes Big5 and answers how many bytes are done with.
fn double(encoding: Encoding, eudc: &BTreeMap<u16, String>, raw: &[u8], ended: bool, out: &mut String) -> usize {
    let mut at = 0;
    while let Some(first) = raw.get(at).copied() {
        if first.is_ascii() {
            let run = raw.get(at..).unwrap_or_default();
            let length = run.iter().position(|byte| !byte.is_ascii()).unwrap_or(run.len());
            out.push_str(&String::from_utf8_lossy(run.get(..length).unwrap_or_default()));
            at += length;
            continue;
        }
        let Some(second) = raw.get(at + 1).copied() else {
            if !ended {
                return at;
            }
            lost(&[first], out);
            return raw.len();
        };
        let code = u16::from_be_bytes([first, second]);
        let trail = matches!(second, 0x40..=0x7E | 0xA1..=0xFE);
        if let Some(character) = eudc.get(&code) {
            out.push_str(character);
        } else if let Some(found) = big5(encoding, code).filter(|_| trail) {
            out.extend(found.into_iter().filter(|character| *character != '\0'));
        } else if trail {
            lost(&[first, second], out);
        } else {
            // a byte that can't be the second of two is read for itself
            lost(&[first], out);
            at += 1;
            continue;
        }
        at += 2;
    }
    at
}

/// Tells while a source is read for its digest whether its bytes are in the encoding that the folder declares.
pub(crate) struct Survey {
    declared: Encoding,
    line: Vec<u8>,
    number: u64,
    looked: u64,
    as_declared: u64,
    as_other: u64,
    first: Option<u64>,
    beginning: Vec<u8>,
}

impl Survey {
    pub(crate) fn new(declared: Encoding) -> Survey {
        Survey {
            declared,
            line: Vec::new(),
            number: 1,
            looked: 0,
            as_declared: 0,
            as_other: 0,
            first: None,
            beginning: Vec::new(),
        }
    }

    fn other(&self) -> Encoding {
        match self.declared {
            Encoding::Utf8 => Encoding::Big5Hkscs,
            Encoding::Big5 | Encoding::Big5Hkscs => Encoding::Utf8,
        }
    }

    pub(crate) fn look(&mut self, bytes: &[u8]) {
        if self.beginning.len() < 4 {
            let more = bytes.get(..4.min(bytes.len())).unwrap_or_default();
            self.beginning.extend_from_slice(more);
        }
        if self.looked >= ENOUGH {
            return;
        }
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.line.len() < LONGEST_LINE {
                self.line.extend_from_slice(part);
            }
            if part.ends_with(b"\n") {
                self.judge();
            }
        }
    }

    fn judge(&mut self) {
        if !self.line.is_ascii() {
            self.looked += 1;
            let fits = |encoding| {
                let mut text = String::with_capacity(self.line.len() * 2);
                match encoding {
                    Encoding::Utf8 => utf8(&self.line, true, &mut text),
                    // characters that users defined are Big5 all the same
                    _ => double(Encoding::Big5Hkscs, &BTreeMap::new(), &self.line, true, &mut text),
                };
                !text.contains(LOST)
            };
            match (fits(self.declared), fits(self.other())) {
                (true, false) => self.as_declared += 1,
                (false, true) => {
                    self.as_other += 1;
                    self.first.get_or_insert(self.number);
                }
                _ => {}
            }
        }
        self.line.clear();
        self.number += 1;
    }

    /// Why the load must wait for the steward, if the bytes say something else than the folder.
    pub(crate) fn disagreement(mut self) -> Option<String> {
        if !self.line.is_empty() {
            self.judge();
        }
        if self.beginning.starts_with(&[0xFF, 0xFE]) || self.beginning.starts_with(&[0xFE, 0xFF]) {
            let declared = self.declared.word();
            return Some(format!(
                "the folder declares `{declared}`, the file begins as `utf-16`; have it written in `{declared}`"
            ));
        }
        let marked = self.beginning.starts_with(&[0xEF, 0xBB, 0xBF]) && self.declared != Encoding::Utf8;
        if !marked && self.as_other <= self.as_declared {
            return None;
        }
        let (declared, other) = (self.declared.word(), self.other().word().trim_end_matches("-hkscs"));
        let line = if marked { 1 } else { self.first.unwrap_or(1) };
        Some(format!(
            "the folder declares `{declared}`, the bytes read as `{other}`; they differ first in line {line}; write \
             `encoding = \"{other}\"` if the source has changed, else ask for it in `{declared}`"
        ))
    }
}
