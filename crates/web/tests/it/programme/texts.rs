//! The words of subsidy programmes: the same keys in both languages, all of them used, and every rule of the checks has words.

use std::collections::BTreeSet;
use std::path::Path;

use civic::Language;
use web::texts::keys;

fn read(folder: &Path, all: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        all.push_str(&std::fs::read_to_string(entry.unwrap().path()).unwrap());
    }
}

fn of(language: Language) -> BTreeSet<String> {
    let keys = keys(language).into_iter();
    keys.filter(|key| key.starts_with("programme-")).collect()
}

#[test]
fn every_word_is_there_twice_and_used() {
    let known = of(Language::ZhTw);
    assert_eq!(known, of(Language::En));
    assert!(known.len() > 300);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut source = String::new();
    read(&root.join("src/programme"), &mut source);
    read(&root.join("templates/programme"), &mut source);
    let is_used = |key: &str| {
        let mut stems = key.match_indices('-').skip(1);
        // a hint or a legend stands beside its field's key
        let beside = ["-hint", "-legend"].into_iter().find_map(|end| key.strip_suffix(end));
        source.contains(&format!("\"{key}\""))
            || stems.any(|(at, _)| source.contains(&format!("\"{}{{", &key[..=at])))
            || beside.is_some_and(|stem| source.contains(&format!("\"{stem}\"")))
    };
    let unused: Vec<&String> = known.iter().filter(|key| !is_used(key)).collect();
    assert!(unused.is_empty(), "{unused:?}");
    let sheet = std::fs::read_to_string(root.join("assets/office.css")).unwrap();
    let missing: BTreeSet<&str> = source
        .split('"')
        .filter(|text| text.starts_with("programme-"))
        .filter(|text| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'))
        .filter(|text| !known.contains(*text) && !sheet.contains(&format!(".{text}")))
        .collect();
    // what the style sheet has no rule for is a class of the page alone
    let missing: Vec<&&str> = missing
        .iter()
        .filter(|text| !source.contains(&format!("class=\"{text}")))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_rule_of_the_checks_is_said_in_words() {
    let source = include_str!("../../../../grants/src/finding.rs");
    let (_, rules) = source.split_once("pub enum Rule {").unwrap();
    let (rules, _) = rules.split_once('}').unwrap();
    let known = of(Language::ZhTw);
    let mut count = 0;
    for rule in rules.split(',').map(str::trim).filter(|rule| !rule.is_empty()) {
        let mut key = "programme-rule".to_owned();
        for c in rule.chars() {
            if c.is_uppercase() {
                key.push('-');
            }
            key.push(c.to_ascii_lowercase());
        }
        assert!(known.contains(&key), "{key}");
        count += 1;
    }
    assert!(count > 40);
}
