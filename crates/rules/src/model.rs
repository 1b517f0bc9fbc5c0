//! What a rule set is made of, as others see it.

use civic::Text;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Whom a value belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entity {
    /// One person of the unit.
    Person,
    /// The unit whose persons are counted together (the family of the application).
    Household,
    /// The application of one applicant.
    Case,
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Entity::Person => "person",
            Entity::Household => "household",
            Entity::Case => "case",
        })
    }
}

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Type {
    /// A whole number of 64 bits; amounts of money are whole NT dollars.
    Integer,
    /// A number of eighteen digits, four of them after the point.
    Decimal,
    /// True or false.
    Boolean,
    /// A text, mostly one of a list of codes.
    Text,
    /// A day of the calendar.
    Date,
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Type::Integer => "integer",
            Type::Decimal => "decimal",
            Type::Boolean => "boolean",
            Type::Text => "text",
            Type::Date => "date",
        })
    }
}

/// A fact the rules ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Input {
    /// Whose fact it is.
    pub entity: Entity,
    /// Its name in expressions.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: Type,
    /// What it is called on pages.
    pub title: Text,
    /// The codes allowed; empty when any value of the type is.
    pub values: Vec<String>,
    /// The unit, such as `NT$ a year`.
    pub unit: Option<String>,
    /// Whether the rules themselves say what holds when it is not given (some expression tests it with `IS NULL`).
    pub optional: bool,
}

/// A step of the decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StepInfo {
    /// Its name in expressions and explanations.
    pub name: String,
    /// Whose value it is.
    pub entity: Entity,
    /// What it is called on pages and in letters.
    pub title: Text,
    /// The article it comes from.
    pub law: String,
    /// The type of its value.
    #[serde(rename = "type")]
    pub kind: Type,
    /// The unit of its value.
    pub unit: Option<String>,
    /// Whether it is one of the conditions the outcome is made of, so that a refusal can name it.
    pub is_condition: bool,
}

/// An input of one decision.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct InputRef {
    /// Whose input it is.
    pub entity: Entity,
    /// The person's id, for inputs of persons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// The input's name.
    pub name: String,
}

impl fmt::Display for InputRef {
    /// `person.p1.birth_date`, `household.region`, `case.other_allowance`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.person {
            Some(person) => write!(f, "{}.{person}.{}", self.entity, self.name),
            None => write!(f, "{}.{}", self.entity, self.name),
        }
    }
}
