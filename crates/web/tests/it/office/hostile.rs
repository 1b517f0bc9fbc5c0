//! What no browser of ours would send.

use axum::http::Method;
use cases::{Role, State};
use proptest::prelude::*;
use uuid::Uuid;
use web::visit::Who;

use crate::kindergarten::OFFICE;
use crate::town::Town;

#[tokio::test(flavor = "multi_thread")]
async fn addresses_that_name_nothing_find_nothing() {
    let town = Town::new().await;
    let (_, mut officer) = town.on_duty("lin", Role::Officer).await;
    let nothing = Uuid::new_v4();
    for path in [
        "/office/cases/1",
        "/office/cases/'%20OR%201=1",
        "/office/cases/%F0%9F%92%A9",
        "/office/cases/..%2f..%2fadmin",
        "/office/nothing",
    ] {
        officer.get(path).await.is(404);
    }
    officer.get(&format!("/office/cases/{nothing}")).await.is(404);
    officer
        .get(&format!("/office/cases/{nothing}/letters/{nothing}"))
        .await
        .is(404);
    officer.get("/office").await;
    officer
        .post(&format!("/office/cases/{nothing}/explode"), &[("revision", "1")])
        .await
        .is(404);
    officer
        .post(&format!("/office/cases/{nothing}/approve"), &[("revision", "1")])
        .await
        .is(404);
    officer
        .post(&format!("/office/cases/{nothing}/preview/other"), &[])
        .await
        .is(404);
    let (_, mut cashier) = town.on_duty("pay", Role::Cashier).await;
    cashier.get("/office/payments").await;
    cashier
        .get(&format!("/office/payments/batches/{nothing}"))
        .await
        .is(404);
    cashier
        .post(&format!("/office/payments/batches/{nothing}/release"), &[])
        .await
        .is(404);
    cashier
        .post(&format!("/office/payments/items/{nothing}/retry"), &[])
        .await
        .is(404);
    cashier.post("/office/payments/items/x/retry", &[]).await.is(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_queries_and_forms_break_nothing() {
    let town = Town::new().await;
    let id = town.submitted(1).await;
    let (_, mut officer) = town.on_duty("lin", Role::Officer).await;
    for query in [
        "page=-1",
        "page=99999999999999999999",
        "page=1e9",
        "state=disposed&holder=%00&finding=%27%3B--",
        "number=%25%25&service=..%2F..",
        "taken=99999999999&missed=x",
        "done=%3Cscript%3E",
    ] {
        officer.get(&format!("/office?{query}")).await.is(200).lacks("<script>");
    }
    officer.get("/office?page=1&page=2").await.is(422);
    officer
        .get("/office?number=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
        .await
        .is(200)
        .lacks("<script>alert");
    let here = format!("/office/cases/{}", id.uuid());
    officer.get(&format!("{here}?done=%3Cb%3E")).await.is(200).lacks("<b>");
    for revision in ["", "x", "-1", "99999999999999999999"] {
        let status = officer
            .post(&format!("{here}/take"), &[("revision", revision)])
            .await
            .status
            .as_u16();
        assert!([409, 422].contains(&status), "{revision}: {status}");
    }
    for take in ["", ":", "x:1", "1", &format!("{}:x", id.uuid())] {
        let page = officer.post("/office/take", &[("take", take)]).await;
        assert!([404, 422].contains(&page.status.as_u16()), "{take}: {}", page.status);
    }
    let many: Vec<(&str, &str)> = std::iter::repeat_n(("take", "x:1"), 201).collect();
    officer.post("/office/take", &many).await.is(422);
    officer.post("/office/take", &[]).await.is(303);
    let page = officer.post("/office/take", &[("back", "//evil.example")]).await;
    assert!(page.location.starts_with("/office?"), "{}", page.location);
    officer
        .post(&format!("{here}/take"), &[("revision", &"9".repeat(300_000))])
        .await
        .is(413);
    assert_eq!(town.kit.row(id).await.state, State::Submitted);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_without_the_sessions_token_does_nothing() {
    let town = Town::new().await;
    let id = town.submitted(1).await;
    let (_, mut officer) = town.on_duty("lin", Role::Officer).await;
    let (_, mut other) = town.on_duty("wang", Role::Officer).await;
    other.get("/office").await;
    let revision = town.kit.revision(id).await.to_string();
    for token in [String::new(), "x".to_owned(), other.token.clone()] {
        officer.token.clone_from(&token);
        officer
            .post(&format!("/office/cases/{}/take", id.uuid()), &[("revision", &revision)])
            .await
            .is(403);
        // the page of the refusal has a form with the right token, which the browser would take over
        officer.token = token;
        officer.post("/office/sign-out", &[]).await.is(403);
    }
    assert_eq!(town.kit.row(id).await.state, State::Submitted);
    officer.get("/office").await.is(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_officer_types_is_shown_as_text() {
    let town = Town::new().await;
    let id = town.submitted(1).await;
    let (_, mut officer) = town.on_duty("lin", Role::Officer).await;
    let here = format!("/office/cases/{}", id.uuid());
    officer.get(&here).await;
    let revision = town.kit.revision(id).await.to_string();
    officer
        .post(&format!("{here}/take"), &[("revision", &revision)])
        .await
        .is(303);
    let text = "</textarea><script>alert(1)</script>#eval(\"1\")";
    let revision = town.kit.revision(id).await.to_string();
    let preview = officer
        .post(
            &format!("{here}/preview/refuse"),
            &[("revision", &revision), ("reasons", text)],
        )
        .await;
    assert!(preview.is(200).bytes.starts_with(b"%PDF"));
    let page = officer
        .post(&format!("{here}/refuse"), &[("revision", &revision), ("reasons", text)])
        .await;
    officer.follow(&page).await.is(200).lacks("<script>alert");
}

/// Names the forms of the office have, and others.
fn name() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "one", "take", "back", "note", "reasons", "message", "field", "days", "service", "month", "batch", "seed",
        "revision", "account", "password", "code", "return",
    ]);
    prop_oneof![
        4 => known.prop_map(str::to_owned),
        1 => "[a-z_.0-9]{0,24}",
        1 => "\\PC{0,8}",
    ]
}

fn value() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "senior-allowance",
        "2025-11",
        "14",
        "account",
        "0000-13",
        "-1",
        "lin",
    ]);
    prop_oneof![
        known.prop_map(str::to_owned),
        "\\PC{0,40}",
        ".{0,20}",
        "-?[0-9]{0,30}",
        Just("x".repeat(70_000)),
    ]
}

