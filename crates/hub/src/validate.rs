//! A batch of text cells becomes typed columns, and the rows that can't be taken become rejects.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray as _, BooleanArray, RecordBatch, StringArray};
use arrow::compute::filter_record_batch;

use crate::dataset::{Check, Comparison, Dataset, Severity};
use crate::error::HubError;
use crate::keys::{Hasher, Record, orders, units};
use crate::rejects::{Reason, Reject};
use crate::source::{self, Batch};
use crate::values::{self, Problem};

/// What validation knows beside the batch.
pub(crate) struct Validator {
    pub dataset: Arc<Dataset>,
    pub hasher: Hasher,
    /// Hashes of the values that a rule of this number may refer to.
    pub foreign: BTreeMap<usize, HashSet<[u8; 16]>>,
}

/// A batch that was looked at.
pub(crate) struct Validated {
    pub rows: RecordBatch,
    pub rejects: Vec<Reject>,
    /// Records of the rows taken, for each of [`unique_sets`].
    pub records: Vec<Vec<Record>>,
    /// How often a rule that does not reject did not hold, by its number.
    pub counts: BTreeMap<usize, u64>,
    /// Latest day or instant of the columns of rules that ask for it.
    pub latest: BTreeMap<usize, i128>,
}

/// The sets of columns in which no two rows may be the same: the key, then those of rules. The second is the number of
/// the rule.
pub(crate) fn unique_sets(dataset: &Dataset) -> Vec<(Vec<usize>, Option<usize>)> {
    let key = (!dataset.source.key.is_empty()).then(|| (dataset.source.key.clone(), None));
    let rules = dataset.quality.iter().enumerate();
    let of_rules = rules.filter_map(|(number, rule)| match &rule.check {
        Check::Unique(columns) => Some((columns.clone(), Some(number))),
        _ => None,
    });
    key.into_iter().chain(of_rules).collect()
}

/// Problems by row.
struct Problems<'a> {
    dataset: &'a Dataset,
    found: BTreeMap<usize, Vec<Reason>>,
}

impl Problems<'_> {
    fn add(&mut self, row: usize, column: Option<usize>, problem: &Problem) {
        let name = column
            .and_then(|column| self.dataset.columns.get(column))
            .map_or("", |column| column.name.as_str());
        self.found.entry(row).or_default().push(Reason::new(name, problem));
    }
}

impl Validator {
    /// Looks at a batch.
    pub fn batch(&self, batch: &Batch) -> Result<Validated, HubError> {
        let dataset = &*self.dataset;
        let rows = batch.places.len();
        let mut problems = Problems {
            dataset,
            found: BTreeMap::new(),
        };
        let deletes = self.deletes(batch, &mut problems)?;
        let mut columns = Vec::with_capacity(dataset.columns.len());
        for (number, column) in dataset.columns.iter().enumerate() {
            let cells: Vec<&StringArray> = column
                .from
                .iter()
                .map(|name| cells(batch, name))
                .collect::<Result<_, _>>()?;
            let (array, wrong) = values::typed(column, &cells, rows);
            // a row that only says that something is gone need not say what it was
            let needed = dataset.source.key.contains(&number) || dataset.source.time == Some(number);
            for (row, problem) in wrong {
                if needed || !deletes.contains(&row) {
                    problems.add(row, Some(number), &problem);
                }
            }
            columns.push(array);
        }
        let mut counts = BTreeMap::new();
        for (number, rule) in dataset.quality.iter().enumerate() {
            let mut failed = self.failed(number, &rule.check, &columns, rows);
            failed.retain(|row| !deletes.contains(row) && !problems.found.contains_key(row));
            match rule.severity {
                Severity::Reject => {
                    for row in failed {
                        problems.add(row, None, &Problem::Rule(rule.name.clone()));
                    }
                }
                Severity::Hold | Severity::Warn if !failed.is_empty() => {
                    counts.insert(number, u64::try_from(failed.len()).unwrap_or(u64::MAX));
                }
                Severity::Hold | Severity::Warn => {}
            }
        }
        let taken = |row: usize| !problems.found.contains_key(&row);
        let keep: BooleanArray = (0..rows)
            .map(|row| Some(taken(row) && !deletes.contains(&row)))
            .collect();
        let whole = RecordBatch::try_new(dataset.schema(), columns)
            .map_err(|error| HubError::source(format!("the columns do not fit together: {error}")))?;
        let records = self.records(batch, &whole, &taken, &deletes);
        let latest = self.latest(&whole, &keep);
        let kept = filter_record_batch(&whole, &keep)
            .map_err(|error| HubError::source(format!("rows can't be put apart: {error}")))?;
        let mut rejects: Vec<Reject> = problems
            .found
            .into_iter()
            .map(|(row, reasons)| Reject {
                place: batch.places.get(row).copied().unwrap_or_default(),
                reasons,
                cells: source::cells_of(batch, row),
            })
            .collect();
        rejects.extend(batch.broken.iter().map(|broken| {
            Reject {
                place: broken.place,
                reasons: vec![Reason::new("", &broken.problem)],
                cells: broken
                    .cells
                    .iter()
                    .map(|cell| (String::new(), Some(cell.clone())))
                    .collect(),
            }
        }));
        rejects.sort_by_key(|reject| reject.place);
        Ok(Validated {
            rows: kept,
            rejects,
            records,
            counts,
            latest,
        })
    }

