//! The counter's pages as a clerk uses them, without script: wrong input, what is kept, and who gets nothing.

mod texts;

use cases::Role;

use crate::kit::national_id;
use crate::town::{Browser, Page, Town};

fn document(number: u32) -> Vec<(&'static str, String)> {
    vec![
        ("shown", "national_id_card".to_owned()),
        ("national_id", national_id(number).reveal().to_owned()),
        ("name", format!("林阿梅{number}")),
        ("birth_date.year", "39".to_owned()),
        ("birth_date.month", "3".to_owned()),
        ("birth_date.day", "15".to_owned()),
    ]
}

async fn begin(browser: &mut Browser, fields: &[(&'static str, String)]) -> Page {
    browser.get("/counter").await.is(200);
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    browser.post("/counter", &fields).await
}

/// A clerk who serves the person of this number.
async fn serving(town: &Town, account: &str, number: u32) -> Browser {
    let (_, mut browser) = town.on_duty(account, Role::Clerk).await;
    let page = begin(&mut browser, &document(number)).await;
    browser.follow(&page).await.is(200).has("林阿梅");
    browser
}

/// The service opened and agreed to; gives the address of the application and the dense form.
async fn opened(browser: &mut Browser) -> (String, Page) {
    let page = browser.post("/counter/open", &[("service", "senior-allowance")]).await;
    let address = page.location.trim_end_matches("/notice").to_owned();
    browser.follow(&page).await.is(200);
    let page = browser.post(&format!("{address}/notice"), &[]).await;
    // the code is offered first
    assert_eq!(page.location, format!("{address}/mydata"));
    browser.follow(&page).await.is(200);
    let form = browser.get(&address).await;
    form.is(200);
    (address, form)
}

/// Fills what the screen asks until nothing is left; gives the last answer.
async fn fill(browser: &mut Browser, address: &str) -> Page {
    for _ in 0..12 {
        let form = browser.get(address).await;
        form.is(200);
        let text = form.text();
        let complete = text.contains("value=\"complete\"");
        let keys: Vec<String> = text
            .split("name=\"_field\" value=\"")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap().to_owned())
            .collect();
        let html = form.html();
        let sent = html.form(address).sent();
        // what is known stays as it stands
        let is_empty = |key: &String| {
            let part = format!("{key}.");
            let mut values = sent.iter().filter(|(name, _)| name == key || name.starts_with(&part));
            values.all(|(_, value)| value.is_empty())
        };
        let asked: Vec<String> = keys.into_iter().filter(is_empty).collect();
        let typed = crate::kit::typed(&asked);
        let mut fields: Vec<(&str, &str)> = vec![("act", if complete { "complete" } else { "save" })];
        for (name, values) in typed.iter().filter(|(name, _)| name.as_str() != "_field") {
            fields.extend(values.iter().map(|value| (name.as_str(), value.as_str())));
        }
        let page = browser.submit(&form, address, &fields).await;
        page.is(303);
        if page.location.ends_with("/summary") {
            return page;
        }
    }
    panic!("the form does not end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clerk_serves_a_person_from_the_document_to_the_receipt() {
    let town = Town::new().await;
    let mut clerk = serving(&town, "clerk", 1).await;
    let (address, form) = opened(&mut clerk).await;
    // keyboard: the first button saves, every part has a key, what is known says where from
    form.has("accesskey=\"s\"").has("accesskey=\"1\"").has("證件或帳號");
    form.lacks("type=\"file\"");
    let page = fill(&mut clerk, &address).await;
    let page = clerk.follow(&page).await;
    page.is(200).lacks("name=\"signed\"");
    let printed = clerk.submit(&page, "/summary", &[]).await;
    let page = clerk.follow(&printed).await;
    let pdf = page.between(&format!("href=\"{address}/summary/"), "\"");
    let sheet = clerk.get(&format!("{address}/summary/{pdf}")).await;
    assert_eq!((sheet.status.as_u16(), sheet.kind.as_str()), (200, "application/pdf"));
    let unsigned = clerk.submit(&page, "/submit", &[]).await;
    unsigned.is(422).has("已經簽名");
    let sent = clerk.submit(&page, "/submit", &[("signed", "yes")]).await;
    clerk.follow(&sent).await.is(200).has("114-SA-000001");
    // twice is once, and the form is closed
    let again = clerk.submit(&page, "/submit", &[("signed", "yes")]).await;
    assert_eq!(again.location, format!("{address}/done"));
    assert_eq!(clerk.get(&address).await.location, format!("{address}/done"));
    let receipt = clerk.get(&format!("{address}/receipt")).await;
    assert_eq!(receipt.kind, "application/pdf");
    // the person finds it in their own account
    let (_, mut own) = town.resident(1).await;
    own.get("/applications").await.has("114-SA-000001");
    own.get("/my-data").await.has("在櫃臺核對您的證件");
    // after the visit nothing answers
    clerk.get("/counter").await.is(200);
    clerk.post("/counter/end", &[]).await.is(303);
    for path in ["", "/done", "/receipt", "/summary"] {
        assert_eq!(
            clerk.get(&format!("{address}{path}")).await.location,
            "/counter",
            "{path}"
        );
    }
}

#[tokio::test]
async fn the_document_is_read_with_care() {
    let town = Town::new().await;
    let (_, mut clerk) = town.on_duty("clerk", Role::Clerk).await;
    let empty = begin(&mut clerk, &[]).await;
    empty.is(422);
    for text in ["看過的證件。", "統一編號不正確", "證件上的姓名。", "出生日期不正確"] {
        empty.has(text);
    }
    for (name, value, text) in [
        ("national_id", "A123456780", "統一編號不正確"),
        ("birth_date.month", "13", "出生日期不正確"),
        ("birth_date.year", "300", "出生日期不正確"),
        ("shown", "library_card", "看過的證件。"),
        ("name", "  ", "證件上的姓名。"),
    ] {
        let mut fields = document(1);
        fields.iter_mut().find(|(field, _)| *field == name).unwrap().1 = value.to_owned();
        let page = begin(&mut clerk, &fields).await;
        page.is(422).has(text);
        assert!(
            name != "name" || page.text().contains(national_id(1).reveal()),
            "what was typed stays"
        );
    }
    // a name known otherwise is looked at again, and taken over when the clerk says so
    town.kit.person(1).await;
    let mut fields = document(1);
    fields[2].1 = "林小梅".to_owned();
    begin(&mut clerk, &fields).await.is(422).has("name=\"renamed\"");
    fields.push(("renamed", "yes".to_owned()));
    let page = begin(&mut clerk, &fields).await;
    clerk.follow(&page).await.has("林小梅");
}

#[tokio::test]
async fn what_is_wrong_with_an_agent_is_told_apart_and_kept() {
    let town = Town::new().await;
    let (_, mut browser) = town.on_duty("clerk", Role::Clerk).await;
    let with = |more: &[(&'static str, &str)]| {
        let mut fields = document(1);
        fields.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        fields
    };
    let page = begin(&mut browser, &with(&[("authority", "yes")])).await;
    page.is(422)
        .has("代辦人的統一編號不正確")
        .has("請輸入代辦人證件上的姓名");
    let (own, other) = (national_id(1), national_id(2));
    let named = [("agent_id", other.reveal()), ("agent_name", "林大明")];
    begin(&mut browser, &with(&named))
        .await
        .is(422)
        .has("沒有委託書，不能代辦")
        .has(other.reveal())
        .has("林大明");
    let same = [
        ("agent_id", own.reveal()),
        ("agent_name", "林大明"),
        ("authority", "yes"),
    ];
    begin(&mut browser, &with(&same))
        .await
        .is(422)
        .has("代辦人和申請人的統一編號相同");
    let good = [
        ("agent_id", other.reveal()),
        ("agent_name", "林大明"),
        ("authority", "yes"),
    ];
    let page = begin(&mut browser, &with(&good)).await;
    browser.follow(&page).await.is(200).has("林阿梅").has("林大明");
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_keep_what_was_typed_and_leaving_asks_for_nothing() {
    let town = Town::new().await;
    let mut clerk = serving(&town, "clerk", 1).await;
    let (address, form) = opened(&mut clerk).await;
    let wrong = clerk
        .submit(&form, &address, &[("act", "save"), ("phone", "<b>12"), ("email", "x")])
        .await;
    wrong.is(422).has("govuk-error-summary").has("&#60;b&#62;12");
    let left = clerk
        .submit(&form, &address, &[("act", "leave"), ("phone", "0912345678")])
        .await;
    assert_eq!(left.location, "/counter");
    clerk.follow(&left).await.has("填寫中");
    clerk.get(&address).await.has("0912345678");
    // somebody else was faster
    let stale = clerk.submit(&form, &address, &[("act", "save")]).await;
    assert!([409, 422].contains(&stale.status.as_u16()));
    // without MyData the page says so
    clerk.get(&format!("{address}/mydata")).await.has("沒有連線");
    let early = clerk.get(&format!("{address}/summary")).await;
    assert_eq!(early.location, address);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clerk_reaches_nobody_but_the_person_who_stands_there() {
    let town = Town::new().await;
    let mut first = serving(&town, "first", 1).await;
    let (address, _) = opened(&mut first).await;
    let mut second = serving(&town, "second", 2).await;
    let online = town.kit.filled(&town.kit.person(2).await).await.id;
    let online = format!("/counter/applications/{online}");
    for address in [&address, &online] {
        for page in ["", "/notice", "/mydata", "/summary", "/done", "/receipt"] {
            second.get(&format!("{address}{page}")).await.is(404);
        }
        let fields = [
            ("_revision", "1"),
            ("_form_token", "00000000-0000-0000-0000-000000000000"),
            ("transaction", "00000000-0000-0000-0000-000000000000"),
            ("act", "save"),
            ("code", "ABCD2345"),
            ("signed", "yes"),
        ];
        for page in ["", "/notice", "/mydata", "/password", "/summary", "/submit"] {
            second.post(&format!("{address}{page}"), &fields).await.is(404);
        }
    }
    second.post("/counter/open", &[("service", "nothing")]).await.is(404);
    // nor a case of the office
    let id = address.rsplit('/').next().unwrap();
    let page = second.get(&format!("/office/cases/{id}")).await;
    assert!([403, 404].contains(&page.status.as_u16()));
    second.get("/office").await.is(403);
}
