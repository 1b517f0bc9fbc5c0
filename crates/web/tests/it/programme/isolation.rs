//! A government sees nothing of another's on any route; a reviewer with a conflict has no part in the plan.

use axum::http::Method;
use cases::Role;

use super::call::{Call, PROGRAMME, score};
use crate::town::{Browser, Page};

/// The routes that name a plan: method, and the end behind the plan's address.
const OF_A_PLAN: &[(Method, &str)] = &[
    (Method::GET, ""),
    (Method::GET, "/progress"),
    (Method::GET, "/assessment"),
    (Method::GET, "/assessment/A1"),
    (Method::POST, "/assessment/A1"),
    (Method::GET, "/parts/title"),
    (Method::GET, "/parts/contact"),
    (Method::GET, "/parts/text:goals"),
    (Method::POST, "/parts/title"),
    (Method::POST, "/parts/title/comments"),
    (Method::GET, "/parts/title/versions"),
    (Method::GET, "/document"),
    (Method::POST, "/document"),
    (Method::GET, "/pdf"),
    (Method::GET, "/pdf/sent"),
    (Method::GET, "/pdf/corrected"),
    (Method::GET, "/check"),
    (Method::POST, "/check"),
    (Method::GET, "/execution"),
    (Method::GET, "/execution/report/1"),
    (Method::POST, "/execution/report/1"),
    (Method::POST, "/execution/change/1"),
    (Method::GET, "/audit"),
];

const RECEIVED: &[(Method, &str)] = &[
    (Method::GET, ""),
    (Method::GET, "/pdf"),
    (Method::GET, "/sheet"),
    (Method::POST, "/sheet"),
    (Method::POST, "/appraise"),
    (Method::POST, "/grant"),
    (Method::POST, "/refuse"),
    (Method::POST, "/defer"),
    (Method::GET, "/execution"),
    (Method::POST, "/execution/report/1"),
    (Method::POST, "/settlement"),
    (Method::POST, "/payment"),
    (Method::GET, "/audit"),
];

async fn ask(browser: &mut Browser, method: &Method, path: &str) -> Page {
    match *method {
        Method::GET => browser.get(path).await,
        _ => {
            let fields = [
                ("seen", "1"),
                ("revision", "1"),
                ("text", "別人的計畫"),
                ("comment", "別人的意見"),
                ("stands", "none"),
                ("amount", "1"),
                ("reason", "x"),
                ("what", "accept"),
                ("on", "2024-05-31"),
                ("reference", "x"),
            ];
            browser.post(path, &fields).await
        }
    }
}

