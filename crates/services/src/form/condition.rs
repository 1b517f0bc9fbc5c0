//! `when` of a page or field: a small part of the rules' SQL, with the same three-valued logic.
//!
//! `relation = 'spouse' AND NOT lives_together`, `age IN (1, 2)`, `phone IS NULL`. A name that has no answer is NULL; a
//! page or field is shown only where its condition is true.

use serde_json::Value;

/// A parsed condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    expression: Expression,
}

/// What is wrong with a condition, and where in its text (in bytes).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConditionError {
    /// What and what to do.
    pub message: String,
    /// Byte offset in the condition.
    pub offset: usize,
}

#[derive(Debug, Clone, PartialEq)]
enum Expression {
    Name(String),
    Literal(Value),
    Not(Box<Expression>),
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
    Compare(Box<Expression>, Comparison, Box<Expression>),
    In(Box<Expression>, Vec<Value>, bool),
    IsNull(Box<Expression>, bool),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Condition {
    /// Parses a condition.
    pub fn parse(text: &str) -> Result<Self, ConditionError> {
        let mut parser = Parser {
            tokens: tokens(text)?,
            next: 0,
            end: text.len(),
            depth: 0,
        };
        let expression = parser.or()?;
        match parser.peek() {
            None => Ok(Self { expression }),
            Some(_) => Err(parser.error("the condition should end here; join two conditions with AND or OR")),
        }
    }

    /// Whether the condition is true; None when it is not known yet.
    pub fn holds(&self, lookup: &dyn Fn(&str) -> Option<Value>) -> Option<bool> {
        truth(&self.expression, lookup)
    }

    /// The names it reads.
    pub fn names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        collect(&self.expression, &mut names);
        names
    }
}

fn collect<'a>(expression: &'a Expression, names: &mut Vec<&'a str>) {
    match expression {
        Expression::Name(name) => names.push(name),
        Expression::Literal(_) => {}
        Expression::Not(inner) | Expression::In(inner, ..) | Expression::IsNull(inner, _) => collect(inner, names),
        Expression::And(a, b) | Expression::Or(a, b) | Expression::Compare(a, _, b) => {
            collect(a, names);
            collect(b, names);
        }
    }
}

type Lookup<'a> = dyn Fn(&str) -> Option<Value> + 'a;

fn value(expression: &Expression, lookup: &Lookup<'_>) -> Option<Value> {
    match expression {
        Expression::Name(name) => lookup(name).filter(|value| !value.is_null()),
        Expression::Literal(value) => (!value.is_null()).then(|| value.clone()),
        other => truth(other, lookup).map(Value::Bool),
    }
}

fn truth(expression: &Expression, lookup: &Lookup<'_>) -> Option<bool> {
    match expression {
        Expression::Name(_) | Expression::Literal(_) => value(expression, lookup)?.as_bool(),
        Expression::Not(inner) => truth(inner, lookup).map(|truth| !truth),
        Expression::And(a, b) => match (truth(a, lookup), truth(b, lookup)) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        },
        Expression::Or(a, b) => match (truth(a, lookup), truth(b, lookup)) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        },
        Expression::Compare(a, comparison, b) => {
            let ordering = order(&value(a, lookup)?, &value(b, lookup)?);
            match comparison {
                Comparison::Equal => Some(ordering == Some(std::cmp::Ordering::Equal)),
                Comparison::NotEqual => Some(ordering != Some(std::cmp::Ordering::Equal)),
                Comparison::Less => ordering.map(std::cmp::Ordering::is_lt),
                Comparison::LessOrEqual => ordering.map(std::cmp::Ordering::is_le),
                Comparison::Greater => ordering.map(std::cmp::Ordering::is_gt),
                Comparison::GreaterOrEqual => ordering.map(std::cmp::Ordering::is_ge),
            }
        }
        Expression::In(inner, values, negated) => {
            let found = value(inner, lookup)?;
            let within = values
                .iter()
                .any(|one| order(&found, one) == Some(std::cmp::Ordering::Equal));
            Some(within != *negated)
        }
        Expression::IsNull(inner, negated) => Some(value(inner, lookup).is_none() != *negated),
    }
}

