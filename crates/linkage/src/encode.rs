//! Tables as numbers: every distinct value of a column is stored once, a row is a code for each column.

use crate::distance::{Shape, Word};
use crate::error::LinkError;
use crate::model::{Clause, Column, Expression, Kind, Measure, Model};
use crate::normalise::{day_number, normalised, transformed};
use crate::table;
use crate::threads;
use arrow::array::RecordBatch;
use hashbrown::HashTable;
use rustc_hash::FxHasher;
use std::hash::Hasher;
use std::sync::Mutex;

/// The code of a missing value.
pub(crate) const NULL: u32 = u32::MAX;

/// The distinct values of a column.
#[derive(Default)]
pub(crate) struct Dictionary {
    text: String,
    ends: Vec<usize>,
    shapes: Vec<Shape>,
    /// Words of all values one behind the other, where a comparison asks for them.
    words: Vec<Word>,
    word_ends: Vec<usize>,
    places: HashTable<u32>,
    /// Day number of each value of a date column; `None` where the value is no date.
    pub days: Vec<Option<i32>>,
}

/// A hash that does not depend on the process, so that keys are the same in every run.
pub(crate) fn hash(text: &str) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(text.as_bytes());
    hasher.write_usize(text.len());
    mixed(hasher.finish())
}

/// Spreads the bits of a number (the finalizer of SplitMix64).
pub(crate) fn mixed(mut number: u64) -> u64 {
    number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

impl Dictionary {
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The value of a code.
    pub fn get(&self, code: u32) -> &str {
        let end = self.ends.get(code as usize).copied().unwrap_or(0);
        let start = match code {
            0 => 0,
            code => self.ends.get(code as usize - 1).copied().unwrap_or(end),
        };
        self.text.get(start..end).unwrap_or_default()
    }

    /// What is known of a value at a glance.
    pub fn shape(&self, code: u32) -> Shape {
        self.shapes.get(code as usize).copied().unwrap_or_default()
    }

    /// The words of a value.
    pub fn words(&self, code: u32) -> &[Word] {
        let code = code as usize;
        let start = code
            .checked_sub(1)
            .and_then(|before| self.word_ends.get(before))
            .copied()
            .unwrap_or(0);
        let end = self.word_ends.get(code).copied().unwrap_or(start);
        self.words.get(start..end).unwrap_or_default()
    }

    /// The text of a word.
    pub fn word(&self, word: &Word) -> &str {
        self.text.get(word.start..word.end).unwrap_or_default()
    }

    fn code(&mut self, value: &str, needs: Needs) -> u32 {
        let digest = hash(value);
        let (text, ends) = (&self.text, &self.ends);
        let at = |code: u32| {
            let start = if code == 0 { 0 } else { ends[code as usize - 1] };
            &text[start..ends[code as usize]]
        };
        if let Some(found) = self.places.find(digest, |code| at(*code) == value) {
            return *found;
        }
        let code = u32::try_from(self.ends.len()).unwrap_or(NULL);
        self.places.insert_unique(digest, code, |code| hash(at(*code)));
        if needs.words {
            self.words.extend(Word::all(value, self.text.len()));
            self.word_ends.push(self.words.len());
        }
        self.text.push_str(value);
        self.ends.push(self.text.len());
        self.shapes.push(Shape::of(value));
        if needs.days {
            self.days.push(day_number(value));
        }
        code
    }
}

/// What is kept of each value beside its text.
#[derive(Clone, Copy)]
struct Needs {
    days: bool,
    words: bool,
}

/// A column of all rows.
pub(crate) struct Encoded {
    needs: Needs,
    pub dictionary: Dictionary,
    pub codes: Vec<u32>,
}

/// All rows of all tables, one table behind the other.
pub(crate) struct Rows {
    pub columns: Vec<Encoded>,
    pub count: usize,
}

impl Rows {
    pub fn new(model: &Model) -> Rows {
        let clauses = || {
            model
                .comparisons
                .iter()
                .flat_map(|comparison| &comparison.levels)
                .flat_map(|level| &level.clauses)
        };
        let words = |at: usize| {
            clauses().any(|clause| {
                matches!(clause, Clause::Measured(of, Measure::Words(_) | Measure::NearWords(_)) if of.column == at)
            })
        };
        let column = |(at, column): (usize, &Column)| Encoded {
            needs: Needs {
                days: column.kind == Kind::Date,
                words: words(at),
            },
            dictionary: Dictionary::default(),
            codes: Vec::new(),
        };
        Rows {
            columns: model.columns.iter().enumerate().map(column).collect(),
            count: 0,
        }
    }

    /// Adds a table.
    pub fn add(&mut self, model: &Model, batch: &RecordBatch, table: &str, threads: usize) -> Result<(), LinkError> {
        let rows = batch.num_rows();
        if self.count.saturating_add(rows) > table::MOST_ROWS {
            return Err(LinkError::Table {
                table: table.to_owned(),
                why: format!("there are more than {} rows in all", table::MOST_ROWS),
            });
        }
        table::column(batch, table, &model.id)?;
        let work: Vec<Mutex<(&mut Encoded, &Column)>> =
            self.columns.iter_mut().zip(&model.columns).map(Mutex::new).collect();
        threads::each(
            threads,
            work.len(),
            || (),
            |(), place| {
                let mut taken = work[place].lock().map_err(|_| LinkError::Thread)?;
                let (encoded, column) = &mut *taken;
                fill(encoded, column, batch, table)
            },
        )?;
        self.count += rows;
        Ok(())
    }

    /// Removes the rows from `count` on; their values stay in the dictionaries.
    pub fn truncate(&mut self, count: usize) {
        for column in &mut self.columns {
            column.codes.truncate(count);
        }
        self.count = self.count.min(count);
    }

    /// For each value of the column, from code `from` on, the hash of what the expression takes of it; 0 for nothing.
    pub fn hashes(&self, expression: Expression, from: usize) -> Vec<u64> {
        let Some(column) = self.columns.get(expression.column) else {
            return Vec::new();
        };
        let of = |code: usize| {
            let code = u32::try_from(code).unwrap_or(NULL);
            transformed(column.dictionary.get(code), expression.transform).map_or(0, |text| hash(&text).max(1))
        };
        (from..column.dictionary.len()).map(of).collect()
    }
}

fn fill(encoded: &mut Encoded, column: &Column, batch: &RecordBatch, table: &str) -> Result<(), LinkError> {
    let sources: Vec<table::Texts<'_>> = column
        .from
        .iter()
        .map(|name| table::column(batch, table, name))
        .collect::<Result<_, _>>()?;
    let needs = encoded.needs;
    encoded.codes.reserve(batch.num_rows());
    let mut joined = String::new();
    for row in 0..batch.num_rows() {
        let raw = match sources.as_slice() {
            [one] => one.get(row),
            several => {
                joined.clear();
                for text in several.iter().filter_map(|source| source.get(row)) {
                    if !joined.is_empty() {
                        joined.push(' ');
                    }
                    joined.push_str(text);
                }
                (!joined.is_empty()).then_some(joined.as_str())
            }
        };
        let code = raw.map_or(NULL, |raw| {
            let value = normalised(raw, column);
            match value.is_empty() {
                true => NULL,
                false => encoded.dictionary.code(&value, needs),
            }
        });
        encoded.codes.push(code);
    }
    Ok(())
}
