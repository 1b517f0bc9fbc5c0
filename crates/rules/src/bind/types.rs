//! Which types go together.

use super::Binder;
use crate::expr::{Kind, Node, Operator, What};
use crate::mistake::did_you_mean;
use crate::model::Type;
use sqlparser::ast::{Expr, Spanned};
use std::sync::Arc;

/// A type as a sentence says it.
fn called(kind: &Kind) -> String {
    match kind.of {
        Some(of) => format!("{}{of}", if of == Type::Integer { "an " } else { "a " }),
        None => "NULL".to_owned(),
    }
}

/// The type both can have.
fn common(left: Option<Type>, right: Option<Type>) -> Option<Option<Type>> {
    match (left, right) {
        (same, other) if same == other => Some(same),
        (None, some) | (some, None) => Some(some),
        (Some(Type::Integer), Some(Type::Decimal)) | (Some(Type::Decimal), Some(Type::Integer)) => {
            Some(Some(Type::Decimal))
        }
        _ => None,
    }
}

/// The texts of two expressions together, when both are known.
fn either(left: &Kind, right: &Kind) -> Option<Arc<Vec<String>>> {
    match (left.of, right.of) {
        (None, _) => right.domain.clone(),
        (_, None) => left.domain.clone(),
        _ => {
            let (left, right) = (left.domain.as_ref()?, right.domain.as_ref()?);
            let mut all = left.as_ref().clone();
            all.extend(right.iter().filter(|text| !left.contains(text)).cloned());
            Some(Arc::new(all))
        }
    }
}

/// How a condition is made of a value.
pub(crate) fn condition(of: Type) -> &'static str {
    match of {
        Type::Boolean => "write `x` or `NOT x`",
        Type::Integer | Type::Decimal => "compare it, as `x > 0`",
        Type::Text => "compare it, as `x = 'a'`",
        Type::Date => "compare it, as `x <= reference_date`",
    }
}

/// How a value of a type is had where it is needed, from one of another.
fn made(wanted: Type, from: Option<Type>) -> Option<String> {
    let told = match (wanted, from?) {
        (Type::Boolean, from) => condition(from),
        (Type::Integer | Type::Decimal, Type::Boolean) => "choose a number by it: `CASE WHEN x THEN 1 ELSE 0 END`",
        (Type::Integer, Type::Decimal) => "say how it is made whole: `round(x)`, `floor(x)` or `ceil(x)`",
        (Type::Integer | Type::Decimal, Type::Date) => {
            "use `days_between`, `months_between`, `year_of` or `month_of` of the date"
        }
        (Type::Integer | Type::Decimal, Type::Text) => {
            "write a number without quotes, or give the input the type `integer`"
        }
        (Type::Date, Type::Text) => "write a day as `DATE '2026-01-01'`, or give the input the type `date`",
        (Type::Date, _) => "take an input of the type `date`, or `reference_date`",
        (Type::Text, Type::Boolean) => "choose a text by it: `CASE WHEN x THEN 'a' ELSE 'b' END`",
        (Type::Text, _) => "write a text in quotes, as `'a'`, or give the input the type `text`",
        (Type::Integer, Type::Integer) | (Type::Decimal, _) => return None,
    };
    Some(told.to_owned())
}

/// How two values that can't be compared, or chosen between, come to one type.
fn agreed(left: Option<Type>, right: Option<Type>) -> Option<String> {
    let (left, right) = (left?, right?);
    let has = |of: Type| left == of || right == of;
    let told = if has(Type::Boolean) {
        "a truth value is a condition by itself: write `x` or `NOT x`"
    } else if has(Type::Date) && has(Type::Text) {
        "write a day as `DATE '2026-01-01'`"
    } else if has(Type::Date) {
        "write a day as `DATE '2026-01-01'`, or count days with `days_between`"
    } else {
        "write a number without quotes, or give the input the type `text`"
    };
    Some(told.to_owned())
}

