//! Why: the conditions that failed, the smallest set of them that is enough, and what an unknown value still waits for.

use crate::error::RuleError;
use crate::expr::{Constant, Is, Node, What};
use crate::frame::Frame;
use crate::model::Entity;
use crate::plan::Plan;
use crate::rules::Rules;
use arrow::array::{Array, ArrayRef, AsArray};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

/// An input by entity, row of its table, and name.
pub(crate) type Wanted = (Entity, usize, String);

/// For a refusal: every condition that speaks against it, and the smallest set of them that alone explains it.
pub(crate) fn refusal(rules: &Rules, plan: &Plan, frame: &Frame) -> Result<(Vec<String>, Vec<String>), RuleError> {
    let mut reader = Reader::new(rules, plan, frame);
    let failed = reader.against(&rules.reason, false)?;
    let minimum = reader
        .enough(&rules.reason, false)?
        .into_iter()
        .next()
        .unwrap_or_default();
    // in the order of the rules, which is the order people read them in
    let in_order = |found: &BTreeSet<usize>| -> Vec<String> {
        found
            .iter()
            .filter_map(|place| rules.infos.get(*place))
            .map(|info| info.name.clone())
            .collect()
    };
    Ok((in_order(&failed), in_order(&minimum)))
}

/// The inputs that an unknown outcome, or else an unknown amount or further step, still waits for, the most decisive first.
///
/// Inputs whose value can't change anything any more are not among them: a condition that is known is not looked into.
/// With each stands how much it decides, as [`Reader::node`] counts it.
pub(crate) fn waiting(
    rules: &Rules,
    plan: &Plan,
    frame: &Frame,
    outcome: Option<bool>,
) -> Result<Vec<(Wanted, f64)>, RuleError> {
    let targets: Vec<(usize, usize)> = match outcome {
        Some(false) => return Ok(Vec::new()),
        Some(true) => {
            let rows = |place: &usize| rules.steps.get(*place).map_or(0, |step| frame.table(step.entity).rows);
            let also = rules
                .also
                .iter()
                .flat_map(|place| (0..rows(place)).map(|row| (*place, row)));
            rules.amounts.iter().map(|place| (*place, 0)).chain(also).collect()
        }
        None => vec![(rules.outcome, 0)],
    };
    let mut reader = Reader::new(rules, plan, frame);
    let mut weights: Vec<(Wanted, f64)> = Vec::new();
    for (place, row) in targets {
        weights.extend(reader.step(place, row)?.iter().cloned());
    }
    let mut weights = merged(weights);
    weights.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    Ok(weights)
}

type Weighted = Rc<Vec<(Wanted, f64)>>;

