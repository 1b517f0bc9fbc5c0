//! T-Road as it is managed: approvals by two people, switches that hold, and what the pages are told of the traffic.

use std::sync::Arc;

use cases::road::{self, AgreementState, Decision, ExchangeOutcome, Filter, NewAgreement, Road};
use cases::staff::{Role, Staff};
use cases::{CaseError, Desk};
use civic::FixedClock;
use jiff::{Timestamp, ToSpan as _};
use peers::road::{BUSINESS, HOUSEHOLD, PORTAL, REGISTERS};
use troad::directory::Directory;
use troad::ids::{MemberId, ServiceId};
use troad::{Call, CallError, Running};

use crate::support::Kit;

struct Scene {
    kit: Kit,
    running: Running,
    _member: peers::road::Road,
    admin: Staff,
    chief: Staff,
}

impl Scene {
    async fn new(store: store::testing::TestStore, clock: Arc<FixedClock>) -> Scene {
        let folder = store.folder.path().join("road");
        let member = peers::road::start(peers::road::Config {
            folder: folder.join("member"),
            registers: peers::road::sample(),
            denied: Vec::new(),
        })
        .await
        .unwrap();
        let text = member.directory("city-services", "http://127.0.0.1:9/");
        let path = member
            .configure(&folder.join("gateway"), &text, &"0".repeat(64))
            .unwrap();
        let config = troad::config::Config::read(&path).unwrap();
        let own = config.member.clone();
        let mut directory = Directory::from_toml(&text).unwrap();
        // what the city may ask the business registry is decided on the pages
        directory.agreements.retain(|one| one.service.code != BUSINESS);
        let opening = clock.clone();
        let gateway = tokio::task::spawn_blocking(move || troad::Gateway::open(config, directory, opening, None));
        let running = gateway.await.unwrap().unwrap().start().await.unwrap();
        let kit = Kit::with(store, clock, None).on_the_road(Road::new(running.gateway.clone(), own));
        let admin = kit.staff("admin", Role::Administrator).await;
        let chief = kit.staff("chief", Role::Supervisor).await;
        Scene {
            kit,
            running,
            _member: member,
            admin,
            chief,
        }
    }

    fn desk(&self) -> &Desk {
        &self.kit.desk
    }

    async fn call(&self, code: &str, path: &str) -> Result<u16, CallError> {
        let client = format!("{}/{PORTAL}", peers::road::CITY);
        let service = service(code);
        let call = Call::get(client.parse::<MemberId>().unwrap(), service.parse().unwrap(), path);
        let answer = self.running.gateway.call(call).await?;
        Ok(answer.status.as_u16())
    }

    async fn person(&self) -> Result<u16, CallError> {
        self.call(HOUSEHOLD, "/persons/A123456789").await
    }

    async fn business(&self) -> Result<u16, CallError> {
        self.call(BUSINESS, "/businesses/04595257").await
    }
}

fn service(code: &str) -> String {
    format!("{}/{REGISTERS}/{code}", peers::road::AGENCY)
}

