//! Signing in by phone and by card through the pages, the stronger sign-in that a service asks for, and what only an own session
//! may do: against the twins of the authorities.

use std::sync::Arc;

use axum::http::Method as HttpMethod;
use cases::identity::card::Lists;
use cases::identity::{Card, Issuer, Methods, Phone, WORDS};
use civic::{Language, Text};
use exchange::certificate::ics::{self, Ics};
use exchange::certificate::sign_in::{self, SignIn};
use exchange::oidc::Level;
use exchange::{ClientConfig, fido};
use jiff::{SignedDuration, Timestamp};
use peers::{Account, Population, Terms};
use store::tables::security_event;
use web::texts::Words;

use crate::kit::{CATALOGUE, Kit, SERVICE};
use crate::town::{Browser, Page, Town, site};

const MEI: &str = "A223456781";
const HAO: &str = "A123456789";
const FORM: &str = "application/x-www-form-urlencoded";

struct People;

impl Population for People {
    fn accounts(&self) -> Vec<Account> {
        [MEI, HAO].into_iter().filter_map(|id| self.find(id)).collect()
    }

    fn find(&self, national_id: &str) -> Option<Account> {
        [MEI, HAO].contains(&national_id).then(|| Account {
            national_id: national_id.to_owned(),
            name: "林阿梅".to_owned(),
            birth_date: jiff::civil::date(1950, 3, 15),
            email: None,
            phone: None,
            note: String::new(),
        })
    }

    fn data_set(&self, _: &str, _: &str) -> Option<serde_json::Value> {
        None
    }
}

pub fn level(number: u8) -> Level {
    Level::new(number).unwrap()
}

pub fn client() -> ClientConfig {
    ClientConfig {
        https_only: false,
        ..ClientConfig::default()
    }
}

struct World {
    town: Town,
    twins: peers::identity::Running,
}

impl World {
    /// A town with phone and card, whose services ask for this level.
    async fn new(least: Option<u8>) -> World {
        let kit = Kit::at(Timestamp::now(), Arc::clone(&CATALOGUE), None).await;
        let twins = peers::identity::start(peers::identity::Config {
            population: Arc::new(People),
            callback_url: "https://city.example/sign-in/phone/wait".parse().unwrap(),
            return_url: "https://city.example/sign-in/card/return".parse().unwrap(),
            agency: "CITY".to_owned(),
            terms: Terms {
                clock: kit.clock.clone(),
                ..Terms::default()
            },
            ports: (0, 0),
        })
        .await
        .unwrap();
        let facts = twins.fido.facts.clone();
        let config = fido::Config {
            api: facts.address.parse().unwrap(),
            web: facts.address.parse().unwrap(),
            sp_service_id: facts.sp_service_id,
            key: facts.key,
            orders: fido::Orders::default(),
            codes: Default::default(),
            client: client(),
        };
        let phone = Phone {
            service: fido::Service::new(config).unwrap(),
            level: level(2),
            seconds: 120,
        };
        let trust = sign_in::Config {
            roots: twins.authority.root_pem(),
            intermediates: twins.authority.authority_pem(),
            audience: "city.example".to_owned(),
            life_seconds: 300,
            skew_seconds: 60,
        };
        let ics = ics::Config {
            address: format!("{}/ics/query", twins.ics.address).parse().unwrap(),
            agency: "CITY".to_owned(),
            key: twins.agency_key.clone(),
            fields: ics::Fields::default(),
            client: client(),
        };
        let card = Card {
            sign_in: SignIn::new(trust).unwrap(),
            lists: Arc::new(Lists::new(None, false, SignedDuration::from_secs(60))),
            ics: Ics::new(ics).unwrap(),
            level: level(1),
            component: Some(twins.card().parse().unwrap()),
        };
        let kit = kit.changed(|desk| {
            desk.identity = Methods {
                issuers: Vec::new(),
                phone: Some(phone),
                card: Some(card),
                least: least.map(level),
            };
        });
        World {
            town: Town::on(kit, site()).await,
            twins,
        }
    }

    async fn events(&self) -> Vec<String> {
        let rows = security_event::newest(self.town.kit.desk.store.read(), Some("sign_in."), 50)
            .await
            .unwrap();
        rows.into_iter().map(|row| row.kind).collect()
    }

    /// Signs in by phone; gives what came back.
    async fn by_phone(&self, browser: &mut Browser, back: &str) -> Page {
        let page = browser.get(&format!("/sign-in/phone?return={back}")).await;
        let page = browser
            .submit(page.is(200), "/sign-in/phone", &[("national_id", MEI), ("way", "push")])
            .await;
        assert_eq!(page.is(303).location, "/sign-in/phone/wait");
        self.twins.fido.answer_all(true);
        browser.get("/sign-in/phone/wait").await
    }

