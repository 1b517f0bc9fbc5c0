//! Parameters: amounts and limits that change by date, one CSV file each, the row in force chosen by the reference date.

use crate::expr::Constant;
use crate::mistake::Source;
use crate::model::Type;
use crate::symbols::Symbols;
use civic::Mistake;
use jiff::civil::Date;
use serde::Serialize;
use std::collections::HashMap;

/// One parameter with all its rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Parameter {
    /// Its name in expressions.
    pub name: String,
    /// The type of its value.
    #[serde(rename = "type")]
    pub kind: Type,
    /// The names of its key columns.
    pub keys: Vec<String>,
    /// Its rows in the order of the file.
    pub rows: Vec<ParameterRow>,
    /// For each key column whether its cells are whole numbers.
    #[serde(skip)]
    pub(crate) whole: Vec<bool>,
    /// The file, relative to the folder of the rules.
    #[serde(skip)]
    pub(crate) file: String,
    /// The line of the header, from 1, and what stands in it.
    #[serde(skip)]
    pub(crate) header: (usize, String),
}

/// One row of a parameter.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ParameterRow {
    /// The first day it is in force.
    pub from: Date,
    /// One cell for each key.
    pub keys: Vec<String>,
    /// The value as it is written.
    pub value: String,
    /// Its unit, such as `NT$ a month`.
    pub unit: String,
    /// Where the value comes from.
    pub source: String,
    /// What else is to be said.
    pub note: String,
    /// The value as plans keep it.
    #[serde(skip)]
    pub(crate) number: i64,
    #[serde(skip)]
    pub(crate) key: Vec<i64>,
    /// The cells of the key as texts.
    #[serde(skip)]
    pub(crate) codes: Vec<i32>,
}

impl Parameter {
    /// The rows in force on a day: for each key the latest that has begun.
    #[must_use]
    pub fn in_force(&self, on: Date) -> Vec<&ParameterRow> {
        let mut latest: HashMap<&[i64], &ParameterRow> = HashMap::new();
        for row in self.rows.iter().filter(|row| row.from <= on) {
            let entry = latest.entry(&row.key).or_insert(row);
            if entry.from < row.from {
                *entry = row;
            }
        }
        self.rows
            .iter()
            .filter(|row| {
                latest
                    .get(row.key.as_slice())
                    .is_some_and(|kept| std::ptr::eq(*kept, *row))
            })
            .collect()
    }

    /// What is to be mended where no row is in force on a day.
    pub(crate) fn not_in_force(&self, on: Date) -> Mistake {
        let (line, header) = &self.header;
        Mistake {
            file: self.file.clone(),
            line: *line,
            column: 1,
            message: format!("the parameter `{}` has no value in force on {on}", self.name),
            suggestion: self
                .earliest()
                .map(|first| format!("its earliest `from` is {first}: add a row of `{header}` that begins by then")),
        }
    }

    /// What to do where a key has no row in force.
    pub(crate) fn add_a_row(&self) -> String {
        let (line, header) = &self.header;
        let first = self
            .earliest()
            .map_or_else(String::new, |first| format!("; its earliest `from` is {first}"));
        format!("add a row of `{header}` for it under {}:{line}{first}", self.file)
    }

    fn earliest(&self) -> Option<Date> {
        self.rows.iter().map(|row| row.from).min()
    }

