//! The form of a part: what stands in its fields, and the part that the fields make.
//!
//! A form is names and values; a line of a table is `line.2.amount`. What was typed goes back into the fields as it was.

use civic::Money;
use grants::plan::{Checkpoint, Contact, Kind, Line, PlanIndicator, PlanTarget, Subsidy};
use grants::{Plan, Programme};
use subsidies::Part;

use super::{dollars, lines};
use crate::components::{Choice, Control, Field, Typed};
use crate::posted::Raw;
use crate::texts::Words;

/// Empty lines at the end of a table.
const BLANK: usize = 2;
/// Lines a table has at most, blank ones among them.
const MOST: usize = grants::plan::MOST_LINES;

/// Fields that belong together: a line of a table, or the whole form.
#[derive(Clone, Debug, Default)]
pub(super) struct Group {
    /// Id that findings lead to.
    pub(super) id: String,
    /// What it is; empty for a form of one group.
    pub(super) title: String,
    /// What the checks find here.
    pub(super) wrong: Vec<String>,
    /// The fields.
    pub(super) fields: Vec<Field>,
    /// What is sent back unseen.
    pub(super) hidden: Vec<(String, String)>,
}

fn put(raw: &mut Raw, name: impl Into<String>, value: impl Into<String>) {
    raw.entry(name.into()).or_default().push(value.into());
}

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

/// Numbers of the lines that a form holds under a stem, in order.
fn numbers(raw: &Raw, stem: &str) -> Vec<usize> {
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
        .filter(|number| *number < MOST)
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

fn all(raw: &Raw, name: &str) -> Vec<String> {
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
        let text = self.text(name);
        let digits = text.trim_end_matches(['%', '％']).trim();
        match digits.parse() {
            Ok(percent) if percent <= 100 => percent,
            _ if digits.is_empty() => 0,
            _ => {
                self.wrong.push((name.to_owned(), "programme-wrong-percent"));
                0
            }
        }
    }
}

