//! The table of routes against the router itself, and each line of it against what everybody gets.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use axum::http::Method;
use cases::{Person, Role};
use civic::ids::ApplicationId;
use expect_test::expect_file;
use uuid::Uuid;
use web::visit::Who;

use crate::kindergarten::{KINDERGARTEN, ROUND};
use crate::kit::national_id;
use crate::sound::guarded;
use crate::town::{Browser, Page, Town};

const TABLE: &str = include_str!("matrix.txt");

const HEAD: &str = "\
# Every route as everybody. `owner` is the resident whose applications the addresses name, `other` another resident.
# A number is the status; `sign-in` and `staff` are redirects to the sign-in of residents and of the staff.
# What is posted: the form's token, and by all but the owner everything else the form would hold.
";

const FORM: &str = "application/x-www-form-urlencoded";

/// Method and route of each line.
fn lines() -> Vec<(Method, &'static str)> {
    let lines = TABLE
        .lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines
        .skip(1)
        .map(|line| {
            let mut words = line.split_whitespace();
            let method = words.next().unwrap().parse().unwrap();
            (method, words.next().unwrap())
        })
        .collect()
}

/// The routes as the router itself tells them.
fn routes(town: &Town) -> BTreeSet<String> {
    let told = format!("{:?}", town.router);
    let parts = told.split("RouteId(").skip(1);
    let paths = parts.filter_map(|part| part.split_once("): \"")?.1.split_once('"'));
    let paths = paths.map(|(path, _)| path.to_owned());
    paths.filter(|path| !path.contains("__private")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_of_the_portal_has_its_lines_in_the_table() {
    let town = Town::new().await;
    let listed: BTreeSet<String> = lines().into_iter().map(|(_, path)| path.to_owned()).collect();
    let there = routes(&town);
    assert!(there.len() > 40 && there.contains("/applications/{id}"), "{there:?}");
    assert_eq!(there, listed);
    // a method without a line is not answered
    let mut nobody = town.browser();
    for path in &there {
        for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            if !lines().contains(&(method.clone(), path.as_str())) {
                let path = path.replace(['{', '}'], "");
                let page = nobody.send(method.clone(), &path, Some(FORM), Vec::new()).await;
                assert_eq!(page.status.as_u16(), 405, "{method} {path} has no line");
                assert!(!page.header("allow").is_empty(), "{method} {path}");
            }
        }
    }
}

/// The resident whose data nobody else may see, with an application at each point that has pages of its own.
struct Owner {
    person: Person,
    draft: ApplicationId,
    submitted: ApplicationId,
    completed: ApplicationId,
    letter: String,
    correction: ApplicationId,
}

impl Owner {
    async fn new(town: &Town) -> Owner {
        let officer = town.kit.officer().await;
        let (person, mut browser) = town.resident(1).await;
        let completed = town.kit.completed(&person, &officer).await;
        let page = browser.get(&format!("/applications/{completed}")).await;
        let letter = page.between(&format!("/applications/{completed}/letters/"), "\"");
        Owner {
            submitted: town.kit.submitted(&person).await,
            correction: town.kit.asked_to_correct(&person, &officer).await,
            draft: town.kit.filled(&person).await.id,
            completed,
            letter,
            person,
        }
    }

    /// The application a route is about: one that has this page.
    fn application(&self, route: &str) -> ApplicationId {
        match route.rsplit('/').next().unwrap_or_default() {
            "notice" | "held" | "mydata" | "sign" | "wallet" | "{address}" | "check" => self.draft,
            "{letter}" | "survey" | "account" | "card" => self.completed,
            "correct" => self.correction,
            _ => self.submitted,
        }
    }

    fn path(&self, route: &str) -> String {
        let id = match route {
            _ if route.starts_with("/services/") => "senior-allowance".to_owned(),
            _ if route.starts_with("/applications/") => self.application(route).to_string(),
            _ if route.starts_with("/office/cases/") => self.submitted.to_string(),
            _ if route.starts_with("/counter/applications/") => self.draft.to_string(),
            _ => Uuid::nil().to_string(),
        };
        let values = [
            ("{id}", id.as_str()),
            ("{address}", "payment"),
            ("{letter}", &self.letter),
            ("{service}", KINDERGARTEN),
            ("{round}", ROUND),
            ("{roll}", "115"),
            ("{file}", "list.json"),
            ("{ticket}", "00000000-0000-0000-0000-000000000000"),
            ("{answer}", "accept"),
            ("{act}", "take"),
            ("{appeal}", "00000000-0000-0000-0000-000000000000"),
            ("{upload}", "00000000-0000-0000-0000-000000000000"),
            ("{kind}", "approve"),
            ("{campaign}", "00000000-0000-0000-0000-000000000000"),
            ("{token}", "0"),
            ("{month}", "2025-11"),
            ("{tag}", "en"),
            ("{issuer}", "oidc"),
            ("{hash}", "0"),
            ("{resource}", "API.CityLowInc"),
            ("{name}", "missing.css"),
            ("{request}", "0"),
            ("{card}", "00000000_city_low_income"),
            ("{list}", "revocation"),
            ("{load}", "0"),
            ("{paper}", "00000000-0000-0000-0000-000000000000"),
            ("{programme}", "moda-114"),
            ("{plan}", "00000000-0000-0000-0000-000000000000"),
            ("{part}", "title"),
            ("{stage}", "A1"),
            ("{number}", "1"),
            ("{which}", "sent"),
        ];
        let path = values
            .iter()
            .fold(route.to_owned(), |path, (name, value)| path.replace(name, value));
        assert!(!path.contains('{'), "`{path}` has a part without a value");
        path
    }

    /// Everything the forms of residents hold, with the owner's own revision.
    async fn everything(&self, town: &Town, route: &str) -> Vec<(&'static str, String)> {
        let row = town.kit.row(self.application(route)).await;
        let token = row.form_token.map(|token| token.to_string()).unwrap_or_default();
        let mut all = vec![
            ("_revision", row.revision.to_string()),
            ("_form_token", token),
            ("_field", "account".to_owned()),
            ("account.bank", "012".to_owned()),
            ("account.account", "9999999999".to_owned()),
            ("grade", "1".to_owned()),
        ];
        // an officer may well act on a case; what residents say to a place is for its owner alone
        if route.ends_with("{answer}") {
            all.push(("revision", row.revision.to_string()));
        }
        all
    }

    /// What is kept of the owner, to be found unchanged.
    async fn kept(&self, town: &Town) -> Vec<(Uuid, i64, String, Option<Vec<u8>>)> {
        let store = town.kit.desk.store.read();
        let rows = store::tables::application::by_person(store, self.person.id.uuid())
            .await
            .unwrap();
        let rows = rows.into_iter();
        rows.map(|row| (row.id, row.revision, format!("{:?}", row.state), row.answers))
            .collect()
    }

    /// Nothing of the owner stands in an answer.
    #[track_caller]
    fn is_hidden(&self, page: &Page, what: &str) {
        let text = page.text();
        let id = national_id(1);
        for mark in [
            self.person.name.as_str(),
            id.reveal(),
            "114-SA-",
            "民生路",
            "00012345678901",
        ] {
            assert!(!text.contains(mark), "{what} shows `{mark}`");
        }
        assert_ne!(page.kind, "application/pdf", "{what} gives a letter");
    }
}

/// Whether a route is for the staff.
fn is_staffs(route: &str) -> bool {
    ["/office", "/counter", "/programme"]
        .iter()
        .any(|start| route.starts_with(start))
}

/// Everybody there is: a name, and who is signed in.
async fn everybody(town: &Town, owner: &Owner) -> Vec<(&'static str, Who)> {
    let other = town.kit.person(2).await;
    let mut all = vec![
        ("nobody", Who::Nobody),
        ("owner", Who::Resident(owner.person.id)),
        ("other", Who::Resident(other.id)),
    ];
    for role in Role::ALL {
        let staff = town.kit.staff(&format!("{}-on-duty", role.word()), role).await;
        if role == Role::Clerk {
            // the owner stands at the counter; what they do online is still not the clerk's to see
            let document = cases::counter::NewVisit {
                national_id: owner.person.national_id.clone(),
                name: owner.person.name.clone(),
                birth_date: jiff::civil::date(1950, 3, 15),
                shown: cases::counter::Shown::NationalIdCard,
                renamed: false,
                agent: None,
            };
            cases::counter::begin(&town.kit.desk, &staff, document).await.unwrap();
        }
        all.push((role.word(), Who::Staff(staff.id)));
    }
    all
}

async fn ask(browser: &mut Browser, method: &Method, path: &str, fields: &[(&str, String)]) -> Page {
    if *method == Method::GET {
        return browser.get(path).await;
    }
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    browser.post(path, &fields).await
}

fn word(page: &Page) -> String {
    match page.location.split('?').next().unwrap_or_default() {
        "/sign-in" => "sign-in".to_owned(),
        "/office/sign-in" => "staff".to_owned(),
        _ => page.status.as_u16().to_string(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_gets_what_the_table_says_and_never_the_data_of_another() {
    let town = Town::new().await;
    let owner = Owner::new(&town).await;
    let everybody = everybody(&town, &owner).await;
    let before = owner.kept(&town).await;
    assert_eq!(before.len(), 4);
    let mut table = format!("{HEAD}\n{:<6} {:<64}", "method", "route");
    for (name, _) in &everybody {
        write!(table, " {name:<13}").unwrap();
    }
    table = format!("{}\n", table.trim_end());
    for (method, route) in lines() {
        let path = owner.path(route);
        let mut line = format!("{:<6} {route:<64}", method.as_str());
        for (name, who) in &everybody {
            let mut browser = match who {
                Who::Nobody => town.browser(),
                who => town.signed_in(*who).await,
            };
            let fields = match *name {
                "owner" => Vec::new(),
                _ => owner.everything(&town, route).await,
            };
            let page = ask(&mut browser, &method, &path, &fields).await;
            let what = format!("{method} {route} as {name}");
            guarded(&page);
            assert!(
                page.status.as_u16() < 500 || page.status.as_u16() == 503,
                "{what}: {}",
                page.status
            );
            let may_see = match who {
                Who::Resident(id) => *id == owner.person.id,
                // a form that is not taken is shown again with the case it is about
                Who::Staff(_) => is_staffs(route) && (page.status.is_success() || page.status.as_u16() == 422),
                Who::Nobody => false,
            };
            if !may_see {
                owner.is_hidden(&page, &what);
            }
            assert_eq!(owner.kept(&town).await, before, "{what} changed something");
            write!(line, " {:<13}", word(&page)).unwrap();
        }
        table.push_str(line.trim_end());
        table.push('\n');
    }
    expect_file!["matrix.txt"].assert_eq(&table);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_form_is_taken_without_the_token_of_its_session() {
    let town = Town::new().await;
    let owner = Owner::new(&town).await;
    let before = owner.kept(&town).await;
    for (name, who) in everybody(&town, &owner).await {
        // the token of another session of the same person
        let stolen = match who {
            Who::Nobody => "x".repeat(43),
            who => town.signed_in(who).await.token,
        };
        for (method, route) in lines() {
            // the calls of the MyData platform, of wallets, of LINE and of issuers have no session, and so no token of one
            let is_called = ["/mydata/provider/", "/wallet/", "/line/webhook", "/sign-in/logout/"]
                .iter()
                .any(|start| route.starts_with(start));
            if method != Method::POST || is_called {
                continue;
            }
            let fields = owner.everything(&town, route).await;
            for token in [None, Some(""), Some("x"), Some(stolen.as_str())] {
                let mut browser = match who {
                    Who::Nobody => town.browser(),
                    who => town.signed_in(who).await,
                };
                let mut body = url::form_urlencoded::Serializer::new(String::new());
                body.extend_pairs(token.map(|token| ("_token", token)));
                body.extend_pairs(fields.iter().map(|(name, value)| (*name, value.as_str())));
                let body = body.finish().into_bytes();
                let page = browser.send(Method::POST, &owner.path(route), Some(FORM), body).await;
                let what = format!("{route} as {name} with {token:?}: {}", page.status);
                let mine = is_staffs(route) == matches!(who, Who::Staff(_));
                if mine && who != Who::Nobody {
                    assert_eq!(page.status.as_u16(), 403, "{what}");
                } else {
                    assert!(["sign-in", "staff", "403"].contains(&word(&page).as_str()), "{what}");
                }
            }
        }
    }
    assert_eq!(owner.kept(&town).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_was_asked_for_comes_after_the_sign_in_and_a_form_does_not() {
    let town = Town::new().await;
    let owner = Owner::new(&town).await;
    for (method, route) in lines() {
        let path = owner.path(route);
        let page = ask(&mut town.browser(), &method, &path, &[]).await;
        let Some((at, back)) = page.location.split_once("sign-in?return=") else {
            continue;
        };
        let back = url::form_urlencoded::parse(format!("a={back}").as_bytes())
            .next()
            .map(|(_, value)| value.into_owned());
        assert_eq!(method, Method::GET, "{route}");
        assert_eq!(back.as_deref(), Some(path.as_str()));
        assert_eq!(at, if is_staffs(route) { "/office/" } else { "/" });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_of_residents_that_name_nothing_find_nothing() {
    let town = Town::new().await;
    let owner = Owner::new(&town).await;
    let mut browser = town.signed_in(Who::Resident(owner.person.id)).await;
    let nothing = Uuid::new_v4();
    for path in [
        "/applications/1".to_owned(),
        "/applications/'%20OR%201=1".to_owned(),
        "/applications/%F0%9F%92%A9/check".to_owned(),
        "/applications/..%2f..%2foffice".to_owned(),
        format!("/applications/{nothing}"),
        format!("/applications/{nothing}/letters/{nothing}"),
        format!("/applications/{}/letters/{nothing}", owner.completed),
        format!("/applications/{}/letters/1", owner.completed),
        format!("/applications/{}/form/nothing", owner.draft),
        format!("/applications/{}/form/work.p9", owner.draft),
        format!("/applications/{}/form/%00", owner.draft),
    ] {
        browser.get(&path).await.is(404);
    }
    for page in [
        "notice",
        "mydata",
        "check",
        "withdraw",
        "survey",
        "account",
        "form/payment",
        "correct",
    ] {
        let fields = [
            ("_revision", "1"),
            ("_form_token", "00000000-0000-0000-0000-000000000000"),
            ("grade", "5"),
        ];
        browser
            .post(&format!("/applications/{nothing}/{page}"), &fields)
            .await
            .is(404);
    }
    let mut statuses = BTreeMap::new();
    for path in ["/mydata/return", "/mydata/return?tx_id=1", "/sign-in/return?code=%00"] {
        statuses.insert(path, browser.get(path).await.status.as_u16());
    }
    assert!(
        statuses.values().all(|status| [404, 422, 503].contains(status)),
        "{statuses:?}"
    );
}
