//! The physical plan of a rule set on one reference date: a DataFusion physical expression for each step.
//!
//! One decision has one to a dozen rows in each table, so DataFusion's streams (a task context, a partition channel and a
//! batch coalescer for each operator) cost more than the arithmetic. The plan therefore keeps the physical expressions
//! DataFusion's own operators would run, and [`crate::frame`] evaluates them over batches: one household for a decision, tens
//! of thousands at once for a sweep. Two things are our own, because a sweep spends most of its time in them:
//! [`crate::choose`] for `CASE`, and [`crate::aggregate`], which knows that the persons of a household stand together. A third,
//! [`crate::connect`] for `AND` and `OR`, keeps rows from depending on each other. There is no second evaluator.

use crate::choose::Choose;
use crate::connect::Connect;
use crate::error::RuleError;
use crate::expr::{Aggregate, Constant, Is, Node, Of, Operator, PRECISION, SCALE, What};
use crate::functions::Callable;
use crate::lookup::Lookup;
use crate::model::Type;
use crate::place::Placed;
use crate::rules::Rules;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion_common::config::ConfigOptions;
use datafusion_common::{DataFusionError, Result, ScalarValue};
use datafusion_expr::{Operator as Op, ScalarUDF};
use datafusion_physical_expr::expressions::{
    BinaryExpr, CastExpr, Column, IsNotNullExpr, IsNullExpr, Literal, NotExpr, in_list,
};
use datafusion_physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use jiff::civil::Date;
use std::sync::{Arc, OnceLock};

type Physical = Arc<dyn PhysicalExpr>;

/// An expression ready to run: the columns it reads, then its aggregates, are the columns of its schema.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub expression: Physical,
    pub columns: Vec<(Of, usize)>,
    pub aggregates: Vec<Aggregation>,
    pub schema: SchemaRef,
}

/// An aggregate over the persons of each household.
#[derive(Debug)]
pub(crate) struct Aggregation {
    /// The number of its expression.
    pub node: usize,
    pub function: Aggregate,
    pub argument: Compiled,
    pub filter: Option<Compiled>,
}

/// A rule set compiled for one reference date.
#[derive(Debug)]
pub(crate) struct Plan {
    pub on: Date,
    /// One for each step.
    pub steps: Vec<Compiled>,
    /// The conditions of each decision table, for each step.
    pub rows: Vec<Vec<Compiled>>,
    pub candidates: Option<Compiled>,
    /// The parameters on this day; `None` when no row is in force yet.
    parameters: Vec<Option<Dated>>,
    /// Parts of steps, compiled when an explanation first asks for their value.
    parts: Vec<OnceLock<Option<Compiled>>>,
}

impl Plan {
    /// Compiles every step.
    pub fn new(rules: &Rules, on: Date) -> std::result::Result<Plan, RuleError> {
        let parameters: Vec<Option<Dated>> = rules
            .parameters
            .iter()
            .map(|parameter| {
                Lookup::new(parameter, on).map(|lookup| Dated {
                    only: lookup.only(),
                    function: Arc::new(lookup.into()),
                })
            })
            .collect();
        let compiler = Compiler {
            rules,
            on,
            parameters: &parameters,
        };
        let named = |name: &str, node: &Node| compiler.named(name, node);
        let mut steps = Vec::new();
        let mut rows = Vec::new();
        for (step, info) in rules.steps.iter().zip(&rules.infos) {
            steps.push(named(&info.name, &step.node)?);
            rows.push(
                step.rows
                    .iter()
                    .map(|row| named(&info.name, row))
                    .collect::<std::result::Result<_, _>>()?,
            );
        }
        let candidates = rules
            .candidates
            .as_ref()
            .map(|node| named("candidates", node))
            .transpose()?;
        let mut parts = Vec::new();
        parts.resize_with(rules.nodes, OnceLock::new);
        Ok(Plan {
            on,
            steps,
            rows,
            candidates,
            parameters,
            parts,
        })
    }

    /// A part of a step, by itself.
    pub fn part(&self, rules: &Rules, node: &Node) -> Option<&Compiled> {
        let cell = self.parts.get(node.id)?;
        cell.get_or_init(|| {
            let compiler = Compiler {
                rules,
                on: self.on,
                parameters: &self.parameters,
            };
            compiler.compile(node).ok()
        })
        .as_ref()
    }
}

