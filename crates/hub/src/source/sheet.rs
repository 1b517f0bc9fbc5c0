//! Spreadsheets: the first row names the columns. Formulas are refused by the guard, since nobody typed what they give.

use std::path::Path;

use spreadsheet::{Cell, Limits, Refusal};

use super::{Collector, Drift};
use crate::dataset::Dataset;
use crate::error::HubError;
use crate::values::ERROR_CELL;

/// How much is taken of a spreadsheet. What is larger comes as CSV.
const LIMITS: Limits = Limits {
    file: 64 << 20,
    part: 256 << 20,
    unpacked: 512 << 20,
    rows: 1 << 20,
    columns: 500,
};

pub(super) fn read(dataset: &Dataset, path: &Path, collector: &mut Collector<'_>) -> Result<Drift, HubError> {
    let size = std::fs::metadata(path).map_err(HubError::file(path))?.len();
    if size > u64::try_from(LIMITS.file).unwrap_or(u64::MAX) {
        return Err(HubError::source("the file is too large; have it sent as CSV"));
    }
    let bytes = std::fs::read(path).map_err(HubError::file(path))?;
    let mut sheet = Sheet {
        dataset,
        collector,
        row: 0,
        cells: Vec::new(),
        width: None,
        drift: Drift::default(),
        stopped: None,
    };
    let name = dataset.source.sheet.as_deref();
    spreadsheet::each_cell(&bytes, name, &LIMITS, &mut |row, column, cell| {
        sheet.cell(row, column, cell)
    })
    .map_err(|refusal| {
        let advice = match &refusal {
            Refusal::Formula(_) | Refusal::Merged(_) => "save the values alone and send it again",
            _ => "have it put right at the source and sent again",
        };
        HubError::source(format!("{refusal}; {advice}"))
    })?;
    sheet.row_ends();
    match sheet.stopped {
        Some(error) => Err(error),
        None if sheet.width.is_none() => Err(HubError::source("the sheet is empty")),
        None => Ok(sheet.drift),
    }
}

struct Sheet<'a, 'c> {
    dataset: &'a Dataset,
    collector: &'a mut Collector<'c>,
    row: u32,
    cells: Vec<Option<String>>,
    width: Option<usize>,
    drift: Drift,
    stopped: Option<HubError>,
}

impl Sheet<'_, '_> {
    fn cell(&mut self, row: u32, column: u32, cell: Cell) -> bool {
        if row != self.row {
            self.row_ends();
            self.row = row;
        }
        let column = usize::try_from(column).unwrap_or(usize::MAX);
        if self.cells.len() <= column {
            self.cells.resize(column.saturating_add(1), None);
        }
        if let Some(slot) = self.cells.get_mut(column) {
            *slot = Some(match cell {
                Cell::Text(text) | Cell::Instant(text) => text,
                Cell::Error => ERROR_CELL.to_owned(),
            });
        }
        self.stopped.is_none() && self.drift.is_none()
    }

    fn row_ends(&mut self) {
        let cells = std::mem::take(&mut self.cells);
        if cells.iter().all(Option::is_none) || self.stopped.is_some() || !self.drift.is_none() {
            return;
        }
        let done = match self.width {
            None => self.heading(cells),
            Some(width) if cells.len() > width => self.collector.broken(super::Broken {
                place: u64::from(self.row) + 1,
                problem: crate::values::Problem::Ragged {
                    found: cells.len(),
                    expected: width,
                },
                cells: cells.into_iter().map(Option::unwrap_or_default).collect(),
            }),
            Some(width) => {
                let cells = cells.iter().map(Option::as_deref);
                // a sheet has no cell where nothing was typed
                let cells = cells.chain(std::iter::repeat(None)).take(width);
                self.collector.row(u64::from(self.row) + 1, cells)
            }
        };
        if let Err(error) = done {
            self.stopped = Some(error);
        }
    }

    fn heading(&mut self, cells: Vec<Option<String>>) -> Result<(), HubError> {
        self.width = Some(cells.len());
        let names: Vec<String> = cells
            .into_iter()
            .map(|cell| cell.unwrap_or_default().trim().to_owned())
            .collect();
        self.drift = super::heading(self.dataset, &names)?;
        self.collector.begin(names);
        Ok(())
    }
}
