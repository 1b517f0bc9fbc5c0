//! Signing in by phone and by card, levels, what serves once, and what the administrator is told: against the twins of the
//! authorities, and over certificates, lists and signatures that OpenSSL made.

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use cases::identity::card::{self, Lists, Signing};
use cases::identity::phone::{self, Confirming, Look, Way};
use cases::identity::watch::{self, Whose};
use cases::identity::{Card, Method, Methods, Phone, Proven, Refusal, Verified, lacking};
use cases::people::{self, NewPerson};
use cases::{CaseError, Person, Role, collect, history, mine, review};
use civic::{Channel, FixedClock};
use exchange::certificate::ics::{self, Ics};
use exchange::certificate::sign_in::{self, SignIn};
use exchange::oidc::Level;
use exchange::{ClientConfig, fido};
use jiff::{SignedDuration, Timestamp};
use openssl::base64::encode_block;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use peers::{Account, Authority, Population, Terms};
use serde_json::json;
use store::sea_orm::{EntityTrait as _, PaginatorTrait as _};
use store::tables::{once_seen, security_event};

use crate::support::{Kit, SERVICE, ZH, fill, national_id};

/// Two made-up people.
const MEI: &str = "A223456781";
const HAO: &str = "A123456789";

struct People;

impl Population for People {
    fn accounts(&self) -> Vec<Account> {
        [MEI, HAO].into_iter().filter_map(|id| self.find(id)).collect()
    }

    fn find(&self, national_id: &str) -> Option<Account> {
        [MEI, HAO].contains(&national_id).then(|| Account {
            national_id: national_id.to_owned(),
            name: "林阿梅".to_owned(),
            birth_date: jiff::civil::date(1950, 3, 15),
            email: None,
            phone: None,
            note: String::new(),
        })
    }

    fn data_set(&self, _: &str, _: &str) -> Option<serde_json::Value> {
        None
    }
}

/// One authority and one key for all tests: they take long to make.
static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| Authority::new().unwrap());
static KEY: LazyLock<PKey<openssl::pkey::Private>> =
    LazyLock::new(|| PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap());

struct World {
    kit: Kit,
    phone: peers::fido::Running,
    card: peers::ics::Running,
}

fn level(number: u8) -> Level {
    Level::new(number).unwrap()
}

fn client() -> ClientConfig {
    ClientConfig {
        https_only: false,
        ..ClientConfig::default()
    }
}

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../exchange/tests/data/certificates")
        .join(name)
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(fixture(name)).unwrap()
}

fn text(name: &str) -> String {
    String::from_utf8(bytes(name)).unwrap()
}

/// The time the challenge of the recorded signatures carries.
fn made() -> Timestamp {
    "2026-12-01T02:00:00Z".parse().unwrap()
}

impl World {
    /// A city with both methods; `roots` and `lists` are those of the cards.
    async fn at(
        store: store::testing::TestStore,
        clock: Arc<FixedClock>,
        (roots, intermediates): (String, String),
        lists: Lists,
    ) -> World {
        let terms = Terms {
            clock: clock.clone(),
            ..Terms::default()
        };
        let phone = peers::fido::start(peers::fido::Config {
            population: Arc::new(People),
            authority: AUTHORITY.clone(),
            callback_url: "https://city.example/back".parse().unwrap(),
            terms: terms.clone(),
            port: 0,
        })
        .await
        .unwrap();
        let card = peers::ics::start(peers::ics::Config {
            population: Arc::new(People),
            authority: AUTHORITY.clone(),
            agency: "CITY".to_owned(),
            agency_key: String::from_utf8(KEY.public_key_to_pem().unwrap()).unwrap(),
            return_url: "https://city.example/back".parse().unwrap(),
            terms,
            port: 0,
        })
        .await
        .unwrap();
        let facts = phone.facts.clone();
        let methods = Methods {
            issuers: Vec::new(),
            phone: Some(Phone {
                service: fido::Service::new(fido::Config {
                    api: facts.address.parse().unwrap(),
                    web: facts.address.parse().unwrap(),
                    sp_service_id: facts.sp_service_id,
                    key: facts.key,
                    orders: fido::Orders::default(),
                    codes: Default::default(),
                    client: client(),
                })
                .unwrap(),
                level: level(2),
                seconds: 120,
            }),
            card: Some(Card {
                sign_in: SignIn::new(sign_in::Config {
                    roots,
                    intermediates,
                    audience: "city.example".to_owned(),
                    life_seconds: 300,
                    skew_seconds: 60,
                })
                .unwrap(),
                lists: Arc::new(lists),
                ics: Ics::new(ics::Config {
                    address: format!("{}/ics/query", card.address).parse().unwrap(),
                    agency: "CITY".to_owned(),
                    key: String::from_utf8(KEY.private_key_to_pem_pkcs8().unwrap()).unwrap(),
                    fields: ics::Fields::default(),
                    client: client(),
                })
                .unwrap(),
                level: level(1),
                component: Some("https://card.example/sign".parse().unwrap()),
            }),
            least: Some(level(2)),
        };
        World {
            kit: Kit::with(store, clock, None).proving(methods),
            phone,
            card,
        }
    }

