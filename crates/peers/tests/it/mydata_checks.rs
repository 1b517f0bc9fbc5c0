//! The notification (reference page, 2.4) and the checks a service provider may call (2.8).

use crate::support::http::{Headers, post};
use crate::support::mydata::session;
use crate::support::{HAO, HOUSEHOLD, INCOME, MEI, World};
use openssl::base64::{decode_block, encode_block};
use openssl::symm::{Cipher, encrypt};
use peers::Faults;
use serde_json::{Value, json};

fn fields(notice: &Value) -> Vec<&str> {
    let mut names: Vec<_> = notice.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn a_notification_has_the_fields_of_the_page_and_a_key_of_32_characters() {
    let world = World::new().await;
    let (tx_id, notice) = world.delivered().await;
    assert_eq!(fields(&notice), ["apiKey", "permission_ticket", "secret_key", "tx_id"]);
    assert_eq!(notice["tx_id"], json!(tx_id));
    assert_eq!(notice["apiKey"], json!(world.peers.mydata.api_key));
    assert!(uuid::Uuid::parse_str(notice["permission_ticket"].as_str().unwrap()).is_ok());
    let key = world.open(notice["secret_key"].as_str().unwrap());
    assert!(
        key.len() == 32 && key.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{key}"
    );
    let headers = world.city.headers();
    assert_eq!(headers["content-type"], "application/json; charset=UTF-8");
    assert_eq!(headers["accept"], "application/json");
    let (_, other) = world.delivered().await;
    assert_ne!(
        world.open(other["secret_key"].as_str().unwrap()),
        key,
        "a key is of one transaction"
    );
}

/// Where a data set failed there is no key: the package holds nothing to read.
#[tokio::test]
async fn a_notification_of_a_failure_names_the_data_sets_and_gives_no_key() {
    let world = World::with(Faults {
        unavailable: vec![INCOME.to_owned()],
        ..Faults::default()
    })
    .await;
    world.agreed(&world.asked(MEI, &[HOUSEHOLD, INCOME])).await;
    let notice = world.city.notices()[0].clone();
    assert_eq!(
        fields(&notice),
        ["apiKey", "permission_ticket", "tx_id", "unable_to_deliver"]
    );
    assert_eq!(notice["unable_to_deliver"], json!([INCOME]));
}

/// 204 of an agency counts as success.
#[tokio::test]
async fn an_agency_that_knows_nothing_has_not_failed() {
    let world = World::new().await;
    let reply = world.agreed(&world.asked(HAO, &[HOUSEHOLD, INCOME])).await;
    assert_eq!(reply.query("code").as_deref(), Some("200"));
    assert!(world.city.notices()[0]["unable_to_deliver"].is_null());
}

#[tokio::test]
async fn faults_of_the_notification_are_as_they_are_named() {
    let world = World::with(Faults {
        forged: true,
        replayed: true,
        ..Faults::default()
    })
    .await;
    world.agreed(&world.asked(MEI, &[HOUSEHOLD])).await;
    let notices = world.city.notices();
    assert_eq!(notices.len(), 2);
    assert!(
        notices
            .iter()
            .all(|notice| notice["apiKey"] != json!(world.peers.mydata.api_key))
    );
    assert_ne!(notices[0]["permission_ticket"], notices[1]["permission_ticket"]);
    assert_eq!(notices[0]["tx_id"], notices[1]["tx_id"]);
    assert_eq!(
        world.fetch(&notices[1]).await.status,
        403,
        "the second ticket is good for nothing"
    );
}

/// URL-safe Base64 of AES-192-ECB under the Base64-decoded key.
fn uid(key: &str, national_id: &str) -> String {
    let key = decode_block(key).unwrap();
    assert_eq!(key.len(), 24);
    encode_block(&encrypt(Cipher::aes_192_ecb(), &key, None, national_id.as_bytes()).unwrap())
        .replace('+', "-")
        .replace('/', "_")
}

#[tokio::test]
async fn uid_valid_tells_whose_ticket_it_is() {
    let world = World::new().await;
    let (_, notice) = world.delivered().await;
    let key = world.open(notice["secret_key"].as_str().unwrap());
    let ticket = notice["permission_ticket"].as_str().unwrap();
    let (mine, other) = (uid(&key, MEI), uid(&key, HAO));
    let foreign = uid("0123456789abcdef0123456789abcdef", MEI);
    let unknown = uuid::Uuid::new_v4().to_string();
    let cases: [(&str, Headers<'_>, u16, Option<bool>); 8] = [
        (
            "the person",
            &[("permission_ticket", ticket), ("uid", &mine)],
            200,
            Some(true),
        ),
        (
            "without padding",
            &[("permission_ticket", ticket), ("uid", mine.trim_end_matches('='))],
            200,
            Some(true),
        ),
        (
            "another person",
            &[("permission_ticket", ticket), ("uid", &other)],
            200,
            Some(false),
        ),
        (
            "an unknown ticket",
            &[("permission_ticket", &unknown), ("uid", &mine)],
            200,
            Some(false),
        ),
        (
            "another key",
            &[("permission_ticket", ticket), ("uid", &foreign)],
            403,
            None,
        ),
        (
            "no cipher text",
            &[("permission_ticket", ticket), ("uid", "!")],
            403,
            None,
        ),
        ("no uid", &[("permission_ticket", ticket)], 403, None),
        ("no ticket", &[("uid", &mine)], 403, None),
    ];
    for (name, headers, status, code) in cases {
        let reply = world.call("service/uid_valid", headers).await;
        assert_eq!(reply.status, status, "{name}");
        assert_eq!(
            code.map(|code| json!({ "code": code })),
            (status == 200).then(|| reply.json()),
            "{name}"
        );
    }
    world.pass(8 * 3600 + 1);
    let late = world
        .call("service/uid_valid", &[("permission_ticket", ticket), ("uid", &mine)])
        .await;
    assert_eq!((late.status, late.json()), (200, json!({ "code": false })));
}

#[tokio::test]
async fn type_valid_tells_how_the_person_verified() {
    let world = World::new().await;
    let (tx_id, _) = world.delivered().await;
    let reply = world.call("service/type_valid", &[("tx_id", &tx_id)]).await;
    let known = ["CER", "MOE", "TFD", "NHI", "PII", "GOV"];
    assert!(
        known.contains(&reply.json()["verification"].as_str().unwrap()),
        "{reply:?}"
    );
    for headers in [vec![], vec![("tx_id", "x")]] {
        assert_eq!(world.call("service/type_valid", &headers).await.status, 403);
    }
}

/// The way of a transaction by what is said of it. The other codes stand beside the tests of their causes.
#[tokio::test]
async fn txid_status_follows_a_transaction() {
    let world = World::new().await;
    for headers in [vec![], vec![("tx_id", "x")]] {
        assert_eq!(world.call("service/txid_status", &headers).await.status, 403, "unknown");
    }
    let asked = world.asked(MEI, &[HOUSEHOLD]);
    let session = session(&world.arrive(&asked).await);
    assert_eq!(world.status(&asked.tx_id).await, (204, None), "on the pages");
    let form = [("session", session.as_str()), ("pid", MEI)];
    post(&world.platform("verify"), &[], &form).await;
    world.city.hold();
    let agreed = async { world.answer(&session, "agree").await };
    let meanwhile = async {
        world.city.wait_for(1).await;
        let status = world.status(&asked.tx_id).await;
        world.city.release();
        status
    };
    let (_, meanwhile) = tokio::join!(agreed, meanwhile);
    let code = |code: &str| (200, Some(code.to_owned()));
    assert_eq!(meanwhile, code("429"), "the city has not answered");
    assert_eq!(world.status(&asked.tx_id).await, code("200"));
    let text = world
        .call("service/txid_status", &[("tx_id", &asked.tx_id)])
        .await
        .json()["text"]
        .clone();
    assert!(text.as_str().is_some_and(|text| !text.is_empty()));
    world.fetch(&world.city.notices()[0]).await;
    assert_eq!(world.status(&asked.tx_id).await, code("201"));

    let refused = world.asked(MEI, &[HOUSEHOLD]);
    let session = world.verified(&refused).await;
    world.answer(&session, "refuse").await;
    assert_eq!(world.status(&refused.tx_id).await, code("205"));

    let mut wrong = world.asked(MEI, &[HOUSEHOLD]);
    wrong.pid = None;
    world.arrive(&wrong).await;
    assert_eq!(world.status(&wrong.tx_id).await, code("400"));
}

#[tokio::test]
async fn the_list_of_data_sets_says_which_are_out_of_order() {
    let world = World::with(Faults {
        faulty: vec![INCOME.to_owned()],
        ..Faults::default()
    })
    .await;
    let list = world.call("find_all_resources", &[]).await.json();
    let said: Vec<_> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["resource_id"], &one["status"]))
        .collect();
    assert_eq!(
        said,
        [(&json!(HOUSEHOLD), &json!("01")), (&json!(INCOME), &json!("00"))]
    );
    assert_eq!(
        fields(&list[0]),
        ["cate", "dep", "link", "name", "resource_id", "status"]
    );
}
