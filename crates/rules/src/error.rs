//! Why a decision can't be made.

use datafusion_common::DataFusionError;
use jiff::civil::Date;
use thiserror::Error;

/// Why a decision or a sweep can't be made. No message contains a person's values.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RuleError {
    /// A parameter has no row that had begun on the reference date.
    #[error("the parameter `{parameter}` has no value in force on {on}; add a row with an earlier `from`")]
    NotInForce {
        /// The parameter.
        parameter: String,
        /// The reference date.
        on: Date,
    },
    /// A step can't be calculated: an overflow, a division by zero, a parameter without a row for its key.
    #[error("the step `{step}` can't be calculated: {reason}")]
    Step {
        /// The step.
        step: String,
        /// Why.
        reason: String,
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
    /// An error of evaluation, told without the values.
    pub(crate) fn step(step: &str, error: &DataFusionError) -> RuleError {
        let text = error.find_root().to_string();
        let lower = text.to_lowercase();
        let reason = if lower.contains("divide by zero") {
            "it divides by zero".to_owned()
        } else if lower.contains("overflow")
            || lower.contains("out of range")
            || lower.contains("too large")
            || lower.contains("too small")
            || lower.contains("can't cast")
        {
            "a number is too large".to_owned()
        } else if let Some(at) = text.find("the parameter `") {
            text.get(at..).unwrap_or_default().to_owned()
        } else {
            "its expression can't be evaluated".to_owned()
        };
        RuleError::Step {
            step: step.to_owned(),
            reason,
        }
    }
}
