//! Giving cards, to a wallet made of other libraries.

use crate::support::wallet::{CARD, City, key, start, subject};
use exchange::jose::Token;
use exchange::wallet::did;
use exchange::wallet::issuer::{
    Config, Content, CredentialRequest, Granted, Issuer, IssuerError, Offered, Refusal, TokenRequest,
};
use exchange::wallet::sd_jwt::SdJwt;
use exchange::wallet::status_list::{ENTRIES, Purpose, StatusError, StatusList};
use exchange::wallet::verifier::{VerifierError, Wanted};
use jiff::SignedDuration;
use peers::wallet::{Phone, Showing};
use ring::rand::SystemRandom;
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};

fn offer(city: &City, with_pin: bool) -> (String, Option<String>, Offered) {
    let (offer, offered) = city
        .issuer
        .offer(CARD, with_pin, &SystemRandom::new(), city.now())
        .unwrap();
    let offered: Offered = serde_json::from_str(&serde_json::to_string(&offered).unwrap()).unwrap();
    city.kept().offers.insert(offered.key.clone(), offered.clone());
    assert!(
        !offer.link.contains(&offered.key),
        "what is kept does not open the offer"
    );
    (offer.link, offer.pin, offered)
}

#[tokio::test]
async fn a_card_is_given_shown_suspended_and_revoked() {
    let (city, twin) = start().await;
    let (link, pin, _) = offer(&city, true);
    twin.phone().accept(&link, pin.as_deref()).await.unwrap();
    let cards = twin.phone().cards();
    assert_eq!(cards[0].0, CARD);
    assert!(cards[0].1.contains(&("name".to_owned(), "林阿梅".to_owned())));
    let issued = city.kept().issued[0].clone();
    assert_eq!(issued.holder, twin.phone().did());
    let show = async || {
        let wanted = [Wanted {
            credential_type: CARD.to_owned(),
            claims: vec!["district".to_owned()],
        }];
        let (link, pending) = city
            .verifier
            .begin(&wanted, "", &SystemRandom::new(), city.now())
            .unwrap();
        city.kept().pending.insert(pending.state.clone(), pending);
        twin.phone().present(&link, &Showing::default()).await.unwrap();
        city.last().await
    };
    let presentation = show().await.unwrap();
    assert_eq!(presentation.cards[0].claims["district"], "西屯區");
    assert!(
        presentation.cards[0]
            .id
            .as_ref()
            .unwrap()
            .ends_with(&issued.cid.to_string())
    );
    for (at, purpose) in [(1, Purpose::Suspension), (0, Purpose::Revocation)] {
        city.kept().lists[at].set(issued.index, true).unwrap();
        assert!(matches!(show().await, Err(VerifierError::Status(found)) if found == purpose));
        city.kept().lists[at].set(issued.index, false).unwrap();
        assert!(show().await.is_ok());
    }
    city.clock.advance(SignedDuration::from_hours(24 * 31));
    assert!(matches!(show().await, Err(VerifierError::OutOfDate)));
}

#[tokio::test]
async fn an_offer_serves_once_in_its_time_with_its_pin() {
    let (city, twin) = start().await;
    let phone = twin.phone();
    let (link, _, _) = offer(&city, false);
    phone.accept(&link, None).await.unwrap();
    let refused = async |link: &str, pin: Option<&str>| phone.accept(link, pin).await.unwrap_err();
    assert!(refused(&link, None).await.contains("invalid_grant"), "a second time");
    let (late, _, _) = offer(&city, false);
    city.clock.advance(SignedDuration::from_secs(601));
    assert!(refused(&late, None).await.contains("invalid_grant"));
    let (link, pin, offered) = offer(&city, true);
    let pin = pin.unwrap();
    assert!(pin.len() == 6 && pin.bytes().all(|byte| byte.is_ascii_digit()));
    assert!(refused(&link, None).await.contains("invalid_request"));
    let wrong = if pin == "000000" { "000001" } else { "000000" };
    for _ in 0..3 {
        assert!(refused(&link, Some(wrong)).await.contains("invalid_grant"));
    }
    assert!(
        refused(&link, Some(&pin)).await.contains("invalid_grant"),
        "dead after three wrong ones"
    );
    assert!(!city.kept().offers[&offered.key].is_used);
    let (link, _, _) = offer(&city, false);
    city.kept().offers.clear();
    assert!(refused(&link, None).await.contains("invalid_grant"), "an unknown code");
    assert_eq!(
        city.issuer
            .offer("driving_licence", false, &SystemRandom::new(), city.now())
            .unwrap_err(),
        IssuerError::Kind("driving_licence".to_owned())
    );
}

