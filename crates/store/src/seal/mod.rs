//! Sealing: personal data lies in the tables as ciphertext of a data key that can be destroyed.
//!
//! Each case and each person has a data key (AES-256-GCM). A data key is stored wrapped by a master
//! key, which lives outside the database. A sealed value is bound to its place (table, column, row):
//! moved elsewhere it doesn't open. Destroying a data key ends everything it sealed, at once and
//! wherever copies of the ciphertext lie.
//!
//! Opening data of a person or a case takes a [`Grant`], which only the access policies give and
//! which is written into the usage ledger as it is given.

mod cache;
mod cipher;
pub(crate) mod destroyed;
mod master;
mod rewrap;

pub use master::{LookupKey, MasterKeys};
pub use rewrap::Rewrapped;

use std::fmt;
use std::sync::Arc;

use civic::ids::KeyId;
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait as _, QueryFilter as _};
use sea_orm::{ConnectionTrait, EntityTrait as _, sea_query::Expr};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::access::Grant;
use crate::tables::data_key;
use crate::{StoreError, Tx};
use cache::Cache;
use destroyed::{Destroyed, Register};

/// 32 bytes of the operating system's randomness, for a key that is kept sealed.
///
/// # Errors
/// [`StoreError::Randomness`].
pub fn secret() -> Result<Zeroizing<Vec<u8>>, StoreError> {
    Ok(Zeroizing::new(cipher::random_key()?.to_vec()))
}

/// Whose data a key seals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Owner {
    /// A person's profile.
    Person(Uuid),
    /// A case.
    Application(Uuid),
    /// An authorisation to act for somebody.
    Authorisation(Uuid),
    /// A member of staff (secrets of the sign-in).
    Staff(Uuid),
    /// A register of residents.
    Register(Uuid),
    /// Invitations sent together.
    Campaign(Uuid),
    /// The platform itself, under a name.
    System(&'static str),
}

impl Owner {
    fn columns(&self) -> (&'static str, String) {
        match self {
            Owner::Person(id) => ("person", id.to_string()),
            Owner::Application(id) => ("application", id.to_string()),
            Owner::Authorisation(id) => ("authorisation", id.to_string()),
            Owner::Staff(id) => ("staff", id.to_string()),
            Owner::Register(id) => ("register", id.to_string()),
            Owner::Campaign(id) => ("campaign", id.to_string()),
            Owner::System(name) => ("system", (*name).to_owned()),
        }
    }
}

/// Where a sealed value lies. It opens nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// Table.
    pub table: &'static str,
    /// Column.
    pub column: &'static str,
    /// Primary key of the row.
    pub row: &'a [u8],
}

impl<'a> Place<'a> {
    /// A column of the row with this id.
    #[must_use]
    pub fn new(table: &'static str, column: &'static str, row: &'a Uuid) -> Place<'a> {
        Place {
            table,
            column,
            row: row.as_bytes(),
        }
    }
}

/// Seals and opens. A clone shares the keys in memory.
#[derive(Clone)]
pub struct Seal {
    inner: Arc<Inner>,
}

struct Inner {
    master: MasterKeys,
    lookup: LookupKey,
    cache: Cache,
    register: Option<Register>,
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal")
    }
}

impl Seal {
    pub(crate) fn new(master: MasterKeys, lookup: LookupKey, register: Option<Register>) -> Seal {
        Seal {
            inner: Arc::new(Inner {
                master,
                lookup,
                cache: Cache::default(),
                register,
            }),
        }
    }

    /// Makes a data key for `owner`, stored with this write.
    ///
    /// # Errors
    /// The database's; [`StoreError::Randomness`].
    pub async fn new_key(&self, tx: &Tx, owner: Owner) -> Result<KeyId, StoreError> {
        let id = Uuid::from(KeyId::from_parts(tx.now(), cipher::random()?));
        let plain = cipher::random_key()?;
        let (owner_kind, owner_id) = owner.columns();
        let (master_version, master) = self.inner.master.current();
        let row = data_key::ActiveModel {
            id: Set(id),
            owner_kind: Set(owner_kind.to_owned()),
            owner_id: Set(owner_id.clone()),
            master_version: Set(master_version),
            wrapped: Set(Some(wrap(master, master_version, &id, owner_kind, &owner_id, &plain)?)),
            created_at: Set(tx.now().as_microsecond()),
            destroyed_at: Set(None),
            destroyed_why: Set(None),
        };
        data_key::Entity::insert(row).exec_without_returning(tx).await?;
        Ok(KeyId::from(id))
    }

