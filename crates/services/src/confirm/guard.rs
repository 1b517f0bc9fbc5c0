//! The guard before a spreadsheet from outside: what it is, how much it unpacks to, and what must not be in it. Nothing
//! is kept of what is unpacked; memory is bounded by [`LARGEST_PART`].

use std::io::{Cursor, Read as _};

use civic::Language;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use zip::ZipArchive;

use super::sheet::{MOST_COLUMNS, MOST_ROWS};

/// Most bytes of a file.
pub const LARGEST_FILE: usize = 4 << 20;
/// Most bytes one part of a file may unpack to.
const LARGEST_PART: u64 = 24 << 20;
/// Most bytes a file may unpack to.
const LARGEST_UNPACKED: u64 = 48 << 20;
/// Most parts of a file.
const MOST_PARTS: usize = 300;

/// What kind of spreadsheet it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Office Open XML (`.xlsx`).
    Xlsx,
    /// OpenDocument (`.ods`).
    Ods,
}

/// Why a file is not taken at all. Nothing of it was used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No spreadsheet: text, a picture, a `.csv` with another ending.
    #[error("the file is no spreadsheet")]
    NotASpreadsheet,
    /// Closed with a password, or a spreadsheet of the old kind (`.xls`).
    #[error("the file is closed with a password or of the old kind")]
    Locked,
    /// It holds macros.
    #[error("the file holds macros")]
    Macros,
    /// More bytes than are taken, packed or unpacked.
    #[error("the file is too large")]
    TooLarge,
    /// More rows or columns than are taken.
    #[error("the file has too many rows or columns")]
    TooManyRows,
    /// Cells are merged; where, if it is known.
    #[error("cells are merged")]
    Merged(Option<String>),
    /// A cell holds a formula; which, if it is known.
    #[error("a cell holds a formula")]
    Formula(Option<String>),
    /// It can't be read to its end.
    #[error("the file is damaged")]
    Damaged,
    /// A column has another heading.
    #[error("the heading of column {column} is not `{expected}`")]
    Header {
        /// Letter of the column.
        column: String,
        /// What stands there.
        found: String,
        /// What should stand there.
        expected: String,
    },
    /// There is nothing below the headings.
    #[error("no row is filled in")]
    Empty,
}

impl Refusal {
    /// What is wrong and how to put it right.
    #[must_use]
    pub fn message(&self, language: Language) -> String {
        if language == Language::ZhTw {
            self.chinese()
        } else {
            self.english()
        }
    }

    fn chinese(&self) -> String {
        let at = |cell: &Option<String>| cell.as_ref().map_or_else(String::new, |cell| format!("（{cell}）"));
        match self {
            Self::NotASpreadsheet => {
                "這不是試算表。請上傳 .xlsx 或 .ods 檔；.csv 檔請用試算表軟體開啟後另存成 .xlsx，只改副檔名沒有用。"
                    .into()
            }
            Self::Locked => "檔案有密碼保護，或是舊的 .xls 檔。請開啟後另存成沒有密碼的 .xlsx 檔。".into(),
            Self::Macros => "檔案裡有巨集。請另存成不含巨集的 .xlsx 檔。".into(),
            Self::TooLarge => "檔案太大。請只留下載的那張表，不要放圖片。".into(),
            Self::TooManyRows => format!("資料太多。一次最多 {MOST_ROWS} 列、{MOST_COLUMNS} 欄，請分次上傳。"),
            Self::Merged(cell) => format!("有合併的儲存格{}。請取消合併，一格填一個值。", at(cell)),
            Self::Formula(cell) => format!("有公式{}。請複製後「只貼上值」，再存檔。", at(cell)),
            Self::Damaged => "檔案打不開，可能沒有存完整。請重新存檔再上傳。".into(),
            Self::Header {
                column,
                found,
                expected,
            } if found.is_empty() => {
                format!(
                    "{column} 欄的標題應該是「{expected}」，現在是空白的。請用下載的表格填寫，不要改標題、不要增減欄位。"
                )
            }
            Self::Header {
                column,
                found,
                expected,
            } => {
                format!(
                    "{column} 欄的標題應該是「{expected}」，現在是「{found}」。請用下載的表格填寫，不要改標題、不要增減欄位。"
                )
            }
            Self::Empty => "標題下面沒有資料。請至少填一列。".into(),
        }
    }

