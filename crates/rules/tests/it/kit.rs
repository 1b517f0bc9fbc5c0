//! Small rule sets in folders of their own, and cases for them.

use std::path::PathBuf;

use jiff::civil::{Date, date};
use rules::{CaseInput, Mistake, Person, RuleSet, Values};
use serde_json::Value;
use tempfile::TempDir;

/// The day whose law decides.
pub const ON: Date = date(2026, 11, 20);

/// Inputs every small rule set has: two of each type for persons, one of each for the family and the case.
const INPUTS: &str = r#"
[inputs.person.i]
type = "integer"
title = { "zh-TW" = "整數", en = "integer" }
[inputs.person.j]
type = "integer"
title = { "zh-TW" = "整數", en = "integer" }
[inputs.person.d]
type = "decimal"
title = { "zh-TW" = "小數", en = "decimal" }
[inputs.person.b]
type = "boolean"
title = { "zh-TW" = "是非", en = "boolean" }
[inputs.person.c]
type = "boolean"
title = { "zh-TW" = "是非", en = "boolean" }
[inputs.person.t]
type = "text"
title = { "zh-TW" = "文字", en = "text" }
values = ["a", "b", "c"]
[inputs.person.x]
type = "date"
title = { "zh-TW" = "日期", en = "date" }
[inputs.person.y]
type = "date"
title = { "zh-TW" = "日期", en = "date" }
[inputs.household.h]
type = "integer"
title = { "zh-TW" = "整數", en = "integer" }
[inputs.case.k]
type = "integer"
title = { "zh-TW" = "整數", en = "integer" }
[parameters.rate]
file = "parameters/rate.csv"
type = "integer"
[parameters.by_kind]
file = "parameters/by-kind.csv"
type = "integer"
"#;

const RATE: &str =
    "from,value,unit,source\n2025-01-01,10,NT$,a law\n2026-01-01,20,NT$,a law\n2027-01-01,30,NT$,a law\n";
const BY_KIND: &str = "from,kind,value,unit,source\n2026-01-01,a,1,NT$,a law\n2026-01-01,b,2,NT$,a law\n";

/// A folder with a `rules.toml`.
pub struct Folder(TempDir);

impl Folder {
    pub fn new(rules: &str) -> Folder {
        let folder = Folder(tempfile::tempdir().unwrap());
        folder.put("rules.toml", rules.as_bytes());
        folder.put("parameters/rate.csv", RATE.as_bytes());
        folder.put("parameters/by-kind.csv", BY_KIND.as_bytes());
        folder
    }

    pub fn put(&self, name: &str, text: &[u8]) {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn path(&self) -> PathBuf {
        self.0.path().to_owned()
    }

    pub fn load(&self) -> Result<RuleSet, Vec<Mistake>> {
        RuleSet::load(self.0.path())
    }
}

/// A rules file with the inputs above: `decision` is the head, `steps` is the rest.
pub fn rules(decision: &str, steps: &str) -> String {
    format!("[decision]\n{decision}\n{INPUTS}\n{steps}")
}

/// A step.
pub fn step(name: &str, entity: &str, sql: &str) -> String {
    format!(
        "[[step]]\nname = \"{name}\"\nentity = \"{entity}\"\ntitle = {{ \"zh-TW\" = \"{name}\", en = \"{name}\" }}\nlaw = \"法 §1\"\nsql = '''{sql}'''\n"
    )
}

/// A person of this id.
pub fn person(id: &str, applicant: bool, values: Value) -> Person {
    let values: Values = values.as_object().cloned().unwrap_or_default();
    Person {
        id: id.to_owned(),
        applicant,
        values,
    }
}

/// A case of these persons, the first of them the applicant.
pub fn case(persons: &[Value], household: Value, case: Value) -> CaseInput {
    let object = |value: Value| value.as_object().cloned().unwrap_or_default();
    CaseInput {
        case: object(case),
        household: object(household),
        persons: persons
            .iter()
            .enumerate()
            .map(|(number, values)| person(&format!("p{}", number + 1), number == 0, values.clone()))
            .collect(),
    }
}
