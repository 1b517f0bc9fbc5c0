//! Cells of a source as values of a column.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanBuilder, Date32Builder, Decimal128Builder, Int64Builder, StringArray, StringBuilder,
    TimestampMicrosecondBuilder,
};
use civic::{Address, AddressError, IdError, MobileNumber, NationalId, PlateNumber, UnifiedBusinessNumber, fold_width};
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};

use crate::dataset::{Column, DateFormat, Kind};
use crate::encoding::LOST;

/// Longest cell, in bytes.
pub(crate) const LONGEST: usize = 1 << 16;

/// Why a cell or a row is not taken. Never carries the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
pub enum Problem {
    #[error("it is empty and must not be")]
    Empty,
    #[error("it is no whole number")]
    NotInteger,
    #[error("it is no number of {precision} digits, {scale} of them behind the point")]
    NotDecimal { precision: u8, scale: i8 },
    #[error("it is no day in a style that the folder declares")]
    NotADay,
    #[error("the styles that the folder declares give different days for it; the source must say which it means")]
    AmbiguousDay,
    #[error("it is no time of the day")]
    NotATime,
    #[error("it is no word for yes or no that the folder declares")]
    NotBoolean,
    #[error(transparent)]
    Identifier(IdError),
    #[error(transparent)]
    Address(AddressError),
    #[error("it is no village; write it as in 何安里")]
    NotAVillage,
    #[error("it is no code of the list")]
    UnknownCode,
    #[error("character {place} can't be read in the encoding of the source; type the right one")]
    Unreadable { place: usize },
    #[error("it is longer than 64 KiB")]
    TooLong,
    #[error("the row has {found} cells, the heading {expected}")]
    Ragged { found: usize, expected: usize },
    #[error("the row can't be read: {0}")]
    Broken(String),
    #[error("the cell holds an error of its program")]
    ErrorCell,
    #[error("it is no word for what happened to a row that the folder declares")]
    UnknownOperation,
    #[error("another row of the load, at {place}, has the same values by the rule `{rule}`")]
    Repeated { rule: String, place: u64 },
    #[error("the rule `{0}` does not hold")]
    Rule(String),
}

impl Problem {
    /// A word for it that does not change.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Problem::Empty => "empty",
            Problem::NotInteger => "not_integer",
            Problem::NotDecimal { .. } => "not_decimal",
            Problem::NotADay => "not_a_day",
            Problem::AmbiguousDay => "ambiguous_day",
            Problem::NotATime => "not_a_time",
            Problem::NotBoolean => "not_boolean",
            Problem::Identifier(_) => "identifier",
            Problem::Address(_) => "address",
            Problem::NotAVillage => "not_a_village",
            Problem::UnknownCode => "unknown_code",
            Problem::Unreadable { .. } => "unreadable",
            Problem::TooLong => "too_long",
            Problem::Ragged { .. } => "ragged",
            Problem::Broken(_) => "broken",
            Problem::ErrorCell => "error_cell",
            Problem::UnknownOperation => "unknown_operation",
            Problem::Repeated { .. } => "repeated",
            Problem::Rule(_) => "rule",
        }
    }
}

/// What the sheet reader puts where a cell holds an error such as `#REF!`.
pub(crate) const ERROR_CELL: &str = "\u{fffd}#";

