//! Save and resume: a draft that was left goes on in another browser, where it stood and with what was said.

use cases::collect;
use web::visit::Who;

use crate::kit::typed;
use crate::town::Town;

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_goes_on_in_another_browser_where_it_stood() {
    let town = Town::new().await;
    let desk = &town.kit.desk;
    let (person, mut first) = town.resident(1).await;
    let id = town.kit.opened(&person).await;
    let here = format!("/applications/{id}");
    let mut saved = Vec::new();
    for _ in 0..2 {
        let draft = collect::draft(desk, &person, id).await.unwrap();
        let address = draft.questions[0].address.clone();
        let keys: Vec<String> = draft
            .questions
            .iter()
            .filter(|asked| asked.address == address)
            .map(|asked| asked.key.clone())
            .collect();
        let answers: Vec<(String, String)> = typed(&keys)
            .into_iter()
            .filter(|(name, _)| !name.starts_with('_'))
            .map(|(name, values)| (name, values[0].clone()))
            .collect();
        let sent: Vec<(&str, &str)> = answers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let page = first.get(&format!("{here}/form/{address}")).await;
        first.submit(&page, &address, &sent).await.is(303);
        saved.push((address, answers));
    }
    assert_ne!(saved[0].0, saved[1].0);

    // the person signs in somewhere else: the list leads to the draft, and the draft to the next open page
    let mut other = town.signed_in(Who::Resident(person.id)).await;
    assert_ne!(first.session(), other.session());
    let list = other.get("/applications").await;
    list.is(200).has("填寫中");
    let html = list.html();
    let link = html.all("a").into_iter().find(|link| link.attr("href") == here);
    assert_eq!(link.unwrap().text(), "中低收入老人生活津貼");
    let draft = other.get(&here).await;
    draft.is(200);
    let html = draft.html();
    let on = html.all("a").into_iter().find(|link| link.text() == "繼續填寫");
    let next = on.unwrap().attr("href").to_owned();
    let open = collect::draft(desk, &person, id).await.unwrap();
    assert_eq!(next, format!("{here}/form/{}", open.questions[0].address));
    assert!(saved.iter().all(|(address, _)| !next.ends_with(address)));
    other.get(&next).await.is(200);
    for (address, answers) in &saved {
        let page = other.get(&format!("{here}/form/{address}")).await;
        page.is(200);
        let html = page.html();
        let form = html.form(address);
        for (name, value) in answers {
            assert_eq!(form.value(name), *value, "{address}");
        }
    }
    // somebody else finds nothing of it
    let (_, mut stranger) = town.resident(2).await;
    stranger.get(&here).await.is(404);
    stranger.get("/applications").await.lacks(&here);
}
