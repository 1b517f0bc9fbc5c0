//! Strict and lenient reviewers (評分寬嚴): what a plan's mean would be if everybody had judged it.
//!
//! A sheet's total is taken as a plan's worth plus the reviewer's leaning. Both are found by least squares over all sheets,
//! the leanings summing to zero. Where everybody judges every plan, adjusted and raw means are the same; where conflicts
//! of interest keep a strict reviewer from some plans, these gain nothing by it any more. The adjusted mean stands beside
//! the raw one and decides nothing by itself.
//!
//! Work: O(s + r³) for s sheets and r reviewers.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Panel, Sheet, SheetError};
use crate::programme::Programme;

/// Means of all plans and leanings of all reviewers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Normalised {
    /// By government.
    pub plans: Vec<PlanScore>,
    /// By reviewer.
    pub reviewers: Vec<Leaning>,
    /// Whether all plans are linked by reviewers in common; if not, adjusted means of unlinked plans can't be compared.
    pub comparable: bool,
}

/// The means of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlanScore {
    /// The government.
    pub government: String,
    /// Sheets there are.
    pub sheets: usize,
    /// Whether they are as many as the programme wants.
    pub enough: bool,
    /// Raw mean in hundredths of a point.
    pub raw: i64,
    /// Adjusted mean in hundredths of a point; it may pass 0 or 100 a little.
    pub adjusted: i64,
}

/// How a reviewer leans.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Leaning {
    /// The reviewer.
    pub reviewer: String,
    /// Sheets there are.
    pub sheets: usize,
    /// Hundredths of a point above the others; below zero for a strict reviewer.
    pub leaning: i64,
}

/// Raw and adjusted means of all plans that have a sheet.
///
/// # Errors
/// [`SheetError`] for the first sheet that may not be taken.
pub fn normalise(sheets: &[Sheet], panel: &Panel, programme: &Programme) -> Result<Normalised, SheetError> {
    // by plan the reviewers' totals; sorted, so that the same sheets give the same answer in whatever order they came
    let mut plans: BTreeMap<&str, BTreeMap<&str, u32>> = BTreeMap::new();
    for sheet in sheets {
        sheet.check(panel, programme)?;
        let plan = plans.entry(&sheet.government).or_default();
        if plan.insert(&sheet.reviewer, sheet.total()).is_some() {
            return Err(SheetError::Twice {
                reviewer: sheet.reviewer.clone(),
                government: sheet.government.clone(),
            });
        }
    }
    let mut reviewers: Vec<&str> = plans.values().flat_map(|plan| plan.keys().copied()).collect();
    reviewers.sort_unstable();
    reviewers.dedup();
    let rows: Vec<Vec<(usize, f64)>> = plans
        .values()
        .map(|plan| {
            let marks = plan.iter();
            let marks = marks.filter_map(|(who, total)| {
                let at = reviewers.binary_search(who).ok()?;
                Some((at, f64::from(*total) * 10.0))
            });
            marks.collect()
        })
        .collect();
    let groups = linked(&rows, reviewers.len());
    let leanings = leanings(&rows, &groups);
    let lean = |at: usize| leanings.get(at).copied().unwrap_or(0.0);
    let scores = plans.iter().zip(&rows).map(|((government, plan), row)| {
        let count = row.len() as f64;
        let raw: f64 = row.iter().map(|(_, total)| total).sum::<f64>() / count;
        let adjusted: f64 = row.iter().map(|(at, total)| total - lean(*at)).sum::<f64>() / count;
        PlanScore {
            government: (*government).to_owned(),
            sheets: plan.len(),
            enough: plan.len() >= programme.review.sheets_at_least,
            raw: raw.round() as i64,
            adjusted: adjusted.round() as i64,
        }
    });
    let leanings = reviewers.iter().enumerate().map(|(at, reviewer)| Leaning {
        reviewer: (*reviewer).to_owned(),
        sheets: rows.iter().flatten().filter(|(who, _)| *who == at).count(),
        leaning: lean(at).round() as i64,
    });
    Ok(Normalised {
        plans: scores.collect(),
        reviewers: leanings.collect(),
        comparable: groups.iter().all(|group| *group == 0),
    })
}

