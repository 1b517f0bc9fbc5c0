//! The answers of an earlier case, put right by what a register of today says (年度清查).

use jiff::Timestamp;

use super::model::{Form, Group, key};
use super::{APPLICANT, Answers, Listed, Source, SourceKind};

/// Answers of an earlier case as a register puts them right.
#[derive(Debug)]
pub struct Renewed {
    /// The answers; what was said before stands beside each value that the register says otherwise.
    pub answers: Answers,
    /// How many values are not what they were.
    pub changed: usize,
    /// Whether somebody lives in the household of the register who is not in the case, or the other way round.
    pub family: bool,
}

impl Form {
    /// Puts the answers of an earlier case right. The register says facts, not how to reach or pay the person: contact
    /// details and the account stay as they were given.
    #[must_use]
    pub fn renewed(&self, before: &Answers, listed: &Listed, at: Timestamp) -> Renewed {
        let fresh = self.listed(listed, at);
        let (pairs, family) = match self.person_group() {
            Some(group) => same_persons(group, before, &fresh),
            None => (vec![(APPLICANT.to_owned(), APPLICANT.to_owned())], false),
        };
        let mut renewed = Renewed {
            answers: before.clone(),
            changed: 0,
            family,
        };
        for page in &self.pages {
            let facts = page
                .fields
                .iter()
                .filter(|field| field.input.is_some() && field.sources.contains(&SourceKind::Register));
            for field in facts {
                for (now, then) in pairs.iter().take(if page.group.is_some() { pairs.len() } else { 1 }) {
                    let of = |item: &str| {
                        let item = page.group.as_ref().map(|_| item);
                        key(page.group.as_deref(), item, &field.id)
                    };
                    let Some(value) = fresh.value(&of(now)) else { continue };
                    if renewed.answers.confirm(&of(then), value.clone(), Source::Register, at) {
                        renewed.changed += 1;
                    }
                }
            }
        }
        renewed
    }
}

/// Which person of the register is which of the case, and whether somebody is left over on either side.
fn same_persons(group: &Group, before: &Answers, fresh: &Answers) -> (Vec<(String, String)>, bool) {
    let mut pairs = vec![(APPLICANT.to_owned(), APPLICANT.to_owned())];
    let Some(known_by) = &group.known_by else {
        return (pairs, false);
    };
    let others = |answers: &Answers| -> Vec<String> {
        let items = answers.items(&group.id).iter();
        items.filter(|item| *item != APPLICANT).cloned().collect()
    };
    let field = |item: &str, name: &str| key(Some(&group.id), Some(item), name);
    let mut left = others(before);
    let mut strangers = false;
    for now in others(fresh) {
        let sign = fresh.value(&field(&now, known_by));
        let alike = |then: &&String| sign.is_some() && before.value(&field(then, known_by)) == sign;
        // twins are told apart by what else is known of them
        let found = left
            .iter()
            .filter(alike)
            .max_by_key(|then| {
                let prefix = field(&now, "");
                let equal = fresh.values.iter().filter(|(key, answer)| {
                    let rest = key.strip_prefix(&prefix);
                    rest.is_some_and(|rest| before.value(&field(then, rest)) == Some(&answer.value))
                });
                equal.count()
            })
            .cloned();
        match found {
            Some(then) => {
                left.retain(|one| *one != then);
                pairs.push((now, then));
            }
            None => strangers = true,
        }
    }
    let gone = group.together.as_ref().is_some_and(|together| {
        let here = |item: &String| before.value(&field(item, together)).and_then(|value| value.as_bool()) == Some(true);
        left.iter().any(here)
    });
    (pairs, strangers || gone)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    use serde_json::{Map, Value, json};

    use super::*;
    use crate::Service;

    fn low_income() -> Service {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../services/low-income");
        Service::load(&folder, None).unwrap()
    }

    fn person(born: &str, wage: i64) -> Map<String, Value> {
        Map::from_iter([
            ("birth_date".to_owned(), json!(born)),
            ("work_income".to_owned(), json!(wage)),
        ])
    }

    /// An applicant and two children; the first answered their own wage.
    fn family(form: &Form) -> Answers {
        let mut answers = Answers::new(form);
        for (item, born) in [("p1", "1980-01-01"), ("p2", "2010-05-05"), ("p3", "2012-06-06")] {
            if item != "p1" {
                answers.add_item(form, "members").unwrap();
                answers.answer(
                    &format!("members.{item}.same_registration"),
                    Some(json!(true)),
                    Timestamp::UNIX_EPOCH,
                );
            }
            answers.answer(
                &format!("members.{item}.birth_date"),
                Some(json!(born)),
                Timestamp::UNIX_EPOCH,
            );
        }
        answers.answer("members.p1.work_income", Some(json!(100_000)), Timestamp::UNIX_EPOCH);
        answers
    }

    #[test]
    fn the_register_puts_facts_right_and_keeps_what_was_said() {
        let service = low_income();
        let before = family(&service.form);
        let listed = Listed {
            persons: vec![
                person("1980-01-01", 240_000),
                // the register names the children in its own order
                person("2012-06-06", 0),
                person("2010-05-05", 12_000),
            ],
            ..Listed::default()
        };
        let renewed = service.form.renewed(&before, &listed, Timestamp::UNIX_EPOCH);
        assert!(!renewed.family);
        let wage = |item: &str| renewed.answers.value(&format!("members.{item}.work_income")).cloned();
        assert_eq!(
            (wage("p1"), wage("p2"), wage("p3")),
            (Some(json!(240_000)), Some(json!(12_000)), Some(json!(0)))
        );
        let own = renewed.answers.get("members.p1.work_income").unwrap();
        assert_eq!(own.source, Source::Register);
        assert_eq!(own.changed_from.as_ref().unwrap().value, json!(100_000));
        assert_eq!(renewed.changed, 3);
    }

    #[test]
    fn the_same_facts_change_nothing() {
        let service = low_income();
        let before = family(&service.form);
        let listed = Listed {
            persons: vec![
                person("1980-01-01", 100_000),
                Map::from_iter([("birth_date".to_owned(), json!("2010-05-05"))]),
                Map::from_iter([("birth_date".to_owned(), json!("2012-06-06"))]),
            ],
            ..Listed::default()
        };
        let renewed = service.form.renewed(&before, &listed, Timestamp::UNIX_EPOCH);
        assert_eq!((renewed.changed, renewed.family), (0, false));
        assert_eq!(
            service.form.case_input(&renewed.answers).persons.len(),
            service.form.case_input(&before).persons.len()
        );
    }

    #[test]
    fn somebody_more_or_less_is_seen() {
        let service = low_income();
        let before = family(&service.form);
        let of = |born: &[&str]| Listed {
            persons: born.iter().map(|born| person(born, 0)).collect(),
            ..Listed::default()
        };
        let more = of(&["1980-01-01", "2010-05-05", "2012-06-06", "2026-10-10"]);
        assert!(service.form.renewed(&before, &more, Timestamp::UNIX_EPOCH).family);
        let less = of(&["1980-01-01", "2010-05-05"]);
        assert!(service.form.renewed(&before, &less, Timestamp::UNIX_EPOCH).family);
    }
}
