//! Two governments, a panel and the ministry.

use std::path::Path;
use std::sync::Arc;

use civic::ids::StaffId;
use civic::{FixedClock, Money};
use grants::{Plan, Programme};
use store::tables::staff;
use store::testing::{TestStore, postgres, sqlite};
use subsidies::{Desk, Member, Part, SubsidyError};
use uuid::Uuid;

pub const PROGRAMME: &str = "moda-114";
pub const MINISTRY: &str = "數位發展部";
/// The last second before the call closes (捌、二、(一)): 2024-05-31 17:00 Asia/Taipei.
pub const LAST_SECOND: &str = "2024-05-31T08:59:59Z";
pub const CLOSED: &str = "2024-05-31T09:00:00Z";

pub struct Kit {
    pub desk: Desk,
    pub clock: Arc<FixedClock>,
    _store: TestStore,
}

/// Runs a test on each engine.
pub async fn each_engine<R: Future<Output = ()>>(test: impl Fn(Arc<Kit>) -> R) {
    let clock = || Arc::new(FixedClock::new("2024-05-31T08:00:00Z".parse().unwrap()));
    let own = clock();
    test(Arc::new(kit(sqlite(own.clone()).await, own))).await;
    let own = clock();
    if let Some(store) = postgres(own.clone()).await {
        test(Arc::new(kit(store, own))).await;
    }
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../programmes/moda-114")
}

fn kit(test: TestStore, clock: Arc<FixedClock>) -> Kit {
    Kit {
        desk: Desk {
            store: test.store.clone(),
            programmes: vec![Arc::new(Programme::load(&folder()).unwrap())],
            city: "基隆市".to_owned(),
            clock: clock.clone(),
        },
        clock,
        _store: test,
    }
}

/// The sound plan of `cases/plan.toml`, of Keelung.
pub fn sound() -> Plan {
    let text = std::fs::read_to_string(folder().join("cases/plan.toml")).unwrap();
    let mut file: toml::Table = toml::from_str(&text).unwrap();
    file.remove("plan").unwrap().try_into().unwrap()
}

/// The same of another government; half of the costs are its own, which every tier may.
pub fn sound_of(government: &str) -> Plan {
    let mut plan = sound();
    if plan.government != government {
        plan.government = government.to_owned();
        plan.subsidies[0].own = Money(2_250_000);
        plan.subsidies[0].capital = Money(1_250_000);
        plan.subsidies[0].current = Money(1_000_000);
    }
    plan
}

/// The parts of a plan.
pub fn parts(plan: &Plan, programme: &Programme) -> Vec<Part> {
    let names = Part::names(programme).into_iter();
    names.map(|name| Part::of(plan, programme, &name).unwrap()).collect()
}

impl Kit {
    pub fn at(&self, time: &str) {
        self.clock.set(time.parse().unwrap());
    }

    /// An account that is open.
    pub async fn member(&self, account: &str, role: &str, agency: &str) -> Member {
        let id = StaffId::generate(self.clock.as_ref());
        let (account, role, agency) = (account.to_owned(), role.to_owned(), agency.to_owned());
        let member = Member {
            id,
            role: role.clone(),
            agency: agency.clone(),
        };
        let seal = self.desk.store.seal().clone();
        self.desk
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let key = seal.system_key(tx, "subsidies").await?;
                    let row = staff::Model {
                        id: id.uuid(),
                        name: format!("{account} 先生"),
                        account,
                        role,
                        agency,
                        password_hash: String::new(),
                        key_id: key.uuid(),
                        totp: Vec::new(),
                        totp_step: 0,
                        failures: 0,
                        locked_until: 0,
                        active: true,
                        created_at: tx.now().as_microsecond(),
                    };
                    staff::insert(tx, row).await?;
                    Ok::<_, SubsidyError>(())
                })
            })
            .await
            .unwrap();
        member
    }

    pub async fn writer(&self, government: &str) -> Member {
        self.member(&format!("writer-{government}"), "grant_writer", government)
            .await
    }

    /// A plan in which everything is written, not sent.
    pub async fn written(&self, writer: &Member) -> Uuid {
        let id = subsidies::open(&self.desk, writer, PROGRAMME).await.unwrap();
        let programme = self.desk.programme(PROGRAMME).unwrap();
        for part in parts(&sound_of(&writer.agency), programme) {
            subsidies::save(&self.desk, writer, id, part, 0).await.unwrap();
        }
        id
    }

    /// Writes the ministry's share of the funded year as it was approved: the corrected plan asks for no more.
    pub async fn as_approved(&self, writer: &Member, id: Uuid, amount: i64) {
        let seen = subsidies::draft(&self.desk, writer, id).await.unwrap();
        let mut plan = seen.plan;
        let year = &mut plan.subsidies[0];
        let capital = year.capital.0.min(amount);
        year.capital = Money(capital);
        year.current = Money(amount - capital);
        year.own = Money(year.total.0 - amount);
        let part = Part::of(&plan, &seen.programme, "subsidy").unwrap();
        subsidies::save(&self.desk, writer, id, part, seen.versions["subsidy"])
            .await
            .unwrap();
    }

    /// A plan that was sent.
    pub async fn sent(&self, writer: &Member) -> Uuid {
        let id = self.written(writer).await;
        subsidies::send(&self.desk, writer, id).await.unwrap();
        id
    }
}
