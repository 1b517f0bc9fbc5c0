//! Data sets that the city offers to the citizens on MyData (資料提供者): `datasets/offered/*.toml` says which decisions of a service
//! they are made of, and what of them is told.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use civic::Text;
use jiff::civil::Date;
use rules::{Decision, Entity, Mistake, RuleSet};
use serde::Deserialize;
use serde_json::{Map, Value};
use toml::Spanned;

use crate::Service;
use crate::folder::{TextFile, at_top, suggest};

/// Longest wait that the platform bears, in minutes.
const LONGEST: u32 = 80;

/// A data set that the city offers.
#[derive(Debug, Clone)]
pub struct Offered {
    /// `API.` and ten characters, as registered.
    pub resource_id: String,
    /// What it is called.
    pub title: Text,
    /// Folder name of the service whose decisions it tells.
    pub service: String,
    /// Purpose (特定目的) code and legal basis under which it is given.
    pub purpose: Purpose,
    /// Least level of assurance with which the citizen must have been verified, 1 (highest) to 4.
    pub assurance: u8,
    /// Minutes until it is ready; at once where 0.
    pub minutes: u32,
    /// The JSON file in the package.
    pub file: String,
    /// Parameters that the citizen fills in, each its own header.
    pub parameters: Vec<Parameter>,
    fields: Vec<Field>,
}

/// Purpose and basis of giving the data.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Purpose {
    /// Code of 特定目的.
    pub code: String,
    /// Law.
    pub basis: String,
}

/// A parameter of a data set.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// Name of the header, as registered.
    pub name: String,
    /// What it is called.
    pub title: Text,
    /// What of the decision must equal it; a decision with another value is not told.
    equals: Fact,
}

/// One value in the file.
#[derive(Debug, Clone)]
struct Field {
    name: String,
    value: Fact,
    codes: BTreeMap<String, String>,
}

/// What is told of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fact {
    Number,
    Service,
    Decided,
    DecidedYear,
    FirstMonth,
    LastMonth,
    Step(String),
    Amount(String),
}

/// A standing decision, as far as a data set may tell it.
pub struct Standing<'a> {
    /// Number of the case.
    pub number: &'a str,
    /// Name of the service.
    pub service: &'a Text,
    /// Legal day of the decision.
    pub decided: Date,
    /// First month it counts for, `YYYY-MM`, where it gives something by month.
    pub first_month: Option<&'a str>,
    /// Last month.
    pub last_month: Option<&'a str>,
    /// What the rules said.
    pub decision: &'a Decision,
}

impl Fact {
    pub(crate) fn parse(text: &str) -> Option<Fact> {
        Some(match text {
            "case.number" => Fact::Number,
            "case.service" => Fact::Service,
            "case.decided" => Fact::Decided,
            "case.decided_year" => Fact::DecidedYear,
            "case.first_month" => Fact::FirstMonth,
            "case.last_month" => Fact::LastMonth,
            other => match other.split_once('.')? {
                ("step", name) => Fact::Step(name.to_owned()),
                ("amount", name) => Fact::Amount(name.to_owned()),
                _ => return None,
            },
        })
    }

    pub(crate) fn of(&self, standing: &Standing<'_>) -> Value {
        let text = |value: Option<&str>| value.map_or(Value::Null, Value::from);
        match self {
            Fact::Number => standing.number.into(),
            Fact::Service => standing.service.get(civic::Language::ZhTw).into(),
            Fact::Decided => standing.decided.to_string().into(),
            // years of the Republic, as citizens write them
            Fact::DecidedYear => (standing.decided.year() - 1911).to_string().into(),
            Fact::FirstMonth => text(standing.first_month),
            Fact::LastMonth => text(standing.last_month),
            Fact::Step(name) => {
                let mut steps = standing.decision.steps.iter();
                let found = steps.find(|step| step.name == *name && step.entity != Entity::Person);
                found.map_or(Value::Null, |step| step.value.clone())
            }
            Fact::Amount(name) => standing
                .decision
                .amounts
                .get(name)
                .copied()
                .flatten()
                .map_or(Value::Null, Value::from),
        }
    }
}