/// The values of a column, and the rows that have none because of a problem.
pub(crate) fn typed(column: &Column, cells: &[&StringArray], rows: usize) -> (ArrayRef, Vec<(usize, Problem)>) {
    let mut problems = Vec::new();
    let mut joined = String::new();
    let mut each = |take: &mut dyn FnMut(Option<&str>) -> Result<(), Problem>| {
        for row in 0..rows {
            let cell = match cells {
                [one] => (!one.is_null(row)).then(|| one.value(row)),
                several => {
                    joined.clear();
                    for part in several.iter().filter(|part| !part.is_null(row)) {
                        let part = tidy(part.value(row));
                        if !part.is_empty() && !joined.is_empty() {
                            joined.push_str(&column.joined_by);
                        }
                        joined.push_str(part);
                    }
                    Some(joined.as_str())
                }
            };
            let known = known(column, cell);
            let taken = match known {
                Ok(Some(text)) => match take(Some(text)) {
                    Ok(()) => continue,
                    Err(problem) => Err(problem),
                },
                Ok(None) if column.required => Err(Problem::Empty),
                Ok(None) => Ok(()),
                Err(problem) => Err(problem),
            };
            // nothing is known of the cell, so an empty value keeps its place
            let _ = take(None);
            if let Err(problem) = taken {
                problems.push((row, problem));
            }
        }
    };
    macro_rules! built {
        ($builder:expr, $parse:expr) => {{
            let mut builder = $builder;
            each(&mut |text| {
                match text {
                    Some(text) => builder.append_value($parse(text)?),
                    None => builder.append_null(),
                }
                Ok(())
            });
            Arc::new(builder.finish()) as ArrayRef
        }};
    }
    let array = match &column.kind {
        Kind::Integer | Kind::Money => built!(Int64Builder::with_capacity(rows), |text: &str| whole(text)
            .ok_or(Problem::NotInteger)),
        Kind::Decimal { precision, scale } => {
            let (precision, scale) = (*precision, *scale);
            let builder = Decimal128Builder::with_capacity(rows).with_data_type(column.kind.arrow());
            built!(builder, |text: &str| decimal(text, precision, scale)
                .ok_or(Problem::NotDecimal { precision, scale }))
        }
        Kind::Boolean => built!(BooleanBuilder::with_capacity(rows), |text: &str| column
            .words
            .get(text)
            .copied()
            .ok_or(Problem::NotBoolean)),
        Kind::Date(formats) => {
            built!(Date32Builder::with_capacity(rows), |text: &str| day(formats, text)
                .map(days))
        }
        Kind::Timestamp(formats) => built!(
            TimestampMicrosecondBuilder::with_capacity(rows).with_data_type(column.kind.arrow()),
            |text: &str| instant(formats, text)
        ),
        Kind::Text if column.codes.is_some() => {
            let codes = column.codes.as_deref();
            built!(StringBuilder::with_capacity(rows, rows * 4), |text: &'_ str| -> Result<
                String,
                Problem,
            > {
                if codes.is_some_and(|codes| codes.contains_key(text)) {
                    Ok(text.to_owned())
                } else {
                    Err(Problem::UnknownCode)
                }
            })
        }
        Kind::Text => {
            let mut builder = StringBuilder::with_capacity(rows, rows * 16);
            each(&mut |text| {
                builder.append_option(text);
                Ok(())
            });
            Arc::new(builder.finish())
        }
        kind => built!(StringBuilder::with_capacity(rows, rows * 16), |text: &str| normal(
            kind, text
        )),
    };
    (array, problems)
}

/// Without the spaces around it, half or full width. Tabs and line ends stay: they are how formulas are smuggled.
fn tidy(text: &str) -> &str {
    text.trim_matches([' ', '\u{3000}'])
}

/// What a cell holds, nothing where it is empty.
fn known<'a>(column: &Column, cell: Option<&'a str>) -> Result<Option<&'a str>, Problem> {
    let text = tidy(cell.unwrap_or_default());
    if text.is_empty() || column.empty.contains(text) {
        return Ok(None);
    }
    if text.len() > LONGEST {
        return Err(Problem::TooLong);
    }
    if text == ERROR_CELL {
        return Err(Problem::ErrorCell);
    }
    match text.find(LOST) {
        Some(at) => Err(Problem::Unreadable {
            place: text.get(..at).unwrap_or_default().chars().count() + 1,
        }),
        None => Ok(Some(text)),
    }
}