/// The group of each reviewer: who shares a plan is in one group, also over others. The first group is 0.
fn linked(rows: &[Vec<(usize, f64)>], reviewers: usize) -> Vec<usize> {
    let mut groups: Vec<usize> = (0..reviewers).collect();
    loop {
        let mut changed = false;
        for row in rows {
            let least = row.iter().filter_map(|(at, _)| groups.get(*at).copied()).min();
            for (at, _) in row {
                if let (Some(group), Some(least)) = (groups.get_mut(*at), least) {
                    changed |= *group != least;
                    *group = least;
                }
            }
        }
        if !changed {
            return groups;
        }
    }
}

/// Leanings by least squares. A plan's worth is eliminated, which leaves one equation a reviewer; within a group they
/// determine the leanings but for a constant, which is chosen so that the group's leanings sum to zero.
fn leanings(rows: &[Vec<(usize, f64)>], groups: &[usize]) -> Vec<f64> {
    let size = groups.len();
    let mut matrix = vec![vec![0.0; size]; size];
    let mut right = vec![0.0; size];
    for row in rows {
        let count = row.len() as f64;
        let mean = row.iter().map(|(_, total)| total).sum::<f64>() / count;
        for (at, total) in row {
            if let Some(value) = right.get_mut(*at) {
                *value += total - mean;
            }
            for (other, _) in row {
                if let Some(cell) = matrix.get_mut(*at).and_then(|line| line.get_mut(*other)) {
                    *cell += if at == other { 1.0 - 1.0 / count } else { -1.0 / count };
                }
            }
        }
    }
    // the first of each group is held at zero
    for (at, group) in groups.iter().enumerate() {
        if at == *group
            && let (Some(line), Some(value)) = (matrix.get_mut(at), right.get_mut(at))
        {
            line.fill(0.0);
            if let Some(cell) = line.get_mut(at) {
                *cell = 1.0;
            }
            *value = 0.0;
        }
    }
    let mut found = solve(matrix, right);
    for group in 0..size {
        let members = groups.iter().filter(|one| **one == group).count();
        if members == 0 {
            continue;
        }
        let inside = found.iter().zip(groups).filter(|(_, one)| **one == group);
        let mean = inside.map(|(value, _)| value).sum::<f64>() / members as f64;
        for (value, one) in found.iter_mut().zip(groups) {
            if *one == group {
                *value -= mean;
            }
        }
    }
    found
}

/// Gaussian elimination with the largest pivot; a line without a pivot leaves its unknown at zero.
fn solve(mut matrix: Vec<Vec<f64>>, mut right: Vec<f64>) -> Vec<f64> {
    let size = right.len();
    let cell = |matrix: &[Vec<f64>], line: usize, column: usize| {
        matrix
            .get(line)
            .and_then(|line| line.get(column))
            .copied()
            .unwrap_or(0.0)
    };
    for column in 0..size {
        let pivot = (column..size)
            .max_by(|a, b| {
                cell(&matrix, *a, column)
                    .abs()
                    .total_cmp(&cell(&matrix, *b, column).abs())
            })
            .unwrap_or(column);
        matrix.swap(column, pivot);
        right.swap(column, pivot);
        let top = cell(&matrix, column, column);
        if top.abs() < 1e-9 {
            continue;
        }
        let head = matrix.get(column).cloned().unwrap_or_default();
        let head_right = right.get(column).copied().unwrap_or(0.0);
        for line in (0..size).filter(|line| *line != column) {
            let factor = cell(&matrix, line, column) / top;
            if factor == 0.0 {
                continue;
            }
            if let Some(values) = matrix.get_mut(line) {
                for (value, above) in values.iter_mut().zip(&head) {
                    *value -= factor * above;
                }
            }
            if let Some(value) = right.get_mut(line) {
                *value -= factor * head_right;
            }
        }
    }
    (0..size)
        .map(|at| {
            let top = cell(&matrix, at, at);
            let value = right.get(at).copied().unwrap_or(0.0);
            if top.abs() < 1e-9 { 0.0 } else { value / top }
        })
        .collect()
}
