//! Lists that tell a story: answers, tasks, what happened.

use askama::Template;

use super::Tag;
use crate::texts::Words;

/// Questions and answers, one a row.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "components/summary_list.html")]
pub struct SummaryList {
    /// The rows.
    pub rows: Vec<Row>,
}

/// One question and its answer.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// The question.
    pub key: String,
    /// The answer; lines are kept.
    pub value: String,
    /// Where the answer came from, in smaller letters.
    pub note: Option<String>,
    /// Address and word of the way to change it.
    pub change: Option<(String, String)>,
}

impl Row {
    /// A question and its answer.
    #[must_use]
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Row {
        Row {
            key: key.into(),
            value: value.into(),
            note: None,
            change: None,
        }
    }
}

/// What is to do, in order, with how far it is.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "components/task_list.html")]
pub struct TaskList {
    /// The tasks.
    pub tasks: Vec<Task>,
}

/// One task.
#[derive(Clone, Debug)]
pub struct Task {
    /// What to do.
    pub title: String,
    /// Where to do it, once it can be done.
    pub href: Option<String>,
    /// More about it.
    pub hint: Option<String>,
    /// How far it is.
    pub state: Tag,
}

/// What happened, first to last.
#[derive(Template, Clone, Debug)]
#[template(path = "components/timeline.html")]
pub struct Timeline {
    /// Words of the page.
    pub words: Words,
    /// What happened.
    pub events: Vec<Event>,
}

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Event {
    /// When.
    pub at: jiff::Timestamp,
    /// What.
    pub title: String,
    /// Who did it.
    pub by: Option<String>,
    /// More about it.
    pub text: Option<String>,
}
