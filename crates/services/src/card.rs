//! `card.toml`: the card (憑證) that a granted case puts into the resident's digital wallet.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use civic::Text;
use rules::{Mistake, RuleSet};
use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;

use crate::folder::{TextFile, suggest};
use crate::form::{APPLICANT, Answers, Form};
use crate::offered::{Fact, Standing, has_amount, has_step, text};
use crate::wallet::is_name;
use crate::{Every, Meta};

/// Name of the file.
pub(crate) const FILE: &str = "card.toml";
/// Longest life of a card: five years.
const LONGEST: u32 = 1830;

/// A card that the city gives.
#[derive(Debug, Clone)]
pub struct CityCard {
    /// Its type, as the city registered it.
    pub credential_type: String,
    /// What it is called.
    pub title: Text,
    /// Days it is good for at most; never longer than what it says is in force.
    pub days: u32,
    /// What stands in it.
    pub fields: Vec<CardField>,
}

/// One claim of a card.
#[derive(Debug, Clone)]
pub struct CardField {
    /// Its name in the card.
    pub name: String,
    /// What it is called.
    pub title: Text,
    value: Told,
    codes: BTreeMap<String, String>,
}

/// Where a claim comes from.
#[derive(Debug, Clone)]
enum Told {
    /// The decision.
    Fact(Fact),
    /// The applicant's answer to this field.
    Form(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CardFile {
    credential_type: Spanned<String>,
    title: Text,
    days: Spanned<u32>,
    #[serde(default)]
    codes: BTreeMap<String, BTreeMap<String, String>>,
    field: Vec<FieldFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldFile {
    name: Spanned<String>,
    title: Text,
    value: Spanned<String>,
    code: Option<Spanned<String>>,
}

/// Reads `card.toml` of a folder, where there is one, with its text.
pub(crate) fn load(
    folder: &Path,
    meta: &Meta,
    form: &Form,
    rules: &RuleSet,
) -> Result<Option<(CityCard, TextFile)>, Vec<Mistake>> {
    if !folder.join(FILE).exists() {
        return Ok(None);
    }
    let file = TextFile::read(folder, FILE).map_err(|mistake| vec![mistake])?;
    let card = read(&file, meta, form, rules)?;
    Ok(Some((card, file)))
}

fn read(file: &TextFile, meta: &Meta, form: &Form, rules: &RuleSet) -> Result<CityCard, Vec<Mistake>> {
    let read: CardFile = file.parse().map_err(|mistake| vec![mistake])?;
    let mut mistakes = crate::texts::check(file);
    let mut wrong = |span: std::ops::Range<usize>, message: String, advice: Option<String>| {
        mistakes.push(file.mistake(&span, message, advice));
    };
    if !is_name(read.credential_type.get_ref()) {
        wrong(
            read.credential_type.span(),
            format!("`{}` is no type of a card", read.credential_type.get_ref()),
            Some("letters, digits, `_` and `-`, as it is registered".to_owned()),
        );
    }
    if !(1..=LONGEST).contains(read.days.get_ref()) {
        wrong(
            read.days.span(),
            format!("a card can't be good for {} days", read.days.get_ref()),
            Some(format!("1 to {LONGEST} days")),
        );
    }
    if meta.payment.every == Every::Never {
        wrong(
            read.credential_type.span(),
            "nothing says until when a card of this service would be good".to_owned(),
            Some("a card is given for what is paid by month or once".to_owned()),
        );
    }
    let mut fields = Vec::with_capacity(read.field.len());
    let mut seen = BTreeSet::new();
    for field in read.field {
        let name = field.name.get_ref();
        if !is_name(name) || !seen.insert(name.clone()) {
            wrong(
                field.name.span(),
                format!(
                    "`{name}` can't be a claim: it stands twice, or has other signs than letters, digits, `_` and `-`"
                ),
                Some("name each once, such as `category`".to_owned()),
            );
        }
        let codes = match &field.code {
            None => BTreeMap::new(),
            Some(code) => read.codes.get(code.get_ref()).cloned().unwrap_or_else(|| {
                let known = read.codes.keys().map(String::as_str);
                let advice = suggest(code.get_ref(), known);
                wrong(
                    code.span(),
                    format!("there is no table `codes.{}`", code.get_ref()),
                    advice,
                );
                BTreeMap::new()
            }),
        };
        match told(field.value.get_ref(), form, rules) {
            Ok(value) => fields.push(CardField {
                name: field.name.into_inner(),
                title: field.title,
                value,
                codes,
            }),
            Err(advice) => wrong(
                field.value.span(),
                format!("`{}` is nothing that a card can say", field.value.get_ref()),
                advice,
            ),
        }
    }
    match mistakes.is_empty() {
        true => Ok(CityCard {
            credential_type: read.credential_type.into_inner(),
            title: read.title,
            days: read.days.into_inner(),
            fields,
        }),
        false => Err(mistakes),
    }
}

/// What a value names, or advice.
fn told(value: &str, form: &Form, rules: &RuleSet) -> Result<Told, Option<String>> {
    if let Some(id) = value.strip_prefix("form.") {
        let fields = || form.pages.iter().flat_map(|page| &page.fields);
        return match fields().any(|field| field.id == id) {
            true => Ok(Told::Form(id.to_owned())),
            false => Err(suggest(id, fields().map(|field| field.id.as_str()))),
        };
    }
    match Fact::parse(value) {
        Some(Fact::Step(name)) if !has_step(rules, &name) => {
            Err(Some("a step of the rules that is no person's".to_owned()))
        }
        Some(Fact::Amount(name)) if !has_amount(rules, &name) => Err(Some("an amount that the rules name".to_owned())),
        Some(fact) => Ok(Told::Fact(fact)),
        None => Err(Some(
            "`form.<field>`, `case.number`, `case.last_month`, `step.<name>` or `amount.<name>`".to_owned(),
        )),
    }
}

impl CityCard {
    /// The claims of a standing decision, each a text; empty where the case does not say it.
    #[must_use]
    pub fn claims(&self, form: &Form, answers: &Answers, standing: &Standing<'_>) -> BTreeMap<String, Value> {
        let claim = |field: &CardField| {
            let said = match &field.value {
                Told::Fact(fact) => text(&fact.of(standing)),
                Told::Form(id) => answer(form, answers, id),
            };
            let coded = field.codes.get(&said).cloned().unwrap_or(said);
            (field.name.clone(), Value::from(coded))
        };
        self.fields.iter().map(claim).collect()
    }
}

/// The applicant's answer to a field, as people read it.
fn answer(form: &Form, answers: &Answers, id: &str) -> String {
    let page = form
        .pages
        .iter()
        .find(|page| page.fields.iter().any(|field| field.id == id));
    let key = match page.and_then(|page| page.group.as_ref()) {
        Some(group) => format!("{group}.{APPLICANT}.{id}"),
        None => id.to_owned(),
    };
    answers.value(&key).map(text).unwrap_or_default()
}
