//! Fifty thousand people told at once, by a process that is killed again and again while it sends: nothing is lost.
//!
//! `cargo test --release -p cases --test it -- --ignored --nocapture fifty_thousand` measures it; `MESSAGES` says how many,
//! `KILLS` how often, `SIDE_BY_SIDE` has both databases worked at once, which finds losses but measures nothing. The process
//! that works is this test program itself, started once more.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cases::staff::{NewStaff, Role};
use cases::{CaseError, Desk, jobs};
use civic::SystemClock;
use peers::notices::{Config, Running, start};
use store::outbox::{self, Task};
use store::sea_orm::{
    ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, PaginatorTrait as _, QueryFilter as _, QuerySelect as _,
};
use store::seal::{LookupKey, MasterKeys, Owner, Place};
use store::tables::{application, channel, delivery, person, roll, roll_entry};
use store::testing::TestStore;
use store::{Store, StoreConfig};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::channels::ways;
use crate::support::{catalogue, desk_of};

const GIFT: &str = "senior-gift";
/// What the working process is told: database, folder of files, keys, the twin.
const TOLD: [&str; 5] = ["BULK_DATABASE", "BULK_FILES", "BULK_MASTER", "BULK_LOOKUP", "BULK_TWIN"];
/// Longest time of the whole sending.
const LONGEST: Duration = Duration::from_secs(1200);

fn number(name: &str, usual: u32) -> u32 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(usual)
}

/// The name of a LINE user.
fn user(number: u32) -> String {
    format!("U{number:032x}")
}

/// Cases on a roll whose telling has begun, each of a person with a linked LINE account, written straight into the tables.
async fn seed(store: &Store, count: u32) -> Uuid {
    let service = catalogue();
    let digest = service.get(GIFT).unwrap().digest.clone();
    let list = Uuid::now_v7();
    let maker = NewStaff {
        account: "maker".to_owned(),
        name: "maker".to_owned(),
        role: Role::Officer,
        agency: "示範市政府".to_owned(),
        password: Zeroizing::new("a long enough password".to_owned()),
        totp_secret: Zeroizing::new(vec![7; 20]),
    };
    let desk = desk_of(store, Arc::new(SystemClock));
    let by = cases::staff::add(&desk, maker).await.unwrap().uuid();
    store
        .write(move |tx| {
            Box::pin(async move {
                let at = tx.now().as_microsecond();
                let row = roll::Model {
                    id: list,
                    service: GIFT.to_owned(),
                    roll: "115".to_owned(),
                    state: roll::State::Telling,
                    reference_date: "2026-10-18".to_owned(),
                    service_digest: digest,
                    as_of: "2026-08-29".to_owned(),
                    differing: 0,
                    made_at: at,
                    made_by: by,
                    confirmed_at: None,
                    confirmed_by: None,
                    told_at: None,
                    object_until: Some("2026-12-31".to_owned()),
                    granted_at: None,
                    granted_by: None,
                    revision: 1,
                };
                roll::insert(tx, row).await?;
                Ok::<_, CaseError>(())
            })
        })
        .await
        .unwrap();
    for first in (0..count).step_by(500) {
        let last = (first + 500).min(count);
        let seal = store.seal().clone();
        store
            .write(move |tx| {
                Box::pin(async move {
                    let at = tx.now().as_microsecond();
                    let (mut persons, mut cases, mut lines, mut channels) = (vec![], vec![], vec![], vec![]);
                    for number in first..last {
                        let (owner, case, way) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
                        let key = seal.new_key(tx, Owner::Person(owner)).await?;
                        let subject = seal.lookup("test", &number.to_string()).to_vec();
                        let sealed = format!("{{\"address\":{{\"line\":\"{}\"}},\"code\":null}}", user(number));
                        let place = Place::new("channel", "sealed", &way);
                        channels.push(channel::Model {
                            id: way,
                            person_id: owner,
                            kind: channel::Kind::Line,
                            lookup: subject.clone(),
                            sealed: Some(seal.seal(tx, key, place, sealed.as_bytes()).await?),
                            state: channel::State::Confirmed,
                            language: "zh-TW".to_owned(),
                            code_until: None,
                            tries: 0,
                            asked: 0,
                            asked_at: at,
                            confirmed_at: Some(at),
                            ended_at: None,
                            problem: None,
                        });
                        persons.push(person::Model {
                            id: owner,
                            lookup: subject.clone(),
                            key_id: key.uuid(),
                            sealed: Vec::new(),
                            language: "zh-TW".to_owned(),
                            created_at: at,
                            updated_at: at,
                            revision: 1,
                        });
                        let key = seal.new_key(tx, Owner::Application(case)).await?;
                        cases.push(application::Model {
                            id: case,
                            number: Some(format!("115-SG-9{number:05}")),
                            service: GIFT.to_owned(),
                            service_digest: String::new(),
                            person_id: Some(owner),
                            key_id: key.uuid(),
                            channel: "online".to_owned(),
                            language: "zh-TW".to_owned(),
                            state: application::State::Submitted,
                            revision: 1,
                            answers: None,
                            form_token: None,
                            opened_at: at,
                            updated_at: at,
                            draft_until: at,
                            submitted_at: Some(at),
                            deadline: None,
                            clock_stopped_at: None,
                            stopped_days: 0,
                            assigned_to: None,
                            finding: None,
                            correction: None,
                            correction_due: None,
                            decided_at: None,
                            outcome: None,
                            completed_at: None,
                            uploads: 0,
                            measure_id: None,
                            dispose_after: None,
                            disposed_at: None,
                            reference_date: None,
                            roll_id: Some(list),
                        });
                        lines.push(roll_entry::Model {
                            id: Uuid::now_v7(),
                            roll_id: list,
                            subject,
                            application_id: Some(case),
                            area: String::new(),
                            standing: roll_entry::Standing::Listed,
                            reason: None,
                            amount: 1000,
                            payable: true,
                        });
                    }
                    let written = persons.into_iter().map(|row| row.into_active_model());
                    person::Entity::insert_many(written).exec_without_returning(tx).await?;
                    let written = cases.into_iter().map(|row| row.into_active_model());
                    application::Entity::insert_many(written)
                        .exec_without_returning(tx)
                        .await?;
                    let written = channels.into_iter().map(|row| row.into_active_model());
                    channel::Entity::insert_many(written).exec_without_returning(tx).await?;
                    roll_entry::insert(tx, lines).await?;
                    Ok::<_, CaseError>(())
                })
            })
            .await
            .unwrap();
    }
    list
}

