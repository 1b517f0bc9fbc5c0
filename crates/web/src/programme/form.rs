//! The form of a part: what stands in its fields, and the part that the fields make.
//!
//! A form is names and values; a line of a table is `line.2.amount`. What was typed goes back into the fields as it was.

use std::collections::BTreeSet;

use civic::Money;
use grants::plan::{Checkpoint, Contact, Kind, Line, PlanIndicator, PlanTarget, Subsidy};
use grants::{Plan, Programme};
use subsidies::Part;

use super::{dollars, lines, put, share};
use crate::posted::Raw;

/// Lines a table has at most, blank ones among them.
pub(super) const MOST: usize = grants::plan::MOST_LINES;

fn amount(money: Money) -> String {
    if money.0 == 0 { String::new() } else { money.grouped() }
}

/// What stands in the fields of a part.
pub(super) fn values(part: &Part) -> Raw {
    let mut raw = Raw::new();
    match part {
        Part::Title(text) => put(&mut raw, "text", text),
        Part::Text { text, .. } => put(&mut raw, "text", text),
        // the self-assessment has a form of its own
        Part::Assessment(_) => {}
        Part::Indicators(all) => {
            for (at, one) in all.iter().enumerate() {
                let fields = [
                    ("id", &one.id),
                    ("title", &one.title),
                    ("formula", &one.formula),
                    ("base", &one.base),
                    ("source", &one.source),
                ];
                for (field, value) in fields {
                    put(&mut raw, format!("indicator.{at}.{field}"), value);
                }
                for (field, value) in [("printed", &one.printed), ("measure", &one.measure)] {
                    if let Some(value) = value {
                        put(&mut raw, format!("indicator.{at}.{field}"), value);
                    }
                }
                for target in &one.targets {
                    put(&mut raw, format!("indicator.{at}.target.{}", target.year), &target.text);
                }
            }
        }
        Part::Budget(all) => {
            for (at, line) in all.iter().enumerate() {
                put(&mut raw, format!("line.{at}.year"), line.year.to_string());
                put(&mut raw, format!("line.{at}.work"), &line.work);
                put(&mut raw, format!("line.{at}.amount"), amount(line.amount));
                put(&mut raw, format!("line.{at}.kind"), kind(line.kind));
                put(&mut raw, format!("line.{at}.note"), &line.note);
                for item in &line.items {
                    put(&mut raw, format!("line.{at}.items"), item);
                }
                for indicator in &line.indicators {
                    put(&mut raw, format!("line.{at}.indicators"), indicator);
                }
            }
        }
        Part::Subsidy { years, cap_exception } => {
            for one in years {
                for (field, value) in [
                    ("total", one.total),
                    ("own", one.own),
                    ("capital", one.capital),
                    ("current", one.current),
                ] {
                    put(&mut raw, format!("year.{}.{field}", one.year), value.grouped());
                }
            }
            if let Some(reason) = cap_exception {
                put(&mut raw, "cap_exception", reason);
            }
        }
        Part::Checkpoints(all) => {
            for one in all {
                let stem = format!("quarter.{}", one.quarter);
                put(&mut raw, format!("{stem}.progress"), one.progress.to_string());
                put(&mut raw, format!("{stem}.spending"), one.spending.grouped());
                put(&mut raw, format!("{stem}.text"), &one.text);
            }
        }
        Part::Contact(contact) => {
            for (field, value) in [
                ("unit", &contact.unit),
                ("name", &contact.name),
                ("telephone", &contact.telephone),
                ("email", &contact.email),
            ] {
                put(&mut raw, field, value);
            }
        }
    }
    raw
}

const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Capital => "capital",
        Kind::Current => "current",
    }
}

