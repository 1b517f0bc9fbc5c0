//! Normalisation, case by case, in `normalise.toml`.

use linkage::{Column, Kind, fold_variants, normalised, pinyin_key};
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Cases {
    normalised: Vec<Normalised>,
    same: Vec<Same>,
}

#[derive(Deserialize)]
struct Normalised {
    kind: Kind,
    format: Option<String>,
    given: String,
    expect: String,
}

#[derive(Deserialize)]
struct Same {
    by: String,
    one: String,
    other: String,
    same: bool,
}

fn column(kind: Kind, format: Option<String>) -> Column {
    Column {
        name: "value".to_owned(),
        from: vec!["value".to_owned()],
        kind,
        format,
    }
}

#[test]
fn every_case_holds() {
    let cases: Cases = toml::from_str(include_str!("normalise.toml")).expect("the cases are sound");
    for case in cases.normalised {
        let found = normalised(&case.given, &column(case.kind, case.format)).replace('\u{1f}', "/");
        assert_eq!(found, case.expect, "{:?} {}", case.kind, case.given);
    }
    for case in cases.same {
        let key = |text: &str| match case.by.as_str() {
            "variant" => fold_variants(text).into_owned(),
            "pinyin" => pinyin_key(text),
            by => normalised(text, &column(toml_kind(by), None)).into_owned(),
        };
        assert_eq!(
            key(&case.one) == key(&case.other),
            case.same,
            "{} {} {}",
            case.by,
            case.one,
            case.other
        );
    }
}

fn toml_kind(name: &str) -> Kind {
    #[derive(Deserialize)]
    struct Named {
        kind: Kind,
    }
    toml::from_str::<Named>(&format!("kind = \"{name}\""))
        .expect("a kind")
        .kind
}

proptest! {
    /// What is normalised stays as it is, whatever was typed.
    #[test]
    fn once_is_enough(text in "\\PC{0,24}") {
        for kind in [Kind::Text, Kind::Name, Kind::Romanised, Kind::Date, Kind::Id] {
            let column = column(kind, None);
            let once = normalised(&text, &column).into_owned();
            prop_assert_eq!(normalised(&once, &column).into_owned(), once.clone(), "{:?}", kind);
        }
        let folded = fold_variants(&text).into_owned();
        prop_assert_eq!(fold_variants(&folded).into_owned(), folded.clone());
        prop_assert!(pinyin_key(&text).is_ascii());
    }
}
