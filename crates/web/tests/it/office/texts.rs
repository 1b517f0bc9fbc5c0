//! The words of the office: complete in both languages, all of them used, and the ones that matter as they stand.

use std::collections::BTreeSet;
use std::path::Path;

use cases::Role;
use civic::Language;
use expect_test::expect;
use web::texts::{Words, keys};

use crate::town::Town;

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

fn office(language: Language) -> BTreeSet<String> {
    keys(language)
        .into_iter()
        .filter(|key| key.starts_with("office-"))
        .collect()
}

#[test]
fn both_languages_have_the_same_keys() {
    assert_eq!(office(Language::ZhTw), office(Language::En));
    assert!(office(Language::En).len() > 300);
}

#[test]
fn every_key_is_used_and_every_used_key_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut source = String::new();
    read(&root.join("src/office"), &mut source);
    read(&root.join("templates/office"), &mut source);
    // a key stands whole, or its stem before a value put in
    let is_used = |key: &str| {
        let stems = key.match_indices('-').map(|(at, _)| &key[..=at]);
        source.contains(&format!("\"{key}\""))
            || stems.into_iter().any(|stem| source.contains(&format!("\"{stem}{{")))
            || key
                .strip_suffix("-text")
                .is_some_and(|stem| source.contains(&format!("\"{stem}\"")))
    };
    let known = office(Language::ZhTw);
    let unused: Vec<&String> = known
        .iter()
        // the page after an act names what was done by a word of the address
        .filter(|key| {
            !key.strip_prefix("office-done-")
                .is_some_and(|word| source.contains(&format!("\"{word}\"")) || source.contains(&format!("done={word}")))
        })
        .filter(|key| key.starts_with("office-done-") || !is_used(key))
        .collect();
    assert!(unused.is_empty(), "{unused:?}");
    let missing: BTreeSet<&str> = source
        .split('"')
        .filter(|text| text.starts_with("office-") && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'))
        .filter(|text| !known.contains(*text) && !class(text))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// Names of the style sheet, which begin with the same word.
fn class(name: &str) -> bool {
    let sheet = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/office.css")).unwrap();
    sheet.contains(&format!(".{name}"))
}

#[test]
fn what_an_officer_is_told() {
    let words = Words::new(Language::ZhTw);
    let english = Words::new(Language::En);
    let keys = [
        "office-conflict-text",
        "office-batch-own",
        "office-error-not-eligible",
        "office-sign-in-wrong",
        "office-kpi-satisfaction-formula",
        "office-report-repeated-text",
    ];
    let told: String = keys
        .iter()
        .map(|key| format!("{}\n{}\n", words.t(key), english.t(key)))
        .collect();
    expect![[r#"
        您打開之後，這筆資料已經有了變動，剛剛的動作沒有執行。請重新打開，看過最新的內容再決定。
        This has changed since you opened it, so nothing was done. Open it again, look at it, then decide.
        這份清冊是您製作的，要由另一位同仁核對後放行。
        You made this batch. A colleague has to check and release it.
        規則沒有判斷為符合，不能核准。可以通知補正，或否准。
        The rules don’t say eligible, so it can’t be approved. Ask for a correction, or refuse.
        帳號、密碼或驗證碼不對。請等下一個驗證碼出現，再試一次。
        Account, password or code is wrong. Wait for the next code, then try again.
        （5×非常滿意＋4×滿意＋3×普通＋2×不滿意＋1×非常不滿意）÷ 全部回答；最低 1，最高 5
        (5 × very satisfied + 4 × satisfied + 3 × neutral + 2 × dissatisfied + 1 × very dissatisfied) ÷ all answers; from 1 to 5
        沒有任何變動。
        Nothing has changed.
    "#]]
    .assert_eq(&told);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_speak_english_too() {
    let town = Town::new().await;
    let id = town.submitted(1).await;
    let (_, mut officer) = town.on_duty("lin", Role::Officer).await;
    officer.in_english();
    officer
        .get("/office")
        .await
        .has("lang=\"en\"")
        .has("1 case, by legal deadline")
        .has("22 working days left")
        .has("2025-12-22");
    officer
        .get(&format!("/office/cases/{}", id.uuid()))
        .await
        .has("The rules say: eligible")
        .has("NT$8,329")
        .lacks("office-case-");
    officer.get("/office/indicators").await.has("Documents saved");
}