impl Offered {
    /// Names of the values, for the record of use.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|field| field.name.as_str())
    }

    /// What the file says of these standing decisions under the parameters that were sent; nothing where none fits.
    #[must_use]
    pub fn content(
        &self,
        issued: Date,
        standing: &[Standing<'_>],
        parameters: &BTreeMap<String, String>,
    ) -> Option<Value> {
        let fits = |one: &&Standing<'_>| {
            self.parameters.iter().all(|parameter| {
                let asked = parameters.get(&parameter.name).map(String::as_str).unwrap_or_default();
                asked.is_empty() || text(&parameter.equals.of(one)) == asked
            })
        };
        let told: Vec<Value> = standing.iter().filter(fits).map(|one| self.line(one)).collect();
        if told.is_empty() {
            return None;
        }
        let mut content = Map::new();
        content.insert("issued".to_owned(), issued.to_string().into());
        content.insert("title".to_owned(), self.title.get(civic::Language::ZhTw).into());
        content.insert("decisions".to_owned(), told.into());
        Some(content.into())
    }

    fn line(&self, standing: &Standing<'_>) -> Value {
        let line = self.fields.iter().map(|field| {
            let value = field.value.of(standing);
            let coded = field.codes.get(&text(&value)).map(|word| Value::from(word.as_str()));
            (field.name.clone(), coded.unwrap_or(value))
        });
        line.collect::<Map<_, _>>().into()
    }
}

