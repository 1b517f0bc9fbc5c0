//! What no browser of ours would send.

use cases::{Role, State};
use uuid::Uuid;

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
        officer.token = token;
        officer
            .post(&format!("/office/cases/{}/take", id.uuid()), &[("revision", &revision)])
            .await
            .is(403);
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