    /// Seals `plain` for `place`.
    ///
    /// # Errors
    /// [`StoreError::NoKey`], [`StoreError::KeyDestroyed`], [`StoreError::NoMasterKey`]; the
    /// database's.
    pub async fn seal(
        &self,
        db: &impl ConnectionTrait,
        key: KeyId,
        place: Place<'_>,
        plain: &[u8],
    ) -> Result<Vec<u8>, StoreError> {
        let key = self.key(db, key.uuid()).await?;
        cipher::seal(&key.bytes, &associated(&place), plain)
    }

    /// Opens what was sealed for `place`, for the use recorded with `grant`.
    ///
    /// # Errors
    /// [`StoreError::NotGranted`] when the key is of another person or case than the grant;
    /// [`StoreError::Unsealable`] when the bytes were altered or moved; as for [`Seal::seal`].
    pub async fn open(
        &self,
        db: &impl ConnectionTrait,
        grant: &Grant,
        key: KeyId,
        place: Place<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let id = key.uuid();
        let key = self.key(db, id).await?;
        if !grant.covers(&key.owner_kind, &key.owner_id) {
            return Err(StoreError::NotGranted(id));
        }
        open_with(&key.bytes, &place, sealed)
    }

    /// Opens what belongs to the platform or to a staff account: sessions, sign-in secrets. It never
    /// opens data of a person or a case.
    ///
    /// # Errors
    /// As for [`Seal::open`].
    pub async fn open_own(
        &self,
        db: &impl ConnectionTrait,
        key: KeyId,
        place: Place<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let id = key.uuid();
        let key = self.key(db, id).await?;
        if !matches!(key.owner_kind.as_str(), "system" | "staff") {
            return Err(StoreError::NotGranted(id));
        }
        open_with(&key.bytes, &place, sealed)
    }

    /// Destroys a data key for good: when this write is committed, nothing it sealed can be read.
    /// The row stays and says when and why; the register outside of the database says it to whoever restores an older backup.
    /// Destroying it again changes nothing.
    ///
    /// # Errors
    /// [`StoreError::NoKey`]; the database's.
    pub async fn destroy(&self, tx: &Tx, key: KeyId, why: &str) -> Result<(), StoreError> {
        let id = key.uuid();
        let gone = data_key::Entity::update_many()
            .col_expr(data_key::Column::Wrapped, Expr::value(Option::<Vec<u8>>::None))
            .col_expr(data_key::Column::DestroyedAt, Expr::value(tx.now().as_microsecond()))
            .col_expr(data_key::Column::DestroyedWhy, Expr::value(why))
            .filter(data_key::Column::Id.eq(id))
            .filter(data_key::Column::Wrapped.is_not_null())
            .exec(tx)
            .await?;
        if gone.rows_affected == 0 && data_key::Entity::find_by_id(id).one(tx).await?.is_none() {
            return Err(StoreError::NoKey(id));
        }
        let inner = Arc::clone(&self.inner);
        let noted = (gone.rows_affected > 0).then(|| Destroyed {
            id,
            at: tx.now().as_microsecond(),
            why: why.to_owned(),
        });
        tx.after_commit(move || {
            inner.cache.forget(&id);
            // Noted only once it is so; what a crash keeps from the register is added at the next start.
            if let (Some(register), Some(noted)) = (&inner.register, noted)
                && let Err(error) = register.add(&[noted])
            {
                tracing::error!(%error, "a destroyed key was not noted; it is noted at the next start");
            }
        });
        Ok(())
    }

    /// The platform's key of this name; made when it is first asked for.
    ///
    /// # Errors
    /// The database's; [`StoreError::Randomness`].
    pub async fn system_key(&self, tx: &Tx, name: &'static str) -> Result<KeyId, StoreError> {
        let existing = data_key::Entity::find()
            .filter(data_key::Column::OwnerKind.eq("system"))
            .filter(data_key::Column::OwnerId.eq(name))
            .filter(data_key::Column::Wrapped.is_not_null())
            .one(tx)
            .await?;
        match existing {
            Some(row) => Ok(KeyId::from(row.id)),
            None => self.new_key(tx, Owner::System(name)).await,
        }
    }

