//! Quality rules: a closed set of checks, each with a name and what happens when it does not hold.

use regex::Regex;

use super::file::QualityTable;
use super::{Column, Kind, Severity};
use crate::folder::{TextFile, did_you_mean};
use crate::values;
use civic::{Mistake, Text};
use toml::Spanned;

/// A quality rule.
#[derive(Clone, Debug)]
pub struct Quality {
    /// What it is called in reports.
    pub name: String,
    /// What it is called on pages; its name where the folder gives no other.
    pub title: Text,
    /// What happens when it does not hold.
    pub severity: Severity,
    /// What must hold.
    pub check: Check,
}

/// What must hold of a row, or of a load. Columns are places in the table; what is empty passes every check but
/// [`Check::RequiredWhen`].
#[derive(Clone, Debug)]
pub enum Check {
    /// No two rows have the same values in these columns.
    Unique(Vec<usize>),
    /// A number, day or instant lies within these bounds, which count in the column's own unit.
    Range {
        /// The column.
        column: usize,
        /// Smallest value.
        min: Option<i128>,
        /// Largest value.
        max: Option<i128>,
    },
    /// A text fits a pattern from its beginning to its end.
    Matches {
        /// The columns.
        columns: Vec<usize>,
        /// The pattern.
        pattern: Regex,
    },
    /// One column is before, after or the same as another of the same type.
    Compare {
        /// Left side.
        left: usize,
        /// How.
        how: Comparison,
        /// Right side.
        right: usize,
    },
    /// A column has a value where another one has one of these.
    RequiredWhen {
        /// Columns that must have a value.
        columns: Vec<usize>,
        /// The column that decides.
        when: usize,
        /// Its values.
        is: Vec<String>,
    },
    /// A value stands in a column of another dataset.
    Foreign {
        /// The column.
        column: usize,
        /// The other dataset.
        dataset: String,
        /// Its column.
        other: String,
    },
    /// A text does not begin as a formula of a spreadsheet does.
    FormulaFree(Vec<usize>),
    /// The first column is the sum of the others.
    Sum {
        /// The sum.
        total: usize,
        /// What is summed.
        parts: Vec<usize>,
    },
    /// The latest day or instant of the load is not older than this.
    Fresh {
        /// The column.
        column: usize,
        /// Days.
        days: u32,
    },
    /// The table has, after the load, this share of the rows it had before, in per cent.
    RowsChange {
        /// Least.
        min: Option<u32>,
        /// Most.
        max: Option<u32>,
    },
    /// At most this share of the rows was rejected, in per cent.
    RejectsAtMost(u32),
}

/// How two columns stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Comparison {
    Less,
    LessOrEqual,
    Equal,
    NotEqual,
}

const CHECKS: [&str; 11] = [
    "unique",
    "range",
    "matches",
    "compare",
    "required_when",
    "foreign",
    "formula_free",
    "sum",
    "fresh",
    "rows_change",
    "rejects_at_most",
];

/// Reads one rule. Every mistake is told where it stands.
pub(super) fn read(
    file: &TextFile,
    table: &Spanned<QualityTable>,
    columns: &[Column],
    mistakes: &mut Vec<Mistake>,
) -> Option<Quality> {
    let reader = Reader { file, columns };
    match reader.check(table) {
        Ok(check) => Some(Quality {
            name: table.get_ref().name.clone(),
            title: (table.get_ref().title.clone()).unwrap_or_else(|| Text::chinese(&table.get_ref().name)),
            severity: table.get_ref().severity,
            check,
        }),
        Err(mistake) => {
            mistakes.push(*mistake);
            None
        }
    }
}

struct Reader<'a> {
    file: &'a TextFile,
    columns: &'a [Column],
}

type Found<T> = Result<T, Box<Mistake>>;

