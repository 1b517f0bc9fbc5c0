//! The city as data provider: the platform calls for a citizen's data set, at once and later, and everything is kept.

use std::sync::{Arc, OnceLock};

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse as _;
use axum::routing::get;
use cases::provide::{self, Answer, TransferState};
use cases::staff::{Role, Staff};
use cases::{CaseError, Desk, jobs, mine};
use civic::FixedClock;
use exchange::mydata::provider::{Config, Offered, Provider};
use jiff::Timestamp;
use peers::{CityDataSet, Faults, Running};
use tokio::net::TcpListener;
use url::Url;

use crate::mydata::{One, http};
use crate::support::{Kit, national_id};

/// There in a minute.
const ELDER: &str = "API.CityElder1";
/// There at once.
const INCOME: &str = "API.CityLowInc";

struct Scene {
    kit: Kit,
    peers: Running,
}

impl Scene {
    async fn new(store: store::testing::TestStore, clock: Arc<FixedClock>) -> Scene {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let portal = format!("http://{}", listener.local_addr().unwrap());
        let url = |path: &str| Url::parse(&format!("{portal}{path}")).unwrap();
        let desk: Arc<OnceLock<Arc<Desk>>> = Arc::default();
        let asked = Arc::clone(&desk);
        let give = move |Path(resource): Path<String>, headers: HeaderMap| {
            let desk = Arc::clone(asked.get().unwrap());
            async move {
                let header = |name: &str| headers.get(name)?.to_str().ok();
                let answer = provide::answer(&desk, &resource, header).await.unwrap();
                let status = StatusCode::from_u16(answer.status()).unwrap();
                match answer {
                    Answer::Package(bytes) => (status, bytes).into_response(),
                    Answer::Later(wait) => {
                        (status, [(header::RETRY_AFTER, wait.as_secs().to_string())]).into_response()
                    }
                    _ => status.into_response(),
                }
            }
        };
        let router = axum::Router::new().route("/mydata/provider/{resource}", get(give));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let set = |id: &str, parameters: &[(&str, &str)]| CityDataSet {
            resource_id: id.to_owned(),
            title: id.to_owned(),
            address: url(&format!("/mydata/provider/{id}")),
            parameters: parameters
                .iter()
                .map(|(name, title)| ((*name).to_owned(), (*title).to_owned()))
                .collect(),
        };
        let terms = peers::Terms {
            clock: clock.clone(),
            ..peers::Terms::default()
        };
        let world = peers::Config {
            population: Arc::new(One),
            folder: store.folder.path().join("peers"),
            redirect_url: url("/sign-in/return"),
            return_url: url("/mydata/return"),
            notify_url: url("/mydata/notify"),
            resources: Vec::new(),
            offered: vec![set(ELDER, &[]), set(INCOME, &[("INQ_YR", "年度")])],
            cards: Vec::new(),
            wait_seconds: 0,
            ports: peers::Ports::default(),
        };
        let peers = peers::start_on(world, terms).await.unwrap();
        let facts = &peers.mydata;
        let provider = Provider::new(Config {
            platform: facts.address.clone(),
            resources: facts
                .resource_secrets
                .iter()
                .map(|(id, secret)| (id.clone(), Offered { secret: secret.clone() }))
                .collect(),
            certificate: facts.city_certificate.clone(),
            private_key: facts.city_key.clone(),
            client: exchange::ClientConfig {
                https_only: false,
                ..Default::default()
            },
            token_prefix: "mydata::".to_owned(),
            meta_folder: "META-INFO".to_owned(),
            longest_seconds: 5400,
        })
        .unwrap();
        let kit = Kit::with(store, clock, None).providing(provider);
        desk.set(Arc::clone(&kit.desk)).ok();
        Scene { kit, peers }
    }

    /// A citizen asks for a data set on the platform; gives the page.
    async fn fetch(&self, number: u32, resource: &str, way: &str, more: &str) -> String {
        let form = format!(
            "pid={}&way={way}&resource={resource}{more}",
            national_id(number).reveal()
        );
        self.post("data/fetch", &form).await
    }

    async fn post(&self, path: &str, form: &str) -> String {
        http("POST", &self.peers.mydata.address.join(path).unwrap(), Some(form))
            .await
            .1
    }

    async fn work(&self) {
        jobs::relay(&self.kit.desk).round(&self.kit.desk.store).await.unwrap();
    }

    async fn transfers(&self, auditor: &Staff) -> Vec<provide::Transfer> {
        // the clock of the test begins with the real time, and may have passed midnight
        let today = self.kit.desk.today();
        provide::transfers(&self.kit.desk, auditor, today.yesterday().unwrap(), today)
            .await
            .unwrap()
    }
}

async fn scenes<R: Future<Output = ()>>(act: impl Fn(Arc<Scene>) -> R) {
    // the platform's tokens and certificates are of today
    let clock = || Arc::new(FixedClock::new(Timestamp::now()));
    let own = clock();
    act(Arc::new(
        Scene::new(store::testing::sqlite(own.clone()).await, own).await,
    ))
    .await;
    let own = clock();
    if let Some(store) = store::testing::postgres(own.clone()).await {
        act(Arc::new(Scene::new(store, own).await)).await;
    }
}

