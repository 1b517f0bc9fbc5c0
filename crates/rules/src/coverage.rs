//! Which branches of the rules a set of cases goes through.
//!
//! A branch is: a boolean step that is true, and one that is false; each arm of a CASE and each row of a decision table;
//! each part of a condition joined by AND that is false, and each part of one joined by OR that is true. An arm that only
//! says NULL (*not known yet*) is none: nobody has to write a case for it.

use crate::error::RuleError;
use crate::explain::Reader;
use crate::expr::{Constant, Node, What};
use crate::frame::Frame;
use crate::input::{self, CaseInput};
use crate::model::Entity;
use crate::plan::Plan;
use crate::rules::Rules;
use crate::symbols::Texts;
use serde::Serialize;
use std::collections::BTreeMap;

/// One branch of the rules.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Branch {
    /// The step.
    pub step: String,
    /// Which branch of it, as `true`, `arm 2`, `row 3` or `part 1 is true`.
    pub branch: String,
}

/// The branches of a rule set, and which of them cases went through.
#[derive(Debug)]
pub struct Coverage {
    branches: BTreeMap<Key, (Branch, bool)>,
}

/// The step's place, the number of the expression, and the branch within it.
type Key = (usize, usize, usize);

/// The branch numbers of a boolean step; arms and parts count from 0.
const TRUE: usize = usize::MAX - 1;
const FALSE: usize = usize::MAX;

impl Coverage {
    pub(crate) fn new(rules: &Rules) -> Coverage {
        let mut branches = BTreeMap::new();
        for (place, (step, info)) in rules.steps.iter().zip(&rules.infos).enumerate() {
            let mut add = |node: usize, branch: usize, name: String| {
                let step = info.name.clone();
                branches.insert((place, node, branch), (Branch { step, branch: name }, false));
            };
            if info.kind == crate::model::Type::Boolean {
                add(step.node.id, TRUE, "true".to_owned());
                add(step.node.id, FALSE, "false".to_owned());
            }
            let table = !step.rows.is_empty();
            step.node.walk(&mut |node| match &node.what {
                What::Case { branches, otherwise } => {
                    let word = if table { "row" } else { "arm" };
                    for (arm, (_, result)) in branches.iter().enumerate() {
                        if !is_null(result) {
                            add(node.id, arm, format!("{word} {}", arm + 1));
                        }
                    }
                    if otherwise.as_deref().is_some_and(|node| !is_null(node)) {
                        add(node.id, branches.len(), "else".to_owned());
                    }
                }
                // the conditions of a table's row are its cells: the row says enough
                What::And(parts) if !table => {
                    for part in 0..parts.len() {
                        add(node.id, part, format!("part {} of AND is false", part + 1));
                    }
                }
                What::Or(parts) if !table => {
                    for part in 0..parts.len() {
                        add(node.id, part, format!("part {} of OR is true", part + 1));
                    }
                }
                _ => {}
            });
        }
        Coverage { branches }
    }

    /// Decides a case and notes the branches it goes through.
    pub(crate) fn add(&mut self, rules: &Rules, plan: &Plan, input: &CaseInput) -> Result<(), RuleError> {
        let mut texts = Texts::new(&rules.symbols);
        let mut frame = input::frame(rules, input, &mut texts)?;
        frame.run(rules, plan, &rules.all)?;
        let mut walk = Walk {
            reader: Reader::new(rules, plan, &frame),
            frame: &frame,
            coverage: self,
            place: 0,
        };
        for (place, step) in rules.steps.iter().enumerate() {
            walk.place = place;
            let rows = frame
                .column(step.entity, step.column)
                .map_or(0, arrow::array::Array::len);
            for row in 0..rows {
                if let Some(truth) = walk.reader.truth(&step.node, step.entity, row)? {
                    walk.note(&step.node, if truth { TRUE } else { FALSE });
                }
                walk.node(&step.node, step.entity, row)?;
            }
        }
        Ok(())
    }

    /// How many branches there are.
    #[must_use]
    pub fn all(&self) -> usize {
        self.branches.len()
    }

    /// The branches no case went through, in the order of the rules.
    #[must_use]
    pub fn missing(&self) -> Vec<&Branch> {
        self.branches
            .values()
            .filter(|(_, seen)| !seen)
            .map(|(branch, _)| branch)
            .collect()
    }
}

fn is_null(node: &Node) -> bool {
    matches!(node.what, What::Constant(Constant::Null))
}

struct Walk<'a, 'b> {
    reader: Reader<'a>,
    frame: &'a Frame,
    coverage: &'b mut Coverage,
    place: usize,
}

impl Walk<'_, '_> {
    fn note(&mut self, node: &Node, branch: usize) {
        if let Some((_, seen)) = self.coverage.branches.get_mut(&(self.place, node.id, branch)) {
            *seen = true;
        }
    }

    /// Goes the way the value of `node` at a row comes about.
    fn node(&mut self, node: &Node, at: Entity, row: usize) -> Result<(), RuleError> {
        match &node.what {
            What::Case { branches, otherwise } => {
                for (arm, (condition, result)) in branches.iter().enumerate() {
                    self.node(condition, at, row)?;
                    if self.reader.truth(condition, at, row)? == Some(true) {
                        self.note(node, arm);
                        return self.node(result, at, row);
                    }
                }
                self.note(node, branches.len());
                otherwise.as_deref().map_or(Ok(()), |node| self.node(node, at, row))
            }
            What::And(parts) | What::Or(parts) => {
                let wanted = matches!(node.what, What::Or(_));
                for (number, part) in parts.iter().enumerate() {
                    if self.reader.truth(part, at, row)? == Some(wanted) {
                        self.note(node, number);
                    }
                    self.node(part, at, row)?;
                }
                Ok(())
            }
            What::Aggregate { argument, filter, .. } => {
                for (person, household) in self.frame.household_of_person.values().iter().enumerate() {
                    if usize::try_from(*household) == Ok(row) {
                        for node in filter.as_deref().into_iter().chain(argument.as_deref()) {
                            self.node(node, Entity::Person, person)?;
                        }
                    }
                }
                Ok(())
            }
            _ => node
                .children()
                .into_iter()
                .try_for_each(|child| self.node(child, at, row)),
        }
    }
}
