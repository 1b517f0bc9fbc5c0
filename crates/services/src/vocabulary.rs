//! The vocabulary (共通詞彙): which inputs of different services are one fact, so that nobody is asked for it twice.
//!
//! `services/vocabulary.toml` lists the facts. An input of that name in any service is the fact, unless the file says
//! otherwise; an input it does not list is a fact of its service alone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use rules::{Entity, Mistake};
use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;

use crate::Service;
use crate::folder::{TextFile, suggest};
use crate::form::{Field, InputName, Page};

/// Name of the file in the folder of the services.
pub(crate) const FILE: &str = "vocabulary.toml";

/// A fact (事實) about an application, a family or a person, as one or several services ask for it.
#[derive(Clone, Debug)]
pub struct Fact {
    /// Name in addresses: `person.birth_date`, or `scholarship.person.student` for a fact of one service.
    pub id: String,
    /// Whose fact it is.
    pub entity: Entity,
    /// The input it is in each service, by folder name.
    pub inputs: BTreeMap<String, InputName>,
    /// The service whose field asks for it.
    pub asked_in: String,
    /// Days for which an answer to it may be used again; never again without a number.
    pub valid_days: Option<u32>,
    /// What a service takes that does not know a value of it; empty where only the office can tell.
    instead: BTreeMap<String, String>,
}

/// All facts of the services on offer.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    facts: Vec<Fact>,
    /// Place of the fact, by service and input (`person.birth_date`).
    by_input: BTreeMap<(String, String), usize>,
    by_id: BTreeMap<String, usize>,
    valid_days: Option<u32>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct VocabularyFile {
    valid_days: Option<u32>,
    #[serde(default)]
    apart: Vec<Spanned<String>>,
    #[serde(default)]
    fact: Vec<FactFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FactFile {
    name: Spanned<String>,
    asked_in: Option<Spanned<String>>,
    valid_days: Option<u32>,
    #[serde(default)]
    except: Vec<Spanned<String>>,
    #[serde(default)]
    also: BTreeMap<Spanned<String>, Spanned<String>>,
    #[serde(default)]
    instead: BTreeMap<Spanned<String>, Spanned<String>>,
}

impl FactFile {
    /// The input this fact is in a service, if the service has it.
    fn input_in(&self, service: &Service) -> Option<InputName> {
        let also = self.also.iter().find(|(id, _)| *id.get_ref() == service.id);
        if also.is_none() && self.except.iter().any(|id| *id.get_ref() == service.id) {
            return None;
        }
        let name = also.map_or(self.name.get_ref(), |(_, name)| name.get_ref());
        parse(name).filter(|input| has(service, input))
    }
}

/// `person.birth_date` as an input.
fn parse(name: &str) -> Option<InputName> {
    let (entity, name) = name.split_once('.')?;
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
}

fn named(input: &InputName) -> String {
    format!("{}.{}", input.entity, input.name)
}

fn has(service: &Service, input: &InputName) -> bool {
    let mut inputs = service.rules.inputs().iter();
    inputs.any(|one| one.entity == input.entity && one.name == input.name)
}

impl Fact {
    /// The value as a service takes it; None where the service can't take it, and it stays unknown there.
    #[must_use]
    pub fn value_in(&self, field: &Field, value: &Value) -> Option<Value> {
        if field.takes(value) {
            return Some(value.clone());
        }
        let instead = self
            .instead
            .get(value.as_str()?)
            .filter(|instead| !instead.is_empty())?;
        Some(Value::String(instead.clone())).filter(|value| field.takes(value))
    }

    /// The value of the fact that a service holds as `value`; None where several values of the fact are this one there.
    #[must_use]
    pub fn value_from(&self, field: &Field, value: &Value) -> Option<Value> {
        let several = self.instead.iter().any(|(other, instead)| {
            !field.takes(&Value::String(other.clone())) && Some(instead.as_str()) == value.as_str()
        });
        (!several).then(|| value.clone())
    }

    /// The field that asks for it, with its page, in one of its services.
    #[must_use]
    pub fn field_in<'a>(&self, service: &'a Service) -> Option<(&'a Page, &'a Field)> {
        let input = self.inputs.get(&service.id)?;
        service.form.field_of_input(input.entity, &input.name)
    }
}

impl Vocabulary {
    /// The facts of these services, with `vocabulary.toml` of their folder where there is one.
    ///
    /// # Errors
    /// What is wrong with the file, beside the vocabulary without it.
    pub(crate) fn load(folder: &Path, services: &BTreeMap<String, Arc<Service>>) -> (Self, Vec<Mistake>) {
        let (file, mut mistakes) = match read(folder) {
            Ok(file) => (file, Vec::new()),
            Err(mistakes) => (None, mistakes),
        };
        let file = match file {
            Some((text, file)) => {
                mistakes.extend(own(&text, &file));
                file
            }
            None => VocabularyFile::default(),
        };
        let vocabulary = if mistakes.is_empty() {
            Self::new(&file, services)
        } else {
            Self::new(&VocabularyFile::default(), services)
        };
        (vocabulary, mistakes)
    }

