//! The tables of one evaluation, and the running of a plan over them: one household for a decision, many for a sweep.

use crate::aggregate::aggregate;
use crate::error::RuleError;
use crate::expr::Of;
use crate::file::Hit;
use crate::model::Entity;
use crate::place;
use crate::plan::{Aggregation, Compiled, Plan};
use crate::rules::{Rules, Step};
use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions, UInt32Array, new_null_array,
};
use arrow::compute::{concat, is_not_null, take};
use datafusion_common::{DataFusionError, Result};
use std::sync::Arc;

/// One table: a column for each input and step of its entity, empty until it is calculated.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    pub rows: usize,
    pub columns: Vec<Option<ArrayRef>>,
}

/// Persons, households and cases, and who belongs to whom.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub person: Table,
    pub household: Table,
    pub case: Table,
    /// For each person the row of the household; the persons of a household stand together.
    pub household_of_person: UInt32Array,
    pub household_of_case: UInt32Array,
    pub applicant_of_case: UInt32Array,
}

impl Frame {
    pub fn table(&self, entity: Entity) -> &Table {
        match entity {
            Entity::Person => &self.person,
            Entity::Household => &self.household,
            Entity::Case => &self.case,
        }
    }

    pub fn table_mut(&mut self, entity: Entity) -> &mut Table {
        match entity {
            Entity::Person => &mut self.person,
            Entity::Household => &mut self.household,
            Entity::Case => &mut self.case,
        }
    }

    /// The value of a calculated column.
    pub fn column(&self, entity: Entity, column: usize) -> Option<&ArrayRef> {
        self.table(entity).columns.get(column)?.as_ref()
    }

    /// Evaluates an expression that stands at an entity, one value for each of its rows.
    pub fn evaluate(&self, compiled: &Compiled, at: Entity) -> Result<ArrayRef> {
        evaluate(compiled, self.arrays(compiled, at)?, self.table(at).rows)
    }

    /// The columns of an expression's schema.
    fn arrays(&self, compiled: &Compiled, at: Entity) -> Result<Vec<ArrayRef>> {
        let mut arrays = Vec::with_capacity(compiled.schema.fields().len());
        for (of, column) in &compiled.columns {
            arrays.push(self.seen_from(at, *of, *column)?);
        }
        for aggregation in &compiled.aggregates {
            arrays.push(self.aggregate(aggregation)?);
        }
        Ok(arrays)
    }

    /// As [`Frame::evaluate`]; a row that has no result is NULL. A part of a step may be without one where the step never
    /// looks at it.
    pub fn evaluate_part(&self, compiled: &Compiled, at: Entity) -> Result<ArrayRef> {
        let whole = self.evaluate(compiled, at);
        let rows = self.table(at).rows;
        if whole.is_ok() || rows < 2 {
            return whole;
        }
        let arrays = self.arrays(compiled, at)?;
        let kind = compiled.expression.data_type(&compiled.schema)?;
        let one = |row: usize| {
            let cells = arrays.iter().map(|array| array.slice(row, 1)).collect();
            evaluate(compiled, cells, 1).unwrap_or_else(|_| new_null_array(&kind, 1))
        };
        let cells: Vec<ArrayRef> = (0..rows).map(one).collect();
        let cells: Vec<&dyn Array> = cells.iter().map(AsRef::as_ref).collect();
        Ok(concat(&cells)?)
    }

    fn seen_from(&self, at: Entity, of: Of, column: usize) -> Result<ArrayRef> {
        let array = self
            .column(of.entity(), column)
            .ok_or_else(|| DataFusionError::Internal(format!("column {column} of {of:?} is not calculated yet")))?;
        Ok(match (at, of) {
            (Entity::Person, Of::Household) => take(array, &self.household_of_person, None)?,
            (Entity::Case, Of::Household) => take(array, &self.household_of_case, None)?,
            (Entity::Case, Of::Applicant) => take(array, &self.applicant_of_case, None)?,
            _ => Arc::clone(array),
        })
    }

