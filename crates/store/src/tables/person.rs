//! A resident (民眾) known to the platform: who they are, sealed under their own data key.

use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, IntoActiveModel as _, QuerySelect as _};

/// One resident. Everything that names the person is inside `sealed`; `lookup` finds the row again.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "person")]
pub struct Model {
    /// Identifier of the person, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Keyed hash of the national id; unique.
    pub lookup: Vec<u8>,
    /// Data key under which `sealed` is closed.
    pub key_id: Uuid,
    /// Sealed JSON: name, national id, birth date, mobile, e-mail, address.
    pub sealed: Vec<u8>,
    /// Language of letters and messages, as a tag (`zh-TW`, `en`, …).
    #[sea_orm(column_type = "Text")]
    pub language: String,
    /// Microseconds UTC.
    pub created_at: i64,
    /// Microseconds UTC.
    pub updated_at: i64,
    /// Grows with every change.
    pub revision: i64,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The person with this identifier.
///
/// # Errors
/// The database error.
pub async fn by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// The persons with these identifiers, in no order.
///
/// # Errors
/// The database error.
pub async fn by_ids(db: &impl ConnectionTrait, ids: Vec<Uuid>) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::Id.is_in(ids)).all(db).await
}

/// The person whose national id has this keyed hash.
///
/// # Errors
/// The database error.
pub async fn by_lookup(db: &impl ConnectionTrait, lookup: &[u8]) -> Result<Option<Model>, DbErr> {
    Entity::find().filter(Column::Lookup.eq(lookup.to_vec())).one(db).await
}

/// Writes a new person.
///
/// # Errors
/// The database error; a second row for the same `lookup` breaks its unique index.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Replaces the sealed content and language; false when `revision` is no longer the current one.
///
/// # Errors
/// The database error.
pub async fn replace(
    db: &impl ConnectionTrait,
    id: Uuid,
    revision: i64,
    sealed: Vec<u8>,
    language: &str,
    at: i64,
) -> Result<bool, DbErr> {
    let change = ActiveModel {
        sealed: Set(sealed),
        language: Set(language.to_owned()),
        updated_at: Set(at),
        revision: Set(revision + 1),
        ..Default::default()
    };
    let done = Entity::update_many()
        .set(change)
        .filter(Column::Id.eq(id))
        .filter(Column::Revision.eq(revision))
        .exec(db)
        .await?;
    Ok(done.rows_affected == 1)
}

/// Number of persons known.
///
/// # Errors
/// The database error.
pub async fn count(db: &impl ConnectionTrait) -> Result<u64, DbErr> {
    let n: Option<i64> = Entity::find()
        .select_only()
        .column_as(Column::Id.count(), "n")
        .into_tuple()
        .one(db)
        .await?;
    Ok(n.and_then(|n| u64::try_from(n).ok()).unwrap_or(0))
}
