//! The guard before a spreadsheet from outside: what it is, how much it unpacks to, and what must not be in it. Nothing
//! is kept of what is unpacked; memory is bounded by [`Limits::part`].

use std::io::{Cursor, Read as _};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use zip::ZipArchive;

/// How much is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of a file.
    pub file: usize,
    /// Most bytes one part of a file may unpack to.
    pub part: u64,
    /// Most bytes a file may unpack to.
    pub unpacked: u64,
    /// Most rows, the heading not counted.
    pub rows: usize,
    /// Most columns.
    pub columns: usize,
}

/// Most parts of a file.
const MOST_PARTS: usize = 300;

/// What kind of spreadsheet it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
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
    #[error("cells are merged{}", at(.0.as_deref()))]
    Merged(Option<String>),
    /// A cell holds a formula; which, if it is known.
    #[error("a cell holds a formula{}, a value that nobody typed", at(.0.as_deref()))]
    Formula(Option<String>),
    /// It has no such sheet.
    #[error("the file has no sheet `{0}`")]
    NoSheet(String),
    /// It can't be read to its end.
    #[error("the file is damaged")]
    Damaged,
}

fn at(cell: Option<&str>) -> String {
    cell.map(|cell| format!(" at {cell}")).unwrap_or_default()
}

/// Looks at a file before anything of it is used: no macros, no formulas, no merged cells, no more than is taken.
///
/// # Errors
/// [`Refusal`].
pub fn look(bytes: &[u8], limits: &Limits) -> Result<Kind, Refusal> {
    if bytes.len() > limits.file {
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
    let mut room = limits.unpacked;
    for (index, name) in names.iter().enumerate() {
        let part = archive.by_index(index).map_err(|_| Refusal::Damaged)?;
        let most = room.min(limits.part);
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
            Kind::Ods if name == "content.xml" => table(&text(content)?, limits)?,
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
fn table(xml: &str, limits: &Limits) -> Result<(), Refusal> {
    let mut reader = Reader::from_str(xml);
    let (mut row, mut repeated_row, mut column) = (0_u64, 1_u64, 0_u64);
    let number = |element: &BytesStart<'_>, name: &str| {
        attribute(element, name)
            .and_then(|text| text.parse::<u64>().ok())
            .unwrap_or(1)
            .max(1)
    };
    let rows = u64::try_from(limits.rows).unwrap_or(u64::MAX);
    let columns = u64::try_from(limits.columns).unwrap_or(u64::MAX);
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
