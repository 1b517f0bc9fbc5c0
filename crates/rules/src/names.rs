//! The names an expression may use, by the scope it stands in, and what is said of a name that can't be used.

use crate::expr::{Kind, Of};
use crate::mistake::did_you_mean;
use crate::model::Entity;

/// An input or a step.
#[derive(Clone, Debug)]
pub(crate) struct Variable {
    pub name: String,
    /// `None` for a step with a mistake, so that no mistake follows from another.
    pub kind: Option<Kind>,
}

/// The inputs and the steps before, by entity, inputs first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    tables: [Vec<Variable>; 3],
    /// The steps that come later in the file.
    pub later: Vec<(Entity, String)>,
}

/// Why a name can't be used: what is wrong, and what to do. `None` when the mistake was already told elsewhere.
pub(crate) type Unusable = Option<(String, Option<String>)>;

impl Names {
    pub fn table(&self, entity: Entity) -> &[Variable] {
        match entity {
            Entity::Person => &self.tables[0],
            Entity::Household => &self.tables[1],
            Entity::Case => &self.tables[2],
        }
    }

    /// Adds a variable and answers its number.
    pub fn add(&mut self, entity: Entity, variable: Variable) -> usize {
        let table = match entity {
            Entity::Person => &mut self.tables[0],
            Entity::Household => &mut self.tables[1],
            Entity::Case => &mut self.tables[2],
        };
        table.push(variable);
        table.len() - 1
    }

    /// The number of a variable.
    pub fn find(&self, entity: Entity, name: &str) -> Option<usize> {
        self.table(entity).iter().position(|variable| variable.name == name)
    }

    /// The column a name means in a scope. `aggregate` says whether it stands inside an aggregate over persons.
    pub fn resolve(
        &self,
        scope: Entity,
        aggregate: bool,
        qualifier: Option<&str>,
        name: &str,
    ) -> Result<(Of, usize, Kind), Unusable> {
        let of = match (scope, qualifier) {
            (Entity::Person, None) => Of::Person,
            (Entity::Household, None) => Of::Household,
            (Entity::Case, None) => Of::Case,
            (Entity::Person | Entity::Case, Some("household")) => Of::Household,
            (Entity::Household, Some("person")) if aggregate => Of::Person,
            (Entity::Household, Some("person")) => {
                return Err(Some((
                    format!("a household has several persons, so `person.{name}` has no single value here"),
                    Some(format!("use an aggregate such as `SUM(person.{name})`")),
                )));
            }
            (Entity::Case, Some("applicant")) => Of::Applicant,
            (Entity::Case, Some("person")) => {
                return Err(Some((
                    "a case step doesn't see every person".to_owned(),
                    Some(format!("use `applicant.{name}`, or aggregate in a household step")),
                )));
            }
            (_, Some(own)) if own == scope.to_string() => {
                return Err(Some((
                    format!("`{own}.{name}` is of the {scope} itself"),
                    Some(format!("write `{name}`")),
                )));
            }
            (_, Some("case" | "applicant")) => {
                return Err(Some((
                    format!("a {scope} step can't depend on the case"),
                    Some("make it a step of the case".to_owned()),
                )));
            }
            (_, Some(other)) => {
                let known: &[&str] = match scope {
                    Entity::Person => &["household"],
                    Entity::Household => &["person"],
                    Entity::Case => &["household", "applicant"],
                };
                return Err(Some((
                    format!("unknown table `{other}`"),
                    did_you_mean(other, known.iter().copied())
                        .or_else(|| Some(format!("a {scope} step knows {}", known.join(" and ")))),
                )));
            }
        };
        let table = self.table(of.entity());
        if let Some((index, variable)) = table.iter().enumerate().find(|(_, variable)| variable.name == name) {
            return match &variable.kind {
                Some(kind) => Ok((of, index, kind.clone())),
                None => Err(None),
            };
        }
        if self
            .later
            .iter()
            .any(|(entity, later)| *entity == of.entity() && later == name)
        {
            return Err(Some((
                format!("the step `{name}` comes later in the file"),
                Some(format!("move the step `{name}` before this one")),
            )));
        }
        Err(Some((
            format!("unknown column `{name}` of the {}", of.entity()),
            self.elsewhere(scope, of, name)
                .or_else(|| did_you_mean(name, table.iter().map(|variable| variable.name.as_str())))
                .or_else(|| Some(declared(of.entity(), name))),
        )))
    }

    /// Where else the name exists.
    fn elsewhere(&self, scope: Entity, of: Of, name: &str) -> Option<String> {
        let has = |entity| self.find(entity, name).is_some();
        let (entity, written) = match scope {
            Entity::Person => (Entity::Household, format!("household.{name}")),
            Entity::Household => (Entity::Person, format!("person.{name}")),
            Entity::Case if of != Of::Household && has(Entity::Household) => {
                (Entity::Household, format!("household.{name}"))
            }
            Entity::Case => (Entity::Person, format!("applicant.{name}")),
        };
        (entity != of.entity() && has(entity)).then(|| format!("did you mean `{written}`?"))
    }
}

/// How a name that is nowhere is declared, if it can be one.
fn declared(entity: Entity, name: &str) -> String {
    if can_be_name(name) {
        format!("declare it under `[inputs.{entity}.{name}]`, or make it a step of the {entity} before this one")
    } else {
        "a name has lower-case letters, digits and `_`, a letter first".to_owned()
    }
}

/// Whether inputs, parameters and steps may be called so.
pub(crate) fn can_be_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text
            .chars()
            .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_')
}
