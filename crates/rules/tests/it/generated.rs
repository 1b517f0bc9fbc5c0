//! Expressions nobody would think of, against a second meaning of the language: one value at a time, written as the standard
//! says it (ISO/IEC 9075-2 §6.34 for AND, OR and NOT, §6.12 for CASE), with parts that decide nothing left out.

use proptest::prelude::*;
use serde_json::json;

use crate::kit::{Folder, ON, both_ways, case, rules, step};

#[derive(Clone, Debug)]
enum Truth {
    B,
    C,
    Constant(Option<bool>),
    Not(Box<Truth>),
    And(Box<Truth>, Box<Truth>),
    Or(Box<Truth>, Box<Truth>),
    Compare(usize, Box<Number>, Box<Number>),
    In(Box<Number>, Vec<Number>, bool),
    Between(Box<Number>, Box<Number>, Box<Number>, bool),
    Is(Box<Truth>, usize),
    Known(Box<Number>),
    Case(Vec<(Truth, Truth)>, Option<Box<Truth>>),
}

#[derive(Clone, Debug)]
enum Number {
    I,
    J,
    Constant(i64),
    Negative(Box<Number>),
    Calculate(usize, Box<Number>, Box<Number>),
    Least(Box<Number>, Box<Number>),
    Greatest(Box<Number>, Box<Number>),
    Case(Vec<(Truth, Number)>, Option<Box<Number>>),
}

const COMPARE: [&str; 6] = ["=", "<>", "<", "<=", ">", ">="];
const CALCULATE: [&str; 5] = ["+", "-", "*", "/", "%"];
const IS: [&str; 6] = ["NULL", "NOT NULL", "TRUE", "NOT TRUE", "FALSE", "NOT FALSE"];

impl Truth {
    fn sql(&self) -> String {
        let not = |negated: &bool| if *negated { "NOT " } else { "" };
        match self {
            Truth::B => "b".to_owned(),
            Truth::C => "c".to_owned(),
            Truth::Constant(None) => "NULL".to_owned(),
            Truth::Constant(Some(value)) => value.to_string(),
            Truth::Not(inner) => format!("(NOT {})", inner.sql()),
            Truth::And(left, right) => format!("({} AND {})", left.sql(), right.sql()),
            Truth::Or(left, right) => format!("({} OR {})", left.sql(), right.sql()),
            Truth::Compare(operator, left, right) => format!("({} {} {})", left.sql(), COMPARE[*operator], right.sql()),
            Truth::In(number, list, negated) => {
                let list: Vec<String> = list.iter().map(Number::sql).collect();
                format!("({} {}IN ({}))", number.sql(), not(negated), list.join(", "))
            }
            Truth::Between(number, low, high, negated) => format!(
                "({} {}BETWEEN {} AND {})",
                number.sql(),
                not(negated),
                low.sql(),
                high.sql()
            ),
            Truth::Is(inner, what) => format!("({} IS {})", inner.sql(), IS[*what]),
            Truth::Known(number) => format!("({} IS NOT NULL)", number.sql()),
            Truth::Case(arms, otherwise) => {
                let arms = arms.iter().map(|(when, then)| (when.sql(), then.sql()));
                choice(arms, otherwise.as_ref().map(|otherwise| otherwise.sql()))
            }
        }
    }
}

impl Number {
    fn sql(&self) -> String {
        match self {
            Number::I => "i".to_owned(),
            Number::J => "j".to_owned(),
            Number::Constant(value) => format!("({value})"),
            Number::Negative(inner) => format!("(- {})", inner.sql()),
            Number::Calculate(operator, left, right) => {
                format!("({} {} {})", left.sql(), CALCULATE[*operator], right.sql())
            }
            Number::Least(left, right) => format!("least({}, {})", left.sql(), right.sql()),
            Number::Greatest(left, right) => format!("greatest({}, {})", left.sql(), right.sql()),
            Number::Case(arms, otherwise) => {
                let arms = arms.iter().map(|(when, then)| (when.sql(), then.sql()));
                choice(arms, otherwise.as_ref().map(|otherwise| otherwise.sql()))
            }
        }
    }
}

fn choice(arms: impl Iterator<Item = (String, String)>, otherwise: Option<String>) -> String {
    let arms: Vec<String> = arms.map(|(when, then)| format!("WHEN {when} THEN {then}")).collect();
    let otherwise = otherwise.map(|otherwise| format!(" ELSE {otherwise}"));
    format!("CASE {}{} END", arms.join(" "), otherwise.unwrap_or_default())
}

/// It divides by zero.
#[derive(Debug, PartialEq)]
struct ByZero;

type Answer<T> = Result<Option<T>, ByZero>;

