//! Every page of residents, in every language, in every state it can be in.

use std::collections::BTreeSet;

use cases::collect;
use civic::Language;
use web::texts::OFFERED;

use crate::kit::{Kit, typed};
use crate::sound::sound;
use crate::town::{Browser, Page, Town};

/// What is no answer to any question, and must not become a part of the page.
const NO_ANSWER: &str = "不是答案<i>\"'&lt;";

/// Gets a page in each language and finds it sound; gives the Chinese one.
pub async fn each(browser: &mut Browser, path: &str, status: u16) -> Page {
    let mut found = None;
    for language in OFFERED.into_iter().rev() {
        browser.speaks(language.tag());
        let page = browser.get(path).await;
        page.is(status);
        sound(path, &page, language);
        found = Some(page);
    }
    found.unwrap()
}

/// Sends a form in each language and finds the page that comes back sound.
pub async fn sent(browser: &mut Browser, page: &Page, action: &str, changes: &[(&str, &str)], status: u16) {
    for language in OFFERED {
        browser.speaks(language.tag());
        let page = browser.submit(page, action, changes).await;
        page.is(status);
        sound(action, &page, language);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_for_everybody_are_sound_in_every_language() {
    let town = Town::new().await;
    let mut nobody = town.browser();
    for path in [
        "/",
        "/services/senior-allowance",
        "/help",
        "/privacy",
        "/accessibility",
        "/sign-in",
        "/sign-in?return=/my-data",
    ] {
        each(&mut nobody, path, 200).await;
    }
    for (path, status) in [
        ("/nothing", 404),
        ("/services/nothing", 404),
        ("/sign-out", 405),
        ("/services/senior-allowance/start", 405),
    ] {
        each(&mut nobody, path, status).await;
    }
    // nobody can sign in here: no issuer is connected
    each(&mut nobody, "/sign-in/return?code=a&state=b", 503).await;
    let (_, mut resident) = town.resident(1).await;
    for path in ["/", "/services/senior-allowance", "/help", "/sign-in"] {
        each(&mut resident, path, 200).await.has("登出");
    }
    each(&mut resident, "/nothing", 404).await.has("看我的申請");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_a_resident_who_has_done_nothing_are_sound() {
    let town = Town::new().await;
    let (_, mut browser) = town.resident(1).await;
    each(&mut browser, "/applications", 200).await.has("您還沒有申請");
    each(&mut browser, "/my-data", 200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_of_a_draft_is_sound_empty_wrong_and_filled() {
    let town = Town::new().await;
    let (person, mut browser) = town.resident(1).await;
    let id = town.kit.begun(&person).await;
    let here = format!("/applications/{id}");
    each(&mut browser, "/applications", 200).await.has("填寫中");
    each(&mut browser, &here, 200).await.has("閱讀個人資料說明");
    let notice = each(&mut browser, &format!("{here}/notice"), 200).await;
    for page in ["mydata", "check", "form/region"] {
        let away = browser.get(&format!("{here}/{page}")).await;
        away.is(303);
        assert_eq!(away.location, format!("{here}/notice"), "{page}");
    }
    browser.submit(&notice, "/notice", &[]).await.is(303);
    each(&mut browser, &format!("{here}/notice"), 200)
        .await
        .has("您已經同意");
    each(&mut browser, &format!("{here}/mydata"), 200)
        .await
        .has("現在連不上 MyData");
    each(&mut browser, &format!("{here}/check"), 200)
        .await
        .has("還有問題沒有回答");
    let pages = walk(&town.kit, &mut browser, &person, &here).await;
    assert!(pages >= 10, "{pages} pages");
    each(&mut browser, &here, 200).await;
    each(&mut browser, &format!("{here}/check"), 200)
        .await
        .has("預計符合資格")
        .has("送出申請");
}

/// Fills the form page by page: each is looked at as it is asked, with mistakes, and once more when it is filled.
async fn walk(kit: &Kit, browser: &mut Browser, person: &cases::Person, here: &str) -> usize {
    let id = here.rsplit('/').next().unwrap().parse().unwrap();
    let mut count = 0;
    loop {
        let draft = collect::draft(&kit.desk, person, id).await.unwrap();
        let Some(address) = draft.questions.first().map(|asked| asked.address.clone()) else {
            return count;
        };
        let asked = draft.questions.iter().filter(|asked| asked.address == address);
        let keys: Vec<String> = asked.map(|asked| asked.key.clone()).collect();
        let path = format!("{here}/form/{address}");
        let page = each(browser, &path, 200).await;
        mistyped(browser, &page, &address).await;
        let raw = typed(&keys);
        let answers: Vec<(&str, &str)> = raw
            .iter()
            .filter(|(name, _)| !name.starts_with('_'))
            .map(|(name, values)| (name.as_str(), values[0].as_str()))
            .collect();
        let next = browser.submit(&page, &address, &answers).await;
        next.is(303);
        each(browser, &format!("{path}?from=check"), 200).await;
        count += 1;
    }
}

/// Sends a page of the form with nothing that is an answer: it comes back sound in each language, with what was typed, and
/// names each field that is wrong.
async fn mistyped(browser: &mut Browser, page: &Page, address: &str) {
    let html = page.html();
    let controls = html.form(address).controls();
    let unreadable: Vec<(&str, &str)> = controls
        .iter()
        .map(|control| (control.attr("name"), NO_ANSWER))
        .collect();
    // the page of the family has buttons only
    if unreadable.is_empty() {
        return;
    }
    sent(browser, page, address, &unreadable, 422).await;
    let back = browser.submit(page, address, &unreadable).await;
    back.lacks(NO_ANSWER);
    let html = back.html();
    let form = html.form(address);
    for control in form.controls() {
        let is_typed = control.name == "textarea" || ["text", "tel", "email", ""].contains(&control.attr("type"));
        if control.name != "select" && is_typed {
            assert_eq!(form.value(control.attr("name")), NO_ANSWER, "{address}");
        }
    }
    let wrong = form
        .walk()
        .into_iter()
        .filter(|one| one.attr("class").contains("govuk-error-message"));
    let named = html
        .all("a")
        .into_iter()
        .filter(|link| link.attr("href").starts_with("#"))
        .count();
    // one link skips to the content
    assert_eq!(wrong.count(), named - 1, "{address}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_cases_are_sound_wherever_the_case_stands() {
    let town = Town::new().await;
    let officer = town.kit.officer().await;
    let kit = &town.kit;

    let (person, mut browser) = town.resident(1).await;
    let id = kit.submitted(&person).await;
    let here = format!("/applications/{id}");
    each(&mut browser, &here, 200).await.has("已送出");
    each(&mut browser, &format!("{here}/done"), 200)
        .await
        .has("114-SA-000001");
    each(&mut browser, &format!("{here}/withdraw"), 200).await;
    each(&mut browser, "/applications", 200).await.has("114-SA-000001");
    each(&mut browser, "/my-data", 200).await.has("送出申請");

    let (person, mut browser) = town.resident(2).await;
    let id = kit.taken(&person, &officer).await;
    each(&mut browser, &format!("/applications/{id}"), 200)
        .await
        .has("審查中");
    each(&mut browser, "/my-data", 200).await;

    let (person, mut browser) = town.resident(3).await;
    let id = kit.asked_to_correct(&person, &officer).await;
    let here = format!("/applications/{id}");
    each(&mut browser, &here, 200).await.has("開始補正");
    each(&mut browser, &format!("{here}/check"), 200).await.has("送出補正");
    let page = each(&mut browser, &format!("{here}/form/payment?from=check"), 200).await;
    sent(&mut browser, &page, "/form/payment", &[("account.bank", "7")], 422).await;

    let (person, mut browser) = town.resident(4).await;
    let id = kit.completed(&person, &officer).await;
    let here = format!("/applications/{id}");
    each(&mut browser, &here, 200).await.has("核准").has("核定函");
    let page = each(&mut browser, &format!("{here}/survey"), 200).await;
    let long = "長".repeat(1001);
    sent(&mut browser, &page, "/survey", &[], 422).await;
    sent(
        &mut browser,
        &page,
        "/survey",
        &[("grade", "3"), ("comment", &long)],
        422,
    )
    .await;
    browser.submit(&page, "/survey", &[("grade", "3")]).await.is(303);
    each(&mut browser, &here, 200).await.has("謝謝您的回答");
    each(&mut browser, "/applications", 200).await.has("核准");
    each(&mut browser, "/my-data", 200).await;

    let (person, mut browser) = town.resident(5).await;
    let id = kit.refused(&person, &officer).await;
    each(&mut browser, &format!("/applications/{id}"), 200)
        .await
        .has("駁回函");

    let (person, mut browser) = town.resident(6).await;
    let id = kit.withdrawn(&person).await;
    each(&mut browser, &format!("/applications/{id}"), 200)
        .await
        .has("已撤回");
    each(&mut browser, "/applications", 200).await.has("已撤回");

    let (person, mut browser) = town.resident(7).await;
    let id = kit.account_refused(&person, &officer).await;
    let here = format!("/applications/{id}");
    each(&mut browser, &here, 200).await.has("更換帳戶");
    let page = each(&mut browser, &format!("{here}/account"), 200).await;
    sent(&mut browser, &page, "/account", &[("account.bank", "12")], 422).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_and_what_is_no_page_carry_the_security_headers_too() {
    let town = Town::new().await;
    let officer = town.kit.officer().await;
    let (person, mut browser) = town.resident(1).await;
    let id = town.kit.completed(&person, &officer).await;
    let page = browser.get(&format!("/applications/{id}")).await;
    let letter = page.between(&format!("/applications/{id}/letters/"), "\"");
    let letter = browser.get(&format!("/applications/{id}/letters/{letter}")).await;
    letter.is(200);
    assert_eq!(letter.kind, "application/pdf");
    assert_eq!(letter.header("cache-control"), ["no-store"]);
    crate::sound::guarded(&letter);
    for path in [
        "/robots.txt",
        "/.well-known/security.txt",
        "/healthz",
        "/assets/missing",
        "/language/en?return=/help",
    ] {
        crate::sound::guarded(&browser.get(path).await);
    }
    let sheet = page.html();
    let sheets: Vec<String> = sheet
        .all("link")
        .iter()
        .map(|link| link.attr("href").to_owned())
        .collect();
    assert_eq!(sheets.len(), 3);
    for href in sheets {
        let asset = town.browser().get(&href).await;
        asset.is(200);
        assert_eq!(asset.header("cache-control"), ["public, max-age=31536000, immutable"]);
        crate::sound::guarded(&asset);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_to_tell_of_a_weakness_is_said_for_half_a_year() {
    let town = Town::new().await;
    let portal = &town.kit.desk.city.portal;
    let page = town.browser().get("/.well-known/security.txt").await;
    // the clock of the tests stands on 20 November 2025
    page.is(200)
        .has(&format!("Contact: {portal}/help\n"))
        .has("Expires: 2026-05-19T00:00:00Z\n")
        .has(&format!("Canonical: {portal}/.well-known/security.txt\n"));
    assert_eq!(page.kind, "text/plain; charset=utf-8");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_language_is_the_one_chosen_then_the_browsers_then_chinese() {
    let town = Town::new().await;
    let speaks = async |accept: &str, cookie: &str| {
        let mut browser = town.browser();
        if !accept.is_empty() {
            browser.headers.push(("accept-language", accept.to_owned()));
        }
        if !cookie.is_empty() {
            browser.speaks(cookie);
        }
        browser.get("/help").await.html().one("html").attr("lang").to_owned()
    };
    for (accept, cookie, language) in [
        ("", "", Language::ZhTw),
        ("en", "", Language::En),
        ("en-GB;q=0.9,zh;q=0.8", "", Language::En),
        ("zh-TW,en", "", Language::ZhTw),
        ("fr,*;q=0.1", "", Language::ZhTw),
        ("en", "zh-TW", Language::ZhTw),
        ("zh-TW", "en", Language::En),
        ("en", "xx", Language::En),
        // its words are not complete yet
        ("en", "vi", Language::ZhTw),
        (";;q=,,", "", Language::ZhTw),
    ] {
        assert_eq!(speaks(accept, cookie).await, language.html(), "{accept} {cookie}");
    }
    let mut browser = town.browser();
    let page = browser.get("/help").await;
    let html = page.html();
    let switch = html.all("a").into_iter().find(|link| link.has("hreflang")).unwrap();
    assert_eq!((switch.attr("lang"), switch.text().as_str()), ("en", "English"));
    let back = browser.get(switch.attr("href")).await;
    browser.follow(&back).await.is(200).has("lang=\"en\"").has("Help");
    browser.get("/language/xx").await.is(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_reached_by_links_and_no_link_is_dead() {
    let town = Town::new().await;
    let officer = town.kit.officer().await;
    let (person, browser) = town.resident(1).await;
    let completed = town.kit.completed(&person, &officer).await;
    let draft = town.kit.filled(&person).await.id;
    for (mut browser, wanted) in [
        (
            town.browser(),
            vec![
                "/help",
                "/privacy",
                "/accessibility",
                "/sign-in",
                "/services/senior-allowance",
            ],
        ),
        (
            browser,
            vec![
                "/applications",
                "/my-data",
                &format!("/applications/{completed}"),
                &format!("/applications/{completed}/survey"),
                &format!("/applications/{draft}/notice"),
                &format!("/applications/{draft}/mydata"),
                &format!("/applications/{draft}/check"),
                &format!("/applications/{draft}/form/members?from=check"),
                &format!("/applications/{draft}/form/person.p1?from=check"),
            ],
        ),
    ] {
        let mut seen = BTreeSet::new();
        let mut left = vec!["/".to_owned()];
        while let Some(path) = left.pop() {
            if path.starts_with("/language/") || !seen.insert(path.clone()) {
                continue;
            }
            let page = browser.get(&path).await;
            assert!([200, 303].contains(&page.status.as_u16()), "{path}: {}", page.status);
            if page.kind.starts_with("text/html") {
                let links = page.html();
                let links = links.all("a").into_iter().map(|link| link.attr("href"));
                left.extend(links.filter(|to| to.starts_with('/')).map(str::to_owned));
            }
        }
        for path in wanted {
            assert!(seen.contains(path), "no link leads to {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_choice_of_language_leads_nowhere_else() {
    let town = Town::new().await;
    let mut browser = town.browser();
    for (back, to) in [
        ("/help", "/help"),
        ("/services/senior-allowance?a=1", "/services/senior-allowance?a=1"),
        ("", "/"),
        ("help", "/"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example/", "/"),
        ("/\t/evil.example/", "/"),
        ("/a\r\nSet-Cookie: a=b", "/"),
        ("/\u{b}", "/"),
        ("/\u{0}", "/"),
    ] {
        let back: String = url::form_urlencoded::byte_serialize(back.as_bytes()).collect();
        let page = browser.get(&format!("/language/en?return={back}")).await;
        page.is(303);
        assert_eq!(page.location, to, "{back}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_title_names_a_person() {
    let town = Town::new().await;
    let (person, mut browser) = town.resident(1).await;
    let id = town.kit.submitted(&person).await;
    for path in [
        "/applications".to_owned(),
        "/my-data".to_owned(),
        format!("/applications/{id}"),
        format!("/applications/{id}/done"),
    ] {
        let title = browser.get(&path).await.html().one("title").text();
        assert!(!title.contains("林阿梅") && !title.contains("114-SA"), "{title}");
    }
}
