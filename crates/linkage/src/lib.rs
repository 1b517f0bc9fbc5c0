//! Record linkage (資料勾稽): which records of one or two tables are of the same person or thing, where no common number says so.
//!
//! Pure functions over Arrow tables: nothing here knows the platform, a clock or a network. The way of a match:
//!
//! [`Model`] (a file) → values normalised and coded (`normalise`, `encode`) → pairs estimated, then made by several blocking rules,
//! each pair once (`block`) → levels of each comparison (`compare`) → weights learned without labels (`train`, Fellegi–Sunter with
//! EM) → [`Pair`]s scored as they are made (`matching`) → clusters or one partner each (`cluster`) → precision and recall
//! (`evaluate`), answers of the grey zone (`review`). [`bloom`] matches tables of two offices that may not show each other names.
//!
//! The same tables and model give the same result on every machine with any number of threads.

mod block;
pub mod bloom;
mod cluster;
mod compare;
mod distance;
mod encode;
mod error;
mod evaluate;
mod matching;
mod model;
mod normalise;
mod review;
mod run;
mod table;
mod threads;
mod train;
mod weights;

pub use block::Estimate;
pub use cluster::{clusters, components, in_one_list, one_to_one};
pub use compare::{Pattern, level_of};
pub use error::{LinkError, Mistake};
pub use evaluate::{Curve, Point, grouped_pairs};
pub use matching::{Index, MOST_PAIRS, Matching, Pair};
pub use model::{
    Block, Clause, Column, Comparison, Expression, Kind, Level, MOST_COMPARISONS, MOST_LEVELS, Measure, Model,
    Training, Transform,
};
pub use normalise::{fold_variants, normalised, pinyin_key};
pub use review::doubtful;
pub use run::{Files, Summary, match_files};
pub use table::{MOST_ROWS, read_csv};
pub use threads::available as available_threads;
pub use train::Session;
pub use weights::{LevelShares, Weights, bits_of, probability};
