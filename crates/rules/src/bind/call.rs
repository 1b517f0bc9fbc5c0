//! Calls: functions, parameters and aggregates.

use super::Binder;
use crate::expr::{Aggregate, Kind, Node, Operator, What};
use crate::functions::Function;
use crate::mistake::did_you_mean;
use crate::model::{Entity, Type};
use sqlparser::ast::{Expr, Function as Call, FunctionArg, FunctionArgExpr, FunctionArguments};

const AGGREGATES: [(&str, Aggregate); 6] = [
    ("sum", Aggregate::Sum),
    ("count", Aggregate::Count),
    ("min", Aggregate::Min),
    ("max", Aggregate::Max),
    ("bool_and", Aggregate::BoolAnd),
    ("bool_or", Aggregate::BoolOr),
];

/// Whether a name is a function of the language, or of SQL, so that no parameter can have it.
pub(crate) fn is_function(name: &str) -> bool {
    AGGREGATES.iter().any(|(known, _)| *known == name)
        || Function::ALL.iter().any(|function| function.name() == name)
        || ["least", "greatest", "coalesce"].contains(&name)
}

/// One argument of a call.
enum Argument<'a> {
    Star,
    Expression(&'a Expr),
}

impl Binder<'_> {
    /// One of our own functions.
    pub(super) fn function(&mut self, whole: &Expr, function: Function, arguments: &[&Expr]) -> Option<Node> {
        let name = function.name();
        let (types, value) = function.signature();
        self.count(whole, name, arguments.len(), types.len())?;
        let mut nodes = Vec::new();
        for (expression, wanted) in arguments.iter().zip(types) {
            let node = self.bind(expression)?;
            nodes.push(self.argument(expression, node, *wanted, name)?);
        }
        Some(self.node(What::Function(function, nodes), Kind::plain(value)))
    }

    pub(super) fn call(&mut self, whole: &Expr, call: &Call) -> Option<Node> {
        let name = call.name.to_string().to_lowercase();
        let Some(arguments) = arguments(call) else {
            return self.fail(
                whole,
                &format!("this form of calling `{name}` is not part of the rules' language"),
                None,
            );
        };
        if let Some((_, aggregate)) = AGGREGATES.iter().find(|(known, _)| *known == name) {
            return self.aggregate(whole, *aggregate, &arguments, call.filter.as_deref());
        }
        if call.filter.is_some() {
            return self.fail(whole, "only an aggregate has a FILTER", None);
        }
        let mut expressions = Vec::new();
        for argument in arguments {
            match argument {
                Argument::Expression(expression) => expressions.push(expression),
                Argument::Star => return self.fail(whole, &format!("`{name}` takes no `*`"), None),
            }
        }
        if let "least" | "greatest" = name.as_str() {
            return self.extreme(whole, &name, &expressions);
        }
        if let Some(function) = Function::ALL.into_iter().find(|function| function.name() == name) {
            return self.function(whole, function, &expressions);
        }
        if let Some(index) = self.parameters.iter().position(|parameter| parameter.name == name) {
            return self.parameter(whole, index, &expressions);
        }
        if name == "coalesce" {
            let suggestion = "write `CASE WHEN x IS NULL THEN ... ELSE x END`, and only where the law says what holds for a fact not given";
            return self.fail(
                whole,
                "`coalesce` is not part of the rules' language",
                Some(suggestion.to_owned()),
            );
        }
        let known = AGGREGATES
            .iter()
            .map(|(name, _)| *name)
            .chain(Function::ALL.iter().map(|function| function.name()))
            .chain(["least", "greatest"])
            .chain(self.parameters.iter().map(|parameter| parameter.name.as_str()));
        let suggestion = did_you_mean(&name, known).or_else(|| {
            Some(format!(
                "declare it under `[parameters.{name}]`, if it is an amount or limit"
            ))
        });
        self.fail(whole, &format!("unknown parameter or function `{name}`"), suggestion)
    }

    fn count(&mut self, whole: &Expr, name: &str, given: usize, wanted: usize) -> Option<()> {
        if given == wanted {
            return Some(());
        }
        let arguments = if wanted == 1 { "argument" } else { "arguments" };
        self.fail(
            whole,
            &format!("`{name}` takes {wanted} {arguments}, {given} given"),
            None,
        )
    }

    fn parameter(&mut self, whole: &Expr, index: usize, expressions: &[&Expr]) -> Option<Node> {
        let parameter = self.parameters.get(index)?;
        self.count(whole, &parameter.name, expressions.len(), parameter.keys.len())?;
        let mut nodes = Vec::new();
        for (place, expression) in expressions.iter().enumerate() {
            let node = self.bind(expression)?;
            let whole_number = parameter.whole.get(place).copied().unwrap_or_default();
            let wanted = if whole_number && node.kind.of != Some(Type::Text) {
                Type::Integer
            } else {
                Type::Text
            };
            let node = self.argument(expression, node, wanted, &parameter.name)?;
            if let Some(domain) = &node.kind.domain {
                let cells: Vec<&str> = parameter
                    .rows
                    .iter()
                    .filter_map(|row| row.keys.get(place))
                    .map(String::as_str)
                    .collect();
                if let Some(missing) = domain.iter().find(|text| !cells.contains(&text.as_str())) {
                    let key = parameter.keys.get(place).cloned().unwrap_or_default();
                    let message = format!("the parameter `{}` has no row with `{key}` = {missing}", parameter.name);
                    let suggestion =
                        did_you_mean(missing, cells).or_else(|| Some("add the row to its file".to_owned()));
                    return self.fail(*expression, &message, suggestion);
                }
            }
            nodes.push(node);
        }
        let domain = (parameter.kind == Type::Text)
            .then(|| std::sync::Arc::new(parameter.rows.iter().map(|row| row.value.clone()).collect()));
        let kind = Kind {
            of: Some(parameter.kind),
            domain,
        };
        Some(self.node(What::Parameter(index, nodes), kind))
    }

    /// `LEAST` and `GREATEST`, NULL as soon as one argument is.
    fn extreme(&mut self, whole: &Expr, name: &str, expressions: &[&Expr]) -> Option<Node> {
        self.count(whole, name, expressions.len(), 2)?;
        let [first, second] = expressions else { return None };
        let (first_wins, second_wins) = match name {
            "least" => (Operator::LessOrEqual, Operator::Greater),
            _ => (Operator::GreaterOrEqual, Operator::Less),
        };
        let mut branches = Vec::new();
        for (operator, result) in [(first_wins, first), (second_wins, second)] {
            let condition = self.comparison(operator, first, second)?;
            branches.push((condition, self.bind(result)?));
        }
        self.assemble(whole, branches, None)
    }

    fn aggregate(
        &mut self,
        whole: &Expr,
        function: Aggregate,
        arguments: &[Argument<'_>],
        filter: Option<&Expr>,
    ) -> Option<Node> {
        if self.scope != Entity::Household {
            let message = format!(
                "an aggregate goes over the persons of a household, this is a {} step",
                self.scope
            );
            return self.fail(whole, &message, Some("make it a household step".to_owned()));
        }
        if self.aggregate {
            let suggestion = "make the inner one a household step of its own".to_owned();
            return self.fail(whole, "an aggregate can't stand inside an aggregate", Some(suggestion));
        }
        self.count(whole, "an aggregate", arguments.len(), 1)?;
        self.aggregate = true;
        let argument = match arguments.first() {
            Some(Argument::Expression(expression)) => match function {
                Aggregate::Sum => self.numeric(expression).map(Some),
                Aggregate::BoolAnd | Aggregate::BoolOr => self.boolean(expression).map(Some),
                Aggregate::Count | Aggregate::Min | Aggregate::Max => self.bind(expression).map(Some),
            },
            _ => Some(None),
        };
        let filter = match filter {
            Some(filter) => self.boolean(filter).map(Some),
            None => Some(None),
        };
        self.aggregate = false;
        let (argument, filter) = (argument?, filter?);
        let kind = match (&argument, function) {
            (_, Aggregate::Count) => Kind::plain(Type::Integer),
            (None, _) => return self.fail(whole, "only COUNT takes `*`", None),
            (Some(_), Aggregate::BoolAnd | Aggregate::BoolOr) => Kind::plain(Type::Boolean),
            (Some(node), _) => match node.kind.of {
                Some(of @ (Type::Integer | Type::Decimal | Type::Date)) => Kind::plain(of),
                _ => {
                    let suggestion = "count them, as `COUNT(*) FILTER (WHERE person.x = 'a')`".to_owned();
                    let message = "only numbers and dates have a smallest and a largest";
                    return self.fail(whole, message, Some(suggestion));
                }
            },
        };
        let what = What::Aggregate {
            function,
            argument: argument.map(Box::new),
            filter: filter.map(Box::new),
        };
        Some(self.node(what, kind))
    }
}

/// The arguments, when they are plain.
fn arguments(call: &Call) -> Option<Vec<Argument<'_>>> {
    let plain = call.over.is_none()
        && call.within_group.is_empty()
        && call.null_treatment.is_none()
        && matches!(call.parameters, FunctionArguments::None);
    match &call.args {
        FunctionArguments::List(list) if plain && list.duplicate_treatment.is_none() && list.clauses.is_empty() => list
            .args
            .iter()
            .map(|argument| match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expression)) => Some(Argument::Expression(expression)),
                FunctionArg::Unnamed(FunctionArgExpr::Wildcard) => Some(Argument::Star),
                _ => None,
            })
            .collect(),
        _ => None,
    }
}
