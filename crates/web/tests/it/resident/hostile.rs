//! What people mistype, and what no browser of ours would send.

use axum::http::Method;
use cases::collect;
use proptest::prelude::*;

use crate::town::Town;

const SCRIPT: &str = "<script>alert(1)</script>\"'>&amp;";

#[tokio::test(flavor = "multi_thread")]
async fn a_mistyped_page_keeps_what_was_typed_and_names_the_field() {
    let town = Town::new().await;
    let (person, mut browser) = town.resident(1).await;
    let id = town.kit.opened(&person).await;
    let page = browser.get(&format!("/applications/{id}/form/person.p1")).await;
    page.is(200);
    let typed = [
        ("members.p1.name", "林阿梅 <b>"),
        ("members.p1.national_id", "A123456780"),
        ("members.p1.birth_date.year", "38"),
        ("members.p1.birth_date.month", "13"),
        ("members.p1.birth_date.day", "5"),
    ];
    let page = browser.submit(&page, "person.p1", &typed).await;
    page.is(422);
    let html = page.html();
    let form = html.form("person.p1");
    for (name, value) in typed {
        assert_eq!(form.value(name), value);
    }
    // the summary leads to the fields
    for key in ["members.p1.national_id", "members.p1.birth_date"] {
        let link = html
            .all("a")
            .into_iter()
            .any(|link| link.attr("href").starts_with(&format!("#{key}")));
        assert!(link, "nothing leads to `{key}`");
    }
    let draft = collect::draft(&town.kit.desk, &person, id).await.unwrap();
    assert_ne!(
        draft
            .answers
            .value("members.p1.national_id")
            .and_then(|value| value.as_str()),
        Some("A123456780")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_resident_types_is_shown_as_text_everywhere() {
    let town = Town::new().await;
    let (person, mut browser) = town.resident(1).await;
    let id = town.kit.filled(&person).await.id;
    let page = browser
        .get(&format!("/applications/{id}/form/person.p1?from=check"))
        .await;
    page.is(200);
    browser
        .submit(&page, "person.p1", &[("members.p1.name", SCRIPT)])
        .await
        .is(303);
    for path in [
        format!("/applications/{id}/check"),
        format!("/applications/{id}/form/person.p1"),
        "/applications".to_owned(),
    ] {
        browser.get(&path).await.is(200).lacks("<script>alert");
    }
    browser
        .get(&format!("/applications/{id}/check"))
        .await
        .has("&#60;script&#62;alert(1)");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_without_the_sessions_token_changes_nothing() {
    let town = Town::new().await;
    let (person, mut browser) = town.resident(1).await;
    let id = town.kit.begun(&person).await;
    let kind = Some("application/x-www-form-urlencoded");
    for page in [
        "notice",
        "mydata",
        "form/region",
        "check",
        "correct",
        "withdraw",
        "account",
        "survey",
    ] {
        for body in ["", "_token=", "_token=00000000", "region=taichung"] {
            let path = format!("/applications/{id}/{page}");
            browser
                .send(Method::POST, &path, kind, body.as_bytes().to_vec())
                .await
                .is(403);
        }
    }
    let start = "/services/senior-allowance/start";
    browser.send(Method::POST, start, kind, Vec::new()).await.is(403);
    let draft = collect::draft(&town.kit.desk, &person, id).await.unwrap();
    assert!(!draft.agreed && draft.revision == 1);
}

#[test]
fn no_form_breaks_a_page() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let (browser, id, _town) = runtime.block_on(async {
        let town = Town::new().await;
        let (person, browser) = town.resident(1).await;
        let id = town.kit.opened(&person).await;
        // the town's folder must outlive the browser
        (browser, id, town)
    });
    let name = prop_oneof![
        "[a-z_.0-9]{0,24}",
        Just("members.p1.birth_date.year".to_owned()),
        Just("members.p9.name".to_owned()),
        Just("_field".to_owned()),
        Just("_revision".to_owned()),
        Just("_form_token".to_owned()),
        "\\PC{0,8}",
    ];
    let value = prop_oneof!["\\PC{0,40}", ".{0,20}", "-?[0-9]{0,30}", Just("x".repeat(70_000))];
    let page = prop_oneof![
        Just("form/person.p1"),
        Just("form/region"),
        Just("form/payment"),
        Just("check"),
        Just("withdraw"),
        Just("survey"),
        Just("account"),
        Just("correct"),
    ];
    let fields = prop::collection::vec((name, value), 0..8);
    let mut config = ProptestConfig::with_cases(64);
    config.failure_persistence = None;
    proptest!(config, |(page in page, fields in fields, raw in prop::collection::vec(any::<u8>(), 0..200))| {
        let mut browser = browser.clone();
        let statuses = runtime.block_on(async {
            let path = format!("/applications/{id}/{page}");
            let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
            let first = browser.post(&path, &fields).await.status;
            let kind = Some("application/x-www-form-urlencoded");
            let second = browser.send(Method::POST, &path, kind, raw).await.status;
            [first, second]
        });
        for status in statuses {
            prop_assert!(status.as_u16() < 500, "{page}: {status}");
        }
    });
}
