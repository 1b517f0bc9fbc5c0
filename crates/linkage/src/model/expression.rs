//! The small language of keys (`surname | prefix 3`) and levels (`exact(surname) and jaro_winkler(first_name) >= 0.9`).

use crate::error::did_you_mean;

/// What is taken of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transform {
    /// The value.
    Whole,
    /// Its first characters.
    Prefix(usize),
    /// Its last characters.
    Suffix(usize),
    /// A word, from 1.
    Word(usize),
    /// Its last word.
    LastWord,
    /// Year of a date.
    Year,
    /// Month and day of a date.
    MonthDay,
    /// Year and day of a date.
    YearDay,
    /// Year and month of a date.
    YearMonth,
    /// American Soundex of letters.
    Soundex,
    /// Its first letter and the consonants behind it, each once.
    Skeleton,
    /// Its characters in order, so that exchanged ones do not matter.
    Sorted,
    /// Its digits alone.
    Digits,
    /// One spelling for Hanyu Pinyin, Tongyong Pinyin and Wade–Giles.
    Pinyin,
    /// One form for variant characters, traditional and simplified (異體字、簡化字).
    Variant,
    /// City, district and road of an address.
    Road,
    /// House number and floor of an address.
    Door,
}

/// A column with what is taken of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expression {
    /// Index of the column in the model.
    pub column: usize,
    /// What is taken.
    pub transform: Transform,
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Measure {
    /// Equal after the transform.
    Exact,
    /// Jaro–Winkler similarity is at least this.
    JaroWinkler(f64),
    /// Unrestricted Damerau–Levenshtein distance is at most this.
    DamerauLevenshtein(usize),
    /// Levenshtein distance is at most this.
    Levenshtein(usize),
    /// Dates differ by at most so many days.
    Days(i64),
    /// Month and day of the dates are exchanged.
    MonthDaySwapped,
    /// One value begins with the other.
    Begins,
    /// Share of common character bigrams (Jaccard) is at least this.
    Jaccard(f64),
    /// Of the words of the value with fewer, at least this share stand in the other.
    Words(f64),
    /// The same, where a word of four letters and more may differ by one edit.
    NearWords(f64),
}

/// One condition of a level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Clause {
    /// A measure of one column.
    Measured(Expression, Measure),
    /// The values of two columns stand in each other's place.
    Swapped(usize, usize),
}

const TRANSFORMS: &[&str] = &[
    "prefix",
    "suffix",
    "word",
    "last_word",
    "year",
    "month_day",
    "year_day",
    "year_month",
    "soundex",
    "skeleton",
    "sorted",
    "digits",
    "pinyin",
    "variant",
    "road",
    "door",
];
const MEASURES: &[&str] = &[
    "exact",
    "swapped",
    "jaro_winkler",
    "damerau_levenshtein",
    "levenshtein",
    "days",
    "month_day_swapped",
    "begins",
    "jaccard",
    "words",
    "near_words",
];

/// What is wrong with an expression, and what was probably meant.
pub(super) type Wrong = (String, Option<String>);

/// Reads `column` or `column | transform`.
pub(super) fn expression(text: &str, columns: &[&str]) -> Result<Expression, Wrong> {
    let (name, rest) = text
        .split_once('|')
        .map_or((text, None), |(name, rest)| (name, Some(rest)));
    let name = name.trim();
    let Some(column) = columns.iter().position(|column| *column == name) else {
        return Err((
            format!("there is no column `{name}`"),
            did_you_mean(name, columns.iter().copied()),
        ));
    };
    let transform = rest.map_or(Ok(Transform::Whole), transform)?;
    Ok(Expression { column, transform })
}

fn transform(text: &str) -> Result<Transform, Wrong> {
    let mut words = text.split_whitespace();
    let name = words.next().unwrap_or_default();
    let number = words.next().map(str::parse::<usize>);
    if words.next().is_some() {
        return Err((format!("`{}` says too much", text.trim()), None));
    }
    let counted = |make: fn(usize) -> Transform| match number {
        Some(Ok(number @ 1..=64)) => Ok(make(number)),
        _ => Err((
            format!("`{name}` needs a number from 1 to 64, such as `{name} 3`"),
            None,
        )),
    };
    let plain = match name {
        "prefix" => return counted(Transform::Prefix),
        "suffix" => return counted(Transform::Suffix),
        "word" => return counted(Transform::Word),
        "last_word" => Transform::LastWord,
        "year" => Transform::Year,
        "month_day" => Transform::MonthDay,
        "year_day" => Transform::YearDay,
        "year_month" => Transform::YearMonth,
        "soundex" => Transform::Soundex,
        "skeleton" => Transform::Skeleton,
        "sorted" => Transform::Sorted,
        "digits" => Transform::Digits,
        "pinyin" => Transform::Pinyin,
        "variant" => Transform::Variant,
        "road" => Transform::Road,
        "door" => Transform::Door,
        _ => {
            let guess = did_you_mean(name, TRANSFORMS.iter().copied());
            return Err((format!("there is no transform `{name}`"), guess));
        }
    };
    match number {
        None => Ok(plain),
        Some(_) => Err((format!("`{name}` takes no number"), None)),
    }
}