    /// Keyed hash (HMAC-SHA-256) by which an exact value can be found without being stored: `kind`
    /// keeps the same value of two kinds apart. Normalise `value` first.
    #[must_use]
    pub fn lookup(&self, kind: &str, value: &str) -> [u8; 32] {
        self.inner.lookup.hash(kind, value.as_bytes())
    }

    /// As [`Seal::lookup`], for bytes.
    #[must_use]
    pub fn lookup_bytes(&self, kind: &str, value: &[u8]) -> [u8; 32] {
        self.inner.lookup.hash(kind, value)
    }

    /// Reads data keys into memory with one query, before many values are opened. Opening asks for a grant as ever.
    ///
    /// # Errors
    /// The database's; [`StoreError::NoMasterKey`].
    pub async fn warm(&self, db: &impl ConnectionTrait, keys: &[Uuid]) -> Result<(), StoreError> {
        let missing: Vec<Uuid> = keys
            .iter()
            .copied()
            .filter(|id| self.inner.cache.get(id).is_none())
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let moment = self.inner.cache.moment();
        let rows = data_key::Entity::find()
            .filter(data_key::Column::Id.is_in(missing))
            .all(db)
            .await?;
        for row in rows {
            // a key that was destroyed is told of when a value is opened
            if row.wrapped.is_some() {
                let key = Arc::new(self.unwrap(&row)?);
                self.inner.cache.keep(row.id, key, moment);
            }
        }
        Ok(())
    }

    async fn key(&self, db: &impl ConnectionTrait, id: Uuid) -> Result<Arc<cache::Key>, StoreError> {
        if let Some(key) = self.inner.cache.get(&id) {
            return Ok(key);
        }
        let moment = self.inner.cache.moment();
        let row = data_key::Entity::find_by_id(id)
            .one(db)
            .await?
            .ok_or(StoreError::NoKey(id))?;
        let key = Arc::new(self.unwrap(&row)?);
        self.inner.cache.keep(id, Arc::clone(&key), moment);
        Ok(key)
    }

    fn unwrap(&self, row: &data_key::Model) -> Result<cache::Key, StoreError> {
        let wrapped = row.wrapped.as_deref().ok_or(StoreError::KeyDestroyed(row.id))?;
        let master = self.inner.master.version(row.master_version)?;
        let bound = bound(row.master_version, &row.id, &row.owner_kind, &row.owner_id);
        let bytes = cipher::open(master, &bound, wrapped)
            .and_then(|plain| plain.as_slice().try_into().ok().map(Zeroizing::new))
            .ok_or(StoreError::Unsealable {
                table: "data_key",
                column: "wrapped",
            })?;
        Ok(cache::Key {
            bytes,
            owner_kind: row.owner_kind.clone(),
            owner_id: row.owner_id.clone(),
        })
    }
}

fn open_with(key: &[u8; 32], place: &Place<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    cipher::open(key, &associated(place), sealed).ok_or(StoreError::Unsealable {
        table: place.table,
        column: place.column,
    })
}

/// What a wrapped key is bound to, so that rows can't be exchanged.
fn bound(version: i32, id: &Uuid, owner_kind: &str, owner_id: &str) -> Vec<u8> {
    let version = version.to_be_bytes();
    cipher::joined(&[
        b"data_key",
        &version,
        id.as_bytes(),
        owner_kind.as_bytes(),
        owner_id.as_bytes(),
    ])
}

fn wrap(
    master: &[u8; 32],
    version: i32,
    id: &Uuid,
    owner_kind: &str,
    owner_id: &str,
    plain: &[u8; 32],
) -> Result<Vec<u8>, StoreError> {
    cipher::seal(master, &bound(version, id, owner_kind, owner_id), plain)
}

fn associated(place: &Place<'_>) -> Vec<u8> {
    cipher::joined(&[b"value", place.table.as_bytes(), place.column.as_bytes(), place.row])
}
