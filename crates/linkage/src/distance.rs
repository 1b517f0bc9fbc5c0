//! Distances of values: from `rapidfuzz`, asked only where a look at lengths and letters does not settle it.

use crate::encode::Dictionary;
use rapidfuzz::distance::{damerau_levenshtein, jaro_winkler, levenshtein};
use std::collections::BTreeMap;

/// What is known of a value at a glance.
#[derive(Clone, Copy, Default)]
pub(crate) struct Shape {
    /// A bit for each character it holds, folded to 64.
    letters: u64,
    /// Characters, at most 65,535.
    length: u16,
    ascii: bool,
}

impl Shape {
    pub fn of(text: &str) -> Shape {
        let letters = text.chars().fold(0, |letters, c| letters | 1 << (u32::from(c) & 63));
        Shape {
            letters,
            length: u16::try_from(text.chars().count()).unwrap_or(u16::MAX),
            ascii: text.is_ascii(),
        }
    }
}

/// A word of a value.
#[derive(Clone, Copy)]
pub(crate) struct Word {
    pub hash: u64,
    shape: Shape,
    pub start: usize,
    pub end: usize,
}

/// Words of a value that are looked at.
const MOST_WORDS: usize = 16;

impl Word {
    /// The words of a value that begins at `start`.
    pub fn all(text: &str, start: usize) -> impl Iterator<Item = Word> {
        text.split(' ')
            .filter(|word| !word.is_empty())
            .take(MOST_WORDS)
            .map(move |word| {
                let start = start + (word.as_ptr().addr() - text.as_ptr().addr());
                Word {
                    hash: crate::encode::hash(word),
                    shape: Shape::of(word),
                    start,
                    end: start + word.len(),
                }
            })
    }
}

/// Whether two values could be so few edits apart: an edit changes the length by one and at most two letters.
fn near(a: Shape, b: Shape, most: usize) -> bool {
    usize::from(a.length.abs_diff(b.length)) <= most && (a.letters ^ b.letters).count_ones() as usize <= 2 * most
}

/// The highest Jaro–Winkler similarity two such values can have, from what only one of them holds and the prefix they share.
fn highest(a: Shape, b: Shape, prefix: usize) -> f64 {
    let (x, y) = (f64::from(a.length), f64::from(b.length));
    let alone = |one: Shape, other: Shape| f64::from((one.letters & !other.letters).count_ones());
    let common = (x - alone(a, b)).min(y - alone(b, a)).max(0.0);
    if common == 0.0 {
        return 0.0;
    }
    let jaro = (common / x + common / y + 1.0) / 3.0;
    jaro + 0.1 * prefix as f64 * (1.0 - jaro)
}

/// The distances of one pair of values, each calculated once and only if it is asked for.
pub(crate) struct Distances<'a> {
    dictionary: &'a Dictionary,
    left: u32,
    right: u32,
    shapes: (Shape, Shape),
    jaro_winkler: Option<f64>,
    damerau_levenshtein: Option<usize>,
    levenshtein: Option<usize>,
}

