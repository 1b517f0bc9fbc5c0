//! The client: asks the cluster in SQL, for counts and then for every row, and compares with what one process found.

use crate::codec::Logical;
use crate::job::{Job, Opened};
use crate::nodes::HOST;
use crate::table::Decisions;
use crate::{Done, Options};
use arrow::array::{Array, AsArray, BooleanArray, Int64Array, ListArray, RecordBatch};
use arrow::datatypes::{Int64Type, UInt64Type};
use ballista::prelude::{SessionConfigExt, SessionContextExt};
use datafusion::execution::SessionStateBuilder;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use futures::StreamExt;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// Asks, compares, and prints what was found as one line of JSON.
pub async fn run(options: &Options) -> Done {
    let job = Job::new(
        PathBuf::from(options.get("population")?),
        PathBuf::from(options.get("services")?),
        options.get("date")?.parse()?,
    )?;
    let expected = Expected::read(Path::new(options.get("expected")?))?;
    let context = connect(options.number("scheduler")?).await?;
    context.register_table("decisions", Arc::new(Decisions::new(job, Arc::new(Opened::default()))))?;

    let counted = expected.counted();
    let most = counted.values().map(|count| count.sums.len()).max().unwrap_or(0);
    // the first query finds executors that have opened nothing yet
    let (first, first_s) = timed(count(&context, most)).await?;
    let (again, count_s) = timed(count(&context, most)).await?;
    let (found, rows_s) = timed(rows(&context)).await?;

    let differing = expected.differing(&found)?;
    let rows: usize = found.iter().map(RecordBatch::num_rows).sum();
    println!(
        "{}",
        json!({ "rows": rows, "expected_rows": expected.rows, "differing": differing,
            "counts_equal": first == counted && again == counted, "first_s": first_s, "count_s": count_s, "rows_s": rows_s })
    );
    Ok(())
}

/// A session with the scheduler on this port.
async fn connect(port: u16) -> Done<SessionContext> {
    let config = SessionConfig::new_with_ballista()
        .with_target_partitions(2)
        .with_ballista_logical_extension_codec(Arc::new(Logical::default()));
    let state = SessionStateBuilder::new()
        .with_config(config)
        .with_default_features()
        .build();
    Ok(SessionContext::remote_with_state(&format!("df://{HOST}:{port}"), state).await?)
}

async fn timed<T>(work: impl Future<Output = Done<T>>) -> Done<(T, f64)> {
    let begun = Instant::now();
    let found = work.await?;
    Ok((found, begun.elapsed().as_secs_f64()))
}

/// The cases of one service with one outcome.
#[derive(Debug, Default, PartialEq)]
struct Count {
    cases: i64,
    /// The sum of each amount.
    sums: Vec<i64>,
}

/// By service and outcome.
type Counts = BTreeMap<(String, Option<bool>), Count>;

/// Lets the cluster count; `most` is the most amounts that a service has.
async fn count(context: &SessionContext, most: usize) -> Done<Counts> {
    let sums: String = (1..=most).map(|at| format!(", SUM(amounts[{at}])")).collect();
    let sql = format!("SELECT service, outcome, COUNT(*){sums} FROM decisions GROUP BY service, outcome");
    let mut counts = Counts::new();
    for batch in context.sql(&sql).await?.collect().await? {
        let services = batch.column(0).as_string::<i32>();
        let outcomes = batch.column(1).as_boolean();
        for row in 0..batch.num_rows() {
            // a sum of nothing known is NULL
            let number = |column: usize| {
                let numbers = batch.column(column).as_primitive::<Int64Type>();
                if numbers.is_valid(row) { numbers.value(row) } else { 0 }
            };
            let count = Count {
                cases: number(2),
                sums: (0..most).map(|at| number(at + 3)).collect(),
            };
            counts.insert((services.value(row).to_owned(), known(outcomes, row)), count);
        }
    }
    Ok(counts)
}

/// Lets the cluster send every row.
async fn rows(context: &SessionContext) -> Done<Vec<RecordBatch>> {
    let frame = context.sql("SELECT service, household, person, outcome, amounts FROM decisions");
    let mut stream = frame.await?.execute_stream().await?;
    let mut batches = Vec::new();
    while let Some(batch) = stream.next().await {
        batches.push(batch?);
    }
    Ok(batches)
}

fn known(truth: &BooleanArray, row: usize) -> Option<bool> {
    truth.is_valid(row).then(|| truth.value(row))
}

/// The answer of one process, and where the row of each case is.
struct Expected {
    batches: Vec<RecordBatch>,
    /// By service and person: batch and row.
    places: BTreeMap<String, Vec<Option<(u32, u32)>>>,
    rows: usize,
}

