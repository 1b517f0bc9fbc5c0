//! The facts of one case as JSON, and the tables made of them.

use crate::error::RuleError;
use crate::frame::{Frame, Table, nothing};
use crate::model::{Entity, Input, InputRef, Type};
use crate::parameters::decimal;
use crate::plan::data_type;
use crate::rules::Rules;
use crate::symbols::Texts;
use arrow::array::{ArrayRef, BooleanArray, Date32Array, Decimal128Array, Int32Array, Int64Array, UInt32Array};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// Facts by name. A missing one and `null` both mean: not known yet.
pub type Values = serde_json::Map<String, Value>;

/// The facts of one case: the application, the family, and each of its persons.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseInput {
    /// Facts of the application.
    #[serde(default)]
    pub case: Values,
    /// Facts of the family.
    #[serde(default)]
    pub household: Values,
    /// The persons, exactly one of them the applicant.
    pub persons: Vec<Person>,
}

/// One person of a case.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Person {
    /// An id of this case, such as `p1`; it comes back in explanations, so it must not be a national id.
    pub id: String,
    /// Whether this person is the applicant.
    #[serde(default)]
    pub applicant: bool,
    /// The person's facts.
    #[serde(flatten)]
    pub values: Values,
}

/// Says how many persons there are, and nothing of them.
impl std::fmt::Debug for CaseInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CaseInput")
            .field("persons", &self.persons.len())
            .finish_non_exhaustive()
    }
}

/// Says the id only.
impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Person").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The tables of one case, with its inputs.
pub(crate) fn frame(rules: &Rules, input: &CaseInput, texts: &mut Texts<'_>) -> Result<Frame, RuleError> {
    let mut applicants = input.persons.iter().enumerate().filter(|(_, person)| person.applicant);
    let (Some((applicant, _)), None) = (applicants.next(), applicants.next()) else {
        return Err(RuleError::Persons(
            "needs exactly one applicant among its persons".to_owned(),
        ));
    };
    for (place, person) in input.persons.iter().enumerate() {
        if input.persons.iter().take(place).any(|other| other.id == person.id) {
            return Err(RuleError::Persons(
                "has two persons of the same id; give each person an id of their own".to_owned(),
            ));
        }
        known(rules, Entity::Person, Some(&person.id), &person.values)?;
    }
    known(rules, Entity::Household, None, &input.household)?;
    known(rules, Entity::Case, None, &input.case)?;
    let persons: Vec<Owner<'_>> = input
        .persons
        .iter()
        .map(|person| (Some(person.id.as_str()), &person.values))
        .collect();
    let rows = persons.len();
    Ok(Frame {
        person: table(rules, Entity::Person, &persons, texts)?,
        household: table(rules, Entity::Household, &[(None, &input.household)], texts)?,
        case: table(rules, Entity::Case, &[(None, &input.case)], texts)?,
        household_of_person: UInt32Array::from(vec![0; rows]),
        household_of_case: UInt32Array::from(vec![0]),
        applicant_of_case: UInt32Array::from(vec![u32::try_from(applicant).unwrap_or(u32::MAX)]),
    })
}

/// Whose facts: the person's id, if it is a person, and the facts.
type Owner<'a> = (Option<&'a str>, &'a Values);

fn refuse(entity: Entity, person: Option<&str>, name: &str, reason: impl Into<String>) -> RuleError {
    let input = InputRef {
        entity,
        person: person.map(str::to_owned),
        name: name.to_owned(),
    };
    RuleError::Input {
        input: input.to_string(),
        reason: reason.into(),
    }
}

/// Refuses facts the rules don't know, which would otherwise silently not count.
fn known(rules: &Rules, entity: Entity, person: Option<&str>, values: &Values) -> Result<(), RuleError> {
    for name in values.keys() {
        if !rules.inputs_of(entity).any(|input| input.name == *name) {
            let names = rules.inputs_of(entity).map(|input| input.name.as_str());
            let suggestion =
                crate::mistake::did_you_mean(name, names).map_or(String::new(), |text| format!("; {text}"));
            return Err(refuse(
                entity,
                person,
                name,
                format!("is not an input of these rules{suggestion}"),
            ));
        }
    }
    Ok(())
}

fn table(rules: &Rules, entity: Entity, owners: &[Owner<'_>], texts: &mut Texts<'_>) -> Result<Table, RuleError> {
    let mut columns: Vec<Option<ArrayRef>> = Vec::with_capacity(rules.names.table(entity).len());
    for input in rules.inputs_of(entity) {
        columns.push(Some(column(input, owners, texts)?));
    }
    columns.resize(rules.names.table(entity).len(), None);
    Ok(Table {
        rows: owners.len(),
        columns,
    })
}

fn column(input: &Input, owners: &[Owner<'_>], texts: &mut Texts<'_>) -> Result<ArrayRef, RuleError> {
    let mut given: Vec<Option<&Value>> = Vec::with_capacity(owners.len());
    for (_, values) in owners {
        given.push(values.get(&input.name).filter(|value| !value.is_null()));
    }
    if given.iter().all(Option::is_none) {
        return Ok(nothing(input.kind, owners.len()));
    }
    /// Reads each value given; an unreadable one is refused by what was needed instead.
    fn read<T>(
        input: &Input,
        owners: &[Owner<'_>],
        given: &[Option<&Value>],
        mut read: impl FnMut(&Value) -> Option<T>,
        needed: &str,
    ) -> Result<Vec<Option<T>>, RuleError> {
        let one = |(value, (person, _)): (&Option<&Value>, &Owner<'_>)| match value {
            None => Ok(None),
            Some(value) => match read(value) {
                Some(value) => Ok(Some(value)),
                None => Err(refuse(input.entity, *person, &input.name, format!("must be {needed}"))),
            },
        };
        given.iter().zip(owners).map(one).collect()
    }
    Ok(match input.kind {
        Type::Integer => {
            let values = read(input, owners, &given, Value::as_i64, "a whole number")?;
            Arc::new(Int64Array::from(values))
        }
        Type::Decimal => {
            let number = |value: &Value| match value {
                Value::Number(number) => decimal(&number.to_string()),
                Value::String(text) => decimal(text),
                _ => None,
            };
            let values = read(
                input,
                owners,
                &given,
                number,
                "a number with at most four digits after the point",
            )?;
            Arc::new(Decimal128Array::from(values).with_data_type(data_type(Type::Decimal)))
        }
        Type::Boolean => {
            let values = read(input, owners, &given, Value::as_bool, "true or false")?;
            Arc::new(BooleanArray::from(values))
        }
        Type::Date => {
            let date = |value: &Value| value.as_str()?.parse::<Date>().ok().map(crate::calendar::days);
            let values = read(input, owners, &given, date, "a date such as 2025-11-24")?;
            Arc::new(Date32Array::from(values))
        }
        Type::Text => {
            let text = |value: &Value| {
                let text = value.as_str()?;
                let allowed = input.values.is_empty() || input.values.iter().any(|value| value == text);
                allowed.then(|| texts.number(text))
            };
            let needed = match input.values.is_empty() {
                true => "a text".to_owned(),
                false => format!("one of {}", input.values.join(", ")),
            };
            Arc::new(Int32Array::from(read(input, owners, &given, text, &needed)?))
        }
    })
}
