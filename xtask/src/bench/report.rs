//! What a bench found: figures, the targets they are held to, and whether both sides gave the same answer.

use crate::shell::{Done, command, output, target};
use serde::Serialize;
use std::collections::BTreeMap;

/// A figure may not be below or above this.
#[derive(Serialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    Min(f64),
    Max(f64),
}

/// The result of one bench, written as `target/bench/NAME.json`.
#[derive(Serialize)]
pub struct Report {
    name: String,
    date: String,
    cores: usize,
    figures: BTreeMap<String, f64>,
    targets: BTreeMap<String, Target>,
    equal: bool,
}

impl Report {
    /// An empty report; `equal` says whether the two sides' answers agreed.
    pub fn new(name: &str, equal: bool) -> Report {
        let date = output(command("date", &["--iso-8601=seconds"]))
            .unwrap_or_default()
            .trim()
            .to_owned();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Report {
            name: name.to_owned(),
            date,
            cores,
            figures: BTreeMap::new(),
            targets: BTreeMap::new(),
            equal,
        }
    }

    /// Adds a figure, with its target where it has one.
    pub fn figure(&mut self, key: &str, value: f64, target: Option<Target>) {
        self.figures.insert(key.to_owned(), value);
        if let Some(target) = target {
            self.targets.insert(key.to_owned(), target);
        }
    }

    /// Prints the table, writes the file, and fails where answers differ or a target is missed.
    pub fn finish(self) -> Done {
        println!("\n{} · {} · {} cores", self.name, self.date, self.cores);
        let mut missed = Vec::new();
        for (key, value) in &self.figures {
            let (shown, holds) = match self.targets.get(key) {
                None => (String::new(), true),
                Some(Target::Min(least)) => (format!("at least {least}"), value >= least),
                Some(Target::Max(most)) => (format!("at most {most}"), value <= most),
            };
            println!(
                "  {key:<34} {value:>14.3}  {shown}{}",
                if holds { "" } else { "  MISSED" }
            );
            if !holds {
                missed.push(key.clone());
            }
        }
        println!("  equal answers: {}", self.equal);
        let folder = target().join("bench");
        std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let path = folder.join(format!("{}.json", self.name));
        let json = serde_json::to_string_pretty(&self).map_err(|error| error.to_string())?;
        std::fs::write(&path, json).map_err(|error| format!("{}: {error}", path.display()))?;
        match (self.equal, missed.is_empty()) {
            (true, true) => Ok(()),
            (false, _) => Err("the two sides gave different answers".to_owned()),
            (true, false) => Err(format!("targets missed: {}", missed.join(", "))),
        }
    }
}
