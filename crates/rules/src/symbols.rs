//! Texts as numbers: inside a plan every text is an `Int32`, so that comparing codes costs what comparing numbers does.

use std::collections::HashMap;

/// The texts a rule set names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Symbols {
    names: Vec<String>,
    numbers: HashMap<String, i32>,
}

impl Symbols {
    /// The number of a text, a new one if it was not named before.
    pub fn intern(&mut self, name: &str) -> i32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = i32::try_from(self.names.len()).unwrap_or(i32::MAX);
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }
}

/// The texts of one evaluation: those of the rule set, and those only the data have.
#[derive(Debug)]
pub(crate) struct Texts<'a> {
    known: &'a Symbols,
    more: Symbols,
}

impl<'a> Texts<'a> {
    pub fn new(known: &'a Symbols) -> Texts<'a> {
        Texts {
            known,
            more: Symbols::default(),
        }
    }

    /// The number of a text in this evaluation.
    pub fn number(&mut self, name: &str) -> i32 {
        match self.known.numbers.get(name) {
            Some(number) => *number,
            None => {
                let base = i32::try_from(self.known.names.len()).unwrap_or(i32::MAX);
                base.saturating_add(self.more.intern(name))
            }
        }
    }

    /// The text of a number.
    pub fn name(&self, number: i32) -> Option<&str> {
        let number = usize::try_from(number).ok()?;
        let known = self.known.names.len();
        if number < known {
            self.known.names.get(number)
        } else {
            self.more.names.get(number - known)
        }
        .map(String::as_str)
    }
}
