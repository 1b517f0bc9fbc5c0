//! Confirmation by an outside body (如學校確認): which values of an application a body must confirm before the decision,
//! which bodies there are, and the spreadsheet in which a body confirms many at once.

mod file;
mod guard;
mod sheet;

use civic::{Language, Text};
use rules::{Decision, Entity};
use serde::Serialize;
use serde_json::Value;

use crate::Deadline;
use crate::form::{APPLICANT, Answers, Field, Form, Source};

pub(crate) use file::{bodies, load};
pub use guard::Refusal;
pub use sheet::{CellError, Line, MOST_ROWS, Read, SheetError, SheetRow, read, write};

/// What `confirm.toml` and `bodies.csv` say.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Confirmation {
    /// What it is called, such as 學校確認.
    pub title: Text,
    /// Field of the application whose value names the body.
    pub body: String,
    /// Step of persons that says whom it is about: the first person for whom it has a value. The applicant where there
    /// is none.
    pub person: Option<String>,
    /// Fields to confirm, in the order of the spreadsheet's columns.
    pub fields: Vec<String>,
    /// Time the body has.
    pub deadline: Deadline,
    /// What happens when the body does not answer in time.
    pub on_lapse: OnLapse,
    /// The bodies, in the order of the file.
    pub bodies: Vec<Body>,
}

/// What happens when the body does not answer in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum OnLapse {
    /// The office decides by what there is.
    Decide,
    /// The decision waits on.
    Wait,
}

/// An outside body, such as a school. The same body has the same id in every service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Body {
    /// Short name; accounts of its staff are bound to it.
    pub id: String,
    /// What it is called.
    pub name: Text,
    /// Where it is.
    pub area: String,
}

/// Whom a confirmation is about, as the body knows them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// Name.
    pub name: String,
    /// National id; empty where the form does not ask for one.
    pub identity: String,
}

impl Confirmation {
    /// The body of this id.
    #[must_use]
    pub fn body(&self, id: &str) -> Option<&Body> {
        self.bodies.iter().find(|body| body.id == id)
    }

    /// The body an application names; none where another is named than those of the list.
    #[must_use]
    pub fn of(&self, answers: &Answers) -> Option<&Body> {
        self.body(answers.value(&self.body)?.as_str()?)
    }

    /// The fields to confirm, in order.
    pub fn columns<'a>(&'a self, form: &'a Form) -> impl Iterator<Item = &'a Field> {
        self.fields
            .iter()
            .filter_map(|id| form.field(id))
            .map(|(_, field)| field)
    }

    /// What is answered and has not been confirmed by this body.
    #[must_use]
    pub fn unconfirmed(&self, answers: &Answers, body: &str) -> Vec<String> {
        let open = |key: &&String| {
            answers
                .get(key)
                .is_some_and(|answer| !matches!(&answer.source, Source::Body { id, .. } if id == body))
        };
        self.fields.iter().filter(open).cloned().collect()
    }

    /// Whom it is about: the first person for whom the step has a value, else the applicant.
    #[must_use]
    pub fn about(&self, form: &Form, answers: &Answers, decision: &Decision) -> About {
        let chosen = self.person.as_ref().and_then(|name| {
            let steps = decision.steps.iter();
            let mut steps = steps.filter(|step| step.entity == Entity::Person && step.name == *name);
            steps.find(|step| !matches!(step.value, Value::Null | Value::Bool(false)))
        });
        let item = chosen
            .and_then(|step| step.person.clone())
            .unwrap_or_else(|| APPLICANT.to_owned());
        let Some(group) = form.person_group() else {
            return About::default();
        };
        let of = |field: &Option<String>| {
            let value = answers.value(&format!("{}.{item}.{}", group.id, field.as_deref()?))?;
            value.as_str().map(str::to_owned)
        };
        About {
            name: of(&group.label).unwrap_or_default(),
            identity: of(&group.identity).unwrap_or_default(),
        }
    }

    /// A body as the source of a value.
    #[must_use]
    pub fn source(body: &Body) -> Source {
        Source::Body {
            id: body.id.clone(),
            name: body.name.get(Language::ZhTw).to_owned(),
        }
    }
}
