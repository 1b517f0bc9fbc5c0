//! The fields of one stage of the self-assessment: what is asked, how, and what stands in them.

use grants::Programme;
use grants::assessment::MOST_ENTRIES;
use grants::programme::Stage;

use super::fields::Group;
use super::form::numbers;
use super::stage_form::{BUILT, NONE, PLAN, STANDS};
use crate::components::{Choice, Control, Field, Typed};
use crate::posted::{Raw, first};
use crate::texts::Words;

/// Empty evidence and extra items at the end.
const BLANK: usize = 1;

/// One of the places an item can stand in.
pub(super) struct Standing {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) chosen: bool,
    pub(super) fields: Vec<Field>,
}

/// A designated item.
pub(super) struct ItemView {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) group: Option<String>,
    pub(super) wrong: Vec<String>,
    pub(super) standings: Vec<Standing>,
}

/// The fields of a stage, with what stands in them.
pub(super) struct StageForm<'a> {
    pub(super) words: Words,
    pub(super) programme: &'a Programme,
    pub(super) stage: &'a Stage,
    pub(super) raw: &'a Raw,
    pub(super) wrong: Option<(String, &'static str)>,
    /// What the checks find, by the anchor of the element.
    pub(super) findings: &'a [(String, String)],
    pub(super) more: usize,
}

