//! What is known of an application: each value with where it came from, when, and whether the person changed it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use rules::{CaseInput, Entity, Person};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::model::key;
use super::{APPLICANT, Form};

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum Source {
    /// The person (or the clerk or agent acting for them) answered.
    Person,
    /// The signed-in person's account.
    Profile,
    /// A register of the city.
    Register,
    /// An outside body confirmed or corrected it (學校確認 and the like).
    Body {
        /// Its id in `bodies.csv`.
        id: String,
        /// What it was called then.
        name: String,
    },
    /// A MyData package.
    #[serde(rename = "mydata")]
    MyData {
        /// Data set: `API.` and ten characters.
        resource: String,
        /// Path of the value in the data set.
        field: String,
        /// Day the agency issued it, when the set says so.
        issued: Option<Date>,
    },
    /// A card that the person showed from their digital wallet (數位憑證皮夾).
    Wallet {
        /// Type of the card.
        card: String,
        /// Name of the claim.
        claim: String,
        /// Who gave the card.
        issuer: String,
    },
    /// The person answered when looking for what they may receive, before applying. A source's value takes its place.
    Screening,
    /// An earlier application of the person; agreeing to the re-use is the consent that covers it.
    Earlier {
        /// The number of that application.
        number: String,
        /// The day the value was given or issued.
        given: Date,
        /// Where that application had it from.
        of: Box<Source>,
    },
}

impl Source {
    /// Whether it is a register, a MyData set or a card of the wallet, here or in an earlier application: a paper the person did not bring.
    #[must_use]
    pub fn is_official(&self) -> bool {
        match self {
            Self::MyData { .. } | Self::Register | Self::Body { .. } | Self::Wallet { .. } => true,
            Self::Earlier { of, .. } => of.is_official(),
            Self::Person | Self::Profile | Self::Screening => false,
        }
    }

    /// Whether the person said it themselves, now, on the way here, or in an earlier application.
    #[must_use]
    pub fn is_own_word(&self) -> bool {
        match self {
            Self::Person | Self::Screening => true,
            Self::Earlier { of, .. } => of.is_own_word(),
            Self::MyData { .. } | Self::Register | Self::Body { .. } | Self::Wallet { .. } | Self::Profile => false,
        }
    }
}

/// A value kept beside the one in force.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Held {
    /// The value.
    pub value: Value,
    /// Where it came from.
    pub source: Source,
    /// When it arrived.
    pub at: Timestamp,
}

/// One answer.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The value in force; never null.
    pub value: Value,
    /// Where it came from.
    pub source: Source,
    /// When it was given.
    pub at: Timestamp,
    /// What the source says, where the person answered otherwise: the officer sees both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_from: Option<Held>,
}

/// All answers of an application. Stored sealed.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Answers {
    /// By key.
    pub values: BTreeMap<String, Answer>,
    /// Items of each group, in order.
    #[serde(default)]
    pub items: BTreeMap<String, Vec<String>>,
}

/// What became of a value offered by a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offered {
    /// It is in force now.
    Taken,
    /// It was in force already.
    Same,
    /// The person's own answer stands; the offered value is kept beside it.
    KeptBeside,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer")
            .field("source", &self.source)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Held")
            .field("source", &self.source)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Answers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.values.keys()).finish()
    }
}

impl Answers {
    /// Answers of a new application: the applicant is there, nothing is known.
    pub fn new(form: &Form) -> Self {
        let mut answers = Self::default();
        for group in form.groups.iter().filter(|group| group.persons) {
            answers.items.insert(group.id.clone(), vec![APPLICANT.to_owned()]);
        }
        answers
    }

    /// The answer of a key.
    pub fn get(&self, key: &str) -> Option<&Answer> {
        self.values.get(key)
    }

    /// The value of a key.
    pub fn value(&self, key: &str) -> Option<&Value> {
        self.get(key).map(|answer| &answer.value)
    }

    /// The items of a group, in order.
    pub fn items(&self, group: &str) -> &[String] {
        self.items.get(group).map_or(&[], Vec::as_slice)
    }

