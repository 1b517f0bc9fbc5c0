//! The TOML file of a model, with the line of every mistake.

use super::expression::{self, Wrong};
use super::{Block, Column, Comparison, Kind, Level, MOST_COMPARISONS, MOST_LEVELS, Mistake, Model, Training};
use super::{Clause, Expression, Measure, Transform};
use serde::Deserialize;
use std::ops::Range;
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelFile {
    id: String,
    #[serde(default = "floor")]
    floor: f64,
    #[serde(default = "threshold")]
    threshold: Spanned<f64>,
    review: Option<Spanned<f64>>,
    #[serde(default)]
    one_to_one: bool,
    column: Vec<ColumnTable>,
    block: Vec<BlockTable>,
    compare: Vec<CompareTable>,
    train: TrainTable,
}

fn floor() -> f64 {
    -10.0
}

fn threshold() -> Spanned<f64> {
    Spanned::new(0..0, 0.9)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnTable {
    name: Spanned<String>,
    from: Option<From>,
    kind: Kind,
    format: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum From {
    One(String),
    Several(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BlockTable {
    keys: Spanned<Vec<Spanned<String>>>,
    #[serde(default)]
    split: Vec<Spanned<String>>,
    #[serde(default = "most_rows")]
    most_rows: Spanned<usize>,
}

fn most_rows() -> Spanned<usize> {
    Spanned::new(0..0, 2_000)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CompareTable {
    name: Option<String>,
    columns: Spanned<Vec<Spanned<String>>>,
    levels: Spanned<Vec<Spanned<String>>>,
    #[serde(default)]
    term_frequency: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TrainTable {
    blocks: Spanned<Vec<Vec<Spanned<String>>>>,
    #[serde(default = "pairs")]
    pairs: Spanned<usize>,
    #[serde(default = "seed")]
    seed: u64,
}

fn pairs() -> Spanned<usize> {
    Spanned::new(0..0, 300_000)
}

fn seed() -> u64 {
    1
}

/// Mistakes as they are found.
struct Found<'a> {
    file: &'a str,
    text: &'a str,
    mistakes: Vec<Mistake>,
}

impl Found<'_> {
    fn add(&mut self, span: &Range<usize>, (message, suggestion): Wrong) {
        let before = self.text.get(..span.start.min(self.text.len())).unwrap_or_default();
        self.mistakes.push(Mistake {
            file: self.file.to_owned(),
            line: before.matches('\n').count() + 1,
            message,
            suggestion,
        });
    }

    fn expressions(&mut self, texts: &[Spanned<String>], columns: &[&str], kinds: &[Kind]) -> Vec<Expression> {
        let mut all = Vec::with_capacity(texts.len());
        for text in texts {
            match expression::expression(text.get_ref(), columns).and_then(|found| fits(found, columns, kinds)) {
                Ok(found) => all.push(found),
                Err(wrong) => self.add(&text.span(), wrong),
            }
        }
        all
    }
}

/// Parts of a date are of dates, parts of an address of addresses.
fn fits(expression: Expression, columns: &[&str], kinds: &[Kind]) -> Result<Expression, Wrong> {
    let kind = kinds.get(expression.column).copied().unwrap_or(Kind::Text);
    let wanted = match expression.transform {
        Transform::Year | Transform::MonthDay | Transform::YearDay | Transform::YearMonth => Kind::Date,
        Transform::Road | Transform::Door => Kind::Address,
        _ => kind,
    };
    if wanted == kind {
        return Ok(expression);
    }
    let name = columns.get(expression.column).copied().unwrap_or_default();
    let (what, kind) = match wanted {
        Kind::Date => ("a date", "date"),
        _ => ("an address", "address"),
    };
    Err((
        format!("column `{name}` is not {what}"),
        Some(format!("give it `kind = \"{kind}\"`")),
    ))
}

pub(super) fn parse(file: &str, text: &str) -> Result<Model, Vec<Mistake>> {
    let mut found = Found {
        file,
        text,
        mistakes: Vec::new(),
    };
    let read: ModelFile = match toml::from_str(text) {
        Ok(read) => read,
        Err(error) => {
            let span = error.span().unwrap_or(0..0);
            found.add(&span, (error.message().trim().replace('\n', ", "), None));
            return Err(found.mistakes);
        }
    };
    let names: Vec<&str> = read
        .column
        .iter()
        .map(|column| column.name.get_ref().as_str())
        .collect();
    let kinds: Vec<Kind> = read.column.iter().map(|column| column.kind).collect();
    for (at, column) in read.column.iter().enumerate() {
        let name = column.name.get_ref();
        if names[..at].contains(&name.as_str()) {
            found.add(
                &column.name.span(),
                (format!("column `{name}` stands here twice"), None),
            );
        }
        if let Some(format) = &column.format
            && column.kind != Kind::Date
        {
            found.add(&format.span(), ("`format` is of dates".to_owned(), None));
        }
    }
    let blocks = read
        .block
        .iter()
        .map(|block| self::block(block, &names, &kinds, &mut found))
        .collect();
    if read.block.len() > 64 {
        found.add(&(0..0), ("a model has at most 64 blocks".to_owned(), None));
    }
    if read.compare.is_empty() || read.compare.len() > MOST_COMPARISONS {
        let message = format!("a model has 1 to {MOST_COMPARISONS} comparisons");
        found.add(&(0..0), (message, None));
    }
    let comparisons: Vec<Comparison> = read
        .compare
        .iter()
        .map(|table| compare(table, &names, &kinds, &mut found))
        .collect();
    let training = train(&read.train, &names, &kinds, &comparisons, &mut found);
    let threshold = *read.threshold.get_ref();
    let review = read.review.as_ref().map_or(threshold, |review| *review.get_ref());
    if !(0.0..=1.0).contains(&threshold) || !(0.0..=threshold).contains(&review) {
        let span = read.review.as_ref().map_or(read.threshold.span(), Spanned::span);
        let message = "`threshold` is a probability, and `review` is one below it".to_owned();
        found.add(&span, (message, None));
    }
    if !found.mistakes.is_empty() {
        found.mistakes.sort_by_key(|mistake| mistake.line);
        return Err(found.mistakes);
    }
    let columns = read.column.into_iter().map(column).collect();
    Ok(Model {
        id: read.id,
        columns,
        blocks,
        comparisons,
        training,
        floor: read.floor,
        threshold,
        review,
        one_to_one: read.one_to_one,
    })
}

fn column(table: ColumnTable) -> Column {
    let name = table.name.into_inner();
    Column {
        from: match table.from {
            None => vec![name.clone()],
            Some(From::One(from)) => vec![from],
            Some(From::Several(from)) => from,
        },
        name,
        kind: table.kind,
        format: table.format.map(Spanned::into_inner),
    }
}

fn block(table: &BlockTable, names: &[&str], kinds: &[Kind], found: &mut Found<'_>) -> Block {
    if table.keys.get_ref().is_empty() {
        found.add(&table.keys.span(), ("a block has at least one key".to_owned(), None));
    }
    let most_rows = *table.most_rows.get_ref();
    if !(2..=100_000).contains(&most_rows) {
        found.add(
            &table.most_rows.span(),
            ("`most_rows` is from 2 to 100000".to_owned(), None),
        );
    }
    Block {
        keys: found.expressions(table.keys.get_ref(), names, kinds),
        split: found.expressions(&table.split, names, kinds),
        most_rows,
    }
}

fn compare(table: &CompareTable, names: &[&str], kinds: &[Kind], found: &mut Found<'_>) -> Comparison {
    let columns: Vec<usize> = found
        .expressions(table.columns.get_ref(), names, kinds)
        .iter()
        .map(|expression| expression.column)
        .collect();
    if columns.is_empty() || columns.len() > 4 {
        found.add(
            &table.columns.span(),
            ("a comparison has one to four columns".to_owned(), None),
        );
    }
    let count = table.levels.get_ref().len();
    if count == 0 || count > MOST_LEVELS {
        let message = format!("a comparison has 1 to {MOST_LEVELS} levels");
        found.add(&table.levels.span(), (message, None));
    }
    let mut levels = Vec::new();
    for text in table.levels.get_ref() {
        let clauses = expression::level(text.get_ref(), names, &columns).and_then(|clauses| {
            clauses
                .iter()
                .try_for_each(|clause| clause_fits(clause, names, kinds))?;
            Ok(clauses)
        });
        match clauses {
            Ok(clauses) => levels.push(Level {
                text: text.get_ref().clone(),
                clauses,
            }),
            Err(wrong) => found.add(&text.span(), wrong),
        }
    }
    let name = table.name.clone().unwrap_or_else(|| {
        let names: Vec<&str> = columns
            .iter()
            .filter_map(|column| names.get(*column).copied())
            .collect();
        names.join("_")
    });
    Comparison {
        name,
        columns,
        levels,
        term_frequency: table.term_frequency,
    }
}

fn clause_fits(clause: &Clause, names: &[&str], kinds: &[Kind]) -> Result<(), Wrong> {
    let Clause::Measured(expression, measure) = clause else {
        return Ok(());
    };
    fits(*expression, names, kinds)?;
    if matches!(measure, Measure::Days(_) | Measure::MonthDaySwapped) {
        let part = Expression {
            transform: Transform::Year,
            ..*expression
        };
        fits(part, names, kinds)?;
    }
    Ok(())
}

fn train(
    table: &TrainTable,
    names: &[&str],
    kinds: &[Kind],
    comparisons: &[Comparison],
    found: &mut Found<'_>,
) -> Training {
    let blocks: Vec<Vec<Expression>> = table
        .blocks
        .get_ref()
        .iter()
        .map(|keys| found.expressions(keys, names, kinds))
        .collect();
    for comparison in comparisons {
        let fixed = |keys: &Vec<Expression>| keys.iter().any(|key| comparison.columns.contains(&key.column));
        if blocks.iter().all(fixed) {
            let message = format!(
                "every block of `train` holds the columns of comparison `{}` fixed",
                comparison.name
            );
            let suggestion = "add a block of other columns, so that its weights can be learned".to_owned();
            found.add(&table.blocks.span(), (message, Some(suggestion)));
        }
    }
    let pairs = *table.pairs.get_ref();
    if !(1_000..=1_000_000_000).contains(&pairs) {
        found.add(
            &table.pairs.span(),
            ("`pairs` is from 1000 to 1000000000".to_owned(), None),
        );
    }
    Training {
        pairs,
        seed: table.seed,
        blocks,
    }
}
