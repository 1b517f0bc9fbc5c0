//! Texts of messages (通知) that a service words itself: `messages/<language>/<kind>.txt`, and `<kind>.short.txt` for what
//! stands on the lock screen of a phone. What a folder does not word has the general text of the platform.

use std::collections::BTreeMap;
use std::path::Path;

use civic::Language;
use rules::Mistake;

use crate::folder::{TextFile, at_top, mistake, names, suggest};

/// The folder in that of the service.
const FOLDER: &str = "messages";
/// Words that every text may hold.
const COMMON: &[&str] = &["city", "service", "number", "phone", "link", "date"];
/// Words that a short text may hold: it says that there is something, never what. No amount, no reason, no name of a service.
const SHORT: &[&str] = &["city", "number", "phone", "link", "date", "due", "until", "deadline"];
/// Most characters of a short text with its words still in brackets; a gateway joins few pieces.
const LONGEST_SHORT: usize = 200;
/// Most characters of a text.
const LONGEST: usize = 4000;

/// The kinds of messages of a case, each with the words of its own.
pub const KINDS: &[(&str, &[&str])] = &[
    ("received", &["deadline"]),
    ("correction", &["message", "due"]),
    ("approved", &[]),
    ("refused", &[]),
    ("withdrawn", &[]),
    ("listed", &["roll", "amount", "until"]),
    ("listed_without_account", &["roll", "amount", "until"]),
    ("listed_relief", &["roll", "amount", "until"]),
    ("placed", &["place"]),
    ("waiting", &["place"]),
    ("account", &["period", "reason"]),
    ("stopped", &["last", "reason"]),
    ("recovery", &["total", "due"]),
    ("confirmed", &["body", "changes"]),
    ("unconfirmed", &["due"]),
    ("correction_due", &["due"]),
    ("appeal_lodged", &["due", "body"]),
    ("appeal_set_aside", &[]),
    ("appeal_forwarded", &["body", "message"]),
    ("appeal_withdrawn", &[]),
    ("request_extended", &["due"]),
    ("request_answered", &[]),
    ("breach", &["text", "incident"]),
];

/// The words in curly brackets of a text, in their order, each with its offset.
pub fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = text.get(at..)?;
        let open = rest.find('{')?;
        let inside = rest.get(open + 1..)?;
        let close = inside.find('}')?;
        let found = (at + open, inside.get(..close)?);
        at += open + close + 2;
        Some(found)
    })
}

/// Words that a text of this kind may hold; nothing for a kind that there is not.
#[must_use]
pub fn known_words(kind: &str, is_short: bool) -> Option<Vec<&'static str>> {
    let (_, own) = KINDS.iter().find(|(name, _)| *name == kind)?;
    let all = COMMON.iter().chain(own.iter()).copied();
    Some(match is_short {
        false => all.collect(),
        true => all.filter(|word| SHORT.contains(word)).collect(),
    })
}

/// The texts of one service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Messages {
    full: BTreeMap<(Language, String), String>,
    short: BTreeMap<(Language, String), String>,
}

impl Messages {
    /// The service's own text of a kind: its subject in the first line. Nothing where the general one is meant.
    #[must_use]
    pub fn text(&self, kind: &str, language: Language) -> Option<&str> {
        self.full.get(&(language, kind.to_owned())).map(String::as_str)
    }

    /// The service's own short text of a kind.
    #[must_use]
    pub fn short(&self, kind: &str, language: Language) -> Option<&str> {
        self.short.get(&(language, kind.to_owned())).map(String::as_str)
    }

    /// Reads and checks the texts of a folder; without such a folder there are none.
    pub(crate) fn read(folder: &Path) -> Result<Messages, Vec<Mistake>> {
        let mut messages = Messages::default();
        let mut mistakes = Vec::new();
        for tag in folders(&folder.join(FOLDER)) {
            let Some(language) = Language::ALL.into_iter().find(|language| language.tag() == tag) else {
                let near = suggest(&tag, Language::ALL.iter().map(|language| language.tag()));
                let message = format!("`{tag}` is no language of the platform");
                mistakes.push(mistake(&format!("{FOLDER}/{tag}"), 1, 1, message, near));
                continue;
            };
            for name in names(&folder.join(FOLDER).join(&tag), "txt") {
                let path = format!("{FOLDER}/{tag}/{name}");
                match TextFile::read(folder, &path).map_err(|mistake| vec![mistake]) {
                    Ok(file) => messages.take(&file, &name, language, &mut mistakes),
                    Err(found) => mistakes.extend(found),
                }
            }
        }
        match mistakes.is_empty() {
            true => Ok(messages),
            false => Err(mistakes),
        }
    }