/// Identifiers and other texts with a form of their own, in their normal form.
fn normal(kind: &Kind, text: &str) -> Result<String, Problem> {
    match kind {
        Kind::NationalId => NationalId::parse(text)
            .map(|id| id.reveal().to_owned())
            .map_err(Problem::Identifier),
        Kind::BusinessNumber => UnifiedBusinessNumber::parse(text)
            .map(|number| number.as_str().to_owned())
            .map_err(Problem::Identifier),
        Kind::Plate => PlateNumber::parse(text)
            .map(|plate| plate.as_str().to_owned())
            .map_err(Problem::Identifier),
        Kind::Mobile => MobileNumber::parse(text)
            .map(|number| number.reveal().to_owned())
            .map_err(Problem::Identifier),
        Kind::Address => Address::parse(text)
            .map(|address| address.to_string())
            .map_err(Problem::Address),
        Kind::Village => {
            let village = fold_width(text);
            let named = village.ends_with(['里', '村']) && (2..=8).contains(&village.chars().count());
            named.then_some(village).ok_or(Problem::NotAVillage)
        }
        Kind::Time => clock(&folded(text))
            .map(|time| time.strftime("%H:%M:%S").to_string())
            .ok_or(Problem::NotATime),
        _ => Ok(text.to_owned()),
    }
}

/// Half-width, without a copy where it is already.
fn folded(text: &str) -> std::borrow::Cow<'_, str> {
    if text.is_ascii() {
        text.into()
    } else {
        fold_width(text).into()
    }
}

/// A whole number, also with groups of three as in `1,200`.
fn whole(text: &str) -> Option<i64> {
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    ungrouped(&folded(text))?.parse().ok()
}

/// Without the commas of groups of three; nothing where a comma stands elsewhere.
fn ungrouped(text: &str) -> Option<String> {
    let (whole, rest) = text
        .split_once('.')
        .map_or((text, None), |(whole, rest)| (whole, Some(rest)));
    let mut groups = whole.trim_start_matches(['-', '+']).split(',');
    let first = groups.next()?;
    let grouped: Vec<&str> = groups.collect();
    if !grouped.is_empty() && (first.is_empty() || first.len() > 3) || grouped.iter().any(|group| group.len() != 3) {
        return None;
    }
    let mut plain = whole.replace(',', "");
    if let Some(rest) = rest {
        plain.push('.');
        plain.push_str(rest);
    }
    Some(plain)
}

/// A number in units of its last digit. More digits behind the point than there are is no such number.
fn decimal(text: &str, precision: u8, scale: i8) -> Option<i128> {
    let plain = ungrouped(&folded(text))?;
    let (sign, digits) = match plain.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let (whole, behind) = digits.split_once('.').unwrap_or((digits, ""));
    let behind = behind.trim_end_matches('0');
    let scale = usize::try_from(scale).ok()?;
    let all = whole.bytes().chain(behind.bytes());
    if whole.is_empty() || behind.len() > scale || !all.clone().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let zeros = std::iter::repeat_n(b'0', scale - behind.len());
    let mut value: i128 = 0;
    for byte in all.chain(zeros) {
        value = value.checked_mul(10)?.checked_add(i128::from(byte - b'0'))?;
    }
    (value < 10_i128.checked_pow(u32::from(precision))?).then_some(sign * value)
}

const EPOCH: Date = jiff::civil::date(1970, 1, 1);

/// Days since 1970-01-01.
pub(crate) fn days(date: Date) -> i32 {
    EPOCH.until(date).map_or(0, |span| span.get_days())
}

/// The day by the declared styles; they must not disagree.
fn day(formats: &[DateFormat], text: &str) -> Result<Date, Problem> {
    let text = folded(text);
    let mut found = None;
    for format in formats {
        let Some(date) = in_format(*format, &text) else {
            continue;
        };
        match found {
            None => found = Some(date),
            Some(other) if other == date => {}
            Some(_) => return Err(Problem::AmbiguousDay),
        }
    }
    found.ok_or(Problem::NotADay)
}

