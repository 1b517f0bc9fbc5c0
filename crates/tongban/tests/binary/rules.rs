//! `tongban rules` as the author of a service meets it: mistakes with their place, a case explained, a population swept.

use std::path::Path;
use std::process::Output;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch};
use arrow::datatypes::{Int64Type, UInt64Type};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};

use super::{said, tongban};

const RULES: &str = r#"[decision]
outcome = "eligible"
amounts = ["amount"]

[inputs.person.age]
type = "integer"
title = { "zh-TW" = "年齡", en = "Age" }

[inputs.person.income]
type = "integer"
title = { "zh-TW" = "收入", en = "Income" }

[inputs.person.members]
type = "integer"
title = { "zh-TW" = "人口", en = "Members" }

[parameters.line]
file = "line.csv"
type = "integer"

[[step]]
name = "is_elder"
entity = "person"
title = { "zh-TW" = "年滿 65 歲", en = "65 or over" }
law = "試辦要點 §1"
sql = "age >= 65"

[[step]]
name = "is_poor"
entity = "person"
title = { "zh-TW" = "收入低於標準", en = "Income below the line" }
law = "試辦要點 §2"
sql = "income <= line()"

[[step]]
name = "eligible"
entity = "case"
title = { "zh-TW" = "符合資格", en = "Eligible" }
law = "試辦要點 §1"
sql = "applicant.is_elder AND applicant.is_poor"

[[step]]
name = "amount"
entity = "case"
title = { "zh-TW" = "金額", en = "Amount" }
law = "試辦要點 §3"
sql = "CASE WHEN eligible THEN 12000 / applicant.members ELSE 0 END"
"#;

/// Age, income and members.
type Person = (i64, Option<i64>, i64);

/// Some people; the last one's division is not looked at.
const PEOPLE: [Person; 5] = [
    (70, Some(10_000), 2),
    (60, Some(10_000), 2),
    (70, Some(99_999), 3),
    (70, None, 2),
    (60, None, 0),
];

/// A folder of these rules.
fn folder(rules: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("rules.toml"), rules).unwrap();
    let line = "# of the announcement\nfrom,value,unit,source\n2026-01-01,20000,NT$,an announcement\n";
    std::fs::write(folder.path().join("line.csv"), line).unwrap();
    folder
}

/// Runs a command of `rules` on a folder.
fn run(command: &str, folder: &Path, more: &[&str]) -> Output {
    let mut arguments = vec!["rules", command, folder.to_str().unwrap()];
    arguments.extend(more);
    tongban(&arguments).output().unwrap()
}

/// Runs it on one case.
fn on_case(command: &str, folder: &Path, facts: (i64, Option<i64>, i64), more: &[&str]) -> Output {
    let (age, income, members) = facts;
    let person = json!({ "id": "p1", "applicant": true, "age": age, "income": income, "members": members });
    let file = folder.join("case.json");
    std::fs::write(&file, json!({ "persons": [person] }).to_string()).unwrap();
    let mut arguments = vec!["--input", file.to_str().unwrap()];
    arguments.extend(more);
    run(command, folder, &arguments)
}

fn printed(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn as_json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", said(output)))
}

/// The line and column at which a part of a text stands.
fn place(text: &str, part: &str) -> (usize, usize) {
    let before = text.get(..text.find(part).unwrap()).unwrap();
    let line = before.matches('\n').count() + 1;
    (line, before.rsplit('\n').next().unwrap().chars().count() + 1)
}

#[test]
fn a_folder_without_mistakes_is_said_to_be_sound() {
    let folder = folder(RULES);
    let told = run("check", folder.path(), &["--date", "2026-11-20"]);
    assert_eq!(told.status.code(), Some(0), "{}", said(&told));
    assert!(printed(&told).ends_with(": 3 inputs, 4 steps, 1 parameters, no mistake\n"));
    assert_eq!(said(&told), "");
    let told = as_json(&run("check", folder.path(), &["--date", "2026-11-20", "--json"]));
    assert_eq!((&told["sound"], &told["warnings"]), (&json!(true), &json!([])));
    assert_eq!(told["steps"].as_array().unwrap().len(), 4);
}