/// A parameter on the reference date.
#[derive(Debug)]
struct Dated {
    function: Arc<ScalarUDF>,
    /// Its value, when it has no keys.
    only: Option<i64>,
}

/// The Arrow type of values of a type.
pub(crate) fn data_type(kind: Type) -> DataType {
    match kind {
        Type::Integer => DataType::Int64,
        Type::Decimal => DataType::Decimal128(PRECISION, SCALE),
        Type::Boolean => DataType::Boolean,
        Type::Text => DataType::Int32,
        Type::Date => DataType::Date32,
    }
}

struct Compiler<'a> {
    rules: &'a Rules,
    on: Date,
    parameters: &'a [Option<Dated>],
}

/// The columns of the batch an expression is evaluated on.
struct Layout<'a> {
    columns: Vec<(Of, usize)>,
    aggregates: Vec<&'a Node>,
    schema: SchemaRef,
}

impl Compiler<'_> {
    fn named(&self, name: &str, node: &Node) -> std::result::Result<Compiled, RuleError> {
        let mut missing = None;
        node.walk(&mut |node| {
            if let What::Parameter(index, _) = node.what
                && self.parameters.get(index).is_none_or(Option::is_none)
            {
                missing = self.rules.parameters.get(index);
            }
        });
        if let Some(parameter) = missing {
            return Err(RuleError::not_in_force(parameter, self.on));
        }
        self.compile(node)
            .map_err(|error| RuleError::step(self.rules, name, node.id, &error))
    }

    fn compile(&self, node: &Node) -> Result<Compiled> {
        let mut layout = Layout {
            columns: Vec::new(),
            aggregates: Vec::new(),
            schema: Arc::new(Schema::empty()),
        };
        collect(node, &mut layout);
        let mut fields = Vec::new();
        for (of, index) in &layout.columns {
            let kind = self.rules.kind(of.entity(), *index);
            fields.push(Field::new(format!("{of:?}.{index}"), data_type(kind), true));
        }
        let mut aggregates = Vec::new();
        for node in &layout.aggregates {
            let aggregation = self.aggregation(node)?;
            let kind = data_type(node.kind.of.unwrap_or(Type::Integer));
            fields.push(Field::new(format!("aggregate.{}", node.id), kind, true));
            aggregates.push(aggregation);
        }
        layout.schema = Arc::new(Schema::new(fields));
        let expression = self.lower(node, &layout)?;
        Ok(Compiled {
            expression,
            columns: layout.columns,
            aggregates,
            schema: layout.schema,
        })
    }

    fn aggregation(&self, node: &Node) -> Result<Aggregation> {
        let What::Aggregate {
            function,
            argument,
            filter,
        } = &node.what
        else {
            return Err(DataFusionError::Internal("not an aggregate".to_owned()));
        };
        let star = Node {
            what: What::Constant(Constant::Boolean(true)),
            kind: crate::expr::Kind::plain(Type::Boolean),
            id: 0,
        };
        Ok(Aggregation {
            node: node.id,
            function: *function,
            argument: self.compile(argument.as_deref().unwrap_or(&star))?,
            filter: filter.as_deref().map(|node| self.compile(node)).transpose()?,
        })
    }

    fn lower(&self, node: &Node, layout: &Layout<'_>) -> Result<Physical> {
        let lowered = self.lower_one(node, layout)?;
        let placed = match &node.what {
            // an integer is made a decimal where it stands
            What::Widen(inner) => inner.id,
            // an aggregate is a column here
            What::Aggregate { .. } => return Ok(lowered),
            what if what.may_fail() => node.id,
            _ => return Ok(lowered),
        };
        Ok(Arc::new(Placed::new(placed, lowered)))
    }

    fn lower_one(&self, node: &Node, layout: &Layout<'_>) -> Result<Physical> {
        let below = |node: &Node| self.lower(node, layout);
        Ok(match &node.what {
            What::Constant(constant) => Arc::new(Literal::new(scalar(*constant, node.kind.of))),
            What::ReferenceDate => Arc::new(Literal::new(ScalarValue::Date32(Some(crate::calendar::days(self.on))))),
            What::Column(of, index) => {
                let place = layout.columns.iter().position(|column| column == &(*of, *index));
                column(place, layout)?
            }
            What::Aggregate { .. } => {
                let place = layout.aggregates.iter().position(|aggregate| aggregate.id == node.id);
                column(place.map(|place| place + layout.columns.len()), layout)?
            }
            What::And(nodes) => self.fold(Connect::and, nodes, layout)?,
            What::Or(nodes) => self.fold(Connect::or, nodes, layout)?,
            What::Not(inner) => Arc::new(NotExpr::new(below(inner)?)),
            What::Negative(inner) => {
                // DataFusion's own negation wraps around
                let zero = match node.kind.of {
                    Some(Type::Decimal) => Constant::Decimal(0),
                    _ => Constant::Integer(0),
                };
                let zero: Physical = Arc::new(Literal::new(scalar(zero, node.kind.of)));
                let value = Arc::new(BinaryExpr::new(zero, Op::Minus, below(inner)?).with_fail_on_overflow(true));
                Arc::new(CastExpr::new(
                    value,
                    data_type(node.kind.of.unwrap_or(Type::Integer)),
                    None,
                ))
            }
            What::Binary(operator, left, right) => {
                let value = Arc::new(
                    BinaryExpr::new(below(left)?, binary(*operator), below(right)?).with_fail_on_overflow(true),
                );
                match node.kind.of {
                    Some(Type::Decimal) => Arc::new(CastExpr::new(value, data_type(Type::Decimal), None)),
                    _ => value,
                }
            }
            What::Is {
                node: inner,
                what,
                negated,
            } => {
                let value = below(inner)?;
                let truth = |wanted: bool| -> Physical { Arc::new(Literal::new(ScalarValue::Boolean(Some(wanted)))) };
                match (what, negated) {
                    (Is::Null, false) => Arc::new(IsNullExpr::new(value)),
                    (Is::Null, true) => Arc::new(IsNotNullExpr::new(value)),
                    (is, negated) => {
                        let operator = if *negated {
                            Op::IsDistinctFrom
                        } else {
                            Op::IsNotDistinctFrom
                        };
                        Arc::new(BinaryExpr::new(value, operator, truth(*is == Is::True)))
                    }
                }
            }
            What::In {
                node: inner,
                list,
                negated,
            } => {
                let value = below(inner)?;
                let items = list.iter().map(below).collect::<Result<Vec<_>>>()?;
                if list.iter().all(|node| matches!(node.what, What::Constant(_))) {
                    return in_list(value, items, negated, &layout.schema);
                }
                // as with OR, a row must not depend on others
                let equals = |item| -> Physical { Arc::new(BinaryExpr::new(Arc::clone(&value), Op::Eq, item)) };
                let any = connected(Connect::or, items.into_iter().map(equals))?;
                match negated {
                    true => Arc::new(NotExpr::new(any)),
                    false => any,
                }
            }
            What::Case { branches, otherwise } => {
                let branches = branches
                    .iter()
                    .map(|(condition, result)| Ok((below(condition)?, below(result)?)))
                    .collect::<Result<Vec<_>>>()?;
                let otherwise = otherwise
                    .as_deref()
                    .filter(|node| !is_null(node))
                    .map(below)
                    .transpose()?;
                let kind = data_type(node.kind.of.unwrap_or(Type::Boolean));
                Arc::new(Choose::new(branches, otherwise, kind))
            }
            What::Widen(inner) => Arc::new(CastExpr::new(below(inner)?, data_type(Type::Decimal), None)),
            What::Function(function, arguments) => {
                let callable: ScalarUDF = Callable::new(*function).into();
                self.call(Arc::new(callable), arguments, layout)?
            }
            What::Parameter(index, keys) => match self.parameters.get(*index) {
                Some(Some(Dated { only: Some(value), .. })) if keys.is_empty() => {
                    Arc::new(Literal::new(scalar(from_number(*value, node.kind.of), node.kind.of)))
                }
                Some(Some(dated)) => self.call(Arc::clone(&dated.function), keys, layout)?,
                _ => return Err(DataFusionError::Internal("a parameter is not in force".to_owned())),
            },
        })
    }

    fn call(&self, function: Arc<ScalarUDF>, arguments: &[Node], layout: &Layout<'_>) -> Result<Physical> {
        let arguments = arguments
            .iter()
            .map(|node| self.lower(node, layout))
            .collect::<Result<Vec<_>>>()?;
        let field = Arc::new(Field::new(function.name(), function.inner().return_type(&[])?, true));
        let name = function.name().to_owned();
        Ok(Arc::new(ScalarFunctionExpr::new(
            &name,
            function,
            arguments,
            field,
            Arc::new(ConfigOptions::default()),
        )))
    }

    fn fold(
        &self,
        connect: fn(Physical, Physical) -> Connect,
        nodes: &[Node],
        layout: &Layout<'_>,
    ) -> Result<Physical> {
        let parts = nodes.iter().map(|node| self.lower(node, layout));
        connected(connect, parts.collect::<Result<Vec<_>>>()?)
    }
}