    fn new(file: &VocabularyFile, services: &BTreeMap<String, Arc<Service>>) -> Self {
        let mut vocabulary = Self {
            valid_days: file.valid_days,
            ..Self::default()
        };
        for shared in &file.fact {
            let inputs: BTreeMap<String, InputName> = services
                .values()
                .filter_map(|service| Some((service.id.clone(), shared.input_in(service)?)))
                .collect();
            let Some(asked_in) = asked_in(shared, &inputs, services) else {
                continue;
            };
            let Some(name) = parse(shared.name.get_ref()) else {
                continue;
            };
            vocabulary.add(Fact {
                id: shared.name.get_ref().clone(),
                entity: name.entity,
                asked_in,
                valid_days: shared.valid_days.or(file.valid_days),
                instead: shared
                    .instead
                    .iter()
                    .map(|(value, instead)| (value.get_ref().clone(), instead.get_ref().clone()))
                    .collect(),
                inputs,
            });
        }
        for service in services.values() {
            for input in service.rules.inputs() {
                let name = InputName {
                    entity: input.entity,
                    name: input.name.clone(),
                };
                let full = named(&name);
                if vocabulary.by_input.contains_key(&(service.id.clone(), full.clone())) {
                    continue;
                }
                vocabulary.add(Fact {
                    id: format!("{}.{full}", service.id),
                    entity: input.entity,
                    inputs: BTreeMap::from([(service.id.clone(), name)]),
                    asked_in: service.id.clone(),
                    valid_days: file.valid_days,
                    instead: BTreeMap::new(),
                });
            }
        }
        vocabulary
    }

    fn add(&mut self, fact: Fact) {
        let place = self.facts.len();
        for (service, input) in &fact.inputs {
            self.by_input.insert((service.clone(), named(input)), place);
        }
        self.by_id.insert(fact.id.clone(), place);
        self.facts.push(fact);
    }

    /// The fact that an input of a service is.
    #[must_use]
    pub fn of_input(&self, service: &str, input: &InputName) -> Option<&Fact> {
        let place = self.by_input.get(&(service.to_owned(), named(input)))?;
        self.facts.get(*place)
    }

    /// The fact of this name.
    #[must_use]
    pub fn fact(&self, id: &str) -> Option<&Fact> {
        self.facts.get(*self.by_id.get(id)?)
    }

    /// Days for which an answer that is no fact of the rules, such as a telephone number, may be used again.
    #[must_use]
    pub fn valid_days(&self) -> Option<u32> {
        self.valid_days
    }

    /// All facts, the shared ones first.
    pub fn all(&self) -> impl ExactSizeIterator<Item = &Fact> {
        self.facts.iter()
    }
}

/// The service whose field asks: the one the file names, or the first of those whose field has the most choices.
fn asked_in(
    shared: &FactFile,
    inputs: &BTreeMap<String, InputName>,
    services: &BTreeMap<String, Arc<Service>>,
) -> Option<String> {
    if let Some(id) = &shared.asked_in
        && inputs.contains_key(id.get_ref())
    {
        return Some(id.get_ref().clone());
    }
    let mut best: Option<(&String, usize)> = None;
    for (id, input) in inputs {
        let field = services
            .get(id)
            .and_then(|service| service.form.field_of_input(input.entity, &input.name));
        let choices = field.map_or(0, |(_, field)| field.kind.choices().len());
        if best.is_none_or(|(_, most)| choices > most) {
            best = Some((id, choices));
        }
    }
    best.map(|(id, _)| id.clone())
}

fn read(folder: &Path) -> Result<Option<(TextFile, VocabularyFile)>, Vec<Mistake>> {
    if !folder.join(FILE).exists() {
        return Ok(None);
    }
    let text = TextFile::read(folder, FILE).map_err(|mistake| vec![mistake])?;
    let file = text.parse().map_err(|mistake| vec![mistake])?;
    Ok(Some((text, file)))
}

/// What is wrong with the file by itself.
fn own(text: &TextFile, file: &VocabularyFile) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    let mut seen = BTreeSet::new();
    let names = file.fact.iter().map(|fact| &fact.name).chain(&file.apart);
    let also = file.fact.iter().flat_map(|fact| fact.also.values());
    for name in names.clone().chain(also) {
        if parse(name.get_ref()).is_none() {
            let message = format!("`{}` names no input", name.get_ref());
            let advice = "write entity and name, as `person.birth_date`".to_owned();
            mistakes.push(text.mistake(&name.span(), message, advice));
        }
    }
    for name in names {
        if !seen.insert(name.get_ref()) {
            let message = format!("`{}` stands here twice", name.get_ref());
            mistakes.push(text.mistake(&name.span(), message, "remove one".to_owned()));
        }
    }
    mistakes
}