/// Reads values of parts of the rules, each calculated once.
pub(crate) struct Reader<'a> {
    rules: &'a Rules,
    plan: &'a Plan,
    frame: &'a Frame,
    values: HashMap<(usize, Entity), ArrayRef>,
    steps: HashMap<(usize, usize), Weighted>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(rules: &'a Rules, plan: &'a Plan, frame: &'a Frame) -> Reader<'a> {
        Reader {
            rules,
            plan,
            frame,
            values: HashMap::new(),
            steps: HashMap::new(),
        }
    }

    fn value(&mut self, node: &Node, at: Entity) -> Result<ArrayRef, RuleError> {
        if let What::Column(of, column) = node.what
            && of.entity() == at
            && let Some(array) = self.frame.column(at, column)
        {
            return Ok(ArrayRef::clone(array));
        }
        if let Some(known) = self.values.get(&(node.id, at)) {
            return Ok(ArrayRef::clone(known));
        }
        let Some(compiled) = self.plan.part(self.rules, node) else {
            let reason = "a part of it can't be compiled";
            return Err(RuleError::placed(self.rules, "explanation", node.id, reason, None));
        };
        let array = self
            .frame
            .evaluate_part(compiled, at)
            .map_err(|error| RuleError::step(self.rules, "explanation", node.id, &error))?;
        self.values.insert((node.id, at), ArrayRef::clone(&array));
        Ok(array)
    }

    pub(crate) fn truth(&mut self, node: &Node, at: Entity, row: usize) -> Result<Option<bool>, RuleError> {
        let array = self.value(node, at)?;
        Ok(array
            .as_boolean_opt()
            .filter(|array| row < array.len() && array.is_valid(row))
            .map(|array| array.value(row)))
    }

    fn is_unknown(&mut self, node: &Node, at: Entity, row: usize) -> Result<bool, RuleError> {
        let array = self.value(node, at)?;
        Ok(row >= array.len() || array.is_null(row))
    }

    /// Every condition that speaks for `node` having the value `is`, which it has.
    fn against(&mut self, node: &Node, is: bool) -> Result<BTreeSet<usize>, RuleError> {
        let mut found = BTreeSet::new();
        match &node.what {
            What::Not(inner) => return self.against(inner, !is),
            What::And(nodes) | What::Or(nodes) => {
                for node in nodes {
                    if self.truth(node, Entity::Case, 0)? == Some(is) {
                        found.extend(self.against(node, is)?);
                    }
                }
            }
            _ => {
                found.insert(self.condition(node));
            }
        }
        Ok(found)
    }

    /// Sets of conditions of which each is enough for `node` having the value `is`, which it has; the smallest first.
    fn enough(&mut self, node: &Node, is: bool) -> Result<Vec<BTreeSet<usize>>, RuleError> {
        let mut sets = Vec::new();
        match &node.what {
            What::Not(inner) => return self.enough(inner, !is),
            // one child that is false makes a conjunction false, one that is true a disjunction true
            What::And(nodes) if !is => sets = self.one_of(nodes, is)?,
            What::Or(nodes) if is => sets = self.one_of(nodes, is)?,
            What::And(nodes) | What::Or(nodes) => {
                sets.push(BTreeSet::new());
                for node in nodes {
                    let further = self.enough(node, is)?;
                    let both = |one: &BTreeSet<usize>| -> Vec<BTreeSet<usize>> {
                        further.iter().map(|other| one | other).collect()
                    };
                    sets = smallest(sets.iter().flat_map(both).collect());
                }
            }
            _ => sets.push(BTreeSet::from([self.condition(node)])),
        }
        Ok(sets)
    }

    fn one_of(&mut self, nodes: &[Node], is: bool) -> Result<Vec<BTreeSet<usize>>, RuleError> {
        let mut sets = Vec::new();
        for node in nodes {
            if self.truth(node, Entity::Case, 0)? == Some(is) {
                sets.extend(self.enough(node, is)?);
            }
        }
        Ok(smallest(sets))
    }

    /// The step that a part of the outcome is the value of; the outcome itself, when it says more than steps.
    fn condition(&self, node: &Node) -> usize {
        match node.what {
            What::Column(of, column) => self.rules.step_of(of.entity(), column),
            _ => None,
        }
        .unwrap_or(self.rules.outcome)
    }

    /// What a step waits for at a row.
    fn step(&mut self, place: usize, row: usize) -> Result<Weighted, RuleError> {
        if let Some(known) = self.steps.get(&(place, row)) {
            return Ok(Rc::clone(known));
        }
        let rules = self.rules;
        let found = match rules.steps.get(place) {
            Some(step) => Rc::new(merged(self.node(&step.node, step.entity, row)?)),
            None => Rc::default(),
        };
        self.steps.insert((place, row), Rc::clone(&found));
        Ok(found)
    }

    /// What an expression waits for, with how much each input decides: of `n` inputs needed together each decides an
    /// `n`th; in a condition each part decides alone.
    fn node(&mut self, node: &Node, at: Entity, row: usize) -> Result<Vec<(Wanted, f64)>, RuleError> {
        if !matches!(node.what, What::Constant(_)) && !self.is_unknown(node, at, row)? {
            return Ok(Vec::new());
        }
        match &node.what {
            What::Constant(_) | What::ReferenceDate => Ok(Vec::new()),
            What::Column(of, column) => {
                let (entity, row) = self.seen(at, *of, row);
                match self.rules.step_of(entity, *column) {
                    Some(place) => Ok(self.step(place, row)?.to_vec()),
                    None => {
                        let input = self.rules.inputs_of(entity).nth(*column);
                        Ok(input
                            .map(|input| ((entity, row, input.name.clone()), 1.0))
                            .into_iter()
                            .collect())
                    }
                }
            }
            What::And(nodes) | What::Or(nodes) => {
                let mut found = Vec::new();
                for node in nodes {
                    found.extend(self.node(node, at, row)?);
                }
                Ok(found)
            }
            What::Case { branches, otherwise } => self.case(branches, otherwise.as_deref(), at, row),
            What::Aggregate { argument, filter, .. } => {
                let mut found = Vec::new();
                for person in self.persons_of(row) {
                    for node in filter.as_deref().into_iter().chain(argument.as_deref()) {
                        found.extend(self.node(node, Entity::Person, person)?);
                    }
                }
                Ok(shared(found))
            }
            _ => {
                let mut found = Vec::new();
                for child in node.children() {
                    found.extend(self.node(child, at, row)?);
                }
                Ok(shared(found))
            }
        }
    }

    fn case(
        &mut self,
        branches: &[(Node, Node)],
        otherwise: Option<&Node>,
        at: Entity,
        row: usize,
    ) -> Result<Vec<(Wanted, f64)>, RuleError> {
        for (condition, result) in branches {
            match self.truth(condition, at, row)? {
                Some(false) => {}
                Some(true) if matches!(result.what, What::Constant(Constant::Null)) => {
                    return Ok(shared(self.nulls(condition, at, row)?));
                }
                Some(true) => return self.node(result, at, row),
                None => {
                    let found = self.node(condition, at, row)?;
                    if !found.is_empty() {
                        return Ok(found);
                    }
                }
            }
        }
        match otherwise {
            Some(node) => self.node(node, at, row),
            None => Ok(Vec::new()),
        }
    }

    /// A branch gives NULL because something is not known (`x IS NULL`): what that something waits for.
    fn nulls(&mut self, condition: &Node, at: Entity, row: usize) -> Result<Vec<(Wanted, f64)>, RuleError> {
        match &condition.what {
            What::Is {
                node,
                what: Is::Null,
                negated: false,
            } => self.node(node, at, row),
            What::And(nodes) | What::Or(nodes) => {
                let mut found = Vec::new();
                for node in nodes {
                    found.extend(self.nulls(node, at, row)?);
                }
                Ok(found)
            }
            What::Aggregate {
                argument: Some(argument),
                ..
            } => {
                let mut found = Vec::new();
                for person in self.persons_of(row) {
                    found.extend(self.nulls(argument, Entity::Person, person)?);
                }
                Ok(found)
            }
            _ => Ok(Vec::new()),
        }
    }

    /// The persons of a household. A decision has one household, so all of them.
    fn persons_of(&self, household: usize) -> Vec<usize> {
        let persons = self.frame.household_of_person.values().iter().enumerate();
        persons
            .filter(|(_, of)| usize::try_from(**of) == Ok(household))
            .map(|(person, _)| person)
            .collect()
    }

    /// The table and row a column is read from.
    fn seen(&self, at: Entity, of: crate::expr::Of, row: usize) -> (Entity, usize) {
        use crate::expr::Of;
        let read = |rows: &arrow::array::UInt32Array| {
            rows.values()
                .get(row)
                .and_then(|row| usize::try_from(*row).ok())
                .unwrap_or_default()
        };
        let row = match (at, of) {
            (Entity::Person, Of::Household) => read(&self.frame.household_of_person),
            (Entity::Case, Of::Household) => read(&self.frame.household_of_case),
            (Entity::Case, Of::Applicant) => read(&self.frame.applicant_of_case),
            _ => row,
        };
        (of.entity(), row)
    }
}

