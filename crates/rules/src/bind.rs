//! From SQL to the typed tree: every name resolved, every type checked, every mistake told with its place.

mod call;
mod types;

pub(crate) use call::is_function;
pub(crate) use types::condition;

use crate::expr::{Constant, Is, Kind, Node, Operator, What};
use crate::functions::Function;
use crate::mistake::Source;
use crate::model::{Entity, Type};
use crate::names::Names;
use crate::parameters::Parameter;
use crate::place::Place;
use crate::symbols::Symbols;
use civic::Mistake;
use sqlparser::ast::{
    BinaryOperator, CaseWhen, CeilFloorKind, DataType, DateTimeField, Expr, Ident, Spanned, UnaryOperator, Value,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Location, Span, Token};
use std::collections::HashMap;
use std::sync::Arc;

/// Binds the expressions of one rules file.
pub(crate) struct Binder<'a> {
    pub names: &'a Names,
    pub parameters: &'a [Parameter],
    pub symbols: &'a mut Symbols,
    pub next: &'a mut usize,
    pub mistakes: &'a mut Vec<Mistake>,
    /// The file the expression stands in.
    pub source: &'a Arc<Source>,
    /// The entity of the step.
    pub scope: Entity,
    /// Whether the expression being bound is inside an aggregate.
    pub aggregate: bool,
    /// The expression, and where in the file it begins.
    pub sql: Arc<str>,
    pub start: usize,
    /// Where the cell begins that the expression is put together from; all that is said of it is said there.
    pub cell: Option<usize>,
    /// Where the expressions stand that may have no result.
    pub places: &'a mut HashMap<usize, Place>,
    /// How deep the expression being bound lies.
    pub depth: usize,
}

/// Longest expression, in bytes. The parser's trees are as deep as an expression is long, and dropping them recurses.
const LONGEST: usize = 16 * 1024;
/// Deepest expression.
const DEEPEST: usize = 200;

/// The SQL of an expression; the mistake where it is none.
pub(crate) fn parse(source: &Source, sql: &str, start: usize) -> Result<Expr, Mistake> {
    let fail = |message: String| {
        // sqlparser ends its messages with the place
        let (text, place) = message.split_once(" at Line: ").unwrap_or((&message, ""));
        let mut numbers = place
            .split(", Column: ")
            .filter_map(|number| number.trim().parse::<u64>().ok());
        let at = match (numbers.next(), numbers.next()) {
            (Some(line), Some(column)) => offset(sql, Location { line, column }),
            _ if text.ends_with("found: EOF") => sql.trim_end().len(),
            _ => 0,
        };
        let text = text.trim_start_matches("sql parser error: ");
        source.mistake(start + at, format!("this is no expression of SQL: {text}"), None)
    };
    if sql.len() > LONGEST {
        let advice = "split it into steps, or make it a decision table".to_owned();
        return Err(source.mistake(
            start,
            format!("the expression is longer than {LONGEST} bytes"),
            Some(advice),
        ));
    }
    let dialect = PostgreSqlDialect {};
    let mut parser = Parser::new(&dialect)
        .try_with_sql(sql)
        .map_err(|error| fail(error.to_string()))?;
    let expression = parser.parse_expr().map_err(|error| fail(error.to_string()))?;
    let rest = parser.peek_token();
    if rest.token == Token::EOF {
        Ok(expression)
    } else {
        let at = offset(sql, rest.span.start);
        Err(source.mistake(start + at, format!("`{}` is not expected here", rest.token), None))
    }
}

/// The byte offset of a line and column (both from 1, in characters).
pub(crate) fn offset(sql: &str, at: Location) -> usize {
    let line = usize::try_from(at.line.saturating_sub(1)).unwrap_or_default();
    let column = usize::try_from(at.column.saturating_sub(1)).unwrap_or_default();
    let before: usize = sql.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = sql.get(before..).unwrap_or_default();
    before + rest.char_indices().nth(column).map_or(rest.len(), |(byte, _)| byte)
}

