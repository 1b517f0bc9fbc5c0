//! Files of a service folder, with the place of everything said about them.

use std::ops::Range;
use std::path::Path;

use rules::Mistake;
use serde::de::DeserializeOwned;

/// Largest file a folder may hold; larger ones are refused unread.
const MAX_BYTES: u64 = 4 << 20;

/// One text file of a folder, read whole.
#[derive(Debug, Clone)]
pub(crate) struct TextFile {
    /// Path shown in messages, relative to the folder checked.
    pub name: String,
    /// What it holds.
    pub text: String,
}

impl TextFile {
    /// Reads `folder/name`. The mistake says what to do when it is missing or not UTF-8.
    pub fn read(folder: &Path, name: &str) -> Result<Self, Mistake> {
        let path = folder.join(name);
        let size = std::fs::metadata(&path).map(|data| data.len());
        if size.as_ref().is_ok_and(|size| *size > MAX_BYTES) {
            return Err(at_top(
                name,
                format!("the file is larger than {MAX_BYTES} bytes"),
                "split it",
            ));
        }
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Self {
                name: name.to_owned(),
                text,
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(at_top(
                name,
                "the file is missing".to_owned(),
                "write it; `tongban service new` makes one that passes",
            )),
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => Err(at_top(
                name,
                "the file is not UTF-8 text".to_owned(),
                "save it as UTF-8",
            )),
            Err(error) => Err(at_top(
                name,
                format!("the file cannot be read: {error}"),
                "check its permissions",
            )),
        }
    }

    /// Line and column, both from 1, of a byte offset.
    pub fn place(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset).unwrap_or(&self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        (line, column)
    }

    /// A mistake at a byte range of this file.
    pub fn mistake(
        &self,
        span: &Range<usize>,
        message: impl Into<String>,
        suggestion: impl Into<Option<String>>,
    ) -> Mistake {
        let (line, column) = self.place(span.start);
        mistake(&self.name, line, column, message.into(), suggestion.into())
    }

    /// Reads the file as TOML of one shape. An unknown key is answered with the nearest known one.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, Mistake> {
        toml::from_str(&self.text).map_err(|error| {
            let span = error.span().unwrap_or(0..0);
            let message = error.message().trim().replace('\n', " ");
            let suggestion = nearest_expected(&message);
            self.mistake(&span, message, suggestion)
        })
    }
}

/// The bytes of `folder/name`.
pub(crate) fn bytes(folder: &Path, name: &str) -> Result<Vec<u8>, Mistake> {
    let path = folder.join(name);
    if std::fs::metadata(&path).is_ok_and(|data| data.len() > MAX_BYTES) {
        return Err(at_top(
            name,
            format!("the file is larger than {MAX_BYTES} bytes"),
            "make it smaller",
        ));
    }
    std::fs::read(&path).map_err(|error| {
        at_top(
            name,
            format!("the file cannot be read: {error}"),
            "check that it is there and its permissions",
        )
    })
}

/// Names of the files of a folder that end so, in order; none when there is no such folder.
pub(crate) fn names(folder: &Path, ending: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let files = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    let names = files.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = names
        .filter(|name| !name.starts_with('.') && name.rsplit_once('.').is_some_and(|(_, end)| end == ending))
        .collect();
    names.sort();
    names
}

/// A mistake of the whole file.
pub(crate) fn at_top(file: &str, message: String, suggestion: &str) -> Mistake {
    mistake(file, 1, 1, message, Some(suggestion.to_owned()))
}

/// A mistake at a place.
pub(crate) fn mistake(file: &str, line: usize, column: usize, message: String, suggestion: Option<String>) -> Mistake {
    Mistake {
        file: file.to_owned(),
        line,
        column,
        message,
        suggestion,
    }
}

/// From serde's "unknown field `x`, expected one of `a`, `b`" the nearest of the names.
fn nearest_expected(message: &str) -> Option<String> {
    let (problem, expected) = message.split_once(", expected ")?;
    let wrong = problem.split('`').nth(1)?;
    let names: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    did_you_mean(wrong, names.iter().copied())
}

/// "did you mean `x`?" when a name is near one of the known ones.
pub(crate) fn did_you_mean<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    known
        .map(|name| (distance(wrong, name), name))
        .filter(|(distance, name)| *distance <= name.chars().count().max(3) / 3)
        .min()
        .map(|(_, name)| format!("did you mean `{name}`?"))
}

/// The known names as a list for a message, or the near one.
pub(crate) fn suggest<'a>(wrong: &str, known: impl Iterator<Item = &'a str> + Clone) -> Option<String> {
    did_you_mean(wrong, known.clone()).or_else(|| {
        let names: Vec<String> = known.take(12).map(|name| format!("`{name}`")).collect();
        (!names.is_empty()).then(|| format!("known here: {}", names.join(", ")))
    })
}

/// Edit distance of two names (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut left = i + 1;
        let mut next = vec![left];
        for (to, pair) in b.iter().zip(row.windows(2)) {
            let (diagonal, above) = match pair {
                [diagonal, above] => (*diagonal, *above),
                _ => continue,
            };
            left = (diagonal + usize::from(from != *to)).min(above + 1).min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{did_you_mean, distance};

    #[test]
    fn distance_counts_edits() {
        assert_eq!(distance("retension", "retention"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
    }

    #[test]
    fn a_near_name_is_offered_and_a_far_one_is_not() {
        assert_eq!(
            did_you_mean("birthdate", ["birth_date", "age"].into_iter()).as_deref(),
            Some("did you mean `birth_date`?")
        );
        assert_eq!(did_you_mean("xyz", ["birth_date"].into_iter()), None);
    }
}