/// Reads a level: clauses joined by `and`. A measure without a column in brackets is of every column in `own`.
pub(super) fn level(text: &str, columns: &[&str], own: &[usize]) -> Result<Vec<Clause>, Wrong> {
    let mut clauses = Vec::new();
    for part in text.split(" and ") {
        clause(part.trim(), columns, own, &mut clauses)?;
    }
    Ok(clauses)
}

fn clause(text: &str, columns: &[&str], own: &[usize], into: &mut Vec<Clause>) -> Result<(), Wrong> {
    let end = text.find(['(', '<', '>', '=', ' ']).unwrap_or(text.len());
    let (name, mut rest) = text.split_at(end);
    let mut arguments = Vec::new();
    rest = rest.trim_start();
    if let Some(inside) = rest.strip_prefix('(') {
        let Some((inside, after)) = inside.split_once(')') else {
            return Err((format!("the bracket in `{text}` is not closed"), None));
        };
        for argument in inside.split(',') {
            arguments.push(expression(argument, columns)?);
        }
        rest = after.trim();
    }
    if let Some(outside) = arguments.iter().find(|argument| !own.contains(&argument.column)) {
        let name = columns.get(outside.column).copied().unwrap_or_default();
        return Err((
            format!("column `{name}` is not one of the comparison's"),
            Some("add it to its `columns`".to_owned()),
        ));
    }
    if name == "swapped" {
        let pair: Vec<usize> = match arguments.as_slice() {
            [] => own.to_vec(),
            _ => arguments.iter().map(|argument| argument.column).collect(),
        };
        return match (pair.as_slice(), rest.is_empty()) {
            ([first, second], true) => {
                into.push(Clause::Swapped(*first, *second));
                Ok(())
            }
            _ => Err(("`swapped` is of two columns".to_owned(), None)),
        };
    }
    let measure = measure(name, rest)?;
    if arguments.is_empty() {
        arguments = own
            .iter()
            .map(|column| Expression {
                column: *column,
                transform: Transform::Whole,
            })
            .collect();
    }
    for argument in arguments {
        if measure != Measure::Exact && argument.transform != Transform::Whole {
            return Err((
                format!("`{name}` compares whole values"),
                Some("only `exact` takes a transform".to_owned()),
            ));
        }
        into.push(Clause::Measured(argument, measure));
    }
    Ok(())
}

fn measure(name: &str, rest: &str) -> Result<Measure, Wrong> {
    let share = |make: fn(f64) -> Measure| match rest.strip_prefix(">=").map(|text| text.trim().parse::<f64>()) {
        Some(Ok(number)) if (0.0..=1.0).contains(&number) => Ok(make(number)),
        _ => Err((format!("`{name}` needs a bound, such as `{name} >= 0.9`"), None)),
    };
    let count = |most: u32| match rest.strip_prefix("<=").map(|text| text.trim().parse::<u32>()) {
        Some(Ok(number)) if number <= most => Ok(number),
        _ => Err((
            format!("`{name}` needs a bound up to {most}, such as `{name} <= 1`"),
            None,
        )),
    };
    let found = match name {
        "jaro_winkler" => return share(Measure::JaroWinkler),
        "jaccard" => return share(Measure::Jaccard),
        "words" => return share(Measure::Words),
        "near_words" => return share(Measure::NearWords),
        "damerau_levenshtein" => return count(64).map(|most| Measure::DamerauLevenshtein(most as usize)),
        "levenshtein" => return count(64).map(|most| Measure::Levenshtein(most as usize)),
        "days" => return count(100_000).map(|most| Measure::Days(i64::from(most))),
        "exact" => Measure::Exact,
        "month_day_swapped" => Measure::MonthDaySwapped,
        "begins" => Measure::Begins,
        _ => {
            let guess = did_you_mean(name, MEASURES.iter().copied());
            return Err((format!("there is no measure `{name}`"), guess));
        }
    };
    match rest.is_empty() {
        true => Ok(found),
        false => Err((format!("`{name}` takes no bound"), None)),
    }
}
