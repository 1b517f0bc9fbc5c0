//! Reading the cells of one sheet, as people would type them.

use std::io::Cursor;

use calamine::{Data, DataRef, ExcelDateTime, Ods, Reader as _, Xlsx};

use crate::guard::{self, Kind, Limits, Refusal};

/// What a cell holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// A text, a number, `true` or `false`.
    Text(String),
    /// A day, as `2025-11-24`, or an instant, as `2025-11-24T09:30:00`.
    Instant(String),
    /// An error of its program, such as `#REF!`.
    Error,
}

/// A number as people would type it. Whole ones lose the point that spreadsheets give every number.
fn number(value: f64) -> Cell {
    Cell::Text(if value.fract() == 0.0 && value.abs() < 1e15 {
        format!("{value:.0}")
    } else {
        value.to_string()
    })
}

fn instant(at: &ExcelDateTime) -> Cell {
    let (year, month, day, hour, minute, second, _) = at.to_ymd_hms_milli();
    let mut text = format!("{year:04}-{month:02}-{day:02}");
    if (hour, minute, second) != (0, 0, 0) {
        text.push_str(&format!("T{hour:02}:{minute:02}:{second:02}"));
    }
    Cell::Instant(text)
}

fn of_ods(data: &Data) -> Option<Cell> {
    Some(match data {
        Data::Empty => return None,
        Data::Int(value) => Cell::Text(value.to_string()),
        Data::Float(value) => number(*value),
        Data::String(text) => Cell::Text(text.clone()),
        Data::Bool(value) => Cell::Text(value.to_string()),
        Data::DateTime(at) => instant(at),
        Data::DateTimeIso(text) => Cell::Instant(text.clone()),
        Data::DurationIso(_) | Data::Error(_) => Cell::Error,
    })
}

fn of_xlsx(data: &DataRef<'_>) -> Option<Cell> {
    Some(match data {
        DataRef::Empty => return None,
        DataRef::Int(value) => Cell::Text(value.to_string()),
        DataRef::Float(value) => number(*value),
        DataRef::String(text) => Cell::Text(text.clone()),
        DataRef::SharedString(text) => Cell::Text((*text).to_owned()),
        DataRef::Bool(value) => Cell::Text(value.to_string()),
        DataRef::DateTime(at) => instant(at),
        DataRef::DateTimeIso(text) => Cell::Instant(text.clone()),
        DataRef::DurationIso(_) | DataRef::Error(_) => Cell::Error,
    })
}

/// Calls `each` with row and column, from 0, and what stands there, for every cell of a sheet that holds something; the
/// first sheet where none is named. `each` says whether to go on.
///
/// # Errors
/// [`Refusal`]: what [`crate::look`] refuses, or a cell beyond the limits.
pub fn each_cell(
    bytes: &[u8],
    sheet: Option<&str>,
    limits: &Limits,
    each: &mut dyn FnMut(u32, u32, Cell) -> bool,
) -> Result<(), Refusal> {
    let kind = guard::look(bytes, limits)?;
    let mut take = |row: u32, column: u32, cell: Option<Cell>| {
        let Some(cell) = cell.filter(|cell| !matches!(cell, Cell::Text(text) if text.is_empty())) else {
            return Ok(true);
        };
        let within = |at: u32, most: usize| usize::try_from(at).is_ok_and(|at| at < most);
        if !within(row, limits.rows + 1) || !within(column, limits.columns) {
            return Err(Refusal::TooManyRows);
        }
        Ok(each(row, column, cell))
    };
    let named = |names: &[String]| match sheet {
        Some(name) if names.iter().any(|known| known == name) => Ok(name.to_owned()),
        Some(name) => Err(Refusal::NoSheet(name.to_owned())),
        None => names.first().cloned().ok_or(Refusal::Damaged),
    };
    match kind {
        Kind::Xlsx => {
            let mut book = Xlsx::new(Cursor::new(bytes)).map_err(|_| Refusal::Damaged)?;
            let name = named(&book.sheet_names())?;
            // cell by cell: a cell far away would make a range fill all that lies before it
            let mut cells = book.worksheet_cells_reader(&name).map_err(|_| Refusal::Damaged)?;
            while let Some(cell) = cells.next_cell().map_err(|_| Refusal::Damaged)? {
                let (row, column) = cell.get_position();
                if !take(row, column, of_xlsx(cell.get_value()))? {
                    break;
                }
            }
        }
        Kind::Ods => {
            let mut book = Ods::new(Cursor::new(bytes)).map_err(|_| Refusal::Damaged)?;
            let name = named(&book.sheet_names())?;
            let range = book.worksheet_range(&name).map_err(|_| Refusal::Damaged)?;
            let (top, left) = range.start().unwrap_or_default();
            for (row, column, data) in range.used_cells() {
                let at = |from: u32, offset: usize| from.saturating_add(u32::try_from(offset).unwrap_or(u32::MAX));
                if !take(at(top, row), at(left, column), of_ods(data))? {
                    break;
                }
            }
        }
    }
    Ok(())
}