    /// Adds an item to a group and gives its name, or None when the group is full.
    pub fn add_item(&mut self, form: &Form, group: &str) -> Option<String> {
        let most = form.group(group)?.max;
        let items = self.items.entry(group.to_owned()).or_default();
        if items.len() >= most {
            return None;
        }
        let last = items
            .iter()
            .filter_map(|item| item.trim_start_matches('p').parse::<u32>().ok())
            .max()
            .unwrap_or(0);
        let item = format!("p{}", last + 1);
        items.push(item.clone());
        Some(item)
    }

    /// Removes an item with its answers. The applicant can't be removed.
    pub fn remove_item(&mut self, group: &str, item: &str) -> bool {
        let Some(items) = self.items.get_mut(group) else {
            return false;
        };
        let before = items.len();
        items.retain(|one| one == APPLICANT || one != item);
        let removed = items.len() < before;
        if removed {
            let prefix = format!("{group}.{item}.");
            self.values.retain(|key, _| !key.starts_with(&prefix));
        }
        removed
    }

    /// The person answers. None takes the answer back. What a source had said is kept beside a different answer.
    pub fn answer(&mut self, key: &str, value: Option<Value>, at: Timestamp) {
        let known = self.values.remove(key);
        let Some(value) = value.filter(|value| !value.is_null()) else {
            return;
        };
        let held = known.and_then(|known| match known.source {
            // a word of one's own that is put right is no deviation from a source
            ref source if source.is_own_word() => known.changed_from,
            _ => Some(Held {
                value: known.value,
                source: known.source,
                at: known.at,
            }),
        });
        let answer = match held {
            Some(held) if held.value == value => Answer {
                value,
                source: held.source,
                at: held.at,
                changed_from: None,
            },
            held => Answer {
                value,
                source: Source::Person,
                at,
                changed_from: held,
            },
        };
        self.values.insert(key.to_owned(), answer);
    }

    /// A source offers a value. It never replaces what the person answered.
    pub fn offer(&mut self, key: &str, value: Value, source: Source, at: Timestamp) -> Offered {
        if let Some(known) = self.values.get_mut(key) {
            if known.value == value {
                *known = Answer {
                    value,
                    source,
                    at,
                    changed_from: None,
                };
                return Offered::Same;
            }
            if known.source == Source::Person {
                known.changed_from = Some(Held { value, source, at });
                return Offered::KeptBeside;
            }
        }
        self.values.insert(
            key.to_owned(),
            Answer {
                value,
                source,
                at,
                changed_from: None,
            },
        );
        Offered::Taken
    }

    /// An outside body says what is right: its value is in force from now on. What the person had answered otherwise is
    /// kept beside it. True when the value changed.
    pub fn confirm(&mut self, key: &str, value: Value, source: Source, at: Timestamp) -> bool {
        let known = self.values.remove(key);
        let changed = known.as_ref().is_none_or(|known| known.value != value);
        let before = known.and_then(|known| match known.source {
            // confirmed again: what was first answered stays beside it
            Source::Body { .. } => known.changed_from,
            source => Some(Held {
                value: known.value,
                source,
                at: known.at,
            }),
        });
        let changed_from = before.filter(|before| before.value != value);
        let answer = Answer {
            value,
            source,
            at,
            changed_from,
        };
        self.values.insert(key.to_owned(), answer);
        changed
    }

    /// Whether it is known who belongs to a group of persons: the person said so, or a register did.
    pub fn is_complete(&self, group: &str) -> bool {
        let prefix = format!("{group}.");
        self.value(group).is_some()
            || self.values.iter().any(|(key, answer)| {
                key.starts_with(&prefix) && matches!(answer.source, Source::MyData { .. } | Source::Register)
            })
    }

    /// How many values came from a MyData set or register, each a paper the person did not bring.
    pub fn filled_from_sources(&self) -> usize {
        self.values
            .values()
            .filter(|answer| answer.source.is_official())
            .count()
    }
}

