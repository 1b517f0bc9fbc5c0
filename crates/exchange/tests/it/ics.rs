//! Whose certificate it is: the query against its twin, with a card of the twin from the reader's page to the answer.

use crate::support::people::{AUTHORITY, HAO, MEI, people, terms};
use civic::{Clock, NationalId};
use exchange::certificate::Evidence;
use exchange::certificate::ics::{Belongs, Config, Ics, IcsError};
use exchange::certificate::sign_in::{self, SignIn};
use jiff::SignedDuration;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use peers::ics::{Faults, Running};

fn key() -> (String, String) {
    let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        text(key.private_key_to_pem_pkcs8().unwrap()),
        text(key.public_key_to_pem().unwrap()),
    )
}

fn ics(twin: &Running, private: &str) -> Ics {
    let address = &twin.address;
    let config: Config = toml::from_str(&format!(
        "address = \"{address}/ics/query\"\nagency = \"city\"\nkey = '''{private}'''\n[client]\nhttps_only = false\n"
    ))
    .unwrap();
    assert!(!format!("{config:?}").contains("PRIVATE"));
    Ics::new(config).unwrap()
}

#[tokio::test]
async fn a_card_signs_in_and_belongs_to_its_person() {
    let (clock, terms) = terms();
    let (private, public) = key();
    let twin = peers::ics::start(peers::ics::Config {
        population: people(),
        authority: AUTHORITY.clone(),
        agency: "city".to_owned(),
        agency_key: public,
        return_url: "https://city.example/sign-in/card".parse().unwrap(),
        terms,
        port: 0,
    })
    .await
    .unwrap();
    let sign_in = SignIn::new(sign_in::Config {
        roots: AUTHORITY.root_pem(),
        intermediates: String::new(),
        audience: "city.example".to_owned(),
        life_seconds: 300,
        skew_seconds: 60,
    })
    .unwrap();
    let challenge = sign_in.challenge(&[9; 32], clock.now());
    let signature = twin.sign(MEI, challenge.text()).unwrap();
    let evidence = Evidence::read(&[], &[], false, SignedDuration::ZERO).unwrap();
    let holder = sign_in.verify(&challenge, &signature, &evidence, clock.now()).unwrap();
    let ics_of_city = ics(&twin, &private);
    let ask = async |ics: &Ics, id: &str| {
        let person = NationalId::parse(id).unwrap();
        ics.ask(&holder.serial, &person, clock.now()).await
    };
    assert_eq!(ask(&ics_of_city, MEI).await.unwrap(), Belongs::Yes);
    assert_eq!(ask(&ics_of_city, HAO).await.unwrap(), Belongs::No);
    twin.misbehave(Faults {
        not_activated: true,
        ..Faults::default()
    });
    assert_eq!(ask(&ics_of_city, MEI).await.unwrap(), Belongs::NotActivated);
    twin.misbehave(Faults {
        database: true,
        ..Faults::default()
    });
    let error = ask(&ics_of_city, MEI).await.unwrap_err();
    assert!(matches!(error, IcsError::Database) && error.may_retry());
    twin.misbehave(Faults {
        strange: true,
        ..Faults::default()
    });
    assert!(matches!(ask(&ics_of_city, MEI).await, Err(IcsError::Unreachable(_))));
    twin.misbehave(Faults::default());
    let stranger = ics(&twin, &key().0);
    assert!(matches!(ask(&stranger, MEI).await, Err(IcsError::Unreachable(what)) if what.contains("403")));
    clock.advance(SignedDuration::from_secs(600));
    let person = NationalId::parse(MEI).unwrap();
    let late = ics_of_city
        .ask(&holder.serial, &person, clock.now() - SignedDuration::from_secs(600))
        .await;
    assert!(late.is_err(), "a question recorded ten minutes ago");
}
