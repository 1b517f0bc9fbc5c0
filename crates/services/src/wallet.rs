//! Cards that residents show from their digital wallet (數位憑證皮夾): `datasets/wallet/<type>.toml` says which claims of a card are
//! asked for and what they are called here.

use std::collections::BTreeMap;
use std::path::Path;

use civic::{NationalId, Text};
use jiff::Timestamp;
use rules::{Entity, Mistake};
use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;

use crate::folder::{TextFile, at_top, suggest};
use crate::form::{APPLICANT, Answers, Field, Form, InputName, Known, Offered, Source, SourceKind};
use crate::mydata::{Kind, converted, takes};

/// How the cards of one type are read.
#[derive(Debug, Clone)]
pub struct ShownCard {
    /// Type of the card, as its issuer registered it, such as `00000000_disability_card`.
    pub credential_type: String,
    /// What the card is called.
    pub title: Text,
    /// Who gives it.
    pub agency: Text,
    /// Categories of personal data that are asked of it.
    pub categories: Vec<String>,
    /// Days from the showing for which its values may be used for another application; never again without a number.
    pub valid_days: Option<u32>,
    /// The claim with the national id of whose card it is.
    pub person: String,
    values: Vec<Mapped>,
}

#[derive(Debug, Clone)]
struct Mapped {
    claim: String,
    entity: Entity,
    name: String,
    kind: Kind,
    codes: Option<BTreeMap<String, String>>,
    title: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CardFile {
    credential_type: Spanned<String>,
    title: Text,
    agency: Text,
    #[serde(default)]
    categories: Vec<String>,
    valid_days: Option<u32>,
    person: Spanned<String>,
    #[serde(default)]
    codes: BTreeMap<String, BTreeMap<String, String>>,
    value: Vec<ValueFile>,
    example: Option<Spanned<ExampleFile>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ValueFile {
    claim: Spanned<String>,
    entity: Spanned<String>,
    name: String,
    kind: Option<Kind>,
    code: Option<Spanned<String>>,
    title: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExampleFile {
    content: String,
}

/// Whether a text can be the type of a card or the name of a claim: ASCII letters, digits, `_` and `-`.
pub(crate) fn is_name(text: &str) -> bool {
    (1..=100).contains(&text.len())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}

/// All cards of a folder, by type, and what is wrong with those that can't be read.
pub(crate) fn load_all(folder: &Path) -> (BTreeMap<String, ShownCard>, Vec<Mistake>) {
    let (mut cards, mut mistakes) = (BTreeMap::new(), Vec::new());
    for name in crate::folder::names(folder, "toml") {
        let read = TextFile::read(folder, &name).map_err(|mistake| vec![mistake]);
        match read.and_then(|file| load(&file)) {
            Ok(card) => {
                let id = card.credential_type.clone();
                if cards.insert(id.clone(), card).is_some() {
                    mistakes.push(at_top(
                        &name,
                        format!("another file reads the card `{id}` too"),
                        "remove one",
                    ));
                }
            }
            Err(found) => mistakes.extend(found),
        }
    }
    (cards, mistakes)
}

fn load(file: &TextFile) -> Result<ShownCard, Vec<Mistake>> {
    let read: CardFile = file.parse().map_err(|mistake| vec![mistake])?;
    let mut mistakes = crate::texts::check(file);
    let mut wrong = |span: std::ops::Range<usize>, message: String, advice: Option<String>| {
        mistakes.push(file.mistake(&span, message, advice));
    };
    for name in [&read.credential_type, &read.person]
        .into_iter()
        .chain(read.value.iter().map(|value| &value.claim))
    {
        if !is_name(name.get_ref()) {
            wrong(
                name.span(),
                format!("`{}` is no name in a card", name.get_ref()),
                Some("letters, digits, `_` and `-`, as the issuer registered it".to_owned()),
            );
        }
    }
    let mut values: Vec<Mapped> = Vec::new();
    for value in read.value {
        let entity = match value.entity.get_ref().as_str() {
            "person" => Entity::Person,
            "household" => Entity::Household,
            "case" => Entity::Case,
            other => {
                let known = ["person", "household", "case"].into_iter();
                wrong(
                    value.entity.span(),
                    format!("`{other}` is no entity"),
                    suggest(other, known),
                );
                continue;
            }
        };
        let codes = value
            .code
            .as_ref()
            .and_then(|code| match read.codes.get(code.get_ref()) {
                Some(codes) => Some(codes.clone()),
                None => {
                    let known = read.codes.keys().map(String::as_str);
                    let advice = suggest(code.get_ref(), known);
                    wrong(
                        code.span(),
                        format!("there is no table `codes.{}`", code.get_ref()),
                        advice,
                    );
                    None
                }
            });
        values.push(Mapped {
            claim: value.claim.into_inner(),
            entity,
            name: value.name,
            kind: value.kind.unwrap_or(Kind::Text),
            codes,
            title: value.title,
        });
    }
    let card = ShownCard {
        credential_type: read.credential_type.into_inner(),
        title: read.title,
        agency: read.agency,
        categories: read.categories,
        valid_days: read.valid_days,
        person: read.person.into_inner(),
        values,
    };
    if let Some(example) = &read.example {
        let claims: BTreeMap<String, Value> = serde_json::from_str(&example.get_ref().content).unwrap_or_default();
        let unread = card.values.iter().filter(|value| value.read(&claims).is_none());
        for name in unread
            .map(|value| value.claim.as_str())
            .chain(card.national_id(&claims).is_none().then_some(card.person.as_str()))
        {
            mistakes.push(file.mistake(
                &example.span(),
                format!("the example has no readable claim `{name}`"),
                "put one in, or correct its name".to_owned(),
            ));
        }
    }
    match mistakes.is_empty() {
        true => Ok(card),
        false => Err(mistakes),
    }
}

/// What is wrong with the card of a field: it must be among the sources and taken by service.toml, and give what the field wants.
pub(crate) fn check(file: &TextFile, field: &Field, card: Option<&Spanned<String>>, known: &Known<'_>) -> Vec<Mistake> {
    let is_source = field.sources.contains(&SourceKind::Wallet);
    let Some(card) = card else {
        let missing = format!(
            "the field `{}` has the source `wallet` and does not say which card",
            field.id
        );
        return match is_source {
            true => vec![at_top(
                &file.name,
                missing,
                "add `wallet = \"…\"`, the type of the card",
            )],
            false => Vec::new(),
        };
    };
    let name = card.get_ref();
    let wrong = |message: String, advice: Option<String>| vec![file.mistake(&card.span(), message, advice)];
    if !is_source {
        return wrong(
            "a field with a card must have it among its sources".to_owned(),
            Some("add \"wallet\" to `sources`".to_owned()),
        );
    }
    if let Some(taken) = known.taken
        && !taken.contains(name)
    {
        let advice = suggest(name, taken.iter().map(String::as_str))
            .or_else(|| Some(format!("add it to service.toml: `wallet = [\"{name}\"]`")));
        return wrong(format!("service.toml does not take the card `{name}`"), advice);
    }
    let read = known.cards.and_then(|cards| cards.get(name));
    // what a card gives is told by inputs; while the rules can't be read, nothing true can be said
    if known.rules.is_some() && read.is_some_and(|read| !read.gives(field)) {
        let advice = format!("add a `[[value]]` to datasets/wallet/{name}.toml, or leave `wallet` out here");
        return wrong(format!("the card `{name}` does not give `{}`", field.id), Some(advice));
    }
    Vec::new()
}

impl Mapped {
    fn read(&self, claims: &BTreeMap<String, Value>) -> Option<Value> {
        converted(claims.get(&self.claim)?, self.kind, self.codes.as_ref())
    }

    fn fills(&self, input: &InputName) -> bool {
        input.entity == self.entity && input.name == self.name
    }
}

impl ShownCard {
    /// The claims that are asked for: whose card it is, and what is wanted of it; each once.
    #[must_use]
    pub fn claims(&self) -> Vec<String> {
        let mut claims = vec![self.person.clone()];
        for value in &self.values {
            if !claims.contains(&value.claim) {
                claims.push(value.claim.clone());
            }
        }
        claims
    }

    /// What is wanted of the card, in words, beside whose it is.
    pub fn wanted(&self) -> impl Iterator<Item = &Text> {
        self.values.iter().map(|value| &value.title)
    }

    /// Whose card it is; nothing where the claim holds no national id.
    #[must_use]
    pub fn national_id(&self, claims: &BTreeMap<String, Value>) -> Option<NationalId> {
        NationalId::parse(claims.get(&self.person)?.as_str()?.trim()).ok()
    }

    /// Whether the card gives this field.
    pub(crate) fn gives(&self, field: &Field) -> bool {
        self.values
            .iter()
            .any(|value| field.input.as_ref().is_some_and(|input| value.fills(input)))
    }

    /// Turns the claims of a card of the applicant into answers and gives the keys that were filled. What the person answered
    /// stands; the card's value is kept beside it. A value that the form could not take is left out, so the question is asked.
    #[must_use]
    pub fn fill(
        &self,
        form: &Form,
        answers: &mut Answers,
        claims: &BTreeMap<String, Value>,
        issuer: &str,
        now: Timestamp,
    ) -> Vec<String> {
        let mut filled = Vec::new();
        for page in &form.pages {
            for field in &page.fields {
                if field.wallet.as_deref() != Some(self.credential_type.as_str()) {
                    continue;
                }
                let Some(input) = &field.input else { continue };
                let Some(value) = self.values.iter().find(|value| value.fills(input)) else {
                    continue;
                };
                let Some(read) = value.read(claims).filter(|read| takes(&field.kind, read)) else {
                    continue;
                };
                let key = match &page.group {
                    Some(group) => format!("{group}.{APPLICANT}.{}", field.id),
                    None => field.id.clone(),
                };
                let source = Source::Wallet {
                    card: self.credential_type.clone(),
                    claim: value.claim.clone(),
                    issuer: issuer.to_owned(),
                };
                match answers.offer(&key, read, source, now) {
                    Offered::Taken | Offered::Same => filled.push(key),
                    Offered::KeptBeside => {}
                }
            }
        }
        filled
    }
}