async fn scenes<R: Future<Output = ()>>(act: impl Fn(Arc<Scene>) -> R) {
    // certificates are of today
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

#[tokio::test(flavor = "multi_thread")]
async fn what_one_asks_for_another_approves_and_it_counts_until_it_is_ended() {
    scenes(|scene| async move {
        let (desk, admin, chief) = (scene.desk(), &scene.admin, &scene.chief);
        assert!(matches!(scene.business().await, Err(CallError::Own(_))), "no approval");
        let today = desk.today();
        let good = NewAgreement {
            number: "府社字第1150001號".to_owned(),
            service: service(BUSINESS),
            client: format!("{}/{PORTAL}", peers::road::CITY),
            purpose: "社會救助審核".to_owned(),
            legal_ground: "社會救助法 §44-3".to_owned(),
            fields: "名稱\n\n狀態\n".to_owned(),
            from: Some(today),
            to: Some(today.checked_add(1.year()).unwrap()),
            daily_quota: Some(1),
        };
        for (field, change) in [
            (
                "number",
                (|one: &mut NewAgreement| one.number.clear()) as fn(&mut NewAgreement),
            ),
            ("number", |one| one.number = "示範字第115000號".to_owned()),
            ("service", |one| {
                one.service = "TW/GOV/A01000000A/registers/nothing".to_owned()
            }),
            ("client", |one| one.client = "nobody".to_owned()),
            ("client", |one| {
                one.client = format!("{}/{REGISTERS}", peers::road::AGENCY)
            }),
            ("fields", |one| one.fields = " \n".to_owned()),
            ("from", |one| one.from = None),
            ("to", |one| {
                one.to = one.from.map(|day| day.checked_sub(1.day()).unwrap())
            }),
            ("to", |one| {
                one.to = one.from.map(|day| day.checked_add(6.years()).unwrap())
            }),
            ("purpose", |one| one.purpose = "字".repeat(501)),
        ] {
            let mut wrong = good.clone();
            change(&mut wrong);
            let told = road::apply(desk, admin, &wrong).await;
            assert!(
                matches!(&told, Err(CaseError::Input { field: at, .. }) if *at == field),
                "{field}: {told:?}"
            );
        }
        assert!(matches!(
            road::apply(desk, chief, &good).await,
            Err(CaseError::Refused(_))
        ));
        road::apply(desk, admin, &good).await.unwrap();
        assert!(matches!(
            road::apply(desk, admin, &good).await,
            Err(CaseError::Input {
                field: "number",
                problem: "twice"
            })
        ));
        let view = road::overview(desk, admin).await.unwrap();
        let row = view.agreements.iter().find(|one| one.number == good.number).unwrap();
        let (id, revision) = (row.id.unwrap(), row.revision);
        assert_eq!(
            (row.state, row.may_decide, row.fields.len()),
            (AgreementState::Applied, false, 2)
        );
        assert!(matches!(
            road::decide(desk, admin, id, revision, Decision::Approve, "").await,
            Err(CaseError::Refused(_))
        ));
        assert!(scene.business().await.is_err(), "nobody has approved it");
        assert!(matches!(
            road::decide(desk, chief, id, revision, Decision::Refuse, " ").await,
            Err(CaseError::Input { field: "reason", .. })
        ));
        road::decide(desk, chief, id, revision, Decision::Approve, "")
            .await
            .unwrap();
        assert!(matches!(
            road::decide(desk, chief, id, revision, Decision::Approve, "").await,
            Err(CaseError::Conflict(_))
        ));
        assert_eq!(scene.business().await.unwrap(), 200);
        assert!(
            matches!(scene.business().await, Err(CallError::Own(_))),
            "one call a day"
        );
        let view = road::overview(desk, chief).await.unwrap();
        let row = view.agreements.iter().find(|one| one.number == good.number).unwrap();
        assert_eq!((row.quota, row.state), ((1, Some(1)), AgreementState::Approved));
        let interface = view.interfaces.iter().find(|one| one.id == service(BUSINESS)).unwrap();
        assert_eq!((interface.calls, interface.offered), (interface.failures + 1, false));
        assert!(interface.latency_ms.is_some() && !view.faults.is_empty());

        // whoever starts the platform again has the same approvals
        road::load(desk).await.unwrap();
        road::end(desk, admin, id, row.revision, "計畫結束").await.unwrap();
        assert!(matches!(scene.business().await, Err(CallError::Own(_))));
        let outsiders = [Role::Officer, Role::Cashier, Role::Clerk];
        for role in outsiders {
            let staff = scene.kit.staff(role.word(), role).await;
            assert!(matches!(road::overview(desk, &staff).await, Err(CaseError::Refused(_))));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_works_at_once_and_holds_after_a_restart() {
    scenes(|scene| async move {
        let (desk, admin) = (scene.desk(), &scene.admin);
        assert_eq!(scene.person().await.unwrap(), 200);
        road::probe(desk, admin, &service(HOUSEHOLD)).await.unwrap();
        assert!(matches!(
            road::switch(desk, admin, &service(HOUSEHOLD), false, "").await,
            Err(CaseError::Input { field: "reason", .. })
        ));
        assert!(matches!(
            road::switch(desk, admin, &service("nothing"), false, "憑證外洩").await,
            Err(CaseError::NotFound(_))
        ));
        assert!(matches!(
            road::switch(desk, &scene.chief, &service(HOUSEHOLD), false, "憑證外洩").await,
            Err(CaseError::Refused(_))
        ));
        road::switch(desk, admin, &service(HOUSEHOLD), false, "憑證外洩")
            .await
            .unwrap();
        assert!(matches!(scene.person().await, Err(CallError::Own(_))));
        road::load(desk).await.unwrap();
        assert!(
            matches!(scene.person().await, Err(CallError::Own(_))),
            "after a restart too"
        );
        let view = road::overview(desk, admin).await.unwrap();
        let row = view.interfaces.iter().find(|one| one.id == service(HOUSEHOLD)).unwrap();
        assert_eq!(
            (row.enabled, row.switched.as_ref().unwrap().0.as_str()),
            (false, "憑證外洩")
        );
        road::switch(desk, admin, &service(HOUSEHOLD), true, "已更換")
            .await
            .unwrap();
        assert_eq!(scene.person().await.unwrap(), 200);

        let done = Filter {
            service: Some(service(HOUSEHOLD).parse::<ServiceId>().unwrap()),
            outcome: Some(ExchangeOutcome::Done),
            ..Filter::default()
        };
        let rows = road::exchanges(desk, &scene.chief, &done).unwrap();
        assert_eq!(rows.len(), 2);
        assert!(
            rows.iter().all(|row| !row.endpoint.contains("A123456789")),
            "no id of a person"
        );
        assert!(
            view.certificates
                .iter()
                .all(|one| one.problem.is_none() && one.days > 0)
        );
    })
    .await;
}
