//! A part of a plan: what one person saves at a time, under a version of its own.

use grants::plan::{Checkpoint, Contact, Line, MOST_LINES, MOST_TEXT, Plan, PlanIndicator, Subsidy};
use grants::{Assessment, Programme};
use serde::{Deserialize, Serialize};
use store::seal::Place;
use store::tables::subsidy_part;
use store::{Store, sea_orm::ConnectionTrait};

use crate::SubsidyError;

/// Most bytes of a part as JSON: a text of [`MOST_TEXT`] characters needs 120,000 at most.
const MOST_BYTES: usize = 512 * 1024;
/// Most characters of a title.
const MOST_TITLE: usize = 200;

/// A part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The title.
    Title(String),
    /// A text of a chapter.
    Text {
        /// Its name, as [`Programme::text_ids`] gives it.
        id: String,
        /// The text.
        text: String,
    },
    /// The self-assessment (annex 2).
    Assessment(Assessment),
    /// Indicators.
    Indicators(Vec<PlanIndicator>),
    /// Budget lines.
    Budget(Vec<Line>),
    /// Who pays what.
    Subsidy {
        /// By year.
        years: Vec<Subsidy>,
        /// Why the cap is passed, where it is.
        cap_exception: Option<String>,
    },
    /// Checkpoints.
    Checkpoints(Vec<Checkpoint>),
    /// Whom to ask.
    Contact(Contact),
}

impl Part {
    /// Its name, under which its versions are kept. A text of a chapter has the chapter's name, which none of the others is.
    #[must_use]
    pub fn name(&self) -> String {
        let name = match self {
            Part::Title(_) => "title",
            Part::Text { id, .. } => return format!("text:{id}"),
            Part::Assessment(_) => "assessment",
            Part::Indicators(_) => "indicators",
            Part::Budget(_) => "budget",
            Part::Subsidy { .. } => "subsidy",
            Part::Checkpoints(_) => "checkpoints",
            Part::Contact(_) => "contact",
        };
        name.to_owned()
    }

    /// Names of all parts of a plan, texts last.
    #[must_use]
    pub fn names(programme: &Programme) -> Vec<String> {
        let tables = [
            "title",
            "assessment",
            "indicators",
            "budget",
            "subsidy",
            "checkpoints",
            "contact",
        ];
        let texts = programme.text_ids().into_iter().map(|id| format!("text:{id}"));
        tables.into_iter().map(str::to_owned).chain(texts).collect()
    }

    /// The part of this name as it stands in a plan; nothing where the programme knows no such part.
    #[must_use]
    pub fn of(plan: &Plan, programme: &Programme, name: &str) -> Option<Part> {
        Some(match name {
            "title" => Part::Title(plan.title.clone()),
            "assessment" => Part::Assessment(plan.assessment.clone()),
            "indicators" => Part::Indicators(plan.indicators.clone()),
            "budget" => Part::Budget(plan.lines.clone()),
            "subsidy" => Part::Subsidy {
                years: plan.subsidies.clone(),
                cap_exception: plan.cap_exception.clone(),
            },
            "checkpoints" => Part::Checkpoints(plan.checkpoints.clone()),
            "contact" => Part::Contact(plan.contact.clone()),
            _ => {
                let id = name.strip_prefix("text:")?;
                if !programme.text_ids().iter().any(|known| known == id) {
                    return None;
                }
                Part::Text {
                    id: id.to_owned(),
                    text: plan.text(id).to_owned(),
                }
            }
        })
    }

    /// Puts the part into a plan.
    pub fn put(self, plan: &mut Plan) {
        match self {
            Part::Title(title) => plan.title = title,
            Part::Text { id, text } => {
                plan.texts.insert(id, text);
            }
            Part::Assessment(assessment) => plan.assessment = assessment,
            Part::Indicators(indicators) => plan.indicators = indicators,
            Part::Budget(lines) => plan.lines = lines,
            Part::Subsidy { years, cap_exception } => {
                plan.subsidies = years;
                plan.cap_exception = cap_exception;
            }
            Part::Checkpoints(checkpoints) => plan.checkpoints = checkpoints,
            Part::Contact(contact) => plan.contact = contact,
        }
    }

