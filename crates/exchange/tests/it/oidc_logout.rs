//! Step-up, levels and logout, against the issuer that can be told to lie.

use crate::oidc::{begin_at, config};
use crate::support::issuer::{Behaviour, Issuer};
use exchange::oidc::{Identity, Level, LevelRule, Levels, OidcError, Provider, StepUp, check_form};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

async fn stepped(max_age: u32, change: impl FnOnce(&mut Behaviour)) -> Result<Identity, OidcError> {
    let issuer = Issuer::start().await;
    let provider = Provider::discover(config(&issuer.address)).await.unwrap();
    let ask = StepUp {
        acr_values: vec!["level-2".to_owned()],
        max_age: Some(max_age),
    };
    let (url, pending) = provider.step_up(&ask, Timestamp::now()).unwrap();
    let asked: std::collections::HashMap<String, String> = url.query_pairs().into_owned().collect();
    assert_eq!(
        (asked["max_age"].as_str(), asked["acr_values"].as_str()),
        (max_age.to_string().as_str(), "level-2")
    );
    {
        let mut behaviour = issuer.behaviour.lock().unwrap();
        behaviour.challenge = asked["code_challenge"].clone();
        behaviour.nonce = asked["nonce"].clone();
        change(&mut behaviour);
    }
    let pending = serde_json::from_str(&serde_json::to_string(&pending).unwrap()).unwrap();
    provider
        .finish(
            &format!("code=the-code&state={}", asked["state"]),
            pending,
            Timestamp::now(),
        )
        .await
}

#[tokio::test]
async fn a_step_up_wants_a_fresh_verification() {
    let at = |seconds: i64| {
        move |behaviour: &mut Behaviour| {
            let time = json!(Timestamp::now().as_second() + seconds);
            behaviour.claims.insert("auth_time".to_owned(), time);
        }
    };
    let fresh = stepped(300, at(-100)).await.unwrap();
    assert!(fresh.verified_at.is_some());
    assert!(stepped(0, at(-30)).await.is_ok(), "within the skew of the clocks");
    for stale in [
        stepped(300, at(-400)).await,
        stepped(300, at(3600)).await,
        stepped(300, |_| {}).await,
    ] {
        assert!(matches!(stale, Err(OidcError::Stale)), "{stale:?}");
    }
    let weak = stepped(300, |behaviour| {
        at(0)(behaviour);
        behaviour.claims.insert("acr".to_owned(), json!("level-4"));
    });
    assert!(matches!(weak.await, Err(OidcError::Assurance)));
}

#[tokio::test]
async fn words_of_the_issuer_become_levels_by_configuration() {
    let identity = stepped(300, |behaviour| {
        for (name, value) in [
            ("auth_time", json!(Timestamp::now().as_second())),
            ("amr", json!(["pwd", "hwk"])),
            ("x509type", json!("MOICA")),
        ] {
            behaviour.claims.insert(name.to_owned(), value);
        }
    });
    let identity = identity.await.unwrap();
    assert_eq!(identity.amr, ["pwd", "hwk"]);
    let rules = |rules: &[(&str, &str, u8)]| {
        Levels(
            rules
                .iter()
                .map(|(claim, value, level)| LevelRule {
                    claim: (*claim).to_owned(),
                    value: (*value).to_owned(),
                    level: Level::new(*level).unwrap(),
                })
                .collect(),
        )
    };
    for (given, expected) in [
        (&[][..], None),
        (&[("acr", "level-2", 2)][..], Some(2)),
        (&[("acr", "level-1", 1)], None),
        (&[("amr", "pwd", 4), ("amr", "hwk", 2)], Some(2)),
        (&[("x509type", "MOICA", 1), ("acr", "level-2", 3)], Some(1)),
        (&[("x509type", "MOEACA", 1)], None),
    ] {
        assert_eq!(rules(given).of(&identity).map(Level::number), expected, "{given:?}");
    }
    let levels = rules(&[("acr", "a", 1), ("acr", "b", 2), ("acr", "c", 3), ("amr", "d", 1)]);
    assert_eq!(levels.acr_values(Level::new(2).unwrap()), ["a", "b"]);
    assert!(Level::new(0).is_none() && Level::new(5).is_none());
    let read: Levels = serde_json::from_value(json!([{ "claim": "acr", "value": "x", "level": 3 }])).unwrap();
    assert_eq!(read.0[0].level.number(), 3);
    assert!(serde_json::from_value::<Levels>(json!([{ "claim": "acr", "value": "x", "level": 5 }])).is_err());
}

#[tokio::test]
async fn the_browser_is_sent_to_end_the_issuers_session() {
    let issuer = Issuer::start().await;
    let provider = Provider::discover(config(&issuer.address)).await.unwrap();
    let sign_in = begin_at(provider.clone(), &issuer, &[]);
    let identity = sign_in.finish().await.unwrap();
    let back = "https://city.example/bye".parse().unwrap();
    let url = provider.logout_url(&identity.id_token, &back, "state-7").unwrap();
    assert_eq!(url.path(), "/end-session");
    let query: std::collections::HashMap<String, String> = url.query_pairs().into_owned().collect();
    assert_eq!(query["id_token_hint"].split('.').count(), 3);
    assert_eq!(
        (query["client_id"].as_str(), query["state"].as_str()),
        ("city", "state-7")
    );
    assert_eq!(query["post_logout_redirect_uri"], "https://city.example/bye");
}

