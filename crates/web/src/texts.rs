//! The words of the pages, in Fluent files under `locales/<language>/`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::LazyLock;

use civic::{Language, Money, Text};
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use jiff::Timestamp;
use jiff::civil::Date;
use rust_embed::Embed;
use unic_langid::LanguageIdentifier;

#[derive(Embed)]
#[folder = "../../locales/"]
struct Folder;

/// Languages the pages are offered in. The others fall back to Chinese until their words are complete.
pub const OFFERED: [Language; 2] = [Language::ZhTw, Language::En];

static BUNDLES: LazyLock<BTreeMap<Language, FluentBundle<FluentResource>>> = LazyLock::new(|| {
    OFFERED
        .into_iter()
        .map(|language| (language, bundle(language)))
        .collect()
});

fn bundle(language: Language) -> FluentBundle<FluentResource> {
    let id: LanguageIdentifier = language.tag().parse().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![id]);
    // isolating marks end up in attributes and in what people copy; no page mixes directions
    bundle.set_use_isolating(false);
    for (_, source) in files(language) {
        // what can't be parsed is left out; the tests read the same files and refuse them
        let resource = FluentResource::try_new(source).unwrap_or_else(|(resource, _)| resource);
        bundle.add_resource_overriding(resource);
    }
    bundle
}

/// The files of a language: name and content.
pub fn files(language: Language) -> Vec<(String, String)> {
    let folder = format!("{}/", language.tag());
    let mut files: Vec<(String, String)> = Folder::iter()
        .filter(|path| path.starts_with(&folder) && path.ends_with(".ftl"))
        .filter_map(|path| {
            Folder::get(&path).map(|file| (path.to_string(), String::from_utf8_lossy(&file.data).into_owned()))
        })
        .collect();
    files.sort();
    files
}

/// The words of one language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// The language.
    pub language: Language,
}

impl Words {
    /// The words of a language, or the Chinese ones where the language is not offered yet.
    #[must_use]
    pub fn new(language: Language) -> Words {
        Words {
            language: if OFFERED.contains(&language) {
                language
            } else {
                Language::ZhTw
            },
        }
    }

    /// The text of a key. An unknown key gives the key itself; a test finds it.
    #[must_use]
    pub fn t(&self, key: &str) -> String {
        self.format(key, None)
    }

    /// The text of a key with one value put in.
    #[must_use]
    pub fn t1(&self, key: &str, name: &str, value: impl fmt::Display) -> String {
        self.with(key, &[(name, value.to_string())])
    }

    /// The text of a key with values put in. A whole number can be chosen by (`{ $n -> [one] … }`).
    #[must_use]
    pub fn with(&self, key: &str, values: &[(&str, String)]) -> String {
        let mut arguments = FluentArgs::new();
        for (name, value) in values {
            match value.parse::<i32>() {
                Ok(number) => arguments.set(*name, FluentValue::from(number)),
                Err(_) => arguments.set(*name, FluentValue::from(value.clone())),
            }
        }
        self.format(key, Some(&arguments))
    }

    /// Whether the key has a text in this language.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        BUNDLES
            .get(&self.language)
            .is_some_and(|bundle| bundle.has_message(key))
    }

    fn format(&self, key: &str, arguments: Option<&FluentArgs<'_>>) -> String {
        let Some(bundle) = BUNDLES.get(&self.language) else {
            return key.to_owned();
        };
        let Some(pattern) = bundle.get_message(key).and_then(|message| message.value()) else {
            return key.to_owned();
        };
        bundle.format_pattern(pattern, arguments, &mut Vec::new()).into_owned()
    }

    /// The attribute that marks law and other texts there are in Chinese only; nothing on a Chinese page.
    #[must_use]
    pub fn chinese(&self) -> &'static str {
        match self.language {
            Language::ZhTw => "",
            _ => " lang=\"zh-TW\"",
        }
    }

    /// A text of a service in this language.
    #[must_use]
    pub fn of<'a>(&self, text: &'a Text) -> &'a str {
        text.get(self.language)
    }

    /// A day: `民國114年11月24日 (二)`, or `2025-11-24` in English.
    #[must_use]
    pub fn date(&self, date: Date) -> String {
        match self.language {
            Language::ZhTw => civic::roc::long(date),
            _ => date.to_string(),
        }
    }

    /// A time at the minute, in Taiwan.
    #[must_use]
    pub fn time(&self, at: Timestamp) -> String {
        let clock = at.to_zoned_datetime(jiff::tz::TimeZone::fixed(jiff::tz::offset(8)));
        format!("{} {:02}:{:02}", self.date(clock.date()), clock.hour(), clock.minute())
    }

    /// An amount: `新臺幣 8,329 元`, or `NT$8,329` in English.
    #[must_use]
    pub fn money(&self, amount: i64) -> String {
        match self.language {
            Language::ZhTw => Money(amount).to_string(),
            _ => format!("NT${}", Money(amount).grouped()),
        }
    }
}

/// All keys of a language, for the tests.
#[must_use]
pub fn keys(language: Language) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for (_, source) in files(language) {
        let resource = FluentResource::try_new(source).unwrap_or_else(|(resource, _)| resource);
        keys.extend(resource.entries().filter_map(|entry| match entry {
            fluent_syntax::ast::Entry::Message(message) => Some(message.id.name.to_owned()),
            _ => None,
        }));
    }
    keys
}
