//! From a MyData set to answers: `datasets/mydata/*.toml` says where each value stands and what it is called here.

use std::collections::BTreeMap;
use std::path::Path;

use civic::{NationalId, Text, legal_day, roc};
use jiff::Timestamp;
use jiff::civil::Date;
use rules::{Entity, Mistake};
use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;

use crate::folder::{TextFile, at_top, suggest};
use crate::form::{APPLICANT, Answers, Field, FieldKind, Form, Offered, Source};

/// Most entries of a list that are looked at.
const MOST: usize = 200;

/// How one MyData set is read.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// `API.` and ten characters.
    pub resource_id: String,
    /// What the set is called.
    pub title: Text,
    /// Who keeps it.
    pub agency: Text,
    /// Categories of personal data in it.
    pub categories: Vec<String>,
    /// Level of assurance a person must sign in with, 1 to 3.
    pub assurance: u8,
    /// Whether the agency answers at once, or later.
    pub immediate: bool,
    /// Days from its issue for which it may be used for another application; never again without a number.
    pub valid_days: Option<u32>,
    /// The JSON file in the set.
    pub file: String,
    /// Whether the set may add persons to the family.
    pub adds_persons: bool,
    values: Vec<Mapped>,
}

#[derive(Debug, Clone)]
struct Mapped {
    each: Option<String>,
    person: Option<String>,
    path: String,
    /// None for a field of the form that is no input.
    entity: Option<Entity>,
    name: String,
    kind: Kind,
    codes: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Text,
    Integer,
    Boolean,
    Date,
}

