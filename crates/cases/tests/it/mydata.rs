//! The person's data from a MyData platform that speaks the real protocol, honest and lying.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use cases::collect::mydata::Notified;
use cases::collect::{self, MyDataState};
use cases::{Desk, Person, mine};
use civic::FixedClock;
use civic::ids::ApplicationId;
use jiff::Timestamp;
use peers::{Account, Faults, Population, Resource, Running};
use serde_json::{Value, json};
use services::form::Source;
use store::tables::{evidence, mydata_transaction, security_event};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use crate::support::{Kit, ZH, catalogue, national_id};

/// One woman who lives alone with little.
pub struct One;

impl Population for One {
    fn accounts(&self) -> Vec<Account> {
        Vec::new()
    }

    fn find(&self, national_id: &str) -> Option<Account> {
        Some(Account {
            national_id: national_id.to_owned(),
            name: "林阿梅".to_owned(),
            birth_date: jiff::civil::date(1950, 3, 15),
            email: None,
            phone: None,
            note: String::new(),
        })
    }

    fn data_set(&self, id: &str, resource: &str) -> Option<Value> {
        let persons = |values: Value| {
            let mut one = values;
            one["national_id"] = id.into();
            json!([one])
        };
        let issued = "2026-11-01";
        Some(match resource {
            "API.HouseReg01" => json!({
                "issued": issued,
                "household": { "county": "臺中市", "district": "西區", "village": "民生里", "address": "臺中市西區民生路1號" },
                "members": persons(json!({ "name": "林阿梅", "birth_date": "0390315", "relation": "本人", "same_registration": true })),
            }),
            "API.IncomeYr01" => {
                json!({ "issued": issued, "year": 114, "persons": persons(json!({ "wages": 0, "interest": 1200, "dividends": 0, "rent": 0, "other": 0 })) })
            }
            "API.Property01" => {
                json!({ "issued": issued, "persons": persons(json!({ "land": 0, "house": 350_000, "investments": 0, "deposits": 60_000 })) })
            }
            "API.Disabled01" => json!({ "issued": issued, "persons": persons(json!({ "degree": "無" })) }),
            "API.EntryExit1" => json!({ "issued": issued, "persons": persons(json!({ "days_in_country": 360 })) }),
            "API.Welfare001" => {
                json!({ "issued": issued, "listed": "無", "allowance": "無", "monthly_aid": 0, "persons": persons(json!({ "in_public_care": false })) })
            }
            _ => return None,
        })
    }
}

/// A city connected to a platform.
pub struct Scene {
    pub kit: Kit,
    peers: Running,
    person: Person,
    id: ApplicationId,
}

impl Scene {
    async fn new(store: store::testing::TestStore, clock: Arc<FixedClock>, faults: Faults) -> Scene {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let portal = format!("http://{}", listener.local_addr().unwrap());
        let url = |path: &str| Url::parse(&format!("{portal}{path}")).unwrap();
        let desk: Arc<OnceLock<Arc<Desk>>> = Arc::default();
        let asked = Arc::clone(&desk);
        let notify = move |headers: HeaderMap, body: Bytes| {
            let desk = Arc::clone(asked.get().unwrap());
            async move {
                let kind = headers.get("content-type").and_then(|value| value.to_str().ok());
                match collect::mydata::notified(&desk, kind, &body).await.unwrap() {
                    Notified::Accepted | Notified::Repeated => StatusCode::OK,
                    Notified::Refused => StatusCode::FORBIDDEN,
                }
            }
        };
        let router = axum::Router::new().route("/mydata/notify", post(notify));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let resources = catalogue()
            .mappings()
            .map(|mapping| Resource {
                id: mapping.resource_id.clone(),
                title: mapping.title.get(ZH).to_owned(),
                agency: mapping.agency.get(ZH).to_owned(),
                file: mapping.file.clone(),
                immediate: true,
            })
            .collect();
        let peers = peers::start(peers::Config {
            population: Arc::new(One),
            folder: store.folder.path().join("peers"),
            redirect_url: url("/sign-in/return"),
            return_url: url("/mydata/return"),
            notify_url: url("/mydata/notify"),
            resources,
            offered: Vec::new(),
            cards: Vec::new(),
            wait_seconds: 0,
            ports: peers::Ports::default(),
        })
        .await
        .unwrap();
        peers.misbehave(faults);
        let facts = &peers.mydata;
        let config = exchange::mydata::Config {
            platform: facts.address.clone(),
            client_id: facts.client_id.clone(),
            client_secret: facts.client_secret.clone(),
            cbc_iv: facts.cbc_iv.clone(),
            return_url: url("/mydata/return"),
            api_key: Some(facts.api_key.clone()),
            government_roots: facts.government_root.clone(),
            intermediates: String::new(),
            signers: BTreeMap::new(),
            client: exchange::ClientConfig {
                https_only: false,
                ..Default::default()
            },
            times: Default::default(),
            limits: exchange::mydata::PackageLimits {
                jwe_bytes: 4 << 20,
                ..Default::default()
            },
            confirm_person: true,
            meta_folder: "META-INFO".to_owned(),
            data_prefix: "application/zip;data:".to_owned(),
        };
        let kit = Kit::with(store, clock, Some(exchange::mydata::Connector::new(config).unwrap()));
        desk.set(Arc::clone(&kit.desk)).ok();
        let person = kit.person(1).await;
        let id = kit.open(&person).await;
        Scene { kit, peers, person, id }
    }

