//! The page of the family: persons are added, removed and said to be all.

use cases::collect;

use super::pages::each;
use crate::town::Town;

const SCRIPT: &str = "<script>alert(1)</script>";

#[tokio::test(flavor = "multi_thread")]
async fn persons_of_a_family_come_and_go() {
    let town = Town::new().await;
    let (person, mut browser) = town.resident(1).await;
    let id = town.kit.opened(&person).await;
    let family = format!("/applications/{id}/form/members");
    let page = each(&mut browser, &family, 200).await;
    page.lacks("value=\"remove:p1\"");

    // somebody more is asked about at once
    let page = browser.submit(&page, "/form/members", &[("act", "add")]).await;
    page.is(303);
    assert_eq!(page.location, format!("/applications/{id}/form/person.p2"));
    let page = each(&mut browser, &page.location, 200).await;
    let page = browser
        .submit(&page, "/form/person.p2", &[("members.p2.name", SCRIPT)])
        .await;
    assert!([303, 422].contains(&page.status.as_u16()), "{}", page.status);
    page.lacks(SCRIPT);
    let page = each(&mut browser, &family, 200).await;
    page.has("value=\"remove:p2\"").lacks(SCRIPT);
    each(&mut browser, &format!("/applications/{id}/check"), 200)
        .await
        .lacks(SCRIPT);

    // the applicant stays, whatever is sent
    let page = browser.submit(&page, "/form/members", &[("act", "remove:p1")]).await;
    let page = browser.follow(&page).await;
    browser.get(&format!("/applications/{id}/form/person.p1")).await.is(200);
    let page = browser.submit(&page, "/form/members", &[("act", "remove:p2")]).await;
    assert_eq!(page.location, family);
    browser.follow(&page).await.is(200).lacks("remove:p2");
    browser.get(&format!("/applications/{id}/form/person.p2")).await.is(404);

    // these are all: the next question comes, or the check where one came from there
    let page = browser.get(&format!("{family}?from=check")).await;
    let done = browser.submit(&page, "/form/members", &[("act", "complete")]).await;
    done.is(303);
    assert_eq!(done.location, format!("/applications/{id}/check"));
    let draft = collect::draft(&town.kit.desk, &person, id).await.unwrap();
    assert_eq!(draft.answers.items("members"), ["p1"]);
    assert!(draft.questions.iter().all(|asked| asked.address != "members"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_family_changed_in_another_window_is_not_changed_by_this_one() {
    let town = Town::new().await;
    let (person, mut browser) = town.resident(1).await;
    let id = town.kit.opened(&person).await;
    let family = format!("/applications/{id}/form/members");
    let page = browser.get(&family).await;
    browser.submit(&page, "/form/members", &[("act", "add")]).await.is(303);
    for act in ["add", "remove:p2", "complete"] {
        browser.submit(&page, "/form/members", &[("act", act)]).await.is(409);
    }
    let draft = collect::draft(&town.kit.desk, &person, id).await.unwrap();
    assert_eq!(draft.answers.items("members"), ["p1", "p2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_family_ends_at_the_number_the_form_allows() {
    let town = Town::new().await;
    let (person, mut browser) = town.resident(1).await;
    let id = town.kit.opened(&person).await;
    let family = format!("/applications/{id}/form/members");
    let draft = collect::draft(&town.kit.desk, &person, id).await.unwrap();
    let most = draft.service.form.person_group().unwrap().max;
    for _ in 1..most {
        let page = browser.get(&family).await;
        browser.submit(&page, "/form/members", &[("act", "add")]).await.is(303);
    }
    let page = each(&mut browser, &family, 200).await;
    page.lacks("value=\"add\"");
    browser.submit(&page, "/form/members", &[("act", "add")]).await.is(422);
    let draft = collect::draft(&town.kit.desk, &person, id).await.unwrap();
    assert_eq!(draft.answers.items("members").len(), most);
}