/// The process that works, until it is killed.
fn worker(store: &TestStore, twin: &Running) -> Child {
    let values = [
        store.url.clone(),
        store.folder.path().join("files").display().to_string(),
        store.master_keys.to_text().to_string(),
        store.lookup_key.to_text().to_string(),
        twin.address.clone(),
    ];
    Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "told_in_bulk::the_process_that_works"])
        .envs(TOLD.into_iter().zip(values))
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the working process of `fifty_thousand`"]
async fn the_process_that_works() {
    let Ok(told) = TOLD.map(std::env::var).into_iter().collect::<Result<Vec<_>, _>>() else {
        return;
    };
    let config = StoreConfig {
        url: told[0].clone(),
        files: (&told[1]).into(),
        master_keys: MasterKeys::parse(&told[2]).unwrap(),
        lookup_key: LookupKey::parse(&told[3]).unwrap(),
        policies: None,
        destroyed: None,
    };
    let clock = Arc::new(SystemClock);
    let store = Store::open(config, clock.clone()).await.unwrap();
    let desk = Desk {
        ways: ways(&told[4]),
        ..desk_of(&store, clock)
    };
    jobs::run(Arc::new(desk)).await;
}

async fn open(store: &Store) -> u64 {
    delivery::Entity::find()
        .filter(delivery::Column::State.is_in([delivery::State::Queued, delivery::State::Later]))
        .count(store.read())
        .await
        .unwrap()
}

/// Waits until something holds.
async fn until(began: Instant, holds: impl AsyncFn() -> bool) {
    while !holds().await {
        assert!(began.elapsed() < LONGEST, "it does not come to an end");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn measured(engine: &str, kept: &TestStore) {
    let (messages, kills) = (number("MESSAGES", 50_000), number("KILLS", 4));
    let store = &kept.store;
    let twin = start(Config {
        account: ("city".to_owned(), "password".to_owned()),
        line_token: "channel-token".to_owned(),
        line_secret: "channel-secret".to_owned(),
        webhook: None,
        port: 0,
    })
    .await
    .unwrap();
    let list = seed(store, messages).await;
    let began = Instant::now();
    store
        .write(move |tx| {
            Box::pin(async move {
                outbox::put(tx, Task::new("roll.tell", format!("roll.tell:{list}"), &list)).await?;
                Ok::<_, CaseError>(())
            })
        })
        .await
        .unwrap();
    let mut process = worker(kept, &twin);
    until(began, async || {
        let row = roll::by_id(store.read(), list).await.unwrap().unwrap();
        row.state == roll::State::Told
    })
    .await;
    let queued_s = began.elapsed().as_secs_f64();
    for kill in 0..kills {
        // while it sends: each time at another moment
        let had = twin.taken().len();
        let more = usize::try_from(messages / (2 * (kills + 1))).unwrap();
        until(began, async || {
            twin.taken().len() >= had + more || open(store).await == 0
        })
        .await;
        tokio::time::sleep(Duration::from_millis(u64::from(37 * kill % 100))).await;
        process.kill().unwrap();
        process.wait().unwrap();
        process = worker(kept, &twin);
    }
    until(began, async || open(store).await == 0).await;
    let delivered_s = began.elapsed().as_secs_f64();
    process.kill().unwrap();
    process.wait().unwrap();

    let queued: Vec<Uuid> = delivery::Entity::find()
        .select_only()
        .column(delivery::Column::Id)
        .into_tuple()
        .all(store.read())
        .await
        .unwrap();
    let taken = twin.taken();
    let known: BTreeSet<&str> = taken.iter().map(|taken| taken.id.as_str()).collect();
    let mut people: BTreeMap<&str, u32> = BTreeMap::new();
    for taken in &taken {
        *people.entry(taken.to.as_str()).or_default() += 1;
    }
    let lost = queued
        .iter()
        .filter(|id| !known.contains(id.to_string().as_str()))
        .count()
        + usize::try_from(messages).unwrap().saturating_sub(queued.len());
    let doubled = people.values().filter(|times| **times > 1).count();
    println!(
        "{}",
        serde_json::json!({
            "engine": engine,
            "messages": messages,
            "queued_s": queued_s,
            "delivered_s": delivered_s,
            "kills": kills,
            "repeated": twin.repeated(),
            "lost": lost,
            "doubled": doubled,
        })
    );
    assert_eq!((lost, doubled), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: run it alone, with --nocapture"]
async fn fifty_thousand() {
    let sqlite = async { measured("sqlite", &store::testing::sqlite(Arc::new(SystemClock)).await).await };
    let postgres = async {
        if let Some(kept) = store::testing::postgres(Arc::new(SystemClock)).await {
            measured("postgres", &kept).await;
        }
    };
    // Side by side neither has the machine, but both wait out their leases at once.
    if std::env::var_os("SIDE_BY_SIDE").is_some() {
        tokio::join!(sqlite, postgres);
    } else {
        sqlite.await;
        postgres.await;
    }
}
