//! The form of one stage of the self-assessment: what stands in its fields, and the row that the fields make.

use grants::Programme;
use grants::assessment::{Done, Entry, Evidence, Extra, MOST_ENTRIES, Refused, Row};
use grants::programme::Stage;

use super::form::Group;
use super::lines;
use crate::components::{Choice, Control, Field, Typed};
use crate::posted::Raw;
use crate::texts::Words;

/// The stage is left out, its platform stands, or this plan builds it.
pub(super) const STANDS: &str = "stands";
const NONE: &str = "none";
const PLAN: &str = "plan";
const BUILT: &str = "built";

/// Empty evidence and extra items at the end.
const BLANK: usize = 1;

fn put(raw: &mut Raw, name: impl Into<String>, value: impl Into<String>) {
    let value = value.into();
    if !value.is_empty() {
        raw.entry(name.into()).or_default().push(value);
    }
}

fn tick(raw: &mut Raw, name: impl Into<String>, on: bool) {
    if on {
        put(raw, name, "1");
    }
}

/// What stands in the fields of a stage; of an item that stands twice in one list the first.
pub(super) fn values(row: Option<&Row>, stage: &Stage) -> Raw {
    let mut raw = Raw::new();
    let Some(row) = row else {
        return raw;
    };
    put(&mut raw, STANDS, if row.is_built() { BUILT } else { PLAN });
    for (at, one) in row.evidence.iter().enumerate() {
        let stem = format!("evidence.{at}");
        put(&mut raw, format!("{stem}.title"), &one.title);
        put(&mut raw, format!("{stem}.address"), &one.address);
        put(&mut raw, format!("{stem}.account"), &one.account);
        put(&mut raw, format!("{stem}.group"), one.group.clone().unwrap_or_default());
        tick(&mut raw, format!("{stem}.login"), one.login);
    }
    for item in stage.designated() {
        let stem = format!("item.{}", item.id);
        if let Some(one) = row.done.iter().find(|one| one.item == item.id) {
            tick(&mut raw, format!("{stem}.done"), true);
            put(
                &mut raw,
                format!("{stem}.done.title"),
                one.title.clone().unwrap_or_default(),
            );
            put(&mut raw, format!("{stem}.done.address"), &one.address);
            put(&mut raw, format!("{stem}.done.account"), &one.account);
            tick(&mut raw, format!("{stem}.done.login"), one.login);
        }
        if let Some(one) = row.planned.iter().find(|one| one.item == item.id) {
            tick(&mut raw, format!("{stem}.planned"), true);
            put(
                &mut raw,
                format!("{stem}.planned.title"),
                one.title.clone().unwrap_or_default(),
            );
            put(&mut raw, format!("{stem}.planned.text"), &one.text);
        }
        if let Some(one) = row.refused.iter().find(|one| one.item.as_ref() == Some(&item.id)) {
            tick(&mut raw, format!("{stem}.refused"), true);
            put(
                &mut raw,
                format!("{stem}.refused.title"),
                one.title.clone().unwrap_or_default(),
            );
            put(&mut raw, format!("{stem}.refused.text"), &one.reason);
        }
    }
    for (at, one) in row.extra.iter().enumerate() {
        let stem = format!("extra.{at}");
        put(&mut raw, format!("{stem}.title"), &one.title);
        put(&mut raw, format!("{stem}.text"), &one.text);
        put(
            &mut raw,
            format!("{stem}.redesigns"),
            one.redesigns.clone().unwrap_or_default(),
        );
        put(&mut raw, format!("{stem}.group"), one.group.clone().unwrap_or_default());
    }
    for group in &stage.groups {
        let refused = row.refused.iter().find(|one| one.group.as_ref() == Some(&group.id));
        put(
            &mut raw,
            format!("group.{}.reason", group.id),
            refused.map_or("", |one| one.reason.as_str()),
        );
        tick(
            &mut raw,
            format!("group.{}.empty", group.id),
            row.empty_groups.contains(&group.id),
        );
    }
    put(&mut raw, "nothing", row.nothing.clone().unwrap_or_default());
    raw
}

fn some(raw: &Raw, name: &str) -> Option<String> {
    Some(lines(raw, name)).filter(|text| !text.is_empty())
}

