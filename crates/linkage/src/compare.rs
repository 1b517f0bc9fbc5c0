//! The comparison of two rows: which level of each comparison they reach.

use crate::distance::Distances;
use crate::encode::{Dictionary, NULL, Rows, mixed};
use crate::model::{Clause, Comparison, Expression, Level, Measure, Model, Transform};
use rustc_hash::FxHashMap;

/// The level of a comparison whose values are missing.
pub(crate) const NULL_LEVEL: u8 = 15;
/// Bits of a level in a pattern.
pub(crate) const LEVEL_BITS: usize = 4;

/// Levels of all comparisons of a pair, four bits each, the first comparison lowest.
pub type Pattern = u64;

/// The level of one comparison in a pattern: its place in the model, one behind the last for "anything else", 15 for null.
#[must_use]
pub fn level_of(pattern: Pattern, comparison: usize) -> u8 {
    ((pattern >> (comparison * LEVEL_BITS)) & 15) as u8
}

/// A clause with what it needs at hand.
enum Test {
    /// Hashes by code: equal and not 0.
    Same(Expression, Vec<u64>),
    Whole(usize),
    Swapped(usize, usize),
    Measured(usize, Measure),
}

/// A comparison over coded rows.
pub(crate) struct Compare {
    columns: Vec<usize>,
    levels: Vec<Vec<Test>>,
    /// Codes of the columns for each code of the comparison; empty where the comparison is of one column.
    tuples: Vec<u32>,
    places: FxHashMap<Vec<u32>, u32>,
    /// Whether equal codes without a missing part reach the first level.
    pub exact_first: bool,
    /// Whether a level needs more than a look at codes.
    pub costly: bool,
}

/// All comparisons, and the codes of each row for them.
pub(crate) struct Compares {
    pub all: Vec<Compare>,
    /// Row by row.
    codes: Vec<u32>,
}

impl Compares {
    pub fn new(model: &Model, rows: &Rows) -> Compares {
        let mut compares = Compares {
            all: model.comparisons.iter().map(compare).collect(),
            codes: Vec::new(),
        };
        compares.extend(rows);
        compares
    }

    /// Takes in rows added since.
    pub fn extend(&mut self, rows: &Rows) {
        let width = self.all.len();
        let from = self.codes.len() / width.max(1);
        self.codes.resize(rows.count * width, NULL);
        for (place, compare) in self.all.iter_mut().enumerate() {
            compare.take_in(rows);
            for row in from..rows.count {
                self.codes[row * width + place] = compare.code(rows, row);
            }
        }
    }

    pub fn truncate(&mut self, rows: usize) {
        self.codes.truncate(rows * self.all.len());
    }

    /// The codes of a row.
    #[inline]
    pub fn of(&self, row: u32) -> &[u32] {
        let width = self.all.len();
        &self.codes[row as usize * width..(row as usize + 1) * width]
    }

    /// How many rows have each code of a comparison, and how many have one at all.
    pub fn frequencies(&self, comparison: usize) -> (Vec<u32>, u64) {
        let width = self.all.len();
        let codes = self.codes.iter().skip(comparison).step_by(width).copied();
        counted(codes)
    }

    /// The levels of a pair.
    pub fn pattern(&self, rows: &Rows, left: u32, right: u32, caches: &mut [Cache]) -> Pattern {
        let (left, right) = (self.of(left), self.of(right));
        let mut pattern = 0;
        for (at, compare) in self.all.iter().enumerate() {
            let level = compare.level(rows, left[at], right[at], &mut caches[at]);
            pattern |= Pattern::from(level) << (at * LEVEL_BITS);
        }
        pattern
    }

    pub fn caches(&self) -> Vec<Cache> {
        self.all.iter().map(|compare| Cache::new(compare.costly)).collect()
    }
}

/// How often each code stands, and how many are not null.
pub(crate) fn counted(codes: impl Iterator<Item = u32>) -> (Vec<u32>, u64) {
    let mut counts = Vec::new();
    let mut total = 0;
    for code in codes.filter(|code| *code != NULL) {
        let code = code as usize;
        if code >= counts.len() {
            counts.resize(code + 1, 0);
        }
        counts[code] += 1;
        total += 1;
    }
    (counts, total)
}

