//! Stores for tests: each in a database of its own, on SQLite and, where there is one, on PostgreSQL.

#![allow(clippy::expect_used)]

use std::future::Future;
use std::sync::Arc;

use civic::Clock;
use sea_orm::sqlx::{Connection as _, Executor as _, PgConnection};

use crate::seal::{LookupKey, MasterKeys};
use crate::{Store, StoreConfig};

/// The variable that names an empty PostgreSQL server.
pub const POSTGRES: &str = "TONGBAN_TEST_POSTGRES";

/// A store in a folder of its own, which goes with it.
pub struct TestStore {
    /// The store.
    pub store: Store,
    /// Its folder.
    pub folder: tempfile::TempDir,
    /// Address of its database.
    pub url: String,
    /// Keys that wrap its data keys.
    pub master_keys: MasterKeys,
    /// Key of its lookups.
    pub lookup_key: LookupKey,
}

impl TestStore {
    /// The same database and files opened once more, with these master keys.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn reopen(&self, master_keys: MasterKeys, clock: Arc<dyn Clock>) -> Result<Store, crate::StoreError> {
        let config = StoreConfig {
            url: self.url.clone(),
            files: self.folder.path().join("files"),
            master_keys,
            lookup_key: self.lookup_key.clone(),
            policies: None,
            destroyed: Some(self.folder.path().join("destroyed")),
        };
        Store::open(config, clock).await
    }
}

/// An empty database on the server of `TONGBAN_TEST_POSTGRES`; nothing where none is named.
///
/// # Panics
/// When a server is named that can't be used.
pub async fn postgres_database() -> Option<String> {
    let Ok(server) = std::env::var(POSTGRES) else {
        println!("skipped: postgres");
        return None;
    };
    let name = format!("t{}", uuid::Uuid::new_v4().simple());
    let mut connection = PgConnection::connect(&server)
        .await
        .expect("the server of TONGBAN_TEST_POSTGRES");
    connection
        .execute(sea_orm::sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .await
        .expect("a database");
    connection.close().await.expect("a connection that closes");
    let (base, options) = server
        .split_once('?')
        .map_or((server.as_str(), String::new()), |(base, rest)| {
            (base, format!("?{rest}"))
        });
    let base = base.rsplit_once('/').map_or(base, |(base, _)| base);
    Some(format!("{base}/{name}{options}"))
}

async fn open(folder: tempfile::TempDir, url: String, clock: Arc<dyn Clock>) -> TestStore {
    let master_keys = MasterKeys::generate().expect("randomness");
    let lookup_key = LookupKey::generate().expect("randomness");
    let config = StoreConfig {
        url: url.clone(),
        files: folder.path().join("files"),
        master_keys: master_keys.clone(),
        lookup_key: lookup_key.clone(),
        policies: None,
        destroyed: Some(folder.path().join("destroyed")),
    };
    TestStore {
        store: Store::open(config, clock).await.expect("a store"),
        folder,
        url,
        master_keys,
        lookup_key,
    }
}

/// A new store on SQLite.
///
/// # Panics
/// When the machine has no room for it.
pub async fn sqlite(clock: Arc<dyn Clock>) -> TestStore {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("tongban.db").display());
    open(folder, url, clock).await
}

/// A new store on PostgreSQL; nothing where no server is named.
///
/// # Panics
/// When a server is named that can't be used.
pub async fn postgres(clock: Arc<dyn Clock>) -> Option<TestStore> {
    let url = postgres_database().await?;
    Some(open(tempfile::tempdir().expect("a folder"), url, clock).await)
}

/// Runs a test on each engine there is.
pub async fn each_engine<F, R>(clock: Arc<dyn Clock>, test: F)
where
    F: Fn(TestStore) -> R,
    R: Future<Output = ()>,
{
    test(sqlite(Arc::clone(&clock)).await).await;
    if let Some(store) = postgres(clock).await {
        test(store).await;
    }
}

/// SHA-256 of a file, in hexadecimal.
///
/// # Panics
/// When the file can't be read.
#[must_use]
pub fn sha256(path: &std::path::Path) -> String {
    use sha2::Digest as _;
    hex::encode(sha2::Sha256::digest(std::fs::read(path).expect("a file")))
}
