//! Sessions (工作階段): sealed, found by a keyed hash of the token in the cookie.

use civic::ids::KeyId;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue, ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tower_sessions::SessionStore;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result as SessionResult};
use uuid::Uuid;

use crate::seal::Place;
use crate::tables::{data_key, session as table, session_mark};
use crate::{Store, StoreError, engine};

/// Name of the key that seals sessions.
const KEY: &str = "session";

/// Name of the value of a session that holds its marks: a list of keyed hashes in hexadecimal. [`Sessions::end`] finds the
/// session by each of them.
pub const MARKS: &str = "marks";
/// Most marks of a session.
const MOST_MARKS: usize = 8;

/// The marks a session's content names.
fn marks(record: &Record) -> Vec<Vec<u8>> {
    let list = record.data.get(MARKS).and_then(serde_json::Value::as_array);
    let marks = list.into_iter().flatten().filter_map(serde_json::Value::as_str);
    marks
        .filter_map(|text| hex::decode(text).ok())
        .take(MOST_MARKS)
        .collect()
}

/// Makes the key of the sessions when the store is opened for the first time.
pub(crate) async fn prepare(store: &Store) -> Result<(), StoreError> {
    let seal = store.seal().clone();
    store
        .write(move |tx| {
            Box::pin(async move {
                seal.system_key(tx, KEY).await?;
                Ok::<_, StoreError>(())
            })
        })
        .await
}

async fn key(db: &impl ConnectionTrait) -> Result<KeyId, StoreError> {
    let row = data_key::Entity::find()
        .filter(data_key::Column::OwnerKind.eq("system"))
        .filter(data_key::Column::OwnerId.eq(KEY))
        .filter(data_key::Column::Wrapped.is_not_null())
        .one(db)
        .await?;
    row.map(|row| KeyId::from_uuid(row.id))
        .ok_or(StoreError::NoKey(Uuid::nil()))
}

/// Sessions kept in memory.
const KEPT: usize = 4096;

/// Sessions of late, by the hash of their token: every request asks for its session. Kept only where the database is this
/// process's alone.
pub(crate) struct Kept {
    inner: Mutex<Inner>,
}

struct Inner {
    records: HashMap<[u8; 32], Record>,
    /// Changes so far, by the first byte of the hash: what was read before a change is not kept after it.
    changes: [u64; 256],
}

impl Default for Kept {
    fn default() -> Kept {
        Kept {
            inner: Mutex::new(Inner {
                records: HashMap::new(),
                changes: [0; 256],
            }),
        }
    }
}

impl Kept {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, name: &[u8; 32]) -> Option<Record> {
        self.lock().records.get(name).cloned()
    }

    fn changes(&self, name: &[u8; 32]) -> u64 {
        self.lock().changes[usize::from(name[0])]
    }

    fn keep(&self, name: [u8; 32], record: Record, changes: u64) {
        let mut inner = self.lock();
        if inner.changes[usize::from(name[0])] != changes {
            return;
        }
        if inner.records.len() >= KEPT {
            inner.records.clear();
        }
        inner.records.insert(name, record);
    }

    fn forget(&self, name: &[u8; 32]) {
        let mut inner = self.lock();
        inner.changes[usize::from(name[0])] += 1;
        inner.records.remove(name);
    }
}

/// Sessions in the store.
#[derive(Clone)]
pub struct Sessions {
    store: Store,
    key: KeyId,
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sessions")
    }
}

impl Sessions {
    /// The sessions of a store.
    ///
    /// # Errors
    /// The database's.
    pub async fn new(store: Store) -> Result<Sessions, StoreError> {
        let key = key(store.read()).await?;
        Ok(Sessions { store, key })
    }

    fn name(&self, id: Id) -> [u8; 32] {
        self.store.seal().lookup_bytes("session", &id.0.to_be_bytes())
    }