/// What the vocabulary beside a folder says of its service that is not so, and names it shares with another service without
/// the vocabulary saying whether they mean the same: mistakes, and warnings.
pub(crate) fn check(folder: &Path, service: &Service) -> (Vec<Mistake>, Vec<Mistake>) {
    let Some(above) = folder.parent() else {
        return (Vec::new(), Vec::new());
    };
    let (text, file) = match read(above) {
        Ok(Some(found)) => found,
        Ok(None) => return (Vec::new(), Vec::new()),
        Err(mistakes) => return (mistakes, Vec::new()),
    };
    let mut mistakes = own(&text, &file);
    for fact in &file.fact {
        mistakes.extend(of_service(&text, fact, service, above));
    }
    (mistakes, undecided(&file, service, above))
}

/// One fact against one service.
fn of_service(text: &TextFile, fact: &FactFile, service: &Service, above: &Path) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    let mut wrong = |at: &Spanned<String>, message: String, advice: Option<String>| {
        mistakes.push(text.mistake(&at.span(), message, advice));
    };
    let inputs: Vec<String> = service
        .rules
        .inputs()
        .iter()
        .map(|input| format!("{}.{}", input.entity, input.name))
        .collect();
    for (_, name) in fact.also.iter().filter(|(id, _)| *id.get_ref() == service.id) {
        if !inputs.contains(name.get_ref()) {
            let message = format!("`{}` has no input `{}`", service.id, name.get_ref());
            wrong(
                name,
                message,
                suggest(name.get_ref(), inputs.iter().map(String::as_str)),
            );
        }
    }
    let mut services: Vec<&Spanned<String>> = fact.also.keys().chain(&fact.except).collect();
    services.extend(&fact.asked_in);
    for id in services {
        if !above.join(id.get_ref()).is_dir() {
            let message = format!("there is no service `{}`", id.get_ref());
            wrong(
                id,
                message,
                Some("name a folder that stands beside this file".to_owned()),
            );
        }
    }
    let Some(input) = fact.input_in(service) else {
        return mistakes;
    };
    let Some((_, field)) = service.form.field_of_input(input.entity, &input.name) else {
        return mistakes;
    };
    if let Some(id) = fact.asked_in.as_ref().filter(|id| *id.get_ref() != service.id)
        && let Ok(asker) = Service::load(&above.join(id.get_ref()), None)
        && let Some(asked) = fact.input_in(&asker)
        && let Some((_, asked)) = asker.form.field_of_input(asked.entity, &asked.name)
    {
        if std::mem::discriminant(&asked.kind) != std::mem::discriminant(&field.kind)
            && asked.kind.choices().is_empty() != field.kind.choices().is_empty()
        {
            let message = format!(
                "`{}` and `{}` take answers of different kinds",
                id.get_ref(),
                service.id
            );
            let advice = format!("add `except = [\"{}\"]`, or give both fields the same kind", service.id);
            wrong(&fact.name, message, Some(advice));
        }
        for choice in asked.kind.choices() {
            let value = Value::String(choice.value.clone());
            let instead = fact.instead.iter().find(|(one, _)| *one.get_ref() == choice.value);
            let told = match instead {
                Some((_, instead)) => {
                    instead.get_ref().is_empty() || field.takes(&Value::String(instead.get_ref().clone()))
                }
                None => false,
            };
            if !field.takes(&value) && !told {
                let message = format!("`{}` can't take the answer `{}`", service.id, choice.value);
                let advice = format!(
                    "say what stands for it: `instead = {{ {} = \"…\" }}`, with \"\" where only the office can tell",
                    choice.value
                );
                wrong(&fact.name, message, Some(advice));
            }
        }
    }
    mistakes
}

/// Inputs that another service has too, which the vocabulary lists neither as one fact nor as apart.
fn undecided(file: &VocabularyFile, service: &Service, above: &Path) -> Vec<Mistake> {
    let names = file.fact.iter().map(|fact| &fact.name).chain(&file.apart);
    let listed: BTreeSet<&str> = names.map(|name| name.get_ref().as_str()).collect();
    let mut open: BTreeSet<String> = service
        .rules
        .inputs()
        .iter()
        .map(|input| format!("{}.{}", input.entity, input.name))
        .filter(|name| !listed.contains(name.as_str()))
        .filter(|name| {
            let also = file.fact.iter().flat_map(|fact| &fact.also);
            let mut own = also.filter(|(id, _)| *id.get_ref() == service.id);
            !own.any(|(_, other)| other.get_ref() == name)
        })
        .collect();
    let mut warnings = Vec::new();
    let mut folders: Vec<_> = std::fs::read_dir(above)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.join("rules.toml").exists())
        .collect();
    folders.sort();
    for other in folders {
        let id = other.file_name().map(|name| name.to_string_lossy().into_owned());
        let Some(id) = id.filter(|id| *id != service.id) else {
            continue;
        };
        let Ok(rules) = rules::RuleSet::load(&other) else {
            continue;
        };
        for input in rules.inputs() {
            let name = format!("{}.{}", input.entity, input.name);
            if open.remove(&name) {
                warnings.push(crate::folder::at_top(
                    "rules.toml",
                    format!(
                        "the service `{id}` has an input `{name}` too, and nothing says whether it is the same fact"
                    ),
                    &format!(
                        "add a `[[fact]]` with `name = \"{name}\"` to vocabulary.toml, or the name to its `apart`"
                    ),
                ));
            }
        }
    }
    warnings
}
