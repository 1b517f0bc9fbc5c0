//! Files of a programme folder, with the place of everything said about them.

use std::ops::Range;
use std::path::Path;

use civic::Mistake;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Largest file a folder may hold; larger ones are refused unread.
const MAX_BYTES: u64 = 1 << 20;

/// One text file of a folder, read whole.
#[derive(Clone, Debug)]
pub(crate) struct TextFile {
    /// Path shown in messages, relative to the folder.
    pub name: String,
    /// What it holds.
    pub text: String,
}

impl TextFile {
    /// Reads `folder/name`; the mistake says what to do when it is missing, too large or not UTF-8.
    pub fn read(folder: &Path, name: &str) -> Result<TextFile, Mistake> {
        let path = folder.join(name);
        if std::fs::metadata(&path).is_ok_and(|data| data.len() > MAX_BYTES) {
            return Err(at_top(
                name,
                format!("the file is larger than {MAX_BYTES} bytes"),
                "split it",
            ));
        }
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(TextFile {
                name: name.to_owned(),
                text,
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(at_top(
                name,
                "the file is missing".to_owned(),
                "write it; `programmes/moda-114` has a complete one",
            )),
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => Err(at_top(
                name,
                "the file is not UTF-8 text".to_owned(),
                "save it as UTF-8",
            )),
            Err(error) => Err(at_top(
                name,
                format!("the file can't be read: {error}"),
                "check its permissions",
            )),
        }
    }

    /// Reads the file as TOML of one shape. An unknown key is answered with the nearest known one.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, Mistake> {
        toml::from_str(&self.text).map_err(|error| {
            let message = error.message().trim().replace('\n', " ");
            let suggestion = nearest_expected(&message);
            self.mistake(&error.span().unwrap_or(0..0), message, suggestion)
        })
    }

    /// A mistake at a byte range of this file.
    pub fn mistake(&self, span: &Range<usize>, message: impl Into<String>, suggestion: Option<String>) -> Mistake {
        let before = self.text.get(..span.start).unwrap_or(&self.text);
        Mistake {
            file: self.name.clone(),
            line: before.matches('\n').count() + 1,
            column: before.rsplit('\n').next().unwrap_or("").chars().count() + 1,
            message: message.into(),
            suggestion,
        }
    }

    /// A mistake at a path of keys and indices such as `stage.0.item.2.id`; at the nearest thing above it that is there.
    pub fn mistake_at(&self, path: &str, message: impl Into<String>, suggestion: Option<String>) -> Mistake {
        let span = DeTable::parse(&self.text).map_or(0..0, |root| {
            let mut span = 0..0;
            let root = Spanned::new(root.span(), DeValue::Table(root.into_inner()));
            let mut here = &root;
            for key in path.split('.') {
                let next = match here.get_ref() {
                    DeValue::Table(table) => table.get(key),
                    DeValue::Array(array) => key.parse::<usize>().ok().and_then(|index| array.get(index)),
                    _ => None,
                };
                let Some(next) = next else { break };
                span = next.span();
                here = next;
            }
            span
        });
        self.mistake(&span, message, suggestion)
    }

    /// Texts of the file that lack a language or are empty: whatever has `zh-TW` needs `en` too.
    pub fn untranslated(&self) -> Vec<Mistake> {
        let mut found = Vec::new();
        if let Ok(root) = DeTable::parse(&self.text) {
            let root = Spanned::new(root.span(), DeValue::Table(root.into_inner()));
            self.look_for_texts(&root, &mut found);
        }
        found
    }

    fn look_for_texts(&self, value: &Spanned<DeValue<'_>>, found: &mut Vec<Mistake>) {
        match value.get_ref() {
            DeValue::Table(table) if table.contains_key("zh-TW") => {
                for language in ["zh-TW", "en"] {
                    let empty = match table.get(language).map(Spanned::get_ref) {
                        Some(DeValue::String(text)) => text.trim().is_empty(),
                        _ => true,
                    };
                    if empty {
                        found.push(self.mistake(
                            &value.span(),
                            format!("this text has no translation `{language}`"),
                            Some(format!("add `{language} = \"…\"`")),
                        ));
                    }
                }
            }
            DeValue::Table(table) => table.values().for_each(|value| self.look_for_texts(value, found)),
            DeValue::Array(array) => array.iter().for_each(|value| self.look_for_texts(value, found)),
            _ => {}
        }
    }
}

/// Names of the files of a folder that end so, in order; none when there is no such folder.
pub(crate) fn names(folder: &Path, ending: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let files = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    let mut names: Vec<String> = files
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.') && name.rsplit_once('.').is_some_and(|(_, end)| end == ending))
        .collect();
    names.sort();
    names
}

/// A mistake of the whole file.
pub(crate) fn at_top(file: &str, message: String, suggestion: &str) -> Mistake {
    Mistake {
        file: file.to_owned(),
        line: 1,
        column: 1,
        message,
        suggestion: Some(suggestion.to_owned()),
    }
}

/// From serde's "unknown field `x`, expected one of `a`, `b`" the nearest of the names.
fn nearest_expected(message: &str) -> Option<String> {
    let (problem, expected) = message.split_once(", expected ")?;
    let wrong = problem.split('`').nth(1)?;
    nearest(wrong, expected.split('`').skip(1).step_by(2))
}

/// "did you mean `x`?" when a name is near one of the known ones.
fn nearest<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    known
        .map(|name| (strsim::damerau_levenshtein(wrong, name), name))
        .filter(|(distance, name)| *distance <= name.chars().count().max(3) / 3)
        // a name of one letter is as near to any other
        .filter(|(distance, _)| *distance < wrong.chars().count())
        .min()
        .map(|(_, name)| format!("did you mean `{name}`?"))
}

/// The near name, or the known names as a list.
pub(crate) fn suggest<'a>(wrong: &str, known: impl Iterator<Item = &'a str> + Clone) -> Option<String> {
    nearest(wrong, known.clone()).or_else(|| {
        let names: Vec<String> = known.take(12).map(|name| format!("`{name}`")).collect();
        (!names.is_empty()).then(|| format!("known here: {}", names.join(", ")))
    })
}
