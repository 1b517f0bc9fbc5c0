//! A new service: a small real allowance to change into one's own.

use std::path::{Path, PathBuf};

/// The files of a new folder.
const FILES: [(&str, &str); 13] = [
    ("service.toml", include_str!("../starter/service.toml")),
    ("form.toml", include_str!("../starter/form.toml")),
    ("rules.toml", include_str!("../starter/rules.toml")),
    (
        "parameters/days-needed.csv",
        include_str!("../starter/parameters/days-needed.csv"),
    ),
    (
        "parameters/allowance.csv",
        include_str!("../starter/parameters/allowance.csv"),
    ),
    ("notice.zh-TW.md", include_str!("../starter/notice.zh-TW.md")),
    ("notice.en.md", include_str!("../starter/notice.en.md")),
    ("letters/base.typ", include_str!("../starter/letters/base.typ")),
    ("letters/approved.typ", include_str!("../starter/letters/approved.typ")),
    ("letters/refused.typ", include_str!("../starter/letters/refused.typ")),
    (
        "letters/correction.typ",
        include_str!("../starter/letters/correction.typ"),
    ),
    (
        "cases/registered-for-180-days.toml",
        include_str!("../starter/cases/registered-for-180-days.toml"),
    ),
    (
        "cases/registered-for-179-days.toml",
        include_str!("../starter/cases/registered-for-179-days.toml"),
    ),
];

/// Why no folder was made.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The last part of the path can't name a service.
    #[error(
        "`{0}` can't name a service; use small letters, digits and `-`, beginning with a letter, as `birth-allowance`"
    )]
    Name(String),
    /// There is something already.
    #[error("{} is there already; choose another name, or remove it first", .0.display())]
    Taken(PathBuf),
    /// A file could not be written.
    #[error("{folder} can't be written: {1}", folder = .0.display())]
    Write(PathBuf, #[source] std::io::Error),
}

/// Makes a folder that passes [`crate::check`] and gives the paths of its files.
///
/// # Errors
/// [`StartError`]; nothing that was there before is touched.
pub fn start(folder: &Path) -> Result<Vec<PathBuf>, StartError> {
    let id = folder
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let sound = id.len() <= 60
        && id.starts_with(|c: char| c.is_ascii_lowercase())
        && id
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if !sound {
        return Err(StartError::Name(id));
    }
    if folder.exists() {
        return Err(StartError::Taken(folder.to_owned()));
    }
    let mut made = Vec::new();
    for (name, text) in FILES {
        let path = folder.join(name);
        let text = if name == "service.toml" {
            text.replace("id = \"birth-allowance\"", &format!("id = \"{id}\""))
        } else {
            text.to_owned()
        };
        let written = path
            .parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| std::fs::write(&path, text));
        written.map_err(|error| StartError::Write(path.clone(), error))?;
        made.push(path);
    }
    Ok(made)
}