/// Why a set could not be turned into answers. No message carries personal data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FillError {
    /// The set came without its file.
    #[error("the set {resource} came without its file `{file}`")]
    NoFile {
        /// The set.
        resource: String,
        /// The file.
        file: String,
    },
    /// The file is not JSON of an object.
    #[error("the file `{file}` of the set {resource} is no JSON object")]
    NotJson {
        /// The set.
        resource: String,
        /// The file.
        file: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MappingFile {
    resource_id: Spanned<String>,
    title: Text,
    agency: Text,
    #[serde(default)]
    categories: Vec<String>,
    assurance: Spanned<u8>,
    #[serde(default)]
    immediate: bool,
    valid_days: Option<u32>,
    file: String,
    #[serde(default)]
    adds_persons: bool,
    #[serde(default)]
    codes: BTreeMap<String, BTreeMap<String, String>>,
    value: Vec<ValueFile>,
    example: Option<Spanned<ExampleFile>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ValueFile {
    each: Option<String>,
    person: Option<String>,
    path: Spanned<String>,
    entity: Spanned<String>,
    name: Spanned<String>,
    kind: Option<Kind>,
    code: Option<Spanned<String>>,
    #[serde(rename = "title")]
    _title: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExampleFile {
    content: String,
}

/// All mappings of a folder, by resource id, and what is wrong with those that can't be read.
pub(crate) fn load_all(folder: &Path) -> (BTreeMap<String, Mapping>, Vec<Mistake>) {
    let (mut mappings, mut mistakes) = (BTreeMap::new(), Vec::new());
    for name in crate::folder::names(folder, "toml") {
        match TextFile::read(folder, &name)
            .map_err(|mistake| vec![mistake])
            .and_then(|file| load(&file))
        {
            Ok(mapping) => {
                let id = mapping.resource_id.clone();
                if mappings.insert(id.clone(), mapping).is_some() {
                    mistakes.push(at_top(
                        &name,
                        format!("another file reads the set `{id}` too"),
                        "remove one",
                    ));
                }
            }
            Err(found) => mistakes.extend(found),
        }
    }
    (mappings, mistakes)
}

/// Reads one mapping.
pub(crate) fn load(file: &TextFile) -> Result<Mapping, Vec<Mistake>> {
    let read: MappingFile = file.parse().map_err(|mistake| vec![mistake])?;
    let mut mistakes = crate::texts::check(file);
    let id = read.resource_id.get_ref();
    if !id
        .strip_prefix("API.")
        .is_some_and(|rest| rest.len() == 10 && rest.chars().all(|c| c.is_ascii_alphanumeric()))
    {
        mistakes.push(file.mistake(
            &read.resource_id.span(),
            format!("`{id}` is no MyData set"),
            "`API.` and ten letters or digits".to_owned(),
        ));
    }
    if !(1..=3).contains(read.assurance.get_ref()) {
        mistakes.push(file.mistake(
            &read.assurance.span(),
            "there are levels of assurance 1 to 3",
            "write 3 for a certificate card".to_owned(),
        ));
    }
    let mut values = Vec::new();
    for value in read.value {
        let entity = match value.entity.get_ref().as_str() {
            "person" => Some(Entity::Person),
            "household" => Some(Entity::Household),
            "case" => Some(Entity::Case),
            "contact" => None,
            other => {
                let known = ["person", "household", "case", "contact"].into_iter();
                mistakes.push(file.mistake(
                    &value.entity.span(),
                    format!("`{other}` is no entity"),
                    suggest(other, known),
                ));
                continue;
            }
        };
        if value.each.is_some() != value.person.is_some() || (entity == Some(Entity::Person)) != value.each.is_some() {
            let advice = "values of persons have `each`, the list, and `person`, the key of the national id; others have neither";
            mistakes.push(file.mistake(
                &value.path.span(),
                "this value does not say whose it is",
                advice.to_owned(),
            ));
        }
        let codes = value
            .code
            .as_ref()
            .and_then(|code| match read.codes.get(code.get_ref()) {
                Some(codes) => Some(codes.clone()),
                None => {
                    let known = read.codes.keys().map(String::as_str);
                    mistakes.push(file.mistake(
                        &code.span(),
                        format!("there is no table `codes.{}`", code.get_ref()),
                        suggest(code.get_ref(), known),
                    ));
                    None
                }
            });
        values.push(Mapped {
            each: value.each,
            person: value.person,
            path: value.path.into_inner(),
            entity,
            name: value.name.into_inner(),
            kind: value.kind.unwrap_or(Kind::Text),
            codes,
        });
    }
    let mapping = Mapping {
        resource_id: read.resource_id.into_inner(),
        title: read.title,
        agency: read.agency,
        categories: read.categories,
        assurance: read.assurance.into_inner(),
        immediate: read.immediate,
        valid_days: read.valid_days,
        file: read.file,
        adds_persons: read.adds_persons,
        values,
    };
    if let Some(example) = read.example {
        for name in mapping.unread(&example.get_ref().content) {
            mistakes.push(file.mistake(
                &example.span(),
                format!("the example has no readable value `{name}`"),
                "put one in, or correct the path".to_owned(),
            ));
        }
    }
    if mistakes.is_empty() {
        Ok(mapping)
    } else {
        Err(mistakes)
    }
}

impl Mapping {
    /// Whether the set gives this field.
    pub(crate) fn gives(&self, form: &Form, group: Option<&str>, field: &Field) -> bool {
        let identity = group
            .and_then(|group| form.group(group))
            .and_then(|group| group.identity.as_deref());
        if self.adds_persons && identity == Some(field.id.as_str()) {
            return true;
        }
        self.values.iter().any(|value| match (&field.input, value.entity) {
            (Some(input), Some(entity)) => input.entity == entity && input.name == value.name,
            (None, Some(Entity::Person)) => group.is_some() && field.id == value.name,
            (None, None) => group.is_none() && field.id == value.name,
            _ => false,
        })
    }

    /// Turns a delivered set into answers and gives the keys that were filled. What the person answered stands; the
    /// set's value is kept beside it. Values that the form could not take are left out, so the question is asked.
    ///
    /// # Errors
    /// [`FillError`] when the set's file is missing or no JSON; a set without any file fills nothing.
    pub fn fill(
        &self,
        form: &Form,
        answers: &mut Answers,
        files: &BTreeMap<String, Vec<u8>>,
        issued: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<String>, FillError> {
        if files.is_empty() {
            return Ok(Vec::new());
        }
        let ours = |name: &str| {
            name == self.file
                || name
                    .strip_suffix(&self.file)
                    .is_some_and(|folder| folder.ends_with('/'))
        };
        let Some((_, bytes)) = files.iter().find(|(name, _)| ours(name)) else {
            return Err(FillError::NoFile {
                resource: self.resource_id.clone(),
                file: self.file.clone(),
            });
        };
        let not_json = || FillError::NotJson {
            resource: self.resource_id.clone(),
            file: self.file.clone(),
        };
        let content: Value =
            serde_json::from_slice(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)).map_err(|_| not_json())?;
        if !content.is_object() {
            return Err(not_json());
        }
        let said = content.get("issued").and_then(Value::as_str).and_then(day);
        let mut filling = Filling {
            mapping: self,
            form,
            answers,
            issued: said.unwrap_or_else(|| legal_day(issued)),
            now,
            filled: Vec::new(),
        };
        for value in &self.values {
            match (&value.each, &value.person) {
                (Some(each), Some(person)) => {
                    let list = at(&content, each)
                        .and_then(Value::as_array)
                        .map_or(&[][..], Vec::as_slice);
                    for entry in list.iter().take(MOST) {
                        if let Some(item) = entry
                            .get(person)
                            .and_then(Value::as_str)
                            .and_then(|id| filling.item(id))
                        {
                            filling.person(value, entry, &item);
                        }
                    }
                }
                _ => filling.single(value, &content),
            }
        }
        Ok(filling.filled)
    }

    /// Names of the values that an example does not show.
    fn unread(&self, example: &str) -> Vec<&str> {
        let Ok(content) = serde_json::from_str::<Value>(example) else {
            return self.values.iter().map(|value| value.name.as_str()).collect();
        };
        let shows = |value: &&Mapped| match &value.each {
            Some(each) => at(&content, each)
                .and_then(Value::as_array)
                .is_some_and(|list| list.iter().any(|entry| value.read(entry).is_some())),
            None => value.read(&content).is_some(),
        };
        self.values
            .iter()
            .filter(|value| !shows(value))
            .map(|value| value.name.as_str())
            .collect()
    }
}

impl Mapped {
    /// The value in a document, as the rules take it; None where it is missing, null or of another shape.
    fn read(&self, document: &Value) -> Option<Value> {
        converted(at(document, &self.path)?, self.kind, self.codes.as_ref())
    }
}

/// A value of outside data as the rules take it; None where it is of another shape, or no code of the table.
pub(crate) fn converted(found: &Value, kind: Kind, codes: Option<&BTreeMap<String, String>>) -> Option<Value> {
    if let Some(codes) = codes {
        let code = match found {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            _ => return None,
        };
        return codes
            .get(&code)
            .or_else(|| codes.get("*"))
            .map(|value| Value::String(value.clone()));
    }
    match (kind, found) {
        (Kind::Text, Value::String(text)) => {
            let text = text.trim();
            (!text.is_empty()).then(|| Value::String(text.to_owned()))
        }
        (Kind::Integer, Value::Number(number)) => number.as_i64().map(Value::from),
        (Kind::Integer, Value::String(text)) => text.replace(',', "").trim().parse::<i64>().ok().map(Value::from),
        (Kind::Boolean, Value::Bool(flag)) => Some(Value::Bool(*flag)),
        (Kind::Boolean, Value::String(text)) => match text.trim() {
            "Y" | "是" | "true" => Some(Value::Bool(true)),
            "N" | "否" | "false" => Some(Value::Bool(false)),
            _ => None,
        },
        (Kind::Date, Value::String(text)) => day(text).map(|day| Value::String(day.to_string())),
        _ => None,
    }
}

/// A day as registers write it: `0380512`, `2026-11-20`.
fn day(text: &str) -> Option<Date> {
    roc::parse(text.trim())
}

/// The value at a path such as `household.county`.
fn at<'a>(document: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.')
        .try_fold(document, |value, part| value.get(part))
        .filter(|value| !value.is_null())
}

struct Filling<'a> {
    mapping: &'a Mapping,
    form: &'a Form,
    answers: &'a mut Answers,
    issued: Date,
    now: Timestamp,
    filled: Vec<String>,
}

