//! Sign-in against an issuer that can be told to lie.

use crate::support::issuer::{Behaviour, Issuer};
use exchange::oidc::{Config, Identity, OidcError, Pending, Provider};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::HashMap;

pub fn config(issuer: &str) -> Config {
    toml::from_str(&format!(
        r#"
issuer = "{issuer}"
client_id = "city"
client_secret = "secret-of-the-city"
redirect_url = "https://city.example/signin/return"
scopes = ["profile", "uid"]
[client]
https_only = false
"#
    ))
    .unwrap()
}

/// A sign-in up to the return: the provider, what the session keeps, and the query of the return.
pub struct SignIn {
    provider: Provider,
    pending: Pending,
    query: String,
    asked: HashMap<String, String>,
}

async fn begin(issuer: &Issuer, acr_values: &[&str]) -> SignIn {
    let provider = Provider::discover(config(&issuer.address)).await.unwrap();
    begin_at(provider, issuer, acr_values)
}

pub fn begin_at(provider: Provider, issuer: &Issuer, acr_values: &[&str]) -> SignIn {
    let acr_values: Vec<String> = acr_values.iter().map(|value| (*value).to_owned()).collect();
    let (url, pending) = provider.begin(&acr_values, Timestamp::now()).unwrap();
    let asked: HashMap<String, String> = url.query_pairs().into_owned().collect();
    let mut behaviour = issuer.behaviour.lock().unwrap();
    behaviour.challenge = asked["code_challenge"].clone();
    behaviour.nonce = asked["nonce"].clone();
    // The session keeps it as text.
    let pending = serde_json::from_str(&serde_json::to_string(&pending).unwrap()).unwrap();
    SignIn {
        provider,
        pending,
        query: format!("code=the-code&state={}", asked["state"]),
        asked,
    }
}

impl SignIn {
    pub async fn finish(self) -> Result<Identity, OidcError> {
        self.provider.finish(&self.query, self.pending, Timestamp::now()).await
    }
}

/// A sign-in at an issuer that behaves so.
async fn with(change: impl FnOnce(&mut Behaviour)) -> Result<Identity, OidcError> {
    let issuer = Issuer::start().await;
    let sign_in = begin(&issuer, &[]).await;
    change(&mut issuer.behaviour.lock().unwrap());
    sign_in.finish().await
}

#[tokio::test]
async fn signs_in() {
    let issuer = Issuer::start().await;
    let sign_in = begin(&issuer, &["level-1", "level-2"]).await;
    let asked = |name: &str| sign_in.asked[name].as_str();
    assert_eq!(
        (
            asked("response_type"),
            asked("client_id"),
            asked("code_challenge_method")
        ),
        ("code", "city", "S256")
    );
    assert_eq!(
        (asked("scope"), asked("acr_values")),
        ("openid profile uid", "level-1 level-2")
    );
    assert_eq!(asked("redirect_uri"), "https://city.example/signin/return");
    assert!(!format!("{:?}{:?}", sign_in.pending, sign_in.provider).contains(asked("nonce")));
    let identity = sign_in.finish().await.unwrap();
    assert_eq!(identity.subject, "person-7");
    assert_eq!(identity.name.as_deref(), Some("王小明"));
    assert_eq!(identity.national_id.as_deref(), Some("A123456789"));
    assert_eq!(identity.acr.as_deref(), Some("level-2"));
    assert!(!format!("{identity:?}").contains("A123"));
}

#[tokio::test]
async fn asks_userinfo_for_what_the_token_lacks() {
    let lacking = |behaviour: &mut Behaviour| {
        behaviour.claims.insert("uid".to_owned(), Value::Null);
    };
    assert_eq!(with(lacking).await.unwrap().national_id.as_deref(), Some("B223456785"));
    let other = with(|behaviour| {
        behaviour.claims.insert("uid".to_owned(), Value::Null);
        behaviour.userinfo = json!({ "sub": "person-8", "uid": "B223456785" });
    });
    assert!(
        matches!(other.await, Err(OidcError::Issuer(_))),
        "the information of another person is not taken"
    );
}

#[tokio::test]
async fn follows_a_change_of_keys_once() {
    let issuer = Issuer::start().await;
    let provider = Provider::discover(config(&issuer.address)).await.unwrap();
    let sign_in = begin_at(provider.clone(), &issuer, &[]);
    {
        let mut behaviour = issuer.behaviour.lock().unwrap();
        behaviour.kid = "two".to_owned();
        behaviour.published = vec!["two".to_owned()];
    }
    sign_in.finish().await.unwrap();
    assert_eq!(issuer.behaviour.lock().unwrap().key_reads, 2);
    begin_at(provider.clone(), &issuer, &[]).finish().await.unwrap();
    assert_eq!(issuer.behaviour.lock().unwrap().key_reads, 2, "the new keys are kept");
    issuer.behaviour.lock().unwrap().kid = "hidden".to_owned();
    let hidden = begin_at(provider, &issuer, &[]).finish().await;
    assert!(matches!(hidden, Err(OidcError::Token(_))), "{hidden:?}");
    assert_eq!(issuer.behaviour.lock().unwrap().key_reads, 3);
}

