//! The model of a match: columns, blocks, comparisons with their levels, and how it is trained. Read from a TOML file
//! ([the format](../../../docs/reference/linkage.md)) and checked as a whole.

mod expression;
mod file;

pub use expression::{Clause, Expression, Measure, Transform};

use crate::error::{LinkError, Mistake};

/// Most comparisons of a model; their levels are packed into one word.
pub const MOST_COMPARISONS: usize = 16;
/// Most levels of a comparison beside null and "anything else".
pub const MOST_LEVELS: usize = 13;

/// What a column holds, and so how its values are normalised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Lower case, one space between words.
    Text,
    /// A Chinese name (姓名): without spaces and middle dots; variants are kept and folded by `variant` where asked.
    Name,
    /// A name in Latin letters (羅馬拼音姓名): without accents, marks and hyphens.
    Romanised,
    /// A date, by `format` or in any spelling of the ROC or Gregorian calendar.
    Date,
    /// An identifier: upper-case letters and digits.
    Id,
    /// An address of Taiwan (門牌地址), part by part; any other address as text.
    Address,
}

/// A column of the model, made of one or more columns of the tables.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its name in the model.
    pub name: String,
    /// The columns of the tables, joined by a space.
    pub from: Vec<String>,
    /// What it holds.
    pub kind: Kind,
    /// `strptime` format of a date; `None` reads every spelling the ROC calendar has.
    pub format: Option<String>,
}

/// A blocking rule: pairs that agree in all keys are compared.
#[derive(Clone, Debug)]
pub struct Block {
    /// What must agree.
    pub keys: Vec<Expression>,
    /// What must agree as well where the block is too large.
    pub split: Vec<Expression>,
    /// Most rows of a block, both tables together. A larger one is split; what is too large then is left out and told.
    pub most_rows: usize,
}

/// One level of a comparison: all clauses must hold.
#[derive(Clone, Debug)]
pub struct Level {
    /// As it is written.
    pub text: String,
    /// What must hold.
    pub clauses: Vec<Clause>,
}

/// A comparison: the first level that holds counts.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// Its name in weights and output.
    pub name: String,
    /// Indices of the columns it looks at; null where each of them is missing on one side.
    pub columns: Vec<usize>,
    /// The levels in their order; "anything else" follows.
    pub levels: Vec<Level>,
    /// Whether agreement on a rare value weighs more.
    pub term_frequency: bool,
}

/// How the weights are learned.
#[derive(Clone, Debug)]
pub struct Training {
    /// Random pairs from which chance agreement (u) is estimated.
    pub pairs: usize,
    /// Seed of the random pairs.
    pub seed: u64,
    /// For each run of EM the keys that are held fixed.
    pub blocks: Vec<Vec<Expression>>,
}

/// A checked model.
#[derive(Clone, Debug)]
pub struct Model {
    /// Column of the tables that identifies a record.
    pub id: String,
    /// The columns.
    pub columns: Vec<Column>,
    /// The blocking rules in their order.
    pub blocks: Vec<Block>,
    /// The comparisons.
    pub comparisons: Vec<Comparison>,
    /// How weights are learned.
    pub training: Training,
    /// Match weight in bits below which a pair is not kept.
    pub floor: f64,
    /// Probability from which a pair is a match.
    pub threshold: f64,
    /// Probability from which a pair below the threshold is for a person to look at.
    pub review: f64,
    /// Whether a record has at most one partner in the other table.
    pub one_to_one: bool,
}

impl Model {
    /// Reads a model from the text of a file; `file` names it in mistakes.
    ///
    /// # Errors
    /// [`LinkError::Model`] with every mistake found, each with its line.
    pub fn parse(file: &str, text: &str) -> Result<Model, LinkError> {
        file::parse(file, text).map_err(LinkError::Model)
    }

    /// Reads a model file of at most 1 MiB.
    ///
    /// # Errors
    /// [`LinkError::File`] when it can't be read, [`LinkError::Model`] when it has mistakes.
    pub fn load(path: &std::path::Path) -> Result<Model, LinkError> {
        let wrong = |why: String| LinkError::File {
            path: path.to_path_buf(),
            why,
        };
        let size = std::fs::metadata(path)
            .map_err(|error| LinkError::file(path, &error))?
            .len();
        if size > 1 << 20 {
            return Err(wrong("it is larger than 1 MiB".to_owned()));
        }
        let text = std::fs::read_to_string(path).map_err(|error| LinkError::file(path, &error))?;
        Model::parse(&path.display().to_string(), &text)
    }

    /// Every column of the tables the model reads, with the id.
    #[must_use]
    pub fn sources(&self) -> Vec<&str> {
        let mut names: Vec<&str> = vec![&self.id];
        names.extend(
            self.columns
                .iter()
                .flat_map(|column| column.from.iter().map(String::as_str)),
        );
        names
    }
}
