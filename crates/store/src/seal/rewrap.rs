//! Rotation of the master key while the server runs.

use civic::ids::KeyId;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};

use super::{Seal, wrap};
use crate::tables::data_key;
use crate::{Store, StoreError};

/// Keys moved in one write, so that other writes aren't held up.
const PAGE: u64 = 200;

/// What a rotation did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rewrapped {
    /// Version that wraps every data key now.
    pub version: i32,
    /// Data keys that were moved to it.
    pub keys: u64,
}

impl Seal {
    /// Wraps every data key by the newest master key. Sealed values stay as they are. When it is
    /// done, older master keys may be taken out of the key file. It may be stopped at any moment and
    /// run again.
    ///
    /// # Errors
    /// [`StoreError::NoMasterKey`] when a data key is wrapped by a version that the key file has
    /// lost; the database's.
    pub async fn rewrap(&self, store: &Store) -> Result<Rewrapped, StoreError> {
        let version = self.inner.master.current().0;
        let mut keys = 0;
        loop {
            let seal = self.clone();
            let moved: u64 = store
                .write(move |tx| Box::pin(async move { seal.rewrap_page(tx).await }))
                .await?;
            if moved == 0 {
                return Ok(Rewrapped { version, keys });
            }
            keys += moved;
        }
    }

    async fn rewrap_page(&self, tx: &crate::Tx) -> Result<u64, StoreError> {
        let (version, master) = self.inner.master.current();
        let page = data_key::Entity::find()
            .filter(data_key::Column::MasterVersion.ne(version))
            .filter(data_key::Column::Wrapped.is_not_null())
            .order_by_asc(data_key::Column::Id)
            .limit(PAGE)
            .all(tx)
            .await?;
        for row in &page {
            let key = self.unwrap(row)?;
            let wrapped = wrap(master, version, &row.id, &row.owner_kind, &row.owner_id, &key.bytes)?;
            data_key::Entity::update_many()
                .col_expr(data_key::Column::Wrapped, Expr::value(wrapped))
                .col_expr(data_key::Column::MasterVersion, Expr::value(version))
                .filter(data_key::Column::Id.eq(row.id))
                .exec(tx)
                .await?;
        }
        Ok(page.len() as u64)
    }

    /// The version of the master key that wraps a data key now.
    ///
    /// # Errors
    /// [`StoreError::NoKey`]; the database's.
    pub async fn master_version(&self, store: &Store, key: KeyId) -> Result<i32, StoreError> {
        let row = data_key::Entity::find_by_id(key.uuid()).one(store.read()).await?;
        row.map(|row| row.master_version).ok_or(StoreError::NoKey(key.uuid()))
    }
}
