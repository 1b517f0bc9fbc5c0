//! Reading of `round.toml`, `places.csv` and `seats.csv`, with every mistake's place.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use civic::{Language, Text};
use jiff::civil::{Date, DateTime};
use rules::{Entity, Mistake, RuleSet, StepInfo, Type};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;

use super::{ALL, GroupAt, Place, Round, Rounds, Seats};
use crate::folder::{TextFile, at_top, mistake, suggest};
use crate::form::{FieldKind, Form};
use crate::texts;

const ROUND: &str = "round.toml";
const PLACES: &str = "places.csv";
const SEATS: &str = "seats.csv";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoundsFile {
    choices: Spanned<Vec<Spanned<String>>>,
    class: Option<Spanned<String>>,
    group: Option<Spanned<String>>,
    points: Option<Spanned<String>>,
    reserved: Option<Spanned<String>>,
    open: Option<Spanned<String>>,
    pays: Option<Spanned<String>>,
    group_at: Option<GroupAtFile>,
    unfilled: Option<Spanned<String>>,
    answer_days: Spanned<u16>,
    #[serde(default)]
    check_in: bool,
    #[serde(default)]
    classes: BTreeMap<Spanned<String>, Text>,
    round: Vec<RoundFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupAtFile {
    place: Spanned<String>,
    group: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoundFile {
    id: Spanned<String>,
    name: Text,
    opens: Spanned<String>,
    closes: Spanned<String>,
    draw: Spanned<String>,
    answer_by: Spanned<String>,
    check_in_by: Option<Spanned<String>>,
    seed_rule: Text,
}

#[derive(Deserialize)]
struct PlaceRow {
    place: String,
    #[serde(default)]
    set: String,
    name: String,
    name_en: String,
    #[serde(default)]
    area: String,
}

#[derive(Deserialize)]
struct SeatsRow {
    round: String,
    place: String,
    class: String,
    capacity: u32,
    reserved: u32,
}

/// The rows of a table, each with its line.
fn rows<T: DeserializeOwned>(file: &TextFile, mistakes: &mut Vec<Mistake>) -> Vec<(usize, T)> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(file.text.as_bytes());
    let mut found = Vec::new();
    for (number, row) in reader.deserialize::<T>().enumerate() {
        match row {
            Ok(row) => found.push((number + 2, row)),
            Err(error) => {
                let at = error.position().and_then(|at| usize::try_from(at.line()).ok());
                mistakes.push(mistake(
                    &file.name,
                    at.unwrap_or(number + 2),
                    1,
                    format!("the row can't be read: {error}"),
                    Some("see docs/reference/service-folder.md for the columns".to_owned()),
                ));
            }
        }
    }
    found
}

fn is_id(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && text.len() <= 40
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// The places of a folder, which the form needs before the rest can be read; none when it has no rounds.
///
/// # Errors
/// Every mistake found.
pub(crate) fn places(folder: &Path) -> Result<Vec<Place>, Vec<Mistake>> {
    if !folder.join(ROUND).exists() {
        return Ok(Vec::new());
    }
    let file = TextFile::read(folder, PLACES).map_err(|mistake| vec![mistake])?;
    let mut mistakes = Vec::new();
    let mut places: Vec<Place> = Vec::new();
    for (line, row) in rows::<PlaceRow>(&file, &mut mistakes) {
        let mut wrong = |message: String, advice: &str| {
            mistakes.push(mistake(&file.name, line, 1, message, Some(advice.to_owned())));
        };
        if !is_id(&row.place) {
            wrong(
                format!("`{}` can't name a place", row.place),
                "use small letters, digits and hyphens",
            );
        }
        if places.iter().any(|place| place.id == row.place) {
            wrong(format!("the place `{}` stands here twice", row.place), "remove one");
        }
        if row.name.is_empty() || row.name_en.is_empty() {
            wrong(
                format!("the place `{}` has no name in both languages", row.place),
                "fill in `name` and `name_en`",
            );
        }
        let name = Text::from_iter([(Language::ZhTw, row.name), (Language::En, row.name_en)]);
        places.push(Place {
            id: row.place,
            set: row.set,
            name,
            area: row.area,
        });
    }
    if places.is_empty() && mistakes.is_empty() {
        mistakes.push(at_top(
            PLACES,
            "there is no place".to_owned(),
            "add a row for each place",
        ));
    }
    if mistakes.is_empty() { Ok(places) } else { Err(mistakes) }
}

/// Reads the rounds of a folder; `None` when it has none.
///
/// # Errors
/// Every mistake found.
pub(crate) fn load(
    folder: &Path,
    places: Vec<Place>,
    form: &Form,
    rules: &RuleSet,
) -> Result<Option<Rounds>, Vec<Mistake>> {
    if !folder.join(ROUND).exists() {
        return Ok(None);
    }
    let file = TextFile::read(folder, ROUND).map_err(|mistake| vec![mistake])?;
    let parsed: RoundsFile = file.parse().map_err(|mistake| vec![mistake])?;
    let mut reader = Reader {
        file: &file,
        rules,
        mistakes: texts::check(&file),
    };
    let rounds = reader.rounds(folder, parsed, places, form);
    if reader.mistakes.is_empty() {
        Ok(Some(rounds))
    } else {
        Err(reader.mistakes)
    }
}

struct Reader<'a> {
    file: &'a TextFile,
    rules: &'a RuleSet,
    mistakes: Vec<Mistake>,
}

impl Reader<'_> {
    fn wrong(&mut self, at: std::ops::Range<usize>, message: String, advice: Option<String>) {
        self.mistakes.push(self.file.mistake(&at, message, advice));
    }

    /// A step of the rules by its name, of one of these entities and of this type.
    fn step(&mut self, name: &Spanned<String>, entities: &[Entity], kind: Type) -> Option<String> {
        self.step_named(name.get_ref(), name.span(), entities, kind)
            .then(|| name.get_ref().clone())
    }

    fn step_named(&mut self, name: &str, at: std::ops::Range<usize>, entities: &[Entity], kind: Type) -> bool {
        let steps = self.rules.steps();
        let fits = |step: &&StepInfo| step.name == name;
        match steps.iter().find(fits) {
            None => {
                let advice = suggest(name, steps.iter().map(|step| step.name.as_str()));
                self.wrong(at, format!("the rules have no step `{name}`"), advice);
                false
            }
            Some(step) if !entities.contains(&step.entity) => {
                let advice = format!("it must be a step of: {}", entity_names(entities));
                self.wrong(at, format!("the step `{name}` is of {}", step.entity), Some(advice));
                false
            }
            Some(step) if step.kind != kind => {
                let (found, wanted) = (step.kind, kind);
                self.wrong(at, format!("the step `{name}` is {found}, not {wanted}"), None);
                false
            }
            Some(_) if !self.rules.wanted().any(|wanted| wanted == name) => {
                let advice =
                    format!("add \"{name}\" to `also` in `[decision]` of rules.toml, so that what it needs is asked");
                self.wrong(at, format!("a decision does not wait for `{name}`"), Some(advice));
                false
            }
            Some(_) => true,
        }
    }

    fn pattern(&mut self, pattern: &Spanned<String>, places: &[Place], kind: Type) -> Option<String> {
        if !pattern.get_ref().contains("{place}") {
            let advice = "write `{place}` where the id of the place stands".to_owned();
            self.wrong(
                pattern.span(),
                "the name is the same for every place".to_owned(),
                Some(advice),
            );
            return None;
        }
        let mut sound = true;
        for place in places {
            let name = Rounds::named(pattern.get_ref(), &place.id);
            sound &= self.step_named(&name, pattern.span(), &[Entity::Case], kind);
        }
        sound.then(|| pattern.get_ref().clone())
    }

    fn rounds(&mut self, folder: &Path, parsed: RoundsFile, places: Vec<Place>, form: &Form) -> Rounds {
        let case = [Entity::Case];
        let mut in_order: Vec<(usize, String)> = Vec::new();
        let mut named: BTreeMap<String, Text> = BTreeMap::new();
        for (class, text) in parsed.classes {
            in_order.push((class.span().start, class.get_ref().clone()));
            named.insert(class.into_inner(), text);
        }
        in_order.sort_unstable();
        let mut choices = Vec::new();
        for choice in parsed.choices.get_ref() {
            let name = choice.get_ref();
            let fields = form
                .pages
                .iter()
                .filter(|page| page.group.is_none())
                .flat_map(|page| &page.fields);
            match fields.clone().find(|field| field.id == *name) {
                Some(field) if offers(&field.kind, &places) => choices.push(name.clone()),
                Some(_) => self.wrong(
                    choice.span(),
                    format!("the field `{name}` does not offer the places"),
                    Some("make it a `select` with `options_from = \"places\"`".to_owned()),
                ),
                None => {
                    let advice = suggest(name, fields.map(|field| field.id.as_str()));
                    self.wrong(choice.span(), format!("the form has no field `{name}`"), advice);
                }
            }
        }
        if parsed.choices.get_ref().is_empty() {
            let advice = "name a field of the form for each choice".to_owned();
            self.wrong(
                parsed.choices.span(),
                "nobody can choose a place".to_owned(),
                Some(advice),
            );
        }
        let keeps_unfilled = match parsed.unfilled.as_ref().map(|word| word.get_ref().as_str()) {
            None | Some("open") => false,
            Some("kept") => true,
            Some(other) => {
                let message = format!("`{other}` says not what becomes of reserved seats that are left over");
                let at = parsed.unfilled.as_ref().map_or(0..0, Spanned::span);
                self.wrong(at, message, suggest(other, ["open", "kept"].into_iter()));
                false
            }
        };
        if !(1..=60).contains(parsed.answer_days.get_ref()) {
            let message = "the time to answer must be 1 to 60 working days".to_owned();
            self.wrong(parsed.answer_days.span(), message, None);
        }
        let mut seats = self.seats(folder, &parsed.round, &places, &named);
        let mut rounds = Vec::new();
        let mut ids = BTreeSet::new();
        for round in &parsed.round {
            if !is_id(round.id.get_ref()) || !ids.insert(round.id.get_ref().clone()) {
                let message = format!("`{}` can't name a round, or names two", round.id.get_ref());
                self.wrong(
                    round.id.span(),
                    message,
                    Some("use small letters, digits and hyphens".to_owned()),
                );
            }
            rounds.extend(self.round(round, parsed.check_in, seats.remove(round.id.get_ref())));
        }
        if parsed.round.is_empty() {
            self.wrong(
                0..0,
                "there is no round".to_owned(),
                Some("add a `[[round]]`".to_owned()),
            );
        }
        rounds.sort_by_key(|round| round.opens);
        let of_class = [Entity::Case, Entity::Person];
        Rounds {
            choices,
            class: parsed.class.and_then(|name| self.step(&name, &of_class, Type::Text)),
            group: parsed.group.and_then(|name| self.step(&name, &case, Type::Integer)),
            points: parsed.points.and_then(|name| self.step(&name, &case, Type::Integer)),
            reserved: parsed.reserved.and_then(|name| self.step(&name, &case, Type::Boolean)),
            open: parsed.open.and_then(|name| self.pattern(&name, &places, Type::Boolean)),
            pays: parsed.pays.and_then(|name| self.pattern(&name, &places, Type::Integer)),
            group_at: parsed.group_at.and_then(|at| {
                let place = self.step(&at.place, &case, Type::Text)?;
                let group = self.step(&at.group, &case, Type::Integer)?;
                Some(GroupAt { place, group })
            }),
            classes: named,
            class_order: in_order.into_iter().map(|(_, class)| class).collect(),
            keeps_unfilled,
            answer_days: *parsed.answer_days.get_ref(),
            check_in: parsed.check_in,
            rounds,
            places,
        }
    }

    fn time<T: std::str::FromStr>(&mut self, text: &Spanned<String>, form: &str) -> Option<T> {
        let found = text.get_ref().parse().ok();
        if found.is_none() {
            let message = format!("`{}` can't be read", text.get_ref());
            self.wrong(text.span(), message, Some(format!("write it as {form}")));
        }
        found
    }

    fn round(
        &mut self,
        round: &RoundFile,
        check_in: bool,
        seats: Option<BTreeMap<String, BTreeMap<String, Seats>>>,
    ) -> Option<Round> {
        let opens: DateTime = self.time(&round.opens, "2026-05-01T09:00")?;
        let closes: DateTime = self.time(&round.closes, "2026-05-08T17:00")?;
        let draw: Date = self.time(&round.draw, "2026-05-16")?;
        let answer_by: Date = self.time(&round.answer_by, "2026-05-25")?;
        let check_in_by: Option<Date> = match &round.check_in_by {
            Some(day) => Some(self.time(day, "2026-05-30")?),
            None => None,
        };
        if check_in != check_in_by.is_some() {
            let advice = "a round has `check_in_by` when the service has `check_in = true`, and only then";
            self.wrong(
                round.id.span(),
                "who checks in, and until when?".to_owned(),
                Some(advice.to_owned()),
            );
        }
        let in_order = opens < closes
            && closes.date() <= draw
            && draw <= answer_by
            && check_in_by.is_none_or(|day| answer_by <= day);
        if !in_order {
            let advice = "first it opens, then it closes, then comes the draw, then answers, then check-in";
            self.wrong(
                round.opens.span(),
                "the days are out of order".to_owned(),
                Some(advice.to_owned()),
            );
        }
        let Some(seats) = seats else {
            let advice = format!("add rows for `{}` to {SEATS}", round.id.get_ref());
            self.wrong(round.id.span(), "the round has no seats".to_owned(), Some(advice));
            return None;
        };
        Some(Round {
            id: round.id.get_ref().clone(),
            name: round.name.clone(),
            opens,
            closes,
            draw,
            answer_by,
            check_in_by,
            seed_rule: round.seed_rule.clone(),
            seats,
        })
    }

    fn seats(
        &mut self,
        folder: &Path,
        rounds: &[RoundFile],
        places: &[Place],
        named: &BTreeMap<String, Text>,
    ) -> BTreeMap<String, BTreeMap<String, BTreeMap<String, Seats>>> {
        let mut found: BTreeMap<String, BTreeMap<String, BTreeMap<String, Seats>>> = BTreeMap::new();
        let file = match TextFile::read(folder, SEATS) {
            Ok(file) => file,
            Err(mistake) => {
                self.mistakes.push(mistake);
                return found;
            }
        };
        for (line, row) in rows::<SeatsRow>(&file, &mut self.mistakes) {
            let mut wrong = |message: String, advice: Option<String>| {
                self.mistakes.push(mistake(&file.name, line, 1, message, advice));
            };
            if !rounds.iter().any(|round| *round.id.get_ref() == row.round) {
                let known = rounds.iter().map(|round| round.id.get_ref().as_str());
                wrong(format!("there is no round `{}`", row.round), suggest(&row.round, known));
            }
            if !places.iter().any(|place| place.id == row.place) {
                let known = places.iter().map(|place| place.id.as_str());
                wrong(format!("there is no place `{}`", row.place), suggest(&row.place, known));
            }
            if row.reserved > row.capacity {
                let message = format!("{} of {} seats are reserved", row.reserved, row.capacity);
                wrong(message, Some("reserve no more than there are".to_owned()));
            }
            if !row.class.is_empty() && !named.contains_key(&row.class) {
                let known = named.keys().map(String::as_str);
                let advice = suggest(&row.class, known)
                    .or_else(|| Some(format!("add `{} = {{ … }}` to `[classes]` of round.toml", row.class)));
                wrong(format!("the class `{}` has no name", row.class), advice);
            }
            let class = if row.class.is_empty() {
                ALL.to_owned()
            } else {
                row.class
            };
            let seats = Seats {
                capacity: row.capacity,
                reserved: row.reserved,
            };
            let classes = found.entry(row.round).or_default().entry(row.place).or_default();
            if classes.insert(class.clone(), seats).is_some() {
                wrong(
                    format!("the class `{class}` of this place stands here twice"),
                    Some("remove one".to_owned()),
                );
            }
        }
        found
    }
}

fn entity_names(entities: &[Entity]) -> String {
    let names: Vec<String> = entities.iter().map(ToString::to_string).collect();
    names.join(", ")
}

/// Whether a field offers every place.
fn offers(kind: &FieldKind, places: &[Place]) -> bool {
    match kind {
        FieldKind::Select(choices) | FieldKind::Radios(choices) => places
            .iter()
            .all(|place| choices.iter().any(|choice| choice.value == place.id)),
        _ => false,
    }
}
