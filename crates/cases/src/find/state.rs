//! What a person has said so far. Kept in the session only: sealed, and gone with it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use services::Vocabulary;
use services::form::{APPLICANT, Source};

/// Address of the question who belongs to the family.
pub const FAMILY: &str = "family";

/// Most persons of a family.
pub const MOST: usize = 20;

/// Longest name for a person, in characters.
const LONGEST: usize = 20;

/// One question: a fact, and of whom.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Asked {
    /// Id of the fact.
    pub fact: String,
    /// The person, for a fact of persons.
    pub person: Option<String>,
}

impl Asked {
    /// Its name in addresses: `household.region`, `person.birth_date.p2`.
    #[must_use]
    pub fn address(&self) -> String {
        match &self.person {
            Some(person) => format!("{}.{person}", self.fact),
            None => self.fact.clone(),
        }
    }

    /// The question of an address; None where there is no such fact or person.
    #[must_use]
    pub fn at(address: &str, vocabulary: &Vocabulary, screening: &Screening) -> Option<Asked> {
        if let Some(fact) = vocabulary.fact(address) {
            return (fact.entity != rules::Entity::Person).then(|| Asked {
                fact: fact.id.clone(),
                person: None,
            });
        }
        let (fact, person) = address.rsplit_once('.')?;
        let fact = vocabulary.fact(fact)?;
        let known = screening.members.iter().any(|member| member.id == person);
        (known && fact.entity == rules::Entity::Person).then(|| Asked {
            fact: fact.id.clone(),
            person: Some(person.to_owned()),
        })
    }
}

/// A person of the family.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// `p1` is the person who asks.
    pub id: String,
    /// What the person is called here; may be empty.
    pub called: String,
}

/// An answer.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Said {
    /// The value; None where the person does not know.
    pub value: Option<Value>,
    /// Where it came from.
    pub source: Source,
    /// When.
    pub at: Timestamp,
}

/// A questionnaire under way.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Screening {
    /// Event of life whose services are looked at; all services without one.
    #[serde(default)]
    pub event: Option<String>,
    /// The family, the person who asks first.
    pub members: Vec<Member>,
    /// Whether these are all.
    pub complete: bool,
    /// Answers by address.
    said: BTreeMap<String, Said>,
    /// Addresses in the order in which they were answered.
    trail: Vec<String>,
    /// Whether its result was counted.
    #[serde(default)]
    pub counted: bool,
}

/// Says which questions were answered, and no answer.
impl std::fmt::Debug for Screening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Screening")
            .field("trail", &self.trail)
            .finish_non_exhaustive()
    }
}

impl Default for Screening {
    fn default() -> Self {
        Screening {
            event: None,
            members: vec![Member {
                id: APPLICANT.to_owned(),
                called: String::new(),
            }],
            complete: false,
            said: BTreeMap::new(),
            trail: Vec::new(),
            counted: false,
        }
    }
}

impl Screening {
    /// What was said to a question.
    #[must_use]
    pub fn said(&self, asked: &Asked) -> Option<&Said> {
        self.said.get(&asked.address())
    }

    /// Notes an answer; None means that the person does not know.
    pub fn answer(&mut self, asked: &Asked, value: Option<Value>, source: Source, at: Timestamp) {
        let address = asked.address();
        self.said.insert(address.clone(), Said { value, source, at });
        self.walked(&address);
    }

    /// Notes what is held already: a fact nobody has to be asked for.
    pub fn hold(&mut self, asked: &Asked, value: Value, source: Source, at: Timestamp) {
        let value = Some(value);
        self.said.insert(asked.address(), Said { value, source, at });
    }

    /// How many facts are known.
    #[must_use]
    pub fn known(&self) -> usize {
        self.said.values().filter(|said| said.value.is_some()).count()
    }

    /// How many questions were answered.
    #[must_use]
    pub fn answered(&self) -> usize {
        self.trail.len()
    }

    fn walked(&mut self, address: &str) {
        if !self.trail.iter().any(|one| one == address) {
            self.trail.push(address.to_owned());
        }
    }

    /// The question answered before this one, or the last one, for a question that is new.
    #[must_use]
    pub fn before(&self, address: &str) -> Option<&str> {
        let place = self.trail.iter().position(|one| one == address);
        let place = place.unwrap_or(self.trail.len()).checked_sub(1)?;
        self.trail.get(place).map(String::as_str)
    }

    /// One more person; None when the family is full.
    pub fn add(&mut self, called: &str) -> Option<String> {
        if self.members.len() >= MOST {
            return None;
        }
        let last = self
            .members
            .iter()
            .filter_map(|member| member.id.trim_start_matches('p').parse::<u32>().ok());
        let id = format!("p{}", last.max().unwrap_or(0).saturating_add(1));
        let called = called
            .trim()
            .chars()
            .filter(|c| !c.is_control())
            .take(LONGEST)
            .collect();
        self.members.push(Member { id: id.clone(), called });
        Some(id)
    }

    /// One person fewer, with what was said of them. The person who asks stays.
    pub fn remove(&mut self, person: &str) {
        if person == APPLICANT || !self.members.iter().any(|member| member.id == person) {
            return;
        }
        self.members.retain(|member| member.id != person);
        let end = format!(".{person}");
        self.said.retain(|address, _| !address.ends_with(&end));
        self.trail.retain(|address| !address.ends_with(&end));
    }

    /// These are all.
    pub fn complete(&mut self) {
        self.complete = true;
        self.walked(FAMILY);
    }
}
