//! What depends on what: cycles among the steps, and the conditions the outcome is made of.

use crate::expr::{Node, Of, What};
use crate::file::StepTable;
use crate::mistake::Source;
use crate::model::{Entity, StepInfo, Type};
use crate::rules::Step;
use civic::Mistake;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::tokenizer::{Token, Tokenizer};
use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

/// How many steps of a circle are named.
const NAMED: usize = 10;

/// The cycles among steps, each told once, at its first step.
pub(crate) fn cycles(source: &Source, steps: &[StepTable]) -> Vec<Mistake> {
    let mut places: HashMap<(Entity, String), usize> = HashMap::new();
    for (place, step) in steps.iter().enumerate() {
        let key = (step.entity, step.name.get_ref().clone());
        places.entry(key).or_insert(place);
    }
    let mut needs: Vec<Vec<usize>> = Vec::new();
    for step in steps {
        let sql = step.sql.as_ref().map_or("", |sql| sql.get_ref().as_str());
        let found: BTreeSet<usize> = words(sql, step.entity)
            .iter()
            .filter_map(|word| places.get(word).copied())
            .collect();
        needs.push(found.into_iter().collect());
    }
    if in_order(&needs) {
        return Vec::new();
    }
    let mut told = vec![false; steps.len()];
    let mut mistakes = Vec::new();
    for (start, step) in steps.iter().enumerate() {
        if told.get(start).copied().unwrap_or_default() {
            continue;
        }
        let Some(cycle) = way_back(start, &needs) else { continue };
        let name = |place: &usize| steps.get(*place).map(|step| step.name.get_ref().as_str());
        let mut names: Vec<&str> = cycle.iter().take(NAMED).filter_map(name).collect();
        names.extend((cycle.len() > NAMED).then_some("…"));
        names.extend(name(&start));
        for place in &cycle {
            if let Some(told) = told.get_mut(*place) {
                *told = true;
            }
        }
        mistakes.push(source.mistake(
            step.name.span().start,
            format!("the steps depend on each other: {}", names.join(" needs ")),
            Some("take one of them out of the circle".to_owned()),
        ));
    }
    mistakes
}

/// Whether each step needs only steps before it, so that no circle is to be looked for.
fn in_order(needs: &[Vec<usize>]) -> bool {
    let needs = needs.iter().enumerate();
    needs
        .into_iter()
        .all(|(place, needs)| needs.iter().all(|need| *need < place))
}

/// A shortest way from a step back to itself.
fn way_back(start: usize, needs: &[Vec<usize>]) -> Option<Vec<usize>> {
    let mut left = VecDeque::from([start]);
    let mut before: Vec<Option<usize>> = vec![None; needs.len()];
    while let Some(last) = left.pop_front() {
        for next in needs.get(last).into_iter().flatten() {
            if *next == start {
                let mut way = vec![last];
                while let Some(step) = way.last().filter(|step| **step != start) {
                    way.push(before.get(*step).copied().flatten()?);
                }
                way.reverse();
                return Some(way);
            }
            if let Some(cell) = before.get_mut(*next).filter(|cell| cell.is_none()) {
                *cell = Some(last);
                left.push_back(*next);
            }
        }
    }
    None
}

/// The columns a text of SQL names, whether or not it can be parsed.
fn words(sql: &str, scope: Entity) -> Vec<(Entity, String)> {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, sql)
        .tokenize()
        .unwrap_or_default();
    let tokens: Vec<Token> = tokens
        .into_iter()
        .filter(|token| !matches!(token, Token::Whitespace(_)))
        .collect();
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let Token::Word(word) = token else { continue };
        let before = |back: usize| at.checked_sub(back).and_then(|at| tokens.get(at));
        let after = tokens.get(at + 1);
        if matches!(after, Some(Token::LParen | Token::Period)) {
            continue;
        }
        let entity = match (before(1), before(2)) {
            (Some(Token::Period), Some(Token::Word(table))) => match table.value.as_str() {
                "person" | "applicant" => Entity::Person,
                "household" => Entity::Household,
                _ => continue,
            },
            _ => scope,
        };
        found.push((entity, word.value.clone()));
    }
    found
}