    /// Rows that say that something is gone.
    fn deletes(&self, batch: &Batch, problems: &mut Problems<'_>) -> Result<HashSet<usize>, HubError> {
        let mut deletes = HashSet::new();
        if let Some(operation) = &self.dataset.source.operation {
            let words = cells(batch, &operation.from)?;
            for row in 0..words.len() {
                let word = if words.is_null(row) {
                    ""
                } else {
                    words.value(row).trim()
                };
                if operation.delete.contains(word) {
                    deletes.insert(row);
                } else if !operation.put.contains(word) {
                    problems.add(row, None, &Problem::UnknownOperation);
                }
            }
        }
        Ok(deletes)
    }

    fn records(
        &self,
        batch: &Batch,
        whole: &RecordBatch,
        taken: &dyn Fn(usize) -> bool,
        deletes: &HashSet<usize>,
    ) -> Vec<Vec<Record>> {
        let orders = orders(
            self.dataset.source.time.map(|column| whole.column(column)),
            whole.num_rows(),
        );
        let set = |(columns, rule): &(Vec<usize>, Option<usize>)| {
            let columns: Vec<ArrayRef> = columns.iter().map(|column| Arc::clone(whole.column(*column))).collect();
            let hashes = self.hasher.rows(&columns, whole.num_rows());
            let (mut records, mut row) = (Vec::new(), 0);
            let each = hashes.into_iter().zip(&orders).zip(&batch.places).enumerate();
            for (at, ((hash, order), place)) in each.filter(|(at, _)| taken(*at)) {
                let delete = deletes.contains(&at);
                let written = row;
                row += u32::from(!delete);
                // only the key says what is gone
                let (Some(hash), false) = (hash, delete && rule.is_some()) else {
                    continue;
                };
                records.push(Record {
                    hash,
                    order: *order,
                    place: *place,
                    file: batch.number,
                    row: written,
                    delete,
                });
            }
            records
        };
        unique_sets(&self.dataset).iter().map(set).collect()
    }

    fn latest(&self, whole: &RecordBatch, keep: &BooleanArray) -> BTreeMap<usize, i128> {
        let columns = self.dataset.quality.iter().filter_map(|rule| match rule.check {
            Check::Fresh { column, .. } => Some(column),
            _ => None,
        });
        columns
            .filter_map(|column| {
                let values = whole.column(column);
                let kept = (0..whole.num_rows()).filter(|row| keep.value(*row));
                Some((column, kept.filter_map(|row| units(values, row)).max()?))
            })
            .collect()
    }

    /// The rows for which a check does not hold.
    fn failed(&self, number: usize, check: &Check, columns: &[ArrayRef], rows: usize) -> Vec<usize> {
        let column = |place: usize| columns.get(place);
        let where_ = |fails: &dyn Fn(usize) -> bool| (0..rows).filter(|row| fails(*row)).collect();
        let text = |place: usize| column(place).and_then(|column| column.as_string_opt::<i32>());
        match check {
            Check::Range {
                column: place,
                min,
                max,
            } => where_(&|row| {
                let value = column(*place).and_then(|column| units(column, row));
                value.is_some_and(|value| min.is_some_and(|min| value < min) || max.is_some_and(|max| value > max))
            }),
            Check::Matches { columns, pattern } => where_(&|row| {
                let mut texts = columns.iter().filter_map(|place| text(*place));
                texts.any(|text| !text.is_null(row) && !pattern.is_match(text.value(row)))
            }),
            Check::FormulaFree(columns) => where_(&|row| {
                let mut texts = columns.iter().filter_map(|place| text(*place));
                texts.any(|text| !text.is_null(row) && values::begins_a_formula(text.value(row)))
            }),
            Check::Compare { left, how, right } => where_(&|row| {
                let holds = |order: std::cmp::Ordering| match how {
                    Comparison::Less => order.is_lt(),
                    Comparison::LessOrEqual => order.is_le(),
                    Comparison::Equal => order.is_eq(),
                    Comparison::NotEqual => order.is_ne(),
                };
                let numbers = column(*left)
                    .and_then(|column| units(column, row))
                    .zip(column(*right).and_then(|column| units(column, row)));
                if let Some((left, right)) = numbers {
                    return !holds(left.cmp(&right));
                }
                match (text(*left), text(*right)) {
                    (Some(left), Some(right)) if !left.is_null(row) && !right.is_null(row) => {
                        !holds(left.value(row).cmp(right.value(row)))
                    }
                    _ => false,
                }
            }),
            Check::RequiredWhen { columns, when, is } => where_(&|row| {
                let decides =
                    text(*when).is_some_and(|text| !text.is_null(row) && is.iter().any(|word| word == text.value(row)));
                decides
                    && columns
                        .iter()
                        .any(|place| column(*place).is_some_and(|column| column.is_null(row)))
            }),
            Check::Foreign { column: place, .. } => {
                let (Some(known), Some(values)) = (self.foreign.get(&number), column(*place)) else {
                    return Vec::new();
                };
                let hashes = self.hasher.rows(std::slice::from_ref(values), rows);
                where_(&|row| {
                    let hash = hashes.get(row).copied().flatten();
                    hash.is_some_and(|hash| !known.contains(&hash))
                })
            }
            Check::Sum { total, parts } => where_(&|row| {
                let value = |place: &usize| column(*place).and_then(|column| units(column, row));
                let sum: Option<i128> = parts.iter().map(value).sum();
                value(total).zip(sum).is_some_and(|(total, sum)| total != sum)
            }),
            // these look at more than one row
            Check::Unique(_) | Check::Fresh { .. } | Check::RowsChange { .. } | Check::RejectsAtMost(_) => Vec::new(),
        }
    }
}

fn cells<'b>(batch: &'b Batch, name: &str) -> Result<&'b StringArray, HubError> {
    let place = batch.names.iter().position(|known| known == name);
    place
        .and_then(|place| batch.cells.get(place))
        .ok_or_else(|| HubError::source(format!("the source has no column `{name}`")))
}
