//! A rules folder read and checked: every input, parameter and step, with its typed expression.

use crate::bind::{Binder, condition, is_function, parse};
use crate::expr::{Kind, Node, Of, What};
use crate::file::{self, Hit, InputTable, RulesFile, StepTable};
use crate::mistake::{Source, did_you_mean};
use crate::model::{Entity, Input, StepInfo, Type};
use crate::names::{Names, Variable, can_be_name};
use crate::order;
use crate::parameters::Parameter;
use crate::place::Place;
use crate::symbols::Symbols;
use civic::Mistake;
use sha2::{Digest, Sha256};
use sqlparser::ast::Expr;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use toml::Spanned;

/// All that is known of a rule set before a reference date is.
#[derive(Debug)]
pub(crate) struct Rules {
    pub inputs: Vec<Input>,
    pub infos: Vec<StepInfo>,
    pub steps: Vec<Step>,
    pub parameters: Vec<Parameter>,
    pub symbols: Symbols,
    pub names: Names,
    /// The place of the outcome and of the amounts among the steps.
    pub outcome: usize,
    pub amounts: Vec<usize>,
    /// Further steps, of any entity, that a decision waits for.
    pub also: Vec<usize>,
    /// Over a person: whether a sweep makes a case of them.
    pub candidates: Option<Node>,
    /// The outcome, written over the conditions it is made of.
    pub reason: Node,
    /// Every step, for a decision that is explained whole.
    pub all: Vec<bool>,
    /// How many nodes all expressions have together.
    pub nodes: usize,
    pub digest: String,
    /// Where the expressions stand that may have no result, and each step as a whole, by their numbers.
    pub places: HashMap<usize, Place>,
}

/// A step as plans need it; [`StepInfo`] says the rest.
#[derive(Debug)]
pub(crate) struct Step {
    pub entity: Entity,
    /// Its column in the table of its entity.
    pub column: usize,
    pub node: Node,
    /// The conditions of its decision table; empty for an expression.
    pub rows: Vec<Node>,
    pub hit: Hit,
}

impl Rules {
    /// The type of a column.
    pub fn kind(&self, entity: Entity, column: usize) -> Type {
        let variable = self.names.table(entity).get(column);
        variable
            .and_then(|variable| variable.kind.as_ref()?.of)
            .unwrap_or(Type::Boolean)
    }

    /// The inputs of an entity; the first columns of its table, in this order.
    pub fn inputs_of(&self, entity: Entity) -> impl Iterator<Item = &Input> {
        self.inputs.iter().filter(move |input| input.entity == entity)
    }

    /// The step a column is, if it is one.
    pub fn step_of(&self, entity: Entity, column: usize) -> Option<usize> {
        self.steps
            .iter()
            .position(|step| step.entity == entity && step.column == column)
    }

    /// Reads and checks a folder.
    pub fn load(folder: &Path) -> Result<Rules, Vec<Mistake>> {
        let source = Arc::new(Source::read(folder, "rules.toml").map_err(|mistake| vec![mistake])?);
        let written = file::parse(&source).map_err(|mistake| vec![mistake])?;
        Loader::new(folder, &source).load(written)
    }
}

/// Words of expressions. The parser takes some of them for names where it finds no other meaning; readers would not.
const WORDS: [&str; 17] = [
    "and", "or", "not", "in", "is", "null", "true", "false", "between", "case", "when", "then", "else", "end",
    "filter", "where", "exists",
];

/// Most steps of a rules file.
const MOST_STEPS: usize = 1_000;
/// Most expressions that lie in each other, steps included: following them recurses.
const DEEPEST: usize = 1_000;

struct Loader<'a> {
    folder: &'a Path,
    source: &'a Arc<Source>,
    mistakes: Vec<Mistake>,
    names: Names,
    symbols: Symbols,
    parameters: Vec<Parameter>,
    digest: Sha256,
    nodes: usize,
    /// How deep the steps lie over the inputs.
    depths: HashMap<(Entity, usize), usize>,
    places: HashMap<usize, Place>,
}