fn is_ticked(raw: &Raw, name: &str) -> bool {
    raw.contains_key(name)
}

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
        .filter(|number| *number < MOST_ENTRIES)
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// The row that the fields make, nothing where the stage is left out; or the field that contradicts the others with what is wrong.
pub(super) fn row(raw: &Raw, stage: &Stage) -> Result<Option<Row>, (String, &'static str)> {
    let mut row = Row {
        stage: stage.id.clone(),
        ..Row::default()
    };
    for at in numbers(raw, "evidence") {
        let stem = format!("evidence.{at}");
        let one = Evidence {
            title: lines(raw, &format!("{stem}.title")),
            address: lines(raw, &format!("{stem}.address")),
            login: is_ticked(raw, &format!("{stem}.login")),
            account: lines(raw, &format!("{stem}.account")),
            group: some(raw, &format!("{stem}.group")),
        };
        if !(one.title.is_empty() && one.address.is_empty() && one.account.is_empty()) {
            row.evidence.push(one);
        }
    }
    for item in stage.designated() {
        let stem = format!("item.{}", item.id);
        if is_ticked(raw, &format!("{stem}.done")) {
            row.done.push(Done {
                item: item.id.clone(),
                title: some(raw, &format!("{stem}.done.title")),
                address: lines(raw, &format!("{stem}.done.address")),
                login: is_ticked(raw, &format!("{stem}.done.login")),
                account: lines(raw, &format!("{stem}.done.account")),
            });
        }
        if is_ticked(raw, &format!("{stem}.planned")) {
            row.planned.push(Entry {
                item: item.id.clone(),
                title: some(raw, &format!("{stem}.planned.title")),
                text: lines(raw, &format!("{stem}.planned.text")),
            });
        }
        if is_ticked(raw, &format!("{stem}.refused")) {
            row.refused.push(Refused {
                item: Some(item.id.clone()),
                group: None,
                title: some(raw, &format!("{stem}.refused.title")),
                reason: lines(raw, &format!("{stem}.refused.text")),
            });
        }
    }
    for at in numbers(raw, "extra") {
        let stem = format!("extra.{at}");
        let one = Extra {
            title: lines(raw, &format!("{stem}.title")),
            text: lines(raw, &format!("{stem}.text")),
            redesigns: some(raw, &format!("{stem}.redesigns")),
            group: some(raw, &format!("{stem}.group")),
        };
        if !(one.title.is_empty() && one.text.is_empty()) {
            row.extra.push(one);
        }
    }
    for group in &stage.groups {
        if let Some(reason) = some(raw, &format!("group.{}.reason", group.id)) {
            row.refused.push(Refused {
                item: None,
                group: Some(group.id.clone()),
                title: None,
                reason,
            });
        }
        if is_ticked(raw, &format!("group.{}.empty", group.id)) {
            row.empty_groups.push(group.id.clone());
        }
    }
    row.nothing = some(raw, "nothing");
    let holds_nothing = row
        == Row {
            stage: stage.id.clone(),
            ..Row::default()
        };
    match lines(raw, STANDS).as_str() {
        NONE if holds_nothing => Ok(None),
        NONE => Err((STANDS.to_owned(), "programme-stage-none-with")),
        PLAN if row.evidence.is_empty() => Ok(Some(row)),
        PLAN => Err((STANDS.to_owned(), "programme-stage-plan-with")),
        BUILT if row.evidence.is_empty() => Err(("evidence.0.title".to_owned(), "programme-stage-built-without")),
        BUILT => Ok(Some(row)),
        _ => Err((STANDS.to_owned(), "programme-stage-choose")),
    }
}

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
        let first = self.raw.get(name).and_then(|values| values.first());
        first.cloned().unwrap_or_default()
    }

    fn field(&self, name: &str, key: &str, control: Control) -> Field {
        let mut field = Field::new(self.words, name, self.words.t(key), control);
        let hint = format!("{key}-hint");
        field.hint = self.words.has(&hint).then(|| self.words.t(&hint));
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
        let mut numbers = numbers(self.raw, stem);
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
    use grants::assessment::{Assessment, table};
    use std::path::Path;

    fn folder() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../programmes/moda-114")
    }

    /// The rows that an example of annex 2 is made of.
    fn example(number: usize) -> Assessment {
        let path = folder().join(format!("cases/assessment-{number:02}.toml"));
        let file: toml::Table = toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let given = file.get("case").unwrap().as_array().unwrap()[0].get("given").unwrap();
        given.clone().try_into().unwrap()
    }

    #[test]
    fn each_example_of_the_annex_comes_back_from_the_wizard() {
        let programme = Programme::load(&folder()).unwrap();
        for number in 1..=13 {
            let given = example(number);
            let mut made = Assessment::default();
            for stage in &programme.stages {
                let mut raw = values(given.row(&stage.id), stage);
                raw.entry(STANDS.to_owned()).or_insert_with(|| vec![NONE.to_owned()]);
                made.rows.extend(row(&raw, stage).unwrap());
            }
            assert_eq!(made, given, "example {number}");
            assert_eq!(table(&made, &programme), table(&given, &programme), "example {number}");
        }
    }

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

    #[test]
    fn what_contradicts_itself_is_told_and_not_lost() {
        let programme = Programme::load(&folder()).unwrap();
        let stage = programme.stage("A1").unwrap();
        let typed = |pairs: &[(&str, &str)]| -> Raw {
            let pairs = pairs.iter();
            pairs
                .map(|(name, value)| ((*name).to_owned(), vec![(*value).to_owned()]))
                .collect()
        };
        let wrong = |pairs: &[(&str, &str)]| row(&typed(pairs), stage).unwrap_err().1;
        assert_eq!(wrong(&[]), "programme-stage-choose");
        assert_eq!(wrong(&[("stands", "built")]), "programme-stage-built-without");
        let evidence = ("evidence.0.title", "雲端聯合服務中心");
        assert_eq!(wrong(&[("stands", "plan"), evidence]), "programme-stage-plan-with");
        assert_eq!(wrong(&[("stands", "none"), evidence]), "programme-stage-none-with");
        assert_eq!(row(&typed(&[("stands", "none")]), stage), Ok(None));
    }
}