/// How many expressions lie in each other from this one down to the inputs, those of the steps it reads included. An
/// explanation goes all the way down.
pub(crate) fn depth(node: &Node, columns: &HashMap<(Entity, usize), usize>) -> usize {
    let below = match &node.what {
        What::Column(of, column) => columns.get(&(of.entity(), *column)).copied().unwrap_or_default(),
        _ => node
            .children()
            .into_iter()
            .map(|child| depth(child, columns))
            .max()
            .unwrap_or_default(),
    };
    below + 1
}

/// Writes the outcome over its conditions.
pub(crate) struct Expand<'a> {
    pub steps: &'a [Step],
    pub infos: &'a mut [StepInfo],
    pub next: &'a mut usize,
}

impl Expand<'_> {
    /// The outcome over its conditions: a step that is only a conjunction of other steps is replaced by them. What the outcome
    /// itself says beyond steps makes it its own condition.
    pub fn outcome(&mut self, outcome: usize) -> Node {
        let Some(step) = self.steps.get(outcome) else {
            return self.node(What::And(Vec::new()));
        };
        let mut only_steps = true;
        let reason = self.expand(&step.node, &mut only_steps);
        if !only_steps && let Some(info) = self.infos.get_mut(outcome) {
            info.is_condition = true;
        }
        if self
            .infos
            .iter()
            .enumerate()
            .any(|(place, info)| info.is_condition && place != outcome)
        {
            return reason;
        }
        self.node(What::Column(Of::Case, step.column))
    }

    fn node(&mut self, what: What) -> Node {
        let id = *self.next;
        *self.next += 1;
        Node {
            what,
            kind: crate::expr::Kind::plain(Type::Boolean),
            id,
        }
    }

    fn expand(&mut self, node: &Node, only_steps: &mut bool) -> Node {
        let mut each = |nodes: &[Node]| nodes.iter().map(|node| self.expand(node, only_steps)).collect();
        let what = match &node.what {
            What::And(nodes) => What::And(each(nodes)),
            What::Or(nodes) => What::Or(each(nodes)),
            What::Not(inner) => What::Not(Box::new(self.expand(inner, only_steps))),
            What::Column(of, column) => return self.column(*of, *column, only_steps),
            _ => {
                *only_steps = false;
                return node.clone();
            }
        };
        self.node(what)
    }

    fn column(&mut self, of: Of, column: usize, only_steps: &mut bool) -> Node {
        let mut nodes = Vec::new();
        for (of, column) in self.conjuncts(of, column) {
            match self.place(of, column) {
                Some(place) => {
                    if let Some(info) = self.infos.get_mut(place) {
                        info.is_condition = true;
                    }
                }
                None => *only_steps = false,
            }
            nodes.push(self.node(What::Column(of, column)));
        }
        match nodes.pop() {
            Some(only) if nodes.is_empty() => only,
            last => {
                nodes.extend(last);
                self.node(What::And(nodes))
            }
        }
    }

    fn place(&self, of: Of, column: usize) -> Option<usize> {
        let entity = of.entity();
        self.steps
            .iter()
            .position(|step| step.entity == entity && step.column == column)
    }

    /// The columns a column is the conjunction of, each once; itself, when it is none.
    fn conjuncts(&self, of: Of, column: usize) -> Vec<(Of, usize)> {
        let (mut found, mut seen) = (Vec::new(), HashSet::new());
        let mut left = vec![(of, column)];
        while let Some((of, column)) = left.pop() {
            if !seen.insert((of, column)) {
                continue;
            }
            match self.conjunction(of, column) {
                Some(parts) => left.extend(parts.into_iter().rev()),
                None => found.push((of, column)),
            }
        }
        found
    }

    /// The steps a step is the conjunction of, seen from the case.
    fn conjunction(&self, of: Of, column: usize) -> Option<Vec<(Of, usize)>> {
        let What::And(nodes) = &self.steps.get(self.place(of, column)?)?.node.what else {
            return None;
        };
        let part = |node: &Node| match node.what {
            What::Column(part, column) => {
                self.place(part, column)?;
                // a person's own step is, seen from the case, the applicant's
                let part = if part == Of::Person { of } else { part };
                Some((part, column))
            }
            _ => None,
        };
        nodes.iter().map(part).collect()
    }
}