impl Binder<'_> {
    /// An expression that must be true, false or NULL.
    pub(super) fn boolean(&mut self, expression: &Expr) -> Option<Node> {
        let node = self.bind(expression)?;
        match node.kind.of {
            Some(Type::Boolean) | None => Some(node),
            of => {
                let message = format!("a condition is needed here, this is {}", called(&node.kind));
                self.fail(expression, &message, made(Type::Boolean, of))
            }
        }
    }

    /// An expression that must be a number.
    pub(super) fn numeric(&mut self, expression: &Expr) -> Option<Node> {
        let node = self.bind(expression)?;
        match node.kind.of {
            Some(Type::Integer | Type::Decimal) | None => Some(node),
            Some(Type::Date) => self.fail(
                expression,
                "a date can't be calculated with",
                Some("use `days_between`, `months_between`, `add_days` or `add_months`".to_owned()),
            ),
            of => {
                let message = format!("a number is needed here, this is {}", called(&node.kind));
                self.fail(expression, &message, made(Type::Integer, of))
            }
        }
    }

    /// Two numbers made of one type.
    pub(super) fn widen(&mut self, left: Node, right: Node) -> (Node, Node, Option<Type>) {
        let of = common(left.kind.of, right.kind.of).unwrap_or_default();
        (self.to(left, of), self.to(right, of), of)
    }

    /// An expression as a type it can have.
    pub(super) fn to(&mut self, node: Node, of: Option<Type>) -> Node {
        match (node.kind.of, of) {
            (Some(Type::Integer), Some(Type::Decimal)) => {
                self.node(What::Widen(Box::new(node)), Kind::plain(Type::Decimal))
            }
            (None, Some(of)) => Node {
                kind: Kind::plain(of),
                ..node
            },
            _ => node,
        }
    }

    /// `left operator right`, both of one type, and only texts that can occur.
    pub(super) fn comparison(&mut self, operator: Operator, left: &Expr, right: &Expr) -> Option<Node> {
        let (left_node, right_node) = (self.bind(left), self.bind(right));
        let (left_node, right_node) = (left_node?, right_node?);
        self.comparable(right, &left_node, &right_node)?;
        self.possible(left, &left_node, &right_node.kind)?;
        self.possible(right, &right_node, &left_node.kind)?;
        let ordered = !matches!(operator, Operator::Equal | Operator::NotEqual);
        let of = left_node.kind.of.or(right_node.kind.of);
        if ordered && matches!(of, Some(Type::Text | Type::Boolean)) {
            let message = format!("{} has no order", called(&Kind { of, domain: None }));
            return self.fail(right, &message, Some("compare with = or <>".to_owned()));
        }
        let (left, right, _) = self.widen(left_node, right_node);
        Some(self.node(
            What::Binary(operator, Box::new(left), Box::new(right)),
            Kind::plain(Type::Boolean),
        ))
    }

    fn comparable(&mut self, at: &impl Spanned, left: &Node, right: &Node) -> Option<()> {
        if common(left.kind.of, right.kind.of).is_some() {
            return Some(());
        }
        let message = format!("{} can't be compared with {}", called(&left.kind), called(&right.kind));
        self.fail(at, &message, agreed(left.kind.of, right.kind.of))
    }

    /// A text constant must be one of the texts the other side can be.
    fn possible(&mut self, at: &impl Spanned, node: &Node, other: &Kind) -> Option<()> {
        if !matches!(node.what, What::Constant(_)) {
            return Some(());
        }
        let (Some(texts), Some(domain)) = (&node.kind.domain, &other.domain) else {
            return Some(());
        };
        match texts.iter().find(|text| !domain.contains(text)) {
            None => Some(()),
            Some(text) => {
                let suggestion = did_you_mean(text, domain.iter().map(String::as_str))
                    .or_else(|| Some(format!("the values are {}", domain.join(", "))));
                self.fail(at, &format!("the value is never '{text}'"), suggestion)
            }
        }
    }

    /// `expression IN (list)`.
    pub(super) fn in_list(&mut self, expression: &Expr, list: &[Expr], negated: bool) -> Option<Node> {
        let node = self.bind(expression)?;
        let mut nodes = Vec::new();
        for item in list {
            let item_node = self.bind(item)?;
            self.comparable(item, &node, &item_node)?;
            self.possible(item, &item_node, &node.kind)?;
            nodes.push(item_node);
        }
        let of = nodes
            .iter()
            .fold(node.kind.of, |of, item| common(of, item.kind.of).unwrap_or(of));
        let node = self.to(node, of);
        let list = nodes.into_iter().map(|item| self.to(item, of)).collect();
        let what = What::In {
            node: Box::new(node),
            list,
            negated,
        };
        Some(self.node(what, Kind::plain(Type::Boolean)))
    }

    /// A CASE of its branches, all of one type.
    pub(crate) fn assemble(
        &mut self,
        at: &impl Spanned,
        branches: Vec<(Node, Node)>,
        otherwise: Option<Node>,
    ) -> Option<Node> {
        let mut kind = Kind::null();
        for node in branches.iter().map(|(_, result)| result).chain(&otherwise) {
            let domain = either(&kind, &node.kind);
            match common(kind.of, node.kind.of) {
                Some(of) => kind = Kind { of, domain },
                None => {
                    let message = format!(
                        "the results of CASE have different types: {} and {}",
                        called(&kind),
                        called(&node.kind)
                    );
                    let suggestion = "give every result one type, and write NULL where there is none".to_owned();
                    return self.fail(at, &message, Some(suggestion));
                }
            }
        }
        let of = kind.of;
        let branches = branches
            .into_iter()
            .map(|(condition, result)| (condition, self.to(result, of)))
            .collect();
        let otherwise = otherwise.map(|node| Box::new(self.to(node, of)));
        Some(self.node(What::Case { branches, otherwise }, kind))
    }

    /// Checks that an argument has a type, and makes it so.
    pub(super) fn argument(&mut self, at: &Expr, node: Node, wanted: Type, function: &str) -> Option<Node> {
        match common(node.kind.of, Some(wanted)) {
            Some(Some(of)) if of == wanted => Some(self.to(node, Some(wanted))),
            _ => {
                let suggestion = made(wanted, node.kind.of);
                let wanted = called(&Kind::plain(wanted));
                let message = format!("`{function}` needs {wanted} here, this is {}", called(&node.kind));
                self.fail(at, &message, suggestion)
            }
        }
    }
}
