//! Variant characters (異體字), traditional and simplified forms (正體、簡化字), in the basic plane and beyond it.

use rustc_hash::FxHashMap;
use std::borrow::Cow;
use std::sync::LazyLock;

/// Classes of characters, compiled from Unihan by `data/variants.py`.
const CLASSES: &str = include_str!("../../data/variants.txt");

static HEADS: LazyLock<FxHashMap<char, char>> = LazyLock::new(|| {
    let mut heads = FxHashMap::default();
    for class in CLASSES.lines() {
        let mut characters = class.chars();
        if let Some(head) = characters.next() {
            heads.extend(characters.map(|character| (character, head)));
        }
    }
    heads
});

/// The text with each character replaced by the one that stands for its class: 黄 and 黃, 台 and 臺, 陈 and 陳 become one. What a
/// dictionary keeps apart may become one too (余 and 餘), so this is for blocking and for a level below the exact one.
///
/// ```
/// assert_eq!(linkage::fold_variants("黄台陈"), linkage::fold_variants("黃臺陳"));
/// ```
#[must_use]
pub fn fold_variants(text: &str) -> Cow<'_, str> {
    let heads = &*HEADS;
    match text.is_ascii() || !text.chars().any(|character| heads.contains_key(&character)) {
        true => Cow::Borrowed(text),
        false => Cow::Owned(text.chars().map(|c| heads.get(&c).copied().unwrap_or(c)).collect()),
    }
}
