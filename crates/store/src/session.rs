//! Sessions (工作階段): sealed, found by a keyed hash of the token in the cookie.

use civic::ids::KeyId;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue, ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _};
use tower_sessions::SessionStore;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result as SessionResult};
use uuid::Uuid;

use crate::seal::Place;
use crate::tables::{data_key, session as table};
use crate::{Store, StoreError};

/// Name of the key that seals sessions.
const KEY: &str = "session";

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

    async fn write(&self, record: &Record) -> Result<(), StoreError> {
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
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let row = table::ActiveModel {
                        id: ActiveValue::Set(name.to_vec()),
                        holder: ActiveValue::Set(None),
                        sealed: ActiveValue::Set(sealed),
                        created_at: ActiveValue::Set(tx.now().as_microsecond()),
                        expires_at: ActiveValue::Set(expires),
                    };
                    let renew = OnConflict::column(table::Column::Id)
                        .update_columns([table::Column::Sealed, table::Column::ExpiresAt])
                        .to_owned();
                    table::Entity::insert(row)
                        .on_conflict(renew)
                        .exec_without_returning(tx)
                        .await?;
                    Ok(())
                })
            })
            .await
    }

    async fn read(&self, id: Id) -> Result<Option<Record>, StoreError> {
        let name = self.name(id);
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
        self.save(record).await
    }

    async fn save(&self, record: &Record) -> SessionResult<()> {
        self.write(record)
            .await
            .map_err(|error| Error::Backend(error.to_string()))
    }

    async fn load(&self, id: &Id) -> SessionResult<Option<Record>> {
        self.read(*id).await.map_err(|error| Error::Backend(error.to_string()))
    }

    async fn delete(&self, id: &Id) -> SessionResult<()> {
        let name = self.name(*id);
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    table::Entity::delete_by_id(name.to_vec()).exec(tx).await?;
                    Ok::<_, StoreError>(())
                })
            })
            .await
            .map_err(|error| Error::Backend(error.to_string()))
    }
}