    /// Signs by somebody's card for the id of Mei; gives what came back.
    async fn by_card(&self, browser: &mut Browser, holder: &str, query: &str) -> Page {
        let page = browser.get(&format!("/sign-in/card?{query}")).await;
        let page = browser
            .submit(page.is(200), "/sign-in/card", &[("national_id", holder)])
            .await;
        let page = browser.follow(&page).await;
        let text = page.html().first_typed();
        let signature = self.twins.ics.sign(holder, &text).unwrap();
        browser.post("/sign-in/card/sign", &[("signature", &signature)]).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_offers_what_the_city_configured_and_says_who_has_which() {
    let world = World::new(None).await;
    let mut browser = world.town.browser();
    browser.in_english();
    let page = browser.get("/sign-in?return=/my-data").await;
    page.is(200)
        .has("card with the chip")
        .has("app “行動自然人憑證”")
        .lacks("Go to sign-in");
    page.has("/sign-in/phone?return=%2Fmy-data");
    // an address from outside leads nowhere
    browser
        .get("/sign-in?return=https://evil.example")
        .await
        .is(200)
        .has("/sign-in/phone?return=%2F\"")
        .lacks("href=\"https://evil.example")
        .lacks("value=\"https://evil.example");
    browser
        .get("/sign-in?problem=nonsense")
        .await
        .is(200)
        .lacks("govuk-error-summary");
    browser
        .get("/sign-in?problem=card-revoked")
        .await
        .is(200)
        .has("This card was revoked");
    let none = Town::new().await;
    none.browser().get("/sign-in").await.is(200).has("沒有夠可靠的登入方式");
    for path in ["/sign-in/phone", "/sign-in/card"] {
        none.browser().get(path).await.is(404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_signs_in_waits_and_can_be_cancelled_without_script() {
    let world = World::new(None).await;
    let mut browser = world.town.browser();
    let page = world.by_phone(&mut browser, "/my-data").await;
    assert_eq!(page.is(303).location, "/my-data");
    browser.follow(&page).await.is(200);
    // there is nothing to wait for any more, and a reload asks nobody
    assert_eq!(
        browser.get("/sign-in/phone/wait").await.is(303).location,
        "/applications"
    );

    for (way, wanted) in [
        ("scan", "<svg class=\"qr\""),
        ("app", "mobilemoica://"),
        ("push", "已經傳訊息"),
    ] {
        let mut browser = world.town.browser();
        let page = browser.get("/sign-in/phone?return=/my-data").await;
        let page = browser
            .submit(page.is(200), "/sign-in/phone", &[("national_id", MEI), ("way", way)])
            .await;
        let page = browser.follow(&page).await;
        page.is(200)
            .has(wanted)
            .has("data-wait=\"5\"")
            .has("/sign-in/phone/wait")
            .lacks(MEI);
        assert_eq!(page.header("cache-control"), ["no-store"]);
        let page = browser.submit(&page, "/sign-in/phone/cancel", &[]).await;
        assert_eq!(page.is(303).location, "/sign-in?return=%2Fmy-data");
        world.twins.fido.answer_all(true);
        assert_eq!(
            browser.get("/sign-in/phone/wait").await.is(303).location,
            "/sign-in?problem=lost"
        );
        assert_eq!(
            browser.get("/my-data").await.is(303).location,
            "/sign-in?return=%2Fmy-data"
        );
    }

    // declined: told on a page that a reload only shows again
    let mut browser = world.town.browser();
    let page = browser.get("/sign-in/phone").await;
    let page = browser
        .submit(&page, "/sign-in/phone", &[("national_id", MEI), ("way", "push")])
        .await;
    page.is(303);
    world.twins.fido.answer_all(false);
    let page = browser.get("/sign-in/phone/wait").await;
    browser.follow(&page).await.is(200).has("您在手機上拒絕了");
    let page = browser.get("/sign-in/phone").await;
    let page = browser
        .submit(
            &page,
            "/sign-in/phone",
            &[("national_id", "A123456780"), ("way", "scan")],
        )
        .await;
    page.is(422).has("這個號碼不對").has("value=\"A123456780\"");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_signs_in_from_the_component_s_page_of_this_or_another_site() {
    let world = World::new(None).await;
    let begin = async |browser: &mut Browser| {
        let page = browser.get("/sign-in/card?return=/my-data").await;
        let page = browser
            .submit(page.is(200), "/sign-in/card", &[("national_id", MEI)])
            .await;
        let page = browser.follow(&page).await;
        page.is(200).has(&world.twins.card()).lacks(MEI);
        let signature = world.twins.ics.sign(MEI, &page.html().first_typed()).unwrap();
        url::form_urlencoded::Serializer::new(String::new())
            .append_pair("signature", &signature)
            .finish()
            .into_bytes()
    };
    let mut browser = world.town.browser();
    let body = begin(&mut browser).await;
    // another browser, with a session of its own, has nothing that this signature is over
    let mut thief = world.town.browser();
    thief.get("/sign-in").await.is(200);
    thief
        .send(HttpMethod::POST, "/sign-in/card/return", Some(FORM), body.clone())
        .await
        .is(422);
    let page = browser
        .send(HttpMethod::POST, "/sign-in/card/return", Some(FORM), body.clone())
        .await;
    assert_eq!(page.is(303).location, "/my-data");

    // a page of another site comes without the cookie: the person sends the signature on
    let mut browser = world.town.browser();
    let body = begin(&mut browser).await;
    let page = world
        .town
        .browser()
        .send(HttpMethod::POST, "/sign-in/card/return", Some(FORM), body)
        .await;
    let page = browser.submit(page.is(200), "/sign-in/card/return", &[]).await;
    assert_eq!(page.is(303).location, "/my-data");
    browser.get("/my-data").await.is(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_asks_for_more_is_applied_for_after_a_stronger_sign_in_and_nothing_is_lost() {
    let world = World::new(Some(1)).await;
    let mut browser = world.town.browser();
    world.by_phone(&mut browser, "/").await.is(303);
    let service = browser.get(&format!("/services/{SERVICE}")).await;
    let token = browser.token.clone();
    let start = format!("/services/{SERVICE}/start");
    let page = browser.submit(&service, &start, &[]).await;
    assert!(
        page.is(303)
            .location
            .starts_with("/sign-in?for=senior-allowance&return=")
    );
    let page = browser.follow(&page).await;
    page.is(200)
        .has("請再確認一次是您本人")
        .has("行動自然人憑證（第 2 級）")
        .has("中低收入老人生活津貼")
        .has(
            "/sign-in/card?return=%2Fservices%2Fsenior-allowance&amp;for=senior-allowance"
                .replace("&amp;", "&#38;")
                .as_str(),
        )
        .lacks("/sign-in/phone?");
    let query = format!("return=/services/{SERVICE}&for={SERVICE}");
    // somebody else's card does not take the session over
    let page = world.by_card(&mut browser, HAO, &query).await;
    page.is(422).has("剛才確認的是另一個人");
    let before = browser.session();
    let page = world.by_card(&mut browser, MEI, &query).await;
    assert_eq!(page.is(303).location, format!("/services/{SERVICE}"));
    assert_ne!(browser.session(), before, "the session has a new id");
    // the page from before still works
    browser.token = token;
    let page = browser.submit(&service, &start, &[]).await;
    assert!(page.is(303).location.ends_with("/notice"), "{}", page.location);
    // an old link to the stronger sign-in goes on at once
    let page = browser.get(&format!("/sign-in?for={SERVICE}&return=/my-data")).await;
    assert_eq!(page.is(303).location, "/my-data");
    // by phone alone nobody gets further, even who forges the way
    let mut weak = world.town.browser();
    let page = weak.get(&format!("/sign-in/phone?return=/my-data&for={SERVICE}")).await;
    weak.submit(&page, "/sign-in/phone", &[("national_id", MEI), ("way", "push")])
        .await
        .is(303);
    world.twins.fido.answer_all(true);
    let page = weak.get("/sign-in/phone/wait").await;
    weak.follow(&page).await.has("這次驗證的強度不夠");
    weak.get("/my-data").await.is(303);
}

#[tokio::test(flavor = "multi_thread")]
async fn handing_in_asks_for_the_level_too_and_the_officer_sees_how_the_person_signed_in() {
    let world = World::new(Some(1)).await;
    let kit = &world.town.kit;
    let mut browser = world.town.browser();
    world.by_card(&mut browser, MEI, "return=/").await.is(303);
    let page = browser.get(&format!("/services/{SERVICE}")).await;
    let page = browser.submit(&page, &format!("/services/{SERVICE}/start"), &[]).await;
    let id = page.is(303).location.split('/').nth(2).unwrap().to_owned();
    let application = id.parse().map(civic::ids::ApplicationId::from_uuid).unwrap();
    let lookup = kit.desk.store.seal().lookup("national_id", MEI);
    let row = store::tables::person::by_lookup(kit.desk.store.read(), &lookup)
        .await
        .unwrap()
        .unwrap();
    let person = cases::people::get(&kit.desk, civic::ids::PersonId::from_uuid(row.id))
        .await
        .unwrap();
    let verified = cases::identity::Verified {
        method: cases::identity::Method::Card,
        level: Some(level(1)),
        at: kit.desk.now(),
    };
    let filled = kit.filled(&person.proven(Some(verified))).await;
    assert_eq!(filled.id, application);

    // the same person in a session that is weaker
    let mut weak = world.town.browser();
    world.by_phone(&mut weak, "/").await.is(303);
    let check = format!("/applications/{id}/check");
    let page = weak.get(&check).await;
    let page = weak.submit(page.is(200), &check, &[]).await;
    assert!(
        page.is(303)
            .location
            .contains(&format!("return=%2Fapplications%2F{id}%2Fcheck"))
    );
    let page = world
        .by_card(&mut weak, MEI, &format!("return={check}&for={SERVICE}"))
        .await;
    assert_eq!(page.is(303).location, check);
    let page = weak.get(&check).await;
    let page = weak.submit(page.is(200), &check, &[]).await;
    assert_eq!(page.is(303).location, format!("/applications/{id}/done"));
    weak.get(&format!("/applications/{id}"))
        .await
        .has("確認身分的方式")
        .has("自然人憑證（卡片）（第 1 級）");
    let (_, mut officer) = world.town.on_duty("officer", cases::Role::Officer).await;
    officer
        .get(&format!("/office/cases/{id}"))
        .await
        .is(200)
        .has("登入方式")
        .has("自然人憑證（卡片）（第 1 級）");
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_attempts_are_told_to_the_person_and_to_the_auditor() {
    let world = World::new(None).await;
    let mut browser = world.town.browser();
    for _ in 0..8 {
        let page = browser.get("/sign-in/phone").await;
        browser
            .submit(&page, "/sign-in/phone", &[("national_id", MEI), ("way", "push")])
            .await
            .is(303);
    }
    let page = browser.get("/sign-in/phone").await;
    browser
        .submit(&page, "/sign-in/phone", &[("national_id", MEI), ("way", "push")])
        .await
        .is(429)
        .has("嘗試的次數太多");
    assert_eq!(world.events().await, ["sign_in.too_many"]);
    let (_, mut auditor) = world.town.on_duty("auditor", cases::Role::Auditor).await;
    auditor.get("/office/audit").await.is(200).has("sign_in.too_many");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_that_is_not_there_ends_nothing_and_nobody_s_logout_is_taken() {
    let kit = Kit::new(None).await;
    let config = toml::from_str(
        "issuer = \"http://127.0.0.1:9\"\nclient_id = \"city\"\nredirect_url = \"https://city.example/sign-in/return\"\n\
         [client]\nhttps_only = false\nconnect_seconds = 1\n",
    )
    .unwrap();
    let issuer = Issuer::new("gsp".to_owned(), Text::chinese("我的E政府"), Default::default(), config);
    let kit = kit.changed(|desk| {
        desk.identity = Methods {
            issuers: vec![issuer],
            ..Methods::default()
        };
    });
    let town = Town::on(kit, site()).await;
    let mut browser = town.browser();
    let page = browser.get("/sign-in").await;
    page.has("我的E政府").has("前往登入");
    let page = browser.submit(&page, "/sign-in/go", &[]).await;
    page.is(503).has("身分驗證服務現在沒有回應");
    for (path, body) in [
        ("/sign-in/logout/gsp", "logout_token=a.b.c"),
        ("/sign-in/logout/gsp", ""),
        ("/sign-in/logout/gsp", "logout_token=a&logout_token=b"),
        ("/sign-in/logout/other", "logout_token=a.b.c"),
    ] {
        let page = town
            .browser()
            .send(HttpMethod::POST, path, Some(FORM), body.as_bytes().to_vec())
            .await;
        page.is(400);
        assert_eq!(page.header("cache-control"), ["no-store"], "{path} {body}");
    }
}

#[test]
fn every_word_of_a_refusal_has_its_sentence() {
    for language in [Language::ZhTw, Language::En] {
        let words = Words::new(language);
        let lacking: Vec<&str> = WORDS
            .into_iter()
            .filter(|word| !words.has(&format!("identity-no-{word}")))
            .collect();
        assert!(lacking.is_empty(), "{language:?}: {lacking:?}");
    }
}