#[test]
fn a_parameter_without_a_value_on_the_day_is_warned_of() {
    let folder = folder(RULES);
    let told = run("check", folder.path(), &["--date", "2025-12-31"]);
    assert_eq!(told.status.code(), Some(0), "{}", said(&told));
    let wanted = format!(
        "warning: {}/line.csv:2:1: the parameter `line` has no value in force on 2025-12-31; its earliest `from` is 2026-01-01",
        folder.path().display()
    );
    assert!(said(&told).starts_with(&wanted), "{}", said(&told));
    let told = as_json(&run("check", folder.path(), &["--date", "2025-12-31", "--json"]));
    assert_eq!(told["warnings"][0]["file"], "line.csv");
    assert_eq!(told["warnings"][0]["line"], 2);
}

#[test]
fn a_mistake_is_told_with_file_line_column_and_a_suggestion() {
    let broken = RULES.replace("income <= line()", "incme <= line()");
    let (line, column) = place(&broken, "incme");
    let folder = folder(&broken);
    let told = run("check", folder.path(), &[]);
    assert_eq!(told.status.code(), Some(1));
    let wanted = format!(
        "{}/rules.toml:{line}:{column}: unknown column `incme` of the person; did you mean `income`?",
        folder.path().display()
    );
    assert!(said(&told).contains(&wanted), "{}", said(&told));
    let told = run("check", folder.path(), &["--json"]);
    assert_eq!(told.status.code(), Some(1));
    let told = as_json(&told);
    assert_eq!(told["sound"], false);
    let mistake = json!({ "file": "rules.toml", "line": line, "column": column,
        "message": "unknown column `incme` of the person", "suggestion": "did you mean `income`?" });
    assert_eq!(told["mistakes"], json!([mistake]));
    // no other command begins with such a folder
    let told = on_case("explain", folder.path(), PEOPLE[0], &["--date", "2026-11-20"]);
    assert_eq!(told.status.code(), Some(1));
    assert!(said(&told).contains(&wanted), "{}", said(&told));
}

#[test]
fn a_case_is_explained_with_the_law_beside_each_step() {
    let folder = folder(RULES);
    let explain = |place: usize, more: &[&str]| {
        let mut arguments = vec!["--date", "2026-11-20"];
        arguments.extend(more);
        let told = on_case("explain", folder.path(), PEOPLE[place], &arguments);
        assert_eq!(told.status.code(), Some(0), "{}", said(&told));
        told
    };
    let told = printed(&explain(2, &[]));
    for wanted in [
        "不符合 not eligible",
        "不符合：收入低於標準（試辦要點 §2）",
        "年滿 65 歲（p1）：是　〔試辦要點 §1〕",
        "收入低於標準（p1）：否　〔試辦要點 §2〕",
        "金額：0　〔試辦要點 §3〕",
    ] {
        assert!(told.contains(wanted), "{wanted}: {told}");
    }
    assert!(!told.contains("還需要"), "{told}");
    let told = as_json(&explain(2, &["--json"]));
    assert_eq!(
        (&told["outcome"], &told["minimum"]),
        (&json!(false), &json!(["is_poor"]))
    );
    assert!(told["steps"].as_array().unwrap().iter().all(|step| {
        step["law"].as_str().is_some_and(|law| law.starts_with("試辦要點 §")) && step["title"].is_string()
    }));
    let told = printed(&explain(3, &[]));
    assert!(
        told.contains("還不能判斷") && told.contains("還需要：person.p1.income"),
        "{told}"
    );
    let told = as_json(&explain(3, &["--json"]));
    assert_eq!(told["outcome"], Value::Null);
    assert_eq!(
        told["waiting"],
        json!([{ "entity": "person", "person": "p1", "name": "income" }])
    );
}

