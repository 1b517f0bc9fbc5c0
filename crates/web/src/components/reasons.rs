//! Why a decision is as it is: each condition with its article, the failed ones first.

use askama::Template;

use crate::texts::Words;

/// How a step of the rules came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// A condition that does not hold.
    Failed,
    /// A condition that can't be judged yet.
    Open,
    /// A condition that holds.
    Met,
    /// A condition that changes nothing of the outcome.
    Aside,
    /// A figure, not a condition.
    Figure,
}

/// One step of the rules, for one person where it is about persons.
#[derive(Clone, Debug)]
pub struct Reason {
    /// How it came out.
    pub mark: Mark,
    /// What it is about.
    pub title: String,
    /// The person it is about.
    pub person: Option<String>,
    /// Its article.
    pub law: String,
    /// Its value as people read it; empty for a plain yes or no.
    pub value: String,
}

impl Reason {
    fn class(&self) -> &'static str {
        match self.mark {
            Mark::Failed => "failed",
            Mark::Open => "open",
            Mark::Met => "met",
            Mark::Aside => "aside",
            Mark::Figure => "figure",
        }
    }

    fn sign(&self) -> &'static str {
        match self.mark {
            Mark::Failed => "✕",
            Mark::Open => "？",
            Mark::Met => "✓",
            Mark::Aside => "－",
            Mark::Figure => "＝",
        }
    }
}

/// All steps of a decision.
#[derive(Template, Clone, Debug)]
#[template(path = "components/reasons.html")]
pub struct Reasons {
    /// Words of the page.
    pub words: Words,
    /// The steps.
    pub reasons: Vec<Reason>,
}

impl Reasons {
    /// The groups that have steps: key of the heading, whether it is folded away, steps. Figures are many and for who
    /// wants to calculate again.
    fn groups(&self) -> Vec<(&'static str, bool, Vec<&Reason>)> {
        let kinds = [
            (Mark::Failed, "reasons-failed"),
            (Mark::Open, "reasons-open"),
            (Mark::Met, "reasons-met"),
            (Mark::Aside, "reasons-aside"),
            (Mark::Figure, "reasons-figures"),
        ];
        let groups = kinds.into_iter().map(|(mark, key)| {
            let steps: Vec<&Reason> = self.reasons.iter().filter(|reason| reason.mark == mark).collect();
            (key, mark == Mark::Figure, steps)
        });
        groups.filter(|(_, _, steps)| !steps.is_empty()).collect()
    }
}

/// How a decision stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The conditions are met.
    Good,
    /// They are not.
    Bad,
    /// Something is still to find out.
    Open,
}

/// What a decision comes to, in a sentence and an amount.
#[derive(Template, Clone, Debug)]
#[template(path = "components/outcome.html")]
pub struct Outcome {
    /// How it stands.
    pub finding: Finding,
    /// The sentence.
    pub title: String,
    /// Name and amount of what is paid.
    pub amounts: Vec<(String, String)>,
    /// What to know about it.
    pub text: String,
}