    fn english(&self) -> String {
        let at = |cell: &Option<String>| cell.as_ref().map_or_else(String::new, |cell| format!(" ({cell})"));
        match self {
            Self::NotASpreadsheet => "This is no spreadsheet. Upload an .xlsx or .ods file. Open a .csv file in a spreadsheet program and save it as .xlsx; changing its ending is not enough.".into(),
            Self::Locked => "The file is closed with a password or is an old .xls file. Open it and save it as .xlsx without a password.".into(),
            Self::Macros => "The file holds macros. Save it as .xlsx without macros.".into(),
            Self::TooLarge => "The file is too large. Keep only the downloaded sheet, without pictures.".into(),
            Self::TooManyRows => format!("That is too much. At most {MOST_ROWS} rows and {MOST_COLUMNS} columns at once; upload it in parts."),
            Self::Merged(cell) => format!("There are merged cells{}. Split them: one value a cell.", at(cell)),
            Self::Formula(cell) => format!("There is a formula{}. Copy and paste its value only, then save.", at(cell)),
            Self::Damaged => "The file can't be opened; it may not be complete. Save it again and upload it.".into(),
            Self::Header { column, found, expected } => format!("The heading of column {column} should be “{expected}” and is “{found}”. Use the downloaded sheet; don't change headings, add or remove columns."),
            Self::Empty => "There is nothing below the headings. Fill in at least one row.".into(),
        }
    }
}

/// Looks at a file before anything of it is used.
pub(super) fn look(bytes: &[u8]) -> Result<Kind, Refusal> {
    if bytes.len() > LARGEST_FILE {
        return Err(Refusal::TooLarge);
    }
    // a compound file of the old kind, into which Office also puts what has a password
    if bytes.starts_with(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1") {
        return Err(Refusal::Locked);
    }
    if !bytes.starts_with(b"PK\x03\x04") {
        return Err(Refusal::NotASpreadsheet);
    }
    // the directory is read as a whole, so its length is bounded first
    let parts = bytes.windows(4).filter(|window| *window == b"PK\x01\x02").count();
    if parts > MOST_PARTS {
        return Err(Refusal::TooLarge);
    }
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| Refusal::Damaged)?;
    if archive.len() > MOST_PARTS || archive.has_duplicate_names() {
        return Err(Refusal::Damaged);
    }
    let mut names = Vec::new();
    for index in 0..archive.len() {
        let part = archive.by_index_raw(index).map_err(|_| Refusal::Damaged)?;
        if part.encrypted() {
            return Err(Refusal::Locked);
        }
        names.push(part.name().map_err(|_| Refusal::Damaged)?.to_string());
    }
    let has = |wanted: &str| names.iter().any(|name| name.eq_ignore_ascii_case(wanted));
    let kind = if has("xl/workbook.xml") {
        Kind::Xlsx
    } else if has("content.xml") && has("mimetype") {
        Kind::Ods
    } else {
        return Err(Refusal::NotASpreadsheet);
    };
    let macros = |name: &String| {
        let name = name.to_ascii_lowercase();
        name.ends_with("vbaproject.bin") || name.starts_with("basic/") || name.starts_with("scripts/")
    };
    if names.iter().any(macros) {
        return Err(Refusal::Macros);
    }
    let mut room = LARGEST_UNPACKED;
    for (index, name) in names.iter().enumerate() {
        let part = archive.by_index(index).map_err(|_| Refusal::Damaged)?;
        let most = room.min(LARGEST_PART);
        let mut content = Vec::new();
        let mut part = part.take(most.saturating_add(1));
        part.read_to_end(&mut content).map_err(|_| Refusal::Damaged)?;
        let size = u64::try_from(content.len()).unwrap_or(u64::MAX);
        if size > most {
            return Err(Refusal::TooLarge);
        }
        room = room.saturating_sub(size);
        let name = name.to_ascii_lowercase();
        match kind {
            Kind::Xlsx if name.starts_with("xl/worksheets/") && name.ends_with(".xml") => sheet(&text(content)?)?,
            Kind::Xlsx if name == "[content_types].xml" && text(content.clone())?.contains("macroEnabled") => {
                return Err(Refusal::Macros);
            }
            Kind::Ods if name == "meta-inf/manifest.xml" && text(content.clone())?.contains("encryption-data") => {
                return Err(Refusal::Locked);
            }
            Kind::Ods if name == "content.xml" => table(&text(content)?)?,
            _ => {}
        }
    }
    Ok(kind)
}