fn digits<T: std::str::FromStr>(text: &str, length: std::ops::RangeInclusive<usize>) -> Option<T> {
    (length.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

fn in_format(format: DateFormat, text: &str) -> Option<Date> {
    let parts = |apart: char| {
        let mut parts = text.split(apart);
        let all = (parts.next()?, parts.next()?, parts.next()?);
        parts.next().is_none().then_some(all)
    };
    let western = |(year, month, day): (&str, &str, &str)| {
        Date::new(digits(year, 4..=4)?, digits(month, 1..=2)?, digits(day, 1..=2)?).ok()
    };
    let roc = |(year, month, day): (&str, &str, &str)| {
        let year: i16 = digits(year, 1..=3)?;
        (year > 0).then(|| civic::roc::date(year, digits(month, 1..=2)?, digits(day, 1..=2)?))?
    };
    match format {
        DateFormat::Iso => western(parts('-')?),
        DateFormat::Slash => western(parts('/')?),
        DateFormat::DayMonthYear => parts('/').and_then(|(day, month, year)| western((year, month, day))),
        DateFormat::MonthDayYear => parts('/').and_then(|(month, day, year)| western((year, month, day))),
        DateFormat::Compact if text.len() == 8 => western((text.get(..4)?, text.get(4..6)?, text.get(6..)?)),
        DateFormat::RocDash => roc(parts('-')?),
        DateFormat::RocSlash => roc(parts('/')?),
        DateFormat::RocDot => roc(parts('.')?),
        DateFormat::RocCompact if matches!(text.len(), 6 | 7) => {
            let (year, rest) = text.split_at_checked(text.len() - 4)?;
            roc((year, rest.get(..2)?, rest.get(2..)?))
        }
        DateFormat::RocLong => {
            let text = text
                .strip_prefix("中華民國")
                .or(text.strip_prefix("民國"))
                .unwrap_or(text);
            let (year, rest) = text.split_once('年')?;
            let (month, rest) = rest.split_once('月')?;
            roc((year.trim(), month.trim(), rest.strip_suffix('日')?.trim()))
        }
        DateFormat::Compact | DateFormat::RocCompact => None,
    }
}

/// `09:05`, `09:05:07`, `0905`, `090507`.
fn clock(text: &str) -> Option<Time> {
    let (hour, minute, second) = if text.contains(':') {
        let mut parts = text.split(':');
        let all = (parts.next()?, parts.next()?, parts.next().unwrap_or("0"));
        parts.next().is_none().then_some(all)?
    } else {
        match text.len() {
            4 => (text.get(..2)?, text.get(2..)?, "0"),
            6 => (text.get(..2)?, text.get(2..4)?, text.get(4..)?),
            _ => return None,
        }
    };
    // parts of a second are cut off
    let second = second.split_once('.').map_or(second, |(whole, _)| whole);
    Time::new(digits(hour, 1..=2)?, digits(minute, 2..=2)?, digits(second, 1..=2)?, 0).ok()
}

/// Microseconds since 1970-01-01T00:00Z. What has no offset is in the time of Taiwan, eight hours ahead of it.
fn instant(formats: &[DateFormat], text: &str) -> Result<i64, Problem> {
    let text = folded(text);
    let offset = text.ends_with('Z') || text.rfind(['+', '-']).is_some_and(|at| at > 10);
    if offset && formats.contains(&DateFormat::Iso) {
        return text
            .parse::<jiff::Timestamp>()
            .map(|at| at.as_microsecond())
            .map_err(|_| Problem::NotADay);
    }
    let (date, time) = match text.split_once([' ', 'T']) {
        Some((date, time)) => (date, time.trim()),
        // the compact styles have no gap: 20251124093015, 1141124093015
        None if matches!(text.len(), 13 | 14) => text.split_at_checked(text.len() - 6).ok_or(Problem::NotADay)?,
        None => (&*text, "00:00"),
    };
    let at = DateTime::from_parts(day(formats, date)?, clock(time).ok_or(Problem::NotATime)?);
    let taiwan = TimeZone::fixed(Offset::constant(8));
    taiwan
        .to_timestamp(at)
        .map(|at| at.as_microsecond())
        .map_err(|_| Problem::NotADay)
}

/// A value of a number, amount, day or instant in the unit its column is kept in.
pub(crate) fn number(kind: &Kind, text: &str) -> Option<i128> {
    match kind {
        Kind::Integer | Kind::Money => whole(text).map(i128::from),
        Kind::Decimal { precision, scale } => decimal(text, *precision, *scale),
        Kind::Date(formats) => day(formats, text).ok().map(|date| i128::from(days(date))),
        Kind::Timestamp(formats) => instant(formats, text).ok().map(i128::from),
        _ => None,
    }
}

/// Whether a text begins as a formula of a spreadsheet does.
#[must_use]
pub fn begins_a_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'])
}
