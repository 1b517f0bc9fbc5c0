//! The data a city may replace, compiled in, so that one file is enough: services, MyData sets, subsidy programmes, the calendar.

use rust_embed::Embed;
use std::path::{Path, PathBuf};

#[derive(Embed)]
#[folder = "../../services/"]
struct Services;

#[derive(Embed)]
#[folder = "../../datasets/"]
struct Datasets;

#[derive(Embed)]
#[folder = "../../programmes/"]
struct Programmes;

/// The calendar of working days, where the configuration names none.
pub const CALENDAR: &str = include_str!("../../../calendars/taiwan.csv");

/// Writes the services and data sets that were compiled in under a folder, anew each time.
///
/// # Errors
/// When the folder can't be written.
pub fn unpack(under: &Path) -> std::io::Result<(PathBuf, PathBuf)> {
    let (services, datasets) = (under.join("services"), under.join("datasets"));
    for folder in [&services, &datasets] {
        if folder.exists() {
            std::fs::remove_dir_all(folder)?;
        }
    }
    write::<Services>(&services)?;
    write::<Datasets>(&datasets)?;
    Ok((services, datasets))
}

/// Writes the subsidy programmes that were compiled in under a folder, anew each time.
///
/// # Errors
/// When the folder can't be written.
pub fn unpack_programmes(under: &Path) -> std::io::Result<PathBuf> {
    let programmes = under.join("programmes");
    if programmes.exists() {
        std::fs::remove_dir_all(&programmes)?;
    }
    write::<Programmes>(&programmes)?;
    Ok(programmes)
}

fn write<Folder: Embed>(under: &Path) -> std::io::Result<()> {
    for name in Folder::iter() {
        if let Some(file) = Folder::get(&name) {
            let path = under.join(name.as_ref());
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            std::fs::write(path, file.data)?;
        }
    }
    Ok(())
}