    /// What two versions are compared by: the text, or a line for each line of a table. Two parts of one name that differ never read
    /// the same.
    #[must_use]
    pub fn plain(&self) -> String {
        match self {
            Part::Title(text) | Part::Text { text, .. } => text.clone(),
            Part::Assessment(assessment) => assessment.rows.iter().flat_map(row).collect::<Vec<_>>().join("\n"),
            Part::Indicators(all) => lines(all.iter().map(|one| {
                let targets = one
                    .targets
                    .iter()
                    .map(|target| format!("{}：{}", target.year, target.text));
                let targets: Vec<String> = targets.collect();
                let told = [&one.id, &one.title, &one.formula, &one.base, &one.source];
                let mut cells: Vec<String> = told.into_iter().map(|text| cell(text)).collect();
                cells.push(optional("採用", one.printed.as_deref()));
                cells.push(optional("平臺統計", one.measure.as_deref()));
                cells.push(list(&targets));
                cells
            })),
            Part::Budget(all) => lines(all.iter().map(|line| {
                let kind = match line.kind {
                    grants::plan::Kind::Capital => "資本門",
                    grants::plan::Kind::Current => "經常門",
                };
                vec![
                    line.year.to_string(),
                    cell(&line.work),
                    line.amount.grouped(),
                    kind.to_owned(),
                    list(&line.items),
                    list(&line.indicators),
                    cell(&line.note),
                ]
            })),
            Part::Subsidy { years, cap_exception } => {
                let years = years.iter().map(|one| {
                    let amounts = [one.total, one.own, one.capital, one.current].map(civic::Money::grouped);
                    let mut cells = vec![one.year.to_string()];
                    cells.extend(amounts);
                    cells
                });
                let exception = cap_exception.iter().map(|reason| vec![cell(reason)]);
                lines(years.chain(exception))
            }
            Part::Checkpoints(all) => lines(all.iter().map(|one| {
                let progress = format!("{}%", one.progress);
                vec![
                    one.quarter.to_string(),
                    progress,
                    one.spending.grouped(),
                    cell(&one.text),
                ]
            })),
            Part::Contact(contact) => {
                let told = [&contact.unit, &contact.name, &contact.telephone, &contact.email];
                lines(told.into_iter().map(|text| vec![cell(text)]))
            }
        }
    }

    /// Whether the part may be kept: known to the programme and within bounds. What is incomplete is kept; the checks tell.
    pub(crate) fn check(&self, programme: &Programme) -> Result<(), SubsidyError> {
        let too_long = |wrong: bool| match wrong {
            true => Err(SubsidyError::input("part", "too_long")),
            false => Ok(()),
        };
        match self {
            Part::Title(title) => too_long(title.chars().count() > MOST_TITLE),
            Part::Text { id, text } => {
                if !programme.text_ids().contains(id) {
                    return Err(SubsidyError::NotFound("part"));
                }
                too_long(text.chars().count() > MOST_TEXT)
            }
            Part::Assessment(assessment) => too_long(assessment.rows.len() > MOST_LINES),
            Part::Indicators(all) => too_long(all.len() > MOST_LINES),
            Part::Budget(all) => too_long(all.len() > MOST_LINES),
            Part::Subsidy { years, .. } => too_long(years.len() > MOST_LINES),
            Part::Checkpoints(all) => too_long(all.len() > MOST_LINES),
            Part::Contact(contact) => {
                let told = [&contact.unit, &contact.name, &contact.telephone, &contact.email];
                too_long(told.into_iter().any(|text| text.chars().count() > MOST_TITLE))
            }
        }
    }

    pub(crate) fn json(&self) -> Result<Vec<u8>, SubsidyError> {
        let bytes = serde_json::to_vec(self).map_err(|error| SubsidyError::json("part", &error))?;
        if bytes.len() > MOST_BYTES {
            return Err(SubsidyError::input("part", "too_long"));
        }
        Ok(bytes)
    }
}

