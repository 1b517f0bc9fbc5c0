//! Rolls (名冊): what the city decides for many at once and of its own motion, be it for everybody entitled who need not
//! apply, or the yearly look at everybody who receives.

use std::collections::BTreeSet;
use std::path::Path;

use civic::Text;
use jiff::civil::Date;
use rules::Mistake;
use serde::Deserialize;
use toml::Spanned;

use crate::folder::TextFile;
use crate::form::{Form, SourceKind, entity_name};
use crate::texts;

const ROLL: &str = "roll.toml";

/// Longest time to object, in days.
const LONGEST: u16 = 120;

/// Who stands on the rolls of a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Of {
    /// Everybody for whom the rules say *entitled*, found in the register; nobody need apply (主動給付).
    #[default]
    Entitled,
    /// Everybody who receives by a decision that still stands; it is looked at again for the time to come (年度總清查).
    InForce,
}

/// The rolls of a service.
#[derive(Clone, Debug, PartialEq)]
pub struct Rolls {
    /// Who stands on them.
    pub of: Of,
    /// Another office that confirms every line before anybody is told (會辦機關).
    pub confirm: Option<Confirm>,
    /// Days, from the day after being told, in which a person may decline or object; none means that they are told with the letter.
    pub object_days: u16,
    /// In the order of their days.
    pub rolls: Vec<Roll>,
}

/// Who confirms, and what.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirm {
    /// The office, as its staff accounts name it.
    pub agency: Text,
    /// What it confirms of each line.
    pub what: Text,
}

/// One roll.
#[derive(Clone, Debug, PartialEq)]
pub struct Roll {
    /// Name in addresses and tables.
    pub id: String,
    /// What it is called.
    pub name: Text,
    /// First day on which it may be drawn up.
    pub from: Date,
    /// Day whose facts and law decide (基準日).
    pub reference_date: Date,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RollsFile {
    #[serde(default)]
    of: Of,
    confirm: Option<Confirm>,
    object_days: Spanned<u16>,
    #[serde(default)]
    roll: Vec<RollFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RollFile {
    id: Spanned<String>,
    name: Text,
    from: Spanned<String>,
    reference_date: Spanned<String>,
}

impl Rolls {
    /// The roll of this id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Roll> {
        self.rolls.iter().find(|roll| roll.id == id)
    }
}

/// Whether a folder has rolls.
pub(crate) fn is_in(folder: &Path) -> bool {
    folder.join(ROLL).exists()
}

/// What a register must fill, or the roll would stay open for ever: each input of the rules that a field asks for. What
/// the form knows of every applicant needs no register.
pub(crate) fn unfilled(file: &TextFile, form: &Form) -> Vec<Mistake> {
    let fields = || form.pages.iter().flat_map(|page| &page.fields);
    let known = |name: &str| form.groups.iter().any(|group| group.applicant.contains_key(name));
    let mut mistakes = Vec::new();
    let mut seen = BTreeSet::new();
    for input in fields().filter_map(|field| field.input.as_ref()) {
        let written = format!("{}.{}", entity_name(input.entity), input.name);
        let mut same = fields().filter(|field| field.input.as_ref() == Some(input));
        let filled = same.any(|field| field.sources.contains(&SourceKind::Register));
        if filled || (input.entity == rules::Entity::Person && known(&input.name)) || !seen.insert(written.clone()) {
            continue;
        }
        let start = file.text.find(&format!("\"{written}\"")).unwrap_or(0);
        mistakes.push(file.mistake(
            &(start..start),
            format!("the service has rolls, and no register fills `{written}`"),
            "add \"register\" to the `sources` of the field".to_owned(),
        ));
    }
    mistakes
}

/// Reads the rolls of a folder; `None` when it has none.
///
/// # Errors
/// Every mistake found.
pub(crate) fn load(folder: &Path) -> Result<Option<Rolls>, Vec<Mistake>> {
    if !is_in(folder) {
        return Ok(None);
    }
    let file = TextFile::read(folder, ROLL).map_err(|mistake| vec![mistake])?;
    let parsed: RollsFile = file.parse().map_err(|mistake| vec![mistake])?;
    let mut mistakes = texts::check(&file);
    let mut wrong = |at: std::ops::Range<usize>, message: String, advice: &str| {
        mistakes.push(file.mistake(&at, message, advice.to_owned()));
    };
    if parsed.of == Of::InForce && (parsed.confirm.is_some() || *parsed.object_days.get_ref() > 0) {
        wrong(
            parsed.object_days.span(),
            "a yearly look is decided case by case or unchanged; nobody confirms it or objects before".to_owned(),
            "write `object_days = 0` and leave `[confirm]` out",
        );
    }
    if *parsed.object_days.get_ref() > LONGEST {
        let message = format!("{} days to object are too many", parsed.object_days.get_ref());
        wrong(parsed.object_days.span(), message, "write a number up to 120");
    }
    if parsed.roll.is_empty() {
        wrong(0..0, "there is no roll".to_owned(), "add a `[[roll]]`");
    }
    let mut ids = BTreeSet::new();
    let mut rolls = Vec::new();
    for roll in parsed.roll {
        let id = roll.id.get_ref();
        let sound = id.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && id.len() <= 40
            && id
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if !sound {
            let advice = "use small letters, digits and hyphens, 40 at most";
            wrong(roll.id.span(), format!("`{id}` can't name a roll"), advice);
        } else if !ids.insert(id.clone()) {
            let message = format!("there are two rolls called `{id}`");
            wrong(roll.id.span(), message, "give one another id");
        }
        let mut day = |text: &Spanned<String>| match text.get_ref().parse::<Date>() {
            Ok(day) => Some(day),
            Err(_) => {
                let message = format!("`{}` is no day", text.get_ref());
                wrong(text.span(), message, "write it as 2026-10-18");
                None
            }
        };
        if let (Some(from), Some(reference_date)) = (day(&roll.from), day(&roll.reference_date)) {
            rolls.push(Roll {
                id: roll.id.into_inner(),
                name: roll.name,
                from,
                reference_date,
            });
        }
    }
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    rolls.sort_by_key(|roll| roll.from);
    Ok(Some(Rolls {
        of: parsed.of,
        confirm: parsed.confirm,
        object_days: parsed.object_days.into_inner(),
        rolls,
    }))
}
