//! The typed tree of an expression: what is left of SQL once every name is known and every type agrees.

use crate::model::{Entity, Type};
use std::sync::Arc;

/// Digits after the point of a decimal.
pub(crate) const SCALE: i8 = 4;
/// All digits of a decimal.
pub(crate) const PRECISION: u8 = 18;

/// The table a column is read from, seen from where the expression stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Of {
    /// The person itself, or one of the persons an aggregate goes over.
    Person,
    /// The household itself, or the household of the person or case.
    Household,
    /// The case itself.
    Case,
    /// The person the case belongs to.
    Applicant,
}

impl Of {
    /// Where its columns are kept.
    pub fn entity(self) -> Entity {
        match self {
            Of::Person | Of::Applicant => Entity::Person,
            Of::Household => Entity::Household,
            Of::Case => Entity::Case,
        }
    }
}

/// What is known of the values of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Kind {
    /// `None` for the literal NULL.
    pub of: Option<Type>,
    /// The texts it can be, where that is known.
    pub domain: Option<Arc<Vec<String>>>,
}

impl Kind {
    pub fn plain(of: Type) -> Kind {
        Kind {
            of: Some(of),
            domain: None,
        }
    }

    pub fn null() -> Kind {
        Kind { of: None, domain: None }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Constant {
    Null,
    Boolean(bool),
    Integer(i64),
    /// In units of the last digit.
    Decimal(i128),
    /// The number of a text in [`crate::symbols::Symbols`].
    Text(i32),
    /// Days since 1970-01-01.
    Date(i32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Operator {
    pub fn is_arithmetic(self) -> bool {
        matches!(
            self,
            Operator::Add | Operator::Subtract | Operator::Multiply | Operator::Divide | Operator::Remainder
        )
    }
}

/// What `IS` asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Is {
    Null,
    True,
    False,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Aggregate {
    Sum,
    Count,
    Min,
    Max,
    BoolAnd,
    BoolOr,
}

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub what: What,
    pub kind: Kind,
    /// Its number in the rule set; compiled expressions and explanations are kept by it.
    pub id: usize,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    Constant(Constant),
    ReferenceDate,
    Column(Of, usize),
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    Negative(Box<Node>),
    Binary(Operator, Box<Node>, Box<Node>),
    Is {
        node: Box<Node>,
        what: Is,
        negated: bool,
    },
    In {
        node: Box<Node>,
        list: Vec<Node>,
        negated: bool,
    },
    Case {
        branches: Vec<(Node, Node)>,
        otherwise: Option<Box<Node>>,
    },
    /// An integer made a decimal.
    Widen(Box<Node>),
    Function(crate::functions::Function, Vec<Node>),
    /// A parameter by its number, with its keys.
    Parameter(usize, Vec<Node>),
    Aggregate {
        function: Aggregate,
        /// `None` for `COUNT(*)`.
        argument: Option<Box<Node>>,
        filter: Option<Box<Node>>,
    },
}

impl What {
    /// Whether there are values below it for which it has no result.
    pub fn may_fail(&self) -> bool {
        match self {
            What::Negative(_) | What::Function(..) | What::Aggregate { .. } | What::Widen(_) => true,
            What::Binary(operator, ..) => operator.is_arithmetic(),
            What::Parameter(_, keys) => !keys.is_empty(),
            _ => false,
        }
    }
}

impl Node {
    /// The expressions directly below.
    pub fn children(&self) -> Vec<&Node> {
        match &self.what {
            What::Constant(_) | What::ReferenceDate | What::Column(..) => Vec::new(),
            What::And(nodes) | What::Or(nodes) | What::Function(_, nodes) | What::Parameter(_, nodes) => {
                nodes.iter().collect()
            }
            What::Not(node) | What::Negative(node) | What::Widen(node) | What::Is { node, .. } => vec![node],
            What::Binary(_, left, right) => vec![left, right],
            What::In { node, list, .. } => std::iter::once(node.as_ref()).chain(list).collect(),
            What::Case { branches, otherwise } => branches
                .iter()
                .flat_map(|(condition, result)| [condition, result])
                .chain(otherwise.as_deref())
                .collect(),
            What::Aggregate { argument, filter, .. } => {
                argument.as_deref().into_iter().chain(filter.as_deref()).collect()
            }
        }
    }

    /// Calls `visit` for this expression and all below it.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Node)) {
        visit(self);
        for child in self.children() {
            child.walk(visit);
        }
    }

    /// The columns it reads, inside aggregates too, each once.
    pub fn columns(&self) -> Vec<(Of, usize)> {
        let mut columns = Vec::new();
        self.walk(&mut |node| {
            if let What::Column(of, index) = node.what
                && !columns.contains(&(of, index))
            {
                columns.push((of, index));
            }
        });
        columns
    }
}
