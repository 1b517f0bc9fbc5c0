//! Words that mean the same (同義詞), as a programme's folder lists them in `concepts.txt`.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::ops::RangeInclusive;

use civic::Mistake;

use super::prepare::{Letter, fold};
use crate::mistake::{TextFile, at_top};
use crate::programme::Programme;

/// Most concepts of a programme.
const MOST: usize = 2_000;
/// Letters of a word: one alone is part of too many others, and more are no word.
const LENGTH: RangeInclusive<usize> = 2..=12;

/// Reads `concepts.txt`: a concept a line, its words with spaces between, the first of them standing for the others. Lines that
/// begin with `#` say nothing.
pub(crate) fn read(file: &TextFile, mistakes: &mut Vec<Mistake>) -> Vec<Vec<String>> {
    let mut concepts: Vec<Vec<String>> = Vec::new();
    let mut seen: HashMap<String, usize> = HashMap::new();
    for (number, line) in (1..).zip(file.text.lines()) {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let mut wrong = |column: usize, message: String, suggestion: &str| {
            mistakes.push(Mistake {
                file: file.name.clone(),
                line: number,
                column,
                message,
                suggestion: Some(suggestion.to_owned()),
            });
        };
        let mut words = Vec::new();
        let mut next = 1;
        for word in line.split(char::is_whitespace) {
            let column = next;
            next += word.chars().count() + 1;
            if word.is_empty() {
                continue;
            }
            let letters: String = fold(word).map(|(letter, ..)| letter).collect();
            let shown: String = word.chars().take(40).collect();
            if !word.chars().all(char::is_alphanumeric) || !LENGTH.contains(&letters.chars().count()) {
                wrong(
                    column,
                    format!("`{shown}` is no word of {} to {} letters", LENGTH.start(), LENGTH.end()),
                    "write words with spaces between, without punctuation",
                );
            } else if let Some(first) = seen.get(&letters) {
                wrong(
                    column,
                    format!("`{shown}` stands in line {first} already"),
                    "a word stands for one concept; keep one of them",
                );
            } else {
                seen.insert(letters, number);
            }
            words.push(word.to_owned());
        }
        if words.len() < 2 {
            wrong(
                1,
                "a concept has at least two words".to_owned(),
                "add one that means the same, or remove the line",
            );
        }
        concepts.push(words);
    }
    if concepts.len() > MOST {
        mistakes.push(at_top(
            &file.name,
            format!("there are more than {MOST} concepts"),
            "keep those that plans are written with",
        ));
    }
    concepts
}

/// A word, and the one that stands for it.
type Folded = (Vec<char>, Vec<char>);

/// The words of a programme, ready to be put in place of each other.
pub(super) struct Concepts {
    /// By its first letter each word and the one that stands for it, longer words first.
    words: HashMap<char, Vec<Folded>>,
}

impl Concepts {
    pub fn of(programme: &Programme) -> Concepts {
        let letters = |word: &String| fold(word).map(|(letter, ..)| letter).collect::<Vec<char>>();
        let mut words: HashMap<char, Vec<Folded>> = HashMap::new();
        for concept in &programme.concepts {
            let Some(first) = concept.first().map(letters) else {
                continue;
            };
            for word in concept.iter().map(letters) {
                if let Some(letter) = word.first() {
                    words.entry(*letter).or_default().push((word, first.clone()));
                }
            }
        }
        for list in words.values_mut() {
            list.sort_by_key(|(word, _)| Reverse(word.len()));
        }
        Concepts { words }
    }

    /// The letters with every word of a concept replaced by its first one, each with whether it is boilerplate. Where words
    /// begin at one letter the longest is taken, so that 教育訓練 is not read as 訓練 behind another word.
    pub fn applied(&self, letters: &[Letter]) -> Vec<(char, bool)> {
        let mut applied = Vec::with_capacity(letters.len());
        let mut rest = letters;
        while let [letter, after @ ..] = rest {
            let mut known = self.words.get(&letter.letter).into_iter().flatten();
            match known.find(|(word, _)| begins(rest, word)) {
                Some((word, first)) => {
                    let boilerplate = rest.iter().take(word.len()).any(|letter| letter.boilerplate);
                    applied.extend(first.iter().map(|letter| (*letter, boilerplate)));
                    rest = rest.get(word.len()..).unwrap_or_default();
                }
                None => {
                    applied.push((letter.letter, letter.boilerplate));
                    rest = after;
                }
            }
        }
        applied
    }
}

/// Whether letters begin with a word.
fn begins(letters: &[Letter], word: &[char]) -> bool {
    letters.len() >= word.len() && letters.iter().zip(word).all(|(one, letter)| one.letter == *letter)
}
