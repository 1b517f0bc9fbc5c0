//! What people mistype, and what no browser of ours would send.

use axum::http::Method;
use cases::{collect, review};
use proptest::prelude::*;
use web::visit::Who;

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
    // the summary leads to the boxes, where typing begins
    for name in ["members.p1.national_id", "members.p1.birth_date.year"] {
        let link = html
            .all("a")
            .into_iter()
            .any(|link| link.attr("href") == format!("#{name}"));
        assert!(link, "nothing leads to `{name}`");
        let target = form.controls().into_iter().find(|control| control.attr("id") == name);
        assert_eq!(target.map(|control| control.attr("name")), Some(name));
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
    let here = format!("/applications/{id}");
    // an address needs a number
    let address = format!("民生路1號{SCRIPT}");
    for (page, field, text) in [
        ("form/person.p1", "members.p1.name", SCRIPT),
        ("form/contact", "registered_address", &address),
    ] {
        let shown = browser.get(&format!("{here}/{page}?from=check")).await;
        shown.is(200);
        browser.submit(&shown, page, &[(field, text)]).await.is(303);
        browser
            .get(&format!("{here}/{page}"))
            .await
            .is(200)
            .lacks("<script>alert");
    }
    let check = browser.get(&format!("{here}/check")).await;
    check
        .is(200)
        .lacks("<script>alert")
        .has(">&#60;script&#62;alert(1)")
        .has("民生路1號&#60;script&#62;alert(1)");
    browser.submit(&check, "/check", &[]).await.is(303);
    for path in [
        here.as_str(),
        &format!("{here}/done"),
        &format!("{here}/withdraw"),
        "/applications",
        "/my-data",
    ] {
        browser.get(path).await.is(200).lacks("<script>alert");
    }

    // and in the office, and what the office writes, back on the resident's page
    let officer = town.kit.officer().await;
    let mut office = town.signed_in(Who::Staff(officer.id)).await;
    office.get("/office").await.is(200).lacks("<script>alert");
    let case = format!("/office/cases/{id}");
    let shown = office.get(&case).await;
    shown.is(200).lacks("<script>alert").has("&#60;script&#62;alert(1)");
    review::take(&town.kit.desk, &officer, id, town.kit.revision(id).await)
        .await
        .unwrap();
    let due = town.kit.desk.today().saturating_add(jiff::Span::new().days(14));
    let revision = town.kit.revision(id).await;
    review::request_correction(&town.kit.desk, &officer, id, revision, SCRIPT, due)
        .await
        .unwrap();
    for path in [here.as_str(), &format!("{here}/check"), &format!("{here}/form/payment")] {
        browser.get(path).await.is(200).lacks("<script>alert");
    }
    browser.get(&here).await.has("&#60;script&#62;alert(1)");
    office.get(&case).await.is(200).lacks("<script>alert");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comment_that_is_too_long_comes_back_as_text() {
    let town = Town::new().await;
    let officer = town.kit.officer().await;
    let (person, mut browser) = town.resident(1).await;
    let id = town.kit.completed(&person, &officer).await;
    let page = browser.get(&format!("/applications/{id}/survey")).await;
    let text = format!("</textarea>{SCRIPT}{}", "長".repeat(1001));
    let page = browser
        .submit(&page, "/survey", &[("grade", "3"), ("comment", &text)])
        .await;
    page.is(422).lacks("<script>alert");
    let html = page.html();
    let form = html.form("/survey");
    assert_eq!((form.value("grade"), form.value("comment")), ("3".to_owned(), text));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_in_an_address_is_shown_as_text() {
    let town = Town::new().await;
    let (person, mut browser) = town.resident(1).await;
    let id = town.kit.filled(&person).await.id;
    let odd: String = url::form_urlencoded::byte_serialize(format!("\"><i>{SCRIPT}").as_bytes()).collect();
    for path in [
        format!("/{odd}"),
        format!("/?a={odd}"),
        format!("/services/{odd}"),
        format!("/sign-in?return={odd}"),
        format!("/sign-in?return=/{odd}"),
        format!("/sign-in/return?error={odd}&error_description={odd}"),
        format!("/mydata/return?tx_id={odd}&code={odd}"),
        format!("/help?return={odd}"),
        format!("/rounds/{odd}/{odd}"),
        format!("/rounds/kindergarten/{odd}"),
        format!("/applications/{id}/form/person.p1?from={odd}"),
        format!("/applications/{id}/form/members?from={odd}"),
        format!("/applications/{id}/form/{odd}"),
        format!("/applications/{odd}"),
        format!("/applications/{id}/letters/{odd}"),
        format!("/office/sign-in?return={odd}"),
    ] {
        let page = browser.get(&path).await;
        assert!(page.status.as_u16() < 500 || page.status.as_u16() == 503, "{path}");
        page.lacks("<script>alert").lacks("\"><i>");
        assert!(!page.location.contains('<'), "{path} leads to {}", page.location);
    }
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
        "wallet",
        "card",
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

/// Names a form of ours has, and others.
fn name() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "act",
        "region",
        "listed_status",
        "members",
        "members.p1.name",
        "members.p1.national_id",
        "members.p1.birth_date",
        "members.p1.birth_date.year",
        "members.p1.work_income",
        "members.p9.name",
        "account",
        "account.bank",
        "account.account",
        "phone",
        "email",
        "registered_address",
        "grade",
        "comment",
        "revision",
        "_from",
        "_field",
        "_revision",
        "_form_token",
    ]);
    prop_oneof![
        4 => known.prop_map(str::to_owned),
        1 => "[a-z_.0-9]{0,24}",
        1 => "\\PC{0,8}",
    ]
}

