//! Find what I may receive, and what is held already: through the pages.

use cases::collect;
use civic::Channel;
use civic::Language;
use services::form::Source;

use super::pages::each;
use crate::town::{Browser, Page, Town};

const SCRIPT: &str = "<script>alert(1)</script>";

/// Begins a questionnaire and gives its first page.
async fn begun(browser: &mut Browser) -> Page {
    let page = each(browser, "/find", 200).await;
    let page = browser.submit(&page, "/find", &[]).await;
    browser.follow(&page).await
}

/// Where the form of a question leads.
fn here(page: &Page) -> String {
    page.between("<form method=\"post\" action=\"/find/q/", "\"")
}

/// Answers a question with what its page offers first, or presses a button.
async fn answered(browser: &mut Browser, page: &Page, press: Option<&str>) -> Page {
    let address = format!("/find/q/{}", here(page));
    let mut fields = vec![("called", ""), ("act", press.unwrap_or(""))];
    let text = page.text();
    let value = page
        .text()
        .split_once("type=\"radio\" value=\"")
        .map(|(_, rest)| rest.split('"').next().unwrap().to_owned());
    let option = text
        .split("<option value=\"")
        .nth(2)
        .map(|rest| rest.split('"').next().unwrap().to_owned());
    let value = value.or(option).unwrap_or_else(|| "0".to_owned());
    if text.contains("name=\"answer.year\"") {
        fields.extend([("answer.year", "39"), ("answer.month", "3"), ("answer.day", "15")]);
    } else {
        fields.push(("answer", &value));
    }
    let page = browser.post(&address, &fields).await;
    browser.follow(&page).await
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_signs_in_and_everybody_gets_a_result() {
    let town = Town::new().await;
    let mut browser = town.browser();
    let mut page = begun(&mut browser).await;
    let mut questions = 0;
    while !page.text().contains("id=\"main-content\"") || page.text().contains("action=\"/find/q/") {
        page.is(200);
        questions += 1;
        assert!(questions < 200, "the questions do not end");
        page = answered(&mut browser, &page, None).await;
    }
    assert!(questions > 3, "{questions}");
    page.is(200).has("您可以申請什麼");
    // every service stays listed, whatever came of it
    for service in town.kit.desk.catalogue.all() {
        page.has(&format!("/services/{}", service.id));
    }
    // the end is counted once, without the person
    let db = town.kit.desk.store.read();
    let counts = store::tables::screening::counts(db, None, None).await.unwrap();
    let all: i64 = counts.iter().map(|(.., n)| n).sum();
    assert_eq!(all, town.kit.desk.catalogue.all().len() as i64);
    each(&mut browser, "/find/result", 200).await;
    let why = each(&mut browser, "/find/why/senior-allowance", 200).await;
    why.has("老人福利法");
    browser.get("/find/why/nothing").await.is(404);

    // applying needs a sign-in, and the way back is the result
    let refused = browser.post("/find/apply/senior-allowance", &[]).await;
    assert_eq!(refused.location, "/sign-in?return=/find/result");
    // the answers go when they are told to
    let gone = browser.post("/find/end", &[]).await;
    assert_eq!(gone.location, "/find");
    assert_eq!(browser.get("/find/result").await.location, "/find");
}

#[tokio::test(flavor = "multi_thread")]
async fn not_knowing_is_an_answer_and_going_back_keeps_what_was_said() {
    let town = Town::new().await;
    let mut browser = town.browser();
    let first = begun(&mut browser).await;
    let address = here(&first);
    let mut page = answered(&mut browser, &first, None).await;
    let second = here(&page);
    assert_ne!(address, second);
    page.has(&format!("href=\"/find/q/{address}\""));
    for _ in 0..100 {
        if !page.text().contains("action=\"/find/q/") {
            break;
        }
        page = answered(&mut browser, &page, Some("unknown")).await;
    }
    page.has("可能可以申請").has("您說不知道");
    each(&mut browser, &format!("/find/q/{address}"), 200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_family_comes_and_goes_by_what_it_is_called() {
    let town = Town::new().await;
    let mut browser = town.browser();
    begun(&mut browser).await;
    let page = each(&mut browser, "/find/q/family", 200).await;
    page.lacks("remove:p1");
    let page = browser
        .submit(&page, "/find/q/family", &[("act", "add"), ("called", SCRIPT)])
        .await;
    let page = browser.follow(&page).await;
    page.has("remove:p2").lacks(SCRIPT);
    each(&mut browser, "/find/q/person.relation.p2", 200)
        .await
        .lacks(SCRIPT);
    let page = browser.submit(&page, "/find/q/family", &[("act", "remove:p2")]).await;
    browser.follow(&page).await.is(200).lacks("remove:p2");
    browser.get("/find/q/person.relation.p2").await.is(404);
    // the person who asks stays, and a family has an end
    browser.post("/find/q/family", &[("act", "remove:p1")]).await.is(303);
    for _ in 0..30 {
        browser
            .post("/find/q/family", &[("act", "add"), ("called", "")])
            .await
            .is(303);
    }
    let page = browser.get("/find/q/family").await;
    assert_eq!(page.text().matches("value=\"remove:").count(), 19);
    page.lacks("value=\"add\"");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_wrongly_is_told_and_kept() {
    let town = Town::new().await;
    let mut browser = town.browser();
    // without a questionnaire there is nothing to answer
    browser.get("/find").await.is(200);
    for path in ["/find/q/household.region", "/find/q/nothing", "/find/q/family"] {
        assert_eq!(browser.get(path).await.location, "/find");
        assert_eq!(browser.post(path, &[("answer", "taichung")]).await.location, "/find");
    }
    browser.post("/find", &[("event", "nothing")]).await.is(422);
    begun(&mut browser).await;
    for path in [
        "/find/q/nothing",
        "/find/q/person.birth_date",
        "/find/q/person.birth_date.p9",
        "/find/q/person.birth_date.p0",
        "/find/q/household.region.p1",
        "/find/q/%00",
        "/find/q/..%2f..",
    ] {
        browser.get(path).await.is(404);
        browser.post(path, &[("answer", "0")]).await.is(404);
    }
    let page = browser.post("/find/q/household.region", &[("answer", SCRIPT)]).await;
    page.is(422).lacks(SCRIPT).has("govuk-error-summary");
    browser.post("/find/q/household.region", &[]).await.is(422);
    let dates = [
        ("answer.year", "999999999999"),
        ("answer.month", "13"),
        ("answer.day", "x"),
    ];
    let page = browser.post("/find/q/person.birth_date.p1", &dates).await;
    page.is(422).has("value=\"13\"").has("href=\"#answer.year\"");
    browser.post("/find/apply/nothing", &[]).await.is(303);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_life_narrows_what_is_looked_at() {
    let town = Town::new().await;
    let mut browser = town.browser();
    let page = each(&mut browser, "/find", 200).await;
    page.has("value=\"old_age\"");
    browser.post("/find", &[("event", "old_age")]).await.is(303);
    let page = each(&mut browser, "/find/result", 200).await;
    page.has("/services/senior-allowance").lacks("/services/kindergarten");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_signed_in_applies_with_the_answers() {
    let town = Town::new().await;
    let (person, mut browser) = town.resident(1).await;
    begun(&mut browser).await;
    browser
        .post("/find/q/household.region", &[("answer", "taichung")])
        .await
        .is(303);
    let page = each(&mut browser, "/find/result", 200).await;
    let page = browser.submit(&page, "/find/apply/senior-allowance", &[]).await;
    let page = browser.follow(&page).await;
    page.is(200).has("/notice");
    let mine = cases::mine::cases(&town.kit.desk, &person).await.unwrap();
    let draft = collect::draft(&town.kit.desk, &person, mine[0].id).await.unwrap();
    assert_eq!(draft.answers.get("region").unwrap().source, Source::Screening);
    browser.post("/find/apply/nothing", &[]).await.is(404);

    // another device of the same person goes on with the same draft
    let mut tablet = town.signed_in(web::visit::Who::Resident(person.id)).await;
    tablet.get("/services/senior-allowance").await.is(200);
    let page = tablet.post("/services/senior-allowance/start", &[]).await;
    assert_eq!(page.location, format!("/applications/{}/notice", draft.id));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_is_shown_with_its_source_and_taken_over_when_agreed() {
    let town = Town::new().await;
    let (person, mut browser) = town.resident(1).await;
    town.kit.submitted(&person).await;
    let id = collect::open(&town.kit.desk, &person, "low-income", Channel::Online, Language::ZhTw)
        .await
        .unwrap();
    let held = format!("/applications/{id}/held");
    // the notice of the new application comes first
    let page = browser.get(&held).await;
    assert_eq!(page.location, format!("/applications/{id}/notice"));
    let page = browser.get(&page.location).await;
    let page = browser.submit(&page, "/notice", &[]).await;
    assert_eq!(page.location, held);
    let page = each(&mut browser, &held, 200).await;
    page.has("114-SA-000001").has("臺中市");
    let stale = browser.post(&held, &[("_revision", "999")]).await;
    stale.is(409);
    browser.post(&held, &[]).await.is(422);
    let page = browser.get(&held).await;
    let page = browser.submit(&page, "/held", &[]).await;
    page.is(303);
    let page = each(&mut browser, &format!("/applications/{id}/check"), 200).await;
    page.has("取自您先前的申請 114-SA-000001");
    let page = each(&mut browser, "/my-data", 200).await;
    page.has("讀取先前的申請");
    // twice is once
    assert_ne!(browser.get(&held).await.status.as_u16(), 200);

    let page = each(&mut browser, "/find", 200).await;
    page.has("name=\"held\"");
    let (_, mut other) = town.resident(2).await;
    other.get("/find").await.lacks("name=\"held\"");
    other.get(&held).await.is(404);
    other.post(&held, &[("_revision", "1")]).await.is(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_is_left_with_the_office_and_taken_back() {
    let town = Town::new().await;
    let (_, mut browser) = town.resident(1).await;
    begun(&mut browser).await;
    let page = each(&mut browser, "/find/result", 200).await;
    // without the box nothing is kept
    let refused = browser.submit(&page, "/find/leave/senior-allowance", &[]).await;
    assert_eq!(refused.location, "/find/result");
    browser.get("/my-data").await.lacks("/my-data/results/");
    let left = browser
        .submit(&page, "/find/leave/senior-allowance", &[("agree", "yes")])
        .await;
    assert_eq!(left.location, "/my-data");
    let page = each(&mut browser, "/my-data", 200).await;
    let id = page.between("/my-data/results/", "/");

    let (_, mut officer) = town.on_duty("officer", cases::Role::Officer).await;
    each(&mut officer, "/office/results", 200).await.has(&id);
    each(&mut officer, &format!("/office/results/{id}"), 200)
        .await
        .has("林阿梅1");
    officer.get("/office/results/nothing").await.is(404);
    let (_, mut cashier) = town.on_duty("cashier", cases::Role::Cashier).await;
    cashier.get("/office/results").await.is(403);
    cashier
        .get(&format!("/office/results/{id}"))
        .await
        .is(403)
        .lacks("林阿梅1");
    let (_, mut other) = town.resident(2).await;
    other.get("/my-data").await.lacks(&id);
    other
        .post(&format!("/my-data/results/{id}/withdraw"), &[])
        .await
        .is(404);

    let page = browser.submit(&page, "/withdraw", &[]).await;
    assert_eq!(page.location, "/my-data");
    browser.get("/my-data").await.lacks(&id);
    officer.get(&format!("/office/results/{id}")).await.is(404);
}