/// Order of two values of one kind; dates are ISO text and compare as text.
fn order(a: &Value, b: &Value) -> Option<std::cmp::Ordering> {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
            (Some(a), Some(b)) => Some(a.cmp(&b)),
            _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
        },
        _ => None,
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Number(i64),
    Sign(&'static str),
}

/// Signs, longest first.
const SIGNS: [&str; 10] = ["<>", "!=", "<=", ">=", "=", "<", ">", "(", ")", ","];

fn tokens(text: &str) -> Result<Vec<(Token, usize)>, ConditionError> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let offset = text.len() - rest.len();
        let after = rest.get(first.len_utf8()..).unwrap_or("");
        if first.is_whitespace() {
            rest = after;
        } else if first == '\'' {
            let Some(end) = after.find('\'') else {
                return Err(ConditionError {
                    message: "a text has no closing quote; write it as 'text'".into(),
                    offset,
                });
            };
            found.push((Token::Text(after.get(..end).unwrap_or("").to_owned()), offset));
            rest = after.get(end + 1..).unwrap_or("");
        } else if first.is_ascii_digit() || (first == '-' && after.starts_with(|c: char| c.is_ascii_digit())) {
            let length = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len()) + 1;
            let digits = rest.get(..length).unwrap_or("");
            let number = digits.parse().map_err(|_| ConditionError {
                message: format!("`{digits}` is too large a number"),
                offset,
            })?;
            found.push((Token::Number(number), offset));
            rest = rest.get(length..).unwrap_or("");
        } else if first.is_ascii_alphabetic() || first == '_' {
            let length = rest
                .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.'))
                .unwrap_or(rest.len());
            found.push((Token::Word(rest.get(..length).unwrap_or("").to_owned()), offset));
            rest = rest.get(length..).unwrap_or("");
        } else if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
            found.push((Token::Sign(sign), offset));
            rest = rest.get(sign.len()..).unwrap_or("");
        } else {
            let message = format!("`{first}` is not understood in a condition; texts stand in single quotes");
            return Err(ConditionError { message, offset });
        }
    }
    Ok(found)
}

/// How deep parentheses and NOT may nest.
const MAX_DEPTH: usize = 32;