impl Form {
    /// The answers as data of the rules. What is not answered is left out, which the rules read as NULL.
    pub fn case_input(&self, answers: &Answers) -> CaseInput {
        let mut input = CaseInput {
            case: Map::new(),
            household: Map::new(),
            persons: Vec::new(),
        };
        for page in self.pages.iter().filter(|page| page.group.is_none()) {
            for field in &page.fields {
                let (Some(bound), Some(value)) = (&field.input, answers.value(&field.id)) else {
                    continue;
                };
                match bound.entity {
                    Entity::Case => input.case.insert(bound.name.clone(), value.clone()),
                    Entity::Household => input.household.insert(bound.name.clone(), value.clone()),
                    Entity::Person => None,
                };
            }
        }
        let Some(group) = self.person_group() else {
            input.persons.push(Person {
                id: APPLICANT.to_owned(),
                applicant: true,
                values: Map::new(),
            });
            return input;
        };
        for item in answers.items(&group.id) {
            let applicant = item == APPLICANT;
            let mut values = if applicant { group.applicant.clone() } else { Map::new() };
            for page in self
                .pages
                .iter()
                .filter(|page| page.group.as_deref() == Some(&group.id))
            {
                for field in &page.fields {
                    let answered = answers.value(&key(Some(&group.id), Some(item), &field.id));
                    if let (Some(bound), Some(value)) = (&field.input, answered) {
                        values.entry(bound.name.clone()).or_insert_with(|| value.clone());
                    }
                }
            }
            input.persons.push(Person {
                id: item.clone(),
                applicant,
                values,
            });
        }
        input
    }

    /// Fills what the signed-in person's account knows (`name`, `national_id`, `email`, …).
    pub fn prefill_profile(&self, answers: &mut Answers, profile: &BTreeMap<String, String>, at: Timestamp) {
        let group = self.person_group().map(|group| group.id.as_str());
        for page in &self.pages {
            for field in &page.fields {
                let known = field.profile.as_ref().and_then(|name| profile.get(name));
                let Some(text) = known.filter(|text| !text.trim().is_empty()) else {
                    continue;
                };
                let item = page
                    .group
                    .as_deref()
                    .filter(|own| Some(*own) == group)
                    .map(|_| APPLICANT);
                if page.group.is_some() && item.is_none() {
                    continue;
                }
                let Ok(Some(value)) =
                    super::kinds::read(&field.kind, &super::kinds::Entered::one(text), civic::legal_day(at))
                else {
                    continue;
                };
                answers.offer(&key(page.group.as_deref(), item, &field.id), value, Source::Profile, at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use jiff::Timestamp;
    use serde_json::json;

    use super::{Answers, Offered, Source};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).unwrap()
    }

    fn package() -> Source {
        Source::MyData {
            resource: "API.Test000001".into(),
            field: "wages".into(),
            issued: None,
        }
    }

    #[test]
    fn a_later_package_never_overwrites_what_the_person_changed() {
        let mut answers = Answers::default();
        assert_eq!(answers.offer("wages", json!(100), package(), at(0)), Offered::Taken);
        answers.answer("wages", Some(json!(90)), at(1));
        assert_eq!(
            answers.offer("wages", json!(110), package(), at(2)),
            Offered::KeptBeside
        );
        let answer = answers.get("wages").unwrap();
        assert_eq!((&answer.value, &answer.source), (&json!(90), &Source::Person));
        assert_eq!(answer.changed_from.as_ref().unwrap().value, json!(110));
    }

    #[test]
    fn a_later_package_replaces_an_earlier_one() {
        let mut answers = Answers::default();
        answers.offer("wages", json!(100), package(), at(0));
        assert_eq!(answers.offer("wages", json!(120), package(), at(1)), Offered::Taken);
        assert_eq!(answers.value("wages"), Some(&json!(120)));
    }

    #[test]
    fn going_back_to_the_source_is_no_change() {
        let mut answers = Answers::default();
        answers.offer("wages", json!(100), package(), at(0));
        answers.answer("wages", Some(json!(90)), at(1));
        answers.answer("wages", Some(json!(100)), at(2));
        let answer = answers.get("wages").unwrap();
        assert_eq!(answer.source, package());
        assert_eq!(answer.changed_from, None);
    }

    #[test]
    fn nothing_personal_is_in_debug_output() {
        let mut answers = Answers::default();
        answers.answer("wages", Some(json!(987_654)), at(0));
        assert!(!format!("{answers:?}{:?}", answers.get("wages")).contains("987654"));
    }
}
