//! The texts of messages: the platform's, in every language, unless the service words its own.

use std::collections::BTreeMap;

use civic::Language;
use serde::{Deserialize, Serialize};
use services::messages::Messages;

/// A kind with its texts in the order of [`Language::ALL`]: the first line is the subject, `{name}` stands for a word.
macro_rules! texts {
    ($($kind:literal),+ $(,)?) => {
        &[$((
            $kind,
            [
                include_str!(concat!("../../messages/zh-TW/", $kind, ".txt")),
                include_str!(concat!("../../messages/en/", $kind, ".txt")),
                include_str!(concat!("../../messages/vi/", $kind, ".txt")),
                include_str!(concat!("../../messages/id/", $kind, ".txt")),
                include_str!(concat!("../../messages/th/", $kind, ".txt")),
            ],
        )),+]
    };
}

const TEXTS: &[(&str, [&str; 5])] = texts!(
    "received",
    "correction",
    "approved",
    "refused",
    "withdrawn",
    "listed",
    "listed_without_account",
    "listed_relief",
    "placed",
    "waiting",
    "account",
    "stopped",
    "recovery",
    "confirmed",
    "unconfirmed",
    "correction_due",
    "appeal_lodged",
    "appeal_set_aside",
    "appeal_forwarded",
    "appeal_withdrawn",
    "request_extended",
    "request_answered",
    "breach",
    "code",
);

/// Short texts, a line each: kind, ` = `, text.
const SHORT: [&str; 5] = [
    include_str!("../../messages/zh-TW/short.txt"),
    include_str!("../../messages/en/short.txt"),
    include_str!("../../messages/vi/short.txt"),
    include_str!("../../messages/id/short.txt"),
    include_str!("../../messages/th/short.txt"),
];

/// What somebody is told, in one language, with its words in place. `Debug` is left out: all of it is personal.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Told {
    /// Subject of a mail.
    pub(crate) subject: String,
    /// Text of a mail.
    pub(crate) text: String,
    /// What a phone shows: that there is something, with number and link.
    pub(crate) short: String,
}

fn place(language: Language) -> usize {
    let mut all = Language::ALL.into_iter();
    all.position(|one| one == language).unwrap_or_default()
}

fn full(kind: &str, language: Language) -> &'static str {
    let found = TEXTS.iter().find(|(name, _)| *name == kind);
    found
        .and_then(|(_, texts)| texts.get(place(language)).copied())
        .unwrap_or_default()
}

/// The platform's short text of a kind.
pub(crate) fn short(kind: &str, language: Language) -> &'static str {
    let lines = SHORT.get(place(language)).copied().unwrap_or_default().lines();
    let mut pairs = lines.filter_map(|line| line.split_once(" = "));
    pairs
        .find(|(name, _)| *name == kind)
        .map_or("", |(_, text)| text.trim())
}

/// What is told of a kind. Words that a short text may not hold are not put into it, whoever worded it.
pub(crate) fn told(kind: &str, language: Language, own: &Messages, words: &BTreeMap<String, String>) -> Told {
    let filled = fill(own.text(kind, language).unwrap_or(full(kind, language)), words);
    let (subject, text) = filled.split_once('\n').unwrap_or((filled.as_str(), ""));
    let allowed = services::messages::known_words(kind, true);
    let few: BTreeMap<String, String> = words
        .iter()
        .filter(|(name, _)| allowed.as_ref().is_none_or(|allowed| allowed.contains(&name.as_str())))
        .map(|(name, word)| (name.clone(), word.clone()))
        .collect();
    Told {
        subject: subject.trim().to_owned(),
        text: text.trim_start().to_owned(),
        short: fill(own.short(kind, language).unwrap_or(short(kind, language)), &few),
    }
}

/// Puts the words into a text. A word that is not given stays as it is, so that a test sees it.
pub(crate) fn fill(text: &str, words: &BTreeMap<String, String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        match after.split_once('}') {
            Some((name, tail)) if words.contains_key(name) => {
                out.push_str(words.get(name).map_or("", String::as_str));
                rest = tail;
            }
            _ => {
                out.push('{');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use services::messages::{KINDS, known_words, words};
    use std::collections::BTreeSet;

    #[test]
    fn every_kind_has_a_subject_a_text_and_a_short_text_in_every_language() {
        for (kind, texts) in TEXTS {
            for (language, text) in Language::ALL.into_iter().zip(texts) {
                assert!(
                    text.lines().count() > 3 && !text.lines().next().unwrap_or_default().trim().is_empty(),
                    "{kind} {language}"
                );
                assert!(!short(kind, language).is_empty(), "{kind} {language}");
            }
        }
    }

    #[test]
    fn the_kinds_are_those_that_a_service_may_word() {
        let mine: BTreeSet<&str> = TEXTS
            .iter()
            .map(|(kind, _)| *kind)
            .filter(|kind| *kind != "code")
            .collect();
        let theirs: BTreeSet<&str> = KINDS.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(mine, theirs);
    }

    #[test]
    fn all_languages_of_a_kind_hold_the_same_words_and_only_known_ones() {
        for (kind, texts) in TEXTS.iter().filter(|(kind, _)| *kind != "code") {
            let known = known_words(kind, false).unwrap_or_default();
            let few = known_words(kind, true).unwrap_or_default();
            for (language, text) in Language::ALL.into_iter().zip(texts) {
                let of = |text: &'static str| words(text).map(|(_, word)| word).collect::<BTreeSet<_>>();
                assert!(of(text).iter().all(|word| known.contains(word)), "{kind} {language}");
                assert!(
                    of(text).contains("link") && of(text).contains("phone"),
                    "{kind} {language}"
                );
                let own: Vec<_> = known
                    .iter()
                    .filter(|word| !["service", "date"].contains(word))
                    .collect();
                let (here, chinese) = (of(text), of(texts[0]));
                for word in own {
                    assert_eq!(
                        here.contains(*word),
                        chinese.contains(*word),
                        "{kind} {language} {word}"
                    );
                }
                let short = of(short(kind, language));
                assert!(short.iter().all(|word| few.contains(word)), "{kind} {language}");
                assert!(short.contains("number") && short.contains("link"), "{kind} {language}");
            }
        }
    }

    #[test]
    fn a_short_text_gets_no_word_that_it_may_not_hold() {
        let words = BTreeMap::from([
            ("amount".to_owned(), "8,329".to_owned()),
            ("number".to_owned(), "115-1".to_owned()),
        ]);
        let told = told("listed", Language::En, &Messages::default(), &words);
        assert!(told.subject.contains("8,329"));
        assert!(!told.short.contains("8,329") && told.short.contains("115-1"));
    }

    #[test]
    fn words_are_filled_once() {
        let words = BTreeMap::from([("a".to_owned(), "{b}".to_owned()), ("b".to_owned(), "x".to_owned())]);
        assert_eq!(fill("1{a}2{b}3{c}4{", &words), "1{b}2x3{c}4{");
    }
}
