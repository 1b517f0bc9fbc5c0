//! Agents in the browser: for whom one acts stands on every page, nothing else can be reached, and an end is the end.

use cases::agents::{self, NewAuthorisation, Party, Power, Shown, To};
use cases::{Person, Role, collect};
use civic::Language;
use civic::ids::AuthorisationId;
use jiff::ToSpan as _;
use web::visit::Who;

use crate::kit::{SERVICE, national_id};
use crate::town::{Browser, Town};

const USUAL: [Power; 4] = [Power::Fill, Power::Submit, Power::Correct, Power::Letters];

async fn given(town: &Town, principal: &Person, number: u32, powers: &[Power]) -> AuthorisationId {
    let new = NewAuthorisation {
        to: To::Person {
            national_id: national_id(number).reveal().to_owned(),
            name: "女兒".to_owned(),
        },
        services: vec![SERVICE.to_owned()],
        powers: powers.to_vec(),
        until: Some(town.kit.desk.today().saturating_add(10.days())),
        email: String::new(),
    };
    agents::give(&town.kit.desk, principal, new).await.unwrap()
}

async fn accepted(town: &Town, principal: &Person, agent: &Person, number: u32, powers: &[Power]) -> AuthorisationId {
    let id = given(town, principal, number, powers).await;
    let party = Party::Person(agent);
    let revision = agents::one(&town.kit.desk, &party, id).await.unwrap().revision;
    let shown = Shown {
        digest: String::new(),
        language: Language::ZhTw,
    };
    agents::accept(&town.kit.desk, &party, id, revision, shown)
        .await
        .unwrap();
    id
}