    /// Writes a session. One that was there is changed where it is still there: a request that began before the session was
    /// ended doesn't bring it back.
    async fn write(&self, record: &Record, is_new: bool) -> Result<(), StoreError> {
        let name = self.name(record.id);
        let corrupt = |error: serde_json::Error| StoreError::Corrupt {
            what: "session",
            why: error.to_string(),
        };
        let plain = zeroize::Zeroizing::new(serde_json::to_vec(record).map_err(corrupt)?);
        let place = Place {
            table: "session",
            column: "sealed",
            row: &name,
        };
        let sealed = self
            .store
            .seal()
            .seal(self.store.read(), self.key, place, &plain)
            .await?;
        let expires = i64::try_from(record.expiry_date.unix_timestamp_nanos() / 1000).unwrap_or(i64::MAX);
        let marks = marks(record);
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    if is_new {
                        let row = table::ActiveModel {
                            id: ActiveValue::Set(name.to_vec()),
                            holder: ActiveValue::Set(None),
                            sealed: ActiveValue::Set(sealed),
                            created_at: ActiveValue::Set(tx.now().as_microsecond()),
                            expires_at: ActiveValue::Set(expires),
                        };
                        table::Entity::insert(row).exec_without_returning(tx).await?;
                    } else {
                        let done = table::Entity::update_many()
                            .col_expr(table::Column::Sealed, Expr::value(sealed))
                            .col_expr(table::Column::ExpiresAt, Expr::value(expires))
                            .filter(table::Column::Id.eq(name.as_slice()))
                            .exec(tx)
                            .await?;
                        if done.rows_affected == 0 {
                            return Ok(());
                        }
                    }
                    session_mark::put(tx, &name, marks).await?;
                    Ok(())
                })
            })
            .await
    }

    /// Ends every session that has one of these marks; gives how many. Nobody meets them afterwards, in no window.
    ///
    /// # Errors
    /// The database's.
    pub async fn end(&self, marks: Vec<[u8; 32]>) -> Result<usize, StoreError> {
        let ended = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let mut ended = Vec::new();
                    for mark in marks {
                        for session in session_mark::sessions(tx, &mark).await? {
                            session_mark::remove(tx, &session).await?;
                            table::Entity::delete_by_id(session.clone()).exec(tx).await?;
                            ended.push(session);
                        }
                    }
                    Ok::<_, StoreError>(ended)
                })
            })
            .await?;
        for name in ended.iter().filter_map(|name| name.as_slice().try_into().ok()) {
            self.store.kept_sessions().forget(&name);
        }
        Ok(ended.len())
    }

    /// Carries out a change of a session, and forgets what was kept of it before and after, so that nobody meets the old one.
    async fn changing<T>(&self, id: Id, change: impl Future<Output = T>) -> T {
        let name = self.name(id);
        self.store.kept_sessions().forget(&name);
        let done = change.await;
        self.store.kept_sessions().forget(&name);
        done
    }

    async fn read(&self, id: Id) -> Result<Option<Record>, StoreError> {
        let name = self.name(id);
        if !engine::is_sole(self.store.read()) {
            return self.stored(name).await;
        }
        let kept = self.store.kept_sessions();
        if let Some(record) = kept.get(&name) {
            let ends = i64::try_from(record.expiry_date.unix_timestamp_nanos() / 1000).unwrap_or(i64::MAX);
            return Ok((ends > self.store.now().as_microsecond()).then_some(record));
        }
        let changes = kept.changes(&name);
        let record = self.stored(name).await?;
        if let Some(record) = &record {
            kept.keep(name, record.clone(), changes);
        }
        Ok(record)
    }

    async fn stored(&self, name: [u8; 32]) -> Result<Option<Record>, StoreError> {
        let row = table::Entity::find_by_id(name.to_vec()).one(self.store.read()).await?;
        let Some(row) = row.filter(|row| row.expires_at > self.store.now().as_microsecond()) else {
            return Ok(None);
        };
        let place = Place {
            table: "session",
            column: "sealed",
            row: &name,
        };
        let plain = self
            .store
            .seal()
            .open_own(self.store.read(), self.key, place, &row.sealed)
            .await?;
        let record = serde_json::from_slice(&plain).map_err(|error| StoreError::Corrupt {
            what: "session",
            why: error.to_string(),
        })?;
        Ok(Some(record))
    }

    /// Deletes sessions that are over; gives how many.
    ///
    /// # Errors
    /// The database's.
    pub async fn clean(&self) -> Result<u64, StoreError> {
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let gone = table::Entity::delete_many()
                        .filter(table::Column::ExpiresAt.lte(tx.now().as_microsecond()))
                        .exec(tx)
                        .await?;
                    Ok(gone.rows_affected)
                })
            })
            .await
    }
}

#[async_trait::async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> SessionResult<()> {
        // 128 random bits: the hash of another session is met less often than the disk fails.
        self.changing(record.id, self.write(record, true))
            .await
            .map_err(|error| Error::Backend(error.to_string()))
    }

    async fn save(&self, record: &Record) -> SessionResult<()> {
        self.changing(record.id, self.write(record, false))
            .await
            .map_err(|error| Error::Backend(error.to_string()))
    }

    async fn load(&self, id: &Id) -> SessionResult<Option<Record>> {
        self.read(*id).await.map_err(|error| Error::Backend(error.to_string()))
    }

    async fn delete(&self, id: &Id) -> SessionResult<()> {
        let name = self.name(*id);
        let delete = self.store.write(move |tx| {
            Box::pin(async move {
                table::Entity::delete_by_id(name.to_vec()).exec(tx).await?;
                Ok::<_, StoreError>(())
            })
        });
        self.changing(*id, delete)
            .await
            .map_err(|error| Error::Backend(error.to_string()))
    }
}
