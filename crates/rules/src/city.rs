//! A sweep of several services over one population: each part of the file is read once for all of them.

use crate::error::RuleError;
use crate::plan::Plan;
use crate::population::unreadable;
use crate::population_file::{PopulationFile, Wanted};
use crate::set::RuleSet;
use crate::sweep::{self, Chunk, Swept};
use crate::threads;
use arrow::array::{Int64Array, Int64Builder, ListArray, RecordBatch, StringArray, UInt64Array};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use jiff::civil::Date;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// One service, ready for the parts of a file.
struct Service<'a> {
    name: &'a str,
    set: &'a RuleSet,
    plan: Arc<Plan>,
    wanted: Vec<Wanted<'a>>,
}

/// Says of which service of a sweep an error is.
fn of(service: &str, error: RuleError) -> RuleError {
    match service {
        "" => error,
        service => RuleError::Service {
            service: service.to_owned(),
            error: Box::new(error),
        },
    }
}

/// All services, and the columns that they read of the file together.
struct City<'a> {
    file: &'a PopulationFile,
    services: Vec<Service<'a>>,
    places: BTreeSet<usize>,
}

impl<'a> City<'a> {
    fn new(file: &'a PopulationFile, services: &[(&'a str, &'a RuleSet)], on: Date) -> Result<City<'a>, RuleError> {
        let ready = |(name, set): &(&'a str, &'a RuleSet)| {
            Ok(Service {
                name,
                set,
                plan: set.plan(on).map_err(|error| of(name, error))?,
                wanted: file.needed(name, set.rules()),
            })
        };
        let services: Vec<Service<'a>> = services.iter().map(ready).collect::<Result<_, _>>()?;
        let places = services.iter().flat_map(|service| &service.wanted);
        Ok(City {
            file,
            places: places.map(Wanted::place).collect(),
            services,
        })
    }

    /// What each service says of a part. `done` hears which one was decided, first of all that the part was read.
    fn part(&self, part: usize, mut done: impl FnMut(Option<usize>)) -> Result<Vec<Vec<Chunk>>, RuleError> {
        let part = self.file.part(part, &self.places)?;
        done(None);
        let decide = |(place, service): (usize, &Service<'_>)| {
            let rules = service.set.rules();
            let population = part.population(rules, &service.wanted);
            let chunks = population
                .and_then(|population| sweep::chunks(rules, &service.plan, &population, part.first))
                .map_err(|error| of(service.name, error))?;
            done(Some(place));
            Ok(chunks)
        };
        self.services.iter().enumerate().map(decide).collect()
    }

    /// The results of parts as one for each service.
    fn joined(&self, parts: Vec<Vec<Vec<Chunk>>>) -> Result<Vec<Swept>, RuleError> {
        let mut all: Vec<Vec<Chunk>> = Vec::new();
        all.resize_with(self.services.len(), Vec::new);
        for part in parts {
            for (chunks, of) in part.into_iter().zip(&mut all) {
                of.extend(chunks);
            }
        }
        let services = self.services.iter().zip(&all);
        services
            .map(|(service, chunks)| sweep::joined(service.set.rules(), chunks))
            .collect()
    }
}

/// What one sweep of several services took, as the clock handed in says: time of all threads together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Reading the file.
    pub reading: Duration,
    /// Deciding, for each service.
    pub services: Vec<Duration>,
}

impl PopulationFile {
    /// What several services' rules say of everybody who could apply, service by service in the order given, on every
    /// core. Each service is given with its name, which its own columns begin with.
    ///
    /// # Errors
    /// As [`RuleSet::decide`], for the first case that has one; [`RuleError::Population`] when the file can't be read, or
    /// a column is of another type. [`RuleError::Service`] says which service's rules an error is of.
    pub fn sweep(&self, services: &[(&str, &RuleSet)], on: Date) -> Result<Vec<Swept>, RuleError> {
        Ok(self.sweep_timed(services, on, &|| Duration::ZERO)?.0)
    }

    /// As [`PopulationFile::sweep`], with what it took. `now` is the time since some moment.
    ///
    /// # Errors
    /// As [`PopulationFile::sweep`].
    pub fn sweep_timed(
        &self,
        services: &[(&str, &RuleSet)],
        on: Date,
        now: &(dyn Fn() -> Duration + Sync),
    ) -> Result<(Vec<Swept>, Effort), RuleError> {
        let city = City::new(self, services, on)?;
        let effort = Mutex::new(Effort {
            reading: Duration::ZERO,
            services: vec![Duration::ZERO; services.len()],
        });
        let parts = threads::each(self.parts(), |part| {
            let mut last = now();
            city.part(part, |done| {
                let (before, after) = (last, now());
                last = after;
                let mut effort = effort.lock().unwrap_or_else(PoisonError::into_inner);
                let spent = match done {
                    None => Some(&mut effort.reading),
                    Some(service) => effort.services.get_mut(service),
                };
                if let Some(spent) = spent {
                    *spent += after.saturating_sub(before);
                }
            })
        })?;
        let effort = effort.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok((city.joined(parts)?, effort))
    }

    /// As [`PopulationFile::sweep`], of part number `part` alone and on the calling thread: for callers that share the
    /// parts out themselves.
    ///
    /// # Errors
    /// As [`PopulationFile::sweep`].
    pub fn sweep_part(&self, part: usize, services: &[(&str, &RuleSet)], on: Date) -> Result<Vec<Swept>, RuleError> {
        let city = City::new(self, services, on)?;
        let chunks = city.part(part, |_| {})?;
        city.joined(vec![chunks])
    }

    /// The columns of [`PopulationFile::table`].
    #[must_use]
    pub fn table_schema() -> SchemaRef {
        let amount = Arc::new(Field::new("item", DataType::Int64, true));
        Arc::new(Schema::new(vec![
            Field::new("service", DataType::Utf8, false),
            Field::new("household", DataType::Int64, false),
            Field::new("person", DataType::UInt64, false),
            Field::new("outcome", DataType::Boolean, true),
            Field::new("amounts", DataType::List(amount), false),
        ]))
    }

    /// What a sweep found as a table: a row a case with the service, the household's number, the applicant's row in the
    /// file, the outcome, and the amounts in the order of their names.
    ///
    /// # Errors
    /// [`RuleError::Population`] when the results don't fit together.
    pub fn table(&self, service: &str, swept: &Swept) -> Result<RecordBatch, RuleError> {
        let cases = swept.outcome.len();
        let each = swept.amounts.len();
        if i32::try_from(cases.saturating_mul(each)).is_err() {
            return Err(unreadable("it has too many cases for one table"));
        }
        let mut values = Int64Builder::with_capacity(cases * each);
        let mut columns: Vec<_> = swept.amounts.values().map(|amounts| amounts.iter()).collect();
        for _ in 0..cases {
            for column in &mut columns {
                values.append_option(column.next().flatten());
            }
        }
        let amounts = ListArray::try_new(
            Arc::new(Field::new("item", DataType::Int64, true)),
            OffsetBuffer::from_repeated_length(each, cases),
            Arc::new(values.finish()),
            None,
        )
        .map_err(unreadable)?;
        let services = StringArray::from_iter_values(std::iter::repeat_n(service, cases));
        let households = Int64Array::from(self.households_of(&swept.applicant));
        RecordBatch::try_new(
            PopulationFile::table_schema(),
            vec![
                Arc::new(services),
                Arc::new(households),
                Arc::new(UInt64Array::from(swept.applicant.clone())),
                Arc::new(swept.outcome.clone()),
                Arc::new(amounts),
            ],
        )
        .map_err(unreadable)
    }
}
