//! A field of a form: label, hint, error, and the control the answer goes into.

use askama::Template;

use crate::texts::Words;

/// One field. Its `name` is also the id that an error summary leads to.
#[derive(Template, Clone, Debug)]
#[template(path = "components/field.html")]
pub struct Field {
    /// Words of the page.
    pub words: Words,
    /// Name of the input.
    pub name: String,
    /// The question.
    pub label: String,
    /// Whether the question is the heading of the page.
    pub heading: bool,
    /// How to answer.
    pub hint: Option<String>,
    /// Whether the answer may be left out.
    pub optional: bool,
    /// What is wrong with the answer.
    pub error: Option<String>,
    /// What the answer goes into.
    pub control: Control,
}

/// What an answer goes into.
#[derive(Clone, Debug)]
pub enum Control {
    /// One line.
    Input(Typed),
    /// Several lines.
    TextArea {
        /// What stands in it.
        value: String,
        /// Its height.
        rows: u8,
    },
    /// Several short boxes in a row: a date, an account.
    Boxes(Vec<Entry>),
    /// One of a few, all in sight.
    Radios(Vec<Choice>),
    /// Any of a few.
    Checkboxes(Vec<Choice>),
    /// One of many.
    Select(Vec<Choice>),
    /// A file; the form must be `multipart/form-data`.
    File {
        /// Media types and endings taken.
        accept: String,
    },
}

/// A line to type into.
#[derive(Clone, Debug, Default)]
pub struct Typed {
    /// What stands in it.
    pub value: String,
    /// `text`, `email`, `tel`, `search`, `password`, `date` or `time`; empty means `text`.
    pub kind: &'static str,
    /// Keyboard of a phone: `numeric`, `tel`, `email`; empty for the usual one.
    pub mode: &'static str,
    /// What a browser may fill in (`autocomplete`); empty for nothing.
    pub autocomplete: &'static str,
    /// Width in characters: 2, 3, 4, 5, 10, 20 or 30; 0 for the whole width.
    pub width: u8,
    /// Unit behind the box.
    pub suffix: Option<String>,
}

/// One of several boxes.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Name behind the field's name: `year`.
    pub part: String,
    /// Its own label.
    pub label: String,
    /// What stands in it.
    pub value: String,
    /// Width in characters: 2, 3, 4, 5, 10 or 20.
    pub width: u8,
}

/// One choice.
#[derive(Clone, Debug)]
pub struct Choice {
    /// Value sent.
    pub value: String,
    /// What people read.
    pub label: String,
    /// More about it.
    pub hint: Option<String>,
    /// Whether it is chosen.
    pub chosen: bool,
}

impl Field {
    /// A field with nothing but its question.
    #[must_use]
    pub fn new(words: Words, name: impl Into<String>, label: impl Into<String>, control: Control) -> Field {
        Field {
            words,
            name: name.into(),
            label: label.into(),
            heading: false,
            hint: None,
            optional: false,
            error: None,
            control,
        }
    }

    /// A field whose question is the text of a key, and whose hint is that of the key with `-hint`, where there is one.
    #[must_use]
    pub fn keyed(words: Words, name: impl Into<String>, key: &str, control: Control) -> Field {
        let hint = format!("{key}-hint");
        Field {
            hint: words.has(&hint).then(|| words.t(&hint)),
            ..Field::new(words, name, words.t(key), control)
        }
    }

    fn is_group(&self) -> bool {
        matches!(
            self.control,
            Control::Boxes(_) | Control::Radios(_) | Control::Checkboxes(_)
        )
    }

    /// The value of `aria-describedby`, and nothing where there is neither hint nor error.
    fn described(&self) -> String {
        let hint = self.hint.as_ref().map(|_| format!("{}-hint", self.name));
        let error = self.error.as_ref().map(|_| format!("{}-error", self.name));
        let ids: Vec<String> = hint.into_iter().chain(error).collect();
        ids.join(" ")
    }
}

/// A value that is known already: shown with its source, and a way to say that it is not right.
#[derive(Template, Clone, Debug)]
#[template(path = "components/known.html")]
pub struct Known {
    /// Words of the page.
    pub words: Words,
    /// The question it answers.
    pub label: String,
    /// The value as people read it.
    pub value: String,
    /// Where it came from, with the day.
    pub source: String,
    /// What the source says, where the person answered otherwise.
    pub source_says: Option<String>,
    /// The field to put it right with; without one it can't be changed here.
    pub correction: Option<Field>,
}