/// A line for each row of a table. What a cell says can't be taken for the end of a cell or of a line.
fn lines(rows: impl Iterator<Item = Vec<String>>) -> String {
    rows.map(|cells| line(&cells)).collect::<Vec<_>>().join("\n")
}

fn line(cells: &[String]) -> String {
    format!("・{}", cells.join("｜"))
}

/// The text of a cell: its own lines are set in, and the sign that ends a cell is marked.
fn cell(text: &str) -> String {
    text.replace('\\', "\\\\").replace('｜', "\\｜").replace('\n', "\n　")
}

/// Several short texts in one cell.
fn list(texts: &[String]) -> String {
    let one = |text: &String| match text.as_str() {
        "" => "\\空".to_owned(),
        text => cell(text).replace('、', "\\、"),
    };
    texts.iter().map(one).collect::<Vec<_>>().join("、")
}

/// A text that may not be there, which is not the same as an empty one.
fn optional(what: &str, text: Option<&str>) -> String {
    text.map_or_else(String::new, |text| format!("{what} {}", cell(text)))
}

/// A row of the self-assessment, a line for itself and for each of its entries.
fn row(row: &grants::assessment::Row) -> Vec<String> {
    let stage = cell(&row.stage);
    let mut all = vec![line(std::slice::from_ref(&stage))];
    let mut told = |what: &str, cells: Vec<String>| {
        let mut all_cells = vec![stage.clone(), what.to_owned()];
        all_cells.extend(cells);
        all.push(line(&all_cells));
    };
    let login = |login: bool| if login { "要登入".to_owned() } else { String::new() };
    let own = |title: &Option<String>| optional("名稱", title.as_deref());
    let group = |group: &Option<String>| optional("類別", group.as_deref());
    for one in &row.evidence {
        let seen = [
            cell(&one.address),
            login(one.login),
            cell(&one.account),
            group(&one.group),
        ];
        told("佐證", [vec![cell(&one.title)], seen.to_vec()].concat());
    }
    for one in &row.done {
        let seen = [cell(&one.address), login(one.login), cell(&one.account)];
        told(
            "已完成",
            [vec![cell(&one.item), own(&one.title)], seen.to_vec()].concat(),
        );
    }
    for one in &row.planned {
        told("規劃", vec![cell(&one.item), own(&one.title), cell(&one.text)]);
    }
    for one in &row.extra {
        let redesigns = optional("再造", one.redesigns.as_deref());
        told(
            "額外精進",
            vec![cell(&one.title), redesigns, group(&one.group), cell(&one.text)],
        );
    }
    for one in &row.refused {
        let item = optional("項目", one.item.as_deref());
        told(
            "不執行",
            vec![item, group(&one.group), own(&one.title), cell(&one.reason)],
        );
    }
    if let Some(nothing) = &row.nothing {
        told("無", vec![cell(nothing)]);
    }
    if !row.empty_groups.is_empty() {
        told("列為無的類別", vec![list(&row.empty_groups)]);
    }
    all
}

/// Opens a stored version.
///
/// # Errors
/// [`SubsidyError::Corrupt`]; the store's.
pub(crate) async fn opened(
    store: &Store,
    db: &impl ConnectionTrait,
    row: &subsidy_part::Model,
) -> Result<Part, SubsidyError> {
    let place = Place::new("subsidy_part", "sealed", &row.id);
    let bytes = store.seal().open_own(db, row.key_id.into(), place, &row.sealed).await?;
    serde_json::from_slice(&bytes).map_err(|error| SubsidyError::json("part", &error))
}

