//! Where SQLite and PostgreSQL must differ: how they are opened, and what guards the ledger's head.
//! Everything else in this crate is written once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::time::Duration;

use sea_orm::sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sea_orm::sqlx::{Connection as _, PgPool, SqliteConnection, SqlitePool};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, SqliteTransactionMode,
    SqlxPostgresConnector, SqlxSqliteConnector, Statement, TransactionOptions, TransactionTrait as _,
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

/// The file of an SQLite address.
pub(crate) fn sqlite_file(url: &str) -> Result<PathBuf, StoreError> {
    let options = SqliteConnectOptions::from_str(url).map_err(|error| StoreError::Address(error.to_string()))?;
    Ok(options.get_filename().to_owned())
}

/// Writes the database of an SQLite address, as of one moment and without the pages that are free, into a new file. Others
/// go on reading and writing meanwhile.
pub(crate) async fn vacuum_into(url: &str, to: &Path) -> Result<(), StoreError> {
    let to = to
        .to_str()
        .ok_or_else(|| StoreError::Files("the path of the backup is not UTF-8".into()))?;
    let options = SqliteConnectOptions::from_str(url)
        .map_err(|error| StoreError::Address(error.to_string()))?
        .busy_timeout(Duration::from_secs(60));
    let mut connection = SqliteConnection::connect_with(&options).await.map_err(unreachable)?;
    let done = sea_orm::sqlx::query("VACUUM INTO ?")
        .bind(to)
        .execute(&mut connection)
        .await;
    connection.close().await.map_err(unreachable)?;
    done.map_err(|error| StoreError::Files(format!("{to}: {error}")))?;
    Ok(())
}

/// A connection to an SQLite file that nobody writes to.
pub(crate) fn snapshot(path: &Path) -> DatabaseConnection {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .immutable(true);
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(ACQUIRE)
        .connect_lazy_with(options);
    SqlxSqliteConnector::from_sqlx_sqlite_pool(pool)
}

/// What SQLite finds wrong with the pages of a file; nothing where all is well.
pub(crate) async fn broken_page(db: &impl ConnectionTrait) -> Result<Option<String>, StoreError> {
    let said = strings(db, "PRAGMA integrity_check(1)").await?;
    Ok(said.into_iter().find(|line| line != "ok"))
}

/// The name under which other connections of PostgreSQL see what this transaction sees, until it ends.
pub(crate) async fn export_snapshot(tx: &DatabaseTransaction) -> Result<String, StoreError> {
    let names = strings(tx, "SELECT pg_export_snapshot()").await?;
    names.into_iter().next().ok_or_else(|| StoreError::Corrupt {
        what: "snapshot",
        why: "the database gave none a name".into(),
    })
}

/// How many rows each table has.
pub(crate) async fn rows(db: &impl ConnectionTrait) -> Result<BTreeMap<String, u64>, StoreError> {
    let tables = match db.get_database_backend() {
        DbBackend::Sqlite => {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        }
        _ => "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema()",
    };
    let mut rows = BTreeMap::new();
    for table in strings(db, tables).await? {
        let quoted = table.replace('"', "\"\"");
        let count = Statement::from_string(db.get_database_backend(), format!("SELECT COUNT(*) FROM \"{quoted}\""));
        let row = db.query_one_raw(count).await?;
        let count: i64 = match row {
            Some(row) => row.try_get_by_index(0)?,
            None => 0,
        };
        rows.insert(table, u64::try_from(count).unwrap_or(0));
    }
    Ok(rows)
}

async fn strings(db: &impl ConnectionTrait, sql: &str) -> Result<Vec<String>, StoreError> {
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let rows = db.query_all_raw(statement).await?;
    rows.iter().map(|row| Ok(row.try_get_by_index(0)?)).collect()
}
