//! Full-width and half-width forms, as they come from input methods.

use unicode_normalization::UnicodeNormalization;

/// The text with full-width letters, digits and spaces made half-width (Unicode NFKC), trimmed.
///
/// ```
/// assert_eq!(civic::fold_width("　Ａ１２３ "), "A123");
/// ```
#[must_use]
pub fn fold_width(text: &str) -> String {
    text.nfkc().collect::<String>().trim().to_owned()
}
