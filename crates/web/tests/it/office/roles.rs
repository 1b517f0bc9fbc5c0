//! Signing in, and each page as each role.

use cases::Role;
use jiff::SignedDuration;
use uuid::Uuid;

use crate::town::Town;

const WRONG: &str = "帳號、密碼或驗證碼不對";

#[tokio::test(flavor = "multi_thread")]
async fn each_page_is_for_its_roles() {
    use Role::{Administrator, Auditor, Cashier, Officer, Supervisor, VillageOfficer};
    let town = Town::new().await;
    let id = town.submitted(1).await;
    let case = format!("/office/cases/{}", id.uuid());
    let pages: [(&str, &[Role]); 8] = [
        ("/office", &[Officer, Supervisor]),
        (&case, &[Officer, Supervisor]),
        ("/office/load", &[Supervisor]),
        ("/office/payments", &[Cashier]),
        ("/office/indicators", &[Officer, Supervisor, Cashier, Auditor]),
        ("/office/audit", &[Auditor]),
        ("/office/admin", &[Administrator]),
        ("/office/assist", &[VillageOfficer]),
    ];
    for role in Role::ALL {
        let (_, mut browser) = town.on_duty(role.word(), role).await;
        for (page, allowed) in pages {
            let answer = browser.get(page).await;
            let expected = if allowed.contains(&role) { 200 } else { 403 };
            assert_eq!(answer.status.as_u16(), expected, "{page} as {}", role.word());
            if expected == 200 {
                answer
                    .has("<h1")
                    .has(&format!("{} 先生", role.word()))
                    .lacks(">office-")
                    .lacks("\"office-nav");
            }
        }
        // what is sent is guarded like what is shown
        let acts: [(&str, &[Role]); 4] = [
            ("/office/payments/prepare", &[Cashier]),
            ("/office/payments/batch", &[Cashier]),
            ("/office/audit/verify", &[Auditor]),
            (&format!("{case}/preview/approve"), &[Officer, Supervisor]),
        ];
        for (act, allowed) in acts {
            let answer = browser
                .post(act, &[("service", "senior-allowance"), ("month", "2025-11")])
                .await;
            assert_eq!(
                answer.status.as_u16() == 403,
                !allowed.contains(&role),
                "{act} as {}: {}",
                role.word(),
                answer.status
            );
        }
        let work = format!("/office/admin/tasks/{}/retry", Uuid::new_v4());
        let expected = if role == Administrator { 409 } else { 403 };
        browser.post(&work, &[]).await.is(expected);
    }
    let mut nobody = town.browser();
    for (page, _) in pages {
        let answer = nobody.get(page).await;
        answer.is(303);
        assert!(
            answer.location.starts_with("/office/sign-in"),
            "{page}: {}",
            answer.location
        );
    }
    nobody.post("/office/take", &[]).await.is(303);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cashier_of_another_office_decides_no_case() {
    let town = Town::new().await;
    let id = town.submitted(1).await;
    let (_, mut browser) = town.on_duty("cashier", Role::Cashier).await;
    browser.get("/office/payments").await.is(200);
    browser
        .post(&format!("/office/cases/{}/take", id.uuid()), &[("revision", "1")])
        .await
        .is(403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_needs_all_three_and_makes_a_new_session() {
    let town = Town::new().await;
    town.kit.staff("lin", Role::Officer).await;
    let mut browser = town.browser();
    let code = town.code();
    for (account, password, code) in [
        ("lin", "a wrong password here", code.as_str()),
        ("lin", "a long enough password", "000000"),
        ("nobody", "a long enough password", code.as_str()),
        ("", "", ""),
    ] {
        let page = browser.sign_in(account, password, code).await;
        page.is(422).has(WRONG).lacks(password_shown(password));
    }
    let before = browser.session();
    let page = browser.sign_in("LIN", "a long enough password", &code).await;
    page.is(303);
    assert_eq!(page.location, "/office");
    assert_ne!(
        browser.session(),
        before,
        "the session from before the sign-in must not live on"
    );
    browser.get("/office").await.is(200);

    // the code was used
    let mut other = town.browser();
    other
        .sign_in("lin", "a long enough password", &code)
        .await
        .is(422)
        .has(WRONG);

    browser.get("/office").await;
    browser.post("/office/sign-out", &[]).await.is(303);
    browser.get("/office").await.is(303);
}

/// A password of the form must never come back in a page; the empty one is everywhere.
fn password_shown(password: &str) -> &str {
    if password.is_empty() {
        "value=\"a long enough password\""
    } else {
        password
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_wrong_attempts_lock_the_account_for_a_while() {
    let town = Town::new().await;
    town.kit.staff("lin", Role::Officer).await;
    let mut browser = town.browser();
    for _ in 0..5 {
        browser.sign_in("lin", "a wrong password here", "000000").await.is(422);
    }
    let page = browser.sign_in("lin", "a long enough password", &town.code()).await;
    page.is(429).has("錯誤次數太多").has("民國114年11月20日");
    town.kit.clock.advance(SignedDuration::from_mins(6));
    browser
        .sign_in("lin", "a long enough password", &town.code())
        .await
        .is(303);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_leads_back_into_the_office_only() {
    let town = Town::new().await;
    for (account, back, to) in [
        ("a", "/office/audit", "/office/audit"),
        ("b", "https://evil.example/", "/office"),
        ("c", "//evil.example/office", "/office"),
        ("d", "/applications", "/office"),
        ("e", "/office/../applications", "/office"),
        ("f", "/office\\evil", "/office"),
    ] {
        town.kit.staff(account, Role::Officer).await;
        let mut browser = town.browser();
        browser.get("/office/sign-in").await;
        let code = town.code();
        let fields = [
            ("account", account),
            ("password", "a long enough password"),
            ("code", code.as_str()),
            ("return", back),
        ];
        let page = browser.post("/office/sign-in", &fields).await;
        page.is(303);
        assert_eq!(page.location, to, "{back}");
    }
}