    /// Reads the CSV file of a parameter.
    pub(crate) fn read(
        name: &str,
        kind: Type,
        source: &Source,
        symbols: &mut Symbols,
    ) -> Result<Parameter, Vec<Mistake>> {
        let records = records(source)?;
        let Some((header, rows)) = records.split_first() else {
            return Err(vec![source.mistake(0, "is empty", Some(HEADER.to_owned()))]);
        };
        let mut mistakes = Vec::new();
        for wanted in ["from", "value", "unit", "source"] {
            if !header.cells.iter().any(|cell| cell == wanted) {
                mistakes.push(source.mistake(0, format!("has no column `{wanted}`"), Some(HEADER.to_owned())));
            }
        }
        for (place, cell) in header.cells.iter().enumerate() {
            if header.cells.iter().take(place).any(|before| before == cell) {
                let at = header.start(place);
                let suggestion = "take one of them out".to_owned();
                mistakes.push(source.mistake(at, format!("has two columns `{cell}`"), Some(suggestion)));
            }
        }
        if rows.is_empty() {
            let suggestion = "add a row with the first day of the value, its unit and its source".to_owned();
            mistakes.push(source.mistake(0, format!("the parameter `{name}` has no row"), Some(suggestion)));
        }
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let fixed = ["from", "value", "unit", "source", "note"];
        let places: Vec<usize> = (0..header.cells.len())
            .filter(|place| {
                header
                    .cells
                    .get(*place)
                    .is_some_and(|cell| !fixed.contains(&cell.as_str()))
            })
            .collect();
        let cell = |record: &Record, title: &str| {
            let place = header.cells.iter().position(|cell| cell == title);
            place
                .and_then(|place| record.cells.get(place).cloned())
                .unwrap_or_default()
        };
        let start = |record: &Record, title: &str| {
            let place = header.cells.iter().position(|cell| cell == title);
            place.map_or(record.offset, |place| record.start(place))
        };
        let whole: Vec<bool> = places
            .iter()
            .map(|place| {
                rows.iter()
                    .all(|row| row.cells.get(*place).is_some_and(|cell| cell.parse::<i64>().is_ok()))
            })
            .collect();
        let mut parsed: Vec<ParameterRow> = Vec::new();
        for record in rows {
            let mut at = |offset: usize, message: String, suggestion: &str| {
                mistakes.push(source.mistake(offset, message, Some(suggestion.to_owned())));
            };
            let keys: Vec<String> = places
                .iter()
                .filter_map(|place| record.cells.get(*place).cloned())
                .collect();
            let written = cell(record, "value");
            let from = cell(record, "from");
            if from.is_empty() {
                at(
                    start(record, "from"),
                    "the date in `from` is missing".to_owned(),
                    "write the first day the value is in force, such as `2026-01-01`",
                );
                continue;
            }
            let Ok(from) = from.parse::<Date>() else {
                at(
                    start(record, "from"),
                    format!("`{from}` in `from` is no date"),
                    "write it as `2026-01-01`",
                );
                continue;
            };
            let Some(value) = constant(kind, &written, symbols) else {
                at(
                    start(record, "value"),
                    format!("`{written}` in `value` is no {kind}"),
                    as_written(kind),
                );
                continue;
            };
            for title in ["unit", "source"] {
                if cell(record, title).is_empty() {
                    at(
                        start(record, title),
                        format!("`{title}` is missing"),
                        "every value says its unit and its source",
                    );
                }
            }
            let codes: Vec<i32> = keys.iter().map(|cell| symbols.intern(cell)).collect();
            let key = keys
                .iter()
                .zip(&codes)
                .zip(&whole)
                .map(|((cell, code), whole)| match whole {
                    true => cell.parse().unwrap_or_default(),
                    false => i64::from(*code),
                });
            let key: Vec<i64> = key.collect();
            if parsed.iter().any(|row| row.from == from && row.key == key) {
                at(
                    record.offset,
                    format!("`{name}` has two rows from {from} for the same key"),
                    "keep one of them",
                );
            }
            parsed.push(ParameterRow {
                from,
                key,
                codes,
                keys,
                number: number(value),
                value: written,
                unit: cell(record, "unit"),
                source: cell(record, "source"),
                note: cell(record, "note"),
            });
        }
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        Ok(Parameter {
            name: name.to_owned(),
            kind,
            keys: places
                .iter()
                .filter_map(|place| header.cells.get(*place).cloned())
                .collect(),
            rows: parsed,
            whole,
            file: source.file.clone(),
            header: (source.mistake(header.offset, "", None).line, header.cells.join(",")),
        })
    }
}

const HEADER: &str = "the first line is `from`, the key columns, `value,unit,source` and, if wanted, `note`";

/// How a cell of a type is written.
fn as_written(kind: Type) -> &'static str {
    match kind {
        Type::Integer => "write digits alone, as `12000`",
        Type::Decimal => "write up to 14 digits before the point and 4 after it, as `0.35`",
        Type::Boolean => "write `true` or `false`",
        Type::Text => "write a text",
        Type::Date => "write it as `2026-01-01`",
    }
}

/// A line of a CSV file and where it and its cells begin.
pub(crate) struct Record {
    pub offset: usize,
    pub cells: Vec<String>,
    starts: Vec<usize>,
}

impl Record {
    /// Where a cell begins; where the line does, if there is no such cell.
    pub fn start(&self, place: usize) -> usize {
        self.starts.get(place).copied().unwrap_or(self.offset)
    }
}

