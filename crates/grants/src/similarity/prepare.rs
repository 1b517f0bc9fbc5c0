//! A plan's text as it is compared: letters and digits only, each with its place, boilerplate marked.

use std::collections::{HashMap, HashSet};

use civic::Text;
use unicode_normalization::UnicodeNormalization;

use super::{Document, Excerpt};
use crate::programme::{Programme, SimilarityRules};

/// Places kept of a shingle within one plan: a text that repeats itself must not make the comparison quadratic.
const MOST_PLACES: usize = 4;

/// Shingles of the programme's own wording.
pub(super) struct Boilerplate(HashSet<u64>);

/// A character of a part, folded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Letter {
    /// The character, NFKC and in lower case.
    pub letter: char,
    /// The part it stands in.
    pub part: usize,
    /// Its first byte there.
    pub from: usize,
    /// The byte after it.
    pub to: usize,
    /// The programme's own wording.
    pub boilerplate: bool,
}

/// A plan ready to be compared.
pub(super) struct Prepared<'a> {
    pub document: &'a Document,
    /// All letters, part after part.
    pub letters: Vec<Letter>,
    /// Where each shingle stands; none that is boilerplate or reaches over parts.
    pub places: HashMap<u64, Vec<usize>>,
    /// The shingle at each letter, if there is one.
    pub shingles: Vec<Option<u64>>,
    /// Letters that are not boilerplate.
    pub own: usize,
}

impl Boilerplate {
    /// Titles, guidance, criteria and fixed wording of a programme, in every language they are written in.
    pub fn of(programme: &Programme) -> Boilerplate {
        let mut texts: Vec<&Text> = vec![&programme.name, &programme.basis, &programme.goals, &programme.priority];
        for chapter in &programme.chapters {
            texts.extend([&chapter.title, &chapter.guidance]);
            texts.extend(
                chapter
                    .sections
                    .iter()
                    .flat_map(|section| [&section.title, &section.guidance]),
            );
        }
        for stage in &programme.stages {
            texts.extend([&stage.title, &stage.platform]);
            texts.extend(stage.groups.iter().map(|group| &group.title));
            texts.extend(stage.items.iter().map(|item| &item.title));
        }
        for criterion in &programme.criteria {
            texts.push(&criterion.title);
            texts.extend(&criterion.looks);
        }
        for indicator in &programme.indicators {
            texts.extend([&indicator.title, &indicator.base]);
            texts.extend(indicator.inputs.iter().map(|input| &input.title));
            texts.extend(indicator.readings.iter().map(|reading| &reading.title));
        }
        let words = texts
            .iter()
            .flat_map(|text| text.languages().filter_map(|language| text.own(language)));
        let lines = programme.boilerplate.iter().map(String::as_str);
        let mut shingles = HashSet::new();
        for text in words.chain(lines) {
            let letters: Vec<char> = fold(text).map(|(letter, ..)| letter).collect();
            let size = programme.similarity.shingle;
            shingles.extend(letters.windows(size.max(1)).map(|window| hash(window.iter().copied())));
        }
        Boilerplate(shingles)
    }
}

impl<'a> Prepared<'a> {
    pub fn of(document: &'a Document, boilerplate: &Boilerplate, rules: &SimilarityRules) -> Prepared<'a> {
        let size = rules.shingle.max(1);
        let mut letters: Vec<Letter> = Vec::new();
        for (part, (_, text)) in document.parts.iter().enumerate() {
            letters.extend(fold(text).map(|(letter, from, to)| Letter {
                letter,
                part,
                from,
                to,
                boilerplate: false,
            }));
        }
        let hashes: Vec<Option<u64>> = (0..letters.len())
            .map(|at| {
                let window = letters.get(at..at + size)?;
                let one_part = window.first()?.part == window.last()?.part;
                one_part.then(|| hash(window.iter().map(|letter| letter.letter)))
            })
            .collect();
        for (at, hash) in hashes.iter().enumerate() {
            if hash.is_some_and(|hash| boilerplate.0.contains(&hash)) {
                let covered = letters.iter_mut().skip(at).take(size);
                covered.for_each(|letter| letter.boilerplate = true);
            }
        }
        let shingles: Vec<Option<u64>> = hashes
            .into_iter()
            .map(|hash| hash.filter(|hash| !boilerplate.0.contains(hash)))
            .collect();
        let mut places: HashMap<u64, Vec<usize>> = HashMap::new();
        for (at, shingle) in shingles.iter().enumerate() {
            if let Some(shingle) = shingle {
                let known = places.entry(*shingle).or_default();
                if known.len() < MOST_PLACES {
                    known.push(at);
                }
            }
        }
        let own = letters.iter().filter(|letter| !letter.boilerplate).count();
        Prepared {
            document,
            letters,
            places,
            shingles,
            own,
        }
    }

    /// The text from one letter to another within a part.
    pub fn excerpt(&self, from: usize, to: usize) -> Excerpt {
        let (first, last) = (self.letters.get(from), self.letters.get(to.saturating_sub(1)));
        let (Some(first), Some(last)) = (first, last) else {
            return Excerpt {
                part: String::new(),
                from: 0,
                text: String::new(),
            };
        };
        let (part, text) = self.document.parts.get(first.part).cloned().unwrap_or_default();
        Excerpt {
            part,
            from: first.from,
            text: text.get(first.from..last.to).unwrap_or_default().to_owned(),
        }
    }
}

/// Letters and digits of a text with their bytes: NFKC, lower case.
pub(super) fn fold(text: &str) -> impl Iterator<Item = (char, usize, usize)> {
    text.char_indices().flat_map(|(from, character)| {
        let to = from + character.len_utf8();
        let folded = std::iter::once(character).nfkc().flat_map(char::to_lowercase);
        folded
            .filter(|letter| letter.is_alphanumeric())
            .map(move |letter| (letter, from, to))
    })
}

/// FNV-1a over the characters. What it finds is compared letter by letter, so a chance equality makes no passage.
fn hash(letters: impl Iterator<Item = char>) -> u64 {
    letters.fold(0xcbf2_9ce4_8422_2325, |hash, letter| {
        (hash ^ u64::from(u32::from(letter))).wrapping_mul(0x0100_0000_01b3)
    })
}
