//! What may serve once: names of challenges, transactions and tokens that have been used. Rows are never changed.

use sea_orm::IntoActiveModel as _;
use sea_orm::entity::prelude::*;

/// Something that was used.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "once_seen")]
pub struct Model {
    /// Kind and digest, such as `card:` and a SHA-256 in hexadecimal.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub key: String,
    /// Microseconds UTC from which it may be forgotten: nothing with this key is accepted any more.
    pub until: i64,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Notes a use; a key that is there is a duplicate.
///
/// # Errors
/// The database error, a duplicate among them.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Forgets what nobody would accept any more; gives how many.
///
/// # Errors
/// The database error.
pub async fn prune(db: &impl ConnectionTrait, now: i64) -> Result<u64, DbErr> {
    let gone = Entity::delete_many().filter(Column::Until.lte(now)).exec(db).await?;
    Ok(gone.rows_affected)
}