    async fn on(store: store::testing::TestStore, clock: Arc<FixedClock>) -> World {
        let pem = (AUTHORITY.root_pem(), AUTHORITY.authority_pem());
        World::at(
            store,
            clock,
            pem,
            Lists::new(None, false, SignedDuration::from_secs(60)),
        )
        .await
    }

    async fn new() -> World {
        let clock = Arc::new(FixedClock::new(Timestamp::now()));
        World::on(store::testing::sqlite(clock.clone()).await, clock).await
    }

    /// A city that knows the roots of the recorded signatures, at their time, with this folder of lists.
    async fn recorded(lists: Lists, after: i64) -> World {
        let clock = Arc::new(FixedClock::new(made() + SignedDuration::from_secs(after)));
        let store = store::testing::sqlite(clock.clone()).await;
        World::at(store, clock, (text("root.pem"), String::new()), lists).await
    }

    async fn events(&self) -> Vec<String> {
        let rows = security_event::newest(self.kit.desk.store.read(), Some("sign_in."), 100)
            .await
            .unwrap();
        for row in &rows {
            let told = format!("{row:?}");
            assert!(
                !told.contains("林阿梅") && !told.contains(MEI) && row.origin.is_none(),
                "{told}"
            );
        }
        // the clock stands still, so that their order says nothing
        let mut kinds: Vec<String> = rows.into_iter().map(|row| row.kind).collect();
        kinds.sort();
        kinds
    }

    async fn ask(&self, session: &str) -> Result<Confirming, Refusal> {
        phone::ask(&self.kit.desk, MEI, Way::Push, session).await
    }

    async fn by_phone(&self) -> Proven {
        let asked = self.ask("a").await.unwrap();
        self.phone.answer_all(true);
        match phone::look(&self.kit.desk, asked).await.unwrap() {
            Look::Done(proven) => *proven,
            other => panic!("{other:?}"),
        }
    }

    async fn by_card(&self, id: &str) -> Result<Proven, Refusal> {
        let signing = card::challenge(&self.kit.desk, id, "a").await?;
        let signature = self.card.sign(MEI, signing.text()).unwrap();
        card::finish(&self.kit.desk, signing, &signature).await
    }

    async fn entered(&self, proven: Proven) -> Person {
        let new = NewPerson {
            national_id: proven.national_id,
            name: proven.name.unwrap_or_default(),
            email: None,
            phone: None,
        };
        let person = people::sign_in(&self.kit.desk, new).await.unwrap();
        person.proven(Some(proven.verified))
    }
}

/// Runs a test on each engine, at the time of the certificates that are made for it.
async fn each_engine<R: Future<Output = ()>>(test: impl Fn(World) -> R) {
    let clock = Arc::new(FixedClock::new(Timestamp::now()));
    test(World::on(store::testing::sqlite(clock.clone()).await, clock).await).await;
    let clock = Arc::new(FixedClock::new(Timestamp::now()));
    if let Some(store) = store::testing::postgres(clock.clone()).await {
        test(World::on(store, clock).await).await;
    }
}

