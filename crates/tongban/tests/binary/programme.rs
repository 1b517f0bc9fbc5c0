//! `tongban programme check`, as those who keep subsidy programmes as data meet it.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::{said, tongban};

/// The folder of the programme of year 114.
fn built_in() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../programmes/moda-114")
}

/// Copies the files of a folder, without its worked cases.
fn copy_files(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
    }
}

fn change(file: &Path, changes: &[(&str, &str)]) {
    let mut text = std::fs::read_to_string(file).unwrap();
    for (from, to) in changes {
        assert!(text.contains(from), "{from} stands in {}", file.display());
        text = text.replace(from, to);
    }
    std::fs::write(file, text).unwrap();
}

/// What a check of folders ends with and prints.
fn check(folders: &[&Path], json: bool) -> (Option<i32>, String, String) {
    let mut command = tongban(&["programme", "check"]);
    command.args(folders);
    if json {
        command.arg("--json");
    }
    let output = command.output().unwrap();
    let printed = String::from_utf8(output.stdout.clone()).unwrap();
    (output.status.code(), printed, said(&output))
}

#[test]
fn the_programme_of_year_114_is_sound() {
    let (code, printed, errors) = check(&[&built_in()], false);
    assert_eq!((code, errors.as_str()), (Some(0), ""), "{printed}");
    let last = printed.lines().last().unwrap();
    assert!(last.starts_with("ok   ") && last.contains("0 mistakes"), "{last}");
    let (code, printed, _) = check(&[&built_in()], true);
    assert_eq!(code, Some(0));
    let told: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(told["sound"], true);
    let programme = &told["programmes"][0];
    assert_eq!(programme["id"], "moda-114");
    assert!(programme["cases"].as_u64().unwrap() > 200, "{}", programme["cases"]);
}

#[test]
fn a_mistake_is_told_with_its_place_and_what_to_do() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("moda-114");
    copy_files(&built_in(), &folder);
    copy_files(&built_in().join("cases"), &folder.join("cases"));
    change(&folder.join("programme.toml"), &[("shingle = 10", "shingle = 2")]);
    let text = std::fs::read_to_string(folder.join("programme.toml")).unwrap();
    let line = 1 + text.lines().position(|line| line == "shingle = 2").unwrap();
    // one of two folders that is wrong is enough
    let (code, printed, errors) = check(&[&folder, &built_in()], false);
    assert_eq!(code, Some(1));
    let wanted = format!("mistake: {}/programme.toml:{line}:11: a shingle has", folder.display());
    let told = printed.lines().find(|told| told.starts_with(&wanted));
    assert!(
        told.is_some_and(|told| told.contains("; write `shingle = 10`")),
        "{printed}"
    );
    assert!(printed.contains("FAIL ") && printed.contains("ok   "), "{printed}");
    assert!(errors.contains("mistakes were found"), "{errors}");
    let (code, printed, _) = check(&[&folder], true);
    assert_eq!(code, Some(1));
    let told: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(told["sound"], false);
    let mistake = &told["programmes"][0]["mistakes"][0];
    assert_eq!(mistake["file"], "programme.toml");
    assert_eq!(mistake["line"], line);
    assert_eq!(mistake["column"], 11);
}

#[test]
fn a_worked_case_that_does_not_hold_is_told_at_what_it_expects() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("moda-114");
    copy_files(&built_in(), &folder);
    std::fs::create_dir(folder.join("cases")).unwrap();
    let case = "kind = \"reminder\"\n\n[[case]]\ntitle = \"a day\"\nsource = \"the call\"\n\n[case.given]\non = \"2024-05-30\"\n\n[case.expect]\ndue = []\n";
    std::fs::write(folder.join("cases/reminders.toml"), case).unwrap();
    let (code, printed, _) = check(&[&folder], false);
    assert_eq!(code, Some(1));
    assert!(
        printed.contains("/cases/reminders.toml:11:7: a day: `due` should be []"),
        "{printed}"
    );
}

/// Another year with fewer governments, no concepts and cases of its own: the folder alone says so.
#[test]
fn another_year_is_another_folder() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("moda-115");
    copy_files(&built_in(), &folder);
    let years = [
        ("\"moda-114\"", "\"moda-115\""),
        ("\"2026-", "\"2027-"),
        ("\"2025-", "\"2026-"),
        ("\"2024-05-31T17:00\"", "\"2025-05-30T12:00\""),
        ("years = [114, 115]", "years = [115, 116]"),
        ("funded = 114", "funded = 115"),
    ];
    change(&folder.join("programme.toml"), &years);
    let targets = [("{ year = 115,", "{ year = 116,"), ("{ year = 114,", "{ year = 115,")];
    change(&folder.join("indicators.toml"), &targets);
    std::fs::remove_file(folder.join("concepts.txt")).unwrap();
    let tiers = "government,name,tier,source\nTPE,臺北市,1,table of 115 to 117\nPIF,屏東縣,5,table of 115 to 117\n";
    std::fs::write(folder.join("tiers.csv"), tiers).unwrap();
    std::fs::create_dir(folder.join("cases")).unwrap();
    let case = |title: &str, given: &str, expect: &str| {
        format!(
            "[[case]]\ntitle = \"{title}\"\nsource = \"the call\"\n\n[case.given]\n{given}\n\n[case.expect]\n{expect}\n\n"
        )
    };
    let clocks = [
        ("2025-05-30T11:59:59+08:00", "open"),
        ("2025-05-30T12:00:00+08:00", "over"),
    ];
    let clocks = clocks.map(|(at, phase)| {
        let given = format!("clock = \"call\"\nat = \"{at}\"");
        case(at, &given, &format!("phase = \"{phase}\""))
    });
    let clocks = format!("kind = \"clock\"\n\n{}", clocks.concat());
    std::fs::write(folder.join("cases/clocks.toml"), clocks).unwrap();
    let funding = case(
        "the highest tier at the cap",
        "government = \"PIF\"\ntotal = 5000000",
        "subsidy = 4500000\nown = 500000",
    );
    std::fs::write(
        folder.join("cases/funding.toml"),
        format!("kind = \"funding\"\n\n{funding}"),
    )
    .unwrap();
    let (code, printed, errors) = check(&[&folder], false);
    assert_eq!((code, errors.as_str()), (Some(0), ""), "{printed}");
    assert!(
        printed.contains("3 worked cases hold, 0 mistakes, 0 warnings"),
        "{printed}"
    );
    // under the name of another year it is none
    let wrong = place.path().join("moda-116");
    std::fs::rename(&folder, &wrong).unwrap();
    let (code, printed, _) = check(&[&wrong], false);
    assert_eq!(code, Some(1));
    assert!(
        printed.contains("the id is `moda-115`, the folder `moda-116`"),
        "{printed}"
    );
}
