//! A dataset as a folder: what its columns mean, where its rows come from, and what must hold of them.

mod file;
mod kind;
mod load;
mod quality;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::{Field, Schema};
use civic::{Mistake, Text};
use jiff::Span;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub(crate) use kind::instant;
pub use kind::{DateFormat, Kind};
pub use quality::{Check, Comparison, Quality};

/// The file that makes a folder a dataset.
pub const FILE: &str = "dataset.toml";

/// A dataset that has no mistakes. `docs/reference/dataset-folder.md` says what each part means.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// Name of its folder.
    pub id: String,
    /// The folder.
    pub folder: PathBuf,
    /// SHA-256, in hexadecimal, of everything in the folder that decides what a source becomes.
    pub digest: String,
    /// What it is called.
    pub title: Text,
    /// What it holds.
    pub description: Text,
    /// Office that answers for it (資料管理單位).
    pub steward: Text,
    /// Articles it rests on.
    pub legal_basis: Vec<String>,
    /// Codes of the purposes (特定目的) its personal data may be used for.
    pub purposes: Vec<String>,
    /// How often it comes anew.
    pub refresh: Refresh,
    /// How long it is kept.
    pub retention: Retention,
    /// What it may be asked of one person or thing; without it nothing.
    pub lookup: Option<Lookup>,
    /// Where its rows come from.
    pub source: Source,
    /// Its columns, in the order of the table.
    pub columns: Vec<Column>,
    /// What must hold.
    pub quality: Vec<Quality>,
}

/// How often a dataset comes anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refresh {
    /// The period.
    pub every: Period,
    /// Day of the next period, from 1, by which it is expected.
    pub expected_by_day: Option<u16>,
}

/// A period after which a dataset comes anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Period {
    Once,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

impl Refresh {
    /// The day by whose end the load after one of this day is expected; none for a dataset that comes once. Of one that comes
    /// each hour it is the same day.
    #[must_use]
    pub fn expected(&self, loaded: Date) -> Option<Date> {
        let next = self.every.next(loaded)?;
        let within = match self.expected_by_day {
            Some(day) => next.checked_add(Span::new().days(i64::from(day.max(1)) - 1)),
            None => match self.every.next(next).filter(|after| *after > next) {
                Some(after) => after.yesterday(),
                None => Ok(next),
            },
        };
        within.ok()
    }
}

impl Period {
    /// First day of the period after that of a day.
    fn next(self, day: Date) -> Option<Date> {
        let months = |first: Date, months: i32| first.checked_add(Span::new().months(months)).ok();
        let begin = |month: i8| Date::new(day.year(), month, 1).ok();
        match self {
            Period::Once => None,
            Period::Hour => Some(day),
            Period::Day => day.tomorrow().ok(),
            Period::Week => {
                let since = i64::from(day.weekday().to_monday_zero_offset());
                day.checked_add(Span::new().days(7 - since)).ok()
            }
            Period::Month => months(day.first_of_month(), 1),
            Period::Quarter => months(begin((day.month() - 1) / 3 * 3 + 1)?, 3),
            Period::Year => months(begin(1)?, 12),
        }
    }
}

/// How long a dataset is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Days for which earlier versions can be read.
    pub history_days: u32,
    /// Years a row is kept (保存年限) after the date in a column; longer than that, it goes.
    pub rows: Option<(u16, usize)>,
}

/// What lookups (資料查調) may ask of a dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// Columns that are asked by.
    pub by: Vec<usize>,
    /// Columns that may be answered.
    pub columns: Vec<usize>,
    /// Longest time in seconds that answers come from one version without looking whether there is a later one.
    pub cache_seconds: u32,
}

/// What kind of file a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Values between delimiters.
    Csv,
    /// Office Open XML.
    Xlsx,
    /// OpenDocument.
    Ods,
    /// An array of objects, or an object with one in it.
    Json,
    /// An object a line.
    JsonLines,
    /// An element a row.
    Xml,
    /// Fields of so many bytes each.
    Fixed,
}

/// How characters are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Encoding {
    /// UTF-8.
    #[serde(rename = "utf-8")]
    Utf8,
    /// Big5 with the characters of ETEN (倚天) and, from a table of the folder, those that users defined (使用者造字).
    #[serde(rename = "big5")]
    Big5,
    /// Big5 with the supplementary characters of Hong Kong (香港增補字符集).
    #[serde(rename = "big5-hkscs")]
    Big5Hkscs,
}

impl Encoding {
    /// The word of `dataset.toml`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Encoding::Utf8 => "utf-8",
            Encoding::Big5 => "big5",
            Encoding::Big5Hkscs => "big5-hkscs",
        }
    }
}

/// What a load does to the rows that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The source is everything: it takes the place of what was there.
    Full,
    /// The source has new rows, and rows that take the place of older ones of the same key.
    Incremental,
    /// The source says of each row whether it is new, changed or gone.
    Changes,
}