impl<'a> Loader<'a> {
    fn new(folder: &'a Path, source: &'a Arc<Source>) -> Loader<'a> {
        let mut loader = Loader {
            folder,
            source,
            mistakes: Vec::new(),
            names: Names::default(),
            symbols: Symbols::default(),
            parameters: Vec::new(),
            digest: Sha256::new(),
            nodes: 1,
            depths: HashMap::new(),
            places: HashMap::new(),
        };
        loader.digest(source);
        loader
    }

    fn digest(&mut self, source: &Source) {
        for part in [&source.file, &source.text] {
            self.digest
                .update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            self.digest.update(part.as_bytes());
        }
    }

    fn load(mut self, written: RulesFile) -> Result<Rules, Vec<Mistake>> {
        let mut inputs = Vec::new();
        for (entity, entries) in [
            (Entity::Person, written.inputs.person),
            (Entity::Household, written.inputs.household),
            (Entity::Case, written.inputs.case),
        ] {
            for (name, input) in file::in_order(entries) {
                inputs.push(self.input(entity, &name, input));
            }
        }
        for (name, table) in file::in_order(written.parameters) {
            self.check_parameter(&name);
            match Source::read(self.folder, table.file.get_ref()) {
                Ok(read) => {
                    self.digest(&read);
                    match Parameter::read(name.get_ref(), table.kind, &read, &mut self.symbols) {
                        Ok(parameter) => self.parameters.push(parameter),
                        Err(mistakes) => self.mistakes.extend(mistakes),
                    }
                }
                Err(mistake) => self.unreadable(&table.file, mistake),
            }
        }
        if !self.mistakes.is_empty() {
            return Err(self.mistakes); // what follows would only be said again
        }
        if written.steps.len() > MOST_STEPS {
            let message = format!("there are more than {MOST_STEPS} steps");
            return Err(vec![self.source.mistake(0, message, None)]);
        }
        self.names.later = written
            .steps
            .iter()
            .map(|step| (step.entity, step.name.get_ref().clone()))
            .collect();
        self.mistakes.extend(order::cycles(self.source, &written.steps));
        if !self.mistakes.is_empty() {
            return Err(self.mistakes);
        }
        let (mut steps, mut infos) = (Vec::new(), Vec::new());
        for step in written.steps {
            self.names.later.remove(0);
            if let Some((step, info)) = self.step(step) {
                steps.push(step);
                infos.push(info);
            }
        }
        let find = |loader: &mut Self, name: &Spanned<String>, wanted: &[Type]| {
            let place = infos
                .iter()
                .position(|step: &StepInfo| step.name == *name.get_ref() && step.entity == Entity::Case);
            match place.and_then(|place| infos.get(place)) {
                Some(info) if wanted.contains(&info.kind) => place,
                Some(info) => {
                    let wanted = *wanted.first()?;
                    let message = format!("`{}` is {}, not {wanted}", info.name, info.kind);
                    loader.fail(name, message, Some(as_decided(wanted, info.kind, &info.name)))
                }
                None => {
                    let known = infos
                        .iter()
                        .filter(|step| step.entity == Entity::Case)
                        .map(|step| step.name.as_str());
                    let suggestion = did_you_mean(name.get_ref(), known);
                    loader.fail(name, format!("there is no case step `{}`", name.get_ref()), suggestion)
                }
            }
        };
        // with a mistaken step left out, a name not found would only repeat it
        let known = self.mistakes.is_empty();
        let outcome = known
            .then(|| find(&mut self, &written.decision.outcome, &[Type::Boolean]))
            .flatten();
        let amounts: Vec<usize> = written
            .decision
            .amounts
            .iter()
            .filter_map(|name| known.then(|| find(&mut self, name, &[Type::Integer])).flatten())
            .collect();
        let mut also = Vec::new();
        for name in written.decision.also.iter().filter(|_| known) {
            match infos.iter().position(|step| step.name == *name.get_ref()) {
                Some(place) => also.push(place),
                None => {
                    let suggestion = did_you_mean(name.get_ref(), infos.iter().map(|step| step.name.as_str()));
                    self.fail::<()>(name, format!("there is no step `{}`", name.get_ref()), suggestion);
                }
            }
        }
        let candidates = written.decision.candidates.and_then(|sql| {
            let start = file::content_start(self.source, &sql);
            let node = self.bind(Entity::Person, self.source, sql.get_ref(), start)?;
            match node.kind.of {
                Some(Type::Boolean) => Some(node),
                of => {
                    let message = "the candidates are chosen by a condition".to_owned();
                    self.fail(&sql, message, of.map(|of| condition(of).to_owned()))
                }
            }
        });
        let Some(outcome) = outcome.filter(|_| self.mistakes.is_empty()) else {
            return Err(self.mistakes);
        };
        for step in &steps {
            mark_optional(&step.node, &mut inputs);
            step.rows.iter().for_each(|row| mark_optional(row, &mut inputs));
        }
        let mut expand = order::Expand {
            steps: &steps,
            infos: &mut infos,
            next: &mut self.nodes,
        };
        let reason = expand.outcome(outcome);
        Ok(Rules {
            inputs,
            infos,
            all: vec![true; steps.len()],
            steps,
            parameters: self.parameters,
            symbols: self.symbols,
            names: self.names,
            outcome,
            amounts,
            also,
            candidates,
            reason,
            nodes: self.nodes,
            digest: hex::encode(self.digest.finalize()),
            places: self.places,
        })
    }

    /// A file that can't be read is told where it is named, one that can in part where that ends.
    fn unreadable(&mut self, named: &Spanned<String>, mistake: Mistake) {
        if mistake.line > 0 {
            self.mistakes.push(mistake);
        } else {
            let message = format!("`{}` {}", named.get_ref(), mistake.message);
            self.fail::<()>(named, message, mistake.suggestion);
        }
    }

    fn fail<T>(&mut self, at: &Spanned<String>, message: String, suggestion: Option<String>) -> Option<T> {
        self.mistakes
            .push(self.source.mistake(at.span().start, message, suggestion));
        None
    }

    /// Checks a new name: lower case, not taken, not a word of the language.
    fn check_name(&mut self, entity: Entity, name: &Spanned<String>) {
        let text = name.get_ref();
        if !self.check_letters(name) {
            return;
        }
        if text == "reference_date" {
            self.fail::<()>(
                name,
                "`reference_date` is already the date of the decision".to_owned(),
                None,
            );
        } else if entity == Entity::Person && ["household", "applicant"].contains(&text.as_str()) {
            let message = format!("`{text}` is already a column of every population");
            self.fail::<()>(name, message, Some("choose another name".to_owned()));
        } else if WORDS.contains(&text.as_str()) || !matches!(parse(self.source, text, 0), Ok(Expr::Identifier(_))) {
            let message = format!("`{text}` is a word of SQL");
            self.fail::<()>(name, message, Some("choose another name".to_owned()));
        } else if self.names.find(entity, text).is_some() {
            self.fail::<()>(
                name,
                format!("the {entity} has `{text}` already"),
                Some("choose another name".to_owned()),
            );
        }
    }

    /// Checks the letters of a new name, and answers whether they are right.
    fn check_letters(&mut self, name: &Spanned<String>) -> bool {
        let text = name.get_ref();
        let plain = can_be_name(text);
        if !plain {
            let message = format!("`{text}` can't be a name");
            let suggestion = "use lower-case letters, digits and `_`, a letter first".to_owned();
            self.fail::<()>(name, message, Some(suggestion));
        }
        plain
    }

    /// Checks the name of a parameter: it is called, so it must not be a function.
    fn check_parameter(&mut self, name: &Spanned<String>) {
        let text = name.get_ref();
        if self.check_letters(name)
            && (is_function(text) || !matches!(parse(self.source, &format!("{text}()"), 0), Ok(Expr::Function(_))))
        {
            let message = format!("`{text}` is already a function");
            self.fail::<()>(name, message, Some("choose another name".to_owned()));
        }
    }

    fn input(&mut self, entity: Entity, name: &Spanned<String>, input: InputTable) -> Input {
        self.check_name(entity, name);
        if !input.values.is_empty() && input.kind != Type::Text {
            let message = format!(
                "`{}` is of type {}, only a text has `values`",
                name.get_ref(),
                input.kind
            );
            let suggestion = "leave `values` out, or make it `type = \"text\"`".to_owned();
            self.fail::<()>(name, message, Some(suggestion));
        }
        input.values.iter().for_each(|value| {
            self.symbols.intern(value);
        });
        let domain = (!input.values.is_empty()).then(|| Arc::new(input.values.clone()));
        let kind = Kind {
            of: Some(input.kind),
            domain,
        };
        self.names.add(
            entity,
            Variable {
                name: name.get_ref().clone(),
                kind: Some(kind),
            },
        );
        Input {
            entity,
            name: name.get_ref().clone(),
            kind: input.kind,
            title: input.title,
            values: input.values,
            unit: input.unit,
            optional: false,
        }
    }

    fn step(&mut self, written: StepTable) -> Option<(Step, StepInfo)> {
        let entity = written.entity;
        self.check_name(entity, &written.name);
        let hit = written.hit.unwrap_or(Hit::First);
        let bound = match (&written.sql, &written.table) {
            (Some(sql), None) => {
                let start = file::content_start(self.source, sql);
                self.bind(entity, self.source, sql.get_ref(), start)
                    .map(|node| (node, Vec::new()))
            }
            (None, Some(table)) => self.table(entity, table),
            _ => {
                let message = format!("the step `{}` needs either `sql` or `table`", written.name.get_ref());
                self.fail(&written.name, message, None)
            }
        };
        let kind = bound.as_ref().map(|(node, _)| Kind {
            of: node.kind.of.or(Some(Type::Boolean)),
            ..node.kind.clone()
        });
        let variable = Variable {
            name: written.name.get_ref().clone(),
            kind: kind.clone(),
        };
        let column = self.names.add(entity, variable);
        let (node, rows) = bound?;
        let depth = order::depth(&node, &self.depths);
        if depth > DEEPEST {
            let message = format!(
                "the step `{}` lies deeper than {DEEPEST} over the inputs",
                written.name.get_ref()
            );
            let suggestion = "let it read fewer steps that read each other".to_owned();
            return self.fail(&written.name, message, Some(suggestion));
        }
        self.depths.insert((entity, column), depth);

        let info = StepInfo {
            name: written.name.into_inner(),
            entity,
            title: written.title,
            law: written.law,
            kind: kind?.of?,
            unit: written.unit,
            is_condition: false,
        };
        Some((
            Step {
                entity,
                column,
                node,
                rows,
                hit,
            },
            info,
        ))
    }

    fn bind(&mut self, scope: Entity, source: &Arc<Source>, sql: &str, start: usize) -> Option<Node> {
        let expression = match parse(source, sql, start) {
            Ok(expression) => expression,
            Err(mistake) => {
                self.mistakes.push(mistake);
                return None;
            }
        };
        self.binder(scope, source, sql, start).bind(&expression)
    }

    fn binder<'b>(&'b mut self, scope: Entity, source: &'b Arc<Source>, sql: &str, start: usize) -> Binder<'b> {
        Binder {
            names: &self.names,
            parameters: &self.parameters,
            symbols: &mut self.symbols,
            next: &mut self.nodes,
            mistakes: &mut self.mistakes,
            source,
            scope,
            aggregate: false,
            places: &mut self.places,
            sql: sql.into(),
            start,
            cell: None,
            depth: 0,
        }
    }

    fn table(&mut self, entity: Entity, file: &Spanned<String>) -> Option<(Node, Vec<Node>)> {
        let source = match Source::read(self.folder, file.get_ref()) {
            Ok(source) => Arc::new(source),
            Err(mistake) => {
                self.unreadable(file, mistake);
                return None;
            }
        };
        self.digest(&source);
        let mut binder = self.binder(entity, &source, "", 0);
        crate::table::read(&mut binder)
    }
}

/// How an outcome is made a condition, and an amount a whole number.
fn as_decided(wanted: Type, kind: Type, name: &str) -> String {
    match (wanted, kind) {
        (Type::Boolean, _) => format!("name a condition, or make it one: {}", condition(kind)),
        (_, Type::Decimal) => format!("say how it is made whole, such as `round({name})`"),
        _ => "name a step that gives whole NT dollars, such as `CASE WHEN … THEN … ELSE 0 END`".to_owned(),
    }
}

/// Marks the inputs an expression tests with `IS NULL`: the rules say what holds without them.
fn mark_optional(node: &Node, inputs: &mut [Input]) {
    node.walk(&mut |node| {
        if let What::Is { node: tested, .. } = &node.what
            && let What::Column(of, index) = tested.what
        {
            let entity = Of::entity(of);
            if let Some(input) = inputs.iter_mut().filter(|input| input.entity == entity).nth(index) {
                input.optional = true;
            }
        }
    });
}
