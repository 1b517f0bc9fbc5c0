//! Tests of record linkage: cases as data, laws as properties, sets with known truth.

mod bloom;
mod cluster;
mod evaluate;
mod files;
mod kit;
mod matching;
mod model;
mod normalise;
mod sets;
mod train;