fn text(bytes: Vec<u8>) -> Result<String, Refusal> {
    String::from_utf8(bytes).map_err(|_| Refusal::Damaged)
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut attributes = element.attributes();
    attributes.with_checks(false);
    let found = attributes
        .flatten()
        .find(|attribute| attribute.key.local_name().into_inner() == name)?;
    Some(found.value.into_owned())
}

/// One sheet of an `.xlsx`: no merged cells, no formulas.
fn sheet(xml: &str) -> Result<(), Refusal> {
    let mut reader = Reader::from_str(xml);
    let mut cell = None;
    loop {
        match reader.read_event().map_err(|_| Refusal::Damaged)? {
            Event::Start(element) | Event::Empty(element) => match element.local_name().into_inner() {
                "c" => cell = attribute(&element, "r"),
                "f" => return Err(Refusal::Formula(cell)),
                "mergeCell" => return Err(Refusal::Merged(attribute(&element, "ref"))),
                _ => {}
            },
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

/// The tables of an `.ods`: no merged cells, no formulas, and no cells repeated beyond what is taken.
fn table(xml: &str) -> Result<(), Refusal> {
    let mut reader = Reader::from_str(xml);
    let (mut row, mut repeated_row, mut column) = (0_u64, 1_u64, 0_u64);
    let number = |element: &BytesStart<'_>, name: &str| {
        attribute(element, name)
            .and_then(|text| text.parse::<u64>().ok())
            .unwrap_or(1)
            .max(1)
    };
    let rows = u64::try_from(MOST_ROWS).unwrap_or(u64::MAX);
    let columns = u64::try_from(MOST_COLUMNS).unwrap_or(u64::MAX);
    // a cell is known to hold something by its type, or by the text inside it
    let check = |row: u64, repeated: u64, column: u64| {
        if row.saturating_add(repeated) > rows + 1 || column > columns {
            Err(Refusal::TooManyRows)
        } else {
            Ok(())
        }
    };
    loop {
        match reader.read_event().map_err(|_| Refusal::Damaged)? {
            Event::Start(element) | Event::Empty(element) => match element.local_name().into_inner() {
                "table" => (row, column, repeated_row) = (0, 0, 0),
                "table-row" => {
                    row = row.saturating_add(repeated_row);
                    repeated_row = number(&element, "number-rows-repeated");
                    column = 0;
                }
                "table-cell" | "covered-table-cell" => {
                    let spans = ["number-columns-spanned", "number-rows-spanned"];
                    if spans.iter().any(|name| number(&element, name) > 1) {
                        return Err(Refusal::Merged(None));
                    }
                    column = column.saturating_add(number(&element, "number-columns-repeated"));
                    if attribute(&element, "formula").is_some() {
                        return Err(Refusal::Formula(None));
                    }
                    if attribute(&element, "value-type").is_some() {
                        check(row, repeated_row, column)?;
                    }
                }
                // text without a type still makes the reader keep every repetition of its cell
                "p" | "annotation" => check(row, repeated_row, column)?,
                "scripts" | "event-listeners" => {}
                _ => {}
            },
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}