fn transaction(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"transaction\" value=\"").unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_set_that_takes_time_is_made_fetched_and_forgotten() {
    scenes(|scene| async move {
        let kit = &scene.kit;
        let officer = kit.staff("officer", Role::Officer).await;
        let person = kit.person(1).await;
        let (id, receipt) = kit.submitted(&person).await;
        // nothing stands yet
        let page = scene.fetch(1, ELDER, "nhi", "").await;
        let begun = transaction(&page);
        kit.wait(1);
        scene.work().await;
        assert!(
            scene
                .post("data/again", &format!("transaction={begun}"))
                .await
                .contains("查無資料")
        );
        kit.approved(&officer, id).await;

        let page = scene.fetch(1, ELDER, "nhi", "").await;
        assert!(page.contains("資料準備中"), "{page}");
        let begun = transaction(&page);
        let again = format!("transaction={begun}");
        scene.work().await;
        assert!(
            scene.post("data/again", &again).await.contains("資料準備中"),
            "a minute has not passed"
        );
        kit.wait(1);
        scene.work().await;
        let page = scene.post("data/again", &again).await;
        assert!(page.contains("簽章和憑證都正確"), "{page}");
        assert!(page.contains(&receipt.number) && page.contains("8329"), "{page}");
        // the platform lost it on the way and asks once more
        assert!(scene.post("data/again", &again).await.contains("簽章和憑證都正確"));

        let auditor = kit.staff("auditor", Role::Auditor).await;
        let transfers = scene.transfers(&auditor).await;
        let one = transfers.iter().find(|one| one.id.to_string() == begun).unwrap();
        assert_eq!(
            (one.state, one.status, one.tries, one.verification.as_deref()),
            (TransferState::Sent, 200, 4, Some("NHI"))
        );
        // the person sees that it was given
        let uses = mine::uses(&kit.desk, &person, None, 200).await.unwrap();
        let given = uses.iter().find(|one| one.entry.action == "provide").unwrap();
        assert!(given.entry.fields.contains(&"monthly".to_owned()));

        // both records agree; nobody but an auditor may look
        let today = kit.desk.today();
        let compared = provide::compare(&kit.desk, &auditor, ELDER, today.yesterday().unwrap(), today)
            .await
            .unwrap();
        assert_eq!(
            (compared.both, compared.only_ours.len(), compared.only_theirs.len()),
            (1, 0, 0)
        );
        assert!(matches!(
            provide::compare(&kit.desk, &officer, ELDER, today.yesterday().unwrap(), today).await,
            Err(CaseError::Refused(_))
        ));
        // after its time the package is gone, and the transfer stays
        kit.wait(3);
        assert_eq!(jobs::tidy(&kit.desk).await.unwrap().packages, 1);
        assert_eq!(jobs::tidy(&kit.desk).await.unwrap().packages, 0);
        kit.ledger_holds().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_set_that_is_there_at_once_is_for_the_verified_citizen_alone() {
    scenes(|scene| async move {
        let kit = &scene.kit;
        kit.person(1).await;
        // level 3 is asked for, two documents are level 4
        assert!(scene.fetch(1, INCOME, "pii", "").await.contains("403"));
        // the city knows the person and has nothing of this kind; and does not know the other at all
        assert!(scene.fetch(1, INCOME, "nhi", "").await.contains("查無資料"));
        assert!(scene.fetch(2, INCOME, "cer", "&_INQ_YR=115").await.contains("查無資料"));
        let auditor = kit.staff("auditor", Role::Auditor).await;
        let states: Vec<TransferState> = scene
            .transfers(&auditor)
            .await
            .into_iter()
            .map(|one| one.state)
            .collect();
        assert_eq!(
            states.iter().filter(|state| **state == TransferState::Nothing).count(),
            2
        );
        assert_eq!(
            states.iter().filter(|state| **state == TransferState::Refused).count(),
            1
        );
        for faults in [
            Faults {
                forged_token: true,
                ..Faults::default()
            },
            Faults {
                unverified: true,
                ..Faults::default()
            },
        ] {
            scene.peers.misbehave(faults);
            let page = scene.fetch(1, INCOME, "nhi", "").await;
            assert!(page.contains("401") || page.contains("503"), "{page}");
        }
        kit.ledger_holds().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_the_platform_would_not_make_are_refused() {
    let clock = Arc::new(FixedClock::new(Timestamp::now()));
    let scene = Scene::new(store::testing::sqlite(clock.clone()).await, clock).await;
    let desk = &scene.kit.desk;
    let token = format!("Bearer mydata::{}", "a".repeat(64));
    let transaction = "0d9f1a52-6c1b-4f3e-9a77-5c1d2e3f4a5b";
    let long = "1".repeat(300);
    type Headers<'a> = &'a [(&'a str, &'a str)];
    let cases: [(&str, Headers<'_>, u16); 8] = [
        ("API.Nothing000", &[], 404),
        (INCOME, &[], 401),
        (INCOME, &[("authorization", "Basic eDp5")], 401),
        (
            INCOME,
            &[
                ("authorization", "Bearer mydata::short"),
                ("transaction_uid", transaction),
            ],
            401,
        ),
        (INCOME, &[("authorization", &token)], 400),
        (INCOME, &[("authorization", &token), ("transaction_uid", "7")], 400),
        (
            INCOME,
            &[
                ("authorization", &token),
                ("transaction_uid", transaction),
                ("INQ_YR", &long),
            ],
            400,
        ),
        // well made, and not a token the platform gave
        (
            INCOME,
            &[("authorization", &token), ("transaction_uid", transaction)],
            401,
        ),
    ];
    for (resource, headers, status) in cases {
        let header = |name: &str| {
            let mut found = headers.iter();
            found.find(|(one, _)| *one == name).map(|(_, value)| *value)
        };
        let answer = provide::answer(desk, resource, header).await.unwrap();
        assert_eq!(answer.status(), status, "{resource} {headers:?}");
    }
}