/// Conditions connected from left to right.
fn connected(
    connect: fn(Physical, Physical) -> Connect,
    parts: impl IntoIterator<Item = Physical>,
) -> Result<Physical> {
    let folded = parts.into_iter().reduce(|before, next| Arc::new(connect(before, next)));
    folded.ok_or_else(|| DataFusionError::Internal("an empty condition".to_owned()))
}

/// The columns and aggregates an expression reads; what is inside an aggregate is the aggregate's own.
fn collect<'a>(node: &'a Node, layout: &mut Layout<'a>) {
    match &node.what {
        What::Column(of, index) => {
            if !layout.columns.contains(&(*of, *index)) {
                layout.columns.push((*of, *index));
            }
        }
        What::Aggregate { .. } => layout.aggregates.push(node),
        _ => node.children().into_iter().for_each(|child| collect(child, layout)),
    }
}

fn column(place: Option<usize>, layout: &Layout<'_>) -> Result<Physical> {
    let place = place.ok_or_else(|| DataFusionError::Internal("a column is missing".to_owned()))?;
    Ok(Arc::new(Column::new(layout.schema.field(place).name(), place)))
}

fn is_null(node: &Node) -> bool {
    matches!(node.what, What::Constant(Constant::Null))
}

fn binary(operator: Operator) -> Op {
    match operator {
        Operator::Add => Op::Plus,
        Operator::Subtract => Op::Minus,
        Operator::Multiply => Op::Multiply,
        Operator::Divide => Op::Divide,
        Operator::Remainder => Op::Modulo,
        Operator::Equal => Op::Eq,
        Operator::NotEqual => Op::NotEq,
        Operator::Less => Op::Lt,
        Operator::LessOrEqual => Op::LtEq,
        Operator::Greater => Op::Gt,
        Operator::GreaterOrEqual => Op::GtEq,
    }
}

