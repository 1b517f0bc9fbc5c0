//! The fields of a part: what is asked, how, and what stands in them.

use grants::indicator::compute;
use grants::{Plan, Programme};

use super::execution_form::{Counted, counts};
use super::execution_view::readings;
use super::form::{MOST, all, numbers};
use crate::components::{Choice, Control, Field, Typed};
use crate::posted::{Raw, first};
use crate::texts::Words;

/// Empty lines at the end of a table.
const BLANK: usize = 2;

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
    /// Services whose applications an indicator may be counted from, by folder name; none for another city's plan.
    pub(super) services: &'a [(String, String)],
    /// What the platform counts for the indicators of the plan as it was saved, in the ROC year of now.
    pub(super) counted: &'a Counted,
    pub(super) year: i16,
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
        first(self.raw, name).to_owned()
    }

    fn field(&self, name: &str, key: &str, control: Control) -> Field {
        let mut field = Field::keyed(self.words, name, key, control);
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
        let mut numbers = numbers(self.raw, stem, MOST);
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
                self.printed(&format!("{stem}.printed"), printed()),
                self.area(&format!("{stem}.formula"), "programme-indicator-formula", 2),
                self.area(&format!("{stem}.base"), "programme-indicator-base", 2),
                self.input(&format!("{stem}.source"), "programme-indicator-source", 0),
            ];
            let measure = format!("{stem}.measure");
            let bound = self.measures(&measure);
            if let Some(mut field) = bound.clone() {
                if let Some(live) = self.live(&stem) {
                    field.hint = Some(format!("{} {live}", field.hint.unwrap_or_default()));
                }
                fields.push(field);
            }
            for year in &self.programme.period.years {
                let name = format!("{stem}.target.{year}");
                let mut field = self.input(&name, "programme-indicator-target", 0);
                field.label = self.words.t1("programme-indicator-target", "year", year);
                fields.push(field);
            }
            let number = (place + 1).to_string();
            let title = self.words.t1("programme-indicator-n", "n", &number);
            let mut group = self.group(format!("indicator-{number}"), title, fields);
            for name in [format!("{stem}.id"), measure] {
                let value = self.value(&name);
                let is_shown = bound.as_ref().is_some_and(|field| field.name == name);
                if !value.is_empty() && !is_shown {
                    group.hidden.push((name, value));
                }
            }
            group
        });
        groups.collect()
    }

    /// Which printed indicator's formula is taken. Where formula and evident intent differ, both are named below.
    fn printed(&self, name: &str, all: impl IntoIterator<Item = (String, String)>) -> Field {
        let mut field = self.select(name, "programme-indicator-printed", all);
        let chosen = self.value(name);
        if let Some(chosen) = self.programme.indicator(&chosen) {
            let readings: Vec<&str> = chosen.readings.iter().map(|one| self.words.of(&one.title)).collect();
            field.hint = Some(self.words.t1("programme-readings", "readings", readings.join("；")));
        }
        field
    }

    /// What the platform may count the indicator from; nothing where it counts nothing of this government.
    fn measures(&self, name: &str) -> Option<Field> {
        let value = self.value(name);
        if self.services.is_empty() {
            return None;
        }
        let mut all = vec![("all".to_owned(), self.words.t("programme-measure-all"))];
        all.extend(self.services.iter().cloned());
        // a service that is offered no more stays in sight
        if !value.is_empty() && !all.iter().any(|(id, _)| *id == value) {
            all.push((value.clone(), value));
        }
        let mut field = self.select(name, "programme-measure", all);
        field.optional = true;
        Some(field)
    }

    /// The numbers of an indicator that is bound to the platform, and what its formula makes of them.
    fn live(&self, stem: &str) -> Option<String> {
        let [id, printed, measure] = ["id", "printed", "measure"].map(|field| self.value(&format!("{stem}.{field}")));
        // the numbers are of what was saved, not of what is being chosen
        let saved = self.plan.indicators.iter().find(|one| one.id == id)?;
        if saved.printed.as_ref() != Some(&printed) || saved.measure.as_ref() != Some(&measure) {
            return None;
        }
        let (printed, numbers) = (self.programme.indicator(&printed)?, self.counted.get(&id)?);
        let mut told = vec![counts(self.words, printed, numbers)];
        told.extend(readings(self.words, &compute(printed, numbers, self.year).ok()?));
        let values = [("year", self.year.to_string()), ("counts", told.join("；"))];
        Some(self.words.with("programme-counted-year", &values))
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
    use crate::programme::form::tests::{programme, sound};
    use crate::programme::form::values;
    use subsidies::Part;

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
                services: &[],
                counted: &Counted::new(),
                year: 114,
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
}