    /// The person goes through the platform's pages as a browser does; gives the query the browser comes back with.
    async fn through(&self, answer: &str) -> String {
        let to = collect::mydata::begin(&self.kit.desk, &self.person, self.id, ZH)
            .await
            .unwrap();
        let (_, page) = http("GET", &to, None).await;
        let session = page
            .split("name=\"session\" value=\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap()
            .to_owned();
        let verify = self.peers.mydata.address.join("verify").unwrap();
        http(
            "POST",
            &verify,
            Some(&format!("session={session}&pid={}", national_id(1).reveal())),
        )
        .await;
        let consent = self.peers.mydata.address.join("consent").unwrap();
        let (location, _) = http("POST", &consent, Some(&format!("session={session}&answer={answer}"))).await;
        location.unwrap().split_once('?').unwrap().1.to_owned()
    }

    /// The person agrees on the platform's consent page.
    async fn agreed(&self, page: &str) -> String {
        let session = page.split("name=\"session\" value=\"").nth(1).unwrap();
        let session = session.split('"').next().unwrap();
        let consent = self.peers.mydata.address.join("consent").unwrap();
        let (location, _) = http("POST", &consent, Some(&format!("session={session}&answer=agree"))).await;
        location.unwrap().split_once('?').unwrap().1.to_owned()
    }

    async fn back(&self, query: &str) -> MyDataState {
        collect::mydata::returned(&self.kit.desk, &self.person, query)
            .await
            .unwrap()
            .1
    }

    async fn state(&self) -> MyDataState {
        collect::draft(&self.kit.desk, &self.person, self.id)
            .await
            .unwrap()
            .mydata
    }

    /// Posts a form to one of the platform's pages.
    pub async fn at_platform(&self, path: &str, form: &str) -> String {
        http("POST", &self.peers.mydata.address.join(path).unwrap(), Some(form))
            .await
            .1
    }

    pub async fn security_events(&self) -> Vec<String> {
        let rows = security_event::newest(self.kit.desk.store.read(), None, 100)
            .await
            .unwrap();
        rows.into_iter().map(|row| row.kind).collect()
    }
}

/// The kind and severity of what was recorded.
async fn recorded(scene: &Scene) -> Vec<(String, String)> {
    let rows = security_event::newest(scene.kit.desk.store.read(), None, 100)
        .await
        .unwrap();
    rows.into_iter().map(|row| (row.kind, row.severity)).collect()
}

fn one(kind: &str, severity: &str) -> [(String, String); 1] {
    [(kind.to_owned(), severity.to_owned())]
}

/// Runs a scene on each engine.
pub async fn scenes<R: Future<Output = ()>>(faults: Faults, act: impl Fn(Arc<Scene>) -> R) {
    let clock = || Arc::new(FixedClock::new(Timestamp::now()));
    let own = clock();
    act(Arc::new(
        Scene::new(store::testing::sqlite(own.clone()).await, own, faults.clone()).await,
    ))
    .await;
    let own = clock();
    if let Some(store) = store::testing::postgres(own.clone()).await {
        act(Arc::new(Scene::new(store, own, faults).await)).await;
    }
}

/// One request; gives the address it redirects to and the body.
pub async fn http(method: &str, url: &Url, form: Option<&str>) -> (Option<String>, String) {
    let host = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
    let mut stream = TcpStream::connect(&host).await.unwrap();
    let body = form.unwrap_or_default();
    let query = url.query().map_or_else(String::new, |query| format!("?{query}"));
    let request = format!(
        "{method} {}{query} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        url.path(),
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let location = head.lines().find_map(|line| {
        line.split_once(": ")
            .filter(|(name, _)| name.eq_ignore_ascii_case("location"))
    });
    (location.map(|(_, to)| to.to_owned()), body.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_arrives_filled_and_asks_only_what_is_still_unknown() {
    scenes(Faults::default(), |scene| async move {
        let (desk, person, id) = (&scene.kit.desk, &scene.person, scene.id);
        let before = collect::draft(desk, person, id).await.unwrap().questions.len();
        let query = scene.through("agree").await;
        assert_eq!(scene.back(&query).await, MyDataState::Arriving);
        scene.kit.work().await;
        assert_eq!(
            scene.state().await,
            MyDataState::Arrived {
                sets: 6,
                missing: Vec::new()
            }
        );
        let draft = collect::draft(desk, person, id).await.unwrap();
        assert!(draft.questions.len() < before);
        let house = draft.answers.get("members.p1.house_value").unwrap();
        assert_eq!(house.value, 350_000);
        assert!(matches!(&house.source, Source::MyData { resource, .. } if resource == "API.Property01"));
        let rows = evidence::of_application(desk.store.read(), id.uuid()).await.unwrap();
        assert_eq!(rows.len(), 6);
        assert!(
            rows.iter()
                .all(|row| row.status == "received" && row.signer.is_some() && row.sealed.is_some())
        );
        assert!(scene.security_events().await.is_empty());
        // The use of the data stands in the ledger with the names of the fields it filled.
        let uses = mine::uses(desk, person, None, 100).await.unwrap();
        let import = uses.iter().find(|one| one.entry.action == "import").unwrap();
        assert!(
            import
                .entry
                .fields
                .iter()
                .any(|field| field == "members.p1.house_value")
        );
        // The work done again, and the browser coming back again, change nothing.
        let revision = scene.kit.revision(id).await;
        scene.kit.work().await;
        scene.back(&query).await;
        assert_eq!(scene.kit.revision(id).await, revision);

        let draft = scene.kit.fill(person, id).await;
        assert_eq!(draft.decision.outcome, Some(true));
        let receipt = collect::submit(desk, person, id, draft.revision, draft.form_token)
            .await
            .unwrap();
        assert!(receipt.number.ends_with("-SA-000001"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_given_while_the_data_is_on_its_way_stands() {
    scenes(Faults::default(), |scene| async move {
        let (desk, person, id) = (&scene.kit.desk, &scene.person, scene.id);
        scene.through("agree").await;
        let page = crate::support::raw(&[("members.p1.land_value", "5"), ("members.p1.house_value", "7")]);
        collect::save(desk, person, id, scene.kit.revision(id).await, "property.p1", page, ZH)
            .await
            .unwrap();
        scene.kit.work().await;
        let draft = collect::draft(desk, person, id).await.unwrap();
        let house = draft.answers.get("members.p1.house_value").unwrap();
        assert_eq!((&house.value, &house.source), (&json!(7), &Source::Person));
        assert_eq!(
            house.changed_from.as_ref().unwrap().value,
            350_000,
            "the officer sees both"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_does_not_agree_fills_the_form_alone() {
    scenes(Faults::default(), |scene| async move {
        let query = scene.through("refuse").await;
        assert_eq!(scene.back(&query).await, MyDataState::Ended("205".to_owned()));
        scene.kit.work().await;
        let draft = scene.kit.fill(&scene.person, scene.id).await;
        collect::submit(
            &scene.kit.desk,
            &scene.person,
            scene.id,
            draft.revision,
            draft.form_token,
        )
        .await
        .unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_that_cannot_be_delivered_is_told() {
    let faults = Faults {
        unavailable: vec!["API.Property01".to_owned()],
        ..Faults::default()
    };
    scenes(faults, |scene| async move {
        scene.through("agree").await;
        scene.kit.work().await;
        assert_eq!(scene.state().await, MyDataState::Ended("undelivered".to_owned()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_genuine_is_refused_recorded_and_fills_nothing() {
    let cases = [
        (
            "altered",
            Faults {
                altered: true,
                ..Faults::default()
            },
        ),
        (
            "wrong key",
            Faults {
                wrong_key: true,
                ..Faults::default()
            },
        ),
        (
            "expired",
            Faults {
                expired: true,
                ..Faults::default()
            },
        ),
        (
            "bomb",
            Faults {
                bomb: true,
                ..Faults::default()
            },
        ),
    ];
    for (name, faults) in cases {
        scenes(faults, |scene| async move {
            let before = collect::draft(&scene.kit.desk, &scene.person, scene.id)
                .await
                .unwrap()
                .answers;
            scene.through("agree").await;
            scene.kit.work().await;
            let state = scene.state().await;
            assert!(
                matches!(&state, MyDataState::Ended(why) if !why.is_empty()),
                "{name}: {state:?}"
            );
            assert_eq!(scene.security_events().await, ["mydata.package"], "{name}");
            let after = collect::draft(&scene.kit.desk, &scene.person, scene.id)
                .await
                .unwrap()
                .answers;
            assert!(before == after, "{name}");
            assert!(
                evidence::of_application(scene.kit.desk.store.read(), scene.id.uuid())
                    .await
                    .unwrap()
                    .is_empty()
            );
            assert_eq!(scene.kit.work().await, 0, "{name}: it is not tried again");
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_notification_is_refused_and_recorded() {
    scenes(
        Faults {
            forged: true,
            ..Faults::default()
        },
        |scene| async move {
            let query = scene.through("agree").await;
            assert_eq!(scene.security_events().await, ["mydata.notification"]);
            assert_eq!(scene.kit.work().await, 0, "nothing is fetched");
            assert!(matches!(scene.back(&query).await, MyDataState::Ended(_)));
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replayed_notification_is_refused_recorded_and_harms_nothing() {
    scenes(
        Faults {
            replayed: true,
            ..Faults::default()
        },
        |scene| async move {
            scene.through("agree").await;
            assert_eq!(scene.security_events().await, ["mydata.replayed"]);
            scene.kit.work().await;
            assert!(matches!(scene.state().await, MyDataState::Arrived { sets: 6, .. }));
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn notifications_that_fit_nothing_are_refused_and_recorded() {
    scenes(Faults::default(), |scene| async move {
        let desk = &scene.kit.desk;
        let json = Some("application/json; charset=UTF-8");
        let key = &scene.peers.mydata.api_key;
        let ticket = uuid::Uuid::new_v4();
        let unknown = json!({ "tx_id": uuid::Uuid::new_v4(), "apiKey": key, "permission_ticket": ticket, "unable_to_deliver": ["API.Property01"] });
        let bodies: [(Option<&str>, Vec<u8>); 5] = [
            (json, unknown.to_string().into_bytes()),
            (json, b"{".to_vec()),
            (json, vec![b'x'; 1 << 20]),
            (Some("text/plain"), unknown.to_string().into_bytes()),
            (None, Vec::new()),
        ];
        let count = bodies.len();
        for (kind, body) in bodies {
            assert_eq!(collect::mydata::notified(desk, kind, &body).await.unwrap(), Notified::Refused);
        }
        assert_eq!(scene.security_events().await.len(), count);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_that_is_too_old_is_not_fetched_with() {
    scenes(Faults::default(), |scene| async move {
        scene.through("agree").await;
        scene.kit.wait(24);
        scene.kit.work().await;
        assert_eq!(scene.state().await, MyDataState::Ended("ticket_expired".to_owned()));
        assert_eq!(recorded(&scene).await, one("mydata.ticket", "warning"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_fetched_is_recorded_and_fills_nothing() {
    let cases = [
        (
            Faults {
                gone: true,
                ..Faults::default()
            },
            "ticket_expired",
            one("mydata.ticket", "warning"),
        ),
        (
            Faults {
                taken: true,
                ..Faults::default()
            },
            "taken",
            one("mydata.taken", "alarm"),
        ),
        (
            Faults {
                oversize: true,
                ..Faults::default()
            },
            "unreadable",
            one("mydata.fetch", "warning"),
        ),
        (
            Faults {
                wrong_ticket: true,
                ..Faults::default()
            },
            "409",
            one("mydata.person", "warning"),
        ),
    ];
    for (faults, why, event) in cases {
        let event = &event;
        scenes(faults, |scene| async move {
            scene.through("agree").await;
            scene.kit.work().await;
            assert_eq!(scene.state().await, MyDataState::Ended(why.to_owned()));
            assert_eq!(recorded(&scene).await, *event);
            let found = evidence::of_application(scene.kit.desk.store.read(), scene.id.uuid())
                .await
                .unwrap();
            assert!(found.is_empty(), "{why}");
            assert_eq!(scene.kit.work().await, 0, "{why}: it is not tried again");
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_that_comes_twice_counts_once_and_is_noted() {
    scenes(
        Faults {
            repeated: true,
            ..Faults::default()
        },
        |scene| async move {
            scene.through("agree").await;
            assert_eq!(recorded(&scene).await, one("mydata.repeated", "notice"));
            scene.kit.work().await;
            assert!(matches!(scene.state().await, MyDataState::Arrived { sets: 6, .. }));
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ticket_of_another_transaction_is_refused_and_recorded() {
    scenes(Faults::default(), |scene| async move {
        let desk = &scene.kit.desk;
        scene.through("agree").await;
        let first = mydata_transaction::of_application(desk.store.read(), scene.id.uuid())
            .await
            .unwrap();
        let other = scene.kit.person(2).await;
        let id = scene.kit.open(&other).await;
        collect::mydata::begin(desk, &other, id, ZH).await.unwrap();
        let second = mydata_transaction::of_application(desk.store.read(), id.uuid())
            .await
            .unwrap();
        let notice = json!({
            "tx_id": second[0].id,
            "apiKey": scene.peers.mydata.api_key,
            "permission_ticket": first[0].permission_ticket.unwrap(),
            "unable_to_deliver": ["API.Property01"],
        });
        let kind = Some("application/json; charset=UTF-8");
        let told = collect::mydata::notified(desk, kind, notice.to_string().as_bytes()).await;
        assert_eq!(told.unwrap(), Notified::Refused);
        assert_eq!(recorded(&scene).await, one("mydata.ticket", "warning"));
        // neither transaction has changed by it
        let after = mydata_transaction::of_application(desk.store.read(), id.uuid())
            .await
            .unwrap();
        assert_eq!(after, second);
        scene.kit.work().await;
        assert!(matches!(scene.state().await, MyDataState::Arrived { sets: 6, .. }));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_return_is_not_found() {
    scenes(Faults::default(), |scene| async move {
        let query = scene.through("agree").await;
        let other = scene.kit.person(2).await;
        assert!(
            collect::mydata::returned(&scene.kit.desk, &other, &query)
                .await
                .is_err()
        );
        assert!(
            collect::mydata::returned(&scene.kit.desk, &scene.person, "code=200&tx_id=AAAA")
                .await
                .is_err()
        );
        assert_eq!(scene.security_events().await, ["mydata.return"]);
        let rows = mydata_transaction::of_application(scene.kit.desk.store.read(), scene.id.uuid())
            .await
            .unwrap();
        assert_eq!(rows[0].return_code, None);
    })
    .await;
}

/// The browser comes back in the moment in which the package is fetched; nothing that the fetch holds becomes stale.
#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_comes_back_disturbs_no_fetch() {
    scenes(Faults::default(), |scene| async move {
        let store = &scene.kit.desk.store;
        let rows = || mydata_transaction::of_application(store.read(), scene.id.uuid());
        let query = scene.through("agree").await;
        let held = rows().await.unwrap()[0].clone();
        assert_eq!(scene.back(&query).await, MyDataState::Arriving);
        assert_eq!(rows().await.unwrap()[0].return_code, Some(200));
        let written = store
            .write(move |tx| {
                Box::pin(async move { Ok::<_, store::StoreError>(mydata_transaction::replace(tx, &held).await?) })
            })
            .await;
        assert!(written.unwrap(), "the fetch would have lost the package");
        scene.kit.work().await;
        assert!(matches!(scene.state().await, MyDataState::Arrived { sets: 6, .. }));
    })
    .await;
}

/// What a card makes of a text: PKCS#7 with its content, in Base64.
fn signed(card: &(String, String), text: &str) -> String {
    let certificate = openssl::x509::X509::from_pem(card.0.as_bytes()).unwrap();
    let key = openssl::pkey::PKey::private_key_from_pem(card.1.as_bytes()).unwrap();
    let none = openssl::stack::Stack::new().unwrap();
    let flags = openssl::pkcs7::Pkcs7Flags::BINARY;
    let signed = openssl::pkcs7::Pkcs7::sign(&certificate, &key, &none, text.as_bytes(), flags).unwrap();
    openssl::base64::encode_block(&signed.to_der().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_on_our_page_goes_straight_to_the_consent() {
    use cases::collect::signature::{self, ToSign};
    scenes(Faults::default(), |scene| async move {
        let (desk, person, id) = (&scene.kit.desk, &scene.person, scene.id);
        let own = scene.peers.card(national_id(1).reveal()).unwrap();
        let other = scene.peers.card(national_id(2).reveal()).unwrap();
        let born = jiff::civil::date(1950, 3, 15);
        let to_sign = signature::to_sign(desk, person, id, born).await.unwrap();
        let again = ToSign {
            text: format!("{}=", to_sign.text),
            ..to_sign.clone()
        };
        for (what, pkcs7, problem) in [
            (&to_sign, signed(&other, &to_sign.text), "other_person"),
            (&to_sign, signed(&own, "another text"), "wrong"),
            (&again, signed(&own, &again.text), "wrong"),
            (&to_sign, "no Base64!".to_owned(), "form"),
            (&to_sign, "AAAA".to_owned(), "wrong"),
        ] {
            let told = signature::signed(desk, person, id, what, &pkcs7, ZH).await;
            assert!(
                matches!(&told, Err(cases::CaseError::Input { field: "signature", problem: found }) if *found == problem),
                "{problem}: {told:?}"
            );
        }
        // what somebody else states and signs fills nobody's form but their own
        let stranger = scene.kit.person(2).await;
        let theirs = scene.kit.open(&stranger).await;
        let stated = signature::to_sign(desk, &stranger, theirs, born).await.unwrap();
        let pkcs7 = signed(&other, &stated.text);
        let told = signature::signed(desk, person, id, &stated, &pkcs7, ZH).await;
        assert!(matches!(told, Err(cases::CaseError::Input { problem: "wrong", .. })));
        assert_eq!(scene.state().await, MyDataState::NotUsed, "nothing was begun");
        // a line break in what was pasted is no matter
        let mut pkcs7 = signed(&own, &to_sign.text);
        pkcs7.insert(64, '\n');
        let to = signature::signed(desk, person, id, &to_sign, &pkcs7, ZH).await.unwrap();
        let (_, page) = http("GET", &to, None).await;
        let query = scene.agreed(&page).await;
        assert_eq!(scene.back(&query).await, MyDataState::Arriving);
        scene.kit.work().await;
        assert!(matches!(scene.state().await, MyDataState::Arrived { sets: 6, .. }));
        let rows = mydata_transaction::of_application(desk.store.read(), id.uuid()).await.unwrap();
        assert_eq!(rows[0].verified_by.as_deref(), Some("NHI"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_way_to_the_platform_that_leads_nowhere_ends_by_what_the_platform_says() {
    scenes(Faults::default(), |scene| async move {
        let desk = &scene.kit.desk;
        // the person opened the platform's page and left it
        let to = collect::mydata::begin(desk, &scene.person, scene.id, ZH).await.unwrap();
        http("GET", &to, None).await;
        assert_eq!(
            cases::jobs::tidy(desk).await.unwrap().unanswered,
            0,
            "they may still be there"
        );
        scene.kit.wait(1);
        assert_eq!(
            cases::jobs::tidy(desk).await.unwrap().unanswered,
            0,
            "within three hours"
        );
        scene.kit.wait(3);
        assert_eq!(cases::jobs::tidy(desk).await.unwrap().unanswered, 1);
        assert_eq!(scene.state().await, MyDataState::Ended("408".to_owned()));
    })
    .await;
}
