//! The document in LibreOffice, in which governments open and edit ODT: saved by it the plan comes back as it was, and what it
//! prints has the chapters in the order of annex 1.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use grants::Plan;
use grants::assessment::Assessment;
use grants::odt::{read, write};

use crate::kit::{folder, plan, programme};
use crate::pdf::{HEADINGS, words};

/// The sound plan, one whose texts have what an office program may fold, and one with each example of annex 2.
fn plans() -> Vec<(String, Plan)> {
    let mut awkward = plan();
    let texts = [
        ("goals", "  前面兩格，中間  兩格\t定位\n\n<&>\"' 𪄣é，後面兩格  "),
        ("review", "一\n二\n\n三"),
    ];
    for (id, text) in texts {
        awkward.texts.insert(id.to_owned(), text.to_owned());
    }
    awkward.lines[0].note = "門別：這裡不是欄名".to_owned();
    let examples = (1..=13).map(|number| {
        let name = format!("cases/assessment-{number:02}.toml");
        let text = std::fs::read_to_string(folder().join(name)).unwrap();
        let case: toml::Value = toml::from_str(&text).unwrap();
        let assessment: Assessment = case["case"][0]["given"].clone().try_into().unwrap();
        (format!("example-{number:02}"), Plan { assessment, ..plan() })
    });
    [("sound".to_owned(), plan()), ("awkward".to_owned(), awkward)]
        .into_iter()
        .chain(examples)
        .collect()
}

/// Has LibreOffice turn all files into another format at once, since each start takes seconds; gives the files it made, or
/// none where it is not installed.
fn converted(files: &[PathBuf], to: &str, place: &Path) -> Option<Vec<PathBuf>> {
    let made = place.join(to);
    let profile = format!("-env:UserInstallation=file://{}", place.join("profile").display());
    let output = Command::new("soffice")
        .arg(profile)
        .args(["--headless", "--norestore", "--convert-to", to, "--outdir"])
        .arg(&made)
        .args(files)
        .env("HOME", place)
        .output();
    let output = match output {
        Ok(output) => output,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            println!("skipped: the document in LibreOffice, without libreoffice-writer-nogui");
            return None;
        }
        Err(error) => panic!("{error}"),
    };
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let made = files.iter().map(|file| {
        let name = Path::new(file.file_stem().unwrap()).with_extension(to);
        let path = made.join(name);
        assert!(path.is_file(), "{} was not made: {said}", path.display());
        path
    });
    Some(made.collect())
}

#[test]
fn a_plan_saved_by_libreoffice_comes_back_and_is_printed_in_the_order_of_the_annex() {
    let programme = programme();
    let place = tempfile::tempdir().unwrap();
    let plans = plans();
    let files = plans.iter().map(|(name, plan)| {
        let file = place.path().join(format!("{name}.odt"));
        std::fs::write(&file, write(plan, &programme).unwrap()).unwrap();
        file
    });
    let files: Vec<PathBuf> = files.collect();
    let Some(saved) = converted(&files, "odt", place.path()) else {
        return;
    };
    for ((name, plan), file) in plans.iter().zip(&saved) {
        let bytes = std::fs::read(file).unwrap();
        // it was opened and saved anew, not copied
        assert_ne!(bytes, write(plan, &programme).unwrap(), "{name}");
        let imported = read(&bytes, &programme).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(imported.plan, plan.tidied().unwrap(), "{name}");
        assert_eq!(imported.left_over, Vec::<String>::new(), "{name}");
    }
    for file in converted(&saved, "pdf", place.path()).into_iter().flatten() {
        let Some(pages) = words(&std::fs::read(&file).unwrap()) else {
            return;
        };
        let all = pages.concat();
        let mut from = 0;
        for heading in HEADINGS {
            let at = all[from..].find(heading);
            let at = at.unwrap_or_else(|| panic!("{}: {heading} is not where it belongs", file.display()));
            from += at + heading.len();
        }
    }
}
