//! The spreadsheet in which a body confirms many at once: written with what waits, read back row by row.

use std::collections::{BTreeMap, BTreeSet};

use civic::Language;
use jiff::Timestamp;
use rust_xlsxwriter::{DataValidation, Format, Workbook, XlsxError};
use serde_json::Value;

use super::guard::{LIMITS, Refusal};
use super::{About, Confirmation};
use crate::form::{Field, FieldKind, Form};

/// Most rows below the headings.
pub const MOST_ROWS: usize = 1000;
/// Most columns.
pub(super) const MOST_COLUMNS: usize = 60;
/// Columns before those of the fields: number, name, national id.
const FIXED: usize = 3;
/// Most characters of one cell that are looked at.
const LONGEST: usize = 500;

/// A row of the sheet as it is written.
#[derive(Clone, Debug)]
pub struct SheetRow {
    /// Number of the application.
    pub number: String,
    /// Whom it is about.
    pub about: About,
    /// What the person answered, in the order of the columns; empty where nothing was.
    pub values: Vec<String>,
}

/// The sheet could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the spreadsheet can't be written: {0}")]
pub struct SheetError(#[from] XlsxError);

/// One row as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Number of the row in the sheet, from 1.
    pub row: u32,
    /// Number of the application.
    pub number: String,
    /// Whom it says to be about.
    pub about: About,
    /// Values by field.
    pub values: BTreeMap<String, Value>,
}

/// What is wrong with one cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellError {
    /// Number of the row in the sheet, from 1.
    pub row: u32,
    /// Letter and heading of the column.
    pub column: String,
    /// What is wrong and how to put it right.
    pub message: String,
}

/// What a sheet says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Read {
    /// Rows without a mistake.
    pub lines: Vec<Line>,
    /// Mistakes, by row and column.
    pub errors: Vec<CellError>,
}

/// The headings, in order.
fn headings(confirmation: &Confirmation, form: &Form, language: Language) -> Vec<String> {
    let fixed = if language == Language::ZhTw {
        ["申請案號", "姓名", "身分證或居留證統一編號"]
    } else {
        ["Application", "Name", "National ID"]
    };
    let fields = confirmation.columns(form).map(|field| field.label.get(language));
    fixed.into_iter().chain(fields).map(str::to_owned).collect()
}

/// The letter of a column, from 0: `A`, `Z`, `AA`.
fn letter(column: usize) -> String {
    let mut letters = Vec::new();
    let mut rest = column + 1;
    while rest > 0 {
        let digit = u8::try_from((rest - 1) % 26).unwrap_or(0);
        letters.push(char::from(b'A' + digit));
        rest = (rest - 1) / 26;
    }
    letters.iter().rev().collect()
}

/// Writes the sheet of what waits, with the answers of the person to be confirmed or corrected.
///
/// # Errors
/// [`SheetError`].
pub fn write(
    confirmation: &Confirmation,
    form: &Form,
    rows: &[SheetRow],
    language: Language,
) -> Result<Vec<u8>, SheetError> {
    let mut book = Workbook::new();
    let head = Format::new().set_bold().set_text_wrap();
    let plain = Format::new().set_num_format("@");
    let sheet = book.add_worksheet();
    let title: String = confirmation.title.get(language).chars().take(31).collect();
    // a title that a sheet can't have leaves the usual name
    let _ = sheet.set_name(title);
    let headings = headings(confirmation, form, language);
    for (column, heading) in headings.iter().enumerate() {
        let column = u16::try_from(column).unwrap_or(u16::MAX);
        sheet.write_string_with_format(0, column, heading, &head)?;
        sheet.set_column_width(column, if column < 3 { 22 } else { 18 })?;
    }
    sheet.set_freeze_panes(1, 2)?;
    let last = u32::try_from(rows.len()).unwrap_or(u32::MAX).max(1);
    for (at, field) in confirmation.columns(form).enumerate() {
        let column = u16::try_from(at + FIXED).unwrap_or(u16::MAX);
        let choices = choices(field, language);
        // a list may be 255 characters long, with commas between its choices; others are typed
        let length: usize = choices.iter().map(|text| text.chars().count() + 1).sum();
        let listed = !choices.is_empty() && length <= 255 && !choices.iter().any(|text| text.contains(','));
        if listed {
            let list = DataValidation::new().allow_list_strings(&choices)?;
            sheet.add_data_validation(1, column, last, column, &list)?;
        }
    }
    for (at, row) in rows.iter().enumerate() {
        let line = u32::try_from(at + 1).unwrap_or(u32::MAX);
        for (column, text) in [&row.number, &row.about.name, &row.about.identity]
            .into_iter()
            .enumerate()
        {
            sheet.write_string_with_format(line, u16::try_from(column).unwrap_or(0), text, &plain)?;
        }
        for (column, text) in row.values.iter().enumerate() {
            let column = u16::try_from(column + FIXED).unwrap_or(u16::MAX);
            match text.parse::<i32>() {
                Ok(number) => sheet.write_number(line, column, f64::from(number))?,
                Err(_) => sheet.write_string(line, column, text)?,
            };
        }
    }
    Ok(book.save_to_buffer()?)
}