    fn aggregate(&self, aggregation: &Aggregation) -> Result<ArrayRef> {
        let argument = &aggregation.argument;
        let values = self.evaluate(argument, Entity::Person);
        let (values, filter) = match &aggregation.filter {
            None => (values?, None),
            Some(filter) => {
                let filter = is_true(self.evaluate(filter, Entity::Person)?.as_boolean())?;
                // persons who are left out may be without a value
                let values = values.or_else(|_| {
                    let batch = batch(argument, self.arrays(argument, Entity::Person)?, self.person.rows)?;
                    let values = argument.expression.evaluate_selection(&batch, &filter)?;
                    values.into_array(self.person.rows)
                })?;
                (values, Some(filter))
            }
        };
        let households = self.household_of_person.values();
        aggregate(
            aggregation.function,
            &values,
            filter.as_ref(),
            households,
            self.household.rows,
        )
        .map_err(|error| place::at(aggregation.node, error.into()))
    }

    /// Calculates the steps that are needed, in their order.
    pub fn run(&mut self, rules: &Rules, plan: &Plan, needed: &[bool]) -> std::result::Result<(), RuleError> {
        for (place, step) in rules.steps.iter().enumerate() {
            if !needed.get(place).copied().unwrap_or_default() {
                continue;
            }
            let (Some(compiled), Some(conditions), Some(info)) =
                (plan.steps.get(place), plan.rows.get(place), rules.infos.get(place))
            else {
                continue;
            };
            let array = self
                .evaluate(compiled, step.entity)
                .map_err(|error| RuleError::step(rules, &info.name, step.node.id, &error))?;
            if !conditions.is_empty() {
                self.check_rows(rules, conditions, step, &info.name)?;
            }
            if let Some(cell) = self.table_mut(step.entity).columns.get_mut(step.column) {
                *cell = Some(array);
            }
        }
        Ok(())
    }

    /// Of a decision table, some row must match, and only one where the table says so.
    fn check_rows(
        &self,
        rules: &Rules,
        conditions: &[Compiled],
        step: &Step,
        name: &str,
    ) -> std::result::Result<(), RuleError> {
        let rows = self.table(step.entity).rows;
        let (mut matched, mut possible) = (vec![0_usize; rows], vec![false; rows]);
        for condition in conditions {
            let array = self
                .evaluate(condition, step.entity)
                .map_err(|error| RuleError::step(rules, name, step.node.id, &error))?;
            let truth = array.as_boolean();
            for row in 0..rows {
                let known = truth.is_valid(row);
                if let Some(possible) = possible.get_mut(row) {
                    *possible |= !known || truth.value(row);
                }
                if let Some(matched) = matched.get_mut(row) {
                    *matched += usize::from(known && truth.value(row));
                }
            }
        }
        let (reason, suggestion) = if possible.contains(&false) {
            (
                "no row of its decision table matches",
                "add a last row with `-` in every `when` that says what holds otherwise",
            )
        } else if step.hit == Hit::Unique && matched.iter().any(|matched| *matched > 1) {
            (
                "more than one row of its decision table matches",
                "let its rows exclude each other, or take `hit = \"unique\"` out so that the first counts",
            )
        } else {
            return Ok(());
        };
        Err(RuleError::placed(
            rules,
            name,
            step.node.id,
            reason,
            Some(suggestion.to_owned()),
        ))
    }
}

/// Evaluates an expression over the arrays of its schema.
pub(crate) fn evaluate(compiled: &Compiled, arrays: Vec<ArrayRef>, rows: usize) -> Result<ArrayRef> {
    let batch = batch(compiled, arrays, rows)?;
    compiled.expression.evaluate(&batch)?.into_array(rows)
}

fn batch(compiled: &Compiled, arrays: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let schema = Arc::clone(&compiled.schema);
    Ok(RecordBatch::try_new_with_options(schema, arrays, &options)?)
}

/// A column that is not given: NULL in every row.
pub(crate) fn nothing(kind: crate::model::Type, rows: usize) -> ArrayRef {
    new_null_array(&crate::plan::data_type(kind), rows)
}

/// The rows where a condition is true; NULL is not.
pub(crate) fn is_true(truth: &BooleanArray) -> Result<BooleanArray> {
    match truth.nulls() {
        None => Ok(truth.clone()),
        Some(_) => {
            let known = is_not_null(truth)?;
            Ok(BooleanArray::new(truth.values() & known.values(), None))
        }
    }
}