#[test]
fn what_can_not_be_decided_is_told_at_its_place_in_the_folder() {
    let folder = folder(RULES);
    let (line, column) = place(RULES, "12000 /");
    for (facts, date, wanted) in [
        (
            (70, Some(10_000), 0),
            "2026-11-20",
            format!("rules.toml:{line}:{column}: the step `amount` can't be calculated: it divides by zero; "),
        ),
        (
            PEOPLE[0],
            "2025-12-31",
            "line.csv:2:1: the parameter `line` has no value in force on 2025-12-31; ".to_owned(),
        ),
    ] {
        let told = on_case("decide", folder.path(), facts, &["--date", date]);
        assert_eq!(told.status.code(), Some(1));
        let wanted = format!("{}/{wanted}", folder.path().display());
        assert!(said(&told).contains(&wanted), "{}", said(&told));
    }
}

#[test]
fn a_sweep_says_of_everybody_what_a_single_decision_does() {
    let folder = folder(RULES);
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let numbers = |values: Vec<Option<i64>>| -> ArrayRef { Arc::new(Int64Array::from(values)) };
    let column = |value: fn(&Person) -> Option<i64>| numbers(PEOPLE.iter().map(value).collect());
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("household", numbers((0..5).map(Some).collect())),
        ("applicant", Arc::new(BooleanArray::from(vec![true; PEOPLE.len()]))),
        ("age", column(|one| Some(one.0))),
        ("income", column(|one| one.1)),
        ("members", column(|one| Some(one.2))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let file = std::fs::File::create(path("people.parquet")).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();

    let (people, out) = (path("people.parquet"), path("swept.parquet"));
    let arguments = [
        "--people",
        people.as_str(),
        "--date",
        "2026-11-20",
        "--out",
        out.as_str(),
        "--json",
    ];
    let told = run("sweep", folder.path(), &arguments);
    assert_eq!(told.status.code(), Some(0), "{}", said(&told));
    let told = as_json(&told);
    let counts = ["persons", "households", "cases", "entitled", "refused", "unknown"].map(|name| told[name].as_u64());
    assert_eq!(counts, [5, 5, 5, 1, 3, 1].map(Some));
    assert_eq!(told["sums"], json!({ "amount": 6_000 }));

    let file = std::fs::File::open(&out).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    let mut seen = 0;
    for batch in reader {
        let batch = batch.unwrap();
        let rows = batch
            .column_by_name("applicant_row")
            .unwrap()
            .as_primitive::<UInt64Type>();
        let outcomes = batch.column_by_name("outcome").unwrap().as_boolean();
        let amounts = batch.column_by_name("amount").unwrap().as_primitive::<Int64Type>();
        for at in 0..batch.num_rows() {
            let person = PEOPLE[usize::try_from(rows.value(at)).unwrap()];
            let alone = as_json(&on_case(
                "decide",
                folder.path(),
                person,
                &["--date", "2026-11-20", "--json"],
            ));
            let outcome = outcomes.is_valid(at).then(|| outcomes.value(at));
            let amount = amounts.is_valid(at).then(|| amounts.value(at));
            assert_eq!(
                (json!(outcome), json!(amount)),
                (alone["outcome"].clone(), alone["amounts"]["amount"].clone())
            );
            seen += 1;
        }
    }
    assert_eq!(seen, PEOPLE.len());
}

#[test]
fn wrong_usage_of_rules_ends_with_two() {
    let folder = folder(RULES);
    let path = folder.path().to_str().unwrap();
    for wrong in [
        &["rules"][..],
        &["rules", "check"],
        &["rules", "chek", path],
        &["rules", "check", path, "--date", "soon"],
        &["rules", "explain", path],
        &["rules", "explain", path, "--input", "case.json"],
        &["rules", "sweep", path, "--date", "2026-11-20"],
        &[
            "rules",
            "sweep",
            path,
            "--people",
            "people.parquet",
            "--date",
            "2026-02-30",
        ],
    ] {
        let told = tongban(wrong).output().unwrap();
        assert_eq!(told.status.code(), Some(2), "{wrong:?}: {}", said(&told));
    }
}