/// Begins to act; the form's token is a new one afterwards.
async fn begin(browser: &mut Browser, id: AuthorisationId) {
    let page = browser.get(&format!("/agent/{id}")).await;
    let page = browser.submit(&page, "/begin", &[]).await;
    assert_eq!(page.location, "/applications", "{}", page.text());
    browser.follow(&page).await.is(200).has("class=\"acting\"");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_forms_of_both_sides_lead_through() {
    let town = Town::new().await;
    let (mother, mut hers) = town.resident(1).await;
    let (_, mut daughters) = town.resident(2).await;
    let page = hers.get("/agents").await;
    page.is(200).has("您沒有授權任何人");
    let page = hers.get("/agents/new").await;
    page.is(200).has("最久 365 天");
    let form = [
        ("to", "person"),
        ("national_id", national_id(2).reveal()),
        ("name", "女兒 小華"),
        ("services", SERVICE),
    ]
    .map(|(name, value)| (name, value.to_owned()));
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let done = hers.submit(&page, "/agents/new", &form).await;
    let page = hers.follow(&done).await;
    page.is(200)
        .has("女兒 小華")
        .has("等對方接受")
        .has("送出申請")
        .lacks(national_id(2).reveal());
    let list = daughters.get("/agent").await;
    list.is(200).has(&mother.name).has("等對方接受");
    let address = list.between("href=\"/agent/", "\"");
    let page = daughters.get(&format!("/agent/{address}")).await;
    page.is(200).has("個人資料保護法 §8").has("接受授權").lacks("開始代");
    let done = daughters.submit(&page, "/accept", &[]).await;
    let page = daughters.follow(&done).await;
    page.is(200).has("開始代「").lacks("接受授權");
    let done = daughters.submit(&page, "/begin", &[]).await;
    let page = daughters.follow(&done).await;
    page.is(200).has(&format!("您正在代「{}」辦理", mother.name));
    // on every page, also those of nobody in particular and those of mistakes
    for path in [
        "/",
        "/services/senior-allowance",
        "/help",
        "/agent",
        "/nothing",
        "/my-data",
    ] {
        daughters.get(path).await.has("class=\"acting\"").has(&mother.name);
    }
    let page = daughters.get("/help").await;
    let done = daughters.submit(&page, "/agent/stop", &[]).await;
    assert_eq!(done.location, "/agent");
    daughters.get("/").await.lacks("class=\"acting\"");
    // the mother ends it on her page
    let page = hers.get(&format!("/agents/{address}")).await;
    page.has("接受代理");
    let done = hers.submit(&page, &format!("/agents/{address}"), &[]).await;
    hers.follow(&done).await.has("已終止").has("由授權人終止");
    hers.get("/my-data").await.has("授權代理人").has("代理人 林阿梅2");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_mistyped_comes_back_with_its_error() {
    let town = Town::new().await;
    let (_, mut browser) = town.resident(1).await;
    let page = browser.get("/agents/new").await;
    let typed = [
        ("to", "person"),
        ("national_id", "B200000000"),
        ("name", "<b>小華"),
        ("until.year", "abc"),
    ];
    let page = browser.submit(&page, "/agents/new", &typed).await;
    page.is(422)
        .has("這個號碼不對")
        .has("B200000000")
        .has("&#60;b&#62;小華")
        .has("href=\"#national_id\"");
    let theirs = national_id(2);
    let typed = [
        ("national_id", theirs.reveal()),
        ("services", SERVICE),
        ("until.year", "９９９"),
    ];
    let page = browser.submit(&page, "/agents/new", &typed).await;
    page.is(422).has("href=\"#until.year\"");
    // a power that is none, a service that is none, a day that is none: nothing is given
    let forged = [
        ("to", "person"),
        ("national_id", theirs.reveal()),
        ("name", "x"),
        ("services", "../../office"),
        ("powers", "everything"),
        ("until.year", "115"),
        ("until.month", "1"),
        ("until.day", "1"),
    ];
    browser.post("/agents/new", &forged).await.is(422);
    browser.post("/agents/new", &[]).await.is(422);
    browser.get("/agents").await.has("您沒有授權任何人");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_reaches_nothing_that_was_not_entrusted() {
    let town = Town::new().await;
    let (mother, _) = town.resident(1).await;
    let (daughter, mut browser) = town.resident(2).await;
    let (stranger, mut strangers) = town.resident(3).await;
    let earlier = town.kit.submitted(&mother).await;
    let own = town.kit.filled(&daughter).await.id;
    let others = town.kit.submitted(&stranger).await;
    let id = accepted(&town, &mother, &daughter, 2, &[Power::Fill]).await;
    // another person's authorisation is none: not seen, not accepted, not begun
    for act in ["accept", "decline", "leave", "begin"] {
        strangers
            .post(&format!("/agent/{id}/{act}"), &[("revision", "2")])
            .await
            .is(404);
    }
    strangers.get(&format!("/agent/{id}")).await.is(404);
    strangers.get(&format!("/agents/{id}")).await.is(404);
    strangers.post(&format!("/agents/{id}"), &[]).await.is(404);
    browser.get(&format!("/agents/{id}")).await.is(404);
    browser.post(&format!("/agent/{id}/anything"), &[]).await.is(404);

    begin(&mut browser, id).await;
    browser.get("/applications").await.lacks("115-SA").lacks("114-SA");
    for case in [earlier, own, others] {
        for page in [
            "",
            "/notice",
            "/mydata",
            "/check",
            "/done",
            "/withdraw",
            "/survey",
            "/account",
            "/appeal",
            "/form/payment",
        ] {
            let status = browser
                .get(&format!("/applications/{case}{page}"))
                .await
                .status
                .as_u16();
            assert!([403, 404].contains(&status), "{page}: {status}");
        }
    }
    for case in [earlier, own, others] {
        for (act, field) in [
            ("object", "objection"),
            ("appeal", "text"),
            ("account", "account.account"),
        ] {
            let forged = [("_revision", "1"), (field, "9999999999999")];
            let status = browser
                .post(&format!("/applications/{case}/{act}"), &forged)
                .await
                .status
                .as_u16();
            assert!([403, 404].contains(&status), "{act}: {status}");
        }
    }
    for path in ["/my-data", "/agents", "/agents/new"] {
        let page = browser.get(path).await;
        page.is(403)
            .lacks(national_id(1).reveal())
            .lacks(national_id(2).reveal());
    }
    // who acts for somebody authorises nobody, whatever the form says
    let third = national_id(3);
    let new = [
        ("to", "person"),
        ("national_id", third.reveal()),
        ("name", "x"),
        ("services", SERVICE),
        ("powers", "fill"),
        ("until.year", "114"),
        ("until.month", "11"),
        ("until.day", "25"),
    ];
    browser.post("/agents/new", &new).await.is(403);
    browser.post(&format!("/agents/{id}"), &[]).await.is(403);
    // a service that was not chosen can't be begun, and its page says so
    browser
        .get("/services/low-income")
        .await
        .is(200)
        .has("沒有受託")
        .lacks("/services/low-income/start");
    browser.post("/services/low-income/start", &[]).await.is(403);
    // in the one that was: begun, not sent, not asked of MyData
    let page = browser.get(&format!("/services/{SERVICE}")).await;
    let page = browser.submit(&page, "/start", &[]).await;
    let case = page.location.split('/').nth(2).unwrap().to_owned();
    let page = browser.follow(&page).await;
    let page = browser.submit(&page, "/notice", &[]).await;
    assert!(page.location.ends_with("/mydata"));
    browser.follow(&page).await.has("不能由代理人代替").lacks("前往 MyData");
    browser.post(&format!("/applications/{case}/mydata"), &[]).await.is(403);
    let asked = browser.post(&format!("/applications/{case}/mydata/ask"), &[]).await;
    browser.follow(&asked).await.is(200).has("已經通知");
    let person = agents::act(&town.kit.desk, &Party::Person(&daughter), id)
        .await
        .unwrap();
    let case_id = case.parse().unwrap();
    let draft = collect::draft(&town.kit.desk, &person, case_id).await.unwrap();
    assert_eq!(draft.answers.value("members.p1.national_id"), None);
    let token = draft.form_token.to_string();
    let forged = [("_revision", draft.revision.to_string()), ("_form_token", token)];
    let forged: Vec<(&str, &str)> = forged.iter().map(|(name, value)| (*name, value.as_str())).collect();
    browser
        .post(&format!("/applications/{case}/check"), &forged)
        .await
        .is(403);
    browser
        .get(&format!("/applications/{case}"))
        .await
        .is(200)
        .lacks(national_id(1).reveal());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_in_another_window_stops_the_very_next_request() {
    let town = Town::new().await;
    let (mother, mut hers) = town.resident(1).await;
    let (daughter, mut browser) = town.resident(2).await;
    let id = accepted(&town, &mother, &daughter, 2, &USUAL).await;
    begin(&mut browser, id).await;
    let page = browser.get(&format!("/services/{SERVICE}")).await;
    let open = browser.submit(&page, "/start", &[]).await;
    let case = open.location.split('/').nth(2).unwrap().to_owned();
    let notice = browser.follow(&open).await;
    // the mother ends it while the notice stands open in the daughter's window
    hers.post(&format!("/agents/{id}"), &[]).await.is(303);
    let stopped = browser.submit(&notice, "/notice", &[]).await;
    assert_eq!(stopped.location, "/agent/stopped");
    browser
        .follow(&stopped)
        .await
        .is(200)
        .has("代理已經終止")
        .lacks("class=\"acting\"")
        .lacks(&mother.name);
    browser.get(&format!("/applications/{case}")).await.is(404);
    browser.get("/applications").await.is(200).has(&daughter.name);
    let page = browser.get(&format!("/agent/{id}")).await;
    page.is(200).has("已終止").lacks("/begin");
    let again = browser.post(&format!("/agent/{id}/begin"), &[]).await;
    assert_eq!(again.location, "/agent/stopped");
    // its time is over: the same
    let id = accepted(&town, &mother, &daughter, 2, &USUAL).await;
    begin(&mut browser, id).await;
    town.kit.wait(11 * 24);
    let page = browser.get("/").await;
    assert_eq!(page.location, "/agent/stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_from_before_acting_does_nothing_for_the_principal_and_the_other_way_round() {
    let town = Town::new().await;
    let (mother, _) = town.resident(1).await;
    let (daughter, mut browser) = town.resident(2).await;
    let id = accepted(&town, &mother, &daughter, 2, &USUAL).await;
    let mut old = browser.clone();
    let before = old.get(&format!("/services/{SERVICE}")).await;
    begin(&mut browser, id).await;
    // the old window: its session has a new name, and its form's token is no more
    let mut stale = browser.clone();
    stale.token = old.token.clone();
    let page = stale.post(&format!("/services/{SERVICE}/start"), &[]).await;
    page.is(403);
    let gone = old.submit(&before, "/start", &[]).await;
    assert!(
        gone.location.starts_with("/sign-in") || gone.status.as_u16() == 403,
        "{}",
        gone.location
    );
    let cases = store::tables::application::by_person(town.kit.desk.store.read(), mother.id.uuid())
        .await
        .unwrap();
    assert!(cases.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn organisations_and_village_officers_act_on_their_own_pages() {
    let town = Town::new().await;
    let (elder, mut hers) = town.resident(1).await;
    let village = town.kit.staff("village", Role::VillageOfficer).await;
    let mut browser = town.signed_in(Who::Staff(village.id)).await;
    let page = browser.get("/office/assist").await;
    page.is(200).has("當面協助民眾");
    let wrong = browser.submit(&page, "/office/assist", &[("national_id", "B2")]).await;
    wrong.is(422).has("這個號碼不對");
    let nobodys = national_id(9);
    let unknown = [("national_id", nobodys.reveal()), ("services", SERVICE)];
    browser
        .submit(&page, "/office/assist", &unknown)
        .await
        .is(422)
        .has("還沒有登入過");
    let elders = national_id(1);
    let known = [("national_id", elders.reveal()), ("services", SERVICE)];
    let asked = browser.submit(&page, "/office/assist", &known).await;
    let page = browser.follow(&asked).await;
    page.is(200).has(&elder.name).lacks("class=\"acting\"");
    let told = hers.get("/agents").await;
    told.is(200).has("里幹事協助的一次性密碼");
    let password: String = told
        .text()
        .split("class=\"told\">")
        .find_map(|part| part.get(..6).filter(|six| six.bytes().all(|c| c.is_ascii_digit())))
        .unwrap()
        .to_owned();
    let wrong = if password == "123456" { "654321" } else { "123456" };
    browser
        .submit(&page, &asked.location, &[("password", wrong)])
        .await
        .is(422)
        .has("還可以試 4 次");
    let begun = browser.submit(&page, &asked.location, &[("password", &password)]).await;
    assert_eq!(begun.location, "/applications", "{}", begun.text());
    let page = browser.follow(&begun).await;
    page.is(200).has("您正在代「林阿梅1」");
    let page = browser.get(&format!("/services/{SERVICE}")).await;
    let opened = browser.submit(&page, "/start", &[]).await;
    browser.follow(&opened).await.is(200).has("class=\"acting\"");
    browser.get("/office/assist").await.is(200).has("class=\"acting\"");
    browser.get("/office").await.is(403);
    // stopping ends an assisted session for good
    let page = browser.get("/agent").await;
    let stopped = browser.submit(&page, "/agent/stop", &[]).await;
    assert_eq!(stopped.location, "/agent");
    browser.get("/applications").await.is(303);
    hers.get("/agents").await.has("已終止");
    // another officer's session is nobody else's
    let colleague = town.kit.staff("village2", Role::VillageOfficer).await;
    let mut theirs = town.signed_in(Who::Staff(colleague.id)).await;
    theirs.get(&asked.location).await.is(404);
    theirs.post(&asked.location, &[("password", &password)]).await.is(404);
}
