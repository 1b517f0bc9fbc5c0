//! Fields of so many bytes each. Widths count bytes of the source's own encoding, so lines are cut before they are decoded.

use std::io::{BufRead, Read as _};

use super::{Broken, Collector, Drift, LARGEST_ROW};
use crate::dataset::Dataset;
use crate::encoding::Decoded;
use crate::error::HubError;
use crate::values::Problem;

pub(super) fn read(
    dataset: &Dataset,
    mut input: impl BufRead,
    collector: &mut Collector<'_>,
) -> Result<Drift, HubError> {
    let fields = &dataset.source.fields;
    let names: Vec<String> = fields.iter().map(|(name, _)| name.clone()).collect();
    let drift = super::heading(dataset, &names)?;
    if !drift.missing.is_empty() {
        return Ok(drift);
    }
    collector.begin(names);
    let width: usize = fields.iter().map(|(_, width)| width).sum();
    let decode = |bytes: &[u8]| {
        let mut text = String::new();
        // reading bytes that are in memory does not fail
        let _ = Decoded::new(bytes, &dataset.source).read_to_string(&mut text);
        text
    };
    let most = u64::try_from(LARGEST_ROW).unwrap_or(u64::MAX);
    let (mut line, mut number) = (Vec::new(), 0_u64);
    loop {
        line.clear();
        number += 1;
        let read = (&mut input)
            .take(most)
            .read_until(b'\n', &mut line)
            .map_err(|error| HubError::at(format!("line {number}"), error.to_string()))?;
        if read == 0 {
            // columns the folder does not use are named by the folder itself, so they are no news
            return Ok(Drift::default());
        }
        if read == LARGEST_ROW {
            return Err(HubError::at(format!("line {number}"), "it is longer than 4 MiB"));
        }
        let end = line.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r'));
        let row = end.and_then(|end| line.get(..=end)).unwrap_or_default();
        if row.is_empty() || row == [0x1A] {
            continue;
        }
        if row.len() != width {
            let problem = Problem::Broken(format!("it has {} bytes, the fields have {width}", row.len()));
            collector.broken(Broken {
                place: number,
                problem,
                cells: vec![decode(row)],
            })?;
            continue;
        }
        let mut at = 0;
        let cells: Vec<String> = fields
            .iter()
            .map(|(_, width)| {
                let cell = decode(row.get(at..at + width).unwrap_or_default());
                at += width;
                cell
            })
            .collect();
        collector.row(number, cells.iter().map(|cell| Some(cell.as_str())))?;
    }
}
