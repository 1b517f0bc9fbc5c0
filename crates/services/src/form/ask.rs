//! What is still to ask: only what the decision waits for, and what is always asked.

use std::collections::BTreeSet;

use rules::{Decision, Entity};

use super::model::{Ask, Field, Form, Place};
use super::{APPLICANT, Answers};

/// One question to the person.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    /// Address of its page, as `contact` or `work.p2`.
    pub address: String,
    /// Key of its answer.
    pub key: String,
    /// The field.
    pub field: &'a Field,
}

impl Form {
    /// The questions left, in the order of the pages. Empty means the application can be submitted.
    pub fn questions<'a>(&'a self, answers: &Answers, decision: &Decision) -> Vec<Question<'a>> {
        let waiting: BTreeSet<(u8, Option<&str>, &str)> = decision
            .waiting
            .iter()
            .map(|input| (rank(input.entity), input.person.as_deref(), input.name.as_str()))
            .collect();
        let mut questions = Vec::new();
        for place in self.places(answers) {
            let left: Vec<&Field> = self
                .fields(&place, answers)
                .into_iter()
                .filter(|field| self.is_left(&place, field, answers, &waiting))
                .collect();
            // optional fields come along with the page, and never keep it open
            if left.iter().any(|field| field.required) {
                let address = place.address();
                questions.extend(left.into_iter().map(|field| Question {
                    address: address.clone(),
                    key: place.key(field),
                    field,
                }));
            }
        }
        questions
    }

    fn is_left(
        &self,
        place: &Place<'_>,
        field: &Field,
        answers: &Answers,
        waiting: &BTreeSet<(u8, Option<&str>, &str)>,
    ) -> bool {
        if field.ask == Ask::Never || answers.get(&place.key(field)).is_some() {
            return false;
        }
        match (&field.input, field.ask) {
            (Some(input), Ask::Unknown) => {
                let person = (input.entity == Entity::Person).then(|| place.item.as_deref().unwrap_or(APPLICANT));
                waiting.contains(&(rank(input.entity), person, input.name.as_str()))
            }
            _ => true,
        }
    }
}

fn rank(entity: Entity) -> u8 {
    match entity {
        Entity::Person => 0,
        Entity::Household => 1,
        Entity::Case => 2,
    }
}
