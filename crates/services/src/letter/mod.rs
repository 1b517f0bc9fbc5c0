//! Letters (公文書): Typst templates of the folder's `letters/`, made to tagged PDF in this process.

mod counter;
mod sample;

use std::collections::BTreeMap;
use std::path::Path;

use press::{Bounds, Made, PressError, Remark};
use rules::Mistake;
use serde_json::Value;

use crate::folder::{at_top, mistake};

pub use counter::{Sheet, counter_sheet};
pub(crate) use sample::sample;
pub use sample::{KINDS, RECOVERY};

/// Most bytes of all files of a `letters` folder together.
const MOST_BYTES: usize = 4 << 20;
/// How large a letter may get.
const BOUNDS: Bounds = Bounds {
    bytes: 256 << 10,
    pages: 40,
    seconds: 30,
};

/// Why a letter could not be made. No message carries the letter's data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LetterError {
    /// The service has no letter of this kind.
    #[error("the service has no letter `{0}`; add `letters/{0}.typ` to its folder")]
    NoKind(String),
    /// The template has a mistake, or does not fit the data.
    #[error("the letter can't be made: {0}")]
    Template(Box<Mistake>),
    /// The template itself uses characters that the letter font does not have.
    #[error("the letter font has no {0}; write the letter with other characters")]
    NotInFont(String),
    /// The data is too large for a letter.
    #[error("the letter's data is too large; the most is {} KiB", BOUNDS.bytes >> 10)]
    TooMuch,
    /// The letter has too many pages.
    #[error("the letter has {0} pages; the most is {most}", most = BOUNDS.pages)]
    TooLong(usize),
    /// Making the letter takes too long.
    #[error(
        "the letter was not ready after {} seconds; look for a loop in its template",
        BOUNDS.seconds
    )]
    TooSlow,
    /// The letter press itself does not work.
    #[error("the letter press does not work: {0}")]
    Press(String),
}

/// A letter that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The PDF (PDF/UA-1).
    pub pdf: Vec<u8>,
    /// How many pages it has.
    pub pages: usize,
    /// Characters of the data that the font does not have, such as rare ones in names. In the letter each stands as
    /// `〔U+20BB7〕`, never as an empty box.
    pub missing: Vec<char>,
    /// What the typesetter wants looked at.
    pub warnings: Vec<Mistake>,
}

/// The templates of a service and the files they use.
#[derive(Clone, Debug, Default)]
pub(crate) struct Letters {
    /// By name within `letters/`.
    files: BTreeMap<String, Vec<u8>>,
}

impl Letters {
    /// Reads `letters/`. Every kind must be there, with `recovers` also the one that claims back.
    pub fn read(folder: &Path, recovers: bool) -> Result<Self, Vec<Mistake>> {
        let mut letters = Self::default();
        let mut mistakes = Vec::new();
        let mut left = MOST_BYTES;
        for ending in ["typ", "svg", "png"] {
            for name in crate::folder::names(&folder.join("letters"), ending) {
                let shown = format!("letters/{name}");
                match crate::folder::bytes(folder, &shown) {
                    Ok(bytes) if bytes.len() <= left => {
                        left -= bytes.len();
                        letters.files.insert(name, bytes);
                    }
                    Ok(_) => mistakes.push(at_top(
                        &shown,
                        format!("the letters are larger than {MOST_BYTES} bytes together"),
                        "make pictures smaller",
                    )),
                    Err(found) => mistakes.push(found),
                }
            }
        }
        for kind in KINDS.into_iter().chain(recovers.then_some(RECOVERY)) {
            match letters.files.get(&format!("{kind}.typ")) {
                None => mistakes.push(at_top(
                    &format!("letters/{kind}.typ"),
                    format!("the letter `{kind}` is missing"),
                    "write it; it gets its data by `json(\"data.json\")`",
                )),
                Some(bytes) => mistakes.extend(syntax(&format!("{kind}.typ"), bytes)),
            }
        }
        if mistakes.is_empty() {
            Ok(letters)
        } else {
            Err(mistakes)
        }
    }

    /// Names and contents, for the digest of the folder.
    pub fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
    }

    /// Makes a letter. The same data gives the same bytes.
    pub fn make(&self, service: &str, kind: &str, data: &Value) -> Result<Letter, LetterError> {
        if !self.files.contains_key(&format!("{kind}.typ")) {
            return Err(LetterError::NoKind(kind.to_owned()));
        }
        let ident = format!("{service}/{kind}");
        let made = press::make(self.files.clone(), &format!("{kind}.typ"), data, &ident, BOUNDS)?;
        Ok(made.into())
    }
}

/// What the press says, as a mistake of the folder.
fn told(remark: Remark) -> Mistake {
    let file = format!("letters/{}", remark.file);
    mistake(&file, remark.line, remark.column, remark.message, remark.hint)
}

impl From<Made> for Letter {
    fn from(made: Made) -> Self {
        Self {
            pdf: made.pdf,
            pages: made.pages,
            missing: made.missing,
            warnings: made.warnings.into_iter().map(told).collect(),
        }
    }
}

impl From<PressError> for LetterError {
    fn from(error: PressError) -> Self {
        match error {
            PressError::Template(remark) => Self::Template(Box::new(told(*remark))),
            PressError::NotInFont(characters) => Self::NotInFont(characters),
            PressError::TooMuch(_) => Self::TooMuch,
            PressError::TooLong(pages) => Self::TooLong(pages),
            PressError::TooSlow(_) => Self::TooSlow,
            PressError::Broken(why) => Self::Press(why),
        }
    }
}

/// Mistakes of syntax, found without making the letter.
fn syntax(name: &str, bytes: &[u8]) -> Vec<Mistake> {
    match std::str::from_utf8(bytes) {
        Ok(text) => press::syntax(name, text).into_iter().map(told).collect(),
        Err(_) => vec![at_top(
            &format!("letters/{name}"),
            "the file is not UTF-8 text".to_owned(),
            "save it as UTF-8",
        )],
    }
}