/// How many sets of conditions are weighed against each other; more than any law has, and few enough for any rules file.
const SETS: usize = 64;

/// The sets that no other one is part of, the smallest first.
fn smallest(mut sets: Vec<BTreeSet<usize>>) -> Vec<BTreeSet<usize>> {
    sets.sort_by_key(BTreeSet::len);
    let mut kept: Vec<BTreeSet<usize>> = Vec::new();
    for set in sets {
        if kept.len() < SETS && !kept.iter().any(|part| part.is_subset(&set)) {
            kept.push(set);
        }
    }
    kept
}

/// Each input once, with all it decides, in the order first found.
fn merged(found: Vec<(Wanted, f64)>) -> Vec<(Wanted, f64)> {
    let mut places: HashMap<Wanted, usize> = HashMap::new();
    let mut merged: Vec<(Wanted, f64)> = Vec::new();
    for (wanted, weight) in found {
        let place = *places.entry(wanted.clone()).or_insert(merged.len());
        match merged.get_mut(place) {
            Some((_, sum)) => *sum += weight,
            None => merged.push((wanted, weight)),
        }
    }
    merged
}

/// Inputs that are only enough together share what they decide.
fn shared(mut found: Vec<(Wanted, f64)>) -> Vec<(Wanted, f64)> {
    let distinct: BTreeSet<_> = found
        .iter()
        .map(|((entity, row, name), _)| (*entity, *row, name.clone()))
        .collect();
    let many = u32::try_from(distinct.len().max(1)).map_or(1.0, f64::from);
    found.iter_mut().for_each(|(_, weight)| *weight /= many);
    found
}