/// A token request of a wallet and what was offered.
fn token(city: &City) -> (TokenRequest, Offered, String) {
    let (link, _, offered) = offer(city, false);
    let form = Phone::token_form(&Phone::offer(&link).unwrap(), None).unwrap();
    (TokenRequest::read(form.as_bytes()).unwrap(), offered, form)
}

#[tokio::test]
async fn token_requests_of_other_forms_are_refused() {
    let (city, _twin) = start().await;
    let (_, _, form) = token(&city);
    let change = |from: &str, to: &str| {
        assert!(form.contains(from), "{form}");
        TokenRequest::read(form.replace(from, to).as_bytes()).map(|_| ())
    };
    for (from, to, expected) in [
        (
            "pre-authorized_code&",
            "authorization_code&",
            Refusal::UnsupportedGrantType,
        ),
        ("client_id=moda_dw", "client_id=", Refusal::InvalidRequest),
        ("client_id=moda_dw", "client_id=a&client_id=b", Refusal::InvalidRequest),
        ("openid_credential", "else", Refusal::InvalidRequest),
        ("authorization_details", "details", Refusal::InvalidRequest),
        ("grant_type", "grant", Refusal::InvalidRequest),
    ] {
        assert_eq!(change(from, to), Err(expected), "{from} → {to}");
    }
    assert_eq!(
        TokenRequest::read(&vec![b'a'; 40 << 10]).unwrap_err(),
        Refusal::InvalidRequest
    );
    let (request, mut offered, _) = token(&city);
    let (_, other, _) = token(&city);
    let random = SystemRandom::new();
    let mut mixed = other.clone();
    assert_eq!(
        city.issuer
            .handle_token(&request, &mut mixed, &random, city.now())
            .unwrap_err(),
        Refusal::InvalidGrant
    );
    offered.credential_type = "another".to_owned();
    let wrong = city.issuer.handle_token(&request, &mut offered, &random, city.now());
    assert_eq!(wrong.unwrap_err(), Refusal::UnsupportedCredentialType);
}

struct Fetching {
    granted: Granted,
    token: String,
    nonce: String,
    identifier: String,
}

fn fetching(city: &City) -> Fetching {
    let (request, mut offered, _) = token(city);
    let (answer, granted) = city
        .issuer
        .handle_token(&request, &mut offered, &SystemRandom::new(), city.now())
        .unwrap();
    assert!(offered.is_used);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    assert_eq!(answer["token_type"], "Bearer");
    Fetching {
        granted: serde_json::from_str(&serde_json::to_string(&granted).unwrap()).unwrap(),
        token: text(&answer["access_token"]),
        nonce: text(&answer["c_nonce"]),
        identifier: text(&answer["authorization_details"][0]["credential_identifiers"][0]),
    }
}

impl Fetching {
    fn request(&self, proof: &str) -> Result<CredentialRequest, Refusal> {
        let body = json!({ "credential_identifier": self.identifier, "proofs": { "jwt": [proof] } });
        CredentialRequest::read(Some(&format!("Bearer {}", self.token)), body.to_string().as_bytes())
    }

    fn fetch(&mut self, city: &City, proof: &str) -> Result<Value, Refusal> {
        let request = self.request(proof)?;
        let random = SystemRandom::new();
        let subject = subject();
        let content = Content {
            subject: &subject,
            index: 5,
            not_after: None,
        };
        let answer = city
            .issuer
            .handle_credential(&request, &mut self.granted, &content, &random, city.now());
        answer.map(|(answer, _)| answer)
    }
}

