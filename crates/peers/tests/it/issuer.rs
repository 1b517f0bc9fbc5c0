//! The issuer (OpenID Connect Core 1.0, Discovery 1.0, RFC 7636) as a client meets it, a good one and bad ones.

use crate::support::http::{Reply, get, post};
use crate::support::{HAO, MEI, World, at};
use josekit::jwk::Jwk;
use josekit::jws::RS256;
use openssl::base64::encode_block;
use openssl::sha::sha256;
use serde_json::{Value, json};
use url::Url;

/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

type Pairs = Vec<(&'static str, String)>;

impl World {
    fn issuer(&self, path: &str) -> Url {
        at(&self.peers.issuer.address, path)
    }

    /// A request for sign-in that is right.
    fn request(&self) -> Pairs {
        [
            ("client_id", self.peers.issuer.client_id.as_str()),
            ("redirect_uri", self.city.at("sign-in/return").as_str()),
            ("response_type", "code"),
            ("scope", "openid profile uid"),
            ("state", "a state & more"),
            ("nonce", "a nonce"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .to_vec()
    }

    /// The person chooses; gives where the browser goes.
    async fn chosen(&self, request: &Pairs, more: &[(&str, &str)]) -> Reply {
        let pairs: Vec<_> = request.iter().map(|(name, value)| (*name, value.as_str())).collect();
        post(&self.issuer("authorize"), &[], &[&pairs, more].concat()).await
    }

    async fn code(&self) -> String {
        let reply = self.chosen(&self.request(), &[("account", MEI)]).await;
        reply.query("code").unwrap()
    }

    /// A request for a token that is right.
    fn exchange(&self, code: &str) -> Pairs {
        [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", self.city.at("sign-in/return").as_str()),
            ("code_verifier", VERIFIER),
            ("client_id", &self.peers.issuer.client_id),
            ("client_secret", &self.peers.issuer.client_secret),
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .to_vec()
    }

    async fn token(&self, pairs: &Pairs) -> Reply {
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
        post(&self.issuer("token"), &[], &pairs).await
    }

    /// The claims of an id token, its signature checked with the published key.
    async fn claims(&self, token: &Value) -> Value {
        let keys = get(&self.issuer("keys"), &[]).await.json();
        let jwk = Jwk::from_map(keys["keys"][0].as_object().unwrap().clone()).unwrap();
        let verifier = RS256.verifier_from_jwk(&jwk).unwrap();
        let text = token["id_token"].as_str().unwrap();
        let (payload, head) = josekit::jws::deserialize_compact(text, &verifier).unwrap();
        assert_eq!((head.algorithm(), head.key_id()), (Some("RS256"), jwk.key_id()));
        serde_json::from_slice(&payload).unwrap()
    }
}

fn set(pairs: &mut Pairs, name: &'static str, value: Option<&str>) {
    pairs.retain(|(found, _)| *found != name);
    pairs.extend(value.map(|value| (name, value.to_owned())));
}

#[tokio::test]
async fn the_discovery_document_tells_where_everything_is() {
    let world = World::new().await;
    let found = get(&world.issuer(".well-known/openid-configuration"), &[]).await.json();
    assert_eq!(found["issuer"], json!(world.peers.issuer.address));
    for (name, path) in [
        ("authorization_endpoint", "authorize"),
        ("token_endpoint", "token"),
        ("userinfo_endpoint", "userinfo"),
        ("jwks_uri", "keys"),
        ("end_session_endpoint", "end-session"),
    ] {
        assert_eq!(found[name], json!(world.issuer(path).as_str()), "{name}");
    }
    assert_eq!(found["response_types_supported"], json!(["code"]));
    assert_eq!(found["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(found["id_token_signing_alg_values_supported"], json!(["RS256"]));
    assert_eq!(found["subject_types_supported"], json!(["public"]));
}

#[tokio::test]
async fn the_strength_that_was_asked_is_the_strength_that_is_told() {
    let world = World::new().await;
    for (asked, told) in [(None, json!(null)), (Some("level-1 level-2"), json!("level-1"))] {
        let mut request = world.request();
        set(&mut request, "acr_values", asked);
        let reply = world.chosen(&request, &[("account", MEI)]).await;
        let token = world.token(&world.exchange(&reply.query("code").unwrap())).await.json();
        assert_eq!(world.claims(&token).await["acr"], told);
    }
}

#[tokio::test]
async fn a_person_signs_in_and_the_token_proves_it() {
    let world = World::new().await;
    let reply = world.chosen(&world.request(), &[("account", MEI)]).await;
    assert_eq!(reply.query("state").as_deref(), Some("a state & more"));
    let token = world.token(&world.exchange(&reply.query("code").unwrap())).await;
    assert_eq!((token.status, token.header("cache-control")), (200, Some("no-store")));
    let token = token.json();
    assert_eq!(token["token_type"], json!("Bearer"));
    let claims = world.claims(&token).await;
    let now = world.clock_at_start().as_second();
    for (name, value) in [
        ("iss", json!(world.peers.issuer.address)),
        ("aud", json!(world.peers.issuer.client_id)),
        ("nonce", json!("a nonce")),
        ("iat", json!(now)),
        ("exp", json!(now + 300)),
        ("uid", json!(MEI)),
        ("uid_verified", json!("True")),
        ("cn", json!("林阿梅")),
        ("birthdate", json!("1950-03-15")),
    ] {
        assert_eq!(claims[name], value, "{name}");
    }
    // OpenID Connect Core, 3.1.3.6: the left half of the hash of the access token
    let access = token["access_token"].as_str().unwrap();
    let half = encode_block(&sha256(access.as_bytes())[..16])
        .replace('+', "-")
        .replace('/', "_");
    assert_eq!(claims["at_hash"], json!(half.trim_end_matches('=')));

    let bearer = format!("Bearer {access}");
    let info = get(&world.issuer("userinfo"), &[("authorization", &bearer)]).await;
    assert_eq!((info.status, &info.json()["sub"]), (200, &claims["sub"]));
    for wrong in ["Bearer x", "Basic x", ""] {
        let refused = get(&world.issuer("userinfo"), &[("authorization", wrong)]).await;
        assert_eq!(refused.status, 401);
        assert!(
            refused
                .header("www-authenticate")
                .is_some_and(|text| text.contains("invalid_token"))
        );
    }
    world.pass(300);
    let late = get(&world.issuer("userinfo"), &[("authorization", &bearer)]).await;
    assert_eq!(late.status, 401, "the access token is over");
}

/// The subject is of a person, not of a sign-in; and it is not the national id.
#[tokio::test]
async fn a_subject_stays_and_tells_nothing() {
    let world = World::new().await;
    let mut subjects = Vec::new();
    for _ in 0..2 {
        let token = world.token(&world.exchange(&world.code().await)).await.json();
        subjects.push(world.claims(&token).await["sub"].as_str().unwrap().to_owned());
    }
    assert_eq!(subjects[0], subjects[1]);
    assert!(!subjects[0].contains(MEI));
}

#[tokio::test]
async fn without_a_nonce_none_is_invented() {
    let world = World::new().await;
    let mut request = world.request();
    set(&mut request, "nonce", None);
    let reply = world.chosen(&request, &[("account", MEI)]).await;
    let token = world.token(&world.exchange(&reply.query("code").unwrap())).await.json();
    assert!(world.claims(&token).await.get("nonce").is_none());
}

/// What a bad client asks: a stranger is told here, an error of a known client goes back to its address.
#[tokio::test]
async fn requests_that_are_wrong_are_refused_where_it_is_safe() {
    let world = World::new().await;
    let address = world.city.at("sign-in/return");
    let near: Vec<String> = [
        format!("{address}/"),
        format!("{address}?a=b"),
        address.as_str().to_uppercase(),
        address.as_str().replace("127.0.0.1", "localhost"),
        format!("{address}#x"),
        "https://elsewhere.invalid/".to_owned(),
    ]
    .to_vec();
    let here = |name, value| (name, value, None);
    let back = |name, value, error| (name, value, Some(error));
    let mut cases: Vec<(&'static str, Option<&str>, Option<&str>)> = near
        .iter()
        .map(|address| here("redirect_uri", Some(address.as_str())))
        .collect();
    cases.extend([
        here("redirect_uri", None),
        here("client_id", Some("another")),
        here("client_id", None),
        back("response_type", Some("token"), "unsupported_response_type"),
        back("response_type", None, "unsupported_response_type"),
        back("scope", Some("profile"), "invalid_scope"),
        back("scope", Some("openidx"), "invalid_scope"),
        back("code_challenge", None, "invalid_request"),
        back("code_challenge", Some("short"), "invalid_request"),
        back("code_challenge_method", None, "invalid_request"),
        back("code_challenge_method", Some("plain"), "invalid_request"),
    ]);
    for (name, value, error) in cases {
        let mut request = world.request();
        set(&mut request, name, value);
        let mut to = world.issuer("authorize");
        to.query_pairs_mut().extend_pairs(&request);
        for reply in [get(&to, &[]).await, world.chosen(&request, &[("account", MEI)]).await] {
            match error {
                None => assert_eq!(
                    (reply.status, reply.header("location")),
                    (400, None),
                    "{name} {value:?}"
                ),
                Some(error) => {
                    assert_eq!(reply.query("error").as_deref(), Some(error), "{name} {value:?}");
                    assert_eq!(reply.query("state").as_deref(), Some("a state & more"));
                    assert_eq!(reply.query("code"), None);
                    assert!(reply.location().as_str().starts_with(address.as_str()));
                }
            }
        }
    }
}

/// What a bad client sends for a code: nothing, and the code is spent where the client was the right one.
#[tokio::test]
async fn a_code_is_changed_only_for_who_asked_for_it() {
    let world = World::new().await;
    let cases = [
        ("code_verifier", Some(CHALLENGE), 400, "invalid_grant"),
        ("code_verifier", Some(&VERIFIER[1..]), 400, "invalid_grant"),
        ("code_verifier", None, 400, "invalid_grant"),
        ("redirect_uri", Some("https://elsewhere.invalid/"), 400, "invalid_grant"),
        ("redirect_uri", None, 400, "invalid_grant"),
        ("code", Some("guessed"), 400, "invalid_grant"),
        ("grant_type", Some("password"), 400, "unsupported_grant_type"),
        ("client_secret", Some("guessed"), 401, "invalid_client"),
        ("client_secret", None, 401, "invalid_client"),
        ("client_id", Some("another"), 401, "invalid_client"),
    ];
    for (name, value, status, error) in cases {
        let code = world.code().await;
        let mut pairs = world.exchange(&code);
        set(&mut pairs, name, value);
        let reply = world.token(&pairs).await;
        assert_eq!(
            (reply.status, &reply.json()),
            (status, &json!({ "error": error })),
            "{name} {value:?}"
        );
        assert_eq!(reply.header("www-authenticate").is_some(), status == 401);
        // a wrong proof spends the code; a stranger does not
        let after = world.token(&world.exchange(&code)).await.status;
        let is_spent = matches!(name, "code_verifier" | "redirect_uri");
        assert_eq!(after, if is_spent { 400 } else { 200 }, "{name} {value:?}");
    }
}

/// RFC 7636, 4.1: a verifier has at least 43 characters, even where its hash fits.
#[tokio::test]
async fn a_verifier_that_could_be_guessed_is_refused() {
    let world = World::new().await;
    for (verifier, status) in [
        ("x".repeat(42), 400),
        ("x".repeat(43), 200),
        ("x".repeat(128), 200),
        ("x".repeat(129), 400),
        ("=".repeat(43), 400),
    ] {
        let challenge = encode_block(&sha256(verifier.as_bytes()))
            .replace('+', "-")
            .replace('/', "_");
        let mut request = world.request();
        set(&mut request, "code_challenge", Some(challenge.trim_end_matches('=')));
        let code = world.chosen(&request, &[("account", MEI)]).await.query("code").unwrap();
        let mut pairs = world.exchange(&code);
        set(&mut pairs, "code_verifier", Some(&verifier));
        assert_eq!(world.token(&pairs).await.status, status, "{verifier}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_good_once_and_for_a_minute() {
    let world = World::new().await;
    let pairs = world.exchange(&world.code().await);
    let replies = futures::future::join_all((0..10).map(|_| world.token(&pairs))).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1);

    let pairs = world.exchange(&world.code().await);
    world.pass(60);
    assert_eq!(world.token(&pairs).await.json(), json!({ "error": "invalid_grant" }));
}

#[tokio::test]
async fn a_client_may_name_itself_in_the_head() {
    let world = World::new().await;
    let facts = &world.peers.issuer;
    for (secret, status) in [(facts.client_secret.as_str(), 200), ("guessed", 401), ("", 401)] {
        let mut pairs = world.exchange(&world.code().await);
        set(&mut pairs, "client_id", None);
        set(&mut pairs, "client_secret", None);
        let basic = format!(
            "Basic {}",
            encode_block(format!("{}:{secret}", facts.client_id).as_bytes())
        );
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let reply = post(&world.issuer("token"), &[("authorization", &basic)], &pairs).await;
        assert_eq!(reply.status, status, "{secret}");
    }
}

#[tokio::test]
async fn the_page_offers_the_people_and_takes_any_other() {
    let world = World::new().await;
    let mut to = world.issuer("authorize");
    to.query_pairs_mut().extend_pairs(&world.request());
    let page = get(&to, &[]).await.text();
    assert!(
        page.contains(MEI) && page.contains("陳&lt;b&gt;浩&lt;/b&gt;"),
        "names are text"
    );

    let other = world
        .chosen(&world.request(), &[("account", MEI), ("other", " a123456789 ")])
        .await;
    let token = world.token(&world.exchange(&other.query("code").unwrap())).await.json();
    assert_eq!(world.claims(&token).await["uid"], json!(HAO));

    let unknown = world.chosen(&world.request(), &[("other", "Z999999999")]).await;
    assert_eq!((unknown.status, unknown.header("location")), (422, None));
    let cancelled = world
        .chosen(&world.request(), &[("account", MEI), ("cancel", "yes")])
        .await;
    assert_eq!(cancelled.query("error").as_deref(), Some("access_denied"));
    assert_eq!(cancelled.query("code"), None);
}

/// Keys are kept: what was signed before a restart can be checked after it.
#[tokio::test]
async fn keys_outlive_a_restart() {
    let world = World::new().await;
    let before = get(&world.issuer("keys"), &[]).await.json();
    assert!(
        before["keys"][0].get("d").is_none(),
        "only the public half is published"
    );
    let world = world.again().await;
    assert_eq!(get(&world.issuer("keys"), &[]).await.json(), before);
}
