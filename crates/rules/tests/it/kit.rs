//! Small rule sets in folders of their own, and cases for them.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray};
use jiff::civil::{Date, date};
use rules::{CaseInput, Decision, Entity, Mistake, Person, Population, RuleSet, Swept, Type, Values};
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
[inputs.person.e]
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
[inputs.person.u]
type = "text"
title = { "zh-TW" = "任何文字", en = "any text" }
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
[parameters.by_level]
file = "parameters/by-level.csv"
type = "integer"
[parameters.by_both]
file = "parameters/by-both.csv"
type = "integer"
[parameters.share]
file = "parameters/share.csv"
type = "decimal"
[parameters.deadline]
file = "parameters/deadline.csv"
type = "date"
[parameters.is_open]
file = "parameters/is-open.csv"
type = "boolean"
[parameters.phase]
file = "parameters/phase.csv"
type = "text"
"#;

/// The tables of its parameters.
const TABLES: [(&str, &str); 8] = [
    (
        "rate",
        "from,value,unit,source\n2025-01-01,10,NT$,a law\n2026-01-01,20,NT$,a law\n2027-01-01,30,NT$,a law\n",
    ),
    (
        "by-kind",
        "from,kind,value,unit,source\n2026-01-01,a,1,NT$,a law\n2026-01-01,b,2,NT$,a law\n2026-01-01,c,3,NT$,a law\n",
    ),
    (
        "by-level",
        "from,level,value,unit,source\n2026-01-01,1,100,NT$,a law\n2026-01-01,2,200,NT$,a law\n2026-01-01,10,1000,NT$,a law\n",
    ),
    (
        "by-both",
        "from,kind,level,value,unit,source\n2026-01-01,a,1,11,NT$,a law\n2026-01-01,a,2,12,NT$,a law\n2026-01-01,b,1,21,NT$,a law\n2026-01-01,c,1,31,NT$,a law\n",
    ),
    ("share", "from,value,unit,source\n2026-01-01,0.35,share,a law\n"),
    ("deadline", "from,value,unit,source\n2026-01-01,2026-12-31,day,a law\n"),
    (
        "is-open",
        "from,value,unit,source\n2025-01-01,false,truth,a law\n2026-01-01,true,truth,a law\n",
    ),
    (
        "phase",
        "from,value,unit,source\n2025-01-01,first,phase,a law\n2026-01-01,second,phase,a law\n",
    ),
];

/// A folder with a `rules.toml`.
pub struct Folder(TempDir);

impl Folder {
    pub fn new(rules: &str) -> Folder {
        let folder = Folder(tempfile::tempdir().unwrap());
        folder.put("rules.toml", rules.as_bytes());
        for (name, table) in TABLES {
            folder.put(&format!("parameters/{name}.csv"), table.as_bytes());
        }
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

/// A population of these cases, a household each. Decimals and dates are texts, as a file of another office may have them.
pub fn population(set: &RuleSet, cases: &[CaseInput]) -> Population {
    let rows = |pick: &dyn Fn(usize, &CaseInput, &Person) -> Value| -> Vec<Value> {
        let of_case = |(number, case): (usize, &CaseInput)| -> Vec<Value> {
            case.persons.iter().map(|person| pick(number, case, person)).collect()
        };
        cases.iter().enumerate().flat_map(of_case).collect()
    };
    let array = |kind: Type, values: Vec<Value>| -> ArrayRef {
        let values = values.into_iter();
        match kind {
            Type::Integer => Arc::new(values.map(|value| value.as_i64()).collect::<Int64Array>()),
            Type::Boolean => Arc::new(values.map(|value| value.as_bool()).collect::<BooleanArray>()),
            _ => Arc::new(
                values
                    .map(|value| value.as_str().map(str::to_owned))
                    .collect::<StringArray>(),
            ),
        }
    };
    let households = rows(&|number, _, _| Value::from(number));
    let applicants = rows(&|_, _, person| Value::from(person.applicant));
    let mut columns = vec![
        ("household".to_owned(), array(Type::Integer, households), true),
        ("applicant".to_owned(), array(Type::Boolean, applicants), true),
    ];
    for fact in set.inputs() {
        let values = rows(&|_, case, person| {
            let values = match fact.entity {
                Entity::Person => &person.values,
                Entity::Household => &case.household,
                Entity::Case => &case.case,
            };
            values.get(&fact.name).cloned().unwrap_or_default()
        });
        let name = match fact.entity {
            Entity::Person => fact.name.clone(),
            entity => format!("{entity}.{}", fact.name),
        };
        columns.push((name, array(fact.kind, values), true));
    }
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    set.population(&[batch]).unwrap()
}

/// What a sweep says of a case: the outcome, and the amounts in the order of their names.
pub fn swept(swept: &Swept, case: usize) -> (Option<bool>, Vec<Option<i64>>) {
    use arrow::array::Array;
    let outcome = &swept.outcome;
    let amounts = swept.amounts.values();
    (
        outcome.is_valid(case).then(|| outcome.value(case)),
        amounts
            .map(|amount| amount.is_valid(case).then(|| amount.value(case)))
            .collect(),
    )
}

/// Decides cases one by one, and sweeps them all at once. The second value is what the sweep says otherwise, errors too.
pub fn both_ways(set: &RuleSet, cases: &[CaseInput], on: Date) -> (Result<Vec<Decision>, String>, Option<String>) {
    let alone: Result<Vec<Decision>, String> = cases
        .iter()
        .map(|case| set.decide(case, on).map_err(|error| error.to_string()))
        .collect();
    let together = set
        .sweep(&population(set, cases), on)
        .map_err(|error| error.to_string());
    let otherwise = match (&alone, &together) {
        (Ok(decisions), Ok(together)) => decisions.iter().enumerate().find_map(|(case, decision)| {
            let alone = (decision.outcome, decision.amounts.values().copied().collect());
            let swept = swept(together, case);
            (swept != alone).then(|| format!("case {case} is {alone:?} alone and {swept:?} swept"))
        }),
        (Err(alone), Err(together)) if alone == together => None,
        (alone, together) => Some(format!(
            "alone {:?}, swept {:?}",
            alone.as_ref().err(),
            together.as_ref().err()
        )),
    };
    (alone, otherwise)
}