/// The part that the fields make, or the fields that can't be read with what is wrong. What is incomplete is no mistake: the
/// checks tell.
pub(super) fn part(name: &str, programme: &Programme, raw: &Raw) -> Result<Part, Vec<(String, &'static str)>> {
    let mut reading = Reading { raw, wrong: Vec::new() };
    let part = match name {
        "title" => Part::Title(reading.text("text").replace('\n', " ")),
        "indicators" => Part::Indicators(indicators(&reading, programme)),
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

fn indicators(reading: &Reading<'_>, programme: &Programme) -> Vec<PlanIndicator> {
    let raw = reading.raw;
    let mut all: Vec<PlanIndicator> = Vec::new();
    for at in numbers(raw, "indicator") {
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
    // a new indicator gets the first short name that is free
    for at in 0..all.len() {
        if all.get(at).is_some_and(|one| one.id.is_empty()) {
            let free = (1..)
                .map(|n| format!("K{n}"))
                .find(|id| all.iter().all(|one| one.id != *id));
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
    for at in numbers(raw, "line") {
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

/// The fields of a form, with what stands in them.
pub(super) struct Fields<'a> {
    pub(super) words: Words,
    pub(super) programme: &'a Programme,
    /// The plan as it stands, for what a line may refer to.
    pub(super) plan: &'a Plan,
    pub(super) raw: &'a Raw,
    /// Fields that could not be read.
    pub(super) wrong: &'a [(String, &'static str)],
    /// What the checks find, by the anchor of the group.
    pub(super) findings: Vec<(String, String)>,
    /// More empty lines than usual.
    pub(super) more: usize,
}

impl Fields<'_> {
    /// The groups of a part.
    pub(super) fn groups(&self, name: &str) -> Vec<Group> {
        match name {
            "title" => vec![self.single(self.input("text", "programme-title", 0))],
            "indicators" => self.indicators(),
            "budget" => self.budget(),
            "subsidy" => self.subsidies(),
            "checkpoints" => self.checkpoints(),
            "contact" => vec![Group {
                fields: vec![
                    self.input("unit", "programme-contact-unit", 0),
                    self.input("name", "programme-contact-name", 20),
                    self.kind(self.input("telephone", "programme-contact-telephone", 20), "tel"),
                    self.kind(self.input("email", "programme-contact-email", 0), "email"),
                ],
                ..Group::default()
            }],
            _ => vec![self.single(self.area("text", "programme-text", 18))],
        }
    }

    fn single(&self, field: Field) -> Group {
        Group {
            fields: vec![field],
            ..Group::default()
        }
    }

    fn group(&self, id: String, title: String, fields: Vec<Field>) -> Group {
        let here = self.findings.iter().filter(|(anchor, _)| *anchor == id);
        Group {
            wrong: here.map(|(_, text)| text.clone()).collect(),
            id,
            title,
            fields,
            hidden: Vec::new(),
        }
    }

    fn value(&self, name: &str) -> String {
        let first = self.raw.get(name).and_then(|values| values.first());
        first.cloned().unwrap_or_default()
    }

    fn field(&self, name: &str, key: &str, control: Control) -> Field {
        let mut field = Field::new(self.words, name, self.words.t(key), control);
        let hint = format!("{key}-hint");
        field.hint = self.words.has(&hint).then(|| self.words.t(&hint));
        let wrong = self.wrong.iter().find(|(wrong, _)| wrong == name);
        field.error = wrong.map(|(_, key)| self.words.t(key));
        field
    }

    fn input(&self, name: &str, key: &str, width: u8) -> Field {
        let typed = Typed {
            value: self.value(name),
            width,
            ..Typed::default()
        };
        self.field(name, key, Control::Input(typed))
    }

    fn kind(&self, mut field: Field, kind: &'static str) -> Field {
        if let Control::Input(typed) = &mut field.control {
            typed.kind = kind;
        }
        field
    }

    fn money(&self, name: &str, key: &str) -> Field {
        let typed = Typed {
            value: self.value(name),
            mode: "numeric",
            width: 10,
            suffix: Some(self.words.t("programme-dollars")),
            ..Typed::default()
        };
        self.field(name, key, Control::Input(typed))
    }

    fn area(&self, name: &str, key: &str, rows: u8) -> Field {
        let value = self.value(name);
        self.field(name, key, Control::TextArea { value, rows })
    }

    fn choices(&self, name: &str, all: impl IntoIterator<Item = (String, String)>) -> Vec<Choice> {
        let chosen = self.raw.get(name);
        let choice = |(value, label): (String, String)| Choice {
            chosen: chosen.is_some_and(|chosen| chosen.contains(&value)),
            value,
            label,
            hint: None,
        };
        all.into_iter().map(choice).collect()
    }

    fn select(&self, name: &str, key: &str, all: impl IntoIterator<Item = (String, String)>) -> Field {
        let choices = self.choices(name, all);
        self.field(name, key, Control::Select(choices))
    }

    fn boxes(&self, name: &str, key: &str, all: impl IntoIterator<Item = (String, String)>) -> Field {
        let choices = self.choices(name, all);
        self.field(name, key, Control::Checkboxes(choices))
    }

    /// Numbers of the lines shown: those there are, and empty ones behind.
    fn shown(&self, stem: &str) -> Vec<usize> {
        let mut numbers = numbers(self.raw, stem);
        let next = numbers.last().map_or(0, |last| last + 1);
        numbers.extend((next..MOST).take(BLANK + self.more));
        numbers
    }

    fn indicators(&self) -> Vec<Group> {
        let printed = || {
            let printed = self.programme.indicators.iter();
            printed.map(|one| (one.id.clone(), self.words.of(&one.title).to_owned()))
        };
        let shown = self.shown("indicator").into_iter();
        let groups = shown.enumerate().map(|(place, at)| {
            let stem = format!("indicator.{at}");
            let mut fields = vec![
                self.input(&format!("{stem}.title"), "programme-indicator-title", 0),
                self.select(&format!("{stem}.printed"), "programme-indicator-printed", printed()),
                self.area(&format!("{stem}.formula"), "programme-indicator-formula", 2),
                self.area(&format!("{stem}.base"), "programme-indicator-base", 2),
                self.input(&format!("{stem}.source"), "programme-indicator-source", 0),
            ];
            for year in &self.programme.period.years {
                let name = format!("{stem}.target.{year}");
                let mut field = self.input(&name, "programme-indicator-target", 0);
                field.label = self.words.t1("programme-indicator-target", "year", year);
                fields.push(field);
            }
            let number = (place + 1).to_string();
            let title = self.words.t1("programme-indicator-n", "n", &number);
            let mut group = self.group(format!("indicator-{number}"), title, fields);
            for field in ["id", "measure"] {
                let name = format!("{stem}.{field}");
                let value = self.value(&name);
                if !value.is_empty() {
                    group.hidden.push((name, value));
                }
            }
            group
        });
        groups.collect()
    }

    fn budget(&self) -> Vec<Group> {
        let years = || {
            let years = self.programme.period.years.iter();
            years.map(|year| (year.to_string(), self.words.t1("programme-year", "year", year)))
        };
        let kinds =
            || ["capital", "current"].map(|kind| (kind.to_owned(), self.words.t(&format!("programme-kind-{kind}"))));
        let shown = self.shown("line").into_iter();
        let groups = shown.enumerate().map(|(place, at)| {
            let stem = format!("line.{at}");
            // what the line names already stays in sight, also where the plan has it no more
            let mut items = self.items();
            let mut indicators: Vec<(String, String)> = self
                .plan
                .indicators
                .iter()
                .map(|one| (one.id.clone(), format!("{} {}", one.id, one.title)))
                .collect();
            for (known, field) in [(&mut items, "items"), (&mut indicators, "indicators")] {
                for value in all(self.raw, &format!("{stem}.{field}")) {
                    if !known.iter().any(|(id, _)| *id == value) {
                        known.push((value.clone(), value));
                    }
                }
            }
            let mut fields = vec![
                self.input(&format!("{stem}.work"), "programme-line-work", 0),
                self.select(&format!("{stem}.year"), "programme-line-year", years()),
                self.money(&format!("{stem}.amount"), "programme-line-amount"),
                self.select(&format!("{stem}.kind"), "programme-line-kind", kinds()),
            ];
            if !items.is_empty() {
                fields.push(self.boxes(&format!("{stem}.items"), "programme-line-items", items));
            }
            if !indicators.is_empty() {
                fields.push(self.boxes(&format!("{stem}.indicators"), "programme-line-indicators", indicators));
            }
            fields.push(self.input(&format!("{stem}.note"), "programme-line-note", 0));
            let number = (place + 1).to_string();
            let title = self.words.t1("programme-line-n", "n", &number);
            self.group(format!("line-{number}"), title, fields)
        });
        groups.collect()
    }

    /// What the self-assessment plans: designated and extra items, and the platform that a stage builds.
    fn items(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for row in &self.plan.assessment.rows {
            let Some(stage) = self.programme.stage(&row.stage) else {
                continue;
            };
            for item in &stage.items {
                let planned = row.planned.iter().any(|one| one.item == item.id);
                if planned || item.mandatory {
                    found.push((item.id.clone(), format!("{} {}", item.id, self.words.of(&item.title))));
                }
            }
            for (at, extra) in row.extra.iter().enumerate() {
                let id = format!("{}.x{}", row.stage, at + 1);
                found.push((id.clone(), format!("{id} {}", extra.title)));
            }
        }
        found
    }

    fn subsidies(&self) -> Vec<Group> {
        let years = self.programme.period.years.iter();
        let mut groups: Vec<Group> = years
            .map(|year| {
                let stem = format!("year.{year}");
                let fields = vec![
                    self.money(&format!("{stem}.total"), "programme-subsidy-total"),
                    self.money(&format!("{stem}.own"), "programme-subsidy-own"),
                    self.money(&format!("{stem}.capital"), "programme-subsidy-capital"),
                    self.money(&format!("{stem}.current"), "programme-subsidy-current"),
                ];
                let title = self.words.t1("programme-year", "year", year);
                self.group(format!("year-{year}"), title, fields)
            })
            .collect();
        let mut reason = self.area("cap_exception", "programme-subsidy-exception", 3);
        reason.optional = true;
        groups.push(self.single(reason));
        groups
    }

    fn checkpoints(&self) -> Vec<Group> {
        let quarters = 1..=self.programme.plan.quarters;
        let groups = quarters.map(|quarter| {
            let stem = format!("quarter.{quarter}");
            let progress = Typed {
                value: self.value(&format!("{stem}.progress")),
                mode: "numeric",
                width: 3,
                suffix: Some("%".to_owned()),
                ..Typed::default()
            };
            let fields = vec![
                self.field(
                    &format!("{stem}.progress"),
                    "programme-checkpoint-progress",
                    Control::Input(progress),
                ),
                self.money(&format!("{stem}.spending"), "programme-checkpoint-spending"),
                self.area(&format!("{stem}.text"), "programme-checkpoint-text", 2),
            ];
            let title = self.words.t1("programme-quarter-n", "n", quarter);
            self.group(format!("quarter-{quarter}"), title, fields)
        });
        groups.collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where its ground gives way")]

    use super::*;
    use std::path::Path;

    fn programme() -> Programme {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../programmes/moda-114");
        Programme::load(&folder).unwrap()
    }

    fn sound() -> Plan {
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
            let after = part(&name, &programme, &values(&before)).unwrap();
            assert_eq!(after, before, "{name}");
        }
    }

    #[test]
    fn what_is_shown_is_what_is_sent() {
        let (programme, plan) = (programme(), sound());
        for name in ["indicators", "budget", "subsidy", "checkpoints", "contact"] {
            let raw = values(&Part::of(&plan, &programme, name).unwrap());
            let fields = Fields {
                words: Words::new(civic::Language::ZhTw),
                programme: &programme,
                plan: &plan,
                raw: &raw,
                wrong: &[],
                findings: Vec::new(),
                more: 0,
            };
            let groups = fields.groups(name);
            let shown = |wanted: &String| {
                let mut fields = groups.iter().flat_map(|group| &group.fields);
                let mut hidden = groups.iter().flat_map(|group| &group.hidden);
                fields.any(|field| field.name == *wanted) || hidden.any(|(name, _)| name == wanted)
            };
            for name in raw.keys() {
                assert!(shown(name), "`{name}` has no field");
            }
        }
    }

    #[test]
    fn numbers_that_are_none_are_told_at_their_field() {
        let programme = programme();
        let mut raw = Raw::new();
        put(&mut raw, "year.114.total", "四百五十萬");
        put(&mut raw, "year.115.own", "-1");
        assert_eq!(
            part("subsidy", &programme, &raw).unwrap_err(),
            [
                ("year.114.total".to_owned(), "programme-wrong-amount"),
                ("year.115.own".to_owned(), "programme-wrong-amount"),
            ]
        );
        let mut raw = Raw::new();
        put(&mut raw, "quarter.2.progress", "101");
        assert_eq!(
            part("checkpoints", &programme, &raw).unwrap_err(),
            [("quarter.2.progress".to_owned(), "programme-wrong-percent")]
        );
    }
}
