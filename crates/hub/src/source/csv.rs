//! Values between delimiters (RFC 4180), taken apart by `csv-core` with a bound on the length of a row: a quote that is
//! never closed must not swallow the file.

use std::io::{BufRead, Read};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::{Broken, Collector, Drift, LARGEST_ROW};
use crate::dataset::Dataset;
use crate::encoding::Decoded;
use crate::error::HubError;
use crate::values::Problem;

/// Most cells of a row.
const MOST_CELLS: usize = 4096;

struct Rows<R> {
    input: Decoded<R>,
    reader: Reader,
    text: Vec<u8>,
    ends: Vec<usize>,
}

/// A row as it lies in the buffers.
struct Row<'a> {
    line: u64,
    text: &'a str,
    ends: &'a [usize],
}

impl<'a> Row<'a> {
    fn cells(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let (text, ends) = (self.text, self.ends);
        let starts = std::iter::once(0).chain(ends.iter().copied());
        starts
            .zip(ends)
            .map(move |(from, to)| text.get(from..*to).unwrap_or_default())
    }
}

impl<R: Read> Rows<R> {
    fn next(&mut self) -> Result<Option<Row<'_>>, HubError> {
        let (mut length, mut count, mut last) = (0, 0, 0);
        loop {
            let input = self
                .input
                .fill_buf()
                .map_err(|error| HubError::source(error.to_string()))?;
            let out = self.text.get_mut(length..).unwrap_or_default();
            let ends = self.ends.get_mut(count..).unwrap_or_default();
            let (result, read, wrote, ended) = self.reader.read_record(input, out, ends);
            last = read
                .checked_sub(1)
                .and_then(|at| input.get(at))
                .copied()
                .unwrap_or(last);
            self.input.consume(read);
            length += wrote;
            count += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::End => return Ok(None),
                ReadRecordResult::Record => break,
                ReadRecordResult::OutputFull if self.text.len() < LARGEST_ROW => {
                    self.text.resize(self.text.len() * 2, 0)
                }
                ReadRecordResult::OutputEndsFull if self.ends.len() < MOST_CELLS => {
                    self.ends.resize(self.ends.len() * 2, 0);
                }
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    let newlines = self.text.iter().filter(|byte| **byte == b'\n').count();
                    let line = self
                        .reader
                        .line()
                        .saturating_sub(u64::try_from(newlines).unwrap_or_default());
                    let why =
                        "the row does not end within 4 MiB or 4096 cells; look for a quotation mark that is not closed";
                    return Err(HubError::at(format!("line {line}"), why));
                }
            }
        }
        let text = self.text.get(..length).unwrap_or_default();
        // what is decoded is UTF-8, and is cut at ASCII characters alone
        let text = std::str::from_utf8(text).map_err(|error| HubError::source(error.to_string()))?;
        let newlines = u64::try_from(text.bytes().filter(|byte| *byte == b'\n').count()).unwrap_or_default();
        // the line feed that ends the row has been counted, unless it comes with the next read
        let line = self.reader.line() - u64::from(last == b'\n');
        Ok(Some(Row {
            line: line.saturating_sub(newlines).max(1),
            text,
            ends: self.ends.get(..count).unwrap_or_default(),
        }))
    }
}

pub(super) fn read<R: Read>(
    dataset: &Dataset,
    input: Decoded<R>,
    collector: &mut Collector<'_>,
) -> Result<Drift, HubError> {
    let source = &dataset.source;
    let mut rows = Rows {
        input,
        reader: ReaderBuilder::new().delimiter(source.delimiter).build(),
        text: vec![0; 1 << 14],
        ends: vec![0; 64],
    };
    let names: Vec<String> = {
        let Some(first) = rows.next()? else {
            return Err(HubError::source("the file is empty"));
        };
        if source.header {
            first
                .cells()
                .map(|name| name.trim_matches([' ', '\u{3000}']).to_owned())
                .collect()
        } else {
            (1..=first.ends.len()).map(|number| number.to_string()).collect()
        }
    };
    let mut drift = super::heading(dataset, &names)?;
    if !source.header {
        // columns without a name are not wanted unless the folder counts them
        drift.unknown.clear();
    }
    if !drift.is_none() {
        return Ok(drift);
    }
    let width = names.len();
    collector.begin(names);
    if !source.header {
        // the first row is one of the rows; its buffers hold it still
        let text = rows.text.clone();
        let ends: Vec<usize> = rows.ends.iter().take(width).copied().collect();
        let length = ends.last().copied().unwrap_or_default();
        let text = std::str::from_utf8(text.get(..length).unwrap_or_default())
            .map_err(|error| HubError::source(error.to_string()))?;
        take(
            &Row {
                line: 1,
                text,
                ends: &ends,
            },
            width,
            collector,
        )?;
    }
    while let Some(row) = rows.next()? {
        take(&row, width, collector)?;
    }
    Ok(drift)
}

fn take(row: &Row<'_>, width: usize, collector: &mut Collector<'_>) -> Result<(), HubError> {
    if row.ends.len() == width {
        return collector.row(row.line, row.cells().map(Some));
    }
    collector.broken(Broken {
        place: row.line,
        problem: Problem::Ragged {
            found: row.ends.len(),
            expected: width,
        },
        cells: row.cells().map(str::to_owned).collect(),
    })
}