impl Binder<'_> {
    /// The tree of an expression; `None` when a mistake was recorded.
    pub fn bind(&mut self, expression: &Expr) -> Option<Node> {
        if self.depth >= DEEPEST {
            let source = self.source.mistake(
                self.start,
                format!("the expression is nested deeper than {DEEPEST}"),
                Some("split it into steps, or write a list as `IN (…)`".to_owned()),
            );
            if !self.mistakes.contains(&source) {
                self.mistakes.push(source);
            }
            return None;
        }
        self.depth += 1;
        let node = self.bind_one(expression);
        self.depth -= 1;
        if let Some(node) = node.as_ref().filter(|node| self.depth == 0 || node.what.may_fail()) {
            self.keep_place(node.id, expression.span().start);
        }
        node
    }

    /// Keeps where an expression stands, if that is not known of it yet.
    pub(crate) fn keep_place(&mut self, node: usize, at: Location) {
        let place = match self.cell {
            Some(start) => Place {
                source: Arc::clone(self.source),
                sql: "".into(),
                start,
                at: Location { line: 1, column: 1 },
            },
            None => Place {
                source: Arc::clone(self.source),
                sql: Arc::clone(&self.sql),
                start: self.start,
                at,
            },
        };
        self.places.entry(node).or_insert(place);
    }

    fn bind_one(&mut self, expression: &Expr) -> Option<Node> {
        match expression {
            Expr::Nested(inner) => self.bind(inner),
            Expr::Identifier(name) => self.column(None, name),
            Expr::CompoundIdentifier(parts) => match parts.as_slice() {
                [table, name] => self.column(Some(table), name),
                _ => self.fail(expression, "a column is named `name` or `table.name`", None),
            },
            Expr::Value(value) => self.constant(expression, &value.value),
            Expr::TypedString(typed) if typed.data_type == DataType::Date => {
                let written = typed.value.value.clone().into_string().unwrap_or_default();
                match written.parse() {
                    Ok(date) => {
                        let days = Constant::Date(crate::calendar::days(date));
                        Some(self.node(What::Constant(days), Kind::plain(Type::Date)))
                    }
                    Err(_) => self.fail(expression, &format!("`{written}` is no date"), Some("write it as `DATE '2026-01-01'`".to_owned())),
                }
            }
            Expr::UnaryOp { op: UnaryOperator::Not, expr } => {
                let node = self.boolean(expr)?;
                Some(self.node(What::Not(Box::new(node)), Kind::plain(Type::Boolean)))
            }
            Expr::UnaryOp { op: UnaryOperator::Minus, expr } => {
                let node = self.numeric(expr)?;
                let kind = node.kind.clone();
                Some(self.node(What::Negative(Box::new(node)), kind))
            }
            Expr::UnaryOp { op: UnaryOperator::Plus, expr } => self.numeric(expr),
            Expr::BinaryOp { left, op, right } => self.binary(expression, left, op, right),
            Expr::IsNull(inner) => self.is(inner, Is::Null, false),
            Expr::IsNotNull(inner) => self.is(inner, Is::Null, true),
            Expr::IsUnknown(inner) => self.is(inner, Is::Null, false),
            Expr::IsNotUnknown(inner) => self.is(inner, Is::Null, true),
            Expr::IsTrue(inner) => self.is(inner, Is::True, false),
            Expr::IsNotTrue(inner) => self.is(inner, Is::True, true),
            Expr::IsFalse(inner) => self.is(inner, Is::False, false),
            Expr::IsNotFalse(inner) => self.is(inner, Is::False, true),
            Expr::InList { expr, list, negated } => self.in_list(expr, list, *negated),
            Expr::Between { expr, negated, low, high } => {
                let low = self.comparison(Operator::GreaterOrEqual, expr, low);
                let high = self.comparison(Operator::LessOrEqual, expr, high);
                let between = self.node(What::And(vec![low?, high?]), Kind::plain(Type::Boolean));
                Some(match negated {
                    true => self.node(What::Not(Box::new(between)), Kind::plain(Type::Boolean)),
                    false => between,
                })
            }
            Expr::Case { operand, conditions, else_result, .. } => {
                self.case(expression, operand.as_deref(), conditions, else_result.as_deref())
            }
            Expr::Function(function) => self.call(expression, function),
            // words of SQL of their own, with forms we do not take
            Expr::Floor { expr, field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) } => {
                self.function(expression, Function::Floor, &[expr])
            }
            Expr::Ceil { expr, field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) } => {
                self.function(expression, Function::Ceil, &[expr])
            }
            _ => self.fail(
                expression,
                "this form of SQL is not part of the rules' language",
                Some("use columns, constants, + - * / %, comparisons, AND OR NOT, IN, BETWEEN, IS NULL, CASE, functions, parameters and aggregates".to_owned()),
            ),
        }
    }

    /// A new node.
    pub(crate) fn node(&mut self, what: What, kind: Kind) -> Node {
        let id = *self.next;
        *self.next += 1;
        Node { what, kind, id }
    }

    /// Records a mistake at a place of the file.
    pub(crate) fn tell(&mut self, at: usize, message: &str, suggestion: &str) {
        let mistake = self.source.mistake(at, message, Some(suggestion.to_owned()));
        self.mistakes.push(mistake);
    }

    /// Records a mistake at a part of the expression.
    fn fail<T>(&mut self, part: &impl Spanned, message: &str, suggestion: Option<String>) -> Option<T> {
        self.fail_at(part.span(), message, suggestion)
    }

    fn fail_at<T>(&mut self, span: Span, message: &str, suggestion: Option<String>) -> Option<T> {
        let at = match self.cell {
            Some(cell) => cell,
            None => self.start + offset(&self.sql, span.start),
        };
        self.mistakes.push(self.source.mistake(at, message, suggestion));
        None
    }

    fn column(&mut self, table: Option<&Ident>, name: &Ident) -> Option<Node> {
        if table.is_none() && name.value == "reference_date" {
            return Some(self.node(What::ReferenceDate, Kind::plain(Type::Date)));
        }
        let qualifier = table.map(|table| table.value.as_str());
        match self.names.resolve(self.scope, self.aggregate, qualifier, &name.value) {
            Ok((of, index, kind)) => Some(self.node(What::Column(of, index), kind)),
            Err(None) => None,
            Err(Some((message, suggestion))) => self.fail_at(table.unwrap_or(name).span, &message, suggestion),
        }
    }

    fn constant(&mut self, expression: &Expr, value: &Value) -> Option<Node> {
        let (constant, kind) = match value {
            Value::Null => (Constant::Null, Kind::null()),
            Value::Boolean(value) => (Constant::Boolean(*value), Kind::plain(Type::Boolean)),
            Value::SingleQuotedString(text) => {
                let kind = Kind {
                    of: Some(Type::Text),
                    domain: Some(Arc::new(vec![text.clone()])),
                };
                (Constant::Text(self.symbols.intern(text)), kind)
            }
            Value::Number(written, _) => {
                if let Ok(value) = written.parse() {
                    (Constant::Integer(value), Kind::plain(Type::Integer))
                } else if let Some(value) = crate::parameters::decimal(written) {
                    (Constant::Decimal(value), Kind::plain(Type::Decimal))
                } else {
                    return self.fail(
                        expression,
                        &format!("the number {written} is too long"),
                        Some("an integer has up to 18 digits, a decimal 14 before and 4 after the point".to_owned()),
                    );
                }
            }
            _ => return self.fail(expression, "this constant is not part of the rules' language", None),
        };
        Some(self.node(What::Constant(constant), kind))
    }

    fn binary(&mut self, whole: &Expr, left: &Expr, op: &BinaryOperator, right: &Expr) -> Option<Node> {
        let operator = match op {
            BinaryOperator::And | BinaryOperator::Or => {
                let (left, right) = (self.boolean(left), self.boolean(right));
                let mut nodes = Vec::new();
                for node in [left?, right?] {
                    match (op, node.what) {
                        (BinaryOperator::And, What::And(inner)) | (BinaryOperator::Or, What::Or(inner)) => {
                            nodes.extend(inner);
                        }
                        (_, what) => nodes.push(Node { what, ..node }),
                    }
                }
                let what = if *op == BinaryOperator::And {
                    What::And(nodes)
                } else {
                    What::Or(nodes)
                };
                return Some(self.node(what, Kind::plain(Type::Boolean)));
            }
            BinaryOperator::Plus => Operator::Add,
            BinaryOperator::Minus => Operator::Subtract,
            BinaryOperator::Multiply => Operator::Multiply,
            BinaryOperator::Divide => Operator::Divide,
            BinaryOperator::Modulo => Operator::Remainder,
            BinaryOperator::Eq => Operator::Equal,
            BinaryOperator::NotEq => Operator::NotEqual,
            BinaryOperator::Lt => Operator::Less,
            BinaryOperator::LtEq => Operator::LessOrEqual,
            BinaryOperator::Gt => Operator::Greater,
            BinaryOperator::GtEq => Operator::GreaterOrEqual,
            other => {
                return self.fail(
                    whole,
                    &format!("the operator `{other}` is not part of the rules' language"),
                    None,
                );
            }
        };
        if !operator.is_arithmetic() {
            return self.comparison(operator, left, right);
        }
        let (left_node, right_node) = (self.numeric(left), self.numeric(right));
        let (left_node, right_node) = (left_node?, right_node?);
        if matches!(operator, Operator::Divide | Operator::Remainder) && is_zero(&right_node) {
            return self.fail(
                right,
                "it always divides by zero",
                Some("divide by another number".to_owned()),
            );
        }
        let (left, right, kind) = self.widen(left_node, right_node);
        Some(self.node(
            What::Binary(operator, Box::new(left), Box::new(right)),
            Kind { of: kind, domain: None },
        ))
    }

    fn is(&mut self, inner: &Expr, what: Is, negated: bool) -> Option<Node> {
        let node = match what {
            Is::Null => self.bind(inner)?,
            Is::True | Is::False => self.boolean(inner)?,
        };
        let what = What::Is {
            node: Box::new(node),
            what,
            negated,
        };
        Some(self.node(what, Kind::plain(Type::Boolean)))
    }

    fn case(
        &mut self,
        whole: &Expr,
        operand: Option<&Expr>,
        conditions: &[CaseWhen],
        otherwise: Option<&Expr>,
    ) -> Option<Node> {
        let mut branches = Vec::new();
        let mut complete = true;
        for CaseWhen { condition, result } in conditions {
            let condition = match operand {
                Some(operand) => self.comparison(Operator::Equal, operand, condition),
                None => self.boolean(condition),
            };
            match (condition, self.bind(result)) {
                (Some(condition), Some(result)) => branches.push((condition, result)),
                _ => complete = false,
            }
        }
        let otherwise = match otherwise {
            Some(otherwise) => Some(self.bind(otherwise)?),
            None => None,
        };
        if !complete {
            return None;
        }
        self.assemble(whole, branches, otherwise)
    }
}

/// Whether an expression is the constant zero.
fn is_zero(node: &Node) -> bool {
    match &node.what {
        What::Constant(constant) => matches!(constant, Constant::Integer(0) | Constant::Decimal(0)),
        What::Negative(inner) | What::Widen(inner) => is_zero(inner),
        _ => false,
    }
}