fn word<T: std::fmt::Debug>(result: Result<T, Refusal>) -> &'static str {
    match result {
        Err(Refusal::No(word)) => word,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_signs_in_after_it_was_asked_no_faster_than_allowed() {
    each_engine(|world| async move {
        let desk = &world.kit.desk;
        let asked = world.ask("a").await.unwrap();
        let Look::Waiting(asked) = phone::look(desk, asked).await.unwrap() else {
            panic!("nobody has confirmed");
        };
        assert!(!asked.pause(desk.now()).is_zero());
        world.phone.answer_all(true);
        // confirmed, but asked for again at once: the authority is not called
        let Look::Waiting(asked) = phone::look(desk, *asked).await.unwrap() else {
            panic!("asked too early");
        };
        world.kit.clock.advance(SignedDuration::from_secs(4));
        let Look::Done(proven) = phone::look(desk, *asked).await.unwrap() else {
            panic!("confirmed four seconds ago");
        };
        assert_eq!(proven.national_id.reveal(), MEI);
        assert_eq!(proven.name, None);
        assert_eq!(
            proven.verified,
            Verified {
                method: Method::Phone,
                level: Some(level(2)),
                at: desk.now()
            }
        );
        assert_eq!(world.events().await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_of_the_phone_has_its_word_and_only_suspicious_ones_are_told() {
    use peers::fido::Faults;
    let faults = |change: fn(&mut Faults)| {
        let mut faults = Faults::default();
        change(&mut faults);
        faults
    };
    for (faults, at_once, wanted, told) in [
        (faults(|f| f.not_enrolled = true), true, "phone-not-enrolled", ""),
        (faults(|f| f.strange_code = true), true, "phone-other", ""),
        (
            faults(|f| f.altered_ticket = true),
            true,
            "phone-answer",
            "sign_in.phone.answer",
        ),
        (faults(|f| f.expired = true), false, "phone-expired", ""),
        (
            faults(|f| f.wrong_checksum = true),
            false,
            "phone-answer",
            "sign_in.phone.answer",
        ),
        (
            faults(|f| f.other_person = true),
            false,
            "phone-other-person",
            "sign_in.phone.other_person",
        ),
    ] {
        let world = World::new().await;
        let found = if at_once {
            world.phone.misbehave(faults);
            word(world.ask("a").await)
        } else {
            let asked = world.ask("a").await.unwrap();
            world.phone.answer_all(true);
            world.phone.misbehave(faults);
            word(phone::look(&world.kit.desk, asked).await)
        };
        assert_eq!(found, wanted);
        assert_eq!(world.events().await.concat(), told, "{wanted}");
    }
    let world = World::new().await;
    let asked = world.ask("a").await.unwrap();
    world.phone.answer_all(false);
    assert_eq!(word(phone::look(&world.kit.desk, asked).await), "phone-cancelled");
    let asked = world.ask("a").await.unwrap();
    world.kit.clock.advance(SignedDuration::from_secs(151));
    assert_eq!(word(phone::look(&world.kit.desk, asked).await), "phone-too-late");
    for typed in ["", "A12345678", "A123456780", "王小明"] {
        assert_eq!(
            word(phone::ask(&world.kit.desk, typed, Way::Scan, "a").await),
            "national-id"
        );
    }
    // as people type on a phone
    assert!(
        phone::ask(&world.kit.desk, " ａ２23456781 ", Way::Scan, "a")
            .await
            .is_ok()
    );
    assert_eq!(
        world.events().await,
        Vec::<String>::new(),
        "slips are nobody's business"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_s_answer_serves_once() {
    each_engine(|world| async move {
        let asked = world.ask("a").await.unwrap();
        world.phone.answer_all(true);
        assert!(matches!(
            phone::look(&world.kit.desk, asked.clone()).await.unwrap(),
            Look::Done(_)
        ));
        assert_eq!(word(phone::look(&world.kit.desk, asked).await), "phone-used");
        assert_eq!(world.events().await, ["sign_in.phone.used"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_signs_in_once_and_only_its_holder() {
    each_engine(|world| async move {
        let desk = &world.kit.desk;
        let signing = card::challenge(desk, MEI, "a").await.unwrap();
        let component = card::component(desk, &signing).unwrap();
        assert!(
            component
                .as_str()
                .starts_with("https://card.example/sign?challenge=sign-in")
        );
        assert!(!component.as_str().contains(MEI), "the address names nobody");
        let signature = world.card.sign(MEI, signing.text()).unwrap();
        let proven = card::finish(desk, signing.clone(), &signature).await.unwrap();
        assert_eq!(
            (
                proven.national_id.reveal(),
                &proven.verified.method,
                proven.verified.level
            ),
            (MEI, &Method::Card, Some(level(1)))
        );
        // the same text again, by another signature over it
        let again = world.card.sign(MEI, signing.text()).unwrap();
        assert_eq!(word(card::finish(desk, signing, &again).await), "replayed");
        assert_eq!(word(world.by_card(HAO).await), "card-not-yours");
        // the signature of another sign-in
        let other = card::challenge(desk, MEI, "b").await.unwrap();
        assert_eq!(word(card::finish(desk, other, &signature).await), "card-other-text");
        let late = card::challenge(desk, MEI, "b").await.unwrap();
        let signature = world.card.sign(MEI, late.text()).unwrap();
        world.kit.clock.advance(SignedDuration::from_secs(301));
        assert_eq!(word(card::finish(desk, late, &signature).await), "card-too-late");
        assert_eq!(
            world.events().await,
            [
                "sign_in.card.not_yours",
                "sign_in.card.other_text",
                "sign_in.card.replayed"
            ]
        );
        // what is over is forgotten
        let kept = || async { once_seen::Entity::find().count(desk.store.read()).await.unwrap() };
        assert_eq!(kept().await, 2);
        world.kit.wait(1);
        assert!(watch::prune(&desk.store).await.unwrap() >= 2);
        assert_eq!(kept().await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_comes_in_by_a_card_while_the_authority_does_not_say_whose_it_is() {
    use peers::ics::Faults;
    let world = World::new().await;
    for (faults, wanted) in [
        (
            Faults {
                not_activated: true,
                ..Faults::default()
            },
            "card-not-activated",
        ),
        (
            Faults {
                database: true,
                ..Faults::default()
            },
            "unreachable",
        ),
        (
            Faults {
                strange: true,
                ..Faults::default()
            },
            "unreachable",
        ),
    ] {
        world.card.misbehave(faults);
        assert_eq!(word(world.by_card(MEI).await), wanted);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_that_are_not_good_are_refused_and_told() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(fixture("moica.crl"), folder.path().join("moica.crl")).unwrap();
    let lists = || Lists::new(Some(folder.path().to_owned()), true, SignedDuration::from_secs(60));
    let signing = || {
        let challenge = json!({ "text": text("challenge.txt"), "made": made() });
        Signing::of(serde_json::from_value(challenge).unwrap(), MEI).unwrap()
    };
    for (signature, after, wanted) in [
        ("expired.p7", 30, "card-expired"),
        ("young.p7", 30, "card-not-yet"),
        ("revoked.p7", 30, "card-revoked"),
        ("sealing.p7", 30, "card-wrong-purpose"),
        ("own.p7", 30, "card-unknown-issuer"),
        ("sha1.p7", 30, "card-signature"),
        ("two.p7", 30, "card-signature"),
        ("other.p7", 30, "card-other-text"),
        // made by a server of the city whose clock is ahead
        ("card.p7", -61, "card-clock"),
        // good, and the authority knows no such card of this person
        ("card.p7", 30, "card-not-yours"),
    ] {
        let world = World::recorded(lists(), after).await;
        let signature = encode_block(&bytes(signature));
        assert_eq!(word(card::finish(&world.kit.desk, signing(), &signature).await), wanted);
        let kind = format!("sign_in.{}", wanted.replacen('-', ".", 1).replace('-', "_"));
        assert_eq!(world.events().await, [kind]);
    }
    let world = World::recorded(lists(), 30).await;
    for garbled in ["", "%%%", "AAAA"] {
        assert_eq!(
            word(card::finish(&world.kit.desk, signing(), garbled).await),
            "card-form"
        );
    }
    assert_eq!(world.events().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_folder_of_lists_is_read_again_when_it_changes_and_one_bad_file_refuses_all() {
    let folder = tempfile::tempdir().unwrap();
    let lists = Lists::new(Some(folder.path().to_owned()), true, SignedDuration::from_secs(60));
    let world = World::recorded(lists, 30).await;
    let challenge = json!({ "text": text("challenge.txt"), "made": made() });
    let signing = Signing::of(serde_json::from_value(challenge).unwrap(), MEI).unwrap();
    let signature = encode_block(&bytes("revoked.p7"));
    let finish = || async { word(card::finish(&world.kit.desk, signing.clone(), &signature).await) };
    assert_eq!(finish().await, "card-unknown-standing", "no list speaks of it");
    std::fs::copy(fixture("moica.crl"), folder.path().join("MOICA.CRL")).unwrap();
    assert_eq!(finish().await, "card-revoked");
    std::fs::write(folder.path().join("half.ocsp"), b"0").unwrap();
    assert_eq!(finish().await, "card-unknown-standing");
    std::fs::remove_file(folder.path().join("half.ocsp")).unwrap();
    std::fs::write(folder.path().join("notes.txt"), b"0").unwrap();
    assert_eq!(finish().await, "card-revoked", "other files are none of ours");
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_are_counted_for_a_session_and_for_a_person() {
    each_engine(|world| async move {
        // a phone that is not theirs does not ring on and on, from however many sessions
        for session in 0..8 {
            assert!(world.ask(&format!("session {session}")).await.is_ok());
        }
        assert_eq!(word(world.ask("another").await), "too-many");
        assert_eq!(word(world.ask("another").await), "too-many");
        assert_eq!(world.events().await, ["sign_in.too_many"], "told once");
        world.kit.clock.advance(SignedDuration::from_mins(15));
        assert!(world.ask("another").await.is_ok());
        for _ in 0..20 {
            watch::attempt(&world.kit.desk, Whose::Session("busy")).await.unwrap();
        }
        assert_eq!(
            word(watch::attempt(&world.kit.desk, Whose::Session("busy")).await),
            "too-many"
        );
        assert!(watch::attempt(&world.kit.desk, Whose::Session("calm")).await.is_ok());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_asks_for_a_level_at_its_beginning_and_when_it_is_handed_in() {
    each_engine(|world| async move {
        let desk = &world.kit.desk;
        let service = desk.service(SERVICE).unwrap();
        let strong = world.entered(world.by_phone().await).await;
        let weak = |level: Option<Level>| {
            strong.clone().proven(Some(Verified {
                method: Method::Issuer("gsp".to_owned()),
                level,
                at: desk.now(),
            }))
        };
        let open = async |person: &Person| collect::open(desk, person, SERVICE, Channel::Online, ZH).await;
        for weak in [weak(Some(level(3))), weak(None), strong.clone().proven(None)] {
            assert_eq!(lacking(desk, &weak, service), Some(level(2)));
            let refused = open(&weak).await;
            assert!(matches!(refused, Err(CaseError::Weak(id)) if id == SERVICE));
        }
        let id = open(&strong).await.unwrap();
        collect::agree(desk, &strong, id, ZH).await.unwrap();
        // what was begun can be filled in, and nothing of it is lost
        let weak = weak(Some(level(3)));
        let draft = fill(desk, &weak, id).await;
        let refused = collect::submit(desk, &weak, id, draft.revision, draft.form_token).await;
        assert!(matches!(refused, Err(CaseError::Weak(_))));
        collect::submit(desk, &strong, id, draft.revision, draft.form_token)
            .await
            .unwrap();
        let told = mine::case(desk, &strong, id).await.unwrap().events;
        let proof = told.iter().find(|event| event.kind == history::IDENTITY).unwrap();
        assert_eq!(proof.text.as_deref(), Some("phone 2"));
        assert_eq!(history::read_proof("phone 2"), Some(("phone", Some(2), None)));
        let officer = world.kit.staff("officer", Role::Officer).await;
        let file = review::case(desk, &officer, id).await.unwrap();
        assert!(file.events.iter().any(|event| event.text.as_deref() == Some("phone 2")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_by_two_methods_whose_name_is_asked_once() {
    each_engine(|world| async move {
        let desk = &world.kit.desk;
        let person = world.entered(world.by_phone().await).await;
        assert_eq!(person.name, "");
        let id = collect::open(desk, &person, SERVICE, Channel::Online, ZH)
            .await
            .unwrap();
        collect::agree(desk, &person, id, ZH).await.unwrap();
        let draft = collect::draft(desk, &person, id).await.unwrap();
        assert!(
            draft.questions.iter().any(|asked| asked.key.ends_with("name")),
            "nobody knows the name, so it is asked: {:?}",
            draft.questions
        );
        let draft = fill(desk, &person, id).await;
        collect::submit(desk, &person, id, draft.revision, draft.form_token)
            .await
            .unwrap();
        let again = world.entered(world.by_card(MEI).await.unwrap()).await;
        assert_eq!((again.id, again.name.as_str()), (person.id, "林阿梅"));
        // what an issuer says takes the place of what they typed, and a method without a name takes none away
        let new = NewPerson {
            national_id: national_id(1),
            name: "王小明".to_owned(),
            email: None,
            phone: None,
        };
        let named = people::sign_in(desk, new).await.unwrap();
        let new = NewPerson {
            national_id: national_id(1),
            name: String::new(),
            email: None,
            phone: None,
        };
        let known = people::sign_in(desk, new).await.unwrap();
        assert_eq!((known.id, known.name.as_str()), (named.id, "王小明"));
    })
    .await;
}
