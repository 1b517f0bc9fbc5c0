//! Where SQLite and PostgreSQL must differ: how they are opened, and what guards the ledger's head.
//! Everything else in this crate is written once.

use std::str::FromStr as _;
use std::time::Duration;

use sea_orm::sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sea_orm::sqlx::{Connection as _, PgPool, SqlitePool};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, SqliteTransactionMode,
    SqlxPostgresConnector, SqlxSqliteConnector, TransactionOptions, TransactionTrait as _,
};

use crate::StoreError;

/// Connections for reading. Four keep two cores busy; each has its own page cache.
const READERS: u32 = 4;
/// How long a caller waits for a connection.
const ACQUIRE: Duration = Duration::from_secs(5);
/// A PostgreSQL connection idle for longer is tried before it is handed out.
const STALE: Duration = Duration::from_secs(1);
const STATEMENTS: usize = 256;
/// Any number; all processes that append to one ledger take the same lock.
const LEDGER_LOCK: i64 = 0x746f_6e67_6261_6e01;

/// The two ways into one database.
pub(crate) struct Connections {
    /// Several connections that can't write.
    pub read: DatabaseConnection,
    /// The one connection of the writer.
    pub write: DatabaseConnection,
}

/// Opens the database of `url`; makes it when it is an SQLite file that doesn't exist yet.
pub(crate) async fn connect(url: &str) -> Result<Connections, StoreError> {
    if url.starts_with("sqlite:") {
        sqlite(url).await
    } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
        postgres(url)
    } else {
        Err(StoreError::Address("unknown scheme".into()))
    }
}

async fn sqlite(url: &str) -> Result<Connections, StoreError> {
    if url.contains(":memory:") || url.contains("mode=memory") {
        return Err(StoreError::Address(
            "a database in memory would be lost and cannot be shared by connections".into(),
        ));
    }
    let base = SqliteConnectOptions::from_str(url)
        .map_err(|error| StoreError::Address(error.to_string()))?
        .busy_timeout(Duration::from_secs(5))
        .foreign_keys(true)
        .statement_cache_capacity(STATEMENTS)
        .pragma("temp_store", "MEMORY");
    let writer = base
        .clone()
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        // Wrapped keys that are taken out must not stay behind in free pages.
        .pragma("secure_delete", "ON")
        .pragma("cache_size", "-16000")
        .pragma("wal_autocheckpoint", "4000")
        .pragma("journal_size_limit", "67108864");
    let write: SqlitePool = SqlitePoolOptions::new()
        .max_connections(1)
        .min_connections(1)
        .acquire_timeout(ACQUIRE)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_with(writer)
        .await
        .map_err(unreachable)?;
    let read = SqlitePoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(ACQUIRE)
        .test_before_acquire(false)
        .connect_lazy_with(base.pragma("cache_size", "-6000").pragma("query_only", "ON"));
    Ok(Connections {
        read: SqlxSqliteConnector::from_sqlx_sqlite_pool(read),
        write: SqlxSqliteConnector::from_sqlx_sqlite_pool(write),
    })
}

fn postgres(url: &str) -> Result<Connections, StoreError> {
    let base = PgConnectOptions::from_str(url)
        .map_err(|error| StoreError::Address(error.to_string()))?
        .application_name("tongban")
        .statement_cache_capacity(STATEMENTS);
    let pool = |options: PgConnectOptions, connections: u32| -> PgPool {
        PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(ACQUIRE)
            .test_before_acquire(false)
            .before_acquire(|connection, about| {
                Box::pin(async move {
                    if about.idle_for > STALE {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .connect_lazy_with(options)
    };
    let read = base.clone().options([("default_transaction_read_only", "on")]);
    Ok(Connections {
        read: SqlxPostgresConnector::from_sqlx_postgres_pool(pool(read, READERS * 2)),
        write: SqlxPostgresConnector::from_sqlx_postgres_pool(pool(base, 1)),
    })
}

fn unreachable(error: sea_orm::sqlx::Error) -> StoreError {
    StoreError::Unreachable(error.to_string())
}

/// Whether no other process can change the database: an SQLite file has one writer, and that is this process. What was read
/// may then be kept in memory until this process changes it.
pub(crate) fn is_sole(db: &DatabaseConnection) -> bool {
    db.get_database_backend() == DbBackend::Sqlite
}

/// Begins a transaction that will write.
pub(crate) async fn begin(write: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    write
        .begin_with_options(TransactionOptions {
            // Taking the lock at once means waiting here, not failing halfway.
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        })
        .await
}

/// Holds every other process that appends to the ledger until this transaction ends. On SQLite the
/// transaction itself does that.
pub(crate) async fn lock_ledger(tx: &DatabaseTransaction) -> Result<(), DbErr> {
    if tx.get_database_backend() == DbBackend::Postgres {
        tx.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({LEDGER_LOCK})"))
            .await?;
    }
    Ok(())
}
