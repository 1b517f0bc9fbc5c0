//! What residents see as they walk: every record of use, page by page and in words; law marked as Chinese; places in the
//! order in which the office gives them.

use civic::{Language, Purpose};
use store::ledger::{self, ActorKind, Entry};

use super::pages::each;
use crate::kindergarten::PUBLIC;
use crate::town::Town;

/// Uses that fill more than a page.
const MANY: usize = 130;

#[tokio::test(flavor = "multi_thread")]
async fn every_record_of_use_can_be_reached_and_none_is_a_code() {
    let town = Town::new().await;
    let desk = &town.kit.desk;
    let (person, mut browser) = town.resident(1).await;
    each(&mut browser, "/my-data", 200).await.lacks("看更早的紀錄");
    let before = cases::mine::uses(desk, &person, None, 1000).await.unwrap().len();
    let entry = Entry {
        at: "2025-11-20T02:00:00Z".parse().unwrap(),
        actor: ActorKind::Staff,
        actor_id: None,
        action: "never_heard_of".to_owned(),
        purpose: Purpose {
            code: "057".to_owned(),
            basis: "示範法".to_owned(),
            function: "read".to_owned(),
            application: None,
        },
        application: None,
        subject: Some(person.lookup),
        fields: Vec::new(),
        count: 1,
    };
    for _ in 0..MANY {
        let entry = entry.clone();
        desk.store
            .write(move |tx| Box::pin(async move { ledger::append(tx, entry).await }))
            .await
            .unwrap();
    }
    let mut here = "/my-data".to_owned();
    let mut seen = 0;
    let mut pages = 0;
    loop {
        let page = each(&mut browser, &here, 200).await;
        page.lacks("never_heard_of").lacks("use-");
        let html = page.html();
        seen += html.all("li").iter().filter(|one| one.attr("class") == "use").count();
        pages += 1;
        let next = html.all("a").into_iter().find(|one| one.attr("rel") == "next");
        match next {
            Some(link) => here = link.attr("href").to_owned(),
            None => break,
        }
        assert!(pages < 5);
    }
    assert_eq!((seen, pages), (before + MANY, 2));
    // the last page leads back to the newest
    each(&mut browser, &here, 200)
        .await
        .has("回到最新的紀錄")
        .has("使用您的資料");
    browser.get("/my-data?before=none").await.is(422);
}

#[tokio::test(flavor = "multi_thread")]
async fn law_is_marked_as_chinese_where_the_page_is_english() {
    let town = Town::new().await;
    let mut nobody = town.browser();
    let law = |page: &crate::town::Page| {
        let found = page.html();
        // the innermost of the elements that begin with it
        let law = found
            .walk()
            .into_iter()
            .rfind(|one| one.text().starts_with("老人福利法"));
        law.map(|one| one.attr("lang").to_owned())
    };
    for (language, lang) in [(Language::En, "zh-TW"), (Language::ZhTw, "")] {
        nobody.speaks(language.tag());
        let page = nobody.get("/services/senior-allowance").await;
        assert_eq!(law(&page).as_deref(), Some(lang), "{}", language.tag());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn seats_stand_in_the_order_of_the_folder_and_each_place_once() {
    let town = Town::in_round().await;
    let mut nobody = town.browser();
    let page = each(&mut nobody, PUBLIC, 200).await.html();
    let table = page.one("tbody");
    let places: Vec<String> = table.all("th").iter().map(|cell| cell.text()).collect();
    assert_eq!(places[..2], ["示範第一幼兒園", "示範第二幼兒園"]);
    let classes: Vec<String> = table.all("tr").iter().map(|row| row.all("td")[0].text()).collect();
    assert_eq!(classes[..4], ["2 歲幼兒專班", "3 歲", "4 歲", "5 歲"]);
    // no seat of this service is reserved, and a column that says nothing is left out
    assert!(!page.text().contains("其中保留"));
}