#[tokio::test]
async fn refuses_false_tokens() {
    let now = Timestamp::now().as_second();
    for (claim, value, expected) in [
        ("nonce", json!("of another sign-in"), "nonce"),
        ("nonce", Value::Null, "nonce"),
        ("aud", json!("another-client"), "another client"),
        ("iss", json!("https://elsewhere.example"), "another issuer"),
        ("exp", json!(now - 3600), "expired"),
        ("at_hash", json!("AAAAAAAAAAAAAAAAAAAAAA"), "access token"),
    ] {
        let refused = with(|behaviour| {
            behaviour.claims.insert(claim.to_owned(), value);
        });
        match refused.await {
            Err(OidcError::Token(what)) => assert!(what.contains(expected), "{claim}: {what}"),
            other => panic!("{claim}: {other:?}"),
        }
    }
    for alg in ["none", "HS256"] {
        let refused = with(|behaviour| behaviour.alg = alg.to_owned()).await;
        assert!(matches!(refused, Err(OidcError::Token(_))), "{alg}: {refused:?}");
    }
    let forged = with(|behaviour| {
        behaviour.published = vec!["one".to_owned()];
        behaviour.kid = "hidden".to_owned();
    });
    assert!(matches!(forged.await, Err(OidcError::Token(_))));
}

#[tokio::test]
async fn refuses_returns_of_others() {
    let issuer = Issuer::start().await;
    let fresh = async || begin(&issuer, &[]).await;
    let finish = async |change: fn(&mut SignIn)| {
        let mut sign_in = fresh().await;
        change(&mut sign_in);
        sign_in.finish().await.unwrap_err()
    };
    assert!(matches!(
        finish(|it| it.query = "code=the-code&state=guess".to_owned()).await,
        OidcError::State
    ));
    assert!(matches!(
        finish(|it| it.query = "code=the-code".to_owned()).await,
        OidcError::Query
    ));
    assert!(matches!(
        finish(|it| it.query.push_str("&code=two")).await,
        OidcError::Query
    ));
    assert!(matches!(
        finish(|it| it.query = it.query.replace("the-code", "")).await,
        OidcError::Query
    ));
    assert!(matches!(
        finish(|it| it.query.push_str("&iss=https%3A%2F%2Felse.example")).await,
        OidcError::OtherIssuer
    ));
    let mut strict = config(&issuer.address);
    strict.iss_required = true;
    let strict = Provider::discover(strict).await.unwrap();
    let unnamed = begin_at(strict.clone(), &issuer, &[]).finish().await;
    assert!(matches!(unnamed, Err(OidcError::OtherIssuer)), "{unnamed:?}");
    let mut named = begin_at(strict, &issuer, &[]);
    named.query.push_str(&format!("&iss={}", issuer.address));
    named.finish().await.unwrap();
    assert!(matches!(
        finish(|it| it.query = it.query.replace("the-code", "stolen")).await,
        OidcError::Code(_)
    ));
    let denied = |it: &mut SignIn| it.query = it.query.replace("code=the-code", "error=access_denied%0a");
    assert!(matches!(finish(denied).await, OidcError::Denied(what) if what == "access_denied"));
    // The session of another browser: its state differs, and with a stolen state its verifier.
    let (one, mut two) = (fresh().await, fresh().await);
    two.query = one.query;
    assert!(matches!(two.finish().await.unwrap_err(), OidcError::State));
    let one = fresh().await;
    issuer.behaviour.lock().unwrap().challenge = "of-another-verifier".to_owned();
    assert!(matches!(one.finish().await.unwrap_err(), OidcError::Code(what) if what == "invalid_grant"));
    let late = fresh().await;
    let after = Timestamp::now() + SignedDuration::from_mins(20);
    assert!(matches!(
        late.provider.finish(&late.query, late.pending, after).await,
        Err(OidcError::TooLate)
    ));
}

#[tokio::test]
async fn refuses_weaker_verification_than_asked() {
    let issuer = Issuer::start().await;
    assert!(matches!(
        begin(&issuer, &["level-1"]).await.finish().await,
        Err(OidcError::Assurance)
    ));
}

#[tokio::test]
async fn refuses_issuers_that_name_themselves_otherwise() {
    let issuer = Issuer::start().await;
    let other = issuer.address.replace("127.0.0.1", "localhost");
    assert!(matches!(
        Provider::discover(config(&other)).await,
        Err(OidcError::Issuer(_))
    ));
    let mut secure = config(&issuer.address);
    secure.client.https_only = true;
    assert!(matches!(Provider::discover(secure).await, Err(OidcError::Issuer(_))));
}
