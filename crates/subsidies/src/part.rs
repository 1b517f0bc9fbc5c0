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

    /// What two versions are compared by: the text, or a line for each line of a table.
    #[must_use]
    pub fn plain(&self) -> String {
        let lines = |lines: Vec<String>| lines.join("\n");
        match self {
            Part::Title(text) | Part::Text { text, .. } => text.clone(),
            Part::Assessment(assessment) => lines(assessment.rows.iter().flat_map(row).collect()),
            Part::Indicators(all) => lines(
                all.iter()
                    .map(|one| {
                        let targets: Vec<String> = one
                            .targets
                            .iter()
                            .map(|target| format!("{}：{}", target.year, target.text))
                            .collect();
                        let told = [&one.id, &one.title, &one.formula, &one.base, &one.source];
                        let told: Vec<&str> = told.into_iter().map(String::as_str).collect();
                        format!("{}｜{}", told.join("｜"), targets.join("；"))
                    })
                    .collect(),
            ),
            Part::Budget(all) => lines(
                all.iter()
                    .map(|line| {
                        let kind = match line.kind {
                            grants::plan::Kind::Capital => "資本門",
                            grants::plan::Kind::Current => "經常門",
                        };
                        let items = line.items.join("、");
                        let indicators = line.indicators.join("、");
                        let amount = line.amount.grouped();
                        format!(
                            "{}｜{}｜{amount}｜{kind}｜{items}｜{indicators}｜{}",
                            line.year, line.work, line.note
                        )
                    })
                    .collect(),
            ),
            Part::Subsidy { years, cap_exception } => {
                let mut all: Vec<String> = years
                    .iter()
                    .map(|one| {
                        let amounts = [one.total, one.own, one.capital, one.current].map(civic::Money::grouped);
                        format!("{}｜{}", one.year, amounts.join("｜"))
                    })
                    .collect();
                all.extend(cap_exception.clone());
                lines(all)
            }
            Part::Checkpoints(all) => lines(
                all.iter()
                    .map(|one| {
                        let spending = one.spending.grouped();
                        format!("{}｜{}%｜{spending}｜{}", one.quarter, one.progress, one.text)
                    })
                    .collect(),
            ),
            Part::Contact(contact) => {
                let told = [&contact.unit, &contact.name, &contact.telephone, &contact.email];
                told.map(String::as_str).join("\n")
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

/// A row of the self-assessment, a line for each of its entries.
fn row(row: &grants::assessment::Row) -> Vec<String> {
    let stage = &row.stage;
    let mut all = Vec::new();
    let mut told = |what: &str, parts: &[&str]| all.push(format!("{stage}｜{what}｜{}", parts.join("｜")));
    for one in &row.evidence {
        told("佐證", &[&one.title, &one.address, &one.account]);
    }
    for one in &row.done {
        told("已完成", &[&one.item, &one.address, &one.account]);
    }
    for one in &row.planned {
        told("規劃", &[&one.item, &one.text]);
    }
    for one in &row.extra {
        told("額外精進", &[&one.title, &one.text]);
    }
    for one in &row.refused {
        let item = one.item.as_deref().or(one.group.as_deref()).unwrap_or_default();
        told("不執行", &[item, &one.reason]);
    }
    if let Some(nothing) = &row.nothing {
        told("無", &[nothing]);
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
