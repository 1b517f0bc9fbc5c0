//! What lines read from a paper propose for the form. Nothing is an answer before somebody confirms it.

use civic::{Language, legal_day};
use jiff::Timestamp;
use serde_json::Value;
use unicode_normalization::UnicodeNormalization as _;

use super::kinds::{Entered, read};
use super::model::Form;
use super::{Answers, Ask, FieldKind, Source};

/// Shortest label that is looked for: a shorter one stands in too many lines.
const SHORTEST: usize = 2;
/// Most proposals of one paper.
const MOST: usize = 60;

/// A value that a paper proposes for a field.
#[derive(Clone, PartialEq)]
pub struct Proposal {
    /// Key of the field.
    pub key: String,
    /// The value, as an answer would hold it.
    pub value: Value,
    /// The line it was read from.
    pub line: String,
}

impl std::fmt::Debug for Proposal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proposal")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// Characters that matter for finding a label: no blanks, no marks, half width.
fn plain(text: &str) -> String {
    text.nfkc().filter(|c| c.is_alphanumeric()).collect()
}

/// What stands in a line behind a label, however it is spaced; nothing where the label is not in it.
fn behind(line: &str, label: &str) -> Option<String> {
    let line: String = line.nfkc().collect();
    let letters: Vec<(usize, char)> = line.char_indices().filter(|(_, c)| c.is_alphanumeric()).collect();
    let wanted: Vec<char> = label.chars().collect();
    if wanted.is_empty() {
        return None;
    }
    let found = letters
        .windows(wanted.len())
        .find(|window| window.iter().map(|(_, c)| c).eq(wanted.iter()))?;
    let (at, last) = *found.last()?;
    let rest = line.get(at + last.len_utf8()..)?;
    let rest = rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, ':' | '=' | '|' | '_' | '.' | '-'));
    Some(rest.trim().to_owned()).filter(|rest| !rest.is_empty())
}

/// Readers put blanks between the characters of Chinese text; between those of a number they are never meant either.
fn joined(text: &str) -> String {
    text.split_whitespace().collect()
}

impl Form {
    /// The values that lines propose for fields not answered yet, or answered by the person; a value that the field would
    /// refuse is not proposed.
    pub fn propose(&self, lines: &[String], answers: &Answers, now: Timestamp) -> Vec<Proposal> {
        let mut proposals = Vec::new();
        for place in self.places(answers) {
            for field in self.fields(&place, answers) {
                let key = place.key(field);
                let is_open = answers.get(&key).is_none_or(|answer| answer.source == Source::Person);
                let one_box = !matches!(
                    field.kind,
                    FieldKind::BankAccount | FieldKind::File { .. } | FieldKind::Checkboxes(_)
                );
                let label = plain(field.label.get(Language::ZhTw));
                if !is_open || !one_box || field.ask == Ask::Never || label.chars().count() < SHORTEST {
                    continue;
                }
                let found = lines.iter().find_map(|line| {
                    let text = joined(&behind(line, &label)?);
                    let text = choice(&field.kind, text);
                    let value = read(&field.kind, &Entered::one(&text), legal_day(now)).ok()??;
                    // the answer there is needs no proposal
                    (answers.value(&key) != Some(&value)).then(|| Proposal {
                        key: key.clone(),
                        value,
                        line: line.clone(),
                    })
                });
                proposals.extend(found);
            }
        }
        proposals.truncate(MOST);
        proposals
    }
}

/// Papers have the words of a choice, forms its value; and yes and no in Chinese.
fn choice(kind: &FieldKind, text: String) -> String {
    if matches!(kind, FieldKind::YesNo) {
        return match text.chars().next() {
            Some('是' | '有') => "yes".to_owned(),
            Some('否' | '無' | '沒') => "no".to_owned(),
            _ => text,
        };
    }
    let read = plain(&text);
    let words = kind.choices().iter();
    words
        .filter(|choice| !read.is_empty() && read.starts_with(&plain(choice.label.get(Language::ZhTw))))
        .max_by_key(|choice| choice.label.get(Language::ZhTw).chars().count())
        .map_or(text, |choice| choice.value.clone())
}

#[cfg(test)]
mod tests {
    use super::{behind, joined, plain};

    #[test]
    fn a_label_is_found_however_the_reader_spaced_it() {
        for (line, found) in [
            ("聯 絡 電 話 ： 0912 345 678", Some("0912345678")),
            ("聯絡電話:0912-345-678", Some("0912-345-678")),
            ("一、聯絡電話 | ０９１２３４５６７８", Some("0912345678")),
            ("聯絡電話", None),
            ("聯絡人電話：0912345678", None),
            ("", None),
        ] {
            let text = behind(line, &plain("聯絡電話")).map(|rest| joined(&rest));
            assert_eq!(text.as_deref(), found, "{line}");
        }
    }
}
