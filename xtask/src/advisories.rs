//! Known security advisories against the versions in each `Cargo.lock`. Works offline: the advisories that concern
//! crates we use or have used stand in `advisories.toml`, with the day the list was last compared.

use crate::shell::{Done, WORKSPACES, root};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Deserialize)]
struct Advisories {
    advisory: Vec<Advisory>,
}

#[derive(Deserialize)]
struct Advisory {
    id: String,
    package: String,
    /// Versions below this one are affected; absent: every version is.
    fixed_in: Option<String>,
    title: String,
    /// Why we may use an affected version all the same.
    accepted: Option<String>,
}

#[derive(Deserialize)]
struct Lock {
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
}

/// Compares the lock files with the list. Returns how many advisories were looked at.
pub fn check() -> Done<usize> {
    let read = |name: &str| std::fs::read_to_string(root().join(name)).map_err(|error| format!("{name}: {error}"));
    let list: Advisories =
        toml::from_str(&read("advisories.toml")?).map_err(|error| format!("advisories.toml: {error}"))?;
    let mut locked = Vec::new();
    for workspace in WORKSPACES {
        let name = format!("{workspace}/Cargo.lock");
        let lock: Lock = toml::from_str(&read(&name)?).map_err(|error| format!("{name}: {error}"))?;
        locked.extend(lock.package);
    }
    let mut used: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in &locked {
        used.entry(&package.name).or_default().insert(&package.version);
    }
    let found: Vec<String> = list
        .advisory
        .iter()
        .filter(|advisory| advisory.accepted.is_none())
        .flat_map(|advisory| {
            let versions = used.get(advisory.package.as_str()).cloned().unwrap_or_default();
            versions
                .into_iter()
                .filter(|version| advisory.fixed_in.as_deref().is_none_or(|fixed| older(version, fixed)))
                .map(|version| format!("{}: {} {version}: {}", advisory.id, advisory.package, advisory.title))
                .collect::<Vec<_>>()
        })
        .collect();
    if found.is_empty() {
        Ok(list.advisory.len())
    } else {
        Err(found.join("\n"))
    }
}

/// Whether version `a` comes before version `b`, number by number.
fn older(a: &str, b: &str) -> bool {
    let numbers = |text: &str| -> Vec<u64> {
        let plain = text.split(['-', '+']).next().unwrap_or_default();
        plain.split('.').map(|part| part.parse().unwrap_or(0)).collect()
    };
    numbers(a) < numbers(b)
}

#[cfg(test)]
mod tests {
    use super::older;

    #[test]
    fn versions_are_compared_by_number() {
        assert!(older("0.9.8", "0.10.0"));
        assert!(!older("1.10.0", "1.9.9"));
        assert!(!older("1.2.3", "1.2.3"));
        assert!(older("1.2.3-rc.1", "1.2.4"));
    }
}