/// Where the cells of a line begin, without the blanks before them. A comma in quotes ends no cell.
fn starts(text: &str, offset: usize, cells: usize) -> Vec<usize> {
    let bytes = text.as_bytes();
    let mut starts = Vec::with_capacity(cells);
    let mut at = offset;
    for _ in 0..cells {
        let blanks = bytes.iter().skip(at).take_while(|byte| matches!(byte, b' ' | b'\t'));
        starts.push(at + blanks.count());
        let in_quotes = bytes.get(at) == Some(&b'"');
        let mut inside = false;
        while let Some(byte) = bytes.get(at).filter(|byte| inside || **byte != b'\n') {
            at += 1;
            if *byte == b',' && !inside {
                break;
            }
            // a quote written twice within quotes goes out and in again
            inside ^= in_quotes && *byte == b'"';
        }
    }
    starts
}

/// The lines of a CSV file, cells trimmed; a line of another length than the first is a mistake.
pub(crate) fn records(source: &Source) -> Result<Vec<Record>, Vec<Mistake>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .comment(Some(b'#'))
        .trim(csv::Trim::All)
        .from_reader(source.text.as_bytes());
    // the reader counts a line from the end of the one before, empty lines and comments included
    let offset = |position: Option<&csv::Position>| {
        let mut at = position.map_or(0, |position| usize::try_from(position.byte()).unwrap_or_default());
        let lines = source.text.get(at..).unwrap_or_default().split_inclusive('\n');
        for line in lines.take_while(|line| line.starts_with('#') || line.trim_end_matches(['\r', '\n']).is_empty()) {
            at += line.len();
        }
        at
    };
    let (mut records, mut mistakes) = (Vec::new(), Vec::new());
    for record in reader.records() {
        match record {
            Ok(record) if record.iter().any(|cell| cell.contains('\n')) => mistakes.push(source.mistake(
                offset(record.position()),
                "a cell goes over several lines",
                Some("end it with a quote, or write a quote within it twice".to_owned()),
            )),
            Ok(record) => {
                let offset = offset(record.position());
                records.push(Record {
                    offset,
                    cells: record.iter().map(str::to_owned).collect(),
                    starts: starts(&source.text, offset, record.len()),
                });
            }
            Err(error) => {
                let at = offset(error.position());
                let message = match error.kind() {
                    csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                        format!("this line has {len} cells, the first has {expected_len}")
                    }
                    _ => error.to_string(),
                };
                let suggestion = "write each cell, and put one that has a comma in quotes".to_owned();
                mistakes.push(source.mistake(at, message, Some(suggestion)));
            }
        }
    }
    if mistakes.is_empty() {
        Ok(records)
    } else {
        Err(mistakes)
    }
}

/// The constant a cell writes.
pub(crate) fn constant(kind: Type, cell: &str, symbols: &mut Symbols) -> Option<Constant> {
    Some(match kind {
        Type::Integer => Constant::Integer(cell.parse().ok()?),
        Type::Decimal => Constant::Decimal(decimal(cell)?),
        Type::Boolean => Constant::Boolean(cell.parse().ok()?),
        Type::Text => Constant::Text(symbols.intern(cell)),
        Type::Date => Constant::Date(crate::calendar::days(cell.parse().ok()?)),
    })
}

/// A decimal in units of its last digit; `None` with more digits than a decimal keeps.
pub(crate) fn decimal(written: &str) -> Option<i128> {
    let (sign, digits) = match written.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, written),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let scale = usize::from(crate::expr::SCALE.unsigned_abs());
    let allowed = usize::from(crate::expr::PRECISION) - scale;
    let numeric = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !numeric(whole) || !numeric(part) || part.len() > scale || whole.len() > allowed {
        return None;
    }
    format!("{whole}{part:0<scale$}")
        .parse::<i128>()
        .ok()
        .map(|value| sign * value)
}

/// A constant as a whole number: texts by their number, days, units of decimals.
fn number(constant: Constant) -> i64 {
    match constant {
        Constant::Null => 0,
        Constant::Boolean(value) => i64::from(value),
        Constant::Integer(value) => value,
        Constant::Decimal(value) => i64::try_from(value).unwrap_or_default(),
        Constant::Text(value) | Constant::Date(value) => i64::from(value),
    }
}