fn compare(comparison: &Comparison) -> Compare {
    let levels = comparison
        .levels
        .iter()
        .map(|level| level.clauses.iter().map(test).collect())
        .collect();
    let whole = |clause: &Clause| matches!(clause, Clause::Measured(expression, Measure::Exact) if expression.transform == Transform::Whole);
    let covers = |clauses: &[Clause]| {
        clauses.iter().all(whole)
            && comparison.columns.iter().all(|column| {
                clauses
                    .iter()
                    .any(|clause| matches!(clause, Clause::Measured(of, _) if of.column == *column))
            })
    };
    Compare {
        columns: comparison.columns.clone(),
        levels,
        tuples: Vec::new(),
        places: FxHashMap::default(),
        exact_first: comparison.levels.first().is_some_and(|level| covers(&level.clauses)),
        costly: comparison.columns.len() > 1
            || comparison
                .levels
                .iter()
                .flat_map(|level| &level.clauses)
                .any(|clause| !whole(clause)),
    }
}

fn test(clause: &Clause) -> Test {
    match clause {
        Clause::Swapped(first, second) => Test::Swapped(*first, *second),
        Clause::Measured(of, Measure::Exact) if of.transform == Transform::Whole => Test::Whole(of.column),
        Clause::Measured(of, Measure::Exact) => Test::Same(*of, Vec::new()),
        Clause::Measured(of, measure) => Test::Measured(of.column, *measure),
    }
}

impl Compare {
    /// Values that came since are hashed for the clauses that take a part of them.
    fn take_in(&mut self, rows: &Rows) {
        for test in self.levels.iter_mut().flatten() {
            if let Test::Same(expression, hashes) = test {
                let from = hashes.len();
                hashes.extend(rows.hashes(*expression, from));
            }
        }
    }

    fn code(&mut self, rows: &Rows, row: usize) -> u32 {
        if let [column] = self.columns.as_slice() {
            return rows.columns[*column].codes[row];
        }
        let tuple: Vec<u32> = self
            .columns
            .iter()
            .map(|column| rows.columns[*column].codes[row])
            .collect();
        if tuple.iter().all(|code| *code == NULL) {
            return NULL;
        }
        if let Some(found) = self.places.get(&tuple) {
            return *found;
        }
        let code = u32::try_from(self.places.len()).unwrap_or(NULL);
        self.tuples.extend(&tuple);
        self.places.insert(tuple, code);
        code
    }

    /// The code of a column within a code of the comparison.
    #[inline]
    fn part(&self, code: u32, column: usize) -> u32 {
        match self.columns.as_slice() {
            [_] => code,
            columns => {
                let place = columns.iter().position(|own| *own == column).unwrap_or(0);
                self.tuples
                    .get(code as usize * columns.len() + place)
                    .copied()
                    .unwrap_or(NULL)
            }
        }
    }

    /// For each code below `count` one key of all that the level wants to agree exactly; 0 where something of it is missing, and for
    /// every code where it wants nothing exactly.
    pub fn exact_keys(&self, rows: &Rows, level: &Level, count: usize) -> Vec<u64> {
        let mut keys = vec![0x9e37_79b9_7f4a_7c15_u64; count];
        let mut none = true;
        for clause in &level.clauses {
            let Clause::Measured(expression, Measure::Exact) = clause else {
                continue;
            };
            none = false;
            let hashes = rows.hashes(*expression, 0);
            for (code, key) in keys.iter_mut().enumerate() {
                let part = self.part(u32::try_from(code).unwrap_or(NULL), expression.column);
                *key = match (*key, hashes.get(part as usize)) {
                    (0, _) | (_, None | Some(0)) => 0,
                    (key, Some(part)) => mixed(key.rotate_left(23) ^ part).max(1),
                };
            }
        }
        if none {
            keys.clear();
        }
        keys
    }

    /// Whether each column is missing on one side.
    #[inline]
    pub fn is_null(&self, left: u32, right: u32) -> bool {
        left == NULL
            || right == NULL
            || self.columns.len() > 1
                && self
                    .columns
                    .iter()
                    .all(|column| self.part(left, *column) == NULL || self.part(right, *column) == NULL)
    }

    /// Whether no part of the value is missing.
    #[inline]
    pub fn is_full(&self, code: u32) -> bool {
        code != NULL && (self.columns.len() == 1 || self.columns.iter().all(|column| self.part(code, *column) != NULL))
    }