/// The words a cell of this field may hold; none where it is not chosen from a list.
fn choices(field: &Field, language: Language) -> Vec<String> {
    match &field.kind {
        FieldKind::YesNo => [true, false]
            .map(|value| field.shown(&Value::Bool(value), language))
            .into(),
        kind => kind
            .choices()
            .iter()
            .map(|choice| choice.label.get(language).to_owned())
            .collect(),
    }
}

/// A cell as text, or why it can't be.
type Cell = Result<String, &'static str>;

/// Where a cell stands: row and column from 0.
type Grid = BTreeMap<(u32, u32), Cell>;

/// The cells of the first sheet that hold something.
fn grid(bytes: &[u8]) -> Result<Grid, Refusal> {
    let mut grid = Grid::new();
    spreadsheet::each_cell(bytes, None, &LIMITS, &mut |row, column, cell| {
        let cell = match cell {
            spreadsheet::Cell::Error => Err("error"),
            spreadsheet::Cell::Text(text) if text.chars().count() > LONGEST => Err("long"),
            // what the sheet asks for are days, so the time of an instant is not looked at
            spreadsheet::Cell::Instant(text) => Ok(text.chars().take(10).collect()),
            spreadsheet::Cell::Text(text) => Ok(text.trim().to_owned()),
        };
        if cell.as_ref().map_or(true, |text| !text.is_empty()) {
            grid.insert((row, column), cell);
        }
        true
    })?;
    Ok(grid)
}

/// Reads a sheet. Mistakes of cells stand beside the rows that have none; a file that is not one of ours is refused as a
/// whole. A cell that holds an error of its program counts as a mistake; formulas are refused, since what they would give
/// elsewhere is not known.
///
/// # Errors
/// [`Refusal`].
pub fn read(
    confirmation: &Confirmation,
    form: &Form,
    bytes: &[u8],
    language: Language,
    now: Timestamp,
) -> Result<Read, Refusal> {
    let grid = grid(bytes)?;
    let text = |row: u32, column: usize| -> Cell {
        let column = u32::try_from(column).unwrap_or(u32::MAX);
        grid.get(&(row, column)).cloned().unwrap_or_else(|| Ok(String::new()))
    };
    let said: Vec<String> = (0..MOST_COLUMNS)
        .map(|column| text(0, column).unwrap_or_default())
        .collect();
    // a sheet that was downloaded in one language may come back to a page in the other
    let known = Language::ALL
        .into_iter()
        .filter(|other| matches!(other, Language::ZhTw | Language::En))
        .map(|other| headings(confirmation, form, other))
        .find(|headings| said.iter().zip(headings).all(|(said, heading)| said == heading));
    let headings = known.unwrap_or_else(|| headings(confirmation, form, language));
    for (column, found) in said.iter().enumerate() {
        let expected = headings.get(column).map_or("", String::as_str);
        if found != expected {
            return Err(Refusal::Header {
                column: letter(column),
                found: found.chars().take(40).collect(),
                expected: expected.to_owned(),
            });
        }
    }
    let rows: BTreeSet<u32> = grid.keys().map(|(row, _)| *row).filter(|row| *row > 0).collect();
    if rows.is_empty() {
        return Err(Refusal::Empty);
    }
    let mut found = Read::default();
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for row in rows {
        let mut wrong = Vec::new();
        let mut error = |column: usize, message: String| {
            let heading = headings.get(column).map_or("", String::as_str);
            wrong.push(CellError {
                row: row + 1,
                column: format!("{} {heading}", letter(column)),
                message,
            });
        };
        let mut of = |column: usize| match text(row, column) {
            Ok(text) => Some(text),
            Err(why) => {
                error(column, unreadable(why, language));
                None
            }
        };
        let fixed: Vec<String> = (0..FIXED).map(|column| of(column).unwrap_or_default()).collect();
        let cells: Vec<(usize, Option<String>)> = (FIXED..headings.len()).map(|column| (column, of(column))).collect();
        let [number, name, identity] = fixed.as_slice() else {
            continue;
        };
        if number.is_empty() {
            error(
                0,
                say(language, "請填申請案號。", "Fill in the number of the application."),
            );
        } else if let Some(first) = seen.insert(number.clone(), row + 1) {
            let chinese = format!("這個案號在第 {first} 列已經有了，請刪掉一列。");
            let english = format!("This application stands in row {first} already; remove one.");
            error(0, say(language, &chinese, &english));
        }
        let mut values = BTreeMap::new();
        for (field, (column, cell)) in confirmation.columns(form).zip(cells) {
            let Some(cell) = cell else { continue };
            match field.read(&cell, language, now) {
                Ok(Some(value)) => {
                    values.insert(field.id.clone(), value);
                }
                Ok(None) => {}
                Err(message) => error(column, message),
            }
        }
        if wrong.is_empty() {
            found.lines.push(Line {
                row: row + 1,
                number: number.clone(),
                about: About {
                    name: name.clone(),
                    identity: identity.to_ascii_uppercase(),
                },
                values,
            });
        }
        found.errors.append(&mut wrong);
    }
    Ok(found)
}

fn say(language: Language, chinese: &str, english: &str) -> String {
    if language == Language::ZhTw { chinese } else { english }.to_owned()
}

fn unreadable(why: &str, language: Language) -> String {
    match why {
        "long" => say(language, "字太多，請縮短。", "Too long; shorten it."),
        _ => say(
            language,
            "這一格是錯誤值，請直接填上正確的值。",
            "The cell holds an error; type the right value.",
        ),
    }
}
