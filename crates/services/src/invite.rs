//! `[invite]` of `service.toml`: who may be told that they are entitled (主動通知), by which facts, and in which words.

use civic::Text;
use rules::{Entity, Input, Mistake, RuleSet};
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::folder::{TextFile, suggest};

/// Longest time in which nobody is invited twice: ten years.
const LONGEST: u16 = 3653;

/// How a service invites people who are entitled and do not receive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Invite {
    /// Who is entitled: each person, or the household together.
    pub unit: Unit,
    /// Who is invited.
    pub to: Invited,
    /// Inputs that the register must know, as `person.birth_date`; without one of them nothing is counted.
    pub facts: Vec<String>,
    /// Days in which nobody is invited a second time.
    pub again_days: u16,
    /// What the mail says of the service.
    pub text: Text,
}

/// Who is entitled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Each person by themself.
    #[default]
    Person,
    /// The household: it receives as soon as one of its persons does.
    Household,
}

/// Who is invited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Invited {
    /// Everybody who has not said that they want no invitations.
    #[default]
    All,
    /// Only who has said that they want them.
    Agreed,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InviteFile {
    unit: Unit,
    #[serde(default)]
    to: Invited,
    facts: Spanned<Vec<Spanned<String>>>,
    again_days: Spanned<u16>,
    text: Text,
}

/// The column of an input in the register, with its entity: `person.birth_date`.
fn fact(input: &Input) -> String {
    let entity = match input.entity {
        Entity::Person => "person",
        Entity::Household => "household",
        Entity::Case => "case",
    };
    format!("{entity}.{}", input.name)
}

impl InviteFile {
    /// What is wrong in it by itself.
    pub(crate) fn mistakes(&self, file: &TextFile) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        if self.facts.get_ref().is_empty() {
            mistakes.push(file.mistake(
                &self.facts.span(),
                "nobody can be found without a fact",
                "name the inputs that the register must know, as `facts = [\"person.birth_date\"]`".to_owned(),
            ));
        }
        if *self.again_days.get_ref() == 0 || *self.again_days.get_ref() > LONGEST {
            mistakes.push(file.mistake(
                &self.again_days.span(),
                "nobody is invited twice within a day to ten years",
                "write the days, as 365".to_owned(),
            ));
        }
        mistakes
    }

    /// Facts that are no input of the rules.
    pub(crate) fn unknown(&self, file: &TextFile, rules: &RuleSet) -> Vec<Mistake> {
        let inputs: Vec<String> = rules.inputs().iter().map(fact).collect();
        let unknown = self
            .facts
            .get_ref()
            .iter()
            .filter(|one| !inputs.contains(one.get_ref()));
        unknown
            .map(|one| {
                let advice = suggest(one.get_ref(), inputs.iter().map(String::as_str));
                file.mistake(
                    &one.span(),
                    format!("the rules have no input `{}`", one.get_ref()),
                    advice,
                )
            })
            .collect()
    }

    pub(crate) fn invite(&self) -> Invite {
        Invite {
            unit: self.unit,
            to: self.to,
            facts: self.facts.get_ref().iter().map(|one| one.get_ref().clone()).collect(),
            again_days: *self.again_days.get_ref(),
            text: self.text.clone(),
        }
    }
}
