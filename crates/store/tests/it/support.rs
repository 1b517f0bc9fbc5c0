//! A clock that stands still, and short ways to say what every test says.

use std::sync::Arc;

use civic::ids::{ApplicationId, KeyId};
use civic::{FixedClock, Purpose};
use store::access::{Actor, Grant, Resource};
use store::ledger::{ActorKind, Entry};
use store::seal::Owner;
use store::testing::TestStore;
use store::{Store, StoreError, Tx};
use uuid::Uuid;

/// A person and their case.
pub const ME: Uuid = Uuid::from_u128(0x11);
pub const CASE: Uuid = Uuid::from_u128(0x22);
pub const OTHER_CASE: Uuid = Uuid::from_u128(0x33);

pub fn clock() -> Arc<FixedClock> {
    Arc::new(FixedClock::new("2026-11-20T02:00:00Z".parse().unwrap()))
}

/// Runs a test on each engine, each with a clock of its own.
pub async fn each_engine<R: Future<Output = ()>>(test: impl Fn(Arc<TestStore>, Arc<FixedClock>) -> R) {
    // Shared, because a test that moves only the store into its future would let the folder go.
    let own = clock();
    test(Arc::new(store::testing::sqlite(own.clone()).await), own).await;
    let own = clock();
    if let Some(store) = store::testing::postgres(own.clone()).await {
        test(Arc::new(store), own).await;
    }
}

pub fn purpose() -> Purpose {
    Purpose {
        code: "057".into(),
        basis: "老人福利法 §12".into(),
        function: "fill".into(),
        application: None,
    }
}

/// What the owner of a case is granted.
pub fn grant(store: &Store, case: Uuid) -> Grant {
    let resource = Resource::Application {
        id: case,
        owner: Some(ME),
        agency: "social",
        state: "draft",
    };
    store
        .access()
        .decide(Actor::Resident(ME), "fill", resource, purpose())
        .unwrap()
}

/// A new data key of a case.
pub async fn key(store: &Store, case: Uuid) -> KeyId {
    let seal = store.seal().clone();
    write(store, move |tx| {
        Box::pin(async move { seal.new_key(tx, Owner::Application(case)).await })
    })
    .await
}

/// A write that must succeed.
pub async fn write<T, F>(store: &Store, work: F) -> T
where
    T: Send + 'static,
    F: for<'a> FnOnce(&'a Tx) -> std::pin::Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>
        + Send
        + 'static,
{
    store.write(work).await.unwrap()
}

/// Runs SQL as somebody would who has the database in hand.
pub async fn tamper(store: &Store, sql: impl Into<String>) {
    use store::sea_orm::ConnectionTrait as _;
    let sql = sql.into();
    write(store, move |tx| {
        Box::pin(async move {
            tx.execute_unprepared(&sql).await?;
            Ok(())
        })
    })
    .await;
}

pub fn entry(number: u8) -> Entry {
    Entry {
        at: "2026-11-20T02:00:00Z".parse().unwrap(),
        actor: ActorKind::Staff,
        actor_id: Some(Uuid::from_u128(number.into())),
        action: format!("action{}", number % 3),
        purpose: purpose(),
        application: Some(ApplicationId::from_uuid(CASE)),
        subject: Some([number; 32]),
        fields: vec!["name".into(), "account".into()],
        count: 1,
    }
}
