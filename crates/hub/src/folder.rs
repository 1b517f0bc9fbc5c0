//! Files of a dataset folder, with the place of everything said about them.

use std::ops::Range;
use std::path::Path;

use civic::Mistake;
use serde::de::DeserializeOwned;

/// Largest file of a folder beside its samples, in bytes.
const LARGEST: u64 = 4 << 20;

/// One text file, read whole.
#[derive(Debug)]
pub(crate) struct TextFile {
    pub name: String,
    pub text: String,
}

impl TextFile {
    /// Reads `folder/name`, which must lie inside the folder.
    pub fn read(folder: &Path, name: &str) -> Result<TextFile, Mistake> {
        let whole = |message: String, suggestion: &str| Mistake {
            file: name.to_owned(),
            line: 0,
            column: 0,
            message,
            suggestion: Some(suggestion.to_owned()),
        };
        let inside = |part| matches!(part, std::path::Component::Normal(_));
        if !Path::new(name).components().all(inside) {
            return Err(whole(
                "the file is not inside the folder".to_owned(),
                "name a file of the folder",
            ));
        }
        let path = folder.join(name);
        match std::fs::metadata(&path) {
            Ok(data) if !data.is_file() => return Err(whole("this is no file".to_owned(), "put a file there")),
            Ok(data) if data.len() > LARGEST => {
                return Err(whole("the file is larger than 4 MiB".to_owned(), "make it smaller"));
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(whole(
                    "the file is missing".to_owned(),
                    "write it; docs/reference/dataset-folder.md says what it holds",
                ));
            }
            _ => {}
        }
        let bytes =
            std::fs::read(&path).map_err(|error| whole(format!("can't be read: {error}"), "check its permissions"))?;
        let text =
            String::from_utf8(bytes).map_err(|_| whole("the file is not UTF-8 text".to_owned(), "save it as UTF-8"))?;
        Ok(TextFile {
            name: name.to_owned(),
            text: text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text),
        })
    }

    /// A mistake at a byte range of this file.
    pub fn mistake(
        &self,
        span: &Range<usize>,
        message: impl Into<String>,
        suggestion: impl Into<Option<String>>,
    ) -> Mistake {
        let before = self.text.get(..span.start).unwrap_or(&self.text);
        Mistake {
            file: self.name.clone(),
            line: before.matches('\n').count() + 1,
            column: before.rsplit('\n').next().unwrap_or_default().chars().count() + 1,
            message: message.into(),
            suggestion: suggestion.into(),
        }
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

/// From serde's "unknown field `x`, expected one of `a`, `b`" the nearest of the names.
fn nearest_expected(message: &str) -> Option<String> {
    let (problem, expected) = message.split_once(", expected ")?;
    let wrong = problem.split('`').nth(1)?;
    did_you_mean(wrong, expected.split('`').skip(1).step_by(2))
}

/// The nearest known name as a sentence, if it is near enough; else what is known, if that is little.
pub(crate) fn did_you_mean<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let known: Vec<&str> = known.into_iter().collect();
    let bound = (wrong.chars().count() / 3).max(1);
    let nearest = known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(wrong, name), *name))
        .filter(|(distance, _)| *distance <= bound && *distance < wrong.chars().count())
        .min();
    match nearest {
        Some((_, name)) => Some(format!("did you mean `{name}`?")),
        None if known.is_empty() || known.len() > 24 => None,
        None => Some(format!("known here: `{}`", known.join("`, `"))),
    }
}