/// The key of RFC 7515, appendix A.3.
fn another_key() -> Value {
    json!({
        "kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    })
}

#[tokio::test]
async fn false_proofs_are_refused_with_a_new_nonce() {
    let (city, twin) = start().await;
    let phone = twin.phone();
    let issuer = format!("{}/issuer", city.address);
    type Change = fn(&mut Value, &mut Value);
    let changes: [(Change, &str); 9] = [
        (
            |_, claims| claims["aud"] = json!("https://else.example"),
            "another issuer",
        ),
        (|_, claims| claims["nonce"] = json!("guess"), "nonce"),
        (|_, claims| claims["iss"] = json!("another client"), "another client"),
        (
            |_, claims| claims["iat"] = json!(claims["iat"].as_i64().unwrap() + 3600),
            "future",
        ),
        (
            |_, claims| claims["iat"] = json!(claims["iat"].as_i64().unwrap() - 3600),
            "too old",
        ),
        (|_, claims| claims["iat"] = Value::Null, "too old"),
        (|header, _| header["typ"] = json!("JWT"), "another type"),
        (|header, _| header["kid"] = json!("did:web:x"), "must name one"),
        (|header, _| header["jwk"] = another_key(), "must name one"),
    ];
    for (change, expected) in changes {
        let mut fetching = fetching(&city);
        let proof = phone.proof(&issuer, &fetching.nonce, change).unwrap();
        let before = fetching.granted.clone();
        match fetching.fetch(&city, &proof) {
            Err(refusal @ Refusal::InvalidProof(what)) => {
                assert!(what.contains(expected), "{expected}: {what}");
                let body = fetching.granted.refused(refusal, &city.issuer);
                assert_ne!(fetching.granted, before, "a nonce is good for one proof");
                assert!(body["c_nonce"].is_string() && body["error"] == "invalid_proof");
                let again = phone
                    .proof(&issuer, body["c_nonce"].as_str().unwrap(), |_, _| {})
                    .unwrap();
                assert!(fetching.fetch(&city, &again).is_ok(), "and the new one is taken");
            }
            other => panic!("{expected}: {other:?}"),
        }
    }
    // of another wallet's key
    let stranger = Phone::new(peers::Terms::default()).unwrap();
    let mut fetching = fetching(&city);
    let did = phone.did();
    let proof = stranger
        .proof(&issuer, &fetching.nonce, |header, _| header["kid"] = json!(did))
        .unwrap();
    assert!(matches!(fetching.fetch(&city, &proof), Err(Refusal::InvalidProof(what)) if what.contains("signature")));
}

#[tokio::test]
async fn credential_requests_of_other_forms_are_refused() {
    let (city, twin) = start().await;
    let issuer = format!("{}/issuer", city.address);
    let mut fetching = fetching(&city);
    let proof = twin.phone().proof(&issuer, &fetching.nonce, |_, _| {}).unwrap();
    let body = json!({ "credential_identifier": fetching.identifier, "proofs": { "jwt": [proof] } }).to_string();
    let read = |authorization, body: &str| {
        CredentialRequest::read(authorization, body.as_bytes())
            .map(|_| ())
            .unwrap_err()
    };
    assert_eq!(read(None, &body), Refusal::InvalidToken);
    assert_eq!(read(Some("Basic x"), &body), Refusal::InvalidToken);
    let bearer = Some("Bearer x");
    assert_eq!(read(bearer, "no JSON"), Refusal::InvalidCredentialRequest);
    assert_eq!(
        read(bearer, &json!({ "proofs": { "jwt": [proof] } }).to_string()),
        Refusal::InvalidCredentialRequest
    );
    let two = json!({ "credential_identifier": "x", "proofs": { "jwt": [proof, proof] } }).to_string();
    assert!(matches!(read(bearer, &two), Refusal::InvalidProof(_)));
    assert_eq!(read(bearer, &"a".repeat(70 << 10)), Refusal::InvalidCredentialRequest);
    let identifier = std::mem::replace(&mut fetching.identifier, "another".to_owned());
    assert_eq!(fetching.fetch(&city, &proof), Err(Refusal::InvalidCredentialRequest));
    fetching.identifier = identifier;
    let token = std::mem::replace(&mut fetching.token, "another".to_owned());
    assert_eq!(fetching.fetch(&city, &proof), Err(Refusal::InvalidToken));
    fetching.token = token;
    city.clock.advance(SignedDuration::from_secs(601));
    assert_eq!(fetching.fetch(&city, &proof), Err(Refusal::InvalidToken), "too late");
}

#[tokio::test]
async fn the_card_is_what_the_reference_says() {
    let (city, twin) = start().await;
    let issuer = format!("{}/issuer", city.address);
    let mut fetching = fetching(&city);
    let proof = twin.phone().proof(&issuer, &fetching.nonce, |_, _| {}).unwrap();
    let answer = fetching.fetch(&city, &proof).unwrap();
    let text = answer["credential"].as_str().unwrap();
    assert!(!text.contains("林阿梅"));
    let card = SdJwt::parse(text).unwrap();
    let token: &Token = &card.token;
    assert_eq!(
        (token.header_text("typ"), token.header_text("alg")),
        (Some("vc+sd-jwt"), Some("ES256"))
    );
    assert!(token.header_text("kid").is_some() && token.header_text("jku").is_some());
    assert_eq!(
        (token.text("iss"), token.text("sub")),
        (Some(city.issuer.did()), Some(twin.phone().did().as_str()))
    );
    assert!(["nbf", "exp"].iter().all(|name| token.seconds(name).is_some()));
    let vc = &token.claims["vc"];
    assert_eq!(vc["credentialSubject"]["_sd"].as_array().unwrap().len(), 3);
    assert_eq!(vc["credentialStatus"][0]["type"], "StatusList2021Entry");
    let claims = card.claims(&did::key(city.issuer.did()).unwrap()).unwrap();
    assert_eq!(claims["vc"]["credentialSubject"]["since"], "2011-03-01");
    assert!(claims["vc"]["credentialSubject"].get("_sd").is_none());
    assert!(
        card.claims(&did::key(&twin.phone().did()).unwrap()).is_err(),
        "under another key"
    );
    let metadata = city.issuer.metadata().unwrap();
    assert_eq!(metadata["credential_issuer"], issuer);
    assert_eq!(
        metadata["credential_configurations_supported"][CARD]["format"],
        "jwt_vc_json"
    );
    assert_eq!(city.issuer.jwks()["keys"][0]["kid"], json!(token.header_text("kid")));
    assert!(city.issuer.schema(CARD).is_some() && city.issuer.schema("else").is_none());
}

#[test]
fn configurations_that_contradict_themselves_are_refused() {
    let config = |kinds: &str, key: &str| {
        let text = format!(
            "address = \"https://city.example/issuer\"\nkey = '''{key}'''\nname = \"市\"\nlists = \"https://city.example/lists\"\n\
             keys = \"https://city.example/keys\"\nkinds = [{kinds}]\n"
        );
        Issuer::new(toml::from_str::<Config>(&text).unwrap()).map(|_| ())
    };
    let kind =
        |fields: &str| format!("{{ credential_type = \"a\", title = \"a\", valid_days = 1, fields = [{fields}] }}");
    let field = "{ name = \"x\", title = \"x\" }";
    assert_eq!(config(&kind(field), &key()), Ok(()));
    assert!(matches!(
        config(&kind(&format!("{field}, {field}")), &key()),
        Err(IssuerError::Twice(_))
    ));
    assert!(matches!(
        config(&format!("{0}, {0}", kind(field)), &key()),
        Err(IssuerError::Twice(_))
    ));
    assert!(matches!(config(&kind(field), "no key"), Err(IssuerError::Key(_))));
}

#[tokio::test]
async fn status_lists_are_what_others_read() {
    let (city, _twin) = start().await;
    let mut list = StatusList::new(Purpose::Revocation);
    for index in [0, 9, ENTRIES - 1] {
        list.set(index, true).unwrap();
    }
    assert_eq!(list.set(ENTRIES, true), Err(StatusError::Entry));
    let address = city.issuer.list_address(CARD, Purpose::Revocation).unwrap();
    let (now, until) = (city.now(), city.now() + SignedDuration::from_hours(1));
    let text = list.publish(city.issuer.key(), &address, now, until).unwrap();
    let claims = Token::parse(&text, 1 << 20).unwrap().claims;
    let encoded = claims["vc"]["credentialSubject"]["encodedList"]
        .as_str()
        .unwrap()
        .replace('-', "+")
        .replace('_', "/");
    let packed =
        openssl::base64::decode_block(&format!("{encoded}{}", "=".repeat((4 - encoded.len() % 4) % 4))).unwrap();
    let mut gzip = Command::new("gzip")
        .arg("-dc")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    gzip.stdin.take().unwrap().write_all(&packed).unwrap();
    let bits = gzip.wait_with_output().unwrap().stdout;
    assert_eq!(
        (bits.len(), bits[0], bits[1], bits[ENTRIES / 8 - 1]),
        (ENTRIES / 8, 0x80, 0x40, 0x01)
    );
    let did = city.issuer.did();
    let key = did::key(did).unwrap();
    let at = |seconds: i64| now.as_second() + seconds;
    let read = |text: &str, issuer: &str, purpose, address: &str, now| {
        StatusList::read(text, issuer, &key, purpose, address, now, 60).map(|list| list.get(9))
    };
    assert_eq!(
        read(&text, did, Purpose::Revocation, address.as_str(), at(0)),
        Ok(Ok(true))
    );
    assert_eq!(
        read(&text, "did:key:zelse", Purpose::Revocation, address.as_str(), at(0)),
        Err(StatusError::Other)
    );
    assert_eq!(
        read(&text, did, Purpose::Suspension, address.as_str(), at(0)),
        Err(StatusError::Other)
    );
    assert_eq!(
        read(&text, did, Purpose::Revocation, "https://else.example/", at(0)),
        Err(StatusError::Other)
    );
    assert_eq!(
        read(&text, did, Purpose::Revocation, address.as_str(), at(3700)),
        Err(StatusError::OutOfDate)
    );
    assert_eq!(
        read(&text, did, Purpose::Revocation, address.as_str(), at(-100)),
        Err(StatusError::OutOfDate)
    );
    assert!(matches!(
        read(
            &text[..text.len() / 2],
            did,
            Purpose::Revocation,
            address.as_str(),
            at(0)
        ),
        Err(StatusError::Token(_))
    ));
}

/// A list that unpacks to more than any list holds is not unpacked.
#[tokio::test]
async fn a_list_that_swells_is_refused() {
    let (city, _twin) = start().await;
    let mut gzip = Command::new("sh")
        .args(["-c", "head -c 50000000 /dev/zero | gzip -9"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut packed = Vec::new();
    std::io::Read::read_to_end(&mut gzip.stdout.take().unwrap(), &mut packed).unwrap();
    gzip.wait().unwrap();
    let encoded = openssl::base64::encode_block(&packed)
        .replace('+', "-")
        .replace('/', "_");
    let did = city.issuer.did();
    let claims = json!({
        "iss": did, "nbf": 0,
        "vc": { "credentialSubject": { "statusPurpose": "revocation", "encodedList": encoded.trim_end_matches('=') } },
    });
    let text = city.issuer.key().sign(serde_json::Map::new(), &claims).unwrap();
    let key = did::key(did).unwrap();
    assert_eq!(
        StatusList::read(&text, did, &key, Purpose::Revocation, "https://city.example/", 0, 60).unwrap_err(),
        StatusError::Form
    );
}
