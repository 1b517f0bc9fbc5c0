//! Asking for cards, against a wallet and an issuer made of other libraries.

use crate::support::wallet::{CARD, City, start, start_with};
use exchange::wallet::did::{self, Registration, RegistryConfig};
use exchange::wallet::sd_jwt::SdJwtError;
use exchange::wallet::status_list::Purpose;
use exchange::wallet::verifier::{Presentation, Verifier, VerifierError, Wanted};
use jiff::SignedDuration;
use peers::wallet::{CardFaults, NewCard, Running, Showing};
use ring::rand::SystemRandom;

fn card(index: usize) -> NewCard {
    NewCard {
        credential_type: CARD.to_owned(),
        claims: [("name", "林阿梅"), ("district", "西屯區"), ("since", "2011-03-01")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        index,
        times: (-60, 86_400),
    }
}

fn wanted() -> Vec<Wanted> {
    vec![Wanted {
        credential_type: CARD.to_owned(),
        claims: vec!["name".to_owned(), "district".to_owned()],
    }]
}

fn begin(city: &City, wanted: &[Wanted]) -> String {
    let random = SystemRandom::new();
    let (link, pending) = city.verifier.begin(wanted, "核對身分", &random, city.now()).unwrap();
    let pending = serde_json::from_str(&serde_json::to_string(&pending).unwrap()).unwrap();
    let mut kept = city.kept();
    let pending: exchange::wallet::verifier::Pending = pending;
    kept.pending.insert(pending.state.clone(), pending);
    link
}

/// A request, shown so, and what became of it.
async fn shown(city: &City, twin: &Running, showing: &Showing) -> Result<Presentation, VerifierError> {
    let link = begin(city, &wanted());
    twin.phone().present(&link, showing).await.unwrap();
    city.last().await
}

/// A card made so, shown as it should be.
async fn of_card(card: &NewCard, faults: &CardFaults) -> Result<Presentation, VerifierError> {
    let (city, twin) = start().await;
    twin.give(twin.phone(), card, faults).unwrap();
    shown(&city, &twin, &Showing::default()).await
}

#[tokio::test]
async fn a_card_is_shown_with_what_was_asked_and_no_more() {
    let (city, twin) = start().await;
    twin.give(twin.phone(), &card(3), &CardFaults::default()).unwrap();
    for by_key_binding in [false, true] {
        let showing = Showing {
            by_key_binding,
            ..Showing::default()
        };
        let presentation = shown(&city, &twin, &showing)
            .await
            .unwrap_or_else(|error| panic!("{by_key_binding}: {error}"));
        assert_eq!(presentation.holder, twin.phone().did());
        let [card] = presentation.cards.as_slice() else {
            panic!("one card")
        };
        assert_eq!(
            (card.issuer_name.as_str(), card.issuer.as_str()),
            ("示範發卡機關", twin.issuer.as_str())
        );
        let claims: Vec<(&str, &str)> = card
            .claims
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
            .collect();
        assert_eq!(claims, [("district", "西屯區"), ("name", "林阿梅")]);
        assert!(!format!("{presentation:?}").contains("林阿梅"));
    }
}

#[tokio::test]
async fn several_cards_are_asked_at_once() {
    let (city, twin) = start().await;
    let student = NewCard {
        credential_type: "student_card".to_owned(),
        claims: vec![("school".to_owned(), "示範國中".to_owned())],
        ..card(4)
    };
    for card in [&card(3), &student] {
        twin.give(twin.phone(), card, &CardFaults::default()).unwrap();
    }
    let mut asked = wanted();
    asked.push(Wanted {
        credential_type: "student_card".to_owned(),
        claims: vec!["school".to_owned()],
    });
    let link = begin(&city, &asked);
    twin.phone().present(&link, &Showing::default()).await.unwrap();
    let presentation = city.last().await.unwrap();
    assert_eq!(presentation.cards[1].claims["school"], "示範國中");
    let random = SystemRandom::new();
    for count in [0, 9] {
        let asked = vec![wanted()[0].clone(); count];
        assert!(city.verifier.begin(&asked, "", &random, city.now()).is_err());
    }
}

#[tokio::test]
async fn false_presentations_are_refused() {
    let (city, twin) = start().await;
    twin.give(twin.phone(), &card(3), &CardFaults::default()).unwrap();
    let plain = Showing::default;
    let bound = || Showing {
        by_key_binding: true,
        ..Showing::default()
    };
    for (showing, expected) in [
        (
            Showing {
                other_key: true,
                ..plain()
            },
            "another wallet",
        ),
        (
            Showing {
                other_key: true,
                ..bound()
            },
            "key of the credential's holder",
        ),
        (
            Showing {
                nonce: Some("guess".to_owned()),
                ..plain()
            },
            "nonce",
        ),
        (
            Showing {
                nonce: Some("guess".to_owned()),
                ..bound()
            },
            "nonce",
        ),
        (
            Showing {
                audience: Some("did:key:zelse".to_owned()),
                ..plain()
            },
            "another verifier",
        ),
        (
            Showing {
                audience: Some("did:key:zelse".to_owned()),
                ..bound()
            },
            "another verifier",
        ),
        (Showing { age: 3600, ..plain() }, "too old"),
        (Showing { age: 3600, ..bound() }, "too old"),
        (Showing { age: -3600, ..plain() }, "future"),
        (Showing { age: -3600, ..bound() }, "future"),
        (
            Showing {
                other_hash: true,
                ..bound()
            },
            "another presentation",
        ),
        (
            Showing {
                altered: true,
                ..plain()
            },
            "does not belong",
        ),
        (
            Showing {
                altered: true,
                ..bound()
            },
            "does not belong",
        ),
        (Showing { added: true, ..plain() }, "does not belong"),
        (
            Showing {
                nothing: true,
                ..plain()
            },
            "claim that was asked",
        ),
        (
            Showing {
                other_definition: true,
                ..plain()
            },
            "another definition",
        ),
        (
            Showing {
                no_entry: true,
                ..plain()
            },
            "more or fewer",
        ),
        (
            Showing {
                declined: true,
                ..plain()
            },
            "access_denied",
        ),
    ] {
        let error = shown(&city, &twin, &showing).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{showing:?}: {error}");
    }
    assert!(
        shown(&city, &twin, &plain()).await.is_ok(),
        "and the right one is still taken"
    );
}

#[tokio::test]
async fn false_cards_are_refused() {
    let faults = CardFaults::default;
    for (faults, expected) in [
        (
            CardFaults {
                forged: true,
                ..faults()
            },
            "signature does not match",
        ),
        (
            CardFaults {
                stranger: true,
                ..faults()
            },
            "not trusted",
        ),
        (
            CardFaults {
                other_holder: true,
                ..faults()
            },
            "another wallet",
        ),
        (
            CardFaults {
                list: Some("https://stranger.example/list".to_owned()),
                ..faults()
            },
            "not its issuer's",
        ),
        (
            CardFaults {
                no_status: true,
                ..faults()
            },
            "names no status list",
        ),
        (
            CardFaults {
                typ: Some("JWT".to_owned()),
                ..faults()
            },
            "token with disclosures",
        ),
        (
            CardFaults {
                algorithm: Some("sha-1".to_owned()),
                ..faults()
            },
            "another algorithm",
        ),
        (
            CardFaults {
                twice: true,
                ..faults()
            },
            "twice",
        ),
    ] {
        let error = of_card(&card(3), &faults).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{faults:?}: {error}");
    }
    for times in [(-7200, -3600), (3600, 7200)] {
        let error = of_card(&NewCard { times, ..card(3) }, &faults()).await;
        assert!(matches!(error, Err(VerifierError::OutOfDate)), "{times:?}: {error:?}");
    }
    for times in [(-7200, -30), (30, 7200)] {
        assert!(
            of_card(&NewCard { times, ..card(3) }, &faults()).await.is_ok(),
            "within the skew: {times:?}"
        );
    }
}

#[tokio::test]
async fn lists_say_whether_a_card_still_stands() {
    let (city, twin) = start().await;
    twin.give(twin.phone(), &card(1234), &CardFaults::default()).unwrap();
    let plain = Showing::default();
    for (purpose, expected) in [("suspension", Purpose::Suspension), ("revocation", Purpose::Revocation)] {
        twin.mark(purpose, 1234, true);
        let error = shown(&city, &twin, &plain).await;
        assert!(
            matches!(error, Err(VerifierError::Status(found)) if found == expected),
            "{error:?}"
        );
        twin.mark(purpose, 1234, false);
        assert!(shown(&city, &twin, &plain).await.is_ok());
    }
    twin.mark("revocation", 1233, true);
    twin.mark("revocation", 1235, true);
    assert!(shown(&city, &twin, &plain).await.is_ok(), "the neighbours do not count");
    twin.forge_lists(true);
    let error = shown(&city, &twin, &plain).await.unwrap_err();
    assert!(matches!(error, VerifierError::UnknownStatus(_)) && error.may_retry());
    twin.forge_lists(false);
    let beyond = NewCard {
        index: 10_000_000,
        ..card(0)
    };
    twin.give(twin.phone(), &beyond, &CardFaults::default()).unwrap();
    assert!(matches!(
        shown(&city, &twin, &plain).await,
        Err(VerifierError::UnknownStatus(_))
    ));
}

#[tokio::test]
async fn a_response_serves_once_in_its_time_and_for_its_request() {
    let (city, twin) = start().await;
    twin.give(twin.phone(), &card(3), &CardFaults::default()).unwrap();
    let link = begin(&city, &wanted());
    let (_, body) = twin.phone().response(&link, &Showing::default()).await.unwrap();
    let state = Verifier::state_of(body.as_bytes()).unwrap();
    let pending = city.kept().pending[&state].clone();
    let read = |body: &str, pending: &_, after: i64| {
        city.verifier
            .read_response(body.as_bytes(), pending, city.now() + SignedDuration::from_secs(after))
            .map(|_| ())
    };
    assert!(read(&body, &pending, 0).is_ok());
    assert!(matches!(read(&body, &pending, 301), Err(VerifierError::TooLate)));
    begin(&city, &wanted());
    let others = city.kept().pending.clone();
    let other = others.values().find(|other| other.state != state).unwrap();
    assert!(matches!(read(&body, other, 0), Err(VerifierError::State)));
    let moved = body.replace(&state, &other.state);
    assert!(matches!(read(&moved, other, 0), Err(VerifierError::Presentation(what)) if what.contains("nonce")));
    assert!(matches!(
        read(&format!("{body}&state={state}"), &pending, 0),
        Err(VerifierError::Form(_))
    ));
    for length in (0..body.len()).step_by(97) {
        assert!(read(&body[..length], &pending, 0).is_err(), "cut at {length}");
    }
    let huge = format!("state={state}&vp_token={}", "a".repeat(2 << 20));
    assert!(matches!(read(&huge, &pending, 0), Err(VerifierError::Form(_))));
    // posted once, the request is gone
    let (status, _) = twin.phone().present(&link, &Showing::default()).await.unwrap();
    assert_eq!(status, 200);
    assert!(twin.phone().present(&link, &Showing::default()).await.is_err());
    let presented = city.kept().presented.pop().unwrap().unwrap();
    let one = city.verifier.confirm(&presented, city.now()).await.unwrap();
    let two = city
        .verifier
        .read_response(body.as_bytes(), &pending, city.now())
        .unwrap();
    let two = city.verifier.confirm(&two, city.now()).await.unwrap();
    assert_eq!(one.remember, two.remember, "a replay is known by its key");
}

#[tokio::test]
async fn the_request_names_the_city_and_is_signed_by_its_identifier() {
    let (city, _twin) = start().await;
    let link = begin(&city, &wanted());
    let url = url::Url::parse(&link).unwrap();
    let query: std::collections::HashMap<String, String> = url.query_pairs().into_owned().collect();
    assert_eq!(
        (url.scheme(), query["client_id_scheme"].as_str()),
        ("modadigitalwallet", "did")
    );
    assert_eq!(query["client_id"], city.verifier.client_id());
    let pending = city.kept().pending.values().next().unwrap().clone();
    let object = city.verifier.request_object(&pending, city.now()).unwrap();
    let token = exchange::jose::Token::parse(&object, 1 << 20).unwrap();
    token.verify(&did::key(city.verifier.client_id()).unwrap()).unwrap();
    assert_eq!(token.header_text("typ"), Some("oauth-authz-req+jwt"));
    assert_eq!(token.text("iss"), token.text("aud"));
    assert_eq!(token.text("response_mode"), Some("direct_post"));
    assert_eq!(
        token.text("response_uri"),
        Some(format!("{}/wallet/authorization-response", city.address).as_str())
    );
    assert!(
        token.claims["presentation_definition"]["input_descriptors"][0]["constraints"]["fields"]
            .as_array()
            .unwrap()
            .len()
            == 3
    );
    let late = city.now() + SignedDuration::from_secs(301);
    assert!(matches!(
        city.verifier.request_object(&pending, late),
        Err(VerifierError::TooLate)
    ));
}

#[tokio::test]
async fn where_the_city_asks_for_no_list_cards_without_one_are_taken() {
    let (city, twin) = start_with(|config| config.status_required = false).await;
    let faults = CardFaults {
        no_status: true,
        ..CardFaults::default()
    };
    twin.give(twin.phone(), &card(3), &faults).unwrap();
    assert!(shown(&city, &twin, &Showing::default()).await.is_ok());
}

#[test]
fn identifiers_are_read_in_one_form_only() {
    let terms = peers::Terms::default();
    let phone = peers::wallet::Phone::new(terms).unwrap();
    let did = phone.did();
    let key = did::key(&did).unwrap();
    assert_eq!(did::of(&key), did, "the other library writes the same");
    assert_eq!(did::key(&format!("{did}#key-1")).unwrap(), key);
    for wrong in [
        "",
        "did:key:",
        "did:key:z",
        "did:web:city.example",
        &did[..did.len() - 2],
        &did.replace("did:key:z", "did:key:y"),
        &"z".repeat(9000),
    ] {
        assert!(did::key(wrong).is_err(), "{wrong:.40}");
    }
    // the same key with a blank in its JWK would be a second name of it
    let spaced = format!("{} ", key.canonical());
    let bytes = [&[0xd1, 0xd6, 0x03][..], spaced.as_bytes()].concat();
    assert!(did::key(&format!("did:key:z{}", bs58::encode(bytes).into_string())).is_err());
}

#[tokio::test]
async fn the_registry_says_who_may_be_pinned() {
    let (_city, twin) = start().await;
    let config: RegistryConfig = toml::from_str(&format!(
        "address = \"{}\"\n[client]\nhttps_only = false\n",
        twin.address
    ))
    .unwrap();
    let ask = async || did::registration(&config, &twin.issuer).await.unwrap();
    assert_eq!(ask().await, Registration::Effective);
    for (status, expected) in [
        (0, Registration::NotYet),
        (2, Registration::Revoked),
        (3, Registration::NotQualified),
    ] {
        twin.register(&twin.issuer, Some(status));
        assert_eq!(ask().await, expected);
    }
    twin.register(&twin.issuer, None);
    assert_eq!(ask().await, Registration::Unknown);
    assert!(did::registration(&config, "did:web:x").await.is_err());
}

#[test]
fn disclosures_are_bounded() {
    use exchange::wallet::sd_jwt::SdJwt;
    let token = "eyJhbGciOiJFUzI1NiJ9.e30.AAAA";
    assert!(SdJwt::parse(&format!("{token}~")).is_ok());
    assert_eq!(SdJwt::parse(&format!("{token}~~")).unwrap_err(), SdJwtError::Form);
    assert_eq!(SdJwt::parse(token).unwrap_err(), SdJwtError::Form);
    assert_eq!(
        SdJwt::parse(&format!("{token}~{}", "e30~".repeat(129))).unwrap_err(),
        SdJwtError::TooMany
    );
    assert!(SdJwt::parse(&"a".repeat(300 << 10)).is_err());
}
