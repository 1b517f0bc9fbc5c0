//! Rounds in the office: sealed when all is decided, drawn by somebody else with the public value, places taken up in person.

use cases::Role;
use cases::round::{self, TicketState};
use civic::Language;
use web::visit::Who;

use crate::kindergarten::{CLOSED, DRAW, KINDERGARTEN, OFFICE, PUBLIC};
use crate::sound::sound;
use crate::town::{Browser, Page, Town};

/// Gets a page of the office in both languages and finds it sound; gives the Chinese one.
async fn each(browser: &mut Browser, path: &str) -> Page {
    browser.in_english();
    let page = browser.get(path).await;
    page.is(200);
    sound(path, &page, Language::En);
    browser.speaks("zh-TW");
    let page = browser.get(path).await;
    sound(path, &page, Language::ZhTw);
    page
}

async fn on_duty(town: &Town, account: &str, role: Role) -> Browser {
    let staff = town.kit.staff_of(KINDERGARTEN, account, role).await;
    town.signed_in(Who::Staff(staff.id)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_is_sealed_when_it_is_closed_and_all_is_decided() {
    let town = Town::in_round().await;
    let officer = town.kit.staff_of(KINDERGARTEN, "officer", Role::Officer).await;
    let mut browser = town.signed_in(Who::Staff(officer.id)).await;
    each(&mut browser, "/office/rounds").await.has(OFFICE).has("受理中");
    let (_, id) = town.kit.child_registered(1, &["demo-1"]).await;
    let page = each(&mut browser, OFFICE).await;
    page.has("受理期間還沒結束").lacks(&format!("{OFFICE}/seal"));
    let page = browser.post(&format!("{OFFICE}/seal"), &[]).await;
    page.is(422).has("受理期間還沒結束，不能封存。");
    sound("seal", &page, Language::ZhTw);

    town.kit.until(CLOSED);
    let mut browser = town.signed_in(Who::Staff(officer.id)).await;
    let page = each(&mut browser, OFFICE).await;
    let page = browser.submit(&page, "/seal", &[]).await;
    page.is(422).has("還有申請沒有決定");
    sound("seal", &page, Language::ZhTw);
    town.kit.approved(&officer, id).await;
    let page = each(&mut browser, OFFICE).await;
    page.has("115-KG-000001").has(PUBLIC);
    let sealed = browser.submit(&page, "/seal", &[]).await;
    browser
        .follow(&sealed)
        .await
        .has("名冊已封存並公開")
        .has("封存名冊的人不能抽籤");
    // pressed twice
    browser.submit(&page, "/seal", &[]).await.is(409);
    each(&mut browser, OFFICE).await.lacks("name=\"seed\"");
    each(&mut browser, "/office/rounds").await.has("名冊已封存");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_without_tickets_is_not_sealed() {
    let town = Town::in_round().await;
    town.kit.until(CLOSED);
    let mut browser = on_duty(&town, "officer", Role::Officer).await;
    let page = each(&mut browser, OFFICE).await;
    let page = browser.submit(&page, "/seal", &[]).await;
    page.is(422).has("沒有符合資格的申請");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_is_drawn_by_another_person_on_its_day_with_a_value() {
    let town = Town::in_round().await;
    let (sealer, _) = town.kit.sealed().await;
    let mut browser = on_duty(&town, "drawer", Role::Supervisor).await;
    let draw = format!("{OFFICE}/draw");
    let page = each(&mut browser, OFFICE).await;
    let early = browser.submit(&page, "/draw", &[("seed", "07,41")]).await;
    early.is(422).has("還沒到抽籤日").has("value=\"07,41\"");
    sound("draw", &early, Language::ZhTw);

    town.kit.until(DRAW);
    let mut browser = on_duty(&town, "drawer2", Role::Supervisor).await;
    let mut same = town.signed_in(Who::Staff(sealer.id)).await;
    let own = same.post(&draw, &[("seed", "07,41")]).await;
    own.is(403);
    let page = each(&mut browser, OFFICE).await;
    let long = "1".repeat(501);
    for (seed, told) in [
        ("", "請輸入公開的數值"),
        (" \t", "請輸入公開的數值"),
        (long.as_str(), "最多 500 個字"),
    ] {
        let wrong = browser.submit(&page, "/draw", &[("seed", seed)]).await;
        wrong.is(422).has(told).has("href=\"#seed\"");
        sound("draw", &wrong, Language::ZhTw);
    }
    // what is announced is drawn with as it stands, and shown as text
    let seed = "<b>07</b>,\"41\"&amp;";
    let drawn = browser.submit(&page, "/draw", &[("seed", seed)]).await;
    browser.follow(&drawn).await.has("已抽籤並公開結果").lacks("<b>07");
    let public = town.browser().get(PUBLIC).await;
    public.lacks("<b>07");
    assert!(public.html().one("main").text().contains(seed));
    browser.submit(&page, "/draw", &[("seed", "08")]).await.is(409);
    each(&mut browser, OFFICE).await.lacks("name=\"seed\"").lacks("<b>07");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_is_taken_up_in_person_once() {
    let town = Town::in_round().await;
    let families = town.kit.drawn().await;
    let mut browser = on_duty(&town, "desk", Role::Officer).await;
    each(&mut browser, OFFICE).await.lacks("/check-in");
    let mut offered = None;
    for (person, id) in &families {
        let ticket = town.kit.ticket(person, *id).await;
        if ticket.state == TicketState::Offered {
            offered = Some((person, *id, ticket));
        }
    }
    let (person, id, ticket) = offered.unwrap();
    let path = format!("{OFFICE}/tickets/{}/check-in", ticket.id);
    let revision = ticket.revision.to_string();
    browser.post(&path, &[("revision", &revision)]).await.is(409);
    round::accept(&town.kit.desk, person, id, ticket.id, ticket.revision)
        .await
        .unwrap();
    // the revision from before the acceptance
    browser.post(&path, &[("revision", &revision)]).await.is(409);
    let page = each(&mut browser, OFFICE).await;
    let done = browser.submit(&page, "/check-in", &[]).await;
    browser.follow(&done).await.has("已登記報到");
    assert_eq!(town.kit.ticket(person, id).await.state, TicketState::CheckedIn);
    browser.submit(&page, "/check-in", &[]).await.is(409);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_office_and_other_roles_hold_no_round() {
    let town = Town::in_round().await;
    let families = town.kit.drawn().await;
    let (person, id) = &families[0];
    let before = town.kit.ticket(person, *id).await;
    let path = format!("{OFFICE}/tickets/{}/check-in", before.id);
    let revision = before.revision.to_string();
    let other = town.kit.staff("social", Role::Supervisor).await;
    let mut kept_out = vec![town.signed_in(Who::Staff(other.id)).await];
    for role in [Role::Cashier, Role::Auditor, Role::Administrator] {
        kept_out.push(on_duty(&town, role.word(), role).await);
    }
    for browser in &mut kept_out {
        browser.get(OFFICE).await.is(403);
        for act in ["seal", "draw"] {
            browser.post(&format!("{OFFICE}/{act}"), &[("seed", "1")]).await.is(403);
        }
        browser.post(&path, &[("revision", &revision)]).await.is(403);
    }
    kept_out[0]
        .get("/office/rounds")
        .await
        .is(200)
        .has("貴單位沒有分梯次辦理的服務");
    assert_eq!(town.kit.ticket(person, *id).await, before);
}
