//! Rounds as residents see them: the window, the published files, the ticket and what is answered to it.

use cases::collect;
use cases::round::TicketState;
use serde_json::Value;
use web::visit::Who;

use super::pages::{each, sent};
use crate::kindergarten::{CLOSED, DRAW, KINDERGARTEN, PUBLIC};
use crate::town::Town;

const SERVICE_PAGE: &str = "/services/kindergarten";

#[tokio::test(flavor = "multi_thread")]
async fn a_round_is_announced_open_and_closed() {
    let town = Town::in_round().await;
    let mut nobody = town.browser();
    each(&mut nobody, "/", 200)
        .await
        .has("受理中，到 民國116年2月26日 (五) 17:00 為止");
    each(&mut nobody, SERVICE_PAGE, 200)
        .await
        .has("/services/kindergarten/start")
        .has(PUBLIC);
    each(&mut nobody, PUBLIC, 200)
        .await
        .has("封存的名冊：受理截止後公開")
        .lacks("list.json\"");
    town.kit.until(CLOSED);
    each(&mut nobody, "/", 200)
        .await
        .has("下次受理從 民國116年4月19日 (一) 09:00 開始");
    each(&mut nobody, SERVICE_PAGE, 200)
        .await
        .lacks("/services/kindergarten/start");
    let (_, mut browser) = town.resident(1).await;
    let page = browser.post("/services/kindergarten/start", &[]).await;
    page.is(303);
    assert_eq!(page.location, SERVICE_PAGE);
    for path in [
        "/rounds/kindergarten/nothing",
        "/rounds/nothing/115-2",
        "/rounds/senior-allowance/115-2",
        "/rounds/kindergarten/115-2/list.json",
        "/rounds/kindergarten/115-2/draw.json",
        "/rounds/kindergarten/115-2/other.json",
    ] {
        each(&mut nobody, path, 404).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_that_comes_too_late_or_twice_is_kept_and_told_why() {
    let town = Town::in_round().await;
    let kit = &town.kit;
    kit.child_registered(1, &["demo-1"]).await;
    let (father, mut browser) = town.resident(2).await;
    let draft = kit.child_filled(&father, 1, &["demo-2"]).await;
    let check = format!("/applications/{}/check", draft.id);
    let page = each(&mut browser, &check, 200).await;
    sent(&mut browser, &page, "/check", &[], 422).await;
    browser.speaks("zh-TW");
    browser
        .submit(&page, "/check", &[])
        .await
        .is(422)
        .has("同一個人只能登記一次")
        .has("href=\"#send\"");

    kit.until(CLOSED);
    sent(&mut browser, &page, "/check", &[], 422).await;
    browser.speaks("zh-TW");
    browser
        .submit(&page, "/check", &[])
        .await
        .is(422)
        .has("下次受理從 民國116年4月19日 (一) 09:00 開始");
    // whoever comes back is told before the button
    for path in [&check, &format!("/applications/{}", draft.id)] {
        each(&mut browser, path, 200)
            .await
            .has("目前不受理；下次受理從")
            .lacks("送出申請</button>");
    }
    let kept = collect::draft(&kit.desk, &father, draft.id).await.unwrap();
    assert!(kept.questions.is_empty() && kept.revision == draft.revision);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_published_files_are_those_of_the_page() {
    let town = Town::in_round().await;
    town.kit.sealed().await;
    let mut nobody = town.browser();
    let page = each(&mut nobody, PUBLIC, 200).await;
    let list = nobody.get(&format!("{PUBLIC}/list.json")).await;
    list.is(200);
    assert_eq!(list.kind, "application/json");
    assert!(list.header("content-disposition").concat().starts_with("attachment"));
    crate::sound::guarded(&list);
    let sealed: Value = serde_json::from_slice(&list.bytes).unwrap();
    page.has(sealed["list_digest"].as_str().unwrap()).lacks("draw.json\"");
    nobody.get(&format!("{PUBLIC}/draw.json")).await.is(404);
    // marks and choices, nobody's name or number
    for mark in [
        "陳小明",
        "林阿梅",
        "115-KG-",
        "民生路",
        crate::kit::national_id(5001).reveal(),
    ] {
        list.lacks(mark);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_is_answered_by_its_own_family_only() {
    let town = Town::in_round().await;
    let kit = &town.kit;
    let families = kit.drawn().await;
    let mut nobody = town.browser();
    each(&mut nobody, PUBLIC, 200)
        .await
        .has("07,41,18,02,33,26")
        .has("draw.json");
    nobody.get(&format!("{PUBLIC}/draw.json")).await.is(200);

    let mut offered = Vec::new();
    for (person, id) in &families {
        let mut browser = town.signed_in(Who::Resident(person.id)).await;
        let page = each(&mut browser, &format!("/applications/{id}"), 200).await;
        match kit.ticket(person, *id).await.state {
            TicketState::Offered => {
                page.has("接受這個名額").has("確定放棄");
                offered.push((person, *id, browser, page));
            }
            TicketState::Waiting => {
                page.has("您在備取名單上").has("備取第").lacks("接受這個名額");
            }
            other => panic!("{other:?}"),
        }
    }
    let [(first, first_id, browser, page), (second, second_id, other, _)] = offered.as_mut_slice() else {
        panic!("{} offers", offered.len());
    };

    // not by a neighbour, by this or by that address of the case
    let ticket = kit.ticket(first, *first_id).await;
    let revision = ticket.revision.to_string();
    for case in [*first_id, *second_id] {
        for answer in ["accept", "decline"] {
            let path = format!("/applications/{case}/tickets/{}/{answer}", ticket.id);
            other.post(&path, &[("revision", &revision)]).await.is(404);
        }
    }
    let here = format!("/applications/{first_id}/tickets/{}", ticket.id);
    browser
        .post(&format!("{here}/other"), &[("revision", &revision)])
        .await
        .is(404);
    browser.post(&format!("{here}/accept"), &[]).await.is(422);
    assert_eq!(kit.ticket(first, *first_id).await, ticket);

    let accepted = browser.submit(page, "/accept", &[]).await;
    browser
        .follow(&accepted)
        .await
        .has("請在 民國116年3月19日 (五) 前親自報到")
        .lacks("接受這個名額");
    // the page in another window
    browser.submit(page, "/accept", &[]).await.is(409);
    let case = format!("/applications/{first_id}");
    let page = each(browser, &case, 200).await;
    let declined = browser.submit(&page, "/decline", &[]).await;
    browser.follow(&declined).await.has("您放棄了這次的名額");
    each(browser, &case, 200).await;
    assert_eq!(kit.ticket(second, *second_id).await.state, TicketState::Offered);

    // who lets the time go by is told so, at the answer that comes too late and after it
    kit.until("2027-03-13T02:00:00Z");
    let mut browser = town.signed_in(Who::Resident(second.id)).await;
    let page = browser.get(&format!("/applications/{second_id}")).await;
    let late = browser.submit(&page, "/accept", &[]).await;
    browser.follow(&late).await.has("您的回覆沒有收下");
    cases::jobs::tidy(&kit.desk).await.unwrap();
    each(&mut browser, &format!("/applications/{second_id}"), 200)
        .await
        .has("期限內沒有完成");

    // the record of uses names each in words
    let uses = each(&mut browser, "/my-data", 200).await.html();
    let named = uses.all("p").into_iter().filter(|one| one.attr("class") == "use__what");
    let codes: Vec<String> = named
        .map(|one| one.text())
        .filter(|text| text.contains(|c: char| c.is_ascii_lowercase()))
        .collect();
    assert!(codes.is_empty(), "{codes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_family_sees_when_it_takes_part_in_the_draw() {
    let town = Town::in_round().await;
    let kit = &town.kit;
    let officer = kit.staff_of(KINDERGARTEN, "officer", cases::Role::Officer).await;
    let (person, id) = kit.child_registered(1, &["demo-1"]).await;
    kit.approved(&officer, id).await;
    let mut browser = town.signed_in(Who::Resident(person.id)).await;
    let page = each(&mut browser, &format!("/applications/{id}"), 200).await;
    page.has("會在 民國116年3月6日 (六) 參加抽籤")
        .has(&format!("href=\"{PUBLIC}\""));
    assert!(DRAW.starts_with("2027-03-06"));
    let left = browser.submit(&page, "/decline", &[]).await;
    browser.follow(&left).await.has("您放棄了這次的名額");
}