/// A value as a code table and a parameter write it.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfferedFile {
    resource_id: Spanned<String>,
    title: Text,
    service: Spanned<String>,
    purpose: Purpose,
    assurance: Spanned<u8>,
    minutes: Option<Spanned<u32>>,
    file: Spanned<String>,
    #[serde(default)]
    codes: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(default)]
    parameter: Vec<ParameterFile>,
    field: Vec<FieldFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ParameterFile {
    name: Spanned<String>,
    title: Text,
    equals: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldFile {
    name: Spanned<String>,
    value: Spanned<String>,
    code: Option<Spanned<String>>,
    #[serde(rename = "title")]
    _title: Text,
}

/// All offered data sets of a folder, by resource id, and what is wrong with those that can't be read.
pub(crate) fn load_all(
    folder: &Path,
    services: &BTreeMap<String, Arc<Service>>,
) -> (BTreeMap<String, Offered>, Vec<Mistake>) {
    let (mut sets, mut mistakes) = (BTreeMap::new(), Vec::new());
    for name in crate::folder::names(folder, "toml") {
        let read = TextFile::read(folder, &name).map_err(|mistake| vec![mistake]);
        match read.and_then(|file| load(&file, services)) {
            Ok(offered) => {
                let id = offered.resource_id.clone();
                if sets.insert(id.clone(), offered).is_some() {
                    mistakes.push(at_top(
                        &name,
                        format!("another file offers the set `{id}` too"),
                        "remove one",
                    ));
                }
            }
            Err(found) => mistakes.extend(found),
        }
    }
    (sets, mistakes)
}

fn load(file: &TextFile, services: &BTreeMap<String, Arc<Service>>) -> Result<Offered, Vec<Mistake>> {
    let read: OfferedFile = file.parse().map_err(|mistake| vec![mistake])?;
    let mut mistakes = crate::texts::check(file);
    let mut wrong = |span: std::ops::Range<usize>, message: String, advice: Option<String>| {
        mistakes.push(file.mistake(&span, message, advice));
    };
    if !is_resource(read.resource_id.get_ref()) {
        wrong(
            read.resource_id.span(),
            format!("`{}` is no MyData set", read.resource_id.get_ref()),
            Some("`API.` and ten letters or digits".to_owned()),
        );
    }
    if !(1..=4).contains(read.assurance.get_ref()) {
        wrong(
            read.assurance.span(),
            "there are levels of assurance 1 to 4".to_owned(),
            Some("write 3 for a health insurance card".to_owned()),
        );
    }
    if let Some(minutes) = read.minutes.as_ref().filter(|minutes| *minutes.get_ref() > LONGEST) {
        wrong(
            minutes.span(),
            format!("the platform does not wait {} minutes", minutes.get_ref()),
            Some(format!("{LONGEST} minutes at most")),
        );
    }
    let name = read.file.get_ref();
    if !name.ends_with(".json") || name.contains(['/', '\\', ':']) || name.starts_with('.') {
        wrong(
            read.file.span(),
            format!("`{name}` is no name of a JSON file"),
            Some("such as `low-income.json`".to_owned()),
        );
    }
    let service = services.get(read.service.get_ref());
    if service.is_none() {
        let known = services.keys().map(String::as_str);
        wrong(
            read.service.span(),
            format!("there is no service `{}`", read.service.get_ref()),
            suggest(read.service.get_ref(), known),
        );
    }
    let mut fact = |text: &Spanned<String>| {
        let problem = match (Fact::parse(text.get_ref()), service) {
            (Some(Fact::Step(name)), Some(service)) if !has_step(&service.rules, &name) => {
                let steps = service
                    .rules
                    .steps()
                    .iter()
                    .filter(|step| step.entity != Entity::Person);
                suggest(&name, steps.map(|step| step.name.as_str()))
            }
            (Some(Fact::Amount(name)), Some(service)) if !has_amount(&service.rules, &name) => {
                Some("an amount that the rules of the service name".to_owned())
            }
            (Some(fact), _) => return Some(fact),
            (None, _) => {
                Some("`case.number`, `case.decided`, `case.first_month`, `step.<name>` or `amount.<name>`".to_owned())
            }
        };
        wrong(
            text.span(),
            format!("`{}` is nothing that can be told", text.get_ref()),
            problem,
        );
        None
    };
    let parameters: Vec<Parameter> = read
        .parameter
        .into_iter()
        .filter_map(|parameter| {
            Some(Parameter {
                equals: fact(&parameter.equals)?,
                name: parameter.name.into_inner(),
                title: parameter.title,
            })
        })
        .collect();
    let fields: Vec<(Spanned<String>, Fact, Option<Spanned<String>>)> = read
        .field
        .into_iter()
        .filter_map(|field| Some((field.name, fact(&field.value)?, field.code)))
        .collect();
    let mut told = Vec::with_capacity(fields.len());
    let mut seen = BTreeSet::new();
    for (name, value, code) in fields {
        if !seen.insert(name.get_ref().clone()) {
            wrong(
                name.span(),
                format!("`{}` stands twice", name.get_ref()),
                Some("name each once".to_owned()),
            );
        }
        let codes = match &code {
            None => BTreeMap::new(),
            Some(code) => match read.codes.get(code.get_ref()) {
                Some(codes) => codes.clone(),
                None => {
                    let known = read.codes.keys().map(String::as_str);
                    let advice = suggest(code.get_ref(), known);
                    wrong(
                        code.span(),
                        format!("there is no table `codes.{}`", code.get_ref()),
                        advice,
                    );
                    continue;
                }
            },
        };
        told.push(Field {
            name: name.into_inner(),
            value,
            codes,
        });
    }
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    Ok(Offered {
        resource_id: read.resource_id.into_inner(),
        title: read.title,
        service: read.service.into_inner(),
        purpose: read.purpose,
        assurance: read.assurance.into_inner(),
        minutes: read.minutes.map_or(0, Spanned::into_inner),
        file: read.file.into_inner(),
        parameters,
        fields: told,
    })
}

/// Whether a text has the form of a MyData set.
fn is_resource(id: &str) -> bool {
    id.strip_prefix("API.")
        .is_some_and(|rest| rest.len() == 10 && rest.chars().all(|letter| letter.is_ascii_alphanumeric()))
}

pub(crate) fn has_step(rules: &RuleSet, name: &str) -> bool {
    let mut steps = rules.steps().iter();
    steps.any(|step| step.name == name && step.entity != Entity::Person)
}

pub(crate) fn has_amount(rules: &RuleSet, name: &str) -> bool {
    rules.wanted().any(|amount| amount == name)
}
