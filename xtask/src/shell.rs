//! Running other programs: where the repository is, and what a program answered.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What went wrong, in words for the person at the terminal.
pub type Done<T = ()> = Result<T, String>;

/// The root of the repository.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Folders of the workspaces: the platform, and what is compiled apart from it: a bench's cluster, and random input.
pub const WORKSPACES: [&str; 3] = [".", "bench/cluster", "fuzz"];

/// The folder cargo builds into.
pub fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => root().join("target"),
    }
}

/// A command that runs in the root of the repository.
pub fn command(program: &str, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(args).current_dir(root()).stdin(Stdio::null());
    // what cargo says of this task is no other cargo's: build scripts that look at it would run again, and with them everything that
    // depends on them would be built anew each time a task follows a plain build
    for (name, _) in std::env::vars_os() {
        if name
            .to_str()
            .is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
        {
            command.env_remove(&name);
        }
    }
    command
}

/// Runs a command to its end; its exit must be 0.
pub fn must(mut command: Command) -> Done {
    let shown = format!("{command:?}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{shown} ended with {status}")),
        Err(error) => Err(format!("{shown} did not start: {error}")),
    }
}

/// Standard output of a command whose exit must be 0.
pub fn output(mut command: Command) -> Done<String> {
    let shown = format!("{command:?}");
    let out = command
        .output()
        .map_err(|error| format!("{shown} did not start: {error}"))?;
    if !out.status.success() {
        return Err(format!(
            "{shown} ended with {}\n{}",
            out.status,
            String::from_utf8_lossy(&out.stderr)
        ));
    }
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}

/// Runs a command, passes every line of its standard output on and hands it to `line` as well.
/// Returns whether its exit was 0.
pub fn watched(mut command: Command, mut line: impl FnMut(&str)) -> Done<bool> {
    let shown = format!("{command:?}");
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{shown} did not start: {error}"))?;
    if let Some(out) = child.stdout.take() {
        for text in BufReader::new(out).lines() {
            let text = text.map_err(|error| format!("reading from {shown}: {error}"))?;
            println!("{text}");
            line(&text);
        }
    }
    let status = child.wait().map_err(|error| format!("{shown}: {error}"))?;
    Ok(status.success())
}

/// Whether a program of this name can be started.
pub fn has(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|paths| std::env::split_paths(&paths).any(|folder| folder.join(program).is_file()))
}

/// Whether this process may install system packages.
pub fn is_root() -> bool {
    output(command("id", &["-u"])).is_ok_and(|id| id.trim() == "0")
}
