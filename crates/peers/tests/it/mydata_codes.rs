//! Every code with which the platform sends the browser back (reference page, 2.1 and 2.2), and what it refuses without one.

use crate::support::http::{get, post, receive, send_form};
use crate::support::mydata::{Asked, session};
use crate::support::{HAO, HOUSEHOLD, INCOME, MEI, World};
use peers::Faults;

/// A case of the table: what is wrong, and the code.
type Wrong = (&'static str, fn(&World, &mut Asked), Faults, u16);

fn right(_: &World, _: &mut Asked) {}

#[tokio::test]
async fn what_is_wrong_on_arrival_goes_back_with_its_code() {
    let fine = Faults::default;
    let cases: Vec<Wrong> = vec![
        (
            "a data set twice",
            |_, asked| asked.resources = base64("API.HouseReg01:API.HouseReg01"),
            fine(),
            400,
        ),
        (
            "resources that are no base64",
            |_, asked| asked.resources = "%%%".to_owned(),
            fine(),
            400,
        ),
        ("no pid", |_, asked| asked.pid = None, fine(), 400),
        (
            "a pid that can't be opened",
            |_, asked| asked.pid = Some("AAAA".to_owned()),
            fine(),
            400,
        ),
        (
            "a data set nobody offers",
            |_, asked| asked.resources = base64("API.Nothing001"),
            fine(),
            401,
        ),
        ("no data set", |_, asked| asked.resources = base64(""), fine(), 401),
        (
            "a transaction without a name",
            |_, asked| asked.tx_id = String::new(),
            fine(),
            401,
        ),
        (
            "nothing approved",
            right,
            Faults {
                nothing_approved: true,
                ..fine()
            },
            403,
        ),
        (
            "another return address",
            |world, asked| asked.return_url = Some(world.city.at("elsewhere").to_string()),
            fine(),
            404,
        ),
        (
            "a disabled service",
            right,
            Faults {
                disabled: true,
                ..fine()
            },
            423,
        ),
        (
            "a data set out of order",
            right,
            Faults {
                faulty: vec![HOUSEHOLD.to_owned()],
                ..fine()
            },
            504,
        ),
    ];
    let world = World::new().await;
    for (name, change, faults, code) in cases {
        world.peers.misbehave(faults);
        let mut asked = world.asked(MEI, &[HOUSEHOLD]);
        change(&world, &mut asked);
        let reply = world.arrive(&asked).await;
        assert_eq!(reply.query("code"), Some(code.to_string()), "{name}");
        assert_eq!(
            world.open(&reply.query("tx_id").unwrap()),
            asked.tx_id,
            "{name}: the transaction is sealed"
        );
        assert_eq!(
            reply.location().path(),
            "/mydata/return",
            "{name}: only the registered address is gone back to"
        );
    }
    assert!(world.city.notices().is_empty());
}

fn base64(text: &str) -> String {
    openssl::base64::encode_block(text.as_bytes())
}

/// Without a service there is no key: the transaction goes back in plain text.
#[tokio::test]
async fn an_unknown_service_gets_its_transaction_back_in_plain_text() {
    let world = World::new().await;
    for return_url in [None, Some(world.city.at("elsewhere").to_string())] {
        let mut asked = world.asked(MEI, &[HOUSEHOLD]);
        asked.client_id = "CLI.nobody0001".to_owned();
        if return_url.is_some() {
            asked.return_url = return_url;
        }
        let reply = world.arrive(&asked).await;
        assert_eq!(reply.query("code").as_deref(), Some("401"));
        assert_eq!(reply.query("tx_id"), Some(asked.tx_id));
        assert_eq!(reply.location().path(), "/mydata/return");
    }
}

#[tokio::test]
async fn without_a_return_address_there_is_no_way_back() {
    let world = World::new().await;
    for return_url in [None, Some(String::new())] {
        let mut asked = world.asked(MEI, &[HOUSEHOLD]);
        asked.return_url = return_url;
        let reply = world.arrive(&asked).await;
        assert_eq!((reply.status, reply.header("location")), (404, None));
    }
}

#[tokio::test]
async fn the_return_address_is_compared_without_case_and_keeps_its_query() {
    let world = World::new().await;
    let mut asked = world.asked(MEI, &[HOUSEHOLD]);
    let address = world.city.at("MyData/RETURN").to_string();
    asked.return_url = Some(format!("{address}?lang=en&code=x"));
    let session = world.verified(&asked).await;
    let reply = world.answer(&session, "refuse").await;
    let to = reply.header("location").unwrap();
    assert!(to.starts_with(&format!("{address}?code=205&tx_id=")), "{to}");
    assert!(to.ends_with("&lang=en&code=x"), "{to}");
}

/// A form decoder on the way turns plus signs into spaces; the platform mends the `pid`.
#[tokio::test]
async fn a_pid_whose_plus_signs_became_spaces_is_read() {
    let world = World::new().await;
    // the vector of a world is random: some id of these has a plus sign
    let id = (0..500)
        .map(|number| format!("A2234{number:05}"))
        .find(|id| world.seal(id).contains('+'))
        .unwrap();
    let mut asked = world.asked(&id, &[HOUSEHOLD]);
    asked.pid = asked.pid.map(|pid| pid.replace('+', " "));
    session(&world.arrive(&asked).await);
}

#[tokio::test]
async fn another_person_who_verifies_goes_back_with_409() {
    let world = World::new().await;
    let asked = world.asked(MEI, &[HOUSEHOLD]);
    let session = session(&world.arrive(&asked).await);
    let form = [("session", session.as_str()), ("pid", HAO)];
    let reply = post(&world.platform("verify"), &[], &form).await;
    assert_eq!(reply.query("code").as_deref(), Some("409"));
    assert_eq!(world.status(&asked.tx_id).await, (409, None));
    assert_eq!(world.answer(&session, "agree").await.status, 404, "the visit is over");
    assert!(world.city.notices().is_empty());
}

/// 120 idle seconds are lawful, 121 are not.
#[tokio::test]
async fn pages_left_open_too_long_go_back_with_408() {
    let world = World::new().await;
    let session = world.verified(&world.asked(MEI, &[HOUSEHOLD])).await;
    world.pass(120);
    assert_eq!(
        world.answer(&session, "agree").await.query("code").as_deref(),
        Some("200")
    );

    let session = world.verified(&world.asked(MEI, &[HOUSEHOLD])).await;
    world.pass(121);
    assert_eq!(
        world.answer(&session, "agree").await.query("code").as_deref(),
        Some("408")
    );
    assert_eq!(world.answer(&session, "agree").await.status, 404);
    assert_eq!(world.city.notices().len(), 1);
}

#[tokio::test]
async fn nothing_is_sent_before_the_person_verified() {
    let world = World::new().await;
    let session = session(&world.arrive(&world.asked(MEI, &[HOUSEHOLD])).await);
    assert_eq!(world.answer(&session, "agree").await.status, 403);
    assert!(world.city.notices().is_empty());
}

/// What the city answers to the notification decides the code, what the fetch gives, and what `txid_status` says.
#[tokio::test]
async fn the_citys_answer_decides_the_code() {
    let world = World::new().await;
    for (answer, code, fetch, status) in [
        (200, "200", 200, "200"),
        (201, "200", 403, "201"),
        (202, "410", 403, "410"),
        (403, "410", 403, "410"),
        (500, "410", 403, "410"),
    ] {
        world.city.answer(answer);
        let asked = world.asked(MEI, &[HOUSEHOLD]);
        let reply = world.agreed(&asked).await;
        assert_eq!(reply.query("code").as_deref(), Some(code), "{answer}");
        assert_eq!(world.open(&reply.query("tx_id").unwrap()), asked.tx_id);
        assert_eq!(world.status(&asked.tx_id).await.1.as_deref(), Some(status), "{answer}");
        let notice = world.city.notices().last().unwrap().clone();
        assert_eq!(world.fetch(&notice).await.status, fetch, "{answer}");
    }
}

#[tokio::test]
async fn an_agency_that_fails_goes_back_with_504() {
    for (unavailable, status) in [(vec![INCOME], "403"), (vec![INCOME, HOUSEHOLD], "504")] {
        let world = World::with(Faults {
            unavailable: unavailable.iter().map(|id| (*id).to_owned()).collect(),
            ..Faults::default()
        })
        .await;
        let asked = world.asked(MEI, &[HOUSEHOLD, INCOME]);
        assert_eq!(world.agreed(&asked).await.query("code").as_deref(), Some("504"));
        assert_eq!(world.status(&asked.tx_id).await.1.as_deref(), Some(status));
    }
}

/// Two clicks: the browser hangs up on the first request and waits for the second.
#[tokio::test]
async fn however_often_the_answer_is_pressed_the_city_is_notified_once() {
    let world = World::new().await;
    let asked = world.asked(MEI, &[HOUSEHOLD]);
    let session = world.verified(&asked).await;
    let press = |answer| send_form_of(&world, &session, answer);
    world.city.hold();
    let first = press("agree").await;
    world.city.wait_for(1).await;
    drop(first);
    let (second, third) = (press("agree").await, press("refuse").await);
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    world.city.release();
    for stream in [second, third] {
        let reply = receive(stream).await;
        assert_eq!(reply.query("code").as_deref(), Some("200"), "the first answer counts");
    }
    world.pass(600);
    assert_eq!(
        world.answer(&session, "agree").await.query("code").as_deref(),
        Some("200")
    );
    assert_eq!(world.city.notices().len(), 1);
    assert_eq!(world.fetch(&world.city.notices()[0]).await.status, 200);
}

async fn send_form_of(world: &World, session: &str, answer: &str) -> tokio::net::TcpStream {
    let form = [("session", session), ("answer", answer)];
    send_form(&world.platform("consent"), &[], &form).await
}

#[tokio::test]
async fn what_the_browser_brings_is_shown_as_text() {
    let world = World::new().await;
    let hostile = "\"><script>alert(1)</script>";
    let page = world.arrive(&world.asked(hostile, &[HOUSEHOLD])).await;
    assert_eq!(page.status, 200);
    assert!(!page.text().contains("<script"), "{}", page.text());
    let plain = get(
        &world.platform("service/CLI.x/AAAA/a%0d%0aSet-Cookie:%20x?returnUrl=http%3A%2F%2Fx"),
        &[],
    )
    .await;
    assert_eq!(plain.header("set-cookie"), None);
}
