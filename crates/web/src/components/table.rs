//! Tables and the way through their pages.

use askama::Template;

use super::Tag;
use crate::texts::Words;

/// A table with a caption.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "components/table.html")]
pub struct Table {
    /// What the table shows.
    pub caption: String,
    /// Heads of the columns.
    pub head: Vec<Head>,
    /// Rows; the first cell names the row.
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    fn is_numeric(&self, column: &usize) -> bool {
        self.head.get(*column).is_some_and(|head| head.numeric)
    }
}

/// Head of a column.
#[derive(Clone, Debug)]
pub struct Head {
    /// Its word.
    pub text: String,
    /// Whether its cells are numbers, set to the right.
    pub numeric: bool,
}

impl Head {
    /// A column of words.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Head {
        Head {
            text: text.into(),
            numeric: false,
        }
    }

    /// The columns of a table by their texts' keys, each with whether its cells are numbers.
    #[must_use]
    pub fn all(words: Words, columns: &[(&str, bool)]) -> Vec<Head> {
        let head = |(key, numeric): &(&str, bool)| Head {
            text: words.t(key),
            numeric: *numeric,
        };
        columns.iter().map(head).collect()
    }

    /// A column of numbers.
    #[must_use]
    pub fn number(text: impl Into<String>) -> Head {
        Head {
            text: text.into(),
            numeric: true,
        }
    }
}

/// One cell.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    /// What it says.
    pub text: String,
    /// Where it leads.
    pub href: Option<String>,
    /// A state beside the text.
    pub tag: Option<Tag>,
}

impl Cell {
    /// A cell with text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Cell {
        Cell {
            text: text.into(),
            ..Cell::default()
        }
    }

    /// A cell that leads somewhere.
    #[must_use]
    pub fn link(text: impl Into<String>, href: impl Into<String>) -> Cell {
        Cell {
            text: text.into(),
            href: Some(href.into()),
            tag: None,
        }
    }

    /// A cell with a state.
    #[must_use]
    pub fn tag(tag: Tag) -> Cell {
        Cell {
            tag: Some(tag),
            ..Cell::default()
        }
    }
}

/// The way through the pages of a long list.
#[derive(Template, Clone, Debug)]
#[template(path = "components/pagination.html")]
pub struct Pagination {
    /// Words of the page.
    pub words: Words,
    /// This page, from 1.
    pub page: u64,
    /// How many there are.
    pub pages: u64,
    /// Address up to the number of the page: `/office?state=submitted&page=`.
    pub href: String,
}

impl Pagination {
    /// The way through `total` rows, `size` a page.
    #[must_use]
    pub fn new(words: Words, page: u64, total: u64, size: u64, href: impl Into<String>) -> Pagination {
        let pages = total.div_ceil(size.max(1)).max(1);
        Pagination {
            words,
            page: page.clamp(1, pages),
            pages,
            href: href.into(),
        }
    }

    fn place(&self) -> String {
        self.words.with(
            "page-of",
            &[("page", self.page.to_string()), ("pages", self.pages.to_string())],
        )
    }
}