    fn take(&mut self, file: &TextFile, name: &str, language: Language, mistakes: &mut Vec<Mistake>) {
        let stem = name.strip_suffix(".txt").unwrap_or(name);
        let (kind, is_short) = match stem.strip_suffix(".short") {
            Some(kind) => (kind, true),
            None => (stem, false),
        };
        let Some(known) = known_words(kind, is_short) else {
            let near = suggest(kind, KINDS.iter().map(|(kind, _)| *kind));
            mistakes.push(mistake(
                &file.name,
                1,
                1,
                format!("`{kind}` is no kind of message"),
                near,
            ));
            return;
        };
        for (at, word) in words(&file.text) {
            if known.contains(&word) {
                continue;
            }
            let why = match is_short && known_words(kind, false).is_some_and(|all| all.contains(&word)) {
                true => format!("`{{{word}}}` may not stand in a short text: everybody near the phone can read it"),
                false => format!("nothing fills the word `{{{word}}}` in a message of this kind"),
            };
            mistakes.push(file.mistake(&(at..at), why, suggest(word, known.iter().copied())));
        }
        let text = file.text.trim();
        if let Some((message, advice)) = shape(text, is_short) {
            mistakes.push(at_top(&file.name, message, advice));
        }
        let texts = if is_short { &mut self.short } else { &mut self.full };
        texts.insert((language, kind.to_owned()), text.to_owned());
    }

    /// A text that is worded in some languages and not in others: in those the general one is sent.
    pub(crate) fn untranslated(&self) -> Vec<Mistake> {
        let mut warnings = Vec::new();
        for (texts, ending) in [(&self.full, "txt"), (&self.short, "short.txt")] {
            for (kind, _) in KINDS {
                let has = |language: &Language| texts.contains_key(&(*language, (*kind).to_owned()));
                let missing: Vec<&str> = Language::ALL
                    .iter()
                    .filter(|language| !has(language))
                    .map(|language| language.tag())
                    .collect();
                if missing.is_empty() || missing.len() == Language::ALL.len() {
                    continue;
                }
                warnings.push(at_top(
                    &format!("{FOLDER}/*/{kind}.{ending}"),
                    format!(
                        "the message is not worded in {}; the general text is sent there",
                        missing.join(", ")
                    ),
                    "write the missing translations, or none at all",
                ));
            }
        }
        warnings
    }

    /// Every text with a name, for the digest of the service.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (String, &str)> {
        let full = self
            .full
            .iter()
            .map(|((language, kind), text)| (format!("{}/{kind}", language.tag()), text.as_str()));
        let short = self
            .short
            .iter()
            .map(|((language, kind), text)| (format!("{}/{kind}.short", language.tag()), text.as_str()));
        full.chain(short)
    }
}

/// What is wrong with the shape of a text, and what to do.
fn shape(text: &str, is_short: bool) -> Option<(String, &'static str)> {
    let length = text.chars().count();
    if is_short && text.lines().count() != 1 {
        return Some((
            "a short text is one line".to_owned(),
            "one or two sentences with the number and the link, in one line",
        ));
    }
    if is_short && length > LONGEST_SHORT {
        return Some((
            format!("a short text has at most {LONGEST_SHORT} characters, this has {length}"),
            "say that there is something, and give the link",
        ));
    }
    if !is_short && text.lines().filter(|line| !line.trim().is_empty()).count() < 2 {
        return Some((
            "a message has a subject and a text".to_owned(),
            "write the subject in the first line and the text below it",
        ));
    }
    (length > LONGEST).then(|| {
        (
            format!("a message has at most {LONGEST} characters, this has {length}"),
            "make it shorter; what is long belongs into the letter",
        )
    })
}

/// Names of the folders in a folder.
fn folders(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_with_their_places() {
        let found: Vec<_> = words("a{b}c{d}{e").collect();
        assert_eq!(found, [(1, "b"), (5, "d")]);
    }

    #[test]
    fn a_short_text_can_hold_no_amount_no_reason_and_no_service() {
        for (kind, _) in KINDS {
            let known = known_words(kind, true).unwrap_or_default();
            for word in [
                "service", "amount", "total", "reason", "message", "roll", "place", "changes",
            ] {
                assert!(!known.contains(&word), "{kind} {word}");
            }
        }
    }
}
