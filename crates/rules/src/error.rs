//! Why a decision can't be made.

use crate::parameters::Parameter;
use crate::place::failed;
use crate::rules::Rules;
use civic::Mistake;
use datafusion_common::DataFusionError;
use jiff::civil::Date;
use thiserror::Error;

/// Why a decision or a sweep can't be made. No message contains a person's values.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RuleError {
    /// A parameter has no row that had begun on the reference date.
    #[error("{mistake}")]
    NotInForce {
        /// The parameter.
        parameter: String,
        /// The reference date.
        on: Date,
        /// The header of its table, and what to add to it.
        mistake: Box<Mistake>,
    },
    /// A step can't be calculated: an overflow, a division by zero, a parameter without a row for its key.
    #[error("{mistake}")]
    Step {
        /// The step.
        step: String,
        /// The part of its expression, or the cell of its table, that has no result, and what to do.
        mistake: Box<Mistake>,
    },
    /// An input is not what the rules ask for.
    #[error("the input `{input}` {reason}")]
    Input {
        /// The input, such as `person.p1.birth_date`.
        input: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The case has no applicant, more than one, or two persons of one id.
    #[error("the case {0}")]
    Persons(String),
    /// The tables of a sweep don't fit together or can't be read.
    #[error("the population can't be read: {0}")]
    Population(String),
    /// An error of one of the services that are swept together.
    #[error("the service `{service}`: {error}")]
    Service {
        /// Its name.
        service: String,
        /// What is wrong.
        error: Box<RuleError>,
    },
}

impl RuleError {
    /// Where the rules have to be mended, when they are what is at fault and not the facts.
    #[must_use]
    pub fn mistake(&self) -> Option<&Mistake> {
        match self {
            RuleError::NotInForce { mistake, .. } | RuleError::Step { mistake, .. } => Some(mistake),
            RuleError::Service { error, .. } => error.mistake(),
            RuleError::Input { .. } | RuleError::Persons(_) | RuleError::Population(_) => None,
        }
    }

    /// The error of a parameter without any row in force.
    pub(crate) fn not_in_force(parameter: &Parameter, on: Date) -> RuleError {
        RuleError::NotInForce {
            parameter: parameter.name.clone(),
            on,
            mistake: Box::new(parameter.not_in_force(on)),
        }
    }

    /// An error of evaluation, told without the values. `node` is the expression that was evaluated.
    pub(crate) fn step(rules: &Rules, step: &str, node: usize, error: &DataFusionError) -> RuleError {
        let (part, text) = failed(error);
        let lower = text.to_lowercase();
        let (reason, suggestion) = if lower.contains("divide by zero") {
            ("it divides by zero".to_owned(), Some(BY_ZERO.to_owned()))
        } else if lower.contains("overflow")
            || lower.contains("out of range")
            || lower.contains("too large")
            || lower.contains("too small")
            || lower.contains("can't cast")
        {
            ("a number is too large".to_owned(), Some(TOO_LARGE.to_owned()))
        } else if let Some(at) = text.find("the parameter `") {
            let reason = text.get(at..).unwrap_or_default().to_owned();
            let name = reason.split('`').nth(1).unwrap_or_default();
            let parameter = rules.parameters.iter().find(|parameter| parameter.name == name);
            let suggestion = parameter.map(Parameter::add_a_row);
            (reason, suggestion)
        } else {
            ("its expression can't be evaluated".to_owned(), None)
        };
        // a part without a place of its own is told at the whole
        let node = part.filter(|part| rules.places.contains_key(part)).unwrap_or(node);
        RuleError::placed(rules, step, node, &reason, suggestion)
    }

    /// The error of a step, at one of its expressions.
    pub(crate) fn placed(
        rules: &Rules,
        step: &str,
        node: usize,
        reason: &str,
        suggestion: Option<String>,
    ) -> RuleError {
        let message = format!("the step `{step}` can't be calculated: {reason}");
        let place = rules.places.get(&node);
        let mistake = match place {
            Some(place) => place.mistake(message, suggestion),
            None => Mistake {
                file: "rules.toml".to_owned(),
                line: 0,
                column: 0,
                message,
                suggestion,
            },
        };
        RuleError::Step {
            step: step.to_owned(),
            mistake: Box::new(mistake),
        }
    }
}

/// What to do about a divisor that is zero.
const BY_ZERO: &str = "say what holds then: `CASE WHEN x = 0 THEN … ELSE … END` with the divisor as `x`";
/// What to do about a number out of range.
const TOO_LARGE: &str =
    "bound the inputs it reads, as `LEAST(x, …)`, or calculate in a unit that gives smaller numbers";
