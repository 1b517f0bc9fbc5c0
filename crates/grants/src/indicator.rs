//! Indicators computed as the plan prints them, each reading named; no float: values are fractions of whole numbers.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use civic::Text;
use serde::Serialize;

use crate::programme::{Formula, Indicator, Reading};

/// Largest number an indicator is computed from.
const MOST: i64 = 1_000_000_000_000;

/// A fraction; the lower number is above zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Fraction {
    over: i128,
    under: i128,
}

/// One reading of an indicator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Computed {
    /// The reading.
    pub reading: String,
    /// What it is, in words.
    pub title: Text,
    /// Whether the programme prints this formula.
    pub printed: bool,
    /// Whether the value is shown in per cent.
    pub percent: bool,
    /// The value; `None` where nothing stands below the line, for example before the first answer.
    pub value: Option<Fraction>,
    /// Whether the year's target, or the reading's own bound, is met; `None` without value or target.
    pub met: Option<bool>,
}

/// Numbers an indicator can't be computed from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// One is missing.
    #[error("the number `{0}` is missing; give it, 0 where there is none")]
    Missing(String),
    /// One is below zero or beyond anything countable.
    #[error("the number `{0}` can't be; it is 0 to {MOST}")]
    OutOfBounds(String),
}

impl Fraction {
    /// A fraction; `None` where nothing stands below the line.
    fn new(over: i128, under: i128) -> Option<Fraction> {
        (under > 0).then_some(Fraction { over, under })
    }

    /// Hundredths, a half rounded away from zero: of 2/3 67, in per cent 6667.
    #[must_use]
    pub fn hundredths(self, percent: bool) -> i128 {
        let scale = if percent { 10_000 } else { 100 };
        let doubled = self.over * scale * 2;
        let sign = if doubled < 0 { -1 } else { 1 };
        sign * ((doubled.abs() + self.under) / (2 * self.under))
    }

    /// Compares with hundredths, exactly and not as rounded.
    fn compare(self, hundredths: i64, percent: bool) -> Ordering {
        let scale = if percent { 10_000 } else { 100 };
        (self.over * scale).cmp(&(i128::from(hundredths) * self.under))
    }
}

/// All readings of an indicator for a year, in the order of the file: where the printed formula and its evident intent
/// differ, both are there under their names.
///
/// # Errors
/// [`InputError`] for a number that is missing or out of bounds.
pub fn compute(indicator: &Indicator, numbers: &BTreeMap<String, i64>, year: i16) -> Result<Vec<Computed>, InputError> {
    let number = |id: &str| match numbers.get(id) {
        None => Err(InputError::Missing(id.to_owned())),
        Some(number) if !(0..=MOST).contains(number) => Err(InputError::OutOfBounds(id.to_owned())),
        Some(number) => Ok(i128::from(*number)),
    };
    let target = indicator.targets.iter().find(|target| target.year == year);
    let mut computed = Vec::with_capacity(indicator.readings.len());
    for reading in &indicator.readings {
        let value = evaluate(reading, number)?;
        let (bound, at_most) = match reading.at_least_hundredths {
            Some(bound) => (Some(bound), false),
            None => (target.map(|target| target.hundredths), indicator.at_most),
        };
        let met = value
            .zip(bound)
            .map(|(value, bound)| match value.compare(bound, reading.percent) {
                Ordering::Equal => true,
                Ordering::Greater => !at_most,
                Ordering::Less => at_most,
            });
        computed.push(Computed {
            reading: reading.id.clone(),
            title: reading.title.clone(),
            printed: reading.printed,
            percent: reading.percent,
            value,
            met,
        });
    }
    Ok(computed)
}

fn evaluate(
    reading: &Reading,
    number: impl Fn(&str) -> Result<i128, InputError>,
) -> Result<Option<Fraction>, InputError> {
    let sum = |ids: &[String]| ids.iter().map(|id| number(id)).sum::<Result<i128, InputError>>();
    Ok(match &reading.formula {
        Formula::Share { part, whole } => Fraction::new(sum(part)?, sum(whole)?),
        Formula::Ratio { over, under } => Fraction::new(number(over)?, number(under)?),
        Formula::Rise { from, to } => Fraction::new(number(to)? - number(from)?, number(from)?),
        Formula::Count { of } => Fraction::new(number(of)?, 1),
        Formula::WeightedMean { weights } => {
            let (mut over, mut under) = (0, 0);
            for (id, weight) in weights {
                let count = number(id)?;
                over += count * i128::from(*weight);
                under += count;
            }
            Fraction::new(over, under)
        }
    })
}