/// Nothing of the sound plan stands in an answer.
#[track_caller]
fn is_hidden(page: &Page, what: &str) {
    for mark in [
        "敬老禮金主動發放計畫",
        "民眾服務滿意度",
        "service.example.org",
        "社會處資訊小組",
    ] {
        assert!(!page.text().contains(mark), "{what} shows `{mark}`");
    }
    for kind in ["application/vnd.oasis.opendocument.text", "application/pdf"] {
        assert_ne!(page.kind, kind, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_government_sees_nothing_of_anothers_on_any_route() {
    let call = Call::new().await;
    let (staff, mut of_keelung) = call.somebody("hsu", Role::GrantWriter, "KEE").await;
    let here = call.filled(&staff).await;
    let title = of_keelung.get(&format!("{here}/parts/title")).await;
    title.is(200);
    let member = subsidies::Member {
        id: staff.id,
        role: "grant_writer".to_owned(),
        agency: "KEE".to_owned(),
    };
    let id = here.rsplit('/').next().unwrap().parse().unwrap();
    let before = subsidies::draft(&call.desk, &member, id).await.unwrap();
    let received = here.replace("/plans/", "/received/");
    let mut strangers = vec![("writer of Taichung", call.writer("lin", "TXG").await)];
    // a plan that was not sent is nobody's at the ministry either
    strangers.push(("reviewer", call.reviewer("panel").await));
    strangers.push(("officer", call.officer("chou").await));
    for (name, browser) in &mut strangers {
        // a page with a form, for the token
        browser.get("/programme").await.is(200);
        for (base, routes) in [(&here, OF_A_PLAN), (&received, RECEIVED)] {
            for (method, end) in routes {
                let page = ask(browser, method, &format!("{base}{end}")).await;
                let what = format!("{method} {base}{end} as {name}");
                assert!([403, 404].contains(&page.status.as_u16()), "{what}: {}", page.status);
                is_hidden(&page, &what);
            }
        }
    }
    let after = subsidies::draft(&call.desk, &member, id).await.unwrap();
    assert_eq!(
        (before.plan, before.versions),
        (after.plan, after.versions),
        "nothing was changed"
    );
    // nor does a list name it
    let (_, lin) = &mut strangers[0];
    lin.get("/programme").await.lacks(&here);
    lin.get(&format!("/programme/calls/{PROGRAMME}")).await.lacks(&here);
    lin.get(&format!("/programme/calls/{PROGRAMME}/received")).await.is(403);
    lin.get(&format!("/programme/calls/{PROGRAMME}/ranking")).await.is(403);
    lin.get(&format!("/programme/calls/{PROGRAMME}/alike")).await.is(403);
    lin.get(&format!("/programme/calls/{PROGRAMME}/progress")).await.is(403);
}

#[tokio::test(flavor = "multi_thread")]
async fn once_sent_it_is_the_ministrys_to_read_and_still_no_other_governments() {
    let call = Call::new().await;
    let (_, here, received) = call.sent("hsu", "KEE").await;
    let mut lin = call.writer("lin", "TXG").await;
    lin.get("/programme").await.is(200);
    for (base, routes) in [(&here, OF_A_PLAN), (&received, RECEIVED)] {
        for (method, end) in routes {
            let page = ask(&mut lin, method, &format!("{base}{end}")).await;
            assert!(
                [403, 404].contains(&page.status.as_u16()),
                "{method} {end}: {}",
                page.status
            );
            is_hidden(&page, end);
        }
    }
    // the panel reads what was sent, not the draft; it neither decides nor ranks
    let mut reviewer = call.reviewer("panel").await;
    reviewer.get(&received).await.is(200).lacks("核定補助並請修正");
    reviewer.get(&here).await.is(404);
    reviewer
        .post(&format!("{received}/grant"), &[("revision", "2"), ("amount", "1")])
        .await
        .is(403);
    reviewer
        .get(&format!("/programme/calls/{PROGRAMME}/ranking"))
        .await
        .is(403);
    // the officer decides, and scores nothing
    let mut officer = call.officer("chou").await;
    officer.get(&received).await.is(200);
    officer.get(&format!("{received}/sheet")).await.is(403);
    officer.get(&here).await.is(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reviewer_with_a_conflict_is_refused_and_no_longer_counts() {
    let call = Call::new().await;
    let (_, _, received) = call.sent("hsu", "KEE").await;
    // lists go by the time of sending
    call.town.kit.wait(1);
    let (_, _, other) = call.sent("lin", "TXG").await;
    let list = format!("/programme/calls/{PROGRAMME}/received");
    let mut reviewer = call.reviewer("panel").await;
    score(&mut reviewer, &received, ["30", "30", "20", "10", "10"])
        .await
        .is(303);
    let page = reviewer.get(&list).await;
    reviewer
        .submit(&page, "/conflicts", &[("government", "KEE")])
        .await
        .is(422)
        .has("請寫原因");
    reviewer
        .submit(&page, "/conflicts", &[("reason", "曾任顧問")])
        .await
        .is(422)
        .has("請選擇地方政府");
    let fields = [("government", "KEE"), ("reason", "曾任該府顧問")];
    let declared = reviewer.submit(&page, "/conflicts", &fields).await;
    let page = reviewer.follow(&declared).await;
    page.has("已記錄利益迴避")
        .has("已迴避，不開放閱讀")
        .lacks(&received)
        .has(&other);
    reviewer
        .submit(&page, "/conflicts", &fields)
        .await
        .is(422)
        .has("已經申報過了");
    for (method, end) in RECEIVED {
        let page = ask(&mut reviewer, method, &format!("{received}{end}")).await;
        assert!(
            [403, 404].contains(&page.status.as_u16()),
            "{method} {end}: {}",
            page.status
        );
        is_hidden(&page, end);
    }
    reviewer.get(&other).await.is(200);
    // the two say the same, which is the ministry's to see
    let alike = format!("/programme/calls/{PROGRAMME}/alike");
    reviewer.get(&alike).await.is(403);
    // the sheet filled in before does not count
    let mut officer = call.officer("chou").await;
    officer.get(&received).await.has("還沒有委員評分").lacks("自評具體");
    // why, the ministry alone reads, and of this government alone
    officer
        .get(&received)
        .await
        .has("迴避的委員")
        .has("panel 先生")
        .has("曾任該府顧問");
    officer.get(&other).await.lacks("曾任該府顧問");
    let mut colleague = call.reviewer("panel2").await;
    for page in [&list, &received, &other] {
        colleague.get(page).await.is(200).lacks("曾任該府顧問");
    }
    colleague
        .get(&format!("/programme/calls/{PROGRAMME}/meeting"))
        .await
        .is(200)
        .lacks("曾任該府顧問");
    officer.get(&alike).await.has("基隆市與臺中市").has("相同");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_of_a_programme_sees_a_residents_case() {
    let call = Call::new().await;
    let id = call.town.submitted(1).await.uuid();
    let pages = [
        "/office".to_owned(),
        format!("/office/cases/{id}"),
        format!("/office/cases/{id}/appeal"),
        "/office/payments".to_owned(),
        "/office/audit".to_owned(),
        "/office/indicators".to_owned(),
        "/office/outreach".to_owned(),
        "/office/rolls".to_owned(),
        "/counter".to_owned(),
        format!("/applications/{id}"),
    ];
    let agency = "示範市政府社會局";
    for (account, role) in [
        ("writer", Role::GrantWriter),
        ("reviewer", Role::GrantReviewer),
        ("officer", Role::GrantOfficer),
    ] {
        // also where the account says it is of an office that decides cases
        for (n, office) in [agency, "數位發展部", "TXG"].into_iter().enumerate() {
            let (_, mut browser) = call.somebody(&format!("{account}{n}"), role, office).await;
            for page in &pages {
                let answer = browser.get(page).await;
                assert!(
                    [303, 403, 404].contains(&answer.status.as_u16()),
                    "{page} as {account} of {office}: {}",
                    answer.status
                );
                answer.lacks("-SA-0").lacks("林阿梅");
            }
        }
    }
}