/// Values as people type them, and as nobody does.
fn value() -> impl Strategy<Value = String> {
    let known = [
        "add",
        "remove:p2",
        "remove:",
        "check",
        "taichung",
        "members.p1.name",
        "account",
        "5",
        "700",
    ];
    prop_oneof![
        prop::sample::select(known.to_vec()).prop_map(str::to_owned),
        "\\PC{0,40}",
        ".{0,20}",
        "-?[0-9]{0,30}",
        Just("x".repeat(70_000)),
    ]
}

#[test]
fn no_form_breaks_a_page() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let (browser, id, town) = runtime.block_on(async {
        let town = Town::new().await;
        let (person, browser) = town.resident(1).await;
        let id = town.kit.opened(&person).await;
        (browser, id, town)
    });
    let pages = prop::sample::select(vec![
        "notice",
        "form/members",
        "form/person.p1",
        "form/person.p2",
        "form/region",
        "form/income.p1",
        "form/contact",
        "form/payment",
        "check",
        "correct",
        "withdraw",
        "survey",
        "account",
        "tickets/00000000-0000-0000-0000-000000000000/accept",
    ]);
    let fields = prop::collection::vec((name(), value()), 0..8);
    let mut config = ProptestConfig::with_cases(128);
    config.failure_persistence = None;
    proptest!(config, |(page in pages, fields in fields, shown in prop::collection::vec(name(), 0..3), raw in prop::collection::vec(any::<u8>(), 0..200))| {
        let mut browser = browser.clone();
        let statuses = runtime.block_on(async {
            let path = format!("/applications/{id}/{page}");
            let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
            let first = browser.post(&path, &fields).await.status;
            let kind = Some("application/x-www-form-urlencoded");
            let second = browser.send(Method::POST, &path, kind, raw.clone()).await.status;
            // with what our own page would have written, so that the rest is read
            let row = town.kit.row(id).await;
            let (revision, token) = (row.revision.to_string(), row.form_token.unwrap_or_default().to_string());
            let mut all = vec![("_revision", revision.as_str()), ("_form_token", token.as_str())];
            all.extend(shown.iter().map(|key| ("_field", key.as_str())));
            all.extend(fields);
            let third = browser.post(&path, &all).await.status;
            let kind = Some("multipart/form-data; boundary=x");
            let fourth = browser.send(Method::POST, &path, kind, raw).await.status;
            let shown = browser.get(&format!("/applications/{id}/check")).await.status;
            [first, second, third, fourth, shown]
        });
        for status in statuses {
            prop_assert!(status.as_u16() < 500, "{page}: {status}");
        }
    });
}
