//! The counter (reference page, 5 and 8): code, password, their times, and what is refused.

use crate::support::http::{Reply, post, receive, send};
use crate::support::{HAO, HOUSEHOLD, INCOME, MEI, World};
use peers::Faults;
use serde_json::{Value, json};
use uuid::Uuid;

fn between(page: &Reply, open: &str, close: &str) -> String {
    let text = page.text();
    let (_, rest) = text.split_once(open).unwrap_or_else(|| panic!("no `{open}` in {text}"));
    rest.split_once(close).unwrap().0.to_owned()
}

/// A code, and the page of the citizen.
struct Box {
    code: String,
    session: String,
}

impl World {
    async fn boxed(&self, pid: &str, sets: &[&str]) -> Box {
        let mut pairs = vec![("pid", pid)];
        pairs.extend(sets.iter().map(|set| ("resource", *set)));
        let page = post(&self.platform("counter/box"), &[], &pairs).await;
        assert_eq!(page.status, 200, "{page:?}");
        Box {
            code: between(&page, "id=\"code\">", "<"),
            session: between(&page, "name=\"session\" value=\"", "\""),
        }
    }

    async fn looks(&self, of: &Box, act: &str) -> Reply {
        post(
            &self.platform("counter/show"),
            &[],
            &[("session", &of.session), ("act", act)],
        )
        .await
    }

    async fn says(&self, step: &str, tx_id: Uuid, data: Value) -> Reply {
        let sent =
            json!({ "client_id": self.peers.mydata.client_id, "tx_id": tx_id, "data": self.seal(&data.to_string()) });
        self.raw(step, &sent).await
    }

    async fn raw(&self, step: &str, sent: &Value) -> Reply {
        let headers = [("content-type", "application/json")];
        let url = self.platform(&format!("organ/{step}"));
        receive(send("POST", &url, &headers, sent.to_string().as_bytes()).await).await
    }

    async fn shows(&self, code: &str, pid: &str, counter: &str) -> Reply {
        let data = json!({ "code": code, "pid": pid, "counter": counter });
        self.says("code", Uuid::new_v4(), data).await
    }

    async fn opens(&self, of: &Box, password: &str, sets: &[&str]) -> Reply {
        let data = json!({ "code": of.code, "pid": MEI, "counter": "a", "password": password, "resources": sets });
        self.says("password", Uuid::new_v4(), data).await
    }
}

#[tokio::test]
async fn code_then_password_then_the_usual_fetch_once() {
    let world = World::new().await;
    let one = world.boxed(MEI, &[HOUSEHOLD]).await;
    assert_eq!(one.code.len(), 8);
    assert!(
        !world.looks(&one, "look").await.text().contains("id=\"password\""),
        "nobody typed it yet"
    );
    let reply = world.shows(&one.code, MEI, "a").await;
    assert_eq!((reply.status, reply.json()), (200, json!({ "resources": [HOUSEHOLD] })));
    let password = between(&world.looks(&one, "look").await, "id=\"password\">", "<");
    assert_eq!(password.len(), 6);
    let notice = world.opens(&one, &password, &[HOUSEHOLD]).await;
    assert_eq!(notice.status, 200);
    let notice = notice.json();
    assert_eq!(notice["apiKey"], json!(world.peers.mydata.api_key));
    assert_eq!(world.open(notice["secret_key"].as_str().unwrap()).len(), 32);
    assert_eq!(world.fetch(&notice).await.status, 200);
    assert_eq!(world.fetch(&notice).await.status, 201);
    // once
    assert_eq!(world.shows(&one.code, MEI, "a").await.status, 201);
    assert_eq!(world.opens(&one, &password, &[HOUSEHOLD]).await.status, 201);
    assert!(!world.looks(&one, "look").await.text().contains("id=\"password\""));
}

#[tokio::test]
async fn code_and_password_have_their_times() {
    let world = World::new().await;
    let one = world.boxed(MEI, &[HOUSEHOLD, INCOME]).await;
    world.shows(&one.code, MEI, "a").await;
    let password = between(&world.looks(&one, "look").await, "id=\"password\">", "<");
    world.pass(121);
    assert_eq!(world.opens(&one, &password, &[HOUSEHOLD]).await.status, 410);
    assert!(!world.looks(&one, "look").await.text().contains("id=\"password\""));
    world.pass(20 * 60);
    assert_eq!(world.shows(&one.code, MEI, "a").await.status, 410);
    world.looks(&one, "renew").await;
    assert_eq!(world.shows(&one.code, MEI, "a").await.status, 200);
    world.pass(8 * 3600);
    assert_eq!(world.looks(&one, "renew").await.status, 404, "eight hours are the end");
    assert_eq!(world.shows(&one.code, MEI, "b").await.status, 404);
}

