//! What tests share.

use std::path::{Path, PathBuf};

use grants::{Plan, Programme};

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

/// The sound plan of `cases/plan.toml`.
pub fn plan() -> Plan {
    let text = std::fs::read_to_string(folder().join("cases/plan.toml")).unwrap();
    let mut file: toml::Table = toml::from_str(&text).unwrap();
    file.remove("plan").unwrap().try_into().unwrap()
}