impl Filling<'_> {
    /// The item of the person with this national id; a new one where the set may add persons.
    fn item(&mut self, id: &str) -> Option<String> {
        let id = NationalId::parse(id.trim()).ok()?.reveal().to_owned();
        let group = self.form.person_group()?;
        let identity = group.identity.as_deref()?;
        let key = |item: &str| format!("{}.{item}.{identity}", group.id);
        let known = self
            .answers
            .items(&group.id)
            .iter()
            .find(|item| self.answers.value(&key(item)).and_then(Value::as_str) == Some(id.as_str()));
        if let Some(item) = known {
            return Some(item.clone());
        }
        if !self.mapping.adds_persons {
            return None;
        }
        let item = self.answers.add_item(self.form, &group.id)?;
        self.offer(key(&item), Value::String(id), "national_id");
        Some(item)
    }

    fn person(&mut self, value: &Mapped, entry: &Value, item: &str) {
        let Some(group) = self.form.person_group() else { return };
        if item == APPLICANT && group.applicant.contains_key(&value.name) {
            return;
        }
        let pages = self
            .form
            .pages
            .iter()
            .filter(|page| page.group.as_deref() == Some(&group.id));
        let mut fields = pages.flat_map(|page| &page.fields);
        let wanted = |field: &&Field| match &field.input {
            Some(input) => input.entity == Entity::Person && input.name == value.name,
            None => field.id == value.name,
        };
        if let Some(field) = fields.find(wanted) {
            self.field(field, format!("{}.{item}.{}", group.id, field.id), value, entry);
        }
    }

    fn single(&mut self, value: &Mapped, content: &Value) {
        let pages = self.form.pages.iter().filter(|page| page.group.is_none());
        let mut fields = pages.flat_map(|page| &page.fields);
        let wanted = |field: &&Field| match (&field.input, value.entity) {
            (Some(input), Some(entity)) => input.entity == entity && input.name == value.name,
            (None, None) => field.id == value.name,
            _ => false,
        };
        if let Some(field) = fields.find(wanted) {
            self.field(field, field.id.clone(), value, content);
        }
    }

    /// Offers a value to a field that the person agreed to have filled from this set.
    fn field(&mut self, field: &Field, key: String, value: &Mapped, document: &Value) {
        if field.mydata.as_deref() != Some(&self.mapping.resource_id) {
            return;
        }
        if let Some(read) = value.read(document).filter(|read| takes(&field.kind, read)) {
            self.offer(key, read, &value.path);
        }
    }

    fn offer(&mut self, key: String, value: Value, path: &str) {
        let source = Source::MyData {
            resource: self.mapping.resource_id.clone(),
            field: path.to_owned(),
            issued: Some(self.issued),
        };
        match self.answers.offer(&key, value, source, self.now) {
            Offered::Taken | Offered::Same => self.filled.push(key),
            Offered::KeptBeside => {}
        }
    }
}

/// Whether a field could hold this value.
pub(crate) fn takes(kind: &FieldKind, value: &Value) -> bool {
    match (kind, value) {
        (FieldKind::Integer { min, max } | FieldKind::Money { min, max }, Value::Number(number)) => {
            number.as_i64().is_some_and(|number| (*min..=*max).contains(&number))
        }
        (FieldKind::YesNo, Value::Bool(_)) => true,
        (FieldKind::Radios(choices) | FieldKind::Select(choices), Value::String(text)) => {
            choices.iter().any(|choice| choice.value == *text)
        }
        (FieldKind::Date { .. }, Value::String(text)) => text.parse::<Date>().is_ok(),
        (FieldKind::Text { max_length } | FieldKind::TextArea { max_length }, Value::String(text)) => {
            text.chars().count() <= *max_length
        }
        (FieldKind::Address, Value::String(text)) => text.chars().count() <= 200,
        (FieldKind::NationalId | FieldKind::Phone | FieldKind::Email, Value::String(_)) => true,
        _ => false,
    }
}