/// Where the rows of a dataset come from and how they are written there.
#[derive(Clone, Debug)]
pub struct Source {
    /// Kind of file.
    pub format: Format,
    /// How characters are written.
    pub encoding: Encoding,
    /// Big5 codes of characters that users defined, with what they are.
    pub eudc: Arc<BTreeMap<u16, String>>,
    /// What stands between values.
    pub delimiter: u8,
    /// Whether the first line names the columns.
    pub header: bool,
    /// Sheet of a spreadsheet; the first one where it is not said.
    pub sheet: Option<String>,
    /// Way to the rows: keys of JSON, element names of XML.
    pub rows: Vec<String>,
    /// Names and widths in bytes of fixed fields.
    pub fields: Vec<(String, usize)>,
    /// What a load does.
    pub mode: Mode,
    /// Columns that tell a row from every other.
    pub key: Vec<usize>,
    /// Column whose later value wins.
    pub time: Option<usize>,
    /// What happened to a row.
    pub operation: Option<Operation>,
    /// Columns of the source that are known and not wanted.
    pub ignore: BTreeSet<String>,
}

/// Which column of the source says what happened to a row, and its words for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The column of the source.
    pub from: String,
    /// Words for a row that is new or changed.
    pub put: BTreeSet<String>,
    /// Words for a row that is gone.
    pub delete: BTreeSet<String>,
}

/// How much a column says of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Personal {
    /// Nothing.
    None,
    /// Personal data (個人資料保護法 §2).
    Ordinary,
    /// Tells who it is.
    Identifier,
    /// Personal data of the special kinds (個人資料保護法 §6): health, crime, sexual life, genes.
    Sensitive,
}

/// A column.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its name in the table.
    pub name: String,
    /// What people call it.
    pub title: Text,
    /// What it says.
    pub meaning: Text,
    /// What its values are.
    pub kind: Kind,
    /// Unit of its numbers.
    pub unit: Option<String>,
    /// How much it says of a person.
    pub personal: Personal,
    /// Whether every row has it.
    pub required: bool,
    /// Values it may have, by the code of the source.
    pub codes: Option<Arc<BTreeMap<String, Text>>>,
    /// Columns of the source it comes from.
    pub from: Vec<String>,
    /// What is put between values of several columns of the source.
    pub joined_by: String,
    /// Words of the source for yes and no.
    pub words: BTreeMap<String, bool>,
    /// Words of the source that mean that nothing is known.
    pub empty: BTreeSet<String>,
}

/// What a quality rule does when it does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The row is not taken, and kept with the reason.
    Reject,
    /// Nothing is published until the steward has looked.
    Hold,
    /// It is counted.
    Warn,
}

/// What `tongban hub check` says of a folder.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// What must be put right.
    pub mistakes: Vec<Mistake>,
    /// What should be looked at.
    pub warnings: Vec<Mistake>,
    /// Columns it has.
    pub columns: usize,
    /// Quality rules it has.
    pub rules: usize,
}

impl Report {
    /// Whether a source may be brought in by it.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.mistakes.is_empty()
    }
}

/// Says everything that is wrong with a folder.
#[must_use]
pub fn check(folder: &Path) -> Report {
    load::read(folder).1
}

impl Dataset {
    /// Reads a folder.
    ///
    /// # Errors
    /// [`crate::HubError::Dataset`] with every mistake.
    pub fn load(folder: &Path) -> Result<Dataset, crate::HubError> {
        match load::read(folder) {
            (Some(dataset), report) if report.is_sound() => Ok(dataset),
            (_, report) => Err(crate::HubError::Dataset {
                id: load::id(folder),
                mistakes: report.mistakes,
            }),
        }
    }

    /// The dataset folders within a folder, in the order of their names: those that hold `dataset.toml`.
    #[must_use]
    pub fn folders(within: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(within).into_iter().flatten().flatten();
        let mut found: Vec<PathBuf> = entries
            .map(|entry| entry.path())
            .filter(|path| path.join(FILE).is_file())
            .collect();
        found.sort();
        found
    }

    /// Whether any column says something of a person, so that the lake and the rejects are encrypted.
    #[must_use]
    pub fn is_personal(&self) -> bool {
        self.columns.iter().any(|column| column.personal != Personal::None)
    }

    /// The place of a column.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// The schema of the table: every column may be empty unless it is required.
    #[must_use]
    pub fn schema(&self) -> Arc<Schema> {
        let fields = self.columns.iter().map(|column| {
            // a table keeps the columns of its earlier rows, so what is required of new rows is not put into it
            Field::new(&column.name, column.kind.arrow(), true)
        });
        Arc::new(Schema::new(fields.collect::<Vec<Field>>()))
    }
}
