//! The table as another program reads it: the Delta library of delta-io for Python, which shares no code with ours.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use hub::{At, compact, retain};
use serde::Deserialize;

use crate::kit::{City, PLAIN};

#[derive(Debug, Deserialize)]
struct Told {
    version: u64,
    columns: BTreeMap<String, String>,
    rows: BTreeMap<u64, Vec<String>>,
    noted: i64,
    operations: Vec<String>,
}

/// The Python of a virtual environment with the library, made where there is none; nothing where it can't be had.
fn python() -> Option<PathBuf> {
    let wanted = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reader/requirements.txt");
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("delta-reader");
    let python = home.join("bin/python");
    let made = home.join("requirements.txt");
    let text = std::fs::read(&wanted).unwrap();
    if std::fs::read(&made).is_ok_and(|there| there == text) {
        return Some(python);
    }
    let runs = |command: &mut Command| command.output().is_ok_and(|done| done.status.success());
    let venv = runs(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home));
    let pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--retries",
        "0",
        "--timeout",
        "20",
        "-r",
    ];
    if !venv || !runs(Command::new(&python).args(pip).arg(&wanted)) {
        println!("skipped: the table as the deltalake library of Python reads it; neither it nor the network is here");
        return None;
    }
    std::fs::write(&made, text).unwrap();
    Some(python)
}

fn read(python: &Path, city: &City, oldest: u64) -> Told {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reader/read.py");
    let mut run = Command::new(python);
    run.arg(script).arg(city.table()).arg(oldest.to_string()).arg("loads");
    let done = run.output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}

fn column(name: &str, rest: &str) -> String {
    format!(
        "[[column]]\nname = \"{name}\"\ntitle = {{ \"zh-TW\" = \"測\", en = \"Test\" }}\nmeaning = {{ \"zh-TW\" = \"測\", en = \"Test\" }}\n\
         personal = \"none\"\nfrom = \"{name}\"\n{rest}\n"
    )
}

#[tokio::test]
async fn another_reader_finds_the_same_in_every_version() {
    let Some(python) = python() else {
        return;
    };
    let text = PLAIN.replace("mode = \"full\"", "mode = \"incremental\"\ntime = \"day\"");
    let more = [
        column("share", "type = \"decimal(8,2)\"\nunit = \"1\""),
        column("open", "type = \"boolean\"\nwords = { Y = true, N = false }"),
        column("at", "type = \"timestamp\"\nformats = [\"iso\"]"),
    ];
    let mut city = City::of(&(text + &more.concat()));
    let job = city.job();
    let heading = "id,name,day,share,open,at\n";
    city.load(format!(
        "{heading}1,王小明,2026-01-01,0.50,Y,2026-01-01T08:00:00+08:00\n2,b,2026-01-02,,N,\n"
    ))
    .await;
    city.load(format!("{heading}2,c,2026-01-03,1234.5,Y,\n3,d,2026-01-03,,,\n"))
        .await;
    compact(&city.lake, &city.dataset, &job.staging, None, job.now)
        .await
        .unwrap();
    // a column more
    let text = std::fs::read_to_string(city.dataset.folder.join("dataset.toml")).unwrap();
    city.change(&(text + &column("note", "type = \"text\"")));
    city.load("id,name,day,share,open,at,note\n4,e,2026-01-04,,,,x\n").await;
    let told = read(&python, &city, 0);
    assert_eq!((told.version, told.noted), (4, 3));
    let columns = [
        ("id", "long"),
        ("name", "string"),
        ("day", "date"),
        ("share", "decimal(8,2)"),
        ("open", "boolean"),
        ("at", "timestamp"),
        ("note", "string"),
    ];
    let columns = columns.map(|(name, kind)| (name.to_owned(), kind.to_owned()));
    assert_eq!(told.columns, BTreeMap::from(columns));
    assert_eq!(told.operations, ["CREATE TABLE", "WRITE", "WRITE", "OPTIMIZE", "WRITE"]);
    assert_eq!(
        told.rows.get(&4).unwrap(),
        &[
            "1 王小明 2026-01-01 0.50 true 2026-01-01T00:00:00Z -",
            "2 c 2026-01-03 1234.50 true - -",
            "3 d 2026-01-03 - - - -",
            "4 e 2026-01-04 - - - x"
        ]
    );
    for (version, rows) in &told.rows {
        assert_eq!(rows, &city.rows_at(At::Version(*version)).await, "version {version}");
    }
    // years later the log begins with a checkpoint
    let later = "2040-01-01T00:00:00Z".parse().unwrap();
    let kept = retain(&city.lake, &city.dataset, &job.staging, None, later)
        .await
        .unwrap();
    assert_eq!(kept.log_entries_deleted, 4);
    assert!(kept.files_deleted > 0, "{kept:?}");
    let told = read(&python, &city, 4);
    assert_eq!((told.version, told.noted), (4, 3));
    assert_eq!(told.rows.get(&4).unwrap(), &city.rows().await);
    // and goes on from it
    city.load("id,name,day,share,open,at,note\n1,f,2026-02-01,,,,\n").await;
    let told = read(&python, &city, 4);
    assert_eq!((told.version, told.noted), (5, 4));
    assert_eq!(told.rows.get(&5).unwrap(), &city.rows().await);
}
