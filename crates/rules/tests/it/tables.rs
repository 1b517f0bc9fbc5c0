//! Decision tables, alone as at the counter and swept as a population.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::kit::{Folder, ON, both_ways, case, rules, step};

const TABLES: &str = include_str!("tables.toml");

#[derive(Deserialize)]
struct File {
    table: Vec<Table>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    title: String,
    #[serde(default)]
    entity: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    hit: Option<String>,
    csv: String,
    rows: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    given: Value,
    #[serde(default)]
    value: Value,
    error: Option<String>,
}

/// A rule set of one table; `outcome` says something of `{}`, its value.
fn folder(table: &Table, outcome: &str) -> Folder {
    let entity = table.entity.as_deref().unwrap_or("person");
    let hit = table.hit.as_deref().map(|hit| format!("hit = \"{hit}\"\n"));
    let by_table = step("value", entity, "").replace(
        "sql = ''''''\n",
        &format!("table = \"value.csv\"\n{}", hit.unwrap_or_default()),
    );
    let owner = if entity == "person" { "applicant" } else { entity };
    let steps = [
        by_table,
        step("outcome", "case", &outcome.replace("{}", &format!("{owner}.value"))),
        step(
            "amount",
            "case",
            &match table.kind.as_str() {
                "integer" => format!("{owner}.value"),
                _ => "0".to_owned(),
            },
        ),
    ];
    let folder = Folder::new(&rules(
        "outcome = \"outcome\"\namounts = [\"amount\"]",
        &steps.join("\n"),
    ));
    folder.put("value.csv", table.csv.as_bytes());
    folder
}

#[test]
fn every_table_gives_what_is_said_alone_and_swept() {
    let file: File = toml::from_str(TABLES).unwrap();
    for table in &file.table {
        let title = &table.title;
        let folder = folder(table, "{} IS NOT NULL");
        let set = folder.load().unwrap_or_else(|mistakes| panic!("{title}: {mistakes:?}"));
        assert_eq!(set.steps()[0].kind.to_string(), table.kind, "{title}");
        let (good, bad): (Vec<&Row>, Vec<&Row>) = table.rows.iter().partition(|row| row.error.is_none());
        let input = |row: &Row| case(std::slice::from_ref(&row.given), json!({}), json!({}));
        let cases: Vec<_> = good.iter().map(|row| input(row)).collect();
        let (decisions, otherwise) = both_ways(&set, &cases, ON);
        assert_eq!(otherwise, None, "{title}");
        let decisions = decisions.unwrap_or_else(|error| panic!("{title}: {error}"));
        for (row, decision) in good.iter().zip(&decisions) {
            assert_eq!(decision.steps[0].value, row.value, "{title}: {}", row.given);
        }
        for row in bad {
            let (answer, otherwise) = both_ways(&set, &[input(row)], ON);
            assert_eq!(otherwise, None, "{title}");
            let error = answer.unwrap_err();
            assert!(
                error.contains("`value`") && error.contains(row.error.as_deref().unwrap()),
                "{title}: {error}"
            );
        }
    }
}

/// What waits for a table waits for the conditions of the first row that is not known, and not for rows behind one that matches.
#[test]
fn a_table_asks_for_what_its_next_row_needs() {
    let file: File = toml::from_str(TABLES).unwrap();
    let folder = folder(&file.table[0], "{} > 0");
    let set = folder.load().unwrap();
    for (given, waits) in [
        (json!({}), vec!["person.p1.i", "person.p1.t"]),
        (json!({ "i": 9 }), vec!["person.p1.t"]),
        (json!({ "i": 12 }), vec![]),
        (json!({ "i": 30 }), vec!["person.p1.t"]),
    ] {
        let mut input = case(std::slice::from_ref(&given), json!({}), json!({}));
        input.persons[0].values.retain(|_, value| !value.is_null());
        let decision = set.decide(&input, ON).unwrap();
        let found: Vec<String> = decision.waiting.iter().map(ToString::to_string).collect();
        assert_eq!(found, waits, "{given}");
    }
}
