//! Mistakes in a rules folder, each with its place and, where one can be guessed, what was meant.

use civic::Mistake;
use std::io::ErrorKind;
use std::path::{Component, Path};

/// Largest file, in bytes.
const LARGEST: u64 = 4 * 1024 * 1024;

/// A file read, to turn byte offsets into lines and columns.
#[derive(Debug)]
pub(crate) struct Source {
    pub file: String,
    pub text: String,
}

impl Source {
    /// Reads `folder/file`.
    pub fn read(folder: &Path, file: &str) -> Result<Source, Mistake> {
        let whole = |message: String| Mistake {
            file: file.to_owned(),
            line: 0,
            column: 0,
            message,
            suggestion: None,
        };
        let inside = Path::new(file)
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        if !inside {
            return Err(whole("is not inside the folder of the service".to_owned()));
        }
        let path = folder.join(file);
        let unreadable = |error: std::io::Error| match error.kind() {
            ErrorKind::NotFound => whole("does not exist".to_owned()),
            _ => whole(format!("can't be read: {error}")),
        };
        let metadata = std::fs::metadata(&path).map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(whole("is no file".to_owned()));
        }
        if metadata.len() > LARGEST {
            return Err(whole("is larger than 4 MiB".to_owned()));
        }
        let bytes = std::fs::read(path).map_err(unreadable)?;
        let kept = |text: &str| Source {
            file: file.to_owned(),
            text: text.strip_prefix('\u{feff}').unwrap_or(text).to_owned(),
        };
        match std::str::from_utf8(&bytes) {
            Ok(text) => Ok(kept(text)),
            Err(error) => {
                let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
                let before = kept(&String::from_utf8_lossy(good));
                let suggestion = "save the file as UTF-8".to_owned();
                Err(before.mistake(before.text.len(), "is not UTF-8 text from here on", Some(suggestion)))
            }
        }
    }

    /// A mistake at a byte offset.
    pub fn mistake(&self, offset: usize, message: impl Into<String>, suggestion: Option<String>) -> Mistake {
        let (line, column) = self.position(offset);
        Mistake {
            file: self.file.clone(),
            line,
            column,
            message: message.into(),
            suggestion,
        }
    }

    /// Line and column, both from 1, of a byte offset; the end of the file for an offset beyond it.
    fn position(&self, offset: usize) -> (usize, usize) {
        let mut end = offset.min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let before = self.text.get(..end).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.matches('\n').count() + 1;
        let column = before.get(start..).unwrap_or_default().chars().count() + 1;
        (line, column)
    }
}

/// The name that was probably meant: the nearest one, if it is near enough.
pub(crate) fn nearest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let bound = (wrong.chars().count() / 3).max(1);
    names
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(wrong, name), name))
        // a name of one letter is as near to any other
        .filter(|(distance, _)| *distance <= bound && *distance < wrong.chars().count())
        .min()
        .map(|(_, name)| name)
}

/// [`nearest`] as a sentence.
pub(crate) fn did_you_mean<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(wrong, names).map(|name| format!("did you mean `{name}`?"))
}
