//! Rivals from PyPI, each in a virtual environment of its own.

use crate::shell::{Done, command, must, root, target};
use std::path::PathBuf;
use std::process::Command;

/// A virtual environment under the target folder with what `requirements.txt` of a folder of the repository asks, made once and
/// again when that file changes; the path of its Python.
pub fn environment(name: &str, folder: &str) -> Done<PathBuf> {
    let made_in = target().join("bench").join(name);
    let python = made_in.join("bin/python");
    let wanted = root().join(folder).join("requirements.txt");
    let made = made_in.join("requirements.txt");
    let text = std::fs::read(&wanted).map_err(|error| format!("{}: {error}", wanted.display()))?;
    if std::fs::read(&made).is_ok_and(|there| there == text) && python.exists() {
        return Ok(python);
    }
    println!("making a virtual environment with {name}");
    let mut venv = command("python3", &["-m", "venv", "--clear"]);
    venv.arg(&made_in);
    must(venv).map_err(|error| format!("{error}\ninstall python3 and python3-venv (Debian), then run it again"))?;
    let mut install = Command::new(&python);
    install
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
        .arg(&wanted);
    must(install)?;
    std::fs::write(&made, text).map_err(|error| format!("{}: {error}", made.display()))?;
    Ok(python)
}
