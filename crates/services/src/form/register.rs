//! The form filled from a register (底冊), where nobody applies and the city gives of its own motion.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rules::Entity;
use serde_json::{Map, Value};

use super::kinds::{Entered, read};
use super::model::{Field, Form, Items, key};
use super::{APPLICANT, Answers, FieldKind, Source, SourceKind};

/// What a register says of one family, seen from the person it is about.
#[derive(Clone, Default)]
pub struct Listed {
    /// Details of that person, such as `name`, `national_id`, `address`, `email`.
    pub profile: BTreeMap<String, String>,
    /// The account to pay to, if one is known.
    pub account: Option<Value>,
    /// Inputs of the case.
    pub case: Map<String, Value>,
    /// Inputs of the family.
    pub household: Map<String, Value>,
    /// Inputs of each person, the one it is about first.
    pub persons: Vec<Map<String, Value>>,
}

impl std::fmt::Debug for Listed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listed")
            .field("persons", &self.persons.len())
            .finish_non_exhaustive()
    }
}

impl Form {
    /// The answers that a register gives: every field whose input it knows, the details of the person, the account.
    #[must_use]
    pub fn listed(&self, listed: &Listed, at: Timestamp) -> Answers {
        let mut answers = Answers::new(self);
        let group = self.person_group();
        if let Some(group) = group {
            for _ in 1..listed.persons.len() {
                if answers.add_item(self, &group.id).is_none() {
                    break;
                }
            }
        }
        for page in &self.pages {
            let persons = group.is_some_and(|group| page.group.as_deref() == Some(&group.id));
            if page.group.is_some() && !persons {
                continue;
            }
            let items = match &page.group {
                Some(group) => answers.items(group).to_vec(),
                None => vec![APPLICANT.to_owned()],
            };
            let known = listed.persons.iter().map(Some).chain(std::iter::repeat(None));
            for (item, person) in items.iter().zip(known) {
                let applicant = item == APPLICANT;
                let shown = match page.items {
                    Items::All => true,
                    Items::Applicant => applicant,
                    Items::Others => !applicant,
                };
                for field in page.fields.iter().filter(|_| shown) {
                    let Some(value) = listed.value(field, person, applicant, at) else {
                        continue;
                    };
                    let item = persons.then_some(item.as_str());
                    answers.offer(
                        &key(page.group.as_deref(), item, &field.id),
                        value,
                        Source::Register,
                        at,
                    );
                }
            }
        }
        answers
    }
}

impl Listed {
    fn value(
        &self,
        field: &Field,
        person: Option<&Map<String, Value>>,
        applicant: bool,
        at: Timestamp,
    ) -> Option<Value> {
        if !field.sources.contains(&SourceKind::Register) {
            return None;
        }
        if let Some(input) = &field.input {
            let values = match input.entity {
                Entity::Case => Some(&self.case),
                Entity::Household => Some(&self.household),
                Entity::Person => person,
            };
            let known = values.and_then(|values| values.get(&input.name));
            if let Some(value) = known.filter(|value| !value.is_null()) {
                return Some(value.clone());
            }
        }
        if !applicant {
            return None;
        }
        if matches!(field.kind, FieldKind::BankAccount) {
            return self.account.clone();
        }
        let text = self.profile.get(field.profile.as_ref()?)?;
        // a detail that the form would not take is left out, as if it were not known
        read(&field.kind, &Entered::one(text), civic::legal_day(at))
            .ok()
            .flatten()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::Service;

    #[test]
    fn a_register_fills_what_it_knows_and_nothing_else() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../services/senior-gift");
        let service = Service::load(&folder, None).unwrap();
        let listed = Listed {
            profile: BTreeMap::from([
                ("name".to_owned(), "王小明".to_owned()),
                ("national_id".to_owned(), "no id".to_owned()),
            ]),
            account: Some(json!({ "bank": "004", "account": "123456789012" })),
            persons: vec![Map::from_iter([
                ("birth_date".to_owned(), json!("1940-01-02")),
                ("alive".to_owned(), json!(true)),
                ("shoe_size".to_owned(), json!(40)),
            ])],
            ..Listed::default()
        };
        let answers = service.form.listed(&listed, Timestamp::UNIX_EPOCH);
        let input = service.form.case_input(&answers);
        assert_eq!(input.persons.len(), 1);
        assert_eq!(input.persons[0].values.get("birth_date"), Some(&json!("1940-01-02")));
        assert!(answers.values.values().all(|answer| answer.source == Source::Register));
        let text = serde_json::to_string(&answers).unwrap();
        assert!(text.contains("王小明") && text.contains("123456789012"));
        assert!(!text.contains("no id") && !text.contains("shoe_size"));
    }

    #[test]
    fn a_field_that_names_no_register_stays_empty() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../services/senior-allowance");
        let service = Service::load(&folder, None).unwrap();
        let listed = Listed {
            persons: vec![Map::from_iter([("birth_date".to_owned(), json!("1940-01-02"))])],
            ..Listed::default()
        };
        let birth = service
            .form
            .pages
            .iter()
            .flat_map(|page| &page.fields)
            .find(|field| field.id == "birth_date")
            .unwrap();
        let expected = birth.sources.contains(&SourceKind::Register);
        let answers = service.form.listed(&listed, Timestamp::UNIX_EPOCH);
        assert_eq!(!answers.values.is_empty(), expected);
    }
}
