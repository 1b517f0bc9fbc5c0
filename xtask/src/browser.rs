//! The journeys in Debian's Chromium, driven by playwright-core, run by Node's own test runner.

use crate::shell::{root, target};
use crate::test::Counts;
use std::path::Path;
use std::process::Command;

/// The command that walks every journey against a freshly started platform.
pub fn journeys(binary: &Path) -> Command {
    walked(binary, |_| true)
}

/// The command that walks the journeys whose files have these names.
pub fn named(binary: &Path, names: &[&str]) -> Command {
    let files: Vec<String> = names.iter().map(|name| format!("{name}.spec.mjs")).collect();
    walked(binary, |path| {
        path.file_name()
            .is_some_and(|name| files.iter().any(|file| name == file.as_str()))
    })
}

/// The command that walks the journeys of these names with a database each of the server at `address`.
pub fn named_on_postgres(binary: &Path, names: &[&str], address: &str) -> Command {
    let mut node = named(binary, names);
    node.env("TONGBAN_JOURNEY_POSTGRES", address)
        .env("TONGBAN_SCREENSHOTS", target().join("screenshots/postgres"));
    node
}

fn walked(binary: &Path, is_wanted: impl Fn(&Path) -> bool) -> Command {
    let mut node = Command::new("node");
    // Each has a platform of its own and waits much; more than two would wait for each other's processor.
    node.args(["--test", "--test-reporter=spec", "--test-concurrency=2"]);
    let mut specs: Vec<_> = ["resident", "office", "counter", "programme"]
        .iter()
        .flat_map(|role| specs(&root().join("tests").join(role)))
        .filter(|path| is_wanted(path))
        .collect();
    specs.sort();
    node.args(specs);
    node.current_dir(root().join("tests"))
        .env("TONGBAN_BINARY", binary)
        .env("TONGBAN_SCREENSHOTS", target().join("screenshots"))
        .stdin(std::process::Stdio::null());
    node
}

fn specs(folder: &Path) -> Vec<std::path::PathBuf> {
    std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.to_string_lossy().ends_with(".spec.mjs"))
        .collect()
}

/// Closing lines of the spec reporter: `ℹ pass 3`, `ℹ fail 0`, `ℹ skipped 0`.
pub fn node_line(line: &str, counts: &mut Counts) {
    let mut words = line.split_whitespace().skip_while(|word| *word == "ℹ" || *word == "#");
    if let (Some(word), Some(number), None) = (
        words.next(),
        words.next().and_then(|word| word.parse::<usize>().ok()),
        words.next(),
    ) {
        match word {
            "pass" => counts.passed += number,
            "fail" => counts.failed += number,
            "skipped" => counts.skipped += number,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_lines_of_node_are_read() {
        let mut counts = Counts::default();
        for line in [
            "ℹ tests 4",
            "ℹ pass 3",
            "ℹ fail 1",
            "ℹ skipped 2",
            "✔ pass 3 things (1ms)",
        ] {
            node_line(line, &mut counts);
        }
        assert_eq!((counts.passed, counts.failed, counts.skipped), (3, 1, 2));
    }
}
