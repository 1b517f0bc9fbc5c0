//! Stands in the place of the crate `dirs`, whose own dependency `option-ext` is under MPL-2.0. `deltalake-core` calls one
//! function of it, for table addresses that begin with `~`, which this platform never gives.

use std::path::PathBuf;

/// The folder of the person who runs the program.
#[must_use]
pub fn home_dir() -> Option<PathBuf> {
    std::env::home_dir()
}