struct Parser {
    tokens: Vec<(Token, usize)>,
    next: usize,
    end: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(token, _)| token)
    }

    fn error(&self, message: &str) -> ConditionError {
        let offset = self.tokens.get(self.next).map_or(self.end, |(_, offset)| *offset);
        ConditionError {
            message: message.to_owned(),
            offset,
        }
    }

    fn sign(&mut self, sign: &str) -> bool {
        let here = matches!(self.peek(), Some(Token::Sign(found)) if *found == sign);
        self.next += usize::from(here);
        here
    }

    fn word(&mut self, word: &str) -> bool {
        let here = matches!(self.peek(), Some(Token::Word(found)) if found.eq_ignore_ascii_case(word));
        self.next += usize::from(here);
        here
    }

    fn or(&mut self) -> Result<Expression, ConditionError> {
        let mut left = self.and()?;
        while self.word("or") {
            left = Expression::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expression, ConditionError> {
        let mut left = self.not()?;
        while self.word("and") {
            left = Expression::And(Box::new(left), Box::new(self.not()?));
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Expression, ConditionError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error("the condition is nested too deeply"));
        }
        let found = if self.word("not") {
            Expression::Not(Box::new(self.not()?))
        } else {
            self.comparison()?
        };
        self.depth -= 1;
        Ok(found)
    }

    fn comparison(&mut self) -> Result<Expression, ConditionError> {
        let left = self.operand()?;
        if self.word("is") {
            let negated = self.word("not");
            if !self.word("null") {
                return Err(self.error("IS wants NULL or NOT NULL after it"));
            }
            return Ok(Expression::IsNull(Box::new(left), negated));
        }
        let negated = self.word("not");
        if self.word("in") {
            return Ok(Expression::In(Box::new(left), self.list()?, negated));
        }
        if negated {
            return Err(self.error("NOT wants IN after it here"));
        }
        let comparisons = [
            ("=", Comparison::Equal),
            ("<>", Comparison::NotEqual),
            ("!=", Comparison::NotEqual),
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ];
        for (sign, comparison) in comparisons {
            if self.sign(sign) {
                return Ok(Expression::Compare(
                    Box::new(left),
                    comparison,
                    Box::new(self.operand()?),
                ));
            }
        }
        Ok(left)
    }

    fn list(&mut self) -> Result<Vec<Value>, ConditionError> {
        if !self.sign("(") {
            return Err(self.error("IN wants a list such as ('a', 'b') after it"));
        }
        let mut values = Vec::new();
        loop {
            match self.operand()? {
                Expression::Literal(value) => values.push(value),
                _ => return Err(self.error("a list holds texts and numbers only")),
            }
            if self.sign(")") {
                return Ok(values);
            }
            if !self.sign(",") {
                return Err(self.error("a list wants `,` or `)` here"));
            }
        }
    }

    fn operand(&mut self) -> Result<Expression, ConditionError> {
        if self.sign("(") {
            let inner = self.or()?;
            return if self.sign(")") {
                Ok(inner)
            } else {
                Err(self.error("a `)` is missing here"))
            };
        }
        let Some(token) = self.peek().cloned() else {
            return Err(self.error("a name or value is missing here"));
        };
        let expression = match token {
            Token::Text(text) => Expression::Literal(Value::String(text)),
            Token::Number(number) => Expression::Literal(number.into()),
            Token::Word(word) if word.eq_ignore_ascii_case("true") => Expression::Literal(Value::Bool(true)),
            Token::Word(word) if word.eq_ignore_ascii_case("false") => Expression::Literal(Value::Bool(false)),
            Token::Word(word) if word.eq_ignore_ascii_case("null") => Expression::Literal(Value::Null),
            Token::Word(word) => Expression::Name(word),
            Token::Sign(_) => return Err(self.error("a name or value is missing here")),
        };
        self.next += 1;
        Ok(expression)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::{Value, json};

    use super::Condition;

    fn check(text: &str, expected: Option<bool>) {
        let answers = json!({ "relation": "spouse", "age": 70, "together": false, "born": "1950-01-01" });
        let lookup = |name: &str| answers.get(name).cloned();
        assert_eq!(Condition::parse(text).unwrap().holds(&lookup), expected, "{text}");
    }

    #[test]
    fn conditions_hold_with_three_values() {
        check("relation = 'spouse'", Some(true));
        check("relation <> 'spouse' OR age >= 65", Some(true));
        check("age < 65 AND unknown = 1", Some(false));
        check("age >= 65 AND unknown = 1", None);
        check("NOT together", Some(true));
        check("relation IN ('child', 'spouse')", Some(true));
        check("relation NOT IN ('child')", Some(true));
        check("unknown IS NULL AND age IS NOT NULL", Some(true));
        check("unknown = 1", None);
        check("(age = 70 OR age = 71) AND born < '1960-01-01'", Some(true));
        check("true", Some(true));
    }

    #[test]
    fn mistakes_name_their_place() {
        for (text, offset) in [
            ("age >", 5),
            ("age = 'x", 6),
            ("age ; 1", 4),
            ("age = 1 relation", 8),
            ("x IN (y)", 7),
            ("", 0),
        ] {
            let error = Condition::parse(text).unwrap_err();
            assert_eq!(error.offset, offset, "{text}: {error}");
        }
        assert!(Condition::parse(&"(".repeat(5000)).is_err());
        let _ = Value::Null;
    }
}
