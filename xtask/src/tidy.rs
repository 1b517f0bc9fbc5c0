//! Structure is tested like behaviour: who may import whom, lints inherited, nothing of one machine in the tree.

use crate::shell::{Done, command, root};
use crate::{advisories, licences};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// The import table of ARCHITECTURE.md: a crate and the crates of ours it may use.
const IMPORTS: &[(&str, &[&str])] = &[
    ("civic", &[]),
    ("linkage", &["civic"]),
    ("lottery", &[]),
    ("pki", &[]),
    ("rules", &["civic"]),
    ("store", &["civic"]),
    ("spreadsheet", &[]),
    ("press", &[]),
    ("services", &["civic", "press", "rules", "spreadsheet"]),
    ("hub", &["civic", "spreadsheet"]),
    ("exchange", &["civic", "pki", "store"]),
    ("troad", &["civic", "pki"]),
    ("grants", &["civic", "press"]),
    ("subsidies", &["civic", "lottery", "grants", "store"]),
    (
        "cases",
        &[
            "civic", "lottery", "rules", "services", "store", "exchange", "troad", "hub",
        ],
    ),
    (
        "web",
        &[
            "civic",
            "rules",
            "services",
            "store",
            "exchange",
            "troad",
            "grants",
            "cases",
            "subsidies",
        ],
    ),
    ("peers", &["civic"]),
    (
        "tongban",
        &[
            "civic",
            "linkage",
            "lottery",
            "rules",
            "services",
            "store",
            "exchange",
            "troad",
            "hub",
            "grants",
            "cases",
            "subsidies",
            "web",
            "peers",
        ],
    ),
    ("xtask", &[]),
    ("cluster", &["rules"]),
];

/// A check by name; it gives a sentence about what it looked at, or what is wrong.
type Check = (&'static str, fn() -> Done<String>);

/// All structure checks.
pub const CHECKS: &[Check] = &[
    ("import table", import_table),
    ("lints inherited", lints_inherited),
    ("paths of one machine", no_machine_paths),
    ("unfinished code", no_stubs),
    ("licences", || {
        licences::check().map(|count| format!("{count} packages"))
    }),
    ("advisories", || {
        advisories::check().map(|count| format!("{count} advisories"))
    }),
];

/// Runs all of them and prints a line for each.
pub fn run() -> Done {
    let mut failed = 0;
    for (name, check) in CHECKS {
        match check() {
            Ok(looked) => println!("ok    {name}: {looked}"),
            Err(message) => {
                failed += 1;
                println!("FAIL  {name}:\n{message}");
            }
        }
    }
    if failed == 0 {
        Ok(())
    } else {
        Err(format!("{failed} structure checks failed"))
    }
}

#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    dependencies: BTreeMap<String, toml::Value>,
    lints: Option<toml::Table>,
    workspace: Option<toml::Table>,
}

/// The manifest of the whole.
#[derive(Deserialize)]
struct Whole {
    workspace: Lints,
}

#[derive(Deserialize)]
struct Lints {
    lints: toml::Table,
}

fn manifests() -> Done<Vec<(String, Manifest)>> {
    let folder = root().join("crates");
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .map_err(|error| format!("{}: {error}", folder.display()))?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort();
    let mut paths: Vec<(String, std::path::PathBuf)> = names
        .into_iter()
        .map(|name| (name.clone(), folder.join(name).join("Cargo.toml")))
        .collect();
    paths.push(("xtask".to_owned(), root().join("xtask/Cargo.toml")));
    paths.push(("cluster".to_owned(), root().join("bench/cluster/Cargo.toml")));
    paths
        .into_iter()
        .map(|(name, path)| {
            let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            let manifest = toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
            Ok((name, manifest))
        })
        .collect()
}

fn import_table() -> Done<String> {
    let ours: BTreeSet<&str> = IMPORTS.iter().map(|(name, _)| *name).collect();
    let mut wrong = Vec::new();
    let manifests = manifests()?;
    for (name, manifest) in &manifests {
        let Some((_, may)) = IMPORTS.iter().find(|(listed, _)| listed == name) else {
            wrong.push(format!("crate `{name}` stands in no row of the import table"));
            continue;
        };
        for used in manifest.dependencies.keys().filter(|used| ours.contains(used.as_str())) {
            if !may.contains(&used.as_str()) {
                wrong.push(format!(
                    "crate `{name}` imports `{used}`, which the import table does not allow"
                ));
            }
        }
    }
    if wrong.is_empty() {
        Ok(format!("{} crates", manifests.len()))
    } else {
        Err(wrong.join("\n"))
    }
}

fn lints_inherited() -> Done<String> {
    let path = root().join("Cargo.toml");
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let whole: Whole = toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    let inherited = |lints: &toml::Table| lints.get("workspace") == Some(&toml::Value::Boolean(true));
    let without: Vec<String> = manifests()?
        .into_iter()
        // what is a workspace of its own can't inherit them and repeats them
        .filter(|(_, manifest)| match (&manifest.lints, &manifest.workspace) {
            (Some(lints), None) => !inherited(lints),
            (Some(lints), Some(_)) => *lints != whole.workspace.lints,
            (None, _) => true,
        })
        .map(|(name, _)| format!("crate `{name}` does not have the lints of the workspace"))
        .collect();
    if without.is_empty() {
        Ok("all".to_owned())
    } else {
        Err(without.join("\n"))
    }
}

/// Lines of the tracked files under `paths` that match `pattern`.
fn lines(pattern: &str, paths: &[&str]) -> Done<Vec<String>> {
    let mut args = vec!["grep", "-nIE", pattern, "--"];
    args.extend(paths);
    let found = command("git", &args)
        .output()
        .map_err(|error| format!("git grep: {error}"))?;
    Ok(String::from_utf8_lossy(&found.stdout)
        .lines()
        .map(str::to_owned)
        .collect())
}

fn no_machine_paths() -> Done<String> {
    let found = lines(
        "/(work|root|home/[a-z]+)/",
        &[".", ":!*.lock", ":!*.svg", ":!xtask/src/tidy.rs", ":!*/vendor/*"],
    )?;
    if found.is_empty() {
        Ok("none".to_owned())
    } else {
        Err(found.join("\n"))
    }
}

fn no_stubs() -> Done<String> {
    let found = lines(
        r"(todo!\(|unimplemented!\(|FIXME|TODO)",
        &[
            "*.rs",
            "*.toml",
            "*.mjs",
            "*.html",
            ":!xtask/src/tidy.rs",
            ":!Cargo.toml",
            ":!*/vendor/*",
        ],
    )?;
    if found.is_empty() {
        Ok("none".to_owned())
    } else {
        Err(found.join("\n"))
    }
}
