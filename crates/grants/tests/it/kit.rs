//! What tests share.

use std::path::{Path, PathBuf};

use grants::Programme;

/// The folder of the programme of year 114.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../programmes/moda-114")
}

pub fn programme() -> Programme {
    Programme::load(&folder()).unwrap_or_else(|mistakes| {
        panic!(
            "{}",
            mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        )
    })
}
