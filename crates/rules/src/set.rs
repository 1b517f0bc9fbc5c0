//! A rule set as the rest of the program holds it: read once, compiled once for each day it is asked about.

use crate::coverage::Coverage;
use crate::decide::{self, Decision};
use crate::error::RuleError;
use crate::input::CaseInput;

use crate::model::{Input, StepInfo};
use crate::parameters::Parameter;
use crate::people_file::PeopleFile;
use crate::plan::Plan;
use crate::population::Population;
use crate::population_file::PopulationFile;
use crate::rules::Rules;
use crate::sweep::{self, Swept};
use civic::Mistake;
use jiff::civil::Date;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

/// Plans kept. A year of appeals asks about a few hundred days at most, most of them today.
const PLANS: usize = 64;

/// The rules of one service, checked and ready to decide.
#[derive(Debug)]
pub struct RuleSet {
    rules: Rules,
    /// The newest last.
    plans: RwLock<Vec<Arc<Plan>>>,
}

impl RuleSet {
    /// Reads `rules.toml` of a folder and the tables beside it.
    ///
    /// # Errors
    /// Every mistake found, with file, line and column.
    pub fn load(folder: &Path) -> Result<RuleSet, Vec<Mistake>> {
        Ok(RuleSet {
            rules: Rules::load(folder)?,
            plans: RwLock::default(),
        })
    }

    /// What the rules say of one case under the law of a day.
    ///
    /// # Errors
    /// [`RuleError`]: facts that don't fit, a parameter without a row for the day, arithmetic that has no result.
    pub fn decide(&self, input: &CaseInput, on: Date) -> Result<Decision, RuleError> {
        self.weigh(input, on).map(|(decision, _)| decision)
    }

    /// As [`RuleSet::decide`], and for each input of `waiting`, in its order, how much it decides: in a condition each part
    /// that is not known decides alone, of `n` inputs needed together each decides an `n`th. A larger number decides more.
    ///
    /// # Errors
    /// As [`RuleSet::decide`].
    pub fn weigh(&self, input: &CaseInput, on: Date) -> Result<(Decision, Vec<f64>), RuleError> {
        decide::decide(&self.rules, self.plan(on)?.as_ref(), input)
    }

    /// Which branches of the rules a set of cases, each under the law of its day, goes through.
    ///
    /// # Errors
    /// As [`RuleSet::decide`], for the first case that has one.
    pub fn coverage<'a>(&self, cases: impl IntoIterator<Item = (&'a CaseInput, Date)>) -> Result<Coverage, RuleError> {
        let mut coverage = Coverage::new(&self.rules);
        for (input, on) in cases {
            coverage.add(&self.rules, self.plan(on)?.as_ref(), input)?;
        }
        Ok(coverage)
    }

    /// What the rules say of everybody who could apply.
    ///
    /// # Errors
    /// As [`RuleSet::decide`], for the first case that has one.
    pub fn sweep(&self, population: &Population, on: Date) -> Result<Swept, RuleError> {
        sweep::sweep(&self.rules, self.plan(on)?.as_ref(), population)
    }

    /// What the rules say of everybody in a Parquet file who could apply, with how many persons and households there are.
    /// The file is read part by part; see [`Population`] for the columns.
    ///
    /// # Errors
    /// As [`RuleSet::decide`], for the first case that has one; [`RuleError::Population`] when the file can't be read, or
    /// a column is missing or of another type.
    pub fn sweep_file(&self, file: impl Into<PeopleFile>, on: Date) -> Result<(Swept, usize, usize), RuleError> {
        let file = PopulationFile::open(file)?;
        let swept = file.sweep(&[("", self)], on)?.pop();
        let swept = swept.ok_or_else(|| RuleError::Population("it was not swept".to_owned()))?;
        Ok((swept, file.persons(), file.households()))
    }

    /// Makes a population of Arrow tables for [`RuleSet::sweep`]; see [`Population`] for the columns.
    ///
    /// # Errors
    /// [`RuleError::Population`] when a column is missing or of another type.
    pub fn population(&self, batches: &[arrow::array::RecordBatch]) -> Result<Population, RuleError> {
        Population::new(&self.rules, batches)
    }

    /// Reads a population from a Parquet file for [`RuleSet::sweep`]; see [`Population`] for the columns.
    ///
    /// # Errors
    /// [`RuleError::Population`] when the file can't be read, or a column is missing or of another type.
    pub fn read_population(&self, file: impl Into<PeopleFile>) -> Result<Population, RuleError> {
        PopulationFile::open(file)?.whole(&self.rules)
    }

    /// Whether the rules say who could apply, so that a population needs no column `applicant`.
    #[must_use]
    pub fn has_candidates(&self) -> bool {
        self.rules.candidates.is_some()
    }

    /// The facts the rules ask for.
    #[must_use]
    pub fn inputs(&self) -> &[Input] {
        &self.rules.inputs
    }

    /// The steps in their order.
    #[must_use]
    pub fn steps(&self) -> &[StepInfo] {
        &self.rules.infos
    }

    /// Names of the steps whose values are wanted beside the outcome: the amounts, and those named in `also`.
    pub fn wanted(&self) -> impl Iterator<Item = &str> {
        let places = self.rules.amounts.iter().chain(&self.rules.also);
        places.filter_map(|place| Some(self.rules.infos.get(*place)?.name.as_str()))
    }

    /// The parameters with all their rows.
    #[must_use]
    pub fn parameters(&self) -> &[Parameter] {
        &self.rules.parameters
    }

    /// The parameters without any row in force on a day, each at the header of its table with what to add.
    #[must_use]
    pub fn not_in_force(&self, on: Date) -> Vec<Mistake> {
        let parameters = self.rules.parameters.iter();
        let without = parameters.filter(|parameter| parameter.in_force(on).is_empty());
        without.map(|parameter| parameter.not_in_force(on)).collect()
    }

    /// The digest of everything that decides: the rules file and its tables (SHA-256, hex).
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.rules.digest
    }

    pub(crate) fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The plan of a day, compiled when it is first asked for.
    pub(crate) fn plan(&self, on: Date) -> Result<Arc<Plan>, RuleError> {
        let found = |plans: &[Arc<Plan>]| plans.iter().rev().find(|plan| plan.on == on).map(Arc::clone);
        if let Some(plan) = found(&self.plans.read().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(plan);
        }
        // compiled outside of the lock: two callers may do it at once, and neither waits for the other
        let plan = Arc::new(Plan::new(&self.rules, on)?);
        let mut plans = self.plans.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(plan) = found(&plans) {
            return Ok(plan);
        }
        if plans.len() >= PLANS {
            plans.remove(0);
        }
        plans.push(Arc::clone(&plan));
        Ok(plan)
    }
}
