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
    a: &'a str,
    b: &'a str,
    shapes: (Shape, Shape),
    jaro_winkler: Option<f64>,
    damerau_levenshtein: Option<usize>,
    levenshtein: Option<usize>,
}

impl<'a> Distances<'a> {
    pub fn new(dictionary: &'a Dictionary, left: u32, right: u32) -> Distances<'a> {
        Distances {
            a: dictionary.get(left),
            b: dictionary.get(right),
            shapes: (dictionary.shape(left), dictionary.shape(right)),
            jaro_winkler: None,
            damerau_levenshtein: None,
            levenshtein: None,
        }
    }

    /// Whether the Jaro–Winkler similarity is at least this.
    pub fn jaro_winkler(&mut self, least: f64) -> bool {
        if let Some(found) = self.jaro_winkler {
            return found >= least;
        }
        let (a, b) = (self.a, self.b);
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
        let (a, b) = (self.a, self.b);
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
        let (a, b) = (self.a, self.b);
        let bytes = self.shapes.0.ascii && self.shapes.1.ascii;
        let found = *self.levenshtein.get_or_insert_with(|| match bytes {
            true => levenshtein::distance(a.bytes(), b.bytes()),
            false => levenshtein::distance(a.chars(), b.chars()),
        });
        found <= most
    }

    /// Whether one value begins with the other.
    pub fn begins(&self) -> bool {
        self.a.starts_with(self.b) || self.b.starts_with(self.a)
    }

    /// Whether two ISO dates of one year have month and day exchanged.
    pub fn month_day_swapped(&self) -> bool {
        let parts = |text: &'a str| {
            let mut parts = text.splitn(3, '-');
            Some((parts.next()?, parts.next()?, parts.next()?))
        };
        match (parts(self.a), parts(self.b)) {
            (Some(a), Some(b)) => a.0 == b.0 && a.1 == b.2 && a.2 == b.1,
            _ => false,
        }
    }

    /// Whether the share of the bigrams of both that both have is at least this; a value of one character has itself.
    pub fn jaccard(&self, least: f64) -> bool {
        let (a, b) = (bigrams(self.a), bigrams(self.b));
        let common: usize = a.iter().map(|(gram, count)| (*count).min(b.get(gram).copied().unwrap_or(0))).sum();
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
        several => several.windows(2).for_each(|pair| *grams.entry((pair[0], pair[1])).or_default() += 1),
    }
    grams
}