/// The columns of a table of decisions.
struct Columns<'a> {
    services: &'a arrow::array::StringArray,
    households: &'a Int64Array,
    persons: &'a arrow::array::UInt64Array,
    outcomes: &'a BooleanArray,
    amounts: &'a ListArray,
    values: &'a Int64Array,
}

impl<'a> Columns<'a> {
    fn of(batch: &'a RecordBatch) -> Done<Columns<'a>> {
        let column = |at: usize| batch.columns().get(at).ok_or("a column is missing");
        let amounts = column(4)?.as_list_opt::<i32>().ok_or("`amounts` is no list")?;
        Ok(Columns {
            services: column(0)?.as_string_opt::<i32>().ok_or("`service` is no text")?,
            households: column(1)?
                .as_primitive_opt::<Int64Type>()
                .ok_or("`household` is no number")?,
            persons: column(2)?
                .as_primitive_opt::<UInt64Type>()
                .ok_or("`person` is no number")?,
            outcomes: column(3)?.as_boolean_opt().ok_or("`outcome` is no truth value")?,
            values: amounts
                .values()
                .as_primitive_opt::<Int64Type>()
                .ok_or("an amount is no number")?,
            amounts,
        })
    }

    /// The amounts of a row.
    fn amounts(&self, row: usize) -> impl Iterator<Item = Option<i64>> {
        let offset = |at: usize| {
            let offset = self.amounts.value_offsets().get(at).copied().unwrap_or_default();
            usize::try_from(offset).unwrap_or_default()
        };
        (offset(row)..offset(row + 1)).map(move |at| self.values.is_valid(at).then(|| self.values.value(at)))
    }

    /// Whether a row says the same as a row of another table.
    fn same(&self, row: usize, other: &Columns<'_>, at: usize) -> bool {
        self.households.value(row) == other.households.value(at)
            && known(self.outcomes, row) == known(other.outcomes, at)
            && self.amounts(row).eq(other.amounts(at))
    }
}

impl Expected {
    fn read(path: &Path) -> Done<Expected> {
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?;
        let batches = reader
            .with_batch_size(1 << 16)
            .build()?
            .collect::<Result<Vec<_>, _>>()?;
        let mut expected = Expected {
            batches,
            places: BTreeMap::new(),
            rows: 0,
        };
        for (number, batch) in expected.batches.iter().enumerate() {
            let columns = Columns::of(batch)?;
            for row in 0..batch.num_rows() {
                let person = usize::try_from(columns.persons.value(row))?;
                let service = columns.services.value(row);
                if !expected.places.contains_key(service) {
                    expected.places.insert(service.to_owned(), Vec::new());
                }
                if let Some(places) = expected.places.get_mut(service) {
                    if places.len() <= person {
                        places.resize(person + 1, None);
                    }
                    if let Some(place) = places.get_mut(person) {
                        *place = Some((u32::try_from(number)?, u32::try_from(row)?));
                    }
                }
            }
            expected.rows += batch.num_rows();
        }
        Ok(expected)
    }

    /// The rows counted here, as the cluster counts its own.
    fn counted(&self) -> Counts {
        let mut counts = Counts::new();
        let columns = self.batches.iter().filter_map(|batch| Columns::of(batch).ok());
        let columns: Vec<Columns<'_>> = columns.collect();
        let most = columns
            .iter()
            .flat_map(|columns| (0..columns.amounts.len()).map(|row| columns.amounts(row).count()))
            .max();
        for columns in &columns {
            for row in 0..columns.outcomes.len() {
                let key = (columns.services.value(row).to_owned(), known(columns.outcomes, row));
                let count = counts.entry(key).or_default();
                count.cases += 1;
                count.sums.resize(most.unwrap_or(0), 0);
                for (amount, sum) in columns.amounts(row).zip(&mut count.sums) {
                    *sum += amount.unwrap_or(0);
                }
            }
        }
        counts
    }

    /// How many rows the cluster sent that are not in the answer or say otherwise, and how many it did not send.
    fn differing(&self, found: &[RecordBatch]) -> Done<usize> {
        let expected: Vec<Columns<'_>> = self.batches.iter().map(Columns::of).collect::<Done<_>>()?;
        let mut places = self.places.clone();
        let (mut differing, mut left) = (0, self.rows);
        for batch in found {
            let columns = Columns::of(batch)?;
            for row in 0..batch.num_rows() {
                let person = usize::try_from(columns.persons.value(row))?;
                let place = places
                    .get_mut(columns.services.value(row))
                    .and_then(|places| places.get_mut(person))
                    // a row that comes twice is not in the answer twice
                    .and_then(Option::take);
                let Some((batch, at)) = place else {
                    differing += 1;
                    continue;
                };
                left -= 1;
                let other = expected.get(usize::try_from(batch)?).ok_or("a batch is missing")?;
                if !columns.same(row, other, usize::try_from(at)?) {
                    differing += 1;
                }
            }
        }
        Ok(differing + left)
    }
}