fn from_number(value: i64, kind: Option<Type>) -> Constant {
    let small = i32::try_from(value).unwrap_or_default();
    match kind {
        Some(Type::Boolean) => Constant::Boolean(value != 0),
        Some(Type::Decimal) => Constant::Decimal(i128::from(value)),
        Some(Type::Text) => Constant::Text(small),
        Some(Type::Date) => Constant::Date(small),
        _ => Constant::Integer(value),
    }
}

fn scalar(constant: Constant, kind: Option<Type>) -> ScalarValue {
    match constant {
        Constant::Boolean(value) => ScalarValue::Boolean(Some(value)),
        Constant::Integer(value) => ScalarValue::Int64(Some(value)),
        Constant::Decimal(value) => ScalarValue::Decimal128(Some(value), PRECISION, SCALE),
        Constant::Text(value) => ScalarValue::Int32(Some(value)),
        Constant::Date(value) => ScalarValue::Date32(Some(value)),
        Constant::Null => match kind.unwrap_or(Type::Boolean) {
            Type::Integer => ScalarValue::Int64(None),
            Type::Decimal => ScalarValue::Decimal128(None, PRECISION, SCALE),
            Type::Boolean => ScalarValue::Boolean(None),
            Type::Text => ScalarValue::Int32(None),
            Type::Date => ScalarValue::Date32(None),
        },
    }
}