impl Reader<'_> {
    fn wrong<T, U>(&self, at: &Spanned<U>, message: impl Into<String>, suggestion: impl Into<String>) -> Found<T> {
        Err(Box::new(self.file.mistake(
            &at.span(),
            message,
            Some(suggestion.into()),
        )))
    }

    fn column(&self, name: &Spanned<String>) -> Found<usize> {
        let known = self.columns.iter().map(|column| column.name.as_str());
        match known.clone().position(|column| column == name.get_ref()) {
            Some(place) => Ok(place),
            None => Err(Box::new(self.file.mistake(
                &name.span(),
                format!("there is no column `{}`", name.get_ref()),
                did_you_mean(name.get_ref(), known),
            ))),
        }
    }

    fn all(&self, table: &Spanned<QualityTable>) -> Found<Vec<usize>> {
        let rule = table.get_ref();
        if rule.columns.is_empty() {
            return self.wrong(
                &rule.check,
                "the rule names no column",
                "name them, as `columns = [\"plate\"]`",
            );
        }
        rule.columns.iter().map(|name| self.column(name)).collect()
    }

    fn some<const N: usize>(&self, table: &Spanned<QualityTable>) -> Found<[usize; N]> {
        let columns = self.all(table)?;
        let count = columns.len();
        columns.try_into().or_else(|_| {
            let check = &table.get_ref().check;
            let message = format!("`{}` needs {N} columns, these are {count}", check.get_ref());
            self.wrong(check, message, format!("write {N} in `columns`"))
        })
    }

    fn is_text(&self, place: usize) -> bool {
        let column = self.columns.get(place);
        column.is_some_and(|column| column.kind.arrow() == arrow::datatypes::DataType::Utf8)
    }

    fn texts(&self, table: &Spanned<QualityTable>) -> Found<Vec<usize>> {
        let columns = self.all(table)?;
        for (place, name) in columns.iter().zip(&table.get_ref().columns) {
            if !self.is_text(*place) {
                return self.wrong(
                    name,
                    format!("`{}` is no text", name.get_ref()),
                    "name a column of text",
                );
            }
        }
        Ok(columns)
    }

    fn bound(&self, column: usize, bound: Option<&Spanned<toml::Value>>) -> Found<Option<i128>> {
        let (Some(bound), Some(column)) = (bound, self.columns.get(column)) else {
            return Ok(None);
        };
        let written = match bound.get_ref() {
            toml::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        // bounds are written plainly, whatever style the source has
        let kind = match &column.kind {
            Kind::Date(_) => Kind::Date(vec![super::DateFormat::Iso]),
            Kind::Timestamp(_) => Kind::Timestamp(vec![super::DateFormat::Iso]),
            kind => kind.clone(),
        };
        match values::number(&kind, &written) {
            Some(value) => Ok(Some(value)),
            None => self.wrong(
                bound,
                format!("`{written}` is no value of the column `{}`", column.name),
                "write a whole number, a number with a point, or a day as `2025-11-24`",
            ),
        }
    }

    fn percent(&self, bound: Option<&Spanned<toml::Value>>) -> Found<Option<u32>> {
        let Some(bound) = bound else { return Ok(None) };
        match bound.get_ref().as_integer().map(u32::try_from) {
            Some(Ok(value)) => Ok(Some(value)),
            _ => self.wrong(
                bound,
                "this is no share in per cent",
                "write a whole number such as `90`",
            ),
        }
    }

    fn check(&self, table: &Spanned<QualityTable>) -> Found<Check> {
        let rule = table.get_ref();
        let missing = |what: &str, example: &str| -> Found<Check> {
            self.wrong(
                &rule.check,
                format!("`{}` needs `{what}`", rule.check.get_ref()),
                format!("write it, as `{example}`"),
            )
        };
        Ok(match rule.check.get_ref().as_str() {
            "unique" => Check::Unique(self.all(table)?),
            "range" => {
                let [column] = self.some(table)?;
                if !self.columns.get(column).is_some_and(|column| column.kind.is_ordered()) {
                    return self.wrong(
                        &rule.check,
                        "`range` is for numbers, amounts, days and instants",
                        "use `matches` for texts",
                    );
                }
                let (min, max) = (
                    self.bound(column, rule.min.as_ref())?,
                    self.bound(column, rule.max.as_ref())?,
                );
                match (min, max) {
                    (None, None) => return missing("min` or `max", "min = 0"),
                    (Some(min), Some(max)) if min > max => {
                        return self.wrong(&rule.check, "`min` is larger than `max`", "exchange them");
                    }
                    _ => Check::Range { column, min, max },
                }
            }
            "matches" => {
                let columns = self.texts(table)?;
                let Some(pattern) = &rule.pattern else {
                    return missing("pattern", "pattern = \"[A-Z]{2}[0-9]{6}\"");
                };
                match Regex::new(&format!("^(?:{})$", pattern.get_ref())) {
                    Ok(pattern) => Check::Matches { columns, pattern },
                    Err(_) => {
                        return self.wrong(
                            pattern,
                            "this is no pattern",
                            "write a regular expression such as `[0-9]{8}`",
                        );
                    }
                }
            }
            "compare" => {
                let [left, right] = self.some(table)?;
                let kinds = [left, right].map(|place| self.columns.get(place).map(|column| column.kind.arrow()));
                if kinds[0] == Some(arrow::datatypes::DataType::Boolean) {
                    return self.wrong(
                        &rule.check,
                        "`compare` is for numbers, amounts, days, instants and texts",
                        "say what must hold with `required_when`",
                    );
                }
                if kinds[0] != kinds[1] {
                    return self.wrong(
                        &rule.check,
                        "the two columns have different types",
                        "compare columns of one type",
                    );
                }
                let how = match rule.operator.as_ref().map(|operator| operator.get_ref().as_str()) {
                    Some("<") => (left, Comparison::Less, right),
                    Some("<=") => (left, Comparison::LessOrEqual, right),
                    Some(">") => (right, Comparison::Less, left),
                    Some(">=") => (right, Comparison::LessOrEqual, left),
                    Some("=") => (left, Comparison::Equal, right),
                    Some("<>") => (left, Comparison::NotEqual, right),
                    _ => return missing("operator", "operator = \"<=\""),
                };
                Check::Compare {
                    left: how.0,
                    how: how.1,
                    right: how.2,
                }
            }
            "required_when" => {
                let columns = self.all(table)?;
                let Some(when) = &rule.when else {
                    return missing("when", "when = \"status\"");
                };
                if rule.is.is_empty() {
                    return missing("is", "is = [\"解散\"]");
                }
                let place = self.column(when)?;
                if !self.is_text(place) {
                    return self.wrong(
                        when,
                        format!("`{}` is no text, and never one of these", when.get_ref()),
                        "name a column of text",
                    );
                }
                Check::RequiredWhen {
                    columns,
                    when: place,
                    is: rule.is.clone(),
                }
            }
            "foreign" => {
                let [column] = self.some(table)?;
                match (&rule.dataset, &rule.column) {
                    (Some(dataset), Some(other)) => Check::Foreign {
                        column,
                        dataset: dataset.get_ref().clone(),
                        other: other.clone(),
                    },
                    (None, _) => return missing("dataset", "dataset = \"company-registry\""),
                    (_, None) => return missing("column", "column = \"business_number\""),
                }
            }
            "formula_free" => Check::FormulaFree(self.texts(table)?),
            "sum" => {
                let columns = self.all(table)?;
                let whole = columns.iter().all(|place| {
                    self.columns
                        .get(*place)
                        .is_some_and(|column| matches!(column.kind, Kind::Integer | Kind::Money))
                });
                match columns.split_first() {
                    Some((total, parts)) if parts.len() > 1 && whole => Check::Sum {
                        total: *total,
                        parts: parts.to_vec(),
                    },
                    _ => {
                        return self.wrong(
                            &rule.check,
                            "`sum` needs the total and at least two parts, all whole numbers or amounts",
                            "write them in `columns`, the total first",
                        );
                    }
                }
            }
            "fresh" => {
                let [column] = self.some(table)?;
                let dated = self
                    .columns
                    .get(column)
                    .is_some_and(|column| matches!(column.kind, Kind::Date(_) | Kind::Timestamp(_)));
                match rule.days {
                    Some(days) if dated => Check::Fresh { column, days },
                    Some(_) => return self.wrong(&rule.check, "`fresh` needs a column of days", "name one"),
                    None => return missing("days", "days = 40"),
                }
            }
            "rows_change" => match (self.percent(rule.min.as_ref())?, self.percent(rule.max.as_ref())?) {
                (None, None) => return missing("min` or `max", "min = 90"),
                (min, max) => Check::RowsChange { min, max },
            },
            "rejects_at_most" => match self.percent(rule.max.as_ref())? {
                Some(most) => Check::RejectsAtMost(most),
                None => return missing("max", "max = 5"),
            },
            other => {
                return Err(Box::new(self.file.mistake(
                    &rule.check.span(),
                    format!("there is no check `{other}`"),
                    did_you_mean(other, CHECKS),
                )));
            }
        })
    }
}
