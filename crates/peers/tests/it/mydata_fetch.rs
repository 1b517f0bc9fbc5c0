//! The one-time fetch (reference page, 2.5): its statuses, its waits, its end.

use crate::support::http::{Headers, get};
use crate::support::{HOUSEHOLD, INCOME, MEI, WAIT, World, config};
use peers::{Faults, Terms};
use serde_json::json;
use std::time::Duration;

const HOURS_8: i64 = 8 * 3600;

#[tokio::test]
async fn a_package_is_fetched_once() {
    let world = World::new().await;
    let (tx_id, notice) = world.delivered().await;
    let reply = world.fetch(&notice).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("application/jwe; charset=UTF-8"));
    assert_eq!(world.status(&tx_id).await, (200, Some("201".to_owned())));
    for _ in 0..2 {
        let again = world.fetch(&notice).await;
        assert_eq!((again.status, again.body), (201, Vec::new()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_fetches_at_once_one_gets_the_package() {
    let world = World::new().await;
    let (_, notice) = world.delivered().await;
    let replies = futures::future::join_all((0..20).map(|_| world.fetch(&notice))).await;
    let got = |status| replies.iter().filter(|reply| reply.status == status).count();
    assert_eq!((got(200), got(201)), (1, 19));
}

#[tokio::test]
async fn the_statuses_of_refusal() {
    let world = World::new().await;
    let (tx_id, notice) = world.delivered().await;
    let ticket = notice["permission_ticket"].as_str().unwrap();
    let unknown = uuid::Uuid::new_v4().to_string();
    let cases: [(&str, Headers<'_>, u16); 5] = [
        ("no ticket", &[("tx_id", &tx_id)], 400),
        ("a ticket nobody was given", &[("permission_ticket", &unknown)], 403),
        ("a ticket that is none", &[("permission_ticket", "x")], 403),
        (
            "of another transaction",
            &[("permission_ticket", ticket), ("tx_id", &unknown)],
            403,
        ),
        (
            "of this transaction",
            &[("permission_ticket", ticket), ("tx_id", &tx_id)],
            200,
        ),
    ];
    for (name, headers, status) in cases {
        assert_eq!(world.call("service/data", headers).await.status, status, "{name}");
    }
}

/// The list of callers comes first: whoever is not on it learns nothing, not even that a parameter is missing.
#[tokio::test]
async fn a_caller_who_is_not_listed_is_refused_by_the_fetch_and_the_checks() {
    let world = World::new().await;
    let (tx_id, notice) = world.delivered().await;
    world.peers.misbehave(Faults {
        unlisted: true,
        ..Faults::default()
    });
    for path in ["data", "uid_valid", "type_valid", "txid_status"] {
        let path = format!("service/{path}");
        assert_eq!(world.call(&path, &[]).await.status, 401, "{path}");
        assert_eq!(world.call(&path, &[("tx_id", &tx_id)]).await.status, 401, "{path}");
    }
    assert_eq!(world.call("find_all_resources", &[]).await.status, 200, "for everybody");
    world.peers.misbehave(Faults::default());
    assert_eq!(world.fetch(&notice).await.status, 200, "the refused fetch took nothing");
}

/// 429 until creation + the agency's time + 65 s; `Retry-After` is what is left + 10 s.
#[tokio::test]
async fn a_package_that_is_not_ready_says_when() {
    let world = World::new().await;
    let asked = world.asked(MEI, &[HOUSEHOLD, INCOME]);
    world.agreed(&asked).await;
    let notice = world.city.notices()[0].clone();
    let whole = i64::try_from(WAIT).unwrap() + 65;
    for (passed, left) in [(0, whole), (100, whole - 100), (whole - 1, 1)] {
        world.clock.set(world.clock_at_start());
        world.pass(passed);
        let reply = world.fetch(&notice).await;
        assert_eq!(reply.status, 429, "{passed}");
        assert_eq!(
            reply.header("retry-after"),
            Some((left + 10).to_string().as_str()),
            "{passed}"
        );
        assert_eq!(world.status(&asked.tx_id).await.1.as_deref(), Some("429"));
    }
    world.pass(1);
    assert_eq!(world.status(&asked.tx_id).await.1.as_deref(), Some("200"));
    assert_eq!(world.fetch(&notice).await.status, 200);
}

/// The city may ask before its own answer has come back to the platform.
#[tokio::test]
async fn a_fetch_before_the_citys_answer_is_told_to_come_again() {
    let world = World::new().await;
    let session = world.verified(&world.asked(MEI, &[HOUSEHOLD])).await;
    world.city.hold();
    let agreed = async { world.answer(&session, "agree").await };
    let early = async {
        world.city.wait_for(1).await;
        let reply = world.fetch(&world.city.notices()[0]).await;
        world.city.release();
        reply
    };
    let (back, early) = tokio::join!(agreed, early);
    assert_eq!((early.status, early.header("retry-after")), (429, Some("10")));
    assert_eq!(back.query("code").as_deref(), Some("200"));
    assert_eq!(world.fetch(&world.city.notices()[0]).await.status, 200);
}

/// Without a word from the caller the waits are the platform's own; a demonstration asks for shorter ones by name.
#[tokio::test]
async fn short_waits_have_to_be_asked_for() {
    for (terms, wanted) in [(None, 10..=u64::MAX), (Some(Terms::brief()), 1..=9)] {
        let mut world = World::new().await;
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(&world.city, &folder);
        config.wait_seconds = 2;
        world.peers = match terms {
            None => peers::start(config).await.unwrap(),
            Some(terms) => peers::start_on(config, terms).await.unwrap(),
        };
        world.agreed(&world.asked(MEI, &[INCOME])).await;
        let reply = world.fetch(&world.city.notices()[0]).await;
        let seconds = reply.header("retry-after").unwrap().parse().unwrap();
        assert!(reply.status == 429 && wanted.contains(&seconds), "{seconds}");
        if seconds < 10 {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            assert_eq!(
                world.fetch(&world.city.notices()[0]).await.status,
                200,
                "it keeps its word"
            );
        }
    }
}

/// Eight hours are lawful, a second more is not; then the platform knows nothing any more.
#[tokio::test]
async fn a_ticket_lives_eight_hours_and_leaves_nothing() {
    let world = World::new().await;
    let (_, first) = world.delivered().await;
    world.pass(HOURS_8);
    assert_eq!(world.fetch(&first).await.status, 200);

    let (tx_id, second) = world.delivered().await;
    world.pass(HOURS_8);
    assert_eq!(world.call("service/type_valid", &[("tx_id", &tx_id)]).await.status, 200);
    world.pass(1);
    assert_eq!(world.fetch(&second).await.status, 403);
    let known = world.call("service/type_valid", &[("tx_id", &tx_id)]).await;
    assert_eq!(known.status, 403, "the ticket is gone, not only refused");
    assert_eq!(world.status(&tx_id).await, (403, None));
}

#[tokio::test]
async fn where_every_agency_failed_there_is_nothing_to_fetch() {
    let world = World::with(Faults {
        unavailable: vec![HOUSEHOLD.to_owned(), INCOME.to_owned()],
        ..Faults::default()
    })
    .await;
    world.agreed(&world.asked(MEI, &[HOUSEHOLD, INCOME])).await;
    let notice = world.city.notices()[0].clone();
    assert_eq!(notice["unable_to_deliver"], json!([HOUSEHOLD, INCOME]));
    assert_eq!(world.fetch(&notice).await.status, 504);
}

#[tokio::test]
async fn only_get_is_answered() {
    let world = World::new().await;
    let reply = crate::support::http::post(&world.platform("service/data"), &[], &[]).await;
    assert_eq!(reply.status, 405);
    assert_eq!(get(&world.platform("service/nothing"), &[]).await.status, 404);
}