impl<'a> Distances<'a> {
    pub fn new(dictionary: &'a Dictionary, left: u32, right: u32) -> Distances<'a> {
        Distances {
            dictionary,
            left,
            right,
            shapes: (dictionary.shape(left), dictionary.shape(right)),
            jaro_winkler: None,
            damerau_levenshtein: None,
            levenshtein: None,
        }
    }

    fn texts(&self) -> (&'a str, &'a str) {
        (self.dictionary.get(self.left), self.dictionary.get(self.right))
    }

    /// Whether the Jaro–Winkler similarity is at least this.
    pub fn jaro_winkler(&mut self, least: f64) -> bool {
        if let Some(found) = self.jaro_winkler {
            return found >= least;
        }
        // most pairs end here, before their texts are looked at
        if highest(self.shapes.0, self.shapes.1, 4) < least {
            return false;
        }
        let (a, b) = self.texts();
        let bytes = self.shapes.0.ascii && self.shapes.1.ascii;
        let prefix = match bytes {
            true => a.bytes().zip(b.bytes()).take(4).take_while(|(a, b)| a == b).count(),
            false => a.chars().zip(b.chars()).take(4).take_while(|(a, b)| a == b).count(),
        };
        if highest(self.shapes.0, self.shapes.1, prefix) < least {
            return false;
        }
        let found = match bytes {
            true => jaro_winkler::similarity(a.bytes(), b.bytes()),
            false => jaro_winkler::similarity(a.chars(), b.chars()),
        };
        self.jaro_winkler = Some(found);
        found >= least
    }

    /// Whether the unrestricted Damerau–Levenshtein distance is at most this.
    pub fn damerau_levenshtein(&mut self, most: usize) -> bool {
        if !near(self.shapes.0, self.shapes.1, most) {
            return false;
        }
        let (a, b) = self.texts();
        let bytes = self.shapes.0.ascii && self.shapes.1.ascii;
        let found = *self.damerau_levenshtein.get_or_insert_with(|| match bytes {
            true => damerau_levenshtein::distance(a.bytes(), b.bytes()),
            false => damerau_levenshtein::distance(a.chars(), b.chars()),
        });
        found <= most
    }

    /// Whether the Levenshtein distance is at most this.
    pub fn levenshtein(&mut self, most: usize) -> bool {
        if !near(self.shapes.0, self.shapes.1, most) {
            return false;
        }
        let (a, b) = self.texts();
        let bytes = self.shapes.0.ascii && self.shapes.1.ascii;
        let found = *self.levenshtein.get_or_insert_with(|| match bytes {
            true => levenshtein::distance(a.bytes(), b.bytes()),
            false => levenshtein::distance(a.chars(), b.chars()),
        });
        found <= most
    }

    /// Whether one value begins with the other.
    pub fn begins(&self) -> bool {
        let (a, b) = self.texts();
        a.starts_with(b) || b.starts_with(a)
    }

    /// Whether two ISO dates of one year have month and day exchanged.
    pub fn month_day_swapped(&self) -> bool {
        let parts = |text: &'a str| {
            let mut parts = text.splitn(3, '-');
            Some((parts.next()?, parts.next()?, parts.next()?))
        };
        let (a, b) = self.texts();
        match (parts(a), parts(b)) {
            (Some(a), Some(b)) => a.0 == b.0 && a.1 == b.2 && a.2 == b.1,
            _ => false,
        }
    }

    /// Whether of the words of the value with fewer at least this share stand in the other, each taken once; with `near` a word of
    /// four letters and more may differ by one edit.
    pub fn words(&self, least: f64, near: bool) -> bool {
        let (mut few, mut many) = (self.dictionary.words(self.left), self.dictionary.words(self.right));
        if few.len() > many.len() {
            std::mem::swap(&mut few, &mut many);
        }
        // equal words are taken out first, so that a near one does not take their place
        let (mut matched, mut taken) = (0_u32, 0_u32);
        for (place, word) in few.iter().enumerate() {
            if let Some(other) =
                (0..many.len()).find(|other| taken & (1 << other) == 0 && many[*other].hash == word.hash)
            {
                taken |= 1 << other;
                matched |= 1 << place;
            }
        }
        if near {
            for (place, word) in few.iter().enumerate() {
                if matched & (1 << place) != 0 {
                    continue;
                }
                let free = |other: &usize| taken & (1 << other) == 0 && self.one_edit(word, &many[*other]);
                if let Some(other) = (0..many.len()).find(free) {
                    taken |= 1 << other;
                    matched |= 1 << place;
                }
            }
        }
        f64::from(matched.count_ones()) >= least * few.len() as f64
    }

    fn one_edit(&self, a: &Word, b: &Word) -> bool {
        if a.shape.length.min(b.shape.length) < 4 || !near(a.shape, b.shape, 1) {
            return false;
        }
        let (a, b) = (self.dictionary.word(a), self.dictionary.word(b));
        damerau_levenshtein::distance(a.chars(), b.chars()) <= 1
    }

    /// Whether the share of the bigrams of both that both have is at least this; a value of one character has itself.
    pub fn jaccard(&self, least: f64) -> bool {
        let (a, b) = self.texts();
        let (a, b) = (bigrams(a), bigrams(b));
        let common: usize = a
            .iter()
            .map(|(gram, count)| (*count).min(b.get(gram).copied().unwrap_or(0)))
            .sum();
        let all: usize = a.values().sum::<usize>() + b.values().sum::<usize>() - common;
        all > 0 && common as f64 / all as f64 >= least
    }
}

fn bigrams(text: &str) -> BTreeMap<(char, char), usize> {
    let characters: Vec<char> = text.chars().collect();
    let mut grams = BTreeMap::new();
    match characters.as_slice() {
        [one] => {
            grams.insert((*one, *one), 1);
        }
        several => several
            .windows(2)
            .for_each(|pair| *grams.entry((pair[0], pair[1])).or_default() += 1),
    }
    grams
}
