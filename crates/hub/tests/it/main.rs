//! Datasets from folder to lake.

mod bad;
mod encodings;
mod folders;
mod keeping;
mod kit;
mod lake;
mod mistakes;
mod resume;
mod sources;