    /// The level of two codes.
    #[inline]
    pub fn level(&self, rows: &Rows, left: u32, right: u32, cache: &mut Cache) -> u8 {
        if self.is_null(left, right) {
            return NULL_LEVEL;
        }
        if left == right && self.exact_first && self.is_full(left) {
            return 0;
        }
        if !self.costly {
            // levels of whole values of one column: equal codes were the only way up
            return self.levels.len() as u8;
        }
        let (low, high) = if left < right { (left, right) } else { (right, left) };
        cache.get(low, high, || self.fresh(rows, low, high))
    }

    fn fresh(&self, rows: &Rows, left: u32, right: u32) -> u8 {
        let mut distances: [Option<Distances<'_>>; 4] = [None, None, None, None];
        for (level, tests) in self.levels.iter().enumerate() {
            if tests
                .iter()
                .all(|test| self.holds(test, rows, (left, right), &mut distances))
            {
                return level as u8;
            }
        }
        self.levels.len() as u8
    }

    fn holds<'r>(
        &self,
        test: &Test,
        rows: &'r Rows,
        (left, right): (u32, u32),
        distances: &mut [Option<Distances<'r>>; 4],
    ) -> bool {
        match test {
            Test::Whole(column) => {
                let left = self.part(left, *column);
                left != NULL && left == self.part(right, *column)
            }
            Test::Same(expression, hashes) => {
                let of = |code: u32| {
                    hashes
                        .get(self.part(code, expression.column) as usize)
                        .copied()
                        .unwrap_or(0)
                };
                of(left) != 0 && of(left) == of(right)
            }
            Test::Swapped(first, second) => {
                let of = |code: u32, column: usize| match self.part(code, column) {
                    NULL => None,
                    code => Some(rows.columns[column].dictionary.get(code)),
                };
                let crossed = |a: Option<&str>, b: Option<&str>| a.is_some() && a == b;
                crossed(of(left, *first), of(right, *second)) && crossed(of(left, *second), of(right, *first))
            }
            Test::Measured(column, measure) => {
                let (left, right) = (self.part(left, *column), self.part(right, *column));
                if left == NULL || right == NULL {
                    return false;
                }
                let dictionary = &rows.columns[*column].dictionary;
                let place = self.columns.iter().position(|own| own == column).unwrap_or(0);
                let distances = distances[place].get_or_insert_with(|| Distances::new(dictionary, left, right));
                match measure {
                    Measure::Exact => left == right,
                    Measure::JaroWinkler(least) => distances.jaro_winkler(*least),
                    Measure::DamerauLevenshtein(most) => distances.damerau_levenshtein(*most),
                    Measure::Levenshtein(most) => distances.levenshtein(*most),
                    Measure::Days(most) => within_days(dictionary, left, right, *most),
                    Measure::MonthDaySwapped => distances.month_day_swapped(),
                    Measure::Begins => distances.begins(),
                    Measure::Jaccard(least) => distances.jaccard(*least),
                    Measure::Words(least) => distances.words(*least, false),
                    Measure::NearWords(least) => distances.words(*least, true),
                }
            }
        }
    }
}

fn within_days(dictionary: &Dictionary, left: u32, right: u32, most: i64) -> bool {
    let day = |code: u32| dictionary.days.get(code as usize).copied().flatten().map(i64::from);
    matches!((day(left), day(right)), (Some(left), Some(right)) if left.abs_diff(right) <= most.unsigned_abs())
}

/// Levels of pairs of values that were compared a moment ago: names repeat, and a distance costs twenty times a look here. Each
/// place holds the last pair that fell on it, so the memory is fixed.
pub(crate) struct Cache {
    places: Vec<u64>,
}

const CACHE_PLACES: usize = 1 << 15;
/// Codes above this do not fit a place beside each other and the level.
const CACHED_CODES: u32 = 1 << 30;

impl Cache {
    fn new(used: bool) -> Cache {
        Cache {
            places: vec![u64::MAX; if used { CACHE_PLACES } else { 0 }],
        }
    }

    #[inline]
    fn get(&mut self, low: u32, high: u32, fresh: impl FnOnce() -> u8) -> u8 {
        if high >= CACHED_CODES {
            return fresh();
        }
        let pair = u64::from(low) << 34 | u64::from(high) << 4;
        let place = &mut self.places[(mixed(pair) as usize) & (CACHE_PLACES - 1)];
        if *place & !15 == pair {
            return (*place & 15) as u8;
        }
        let level = fresh();
        *place = pair | u64::from(level);
        level
    }
}
