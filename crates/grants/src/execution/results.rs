//! What became of a plan's indicators (績效指標達成情形) in a year: targets beside what was reported.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::MOST_TEXT;
use crate::indicator::{Computed, InputError, compute};
use crate::plan::Plan;
use crate::programme::{Live, Programme};

/// What is reported of an indicator.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reported {
    /// Numbers the programme's formula is computed from; none for an indicator with a formula of the plan's own.
    #[serde(default)]
    pub numbers: BTreeMap<String, i64>,
    /// Whether the numbers were counted by the platform.
    #[serde(default)]
    pub live: bool,
    /// The value in words, or a remark beside the numbers.
    #[serde(default)]
    pub text: String,
}

/// An indicator with its target and what was reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// Short name within the plan.
    pub id: String,
    /// What is measured.
    pub title: String,
    /// The target as the plan prints it.
    pub target: String,
    /// Every reading of the programme's formula, the printed one and its evident intent, each under its name.
    pub readings: Vec<Computed>,
    /// What was said in words.
    pub text: String,
    /// Whether the numbers were counted by the platform.
    pub live: bool,
    /// Whether anything was reported.
    pub reported: bool,
}

/// Values that can't be reported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResultError {
    /// A number that is missing or can't be.
    #[error("indicator `{indicator}`: {error}")]
    Number {
        /// The indicator of the plan.
        indicator: String,
        /// What is wrong.
        error: InputError,
    },
    /// Nothing is said of an indicator.
    #[error("say what was reached of indicator `{0}`")]
    Missing(String),
    /// A text that is too long.
    #[error("a text has {MOST_TEXT} characters at most; shorten that of indicator `{0}`")]
    TooLong(String),
}

/// The indicators of a plan in a year, in their order.
///
/// # Errors
/// [`ResultError::Number`] for numbers the formula can't be computed from.
pub fn results(
    plan: &Plan,
    programme: &Programme,
    year: i16,
    reported: &BTreeMap<String, Reported>,
) -> Result<Vec<Shown>, ResultError> {
    let shown = plan.indicators.iter().map(|indicator| {
        let said = reported.get(&indicator.id);
        let printed = indicator.printed.as_deref().and_then(|id| programme.indicator(id));
        let readings = match (said, printed) {
            (Some(said), Some(printed)) => {
                compute(printed, &said.numbers, year).map_err(|error| ResultError::Number {
                    indicator: indicator.id.clone(),
                    error,
                })?
            }
            _ => Vec::new(),
        };
        let target = indicator.targets.iter().find(|target| target.year == year);
        Ok(Shown {
            id: indicator.id.clone(),
            title: indicator.title.clone(),
            target: target.map_or_else(String::new, |target| target.text.clone()),
            readings,
            text: said.map_or_else(String::new, |said| said.text.clone()),
            live: said.is_some_and(|said| said.live),
            reported: said.is_some(),
        })
    });
    shown.collect()
}

/// Whether the values of a year may be sent: each indicator has its numbers, or a value in words.
///
/// # Errors
/// The first [`ResultError`].
pub fn check(
    plan: &Plan,
    programme: &Programme,
    year: i16,
    reported: &BTreeMap<String, Reported>,
) -> Result<(), ResultError> {
    for indicator in &plan.indicators {
        let said = reported
            .get(&indicator.id)
            .ok_or_else(|| ResultError::Missing(indicator.id.clone()))?;
        if said.text.chars().count() > MOST_TEXT {
            return Err(ResultError::TooLong(indicator.id.clone()));
        }
        let printed = indicator.printed.as_deref().and_then(|id| programme.indicator(id));
        if printed.is_none() && said.text.trim().is_empty() {
            return Err(ResultError::Missing(indicator.id.clone()));
        }
    }
    results(plan, programme, year, reported).map(|_| ())
}

/// The numbers of an indicator as the platform counts them; nothing for one that is not bound to a live measure.
#[must_use]
pub fn counted(
    programme: &Programme,
    printed: Option<&str>,
    counts: &BTreeMap<Live, i64>,
) -> Option<BTreeMap<String, i64>> {
    let indicator = programme.indicator(printed?)?;
    if indicator.live.is_empty() {
        return None;
    }
    let numbers = indicator.live.iter().map(|(input, live)| {
        let sum = live.iter().map(|one| counts.get(one).copied().unwrap_or(0)).sum();
        (input.clone(), sum)
    });
    Some(numbers.collect())
}
