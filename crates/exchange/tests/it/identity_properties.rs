//! Laws of the wallet's and the identity's building blocks, and vectors of the standards.

use crate::support::wallet::key;
use exchange::fido::Ticket;
use exchange::jose::{PublicKey, SigningKey, Token};
use exchange::wallet::did;
use exchange::wallet::sd_jwt::{SdJwt, SdJwtError, digest, issue};
use exchange::wallet::status_list::{Purpose, StatusList};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::LazyLock;

static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::from_pem(&key()).unwrap());

/// RFC 9901, section 4.2.3 and appendix: the digests of the standard's own disclosures.
#[test]
fn digests_are_those_of_the_standard() {
    for (disclosure, expected) in [
        (
            "WyIyR0xDNDJzS1F2ZUNmR2ZyeU5STjl3IiwgImdpdmVuX25hbWUiLCAiSm9obiJd",
            "jsu9yVulwQQlhFlM_3JlzMaSFzglhQG0DpfayQwLUK4",
        ),
        (
            "WyJlbHVWNU9nM2dTTklJOEVZbnN4QV9BIiwgImZhbWlseV9uYW1lIiwgIkRvZSJd",
            "TGf4oLbgwd5JQaHyKVQZU9UdGE0w5rtDsrZzfUaomLo",
        ),
    ] {
        assert_eq!(digest(disclosure), expected);
    }
}

/// RFC 7515, appendix A.3: a token of the standard, with its key.
#[test]
fn the_token_of_the_standard_is_verified() {
    let token = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
                 DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    let key = PublicKey::from_jwk(&json!({
        "kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    }))
    .unwrap();
    let parsed = Token::parse(token, 1 << 10).unwrap();
    parsed.verify(&key).unwrap();
    assert_eq!(
        (parsed.text("iss"), parsed.seconds("exp")),
        (Some("joe"), Some(1_300_819_380))
    );
    let other = Token::parse(&token.replacen("NU1Q", "NU1A", 1), 1 << 10);
    assert!(other.is_err() || other.unwrap().verify(&key).is_err());
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map("[a-z]{1,6}", inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

fn card(subject: &BTreeMap<String, Value>) -> String {
    let claims = json!({ "vc": { "credentialSubject": { "id": "did" } } });
    let Value::Object(claims) = claims else { unreachable!() };
    let salts: Vec<[u8; 16]> = (0..subject.len()).map(|at| [u8::try_from(at).unwrap(); 16]).collect();
    issue(&KEY, Map::new(), claims, subject, &salts).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// What is disclosed is what was signed, for every choice of disclosures; what is not, is not there.
    #[test]
    fn a_holder_shows_what_they_choose(subject in btree_map("[b-z]{1,8}", value(), 0..8), chosen in vec(any::<bool>(), 8)) {
        prop_assume!(!subject.contains_key("id"));
        let whole = card(&subject);
        let mut parts = whole.split('~');
        let mut shown = format!("{}~", parts.next().unwrap());
        let mut names = Vec::new();
        for ((disclosure, name), is_chosen) in parts.zip(subject.keys()).zip(&chosen) {
            if *is_chosen {
                shown.push_str(&format!("{disclosure}~"));
                names.push(name.clone());
            }
        }
        let claims = SdJwt::parse(&shown).unwrap().claims(KEY.public()).unwrap();
        let about = claims["vc"]["credentialSubject"].as_object().unwrap();
        prop_assert_eq!(about.len(), names.len() + 1);
        for name in names {
            prop_assert_eq!(&about[&name], &subject[&name]);
        }
    }

    /// A disclosure of one card is none of another.
    #[test]
    fn disclosures_do_not_move(one in "[a-z]{1,8}", two in "[A-Z]{1,8}") {
        let of = |name: &str| card(&BTreeMap::from([(name.to_owned(), json!(1))]));
        let (first, second) = (of(&one), of(&two));
        let moved = format!("{}~{}", first.split('~').next().unwrap(), second.split_once('~').unwrap().1);
        prop_assert_eq!(SdJwt::parse(&moved).unwrap().claims(KEY.public()).unwrap_err(), SdJwtError::NotSigned);
    }

    /// A list holds exactly what was set last.
    #[test]
    fn a_list_holds_what_was_set(changes in vec((0_usize..2000, any::<bool>()), 0..200)) {
        let mut list = StatusList::new(Purpose::Suspension);
        let mut known = BTreeMap::new();
        for (index, is_set) in changes {
            list.set(index, is_set).unwrap();
            known.insert(index, is_set);
        }
        for index in 0..2000 {
            prop_assert_eq!(list.get(index).unwrap(), known.get(&index).copied().unwrap_or(false));
        }
    }

    /// An identifier and a JWK name one point each.
    #[test]
    fn a_point_has_one_name(x in any::<[u8; 32]>(), y in any::<[u8; 32]>()) {
        let key = PublicKey::from_point(&[&[4][..], &x, &y].concat()).unwrap();
        prop_assert_eq!(&did::key(&did::of(&key)).unwrap(), &key);
        prop_assert_eq!(&PublicKey::from_jwk(&key.jwk()).unwrap(), &key);
        prop_assert_eq!(serde_json::from_str::<Value>(&key.canonical()).unwrap(), key.jwk());
    }

    /// Whatever text comes, it is refused or read.
    #[test]
    fn any_text_is_refused_or_read(text in "\\PC{0,200}", dots in "[A-Za-z0-9_.~-]{0,200}") {
        for text in [&text, &dots] {
            let _ = Ticket::parse(text);
            let _ = SdJwt::parse(text);
            let _ = Token::parse(text, 1 << 10);
            let _ = did::key(text);
        }
    }
}