impl StageForm<'_> {
    fn value(&self, name: &str) -> String {
        first(self.raw, name).to_owned()
    }

    fn field(&self, name: &str, key: &str, control: Control) -> Field {
        let mut field = Field::keyed(self.words, name, key, control);
        if let Some((wrong, text)) = &self.wrong
            && wrong == name
        {
            field.error = Some(self.words.t(text));
        }
        field
    }

    fn input(&self, name: &str, key: &str) -> Field {
        let typed = Typed {
            value: self.value(name),
            ..Typed::default()
        };
        self.field(name, key, Control::Input(typed))
    }

    fn area(&self, name: &str, key: &str) -> Field {
        let value = self.value(name);
        self.field(name, key, Control::TextArea { value, rows: 3 })
    }

    fn box_of(&self, name: &str, key: &str, label: &str) -> Field {
        let choice = Choice {
            value: "1".to_owned(),
            label: self.words.t(label),
            hint: None,
            chosen: self.raw.contains_key(name),
        };
        self.field(name, key, Control::Checkboxes(vec![choice]))
    }

    fn select(&self, name: &str, key: &str, all: Vec<(String, String)>) -> Field {
        let chosen = self.value(name);
        let choices = all.into_iter().map(|(value, label)| Choice {
            chosen: value == chosen,
            value,
            label,
            hint: None,
        });
        let mut field = self.field(name, key, Control::Select(choices.collect()));
        field.optional = true;
        field
    }

    fn found(&self, anchor: &str) -> Vec<String> {
        let here = self.findings.iter().filter(|(place, _)| place == anchor);
        here.map(|(_, text)| text.clone()).collect()
    }

    fn group_titles(&self) -> Vec<(String, String)> {
        let groups = self.stage.groups.iter();
        groups
            .map(|group| (group.id.clone(), self.words.of(&group.title).to_owned()))
            .collect()
    }

    /// How the platform of the stage stands.
    pub(super) fn stands(&self) -> Field {
        let chosen = self.value(STANDS);
        let choices = [
            (BUILT, "programme-stands-built"),
            (PLAN, "programme-stands-plan"),
            (NONE, "programme-stands-none"),
        ];
        let choices = choices.map(|(value, key)| Choice {
            value: value.to_owned(),
            label: self.words.t(key),
            hint: None,
            chosen: value == chosen,
        });
        let mut field = self.field(STANDS, "programme-stands", Control::Radios(choices.into()));
        field.label = self
            .words
            .t1("programme-stands", "platform", self.words.of(&self.stage.platform));
        field
    }

    fn shown(&self, stem: &str) -> Vec<usize> {
        let mut numbers = numbers(self.raw, stem, MOST_ENTRIES);
        let next = numbers.last().map_or(0, |last| last + 1);
        numbers.extend((next..MOST_ENTRIES).take(BLANK + self.more));
        numbers
    }

    /// Evidence that the platform stands.
    pub(super) fn evidence(&self) -> Vec<Group> {
        let shown = self.shown("evidence").into_iter().enumerate();
        let groups = shown.map(|(place, at)| {
            let stem = format!("evidence.{at}");
            let mut fields = vec![
                self.input(&format!("{stem}.title"), "programme-evidence-title"),
                self.input(&format!("{stem}.address"), "programme-evidence-address"),
                self.box_of(
                    &format!("{stem}.login"),
                    "programme-evidence-seen",
                    "programme-evidence-login",
                ),
                self.input(&format!("{stem}.account"), "programme-evidence-account"),
            ];
            if !self.stage.groups.is_empty() {
                fields.push(self.select(&format!("{stem}.group"), "programme-item-group", self.group_titles()));
            }
            Group {
                id: format!("evidence-{}", place + 1),
                title: self.words.t1("programme-evidence-n", "n", place + 1),
                fields,
                ..Group::default()
            }
        });
        groups.collect()
    }

    /// The designated items in the order of the stage.
    pub(super) fn items(&self) -> Vec<ItemView> {
        let items = self.stage.designated().map(|item| {
            let stem = format!("item.{}", item.id);
            let standing = |which: &str, fields: Vec<Field>| {
                let name = format!("{stem}.{which}");
                Standing {
                    label: self.words.t(&format!("programme-item-{which}")),
                    chosen: self.raw.contains_key(&name),
                    name,
                    fields,
                }
            };
            let own = |which: &str| {
                let mut field = self.input(&format!("{stem}.{which}.title"), "programme-item-own-title");
                field.optional = true;
                field
            };
            let done = vec![
                self.input(&format!("{stem}.done.address"), "programme-evidence-address"),
                self.box_of(
                    &format!("{stem}.done.login"),
                    "programme-evidence-seen",
                    "programme-evidence-login",
                ),
                self.input(&format!("{stem}.done.account"), "programme-evidence-account"),
                own("done"),
            ];
            let planned = vec![
                self.area(&format!("{stem}.planned.text"), "programme-item-planned-text"),
                own("planned"),
            ];
            let refused = vec![
                self.area(&format!("{stem}.refused.text"), "programme-item-refused-text"),
                own("refused"),
            ];
            let group = item.group.as_deref().and_then(|group| self.stage.group(group));
            ItemView {
                title: format!("{} {}", item.id, self.words.of(&item.title)),
                group: group.map(|group| self.words.of(&group.title).to_owned()),
                wrong: self.found(&format!("item-{}", item.id)),
                standings: vec![
                    standing("done", done),
                    standing("planned", planned),
                    standing("refused", refused),
                ],
                id: item.id.clone(),
            }
        });
        items.collect()
    }

    /// Extra items.
    pub(super) fn extra(&self) -> Vec<Group> {
        let designated = || {
            let items = self.stage.designated();
            items.map(|item| (item.id.clone(), format!("{} {}", item.id, self.words.of(&item.title))))
        };
        let shown = self.shown("extra").into_iter().enumerate();
        let groups = shown.map(|(place, at)| {
            let stem = format!("extra.{at}");
            let mut fields = vec![
                self.input(&format!("{stem}.title"), "programme-extra-title"),
                self.area(&format!("{stem}.text"), "programme-extra-text"),
                self.select(
                    &format!("{stem}.redesigns"),
                    "programme-extra-redesigns",
                    designated().collect(),
                ),
            ];
            if !self.stage.groups.is_empty() {
                fields.push(self.select(&format!("{stem}.group"), "programme-item-group", self.group_titles()));
            }
            let id = format!("extra-{}", place + 1);
            Group {
                wrong: self.found(&id),
                id,
                title: self.words.t1("programme-extra-n", "n", place + 1),
                fields,
                hidden: Vec::new(),
            }
        });
        groups.collect()
    }

    /// What is said of whole groups, and of the stage as a whole.
    pub(super) fn rest(&self) -> Vec<Group> {
        let groups = self.stage.groups.iter().map(|group| {
            let id = format!("group-{}", group.id);
            let stem = format!("group.{}", group.id);
            let mut reason = self.area(&format!("{stem}.reason"), "programme-group-reason");
            reason.optional = true;
            Group {
                wrong: self.found(&id),
                id,
                title: self.words.of(&group.title).to_owned(),
                fields: vec![
                    reason,
                    self.box_of(
                        &format!("{stem}.empty"),
                        "programme-group-table",
                        "programme-group-empty",
                    ),
                ],
                hidden: Vec::new(),
            }
        });
        let mut all: Vec<Group> = groups.collect();
        // a stage on which a later one rests may say that nothing else is planned (annex 2, example 10)
        let rested_on = |stage: &Stage| stage.needs.contains(&self.stage.id);
        if self.programme.stages.iter().any(rested_on) {
            let mut nothing = self.input("nothing", "programme-nothing");
            nothing.optional = true;
            all.push(Group {
                fields: vec![nothing],
                ..Group::default()
            });
        }
        all
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where its ground gives way")]

    use super::*;
    use crate::programme::stage_form::tests::{example, folder};
    use crate::programme::stage_form::values;

    #[test]
    fn every_value_of_a_stage_has_a_field() {
        let programme = Programme::load(&folder()).unwrap();
        for number in 1..=13 {
            for given in example(number).rows {
                let stage = programme.stage(&given.stage).unwrap();
                let raw = values(Some(&given), stage);
                let form = StageForm {
                    words: Words::new(civic::Language::ZhTw),
                    programme: &programme,
                    stage,
                    raw: &raw,
                    wrong: None,
                    findings: &[],
                    more: 0,
                };
                let mut names = vec![form.stands().name];
                for group in form.evidence().into_iter().chain(form.extra()).chain(form.rest()) {
                    names.extend(group.fields.into_iter().map(|field| field.name));
                }
                for item in form.items() {
                    for standing in item.standings {
                        names.push(standing.name);
                        names.extend(standing.fields.into_iter().map(|field| field.name));
                    }
                }
                for name in raw.keys() {
                    assert!(names.contains(name), "example {number}: `{name}` has no field");
                }
            }
        }
    }
}
