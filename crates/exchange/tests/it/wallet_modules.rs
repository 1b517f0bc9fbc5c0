//! The modules of 數位發展部 as second adapters.

use crate::support::people::terms;
use axum::body::Bytes;
use axum::routing::post;
use exchange::wallet::issuer::module::{Action, Module as IssuerModule, NewCard, Standing};
use exchange::wallet::verifier::module::{Module, Outcome};
use exchange::wallet::{ModuleConfig as Config, ModuleError};
use peers::wallet::Running;
use tokio::sync::mpsc;
use uuid::Uuid;

async fn world() -> (Running, mpsc::UnboundedReceiver<Bytes>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let take = move |body: Bytes| async move {
        sender.send(body).unwrap();
        axum::Json(Module::callback_answer())
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let callback = format!("http://{}/callback", listener.local_addr().unwrap());
    let router = axum::Router::new().route("/callback", post(take));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let twin = peers::wallet::start(peers::wallet::Config {
        terms: terms().1,
        access_token: "token-of-the-city".to_owned(),
        callback_url: Some(callback.parse().unwrap()),
        population: None,
        port: 0,
    });
    (twin.await.unwrap(), receiver)
}

fn text(twin: &Running, token: &str) -> String {
    format!(
        "address = \"{}\"\naccess_token = \"{token}\"\n[client]\nhttps_only = false\n",
        twin.address
    )
}

#[tokio::test]
async fn the_verifier_module_is_asked_again_after_its_callback() {
    let (twin, mut callbacks) = world().await;
    let module = Module::new(toml::from_str::<Config>(&text(&twin, "token-of-the-city")).unwrap()).unwrap();
    assert!(!format!("{module:?}").contains("token-of-the-city"));
    let transaction = Uuid::new_v4();
    let begun = module.begin("template-1", transaction, true).await.unwrap();
    assert!(begun.link.starts_with("modadigitalwallet://authorize?") && begun.picture.starts_with("data:image/png"));
    assert!(
        matches!(
            module.begin("template-1", transaction, true).await,
            Err(ModuleError::Refused(4001))
        ),
        "twice"
    );
    assert_eq!(module.result(transaction).await.unwrap(), Outcome::Waiting);
    let status = twin
        .show_to_module(&transaction.to_string(), &[("name", "林阿梅")], true)
        .await;
    assert_eq!(status, Some(200));
    let callback = callbacks.recv().await.unwrap();
    assert_eq!(Module::read_callback(&callback).unwrap(), transaction);
    match module.result(transaction).await.unwrap() {
        Outcome::Verified { holder, cards } => {
            assert_eq!(holder, twin.phone().did());
            assert_eq!(cards[0].claims["name"], "林阿梅");
            assert!(!format!("{cards:?}").contains("林阿梅"));
        }
        other => panic!("{other:?}"),
    }
    let other = Uuid::new_v4();
    twin.show_to_module(&other.to_string(), &[], false).await;
    assert!(matches!(module.result(other).await.unwrap(), Outcome::Failed(what) if what.contains("revoked")));
    // a forged callback leads to a question that has no answer
    let forged = format!("{{\"transactionId\":\"{}\",\"verifyResult\":true}}", Uuid::new_v4());
    let named = Module::read_callback(forged.as_bytes()).unwrap();
    assert_eq!(module.result(named).await.unwrap(), Outcome::Waiting);
    for bad in [&b""[..], b"{}", b"{\"transactionId\":\"x\"}", &vec![b' '; 2 << 20]] {
        assert!(Module::read_callback(bad).is_err());
    }
    let stranger = Module::new(toml::from_str::<Config>(&text(&twin, "wrong")).unwrap()).unwrap();
    assert!(matches!(stranger.result(transaction).await, Err(ModuleError::Unreachable(what)) if what.contains("401")));
}

/// A module below a path that gives one answer to everything.
async fn answering(answer: &'static str) -> IssuerModule {
    let router = axum::Router::new().route("/module/api/{*path}", axum::routing::any(move || async move { answer }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/module/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let config = format!("address = \"{address}\"\naccess_token = \"token\"\n[client]\nhttps_only = false\n");
    IssuerModule::new(toml::from_str::<Config>(&config).unwrap()).unwrap()
}

#[tokio::test]
async fn answers_that_leave_a_card_open_are_refused() {
    const ONE: Uuid = Uuid::from_u128(1);
    const TWO: Uuid = Uuid::from_u128(2);
    let good = r#"{"success":["00000000-0000-0000-0000-000000000001"],
        "fail":[{"code":"30203","message":"","cids":["00000000-0000-0000-0000-000000000002"]}]}"#;
    let acted = answering(good).await.act_on_all(&[TWO, ONE], Action::Revoke).await;
    let acted = acted.unwrap();
    assert_eq!((acted.done, acted.failed), (vec![ONE], vec![(30_203, TWO)]));
    let refused = async |answer: &'static str| {
        let acted = answering(answer).await.act_on_all(&[ONE, TWO], Action::Revoke).await;
        assert!(matches!(acted, Err(ModuleError::Answer(_))), "{answer}: {acted:?}");
    };
    refused(r#"{"success":["00000000-0000-0000-0000-000000000001"],"fail":[]}"#).await;
    refused(r#"{"success":["00000000-0000-0000-0000-000000000001"]}"#).await;
    refused(r#"{"success":["00000000-0000-0000-0000-000000000001","00000000-0000-0000-0000-000000000002","00000000-0000-0000-0000-000000000003"],"fail":[]}"#).await;
    refused(r#"{"success":["00000000-0000-0000-0000-000000000001"],"fail":[{"cids":["00000000-0000-0000-0000-000000000002"]}]}"#).await;
    let unlisted = answering("{}").await.by_tag("case", 0, 10).await;
    assert!(matches!(unlisted, Err(ModuleError::Answer(_))), "{unlisted:?}");
    assert_eq!(
        answering(r#"{"vcList":[]}"#).await.by_tag("case", 0, 10).await.unwrap(),
        Vec::new()
    );
}

#[tokio::test]
async fn the_issuer_module_gives_lists_suspends_and_revokes() {
    let (twin, _callbacks) = world().await;
    let module = IssuerModule::new(toml::from_str::<Config>(&text(&twin, "token-of-the-city")).unwrap()).unwrap();
    let card = NewCard {
        template: "resident_card",
        issued: Some(jiff::civil::date(2026, 1, 1)),
        expires: Some(jiff::civil::date(2027, 1, 1)),
        tag: "case-1150001",
        fields: &[("name", "林阿梅")],
        replaces: &[],
    };
    let give = async |card: &NewCard<'_>| {
        let offer = module.offer(card).await.unwrap();
        assert_eq!(
            module.fetched(&offer.transaction_id).await.unwrap(),
            None,
            "not scanned yet"
        );
        assert!(twin.scan_offer(&offer.transaction_id));
        module.fetched(&offer.transaction_id).await.unwrap().unwrap()
    };
    let cid = give(&card).await;
    let standing = async |cid: Uuid| {
        let cards = module.by_tag("case-1150001", 0, 10).await.unwrap();
        cards.iter().find(|card| card.cid == cid).unwrap().standing
    };
    assert_eq!(standing(cid).await, Standing::Valid);
    module.act(cid, Action::Suspend).await.unwrap();
    assert_eq!(standing(cid).await, Standing::Suspended);
    assert_eq!(
        module
            .cards(Some("resident_card"), Some(Standing::Suspended), 0, 10)
            .await
            .unwrap()
            .len(),
        1
    );
    module.act(cid, Action::Recover).await.unwrap();
    let next = give(&NewCard {
        replaces: &[cid],
        ..card.clone()
    })
    .await;
    assert_eq!(
        (standing(cid).await, standing(next).await),
        (Standing::Revoked, Standing::Valid)
    );
    let acted = module.act_on_all(&[cid, next], Action::Revoke).await.unwrap();
    assert_eq!((acted.done, acted.failed), (vec![next], vec![(30_203, cid)]));
    assert!(matches!(
        module.act(Uuid::new_v4(), Action::Revoke).await,
        Err(ModuleError::Refused(61_006))
    ));
    let unknown = NewCard {
        template: "else",
        ..card.clone()
    };
    assert!(matches!(
        module.offer(&unknown).await,
        Err(ModuleError::Refused(10_108))
    ));
    let empty = NewCard { fields: &[], ..card };
    assert!(matches!(module.offer(&empty).await, Err(ModuleError::Refused(11_001))));
    assert_eq!(module.by_tag("case-1150001", 1, 1).await.unwrap().len(), 1);
}
