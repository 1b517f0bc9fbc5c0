//! The arithmetic of the indicators (績效指標): pure functions of counts.

/// Answers to the survey, by grade.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Grades {
    /// 非常滿意.
    pub very_satisfied: i64,
    /// 滿意.
    pub satisfied: i64,
    /// 普通.
    pub neutral: i64,
    /// 不滿意.
    pub dissatisfied: i64,
    /// 非常不滿意.
    pub very_dissatisfied: i64,
}

impl Grades {
    /// From counts by grade, 5 very satisfied to 1 very dissatisfied; other grades can't be stored.
    #[must_use]
    pub fn of(counts: &[(i16, i64)]) -> Self {
        let n = |grade: i16| counts.iter().filter(|(g, _)| *g == grade).map(|(_, n)| n).sum();
        Self {
            very_satisfied: n(5),
            satisfied: n(4),
            neutral: n(3),
            dissatisfied: n(2),
            very_dissatisfied: n(1),
        }
    }

    /// Number of answers.
    #[must_use]
    pub const fn answers(&self) -> i64 {
        self.very_satisfied + self.satisfied + self.neutral + self.dissatisfied + self.very_dissatisfied
    }

    /// Satisfaction by the plan's formula: (5 × very satisfied + 4 × satisfied + 3 × neutral + 2 × dissatisfied +
    /// 1 × very dissatisfied) ÷ all answers, between 1 and 5; nothing without answers.
    #[must_use]
    pub fn satisfaction(&self) -> Option<f64> {
        let points = 5 * self.very_satisfied
            + 4 * self.satisfied
            + 3 * self.neutral
            + 2 * self.dissatisfied
            + self.very_dissatisfied;
        ratio(points, self.answers())
    }
}

/// Days from submission to decision.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Days {
    /// Decided applications.
    pub decided: i64,
    /// The middle one, or the mean of the two in the middle.
    pub median: Option<f64>,
    /// The mean.
    pub mean: Option<f64>,
}

impl Days {
    /// From counts by days, shortest first.
    #[must_use]
    pub fn of(counts: &[(i32, i64)]) -> Self {
        let decided: i64 = counts.iter().map(|(_, n)| n).sum();
        let sum: i64 = counts.iter().map(|(days, n)| i64::from(*days) * n).sum();
        // The place of a day in the sorted row of all decided applications, from 0.
        let at = |place: i64| {
            let mut seen = 0;
            counts.iter().find(|(_, n)| {
                seen += n;
                seen > place
            })
        };
        let median = match (at((decided - 1) / 2), at(decided / 2)) {
            (Some((low, _)), Some((high, _))) if decided > 0 => ratio(i64::from(*low) + i64::from(*high), 2),
            _ => None,
        };
        Self {
            decided,
            median,
            mean: ratio(sum, decided),
        }
    }
}

/// `part` ÷ `whole`; nothing when the whole is 0.
#[must_use]
pub fn ratio(part: i64, whole: i64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "counts of a city are far below 2^52")]
    let result = (whole != 0).then(|| part as f64 / whole as f64);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn satisfaction_follows_the_formula_of_the_plan() {
        let grades = Grades::of(&[(5, 10), (4, 20), (3, 5), (2, 3), (1, 2)]);
        assert_eq!(grades.answers(), 40);
        assert_eq!(grades.satisfaction(), Some(153.0 / 40.0));
        assert_eq!(Grades::default().satisfaction(), None);
    }

    #[test]
    fn the_median_is_the_middle_or_between_the_two_in_the_middle() {
        assert_eq!(Days::of(&[]), Days::default());
        assert_eq!(Days::of(&[(3, 1)]).median, Some(3.0));
        assert_eq!(Days::of(&[(1, 1), (3, 1)]).median, Some(2.0));
        assert_eq!(Days::of(&[(1, 2), (3, 1), (100, 2)]).median, Some(3.0));
        assert_eq!(Days::of(&[(1, 3), (9, 1)]).mean, Some(3.0));
    }
}
