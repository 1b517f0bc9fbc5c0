//! `form.toml`: its shape, and the way from it to a form, with every mistake's place.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use civic::Text;
use rules::{Entity, Mistake, RuleSet};
use serde::Deserialize;
use serde_json::{Map, Value};
use toml::Spanned;

use super::Condition;
use super::model::{Ask, Choice, Field, FieldKind, Form, Group, InputName, Items, Page, SourceKind};
use crate::folder::{TextFile, suggest};
use crate::mydata::Mapping;
use crate::wallet::ShownCard;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FormFile {
    #[serde(default)]
    group: Vec<GroupFile>,
    page: Vec<PageFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupFile {
    id: Spanned<String>,
    title: Text,
    item: Text,
    #[serde(default)]
    persons: bool,
    identity: Option<Spanned<String>>,
    label: Option<Spanned<String>>,
    known_by: Option<Spanned<String>>,
    together: Option<Spanned<String>>,
    #[serde(default)]
    applicant: BTreeMap<Spanned<String>, Value>,
    max: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PageFile {
    id: Spanned<String>,
    title: Text,
    hint: Option<Text>,
    group: Option<Spanned<String>>,
    items: Option<Spanned<String>>,
    when: Option<Spanned<String>>,
    #[serde(default)]
    field: Vec<FieldFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldFile {
    id: Spanned<String>,
    kind: Spanned<String>,
    label: Text,
    hint: Option<Text>,
    input: Option<Spanned<String>>,
    ask: Option<Spanned<String>>,
    required: Option<bool>,
    when: Option<Spanned<String>>,
    #[serde(default)]
    sources: Vec<Spanned<String>>,
    mydata: Option<Spanned<String>>,
    wallet: Option<Spanned<String>>,
    profile: Option<Spanned<String>>,
    #[serde(default)]
    seen_by: Vec<Spanned<String>>,
    #[serde(default)]
    options: Vec<ChoiceFile>,
    options_from: Option<Spanned<String>>,
    min: Option<i64>,
    max: Option<i64>,
    max_length: Option<usize>,
    #[serde(default)]
    past: bool,
    max_mib: Option<u64>,
    #[serde(default)]
    accept: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChoiceFile {
    value: Spanned<String>,
    label: Text,
    hint: Option<Text>,
}

/// Names of the kinds a field may have.
const KINDS: [&str; 15] = [
    "text",
    "textarea",
    "integer",
    "money",
    "date",
    "yes_no",
    "radios",
    "select",
    "checkboxes",
    "national_id",
    "phone",
    "email",
    "address",
    "bank_account",
    "file",
];
const SOURCES: [&str; 5] = ["mydata", "wallet", "register", "profile", "person"];
const PROFILES: [&str; 6] = ["name", "national_id", "birth_date", "email", "phone", "address"];
const ROLES: [&str; 3] = ["clerk", "officer", "cashier"];

/// What else is known when a form is read; what could not be loaded is not compared with.
#[derive(Clone, Copy, Default)]
pub(crate) struct Known<'a> {
    /// The rules say which inputs there are to fill.
    pub rules: Option<&'a RuleSet>,
    /// The MyData sets that service.toml asks for.
    pub sets: Option<&'a [String]>,
    /// How MyData sets are read.
    pub mappings: Option<&'a BTreeMap<String, Mapping>>,
    /// The cards that service.toml takes.
    pub taken: Option<&'a [String]>,
    /// How cards are read.
    pub cards: Option<&'a BTreeMap<String, ShownCard>>,
    /// The places of the service's rounds.
    pub places: &'a [crate::round::Place],
    /// The bodies that confirm values of the service's applications.
    pub bodies: &'a [crate::confirm::Body],
}

/// Reads `form.toml`.
pub(crate) fn load(file: &TextFile, known: &Known<'_>) -> Result<Form, Vec<Mistake>> {
    let parsed: FormFile = file.parse().map_err(|mistake| vec![mistake])?;
    let mut loader = Loader {
        file,
        rules: known.rules,
        known: *known,
        sets: Vec::new(),
        mistakes: Vec::new(),
    };
    let form = loader.form(parsed);
    if loader.mistakes.is_empty() {
        Ok(form)
    } else {
        Err(loader.mistakes)
    }
}

struct Loader<'a> {
    file: &'a TextFile,
    rules: Option<&'a RuleSet>,
    known: Known<'a>,
    /// Fields that a MyData set fills: group, field, where the set is named.
    sets: Vec<(Option<String>, String, Spanned<String>)>,
    mistakes: Vec<Mistake>,
}

impl Loader<'_> {
    fn wrong(&mut self, at: Range<usize>, message: String, suggestion: Option<String>) {
        self.mistakes.push(self.file.mistake(&at, message, suggestion));
    }

    fn name(&mut self, name: &Spanned<String>, what: &str) {
        let text = name.get_ref();
        let sound = text.starts_with(|c: char| c.is_ascii_lowercase())
            && text
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if !sound {
            self.wrong(
                name.span(),
                format!("`{text}` can't name a {what}"),
                Some("use small letters, digits and `_`, beginning with a letter".to_owned()),
            );
        }
    }

    /// One of a few known words.
    fn word(&mut self, word: &Spanned<String>, what: &str, known: &[&str]) -> bool {
        let found = known.contains(&word.get_ref().as_str());
        if !found {
            self.wrong(
                word.span(),
                format!("`{}` is no {what}", word.get_ref()),
                suggest(word.get_ref(), known.iter().copied()),
            );
        }
        found
    }

    fn form(&mut self, parsed: FormFile) -> Form {
        let mut form = Form::default();
        let mut references: Vec<(String, Spanned<String>)> = Vec::new();
        for group in parsed.group {
            self.name(&group.id, "group");
            if form.group(group.id.get_ref()).is_some() {
                self.wrong(
                    group.id.span(),
                    format!("there are two groups called `{}`", group.id.get_ref()),
                    Some("give one another name".to_owned()),
                );
            }
            if group.persons && form.person_group().is_some() {
                self.wrong(
                    group.id.span(),
                    "two groups are of persons".to_owned(),
                    Some("the rules know one family; leave `persons` out of one".to_owned()),
                );
            }
            let named = [&group.identity, &group.label, &group.known_by, &group.together];
            for name in named.into_iter().flatten() {
                references.push((group.id.get_ref().clone(), name.clone()));
            }
            let mut applicant = Map::new();
            for (name, value) in group.applicant {
                self.input(&format!("person.{}", name.get_ref()), name.span());
                applicant.insert(name.into_inner(), value);
            }
            form.groups.push(Group {
                id: group.id.into_inner(),
                title: group.title,
                item: group.item,
                persons: group.persons,
                identity: group.identity.map(Spanned::into_inner),
                label: group.label.map(Spanned::into_inner),
                known_by: group.known_by.map(Spanned::into_inner),
                together: group.together.map(Spanned::into_inner),
                applicant,
                max: group.max,
            });
        }
        let mut conditions = Vec::new();
        let mut seen = BTreeSet::new();
        for page in parsed.page {
            self.name(&page.id, "page");
            if form.pages.iter().any(|other| other.id == *page.id.get_ref()) {
                self.wrong(
                    page.id.span(),
                    format!("there are two pages called `{}`", page.id.get_ref()),
                    Some("give one another name".to_owned()),
                );
            }
            if let Some(group) = &page.group
                && form.group(group.get_ref()).is_none()
            {
                let known: Vec<&str> = form.groups.iter().map(|group| group.id.as_str()).collect();
                self.wrong(
                    group.span(),
                    format!("there is no group called `{}`", group.get_ref()),
                    suggest(group.get_ref(), known.into_iter()),
                );
            }
            let made = self.page(page, &form, &mut seen, &mut conditions);
            form.pages.push(made);
        }
        for (group, name) in references {
            if !form.pages.iter().any(|page| {
                page.group.as_deref() == Some(&group) && page.fields.iter().any(|field| field.id == *name.get_ref())
            }) {
                self.wrong(
                    name.span(),
                    format!("the group `{group}` has no field called `{}`", name.get_ref()),
                    Some("name a field of one of its pages".to_owned()),
                );
            }
        }
        self.check_conditions(&form, conditions);
        self.check_inputs(&form);
        self.check_sets(&form);
        form
    }

    fn page(
        &mut self,
        page: PageFile,
        form: &Form,
        seen: &mut BTreeSet<(Option<String>, String)>,
        conditions: &mut Vec<(Option<String>, Spanned<String>, Condition)>,
    ) -> Page {
        let group = page.group.map(Spanned::into_inner);
        let items = match page.items {
            None => Items::All,
            Some(word) => {
                self.word(&word, "choice of items", &["all", "applicant", "others"]);
                match word.get_ref().as_str() {
                    "applicant" => Items::Applicant,
                    "others" => Items::Others,
                    _ => Items::All,
                }
            }
        };
        let when = page
            .when
            .and_then(|when| self.condition(when, group.clone(), conditions));
        let persons = group
            .as_deref()
            .and_then(|group| form.group(group))
            .is_some_and(|group| group.persons);
        let mut fields = Vec::new();
        for field in page.field {
            self.name(&field.id, "field");
            if !seen.insert((group.clone(), field.id.get_ref().clone())) {
                self.wrong(
                    field.id.span(),
                    format!("there are two fields called `{}`", field.id.get_ref()),
                    Some("give one another name".to_owned()),
                );
            }
            fields.extend(self.field(field, group.clone(), persons, conditions));
        }
        Page {
            id: page.id.into_inner(),
            title: page.title,
            hint: page.hint,
            group,
            items,
            when,
            fields,
        }
    }

    fn field(
        &mut self,
        field: FieldFile,
        group: Option<String>,
        persons: bool,
        conditions: &mut Vec<(Option<String>, Spanned<String>, Condition)>,
    ) -> Option<Field> {
        let kind = self.kind(&field)?;
        let input = field
            .input
            .as_ref()
            .and_then(|input| self.input(input.get_ref(), input.span()));
        if let (Some(input), Some(name)) = (&input, &field.input) {
            if (input.entity == Entity::Person) != persons {
                let advice = if persons {
                    "fields of a person group fill inputs of `person.`"
                } else {
                    "move the field to a page of the person group"
                };
                self.wrong(
                    name.span(),
                    format!("`{}` can't be filled on this page", name.get_ref()),
                    Some(advice.to_owned()),
                );
            }
            self.fits(&kind, input, name, &field);
        }
        let ask = match &field.ask {
            None => Ask::Unknown,
            Some(word) => {
                self.word(word, "time to ask", &["always", "unknown", "never"]);
                match word.get_ref().as_str() {
                    "always" => Ask::Always,
                    "never" => Ask::Never,
                    _ => Ask::Unknown,
                }
            }
        };
        let sources = field
            .sources
            .iter()
            .filter(|source| self.word(source, "source", &SOURCES))
            .map(|source| source_kind(source.get_ref()))
            .collect();
        if let Some(profile) = &field.profile {
            self.word(profile, "detail of the account", &PROFILES);
        }
        for role in &field.seen_by {
            self.word(role, "role", &ROLES);
        }
        let mydata = field.sources.iter().find(|source| source.get_ref() == "mydata");
        if let (Some(source), None) = (mydata, &field.mydata) {
            self.wrong(
                source.span(),
                "a field with source `mydata` must say which set".to_owned(),
                Some("add `mydata = \"API.…\"`".to_owned()),
            );
        }
        if let Some(set) = &field.mydata {
            if mydata.is_none() {
                self.wrong(
                    set.span(),
                    "a field with a set must have it among its sources".to_owned(),
                    Some("add \"mydata\" to `sources`".to_owned()),
                );
            }
            self.sets.push((group.clone(), field.id.get_ref().clone(), set.clone()));
        }
        let when = field.when.and_then(|when| self.condition(when, group, conditions));
        let card = field.wallet.clone();
        let field = Field {
            id: field.id.into_inner(),
            kind,
            label: field.label,
            hint: field.hint,
            input,
            ask,
            required: field.required.unwrap_or(true),
            when,
            sources,
            mydata: field.mydata.map(Spanned::into_inner),
            wallet: field.wallet.map(Spanned::into_inner),
            profile: field.profile.map(Spanned::into_inner),
            seen_by: field.seen_by.into_iter().map(Spanned::into_inner).collect(),
        };
        let told = crate::wallet::check(self.file, &field, card.as_ref(), &self.known);
        self.mistakes.extend(told);
        Some(field)
    }

    fn kind(&mut self, field: &FieldFile) -> Option<FieldKind> {
        if !self.word(&field.kind, "kind of field", &KINDS) {
            return None;
        }
        let mut choices: Vec<Choice> = field
            .options
            .iter()
            .map(|choice| Choice {
                value: choice.value.get_ref().clone(),
                label: choice.label.clone(),
                hint: choice.hint.clone(),
            })
            .collect();
        if let Some(from) = &field.options_from {
            self.word(from, "list of options", &["places", "bodies"]);
            let (of_bodies, known) = (from.get_ref() == "bodies", self.known);
            let names: Vec<(&String, &Text)> = if of_bodies {
                known.bodies.iter().map(|body| (&body.id, &body.name)).collect()
            } else {
                known.places.iter().map(|place| (&place.id, &place.name)).collect()
            };
            if names.is_empty() {
                let (what, files) = if of_bodies {
                    ("bodies", "confirm.toml and bodies.csv")
                } else {
                    ("places", "round.toml and places.csv")
                };
                let advice = format!("add {files}, or write `options`");
                self.wrong(from.span(), format!("the service has no {what}"), Some(advice));
            }
            choices.extend(names.into_iter().map(|(value, label)| Choice {
                value: value.clone(),
                label: label.clone(),
                hint: None,
            }));
        }
        let (min, max) = (field.min.unwrap_or(0), field.max.unwrap_or(9_999_999_999));
        let max_length = field.max_length.unwrap_or(200);
        let kind = match field.kind.get_ref().as_str() {
            "text" => FieldKind::Text { max_length },
            "textarea" => FieldKind::TextArea {
                max_length: field.max_length.unwrap_or(2000),
            },
            "integer" => FieldKind::Integer { min, max },
            "money" => FieldKind::Money { min, max },
            "date" => FieldKind::Date { past: field.past },
            "yes_no" => FieldKind::YesNo,
            "radios" => FieldKind::Radios(choices),
            "select" => FieldKind::Select(choices),
            "checkboxes" => FieldKind::Checkboxes(choices),
            "national_id" => FieldKind::NationalId,
            "phone" => FieldKind::Phone,
            "email" => FieldKind::Email,
            "address" => FieldKind::Address,
            "bank_account" => FieldKind::BankAccount,
            _ => FieldKind::File {
                max_bytes: field.max_mib.unwrap_or(10) << 20,
                accept: field.accept.clone(),
            },
        };
        let wants_choices = matches!(
            kind,
            FieldKind::Radios(_) | FieldKind::Select(_) | FieldKind::Checkboxes(_)
        );
        if wants_choices && choices_of(&kind) < 2 {
            self.wrong(
                field.kind.span(),
                format!("`{}` wants two or more options", field.kind.get_ref()),
                Some("add `options = [{ value = \"…\", label = { … } }, …]`".to_owned()),
            );
        }
        if !wants_choices && (!field.options.is_empty() || field.options_from.is_some()) {
            self.wrong(
                field.kind.span(),
                format!("`{}` takes no options", field.kind.get_ref()),
                Some("make it `radios`, `select` or `checkboxes`".to_owned()),
            );
        }
        if matches!(&kind, FieldKind::File { accept, .. } if accept.is_empty()) {
            self.wrong(
                field.kind.span(),
                "a file field must say which media types it takes".to_owned(),
                Some("add `accept = [\"application/pdf\"]`".to_owned()),
            );
        }
        if min > max {
            self.wrong(
                field.id.span(),
                format!("the least, {min}, is above the most, {max}"),
                Some("swap `min` and `max`".to_owned()),
            );
        }
        Some(kind)
    }

    /// `person.birth_date` as an input of the rules.
    fn input(&mut self, text: &str, at: Range<usize>) -> Option<InputName> {
        let parts = text.split_once('.').and_then(|(entity, name)| {
            let entity = match entity {
                "person" => Entity::Person,
                "household" => Entity::Household,
                "case" => Entity::Case,
                _ => return None,
            };
            Some(InputName {
                entity,
                name: name.to_owned(),
            })
        });
        let Some(input) = parts else {
            self.wrong(
                at,
                format!("`{text}` is no input of the rules"),
                Some("write it as `person.name`, `household.name` or `case.name`".to_owned()),
            );
            return None;
        };
        let known: Vec<String> = self
            .rules?
            .inputs()
            .iter()
            .map(|input| format!("{}.{}", entity_name(input.entity), input.name))
            .collect();
        if known.iter().any(|one| one == text) {
            return Some(input);
        }
        self.wrong(
            at,
            format!("the rules have no input `{text}`"),
            suggest(text, known.iter().map(String::as_str)),
        );
        None
    }

    /// The kind must give what the input takes; choices must be the input's values.
    fn fits(&mut self, kind: &FieldKind, bound: &InputName, at: &Spanned<String>, field: &FieldFile) {
        let Some(input) = self.rules.and_then(|rules| {
            rules
                .inputs()
                .iter()
                .find(|input| input.entity == bound.entity && input.name == bound.name)
        }) else {
            return;
        };
        let wanted: &[&str] = match input.kind {
            rules::Type::Integer | rules::Type::Decimal => &["integer", "money"],
            rules::Type::Boolean => &["yes_no"],
            rules::Type::Date => &["date"],
            rules::Type::Text => &[
                "text",
                "textarea",
                "radios",
                "select",
                "national_id",
                "phone",
                "email",
                "address",
            ],
        };
        if !wanted.contains(&field.kind.get_ref().as_str()) {
            let advice = format!(
                "use {}",
                wanted
                    .iter()
                    .map(|kind| format!("`{kind}`"))
                    .collect::<Vec<_>>()
                    .join(" or ")
            );
            self.wrong(
                field.kind.span(),
                format!("a `{}` field can't fill `{}`", field.kind.get_ref(), at.get_ref()),
                Some(advice),
            );
            return;
        }
        let values: Vec<String> = input.values.clone();
        if values.is_empty() || !matches!(kind, FieldKind::Radios(_) | FieldKind::Select(_)) {
            return;
        }
        for choice in &field.options {
            if !values.contains(choice.value.get_ref()) {
                self.wrong(
                    choice.value.span(),
                    format!("`{}` takes no value `{}`", at.get_ref(), choice.value.get_ref()),
                    suggest(choice.value.get_ref(), values.iter().map(String::as_str)),
                );
            }
        }
    }

    fn condition(
        &mut self,
        when: Spanned<String>,
        group: Option<String>,
        conditions: &mut Vec<(Option<String>, Spanned<String>, Condition)>,
    ) -> Option<Condition> {
        match Condition::parse(when.get_ref()) {
            Ok(condition) => {
                conditions.push((group, when, condition.clone()));
                Some(condition)
            }
            Err(error) => {
                // the text begins behind its opening quote
                let start = when.span().start + 1 + error.offset;
                self.wrong(start..start, format!("in this condition: {error}"), None);
                None
            }
        }
    }

    fn check_conditions(&mut self, form: &Form, conditions: Vec<(Option<String>, Spanned<String>, Condition)>) {
        for (group, when, condition) in conditions {
            let fields = form
                .pages
                .iter()
                .filter(|page| page.group.is_none() || page.group == group)
                .flat_map(|page| &page.fields);
            let known: Vec<&str> = fields.map(|field| field.id.as_str()).chain(["is_applicant"]).collect();
            for name in condition.names() {
                if !known.contains(&name) {
                    self.wrong(
                        when.span(),
                        format!("this condition reads `{name}`, which is no field here"),
                        suggest(name, known.iter().copied()),
                    );
                }
            }
        }
    }

    /// A set must be asked for by service.toml, and must hold what the field wants.
    fn check_sets(&mut self, form: &Form) {
        for (group, id, set) in std::mem::take(&mut self.sets) {
            let name = set.get_ref();
            if let Some(sets) = self.known.sets
                && !sets.contains(name)
            {
                let advice = suggest(name, sets.iter().map(String::as_str))
                    .or_else(|| Some(format!("add it to `mydata` of service.toml: `mydata = [\"{name}\"]`")));
                self.wrong(
                    set.span(),
                    format!("service.toml does not ask for the set `{name}`"),
                    advice,
                );
                continue;
            }
            let Some(mapping) = self.known.mappings.and_then(|mappings| mappings.get(name)) else {
                continue;
            };
            if self.rules.is_none() {
                // what a set gives is told by inputs; while the rules can't be read, nothing true can be said
                continue;
            }
            let field = form
                .pages
                .iter()
                .filter(|page| page.group == group)
                .flat_map(|page| &page.fields)
                .find(|field| field.id == id);
            if field.is_some_and(|field| !mapping.gives(form, group.as_deref(), field)) {
                let advice = format!("add a `[[value]]` to datasets/mydata/{name}.toml, or leave `mydata` out here");
                self.wrong(
                    set.span(),
                    format!("the set `{name}` does not give `{id}`"),
                    Some(advice),
                );
            }
        }
    }

    /// An input nobody can fill would keep the decision open for ever.
    fn check_inputs(&mut self, form: &Form) {
        let Some(rules) = self.rules else { return };
        for input in rules.inputs() {
            if form.field_of_input(input.entity, &input.name).is_none() {
                let name = format!("{}.{}", entity_name(input.entity), input.name);
                self.wrong(
                    0..0,
                    format!("no field fills the input `{name}` of the rules"),
                    Some(format!("add a field with `input = \"{name}\"`")),
                );
            }
        }
        for group in &form.groups {
            for (name, value) in &group.applicant {
                let input = rules
                    .inputs()
                    .iter()
                    .find(|input| input.entity == Entity::Person && input.name == *name);
                let allowed = input.is_none_or(|input| {
                    input.values.is_empty()
                        || value
                            .as_str()
                            .is_some_and(|value| input.values.iter().any(|one| one == value))
                });
                if !allowed {
                    self.wrong(
                        0..0,
                        format!("the applicant's fixed value of `{name}` is none of the input's values"),
                        None,
                    );
                }
            }
        }
    }
}

fn choices_of(kind: &FieldKind) -> usize {
    match kind {
        FieldKind::Radios(choices) | FieldKind::Select(choices) | FieldKind::Checkboxes(choices) => choices.len(),
        _ => 0,
    }
}

fn source_kind(word: &str) -> SourceKind {
    match word {
        "mydata" => SourceKind::MyData,
        "wallet" => SourceKind::Wallet,
        "register" => SourceKind::Register,
        "profile" => SourceKind::Profile,
        _ => SourceKind::Person,
    }
}

/// The word the files use for an entity.
pub(crate) fn entity_name(entity: Entity) -> &'static str {
    match entity {
        Entity::Person => "person",
        Entity::Household => "household",
        Entity::Case => "case",
    }
}