/// The plan that stored versions make.
///
/// # Errors
/// As [`opened`].
pub(crate) async fn assembled(
    store: &Store,
    db: &impl ConnectionTrait,
    programme: &Programme,
    government: &str,
    rows: &[subsidy_part::Model],
) -> Result<Plan, SubsidyError> {
    let mut plan = Plan {
        programme: programme.id.clone(),
        government: government.to_owned(),
        title: String::new(),
        from: programme.period.from,
        through: programme.period.through,
        texts: std::collections::BTreeMap::new(),
        assessment: Assessment::default(),
        indicators: Vec::new(),
        lines: Vec::new(),
        subsidies: Vec::new(),
        cap_exception: None,
        checkpoints: Vec::new(),
        contact: Contact::default(),
    };
    for row in rows {
        opened(store, db, row).await?.put(&mut plan);
    }
    Ok(plan)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where its ground gives way")]

    use serde_json::{Value, json};

    use super::Part;

    /// Everything that one change of a single place makes of a value: another text, the other truth, one more, and nothing.
    fn changed(value: &Value) -> Vec<Value> {
        match value {
            Value::String(text) => {
                let more = ["", "、", "｜", "\n", "\n・", "\\", "　"];
                more.iter().map(|more| json!(format!("{text}{more}x"))).collect()
            }
            Value::Number(number) => vec![json!(number.as_i64().unwrap() + 1)],
            Value::Bool(truth) => vec![json!(!truth)],
            Value::Array(all) => {
                let mut found = Vec::new();
                for (at, one) in all.iter().enumerate() {
                    for other in changed(one) {
                        let mut all = all.clone();
                        all[at] = other;
                        found.push(Value::Array(all));
                    }
                    let mut fewer = all.clone();
                    fewer.remove(at);
                    found.push(Value::Array(fewer));
                    let mut twice = all.clone();
                    twice.insert(at, one.clone());
                    found.push(Value::Array(twice));
                }
                found
            }
            Value::Object(all) => {
                let mut found = Vec::new();
                for (name, one) in all {
                    for other in changed(one) {
                        let mut all = all.clone();
                        all.insert(name.clone(), other);
                        found.push(Value::Object(all));
                    }
                    let mut without = all.clone();
                    without.remove(name);
                    found.push(Value::Object(without));
                }
                found
            }
            Value::Null => Vec::new(),
        }
    }

    #[test]
    fn parts_that_differ_never_read_the_same() {
        let row = json!({
            "stage": "A1",
            "evidence": [{"title": "平臺", "address": "https://a", "login": true, "account": "t", "group": "s"}],
            "done": [{"item": "A1.1", "title": "自名", "address": "https://b", "login": true, "account": "u"}],
            "planned": [{"item": "A1.2", "title": "自名", "text": "規劃"}],
            "extra": [{"title": "額外", "text": "內容", "redesigns": "A1.1", "group": "s"}],
            "refused": [{"item": "A1.3", "group": "s", "title": "自名", "reason": "原因"}],
            "nothing": "無",
            "empty_groups": ["s", "d"],
        });
        let indicator = json!({
            "id": "K1", "title": "滿意度", "formula": "式", "base": "基", "source": "源",
            "printed": "satisfaction", "measure": "all", "target": [{"year": 114, "text": "60%"}],
        });
        let line = json!({
            "year": 114, "work": "開發", "amount": 1000, "kind": "capital",
            "items": ["A1.2", "A1.x1"], "indicators": ["K1"], "note": "註",
        });
        let year = json!({"year": 114, "total": 4, "own": 1, "capital": 2, "current": 1});
        let checkpoint = json!({"quarter": 1, "progress": 20, "spending": 5, "text": "訪談"});
        let contact = json!({"unit": "社會處", "name": "某", "telephone": "02", "email": "a@b"});
        for part in [
            json!({"assessment": {"row": [row]}}),
            json!({"indicators": [indicator]}),
            json!({"budget": [line]}),
            json!({"subsidy": {"years": [year], "cap_exception": "急迫"}}),
            json!({"checkpoints": [checkpoint]}),
            json!({"contact": contact}),
        ] {
            let mut parts: Vec<Part> = vec![serde_json::from_value(part.clone()).unwrap()];
            for one in changed(&part) {
                // what is no part any more, such as one without a field that it needs, is nothing to compare
                let Ok(one) = serde_json::from_value(one) else { continue };
                if !parts.contains(&one) {
                    parts.push(one);
                }
            }
            assert!(parts.len() > 5, "{part}");
            for (at, one) in parts.iter().enumerate() {
                for other in &parts[..at] {
                    assert_ne!(one.plain(), other.plain(), "{one:?}\n{other:?}");
                }
            }
        }
    }
}