struct Facts {
    b: Option<bool>,
    c: Option<bool>,
    i: Option<i64>,
    j: Option<i64>,
}

impl Facts {
    fn truth(&self, truth: &Truth) -> Answer<bool> {
        Ok(match truth {
            Truth::B => self.b,
            Truth::C => self.c,
            Truth::Constant(value) => *value,
            Truth::Not(inner) => self.truth(inner)?.map(|value| !value),
            Truth::And(left, right) => self.unless(false, left, right)?,
            Truth::Or(left, right) => self.unless(true, left, right)?,
            Truth::Compare(operator, left, right) => compare(*operator, self.number(left)?, self.number(right)?),
            Truth::In(number, list, negated) => {
                let number = self.number(number)?;
                let mut found = Some(false);
                for item in list {
                    if found == Some(true) {
                        break;
                    }
                    found = either(true, found, compare(0, number, self.number(item)?));
                }
                found.map(|found| found != *negated)
            }
            Truth::Between(number, low, high, negated) => {
                let number = self.number(number)?;
                let mut found = compare(5, number, self.number(low)?);
                if found != Some(false) {
                    found = either(false, found, compare(3, number, self.number(high)?));
                }
                found.map(|found| found != *negated)
            }
            Truth::Is(inner, what) => {
                let value = self.truth(inner)?;
                let wanted = [None, None, Some(true), Some(true), Some(false), Some(false)][*what];
                Some((value == wanted) == (what % 2 == 0))
            }
            Truth::Known(number) => Some(self.number(number)?.is_some()),
            Truth::Case(arms, otherwise) => {
                for (when, then) in arms {
                    if self.truth(when)? == Some(true) {
                        return self.truth(then);
                    }
                }
                match otherwise {
                    Some(otherwise) => self.truth(otherwise)?,
                    None => None,
                }
            }
        })
    }

    /// AND when `decides` is false, OR when it is true.
    fn unless(&self, decides: bool, left: &Truth, right: &Truth) -> Answer<bool> {
        match self.truth(left)? {
            Some(left) if left == decides => Ok(Some(left)),
            left => Ok(either(decides, left, self.truth(right)?)),
        }
    }

    fn number(&self, number: &Number) -> Answer<i64> {
        Ok(match number {
            Number::I => self.i,
            Number::J => self.j,
            Number::Constant(value) => Some(*value),
            Number::Negative(inner) => self.number(inner)?.map(|value| -value),
            Number::Calculate(operator, left, right) => match (self.number(left)?, self.number(right)?) {
                (Some(_), Some(0)) if *operator > 2 => return Err(ByZero),
                (Some(left), Some(right)) => Some(match operator {
                    0 => left + right,
                    1 => left - right,
                    2 => left * right,
                    3 => left / right,
                    _ => left % right,
                }),
                _ => None,
            },
            Number::Least(left, right) => self.extreme(left, right, i64::min)?,
            Number::Greatest(left, right) => self.extreme(left, right, i64::max)?,
            Number::Case(arms, otherwise) => {
                for (when, then) in arms {
                    if self.truth(when)? == Some(true) {
                        return self.number(then);
                    }
                }
                match otherwise {
                    Some(otherwise) => self.number(otherwise)?,
                    None => None,
                }
            }
        })
    }

    fn extreme(&self, left: &Number, right: &Number, pick: fn(i64, i64) -> i64) -> Answer<i64> {
        let (left, right) = (self.number(left)?, self.number(right)?);
        Ok(left.zip(right).map(|(left, right)| pick(left, right)))
    }
}

fn either(decides: bool, left: Option<bool>, right: Option<bool>) -> Option<bool> {
    match (left, right) {
        (Some(one), _) | (_, Some(one)) if one == decides => Some(decides),
        (Some(_), Some(_)) => Some(!decides),
        _ => None,
    }
}

fn compare(operator: usize, left: Option<i64>, right: Option<i64>) -> Option<bool> {
    let (left, right) = left.zip(right)?;
    Some(match operator {
        0 => left == right,
        1 => left != right,
        2 => left < right,
        3 => left <= right,
        4 => left > right,
        _ => left >= right,
    })
}

fn number(depth: u32) -> BoxedStrategy<Number> {
    let leaf = prop_oneof![Just(Number::I), Just(Number::J), (-3..4_i64).prop_map(Number::Constant)];
    if depth == 0 {
        return leaf.boxed();
    }
    let below = || number(depth - 1);
    let boxed = move || below().prop_map(Box::new);
    prop_oneof![
        3 => leaf,
        1 => boxed().prop_map(Number::Negative),
        4 => (0..5_usize, boxed(), boxed()).prop_map(|(operator, left, right)| Number::Calculate(operator, left, right)),
        1 => (boxed(), boxed()).prop_map(|(left, right)| Number::Least(left, right)),
        1 => (boxed(), boxed()).prop_map(|(left, right)| Number::Greatest(left, right)),
        2 => (
            prop::collection::vec((truth(depth - 1), number(depth - 1)), 1..3),
            prop::option::of(boxed())
        )
            .prop_map(|(arms, otherwise)| Number::Case(arms, otherwise)),
    ]
    .boxed()
}

