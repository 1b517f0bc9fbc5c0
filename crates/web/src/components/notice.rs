//! Parts that catch the eye: error summary, banner, tag.

use askama::Template;

use crate::texts::Words;

/// What was wrong, at the top of the page, each line leading to its field.
#[derive(Template, Clone, Debug)]
#[template(path = "components/error_summary.html")]
pub struct ErrorSummary {
    /// Words of the page.
    pub words: Words,
    /// Id of the input, and what to do there.
    pub errors: Vec<(String, String)>,
}

/// A message that concerns the whole page.
#[derive(Template, Clone, Debug)]
#[template(path = "components/banner.html")]
pub struct Banner {
    /// Words of the page.
    pub words: Words,
    /// Whether something went well; otherwise it is important news.
    pub success: bool,
    /// The message.
    pub text: String,
    /// More about it, in smaller letters.
    pub detail: Option<String>,
}

/// What a tag's colour stands for; its words say the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Neutral.
    Blue,
    /// Good.
    Green,
    /// Bad.
    Red,
    /// Waits for somebody.
    Yellow,
    /// Over.
    Grey,
}

/// A state in a word.
#[derive(Template, Clone, Debug)]
#[template(path = "components/tag.html")]
pub struct Tag {
    /// The word.
    pub text: String,
    /// Its colour.
    pub colour: Colour,
}

impl Tag {
    /// A tag.
    #[must_use]
    pub fn new(text: impl Into<String>, colour: Colour) -> Tag {
        Tag {
            text: text.into(),
            colour,
        }
    }

    fn class(&self) -> &'static str {
        match self.colour {
            Colour::Blue => "",
            Colour::Green => " govuk-tag--green",
            Colour::Red => " govuk-tag--red",
            Colour::Yellow => " govuk-tag--yellow",
            Colour::Grey => " govuk-tag--grey",
        }
    }
}
