//! The five languages of the pages, and texts written in them.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// A language of the pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Language {
    /// Traditional Chinese as written in Taiwan (正體中文).
    #[default]
    #[serde(rename = "zh-TW")]
    ZhTw,
    /// English.
    #[serde(rename = "en")]
    En,
    /// Vietnamese.
    #[serde(rename = "vi")]
    Vi,
    /// Indonesian.
    #[serde(rename = "id")]
    Id,
    /// Thai.
    #[serde(rename = "th")]
    Th,
}

impl Language {
    /// All languages, the first language of the city first.
    pub const ALL: [Language; 5] = [Language::ZhTw, Language::En, Language::Vi, Language::Id, Language::Th];

    /// The tag used in files and addresses, such as `zh-TW`.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Language::ZhTw => "zh-TW",
            Language::En => "en",
            Language::Vi => "vi",
            Language::Id => "id",
            Language::Th => "th",
        }
    }

    /// The value of the `lang` attribute of HTML (BCP 47).
    #[must_use]
    pub fn html(self) -> &'static str {
        match self {
            Language::ZhTw => "zh-Hant-TW",
            other => other.tag(),
        }
    }

    /// The language's name in itself.
    #[must_use]
    pub fn own_name(self) -> &'static str {
        match self {
            Language::ZhTw => "中文",
            Language::En => "English",
            Language::Vi => "Tiếng Việt",
            Language::Id => "Bahasa Indonesia",
            Language::Th => "ไทย",
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

impl FromStr for Language {
    type Err = ();

    fn from_str(tag: &str) -> Result<Language, ()> {
        Language::ALL
            .into_iter()
            .find(|language| language.tag().eq_ignore_ascii_case(tag))
            .ok_or(())
    }
}

/// One text in several languages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Text(BTreeMap<Language, String>);

impl Text {
    /// A text in Chinese alone.
    #[must_use]
    pub fn chinese(text: impl Into<String>) -> Text {
        Text::from_iter([(Language::ZhTw, text.into())])
    }

    /// The text in this language; in Chinese where it is not translated; else in any language; else empty.
    #[must_use]
    pub fn get(&self, language: Language) -> &str {
        self.own(language)
            .or_else(|| self.own(Language::ZhTw))
            .or_else(|| self.0.values().next().map(String::as_str))
            .unwrap_or_default()
    }

    /// The text in this language if it is translated.
    #[must_use]
    pub fn own(&self, language: Language) -> Option<&str> {
        self.0.get(&language).map(String::as_str)
    }

    /// The language that [`Text::get`] answers in, to mark it in HTML where it differs from the page's.
    #[must_use]
    pub fn language_of(&self, language: Language) -> Language {
        if self.0.contains_key(&language) {
            language
        } else {
            Language::ZhTw
        }
    }

    /// Whether there is no text in any language.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.values().all(String::is_empty)
    }

    /// The languages it is written in.
    pub fn languages(&self) -> impl Iterator<Item = Language> + '_ {
        self.0.keys().copied()
    }
}

impl FromIterator<(Language, String)> for Text {
    fn from_iter<T: IntoIterator<Item = (Language, String)>>(texts: T) -> Text {
        Text(texts.into_iter().collect())
    }
}
