//! What is to be decided, as it travels with the plan, and what a process has opened of it.

use datafusion::common::{DataFusionError, Result};
use jiff::civil::Date;
use rules::{PopulationFile, RuleSet};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// A sweep: everybody in a file by the rules of the services in a folder. Every node has both at the same path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Job {
    /// Parquet file of the population.
    pub population: PathBuf,
    /// Folder of the services.
    pub services: PathBuf,
    /// The day whose law decides.
    pub date: Date,
    /// Name and digest of each service's rules, so that no node decides by others.
    pub digests: Vec<(String, String)>,
    /// Persons in the file, for the same reason.
    pub persons: usize,
    /// Parts the file is read in; a partition of the plan has one of them.
    pub parts: usize,
}

/// A job's rules and population, opened.
#[derive(Debug)]
pub struct City {
    sets: Vec<(String, RuleSet)>,
    file: PopulationFile,
}

/// What this process has opened, by job.
#[derive(Debug, Default)]
pub struct Opened(Mutex<HashMap<Job, Arc<City>>>);

/// An error of ours as DataFusion passes it on.
pub fn failed(error: impl std::fmt::Display) -> DataFusionError {
    DataFusionError::Execution(error.to_string())
}

impl Job {
    /// The job of a file and a folder, with what it is made of.
    pub fn new(population: PathBuf, services: PathBuf, date: Date) -> Result<Job> {
        let mut job = Job {
            population,
            services,
            date,
            digests: Vec::new(),
            persons: 0,
            parts: 0,
        };
        let city = City::open(&job)?;
        job.digests = city.digests();
        (job.persons, job.parts) = (city.file.persons(), city.file.parts());
        Ok(job)
    }
}

impl City {
    fn open(job: &Job) -> Result<City> {
        let mut sets = Vec::new();
        for entry in std::fs::read_dir(&job.services).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') || !entry.path().join("rules.toml").is_file() {
                continue;
            }
            let set = RuleSet::load(&entry.path()).map_err(|mistakes| {
                let told: Vec<String> = mistakes.iter().map(|mistake| format!("{name}/{mistake}")).collect();
                failed(told.join("\n"))
            })?;
            sets.push((name, set));
        }
        sets.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(City {
            sets,
            file: PopulationFile::open(&job.population).map_err(failed)?,
        })
    }

    fn digests(&self) -> Vec<(String, String)> {
        let digest = |(name, set): &(String, RuleSet)| (name.clone(), set.digest().to_owned());
        self.sets.iter().map(digest).collect()
    }

    /// The decisions of a part, a table for each service.
    pub fn decide(&self, job: &Job, part: usize) -> Result<Vec<arrow::array::RecordBatch>> {
        let services: Vec<(&str, &RuleSet)> = self.sets.iter().map(|(name, set)| (name.as_str(), set)).collect();
        let swept = self.file.sweep_part(part, &services, job.date).map_err(failed)?;
        let tables = services.iter().zip(&swept);
        tables
            .map(|((name, _), swept)| self.file.table(name, swept).map_err(failed))
            .collect()
    }
}

impl Opened {
    /// What a job needs, opened by the first who asks.
    pub fn city(&self, job: &Job) -> Result<Arc<City>> {
        let mut opened = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(city) = opened.get(job) {
            return Ok(Arc::clone(city));
        }
        let city = City::open(job)?;
        if city.digests() != job.digests {
            return Err(failed("the rules of this node are not those of the client"));
        }
        if (city.file.persons(), city.file.parts()) != (job.persons, job.parts) {
            return Err(failed("the population of this node is not that of the client"));
        }
        let city = Arc::new(city);
        opened.insert(job.clone(), Arc::clone(&city));
        Ok(city)
    }
}