/// Numbers of the lines that a form holds under a stem, in order; `most` is the first that is not read.
pub(super) fn numbers(raw: &Raw, stem: &str, most: usize) -> Vec<usize> {
    let mut numbers: Vec<usize> = raw
        .keys()
        .filter_map(|name| {
            name.strip_prefix(stem)?
                .strip_prefix('.')?
                .split('.')
                .next()?
                .parse()
                .ok()
        })
        .filter(|number| *number < most)
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// Whether nothing was typed into a line; what is only chosen does not count.
fn is_blank(raw: &Raw, stem: &str, typed: &[&str]) -> bool {
    typed
        .iter()
        .all(|field| lines(raw, &format!("{stem}.{field}")).is_empty())
}

/// All values of a name.
pub(super) fn all(raw: &Raw, name: &str) -> Vec<String> {
    raw.get(name).cloned().unwrap_or_default()
}

/// Reads amounts and numbers, and remembers which could not be read.
struct Reading<'a> {
    raw: &'a Raw,
    /// Field, and key of what is wrong.
    wrong: Vec<(String, &'static str)>,
}

impl Reading<'_> {
    fn text(&self, name: &str) -> String {
        lines(self.raw, name)
    }

    fn money(&mut self, name: &str) -> Money {
        match dollars(&self.text(name)) {
            Ok(amount) => amount.unwrap_or(Money(0)),
            Err(()) => {
                self.wrong.push((name.to_owned(), "programme-wrong-amount"));
                Money(0)
            }
        }
    }

    fn percent(&mut self, name: &str) -> u8 {
        share(&self.text(name))
            .unwrap_or_else(|()| {
                self.wrong.push((name.to_owned(), "programme-wrong-percent"));
                None
            })
            .unwrap_or(0)
    }
}

/// The part that the fields make, or the fields that can't be read with what is wrong. What is incomplete is no mistake: the
/// checks tell.
pub(super) fn part(
    name: &str,
    programme: &Programme,
    plan: &Plan,
    raw: &Raw,
) -> Result<Part, Vec<(String, &'static str)>> {
    let mut reading = Reading { raw, wrong: Vec::new() };
    let part = match name {
        "title" => Part::Title(reading.text("text").replace('\n', " ")),
        "indicators" => Part::Indicators(indicators(&reading, programme, plan)),
        "budget" => Part::Budget(budget(&mut reading, programme)),
        "subsidy" => subsidy(&mut reading, programme),
        "checkpoints" => Part::Checkpoints(checkpoints(&mut reading, programme)),
        "contact" => Part::Contact(Contact {
            unit: reading.text("unit"),
            name: reading.text("name"),
            telephone: reading.text("telephone"),
            email: reading.text("email"),
        }),
        text => Part::Text {
            id: text.strip_prefix("text:").unwrap_or(text).to_owned(),
            text: reading.text("text"),
        },
    };
    match reading.wrong.is_empty() {
        true => Ok(part),
        false => Err(reading.wrong),
    }
}

fn indicators(reading: &Reading<'_>, programme: &Programme, plan: &Plan) -> Vec<PlanIndicator> {
    let raw = reading.raw;
    let mut all: Vec<PlanIndicator> = Vec::new();
    for at in numbers(raw, "indicator", MOST) {
        let stem = format!("indicator.{at}");
        let targets: Vec<PlanTarget> = programme
            .period
            .years
            .iter()
            .map(|year| PlanTarget {
                year: *year,
                text: reading.text(&format!("{stem}.target.{year}")),
            })
            .filter(|target| !target.text.is_empty())
            .collect();
        let some = |field: &str| Some(reading.text(&format!("{stem}.{field}"))).filter(|value| !value.is_empty());
        if is_blank(raw, &stem, &["title", "formula", "base", "source"]) && targets.is_empty() {
            continue;
        }
        all.push(PlanIndicator {
            id: some("id").unwrap_or_default(),
            title: reading.text(&format!("{stem}.title")),
            formula: reading.text(&format!("{stem}.formula")),
            base: reading.text(&format!("{stem}.base")),
            source: reading.text(&format!("{stem}.source")),
            printed: some("printed"),
            measure: some("measure"),
            targets,
        });
    }
    // a new indicator gets the first short name that nothing has and no line of the budget still speaks of
    let spoken: BTreeSet<&String> = plan.lines.iter().flat_map(|line| &line.indicators).collect();
    for at in 0..all.len() {
        if all.get(at).is_some_and(|one| one.id.is_empty()) {
            let free = (1..)
                .map(|n| format!("K{n}"))
                .find(|id| !spoken.contains(id) && all.iter().all(|one| one.id != *id));
            if let (Some(one), Some(id)) = (all.get_mut(at), free) {
                one.id = id;
            }
        }
    }
    all
}

