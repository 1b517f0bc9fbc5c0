//! The words of the counter: the same keys in both languages, and all of them used.

use std::path::Path;

use civic::Language;
use web::texts::keys;

fn read(folder: &Path, all: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, all);
        } else {
            all.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_word_is_there_twice_and_used() {
    let of = |language| -> Vec<String> {
        let keys = keys(language).into_iter();
        keys.filter(|key| key.starts_with("counter-")).collect()
    };
    let known = of(Language::ZhTw);
    assert_eq!(known, of(Language::En));
    assert!(known.len() > 80);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut source = String::new();
    read(&root.join("src/counter"), &mut source);
    read(&root.join("templates/counter"), &mut source);
    let unused: Vec<&String> = known
        .iter()
        .filter(|key| {
            let whole = source.contains(&format!("\"{key}\""));
            let stem = key
                .match_indices('-')
                .skip(1)
                .any(|(at, _)| source.contains(&format!("\"{}{{", &key[..=at])));
            // a hint stands beside its field's key
            let hint = key
                .strip_suffix("-hint")
                .is_some_and(|stem| source.contains(&format!("\"{stem}\"")));
            !whole && !stem && !hint
        })
        .collect();
    assert!(unused.is_empty(), "{unused:?}");
}
