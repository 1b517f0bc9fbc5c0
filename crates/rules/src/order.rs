//! What depends on what: cycles among the steps, and the conditions the outcome is made of.

use crate::expr::{Node, Of, What};
use crate::file::StepTable;
use crate::mistake::{Mistake, Source};
use crate::model::{Entity, StepInfo, Type};
use crate::rules::Step;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::tokenizer::{Token, Tokenizer};

/// The cycles among steps, each told once, at its first step.
pub(crate) fn cycles(source: &Source, steps: &[StepTable]) -> Vec<Mistake> {
    let place = |entity: Entity, name: &str| {
        steps
            .iter()
            .position(|step| step.entity == entity && step.name.get_ref() == name)
    };
    let needs: Vec<Vec<usize>> = steps
        .iter()
        .map(|step| {
            let sql = step.sql.as_ref().map_or("", |sql| sql.get_ref().as_str());
            words(sql, step.entity)
                .into_iter()
                .filter_map(|(entity, name)| place(entity, &name))
                .collect()
        })
        .collect();
    let mut told = vec![false; steps.len()];
    let mut mistakes = Vec::new();
    for (start, step) in steps.iter().enumerate() {
        if told.get(start).copied().unwrap_or_default() {
            continue;
        }
        let Some(cycle) = way_back(start, &needs) else { continue };
        let names: Vec<&str> = cycle
            .iter()
            .chain([&start])
            .filter_map(|place| steps.get(*place))
            .map(|step| step.name.get_ref().as_str())
            .collect();
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

/// A shortest way from a step back to itself.
fn way_back(start: usize, needs: &[Vec<usize>]) -> Option<Vec<usize>> {
    let mut ways = std::collections::VecDeque::from([vec![start]]);
    let mut seen = vec![false; needs.len()];
    while let Some(way) = ways.pop_front() {
        let last = way.last().copied().unwrap_or(start);
        for next in needs.get(last).into_iter().flatten() {
            if *next == start {
                return Some(way);
            }
            if let Some(seen) = seen.get_mut(*next).filter(|seen| !**seen) {
                *seen = true;
                ways.push_back(way.iter().copied().chain([*next]).collect());
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

/// Writes the outcome over its conditions.
pub(crate) struct Expand<'a> {
    pub steps: &'a [Step],
    pub infos: &'a mut [StepInfo],
    pub next: &'a mut usize,
}

impl Expand<'_> {
    /// The outcome over its conditions: a step that is only a conjunction of other steps is replaced by them. When the
    /// outcome names no step at all, it is its own condition.
    pub fn outcome(&mut self, outcome: usize) -> Node {
        let Some(step) = self.steps.get(outcome) else {
            return self.node(What::And(Vec::new()));
        };
        let reason = self.expand(&step.node, None);
        if self.infos.iter().any(|info| info.is_condition) {
            return reason;
        }
        if let Some(info) = self.infos.get_mut(outcome) {
            info.is_condition = true;
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

    /// `through` is the table the expression's own columns are read from, seen from the case.
    fn expand(&mut self, node: &Node, through: Option<Of>) -> Node {
        let what = match &node.what {
            What::And(nodes) => What::And(nodes.iter().map(|node| self.expand(node, through)).collect()),
            What::Or(nodes) => What::Or(nodes.iter().map(|node| self.expand(node, through)).collect()),
            What::Not(inner) => What::Not(Box::new(self.expand(inner, through))),
            What::Column(of, column) => {
                let of = match (of, through) {
                    (Of::Household, _) | (_, None) => *of,
                    (_, Some(through)) => through,
                };
                return self.column(of, *column);
            }
            _ => return node.clone(),
        };
        self.node(what)
    }

    fn column(&mut self, of: Of, column: usize) -> Node {
        let steps = self.steps;
        let found = steps
            .iter()
            .position(|step| step.entity == of.entity() && step.column == column);
        if let Some((place, step)) = found.and_then(|place| Some((place, steps.get(place)?)))
            && step.node.kind.of == Some(Type::Boolean)
        {
            let steps_only = |nodes: &[Node]| {
                nodes.iter().all(|node| match node.what {
                    What::Column(of, column) => steps
                        .iter()
                        .any(|step| step.entity == of.entity() && step.column == column),
                    _ => false,
                })
            };
            match &step.node.what {
                What::And(nodes) if steps_only(nodes) => return self.expand(&step.node, Some(of)),
                _ => {
                    if let Some(info) = self.infos.get_mut(place) {
                        info.is_condition = true;
                    }
                }
            }
        }
        let mut node = self.node(What::Column(of, column));
        if let Some(step) = found.and_then(|place| steps.get(place)) {
            node.kind = step.node.kind.clone();
        }
        node
    }
}
