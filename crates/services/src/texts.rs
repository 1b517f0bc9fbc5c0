//! Translations: every text of a folder is written in Traditional Chinese and English; more languages may stand beside.

use civic::Language;
use rules::Mistake;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::folder::TextFile;

/// The languages without which a text is not complete.
pub(crate) const NEEDED: [Language; 2] = [Language::ZhTw, Language::En];

/// Finds texts of a TOML file that lack a language, or are empty in one. A file that can't be read is somebody else's mistake.
pub(crate) fn check(file: &TextFile) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    if let Ok(table) = DeTable::parse(&file.text) {
        let span = table.span();
        look(file, table.get_ref(), &span, &mut mistakes);
    }
    mistakes
}

fn look(file: &TextFile, table: &DeTable<'_>, span: &std::ops::Range<usize>, mistakes: &mut Vec<Mistake>) {
    let tag = |key: &str| Language::ALL.into_iter().find(|language| language.tag() == key);
    let is_text = !table.is_empty()
        && table.iter().all(|(key, value)| tag(key.get_ref()).is_some() && matches!(value.get_ref(), DeValue::String(_)))
        // `id` alone is a name, not Indonesian
        && table.iter().any(|(key, _)| key.get_ref() != "id");
    if is_text {
        for language in NEEDED {
            if !table.iter().any(|(key, _)| key.get_ref() == language.tag()) {
                let suggestion = format!("add `{} = \"…\"`", quoted(language));
                mistakes.push(file.mistake(
                    span,
                    format!("this text has no translation `{}`", language.tag()),
                    suggestion,
                ));
            }
        }
        for (_, value) in table {
            if matches!(value.get_ref(), DeValue::String(text) if text.trim().is_empty()) {
                mistakes.push(file.mistake(&value.span(), "this text is empty", "write it, or remove it".to_owned()));
            }
        }
        return;
    }
    for (_, value) in table {
        value_of(file, value, mistakes);
    }
}

fn value_of(file: &TextFile, value: &Spanned<DeValue<'_>>, mistakes: &mut Vec<Mistake>) {
    match value.get_ref() {
        DeValue::Table(table) => look(file, table, &value.span(), mistakes),
        DeValue::Array(array) => array.iter().for_each(|one| value_of(file, one, mistakes)),
        _ => {}
    }
}

fn quoted(language: Language) -> String {
    if language.tag().contains('-') {
        format!("\"{}\"", language.tag())
    } else {
        language.tag().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::folder::TextFile;

    #[test]
    fn a_text_without_english_is_found_and_a_name_is_not_taken_for_one() {
        let text = "id = \"x\"\nname = { \"zh-TW\" = \"名\" }\n[[page]]\nid = \"a\"\ntitle = { \"zh-TW\" = \"題\", en = \" \" }\n";
        let found = check(&TextFile {
            name: "f.toml".into(),
            text: text.into(),
        });
        let places: Vec<(usize, usize)> = found.iter().map(|mistake| (mistake.line, mistake.column)).collect();
        assert_eq!(places, [(2, 8), (5, 31)]);
    }
}
