//! A match from files to a file, as an examiner runs it.

use linkage::{Files, LinkError, match_files};
use std::path::Path;

fn write(folder: &Path, name: &str, text: &str) -> std::path::PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("written");
    path
}

const LEFT: &str = "\u{feff}id, first, last, birth, town
1,ann,smith,1980-01-02,york
2,bob,jones,1990-05-05,hull
3,carl,meyer,1970-03-04,leeds
4,dora,price,1961-07-08,bath
";

const RIGHT: &str = "id,first,last,birth,town
a,ann,smith,民國69年1月2日,york
b,bob,jonse,1990-05-05,hull
c,eva,olsen,1950-09-09,ely
d,dora,price,1961-07-08,bath
";

fn files(folder: &Path) -> Files {
    let model = crate::kit::PEOPLE.replace("floor = -1000.0", "floor = -1000.0\nthreshold = 0.5\none_to_one = true");
    Files {
        left: write(folder, "left.csv", LEFT),
        right: Some(write(folder, "right.csv", RIGHT)),
        model: write(folder, "model.toml", &model),
        out: folder.join("pairs.csv"),
        weights: Some(folder.join("weights.json")),
    }
}

#[test]
fn two_files_are_matched_and_kept_weights_give_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = files(folder.path());
    let summary = match_files(&files, 2, &|_| ()).expect("a match");
    assert_eq!(
        (summary.left_rows, summary.right_rows, summary.matches),
        (4, Some(4), 3)
    );
    let first = std::fs::read_to_string(&files.out).expect("pairs");
    let header = first.lines().next().expect("a header");
    assert_eq!(
        header,
        "left,right,weight,probability,decision,cluster,rule,name,birth,town"
    );
    let matches: Vec<&str> = first
        .lines()
        .filter(|line| line.contains(",match,"))
        .map(|line| &line[..3])
        .collect();
    assert_eq!(matches, ["1,a", "2,b", "4,d"]);
    assert!(files.weights.as_ref().is_some_and(|path| path.exists()));
    match_files(&files, 1, &|_| ()).expect("a match with kept weights");
    assert_eq!(std::fs::read_to_string(&files.out).expect("pairs"), first);
}

#[test]
fn what_is_wrong_with_a_file_is_told_without_its_values() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = files(folder.path());
    let right = files.right.clone().expect("a right file");
    for (text, told) in [
        (
            "id,first,last,birth,town\na,secret\n",
            "line 2 has 2 values, the header has 5",
        ),
        ("id,first,first\n", "column `first` stands in it twice"),
    ] {
        std::fs::write(&right, text).expect("written");
        let error = match_files(&files, 1, &|_| ()).expect_err("refused").to_string();
        assert!(error.ends_with(told), "{error}");
        assert!(!error.contains("secret"));
    }
    std::fs::write(&right, b"id,first,last,birth,town\na,\xff,x,y,z\n").expect("written");
    let error = match_files(&files, 1, &|_| ()).expect_err("refused").to_string();
    assert!(
        error.ends_with("line 2 is not UTF-8; save the file as UTF-8"),
        "{error}"
    );
    std::fs::write(&right, "id,first,last,birth,town\n").expect("written");
    assert!(matches!(match_files(&files, 1, &|_| ()), Err(LinkError::Training(_))));
}

#[test]
fn a_match_that_fails_leaves_the_pairs_of_the_one_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = files(folder.path());
    std::fs::write(&files.out, "of before").expect("written");
    std::fs::remove_file(&files.left).expect("removed");
    let error = match_files(&files, 1, &|_| ()).expect_err("refused").to_string();
    assert!(
        error.ends_with("left.csv: the file or its folder is not there; check the name"),
        "{error}"
    );
    assert_eq!(std::fs::read_to_string(&files.out).expect("pairs"), "of before");
    let names: Vec<_> = std::fs::read_dir(folder.path()).expect("a folder").collect();
    assert_eq!(names.len(), 3, "nothing half written stays: {names:?}");
}

#[test]
fn a_file_that_cannot_be_written_is_told_before_the_work() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut files = files(folder.path());
    files.out = folder.path().join("no-such-folder/pairs.csv");
    let begun = std::cell::Cell::new(false);
    let error = match_files(&files, 1, &|_| begun.set(true))
        .expect_err("refused")
        .to_string();
    assert!(
        error.ends_with("pairs.csv: the file or its folder is not there; check the name"),
        "{error}"
    );
    assert!(!begun.get());
}