#[tokio::test]
async fn refusals_are_told_apart_and_five_close_the_counter_for_a_quarter_of_an_hour() {
    let world = World::new().await;
    let one = world.boxed(MEI, &[HOUSEHOLD]).await;
    assert_eq!(world.shows("AAAA2222", MEI, "a").await.status, 404);
    assert_eq!(world.shows(&one.code, HAO, "a").await.status, 409);
    world.shows(&one.code, MEI, "a").await;
    for _ in 0..3 {
        assert_eq!(world.opens(&one, "x", &[HOUSEHOLD]).await.status, 403);
    }
    let locked = world.shows(&one.code, MEI, "a").await;
    assert_eq!((locked.status, locked.header("retry-after")), (423, Some("900")));
    assert_eq!(
        world.shows(&one.code, MEI, "b").await.status,
        200,
        "another counter goes on"
    );
    world.pass(901);
    assert_eq!(world.shows(&one.code, MEI, "a").await.status, 200);
}

#[tokio::test]
async fn no_more_is_given_than_is_in_the_box() {
    let world = World::new().await;
    let one = world.boxed(MEI, &[HOUSEHOLD]).await;
    world.shows(&one.code, MEI, "a").await;
    let password = between(&world.looks(&one, "look").await, "id=\"password\">", "<");
    for sets in [&[INCOME][..], &[HOUSEHOLD, INCOME], &[]] {
        assert_eq!(world.opens(&one, &password, sets).await.status, 400);
    }
    assert_eq!(world.opens(&one, &password, &[HOUSEHOLD]).await.status, 200);
}

impl World {
    /// Somebody at the pages of agents.
    async fn agent(&self, page: &str, pairs: &[(&str, &str)]) -> Reply {
        post(&self.platform(&format!("counter/agent{page}")), &[], pairs).await
    }

    async fn agent_shows(&self, code: &str, agent: &str) -> u16 {
        let data = json!({ "code": code, "pid": MEI, "counter": "agents", "agent": agent });
        self.says("code", Uuid::new_v4(), data).await.status
    }
}

/// Named by id number and day of birth, not oneself; agrees; shows a number of their own (reference page, 8).
#[tokio::test]
async fn an_agent_who_agreed_comes_with_a_number_of_their_own() {
    let world = World::new().await;
    let one = world.boxed(MEI, &[HOUSEHOLD]).await;
    let born = "1950-03-15".to_owned();
    let name = |agent: &'static str, birth: String| {
        let (world, session) = (&world, one.session.clone());
        async move {
            let pairs = [
                ("session", session.as_str()),
                ("agent", agent),
                ("birth", birth.as_str()),
            ];
            world.agent("/name", &pairs).await.status
        }
    };
    assert_eq!(name(MEI, born.clone()).await, 422, "oneself");
    assert_eq!(name(HAO, "1900-01-01".to_owned()).await, 422, "another day of birth");
    assert_eq!(name(HAO, born.clone()).await, 200);
    assert_eq!(name(HAO, born).await, 422, "named twice");
    assert_eq!(world.agent_shows(&one.code, HAO).await, 412, "not agreed yet");
    let asked = world.agent("", &[("pid", HAO)]).await;
    let session = between(&asked, "name=\"session\" value=\"", "\"");
    // nobody agrees for another
    let stranger = world
        .agent("", &[("pid", MEI), ("session", &session), ("act", "agree")])
        .await;
    assert!(!stranger.text().contains("id=\"number\""));
    let agreed = world
        .agent("", &[("pid", HAO), ("session", &session), ("act", "agree")])
        .await;
    let number = between(&agreed, "id=\"number\">", "<");
    assert_eq!(number.len(), 8);
    assert_eq!(
        world.shows(&number, MEI, "b").await.status,
        412,
        "the number is the agent's"
    );
    assert_eq!(world.agent_shows(&number, MEI).await, 412);
    assert_eq!(world.agent_shows(&number, HAO).await, 200);
    assert_eq!(
        world.shows(&one.code, MEI, "b").await.status,
        200,
        "the citizen may still come"
    );
    world.agent("/end", &[("session", &one.session)]).await;
    assert_eq!(world.agent_shows(&number, HAO).await, 404, "ended");
}

#[tokio::test]
async fn strangers_and_wrong_words_are_turned_away() {
    let world = World::new().await;
    let client = world.peers.mydata.client_id.clone();
    let id = Uuid::new_v4();
    let sealed = world.seal(&json!({ "code": "AAAA2222", "pid": MEI, "counter": "a" }).to_string());
    for (sent, status) in [
        (json!({}), 401),
        (
            json!({ "client_id": "CLI.other00001", "tx_id": id, "data": sealed }),
            401,
        ),
        (json!({ "client_id": client, "tx_id": id, "data": "AAAA" }), 401),
        (
            json!({ "client_id": client, "tx_id": id, "data": world.seal("no json") }),
            400,
        ),
        (json!({ "client_id": client, "tx_id": "1", "data": sealed }), 400),
    ] {
        for step in ["code", "password"] {
            assert_eq!(world.raw(step, &sent).await.status, status, "{sent}");
        }
    }
    assert_eq!(
        post(&world.platform("counter"), &[], &[("pid", "A000000000")])
            .await
            .status,
        404
    );
    assert_eq!(
        post(&world.platform("counter/box"), &[], &[("pid", MEI)]).await.status,
        422
    );
    world.peers.misbehave(Faults {
        unlisted: true,
        ..Faults::default()
    });
    let one = world.boxed(MEI, &[HOUSEHOLD]).await;
    assert_eq!(world.shows(&one.code, MEI, "a").await.status, 401);
}