fn truth(depth: u32) -> BoxedStrategy<Truth> {
    let leaf = prop_oneof![
        3 => Just(Truth::B),
        3 => Just(Truth::C),
        1 => any::<Option<bool>>().prop_map(Truth::Constant)
    ];
    if depth == 0 {
        return leaf.boxed();
    }
    let below = move || truth(depth - 1).prop_map(Box::new);
    let amount = move || number(depth - 1).prop_map(Box::new);
    prop_oneof![
        2 => leaf,
        1 => below().prop_map(Truth::Not),
        3 => (below(), below()).prop_map(|(left, right)| Truth::And(left, right)),
        3 => (below(), below()).prop_map(|(left, right)| Truth::Or(left, right)),
        3 => (0..6_usize, amount(), amount()).prop_map(|(operator, left, right)| Truth::Compare(operator, left, right)),
        1 => (amount(), prop::collection::vec(number(depth - 1), 1..4), any::<bool>())
            .prop_map(|(number, list, negated)| Truth::In(number, list, negated)),
        1 => (amount(), amount(), amount(), any::<bool>())
            .prop_map(|(number, low, high, negated)| Truth::Between(number, low, high, negated)),
        1 => (below(), 0..6_usize).prop_map(|(inner, what)| Truth::Is(inner, what)),
        1 => amount().prop_map(Truth::Known),
        1 => (prop::collection::vec((truth(depth - 1), truth(depth - 1)), 1..3), prop::option::of(below()))
            .prop_map(|(arms, otherwise)| Truth::Case(arms, otherwise)),
    ]
    .boxed()
}

type Four = (Option<bool>, Option<bool>, Option<i64>, Option<i64>);

fn facts() -> impl Strategy<Value = Vec<Four>> {
    let maybe = || prop::option::weighted(0.8, -3..4_i64);
    let one = (any::<Option<bool>>(), any::<Option<bool>>(), maybe(), maybe());
    prop::collection::vec(one, 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_expression_means_what_the_standard_says(truth in truth(3), number in number(3), facts in facts()) {
        let steps = [
            step("value", "person", &truth.sql()),
            step("sum", "person", &number.sql()),
            step("outcome", "case", "applicant.value"),
            step("amount", "case", "applicant.sum"),
        ];
        let folder = Folder::new(&rules("outcome = \"outcome\"\namounts = [\"amount\"]", &steps.join("\n")));
        let set = match folder.load() {
            Ok(set) => set,
            Err(mistakes) => {
                // only a divisor that is written as zero is refused
                for mistake in mistakes {
                    prop_assert_eq!(mistake.message, "it always divides by zero");
                }
                return Ok(());
            }
        };
        let given = |(b, c, i, j): &Four| case(&[json!({ "b": b, "c": c, "i": i, "j": j })], json!({}), json!({}));
        let mut wanted = Vec::new();
        for four in &facts {
            let (b, c, i, j) = *four;
            let facts = Facts { b, c, i, j };
            wanted.push((facts.truth(&truth), facts.number(&number)));
        }
        // the households that have a value are swept together; of the others each says why not
        let good: Vec<_> = facts.iter().zip(&wanted).filter(|(_, (truth, number))| truth.is_ok() && number.is_ok()).collect();
        let cases: Vec<_> = good.iter().map(|(four, _)| given(four)).collect();
        if !cases.is_empty() {
            let (decisions, otherwise) = both_ways(&set, &cases, ON);
            prop_assert_eq!(otherwise, None);
            for ((_, wanted), decision) in good.iter().zip(decisions.unwrap()) {
                let found = (Ok(decision.outcome), Ok(decision.amounts["amount"]));
                prop_assert_eq!(&found, *wanted);
            }
        }
        for (four, (truth, _)) in facts.iter().zip(&wanted).filter(|(_, (truth, number))| truth.is_err() || number.is_err()) {
            let (answer, otherwise) = both_ways(&set, &[given(four)], ON);
            prop_assert_eq!(otherwise, None);
            let step = if truth.is_err() { "value" } else { "sum" };
            let told = answer.err().unwrap_or_default();
            prop_assert!(told.contains(&format!("the step `{step}` can't be calculated: it divides by zero; ")), "{told}");
            // the place is that of a part, never of no line
            prop_assert!(told.starts_with("rules.toml:") && !told.starts_with("rules.toml: "), "{told}");
        }
    }
}