fn budget(reading: &mut Reading<'_>, programme: &Programme) -> Vec<Line> {
    let raw = reading.raw;
    let mut found = Vec::new();
    for at in numbers(raw, "line", MOST) {
        let stem = format!("line.{at}");
        if is_blank(raw, &stem, &["work", "amount", "note"]) {
            continue;
        }
        let year = reading.text(&format!("{stem}.year"));
        found.push(Line {
            year: year.parse().unwrap_or(programme.period.funded),
            work: reading.text(&format!("{stem}.work")),
            amount: reading.money(&format!("{stem}.amount")),
            kind: match reading.text(&format!("{stem}.kind")).as_str() {
                "capital" => Kind::Capital,
                _ => Kind::Current,
            },
            items: all(raw, &format!("{stem}.items")),
            indicators: all(raw, &format!("{stem}.indicators")),
            note: reading.text(&format!("{stem}.note")),
        });
    }
    found
}

fn subsidy(reading: &mut Reading<'_>, programme: &Programme) -> Part {
    let mut years = Vec::new();
    for year in &programme.period.years {
        let stem = format!("year.{year}");
        if is_blank(reading.raw, &stem, &["total", "own", "capital", "current"]) {
            continue;
        }
        years.push(Subsidy {
            year: *year,
            total: reading.money(&format!("{stem}.total")),
            own: reading.money(&format!("{stem}.own")),
            capital: reading.money(&format!("{stem}.capital")),
            current: reading.money(&format!("{stem}.current")),
        });
    }
    let reason = reading.text("cap_exception");
    Part::Subsidy {
        years,
        cap_exception: Some(reason).filter(|reason| !reason.is_empty()),
    }
}

fn checkpoints(reading: &mut Reading<'_>, programme: &Programme) -> Vec<Checkpoint> {
    let mut found = Vec::new();
    for quarter in 1..=programme.plan.quarters {
        let stem = format!("quarter.{quarter}");
        if is_blank(reading.raw, &stem, &["progress", "spending", "text"]) {
            continue;
        }
        found.push(Checkpoint {
            quarter,
            progress: reading.percent(&format!("{stem}.progress")),
            spending: reading.money(&format!("{stem}.spending")),
            text: reading.text(&format!("{stem}.text")),
        });
    }
    found
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where its ground gives way")]

    use super::*;
    use std::path::Path;

    pub(in crate::programme) fn programme() -> Programme {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../programmes/moda-114");
        Programme::load(&folder).unwrap()
    }

    pub(in crate::programme) fn sound() -> Plan {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../programmes/moda-114/cases/plan.toml");
        let mut file: toml::Table = toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        file.remove("plan").unwrap().try_into().unwrap()
    }

    #[test]
    fn every_part_of_a_plan_comes_back_from_its_form() {
        let (programme, plan) = (programme(), sound());
        for name in Part::names(&programme) {
            let before = Part::of(&plan, &programme, &name).unwrap();
            if name == "assessment" {
                continue;
            }
            let after = part(&name, &programme, &plan, &values(&before)).unwrap();
            assert_eq!(after, before, "{name}");
        }
    }

    #[test]
    fn a_new_indicator_never_takes_the_name_that_a_line_of_the_budget_speaks_of() {
        let (programme, plan) = (programme(), sound());
        let spoken = plan.lines[0].indicators[0].clone();
        let kept: Vec<PlanIndicator> = plan.indicators.iter().filter(|one| one.id != spoken).cloned().collect();
        let mut raw = values(&Part::Indicators(kept.clone()));
        put(&mut raw, format!("indicator.{}.title", kept.len()), "線上申辦比率");
        let after = match part("indicators", &programme, &plan, &raw).unwrap() {
            Part::Indicators(after) => after,
            _ => Vec::new(),
        };
        assert_eq!(after.len(), kept.len() + 1);
        let new = after.last().unwrap();
        assert_eq!(new.title, "線上申辦比率");
        assert!(
            new.id != spoken && kept.iter().all(|one| one.id != new.id),
            "{}",
            new.id
        );
    }

    #[test]
    fn numbers_that_are_none_are_told_at_their_field() {
        let (programme, plan) = (programme(), sound());
        let mut raw = Raw::new();
        put(&mut raw, "year.114.total", "四百五十萬");
        put(&mut raw, "year.115.own", "-1");
        assert_eq!(
            part("subsidy", &programme, &plan, &raw).unwrap_err(),
            [
                ("year.114.total".to_owned(), "programme-wrong-amount"),
                ("year.115.own".to_owned(), "programme-wrong-amount"),
            ]
        );
        let mut raw = Raw::new();
        put(&mut raw, "quarter.2.progress", "101");
        assert_eq!(
            part("checkpoints", &programme, &plan, &raw).unwrap_err(),
            [("quarter.2.progress".to_owned(), "programme-wrong-percent")]
        );
    }
}
