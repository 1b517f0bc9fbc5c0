//! Licences of everything linked in: only those in `licences.toml` may be, and only packages of crates.io. From
//! `cargo metadata` of each workspace, without a build.

use crate::shell::{Done, WORKSPACES, command, output, root};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Where every package comes from; a git repository or another registry could change behind its version.
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

#[derive(Deserialize)]
struct Allowed {
    /// SPDX identifiers that may be linked in.
    licences: BTreeSet<String>,
    /// Packages whose manifest says no usable licence, with what was read in their source instead.
    #[serde(default)]
    clarified: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    source: Option<String>,
}

/// Checks every package of the dependency graphs for the platform we build on.
pub fn check() -> Done<usize> {
    let text =
        std::fs::read_to_string(root().join("licences.toml")).map_err(|error| format!("licences.toml: {error}"))?;
    let allowed: Allowed = toml::from_str(&text).map_err(|error| format!("licences.toml: {error}"))?;
    let mut packages = Vec::new();
    for workspace in WORKSPACES {
        let mut cargo = command("cargo", &["metadata", "--format-version", "1", "--locked"]);
        cargo
            .args(["--filter-platform", "x86_64-unknown-linux-gnu", "--manifest-path"])
            .arg(root().join(workspace).join("Cargo.toml"));
        let json = output(cargo)?;
        let metadata: Metadata = serde_json::from_str(&json).map_err(|error| format!("cargo metadata: {error}"))?;
        packages.extend(metadata.packages);
    }
    let outside: BTreeSet<&Package> = packages.iter().filter(|package| package.source.is_some()).collect();
    let refused: Vec<String> = outside
        .iter()
        .filter_map(|package| {
            let says = allowed.clarified.get(&package.name).or(package.license.as_ref());
            match says {
                _ if package.source.as_deref() != Some(CRATES_IO) => Some(format!(
                    "{} {} does not come from crates.io",
                    package.name, package.version
                )),
                None => Some(format!("{} {} states no licence", package.name, package.version)),
                Some(text) if permits(text, &allowed.licences) => None,
                Some(text) => Some(format!("{} {} is under {text}", package.name, package.version)),
            }
        })
        .collect();
    if refused.is_empty() {
        Ok(outside.len())
    } else {
        Err(refused.join("\n"))
    }
}

/// Whether an SPDX expression can be met with the allowed licences alone: `OR` takes any side, `AND` needs both.
fn permits(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let answer = any(&words, &mut at, allowed);
    answer && at == words.len()
}

fn any(words: &[&str], at: &mut usize, allowed: &BTreeSet<String>) -> bool {
    let mut answer = all(words, at, allowed);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        let right = all(words, at, allowed);
        answer = answer || right;
    }
    answer
}

fn all(words: &[&str], at: &mut usize, allowed: &BTreeSet<String>) -> bool {
    let mut answer = one(words, at, allowed);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        let right = one(words, at, allowed);
        answer = answer && right;
    }
    answer
}

fn one(words: &[&str], at: &mut usize, allowed: &BTreeSet<String>) -> bool {
    match words.get(*at) {
        Some(&"(") => {
            *at += 1;
            let answer = any(words, at, allowed);
            let closed = words.get(*at) == Some(&")");
            *at += 1;
            answer && closed
        }
        Some(name) => {
            *at += 1;
            let mut id = (*name).to_owned();
            if words.get(*at) == Some(&"WITH") {
                id = format!("{name} WITH {}", words.get(*at + 1).copied().unwrap_or_default());
                *at += 2;
            }
            allowed.contains(&id)
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_met_by_any_side_of_or_and_both_sides_of_and() {
        let allowed: BTreeSet<String> = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"]
            .map(String::from)
            .into();
        for (expression, met) in [
            ("MIT", true),
            ("GPL-3.0-only", false),
            ("MIT OR GPL-3.0-only", true),
            ("MIT AND GPL-3.0-only", false),
            ("MIT/Apache-2.0", true),
            ("(MIT OR GPL-3.0-only) AND Apache-2.0", true),
            ("(MIT AND GPL-3.0-only) OR LGPL-2.1-only", false),
            ("Apache-2.0 WITH LLVM-exception OR GPL-2.0-only", true),
            ("GPL-2.0-only WITH Classpath-exception-2.0", false),
            ("(MIT", false),
            ("", false),
        ] {
            assert_eq!(permits(expression, &allowed), met, "{expression}");
        }
    }
}
