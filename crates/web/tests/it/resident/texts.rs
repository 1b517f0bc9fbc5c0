//! The words of the residents' pages: complete in both languages, with the same values put in, all of them used.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use civic::Language;
use web::texts::keys;

fn read(folder: &Path, all: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, all);
        } else if path.extension().is_some_and(|end| end != "css" && end != "js") {
            all.push_str(&std::fs::read_to_string(&path).unwrap_or_default());
        }
    }
}

/// The values each message of a language puts in, by its key.
fn values(language: Language) -> BTreeMap<String, BTreeSet<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../locales");
    let mut source = String::new();
    read(&root.join(language.tag()), &mut source);
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut key = String::new();
    for line in source.lines() {
        if let Some((name, _)) = line.split_once(" =")
            && !name.starts_with([' ', '#', '[', '*', '.'])
        {
            key = name.to_owned();
        }
        let names = line.split('$').skip(1).map(|rest| {
            let end = rest
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(rest.len());
            rest[..end].to_owned()
        });
        found.entry(key.clone()).or_default().extend(names);
    }
    found.retain(|key, _| !key.is_empty());
    found
}

#[test]
fn both_languages_have_the_same_keys_and_values() {
    let (chinese, english) = (keys(Language::ZhTw), keys(Language::En));
    assert_eq!(chinese, english);
    assert!(chinese.len() > 500, "{}", chinese.len());
    let (chinese, english) = (values(Language::ZhTw), values(Language::En));
    for (key, wanted) in &chinese {
        // a plural of English needs a number that Chinese may not name, never the other way
        let given = &english[key];
        assert!(wanted.is_subset(given), "`{key}`: {wanted:?}, in English {given:?}");
    }
}

#[test]
fn every_key_is_used() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut source = String::new();
    read(&root.join("src"), &mut source);
    read(&root.join("templates"), &mut source);
    let is_used = |key: &str| {
        // whole, or its stem before a value put in
        let mut stems = key.match_indices('-').map(|(at, _)| &key[..at]);
        source.contains(&format!("\"{key}\""))
            || stems
                .any(|stem| source.contains(&format!("\"{stem}-{{")) || source.contains(&format!("known(\"{stem}\"")))
    };
    let unused: Vec<String> = keys(Language::ZhTw)
        .into_iter()
        .filter(|key| {
            !["office-", "counter-", "programme-"]
                .iter()
                .any(|own| key.starts_with(own))
                && !is_used(key)
        })
        .collect();
    assert!(unused.is_empty(), "{unused:?}");
}
