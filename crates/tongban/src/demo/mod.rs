//! The demonstration city (示範城市): invented people with plausible families, incomes and property, the same ones for the
//! same seed on every machine.
//!
//! `marginals.toml` says what it is made by and where each figure comes from; `villages.csv` where its people live;
//! `names.toml` what they are called. Their national ids are of a range that was never given out (`identity.rs`).

mod city;
mod draw;
mod entries;
mod facts;
mod family;
mod identity;
mod inputs;
mod marginals;
mod people;
mod population;
mod sets;
mod stories;

use std::path::{Path, PathBuf};

pub use city::{City, NAME, REGION, SIZES, generate};
pub use inputs::Asked;

/// Why there is no city.
#[derive(Debug, thiserror::Error)]
pub enum CityError {
    /// Too small or too large.
    #[error("a demonstration city has from {} to {} residents, not {asked}", SIZES.start(), SIZES.end())]
    Size {
        /// What was asked for.
        asked: usize,
    },
    /// The figures compiled in can't be read.
    #[error("the figures of the demonstration city can't be read: {0}")]
    Figures(String),
    /// No family of this seed shows the story.
    #[error("no family of this seed shows the story `{0}`; choose another seed")]
    Story(&'static str),
    /// Saved by another edition of the generator.
    #[error("the demonstration city was made by another version; delete its folder and make it again")]
    Edition,
    /// A file of the city.
    #[error("{}: {problem}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
}

impl CityError {
    fn file(path: &Path, problem: &dyn std::fmt::Display) -> Self {
        Self::File {
            path: path.to_owned(),
            problem: problem.to_string(),
        }
    }
}

#[cfg(test)]
mod entries_tests;
#[cfg(test)]
mod inputs_tests;
#[cfg(test)]
mod story_tests;
#[cfg(test)]
mod tests;