#[test]
fn no_form_breaks_a_page_of_the_office() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let (browsers, id, town) = runtime.block_on(async {
        let town = Town::new().await;
        let id = town.submitted(1).await;
        let mut browsers = Vec::new();
        for role in Role::ALL {
            let staff = town.kit.staff(role.word(), role).await;
            browsers.push(town.signed_in(Who::Staff(staff.id)).await);
        }
        (browsers, id, town)
    });
    let case = format!("/office/cases/{id}");
    let mut pages = vec![
        "/office/take".to_owned(),
        "/office/sign-in".to_owned(),
        "/office/payments/prepare".to_owned(),
        "/office/payments/batch".to_owned(),
        "/office/payments/report".to_owned(),
        "/office/audit/verify".to_owned(),
        format!("{OFFICE}/seal"),
        format!("{OFFICE}/draw"),
    ];
    for act in [
        "take",
        "approve",
        "refuse",
        "correction",
        "undo",
        "assign",
        "preview/refuse",
        "preview/approve",
    ] {
        pages.push(format!("{case}/{act}"));
    }
    let who = 0..browsers.len();
    let fields = prop::collection::vec((name(), value()), 0..8);
    let mut config = ProptestConfig::with_cases(64);
    config.failure_persistence = None;
    proptest!(config, |(who in who, page in prop::sample::select(pages), fields in fields, raw in prop::collection::vec(any::<u8>(), 0..200))| {
        let mut browser = browsers[who].clone();
        let statuses = runtime.block_on(async {
            let revision = town.kit.revision(id).await.to_string();
            let mut all = vec![("revision", revision.as_str())];
            all.extend(fields.iter().map(|(name, value)| (&**name, &**value)));
            let first = browser.post(&page, &all).await.status;
            let second = browser.upload(&page, "file", &raw).await.status;
            let kind = Some("application/x-www-form-urlencoded");
            let third = browser.send(Method::POST, &page, kind, raw).await.status;
            [first, second, third]
        });
        for status in statuses {
            prop_assert!(status.as_u16() < 500, "{page}: {status}");
        }
    });
}