fn claims(issuer: &Issuer) -> Map<String, Value> {
    let now = Timestamp::now().as_second();
    let claims = json!({
        "iss": issuer.address, "aud": "city", "iat": now, "exp": now + 120, "jti": "logout-7", "sub": "person-7", "sid": "session-7",
        "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
    });
    claims.as_object().unwrap().clone()
}

#[tokio::test]
async fn logout_tokens_are_checked_claim_by_claim() {
    let issuer = Issuer::start().await;
    let provider = Provider::discover(config(&issuer.address)).await.unwrap();
    let header = json!({ "alg": "RS256", "typ": "logout+jwt", "kid": "one" });
    let read = async |header: &Value, claims: &Map<String, Value>| {
        let token = issuer.sign("one", header, &Value::Object(claims.clone()));
        provider.read_logout(&token, Timestamp::now()).await
    };
    let good = claims(&issuer);
    let token = read(&header, &good).await.unwrap();
    assert_eq!(
        (token.subject.as_deref(), token.session.as_deref()),
        (Some("person-7"), Some("session-7"))
    );
    assert_eq!(format!("{token:?}"), "LogoutToken");
    let again = read(&header, &good).await.unwrap();
    assert_eq!(
        token.remember.key, again.remember.key,
        "a second one is known by its name"
    );
    let now = Timestamp::now().as_second();
    for (claim, value, expected) in [
        ("iss", json!("https://else.example"), "another issuer"),
        ("aud", json!("another"), "another client"),
        ("aud", json!(["another"]), "another client"),
        ("iat", json!(now + 3600), "future"),
        ("iat", json!(now - 3600), "too old"),
        ("exp", json!(now - 3600), "expired"),
        ("jti", Value::Null, "missing"),
        ("jti", json!(""), "no name"),
        ("events", json!({}), "logout"),
        (
            "events",
            json!({ "http://schemas.openid.net/event/backchannel-logout": true }),
            "logout",
        ),
        ("nonce", json!("n"), "nonce"),
    ] {
        let mut claims = good.clone();
        match value {
            Value::Null => claims.remove(claim),
            value => claims.insert(claim.to_owned(), value),
        };
        match read(&header, &claims).await {
            Err(OidcError::Logout(what)) => assert!(what.contains(expected), "{claim}: {what}"),
            other => panic!("{claim}: {other:?}"),
        }
    }
    let mut anonymous = good.clone();
    anonymous.remove("sub");
    assert!(read(&header, &anonymous).await.is_ok(), "a session is enough");
    anonymous.remove("sid");
    assert!(read(&header, &anonymous).await.is_err());
    for (member, value) in [
        ("alg", json!("none")),
        ("alg", json!("HS256")),
        ("typ", json!("at+jwt")),
        ("crit", json!(["exp"])),
        ("kid", json!("hidden")),
    ] {
        let mut header = header.clone();
        header[member] = value;
        assert!(
            matches!(read(&header, &good).await, Err(OidcError::Logout(_))),
            "{member}"
        );
    }
    let mut older = header.clone();
    older.as_object_mut().unwrap().remove("typ");
    assert!(
        read(&older, &good).await.is_ok(),
        "issuers before the type was recommended"
    );
    // the ID token of a sign-in is not a logout token
    let id_token = begin_at(provider.clone(), &issuer, &[])
        .finish()
        .await
        .unwrap()
        .id_token;
    assert!(provider.read_logout(&id_token, Timestamp::now()).await.is_err());
    let forged = issuer.sign("two", &header, &Value::Object(good));
    assert!(matches!(
        provider.read_logout(&forged, Timestamp::now()).await,
        Err(OidcError::Logout("its signature does not match"))
    ));
}

#[tokio::test]
async fn keys_are_read_again_for_logout_tokens_once_a_minute() {
    let issuer = Issuer::start().await;
    let provider = Provider::discover(config(&issuer.address)).await.unwrap();
    let token = |kid: &str| {
        let header = json!({ "alg": "RS256", "typ": "logout+jwt", "kid": kid });
        issuer.sign(kid, &header, &Value::Object(claims(&issuer)))
    };
    let reads = || issuer.behaviour.lock().unwrap().key_reads;
    assert_eq!(reads(), 1);
    issuer.behaviour.lock().unwrap().published = vec!["two".to_owned()];
    let now = Timestamp::now();
    assert!(provider.read_logout(&token("two"), now).await.is_ok());
    assert_eq!(reads(), 2);
    for _ in 0..5 {
        assert!(provider.read_logout(&token("hidden"), now).await.is_err());
    }
    assert_eq!(reads(), 2, "strangers do not make us call the issuer");
    assert!(
        provider
            .read_logout(&token("hidden"), now + SignedDuration::from_secs(61))
            .await
            .is_err()
    );
    assert_eq!(reads(), 3);
}

#[test]
fn what_is_no_token_is_refused() {
    for text in ["", ".", "..", "a.b.c", "e30.e30.", &"a".repeat(20_000)] {
        assert!(matches!(check_form(text), Err(OidcError::Logout(_))), "{text:.20}");
    }
}
