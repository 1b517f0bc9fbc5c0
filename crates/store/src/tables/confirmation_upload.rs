//! What a body handed in as a file, between the preview and the confirmation of it. Sealed under the key of the member
//! of staff who handed it in, and deleted with its use or after a day.

use sea_orm::IntoActiveModel as _;
use sea_orm::entity::prelude::*;

/// One file's rows, waiting to be applied.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "confirmation_upload")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Who handed it in.
    pub staff_id: Uuid,
    /// Folder name of the service.
    #[sea_orm(column_type = "Text")]
    pub service: String,
    /// Sealed JSON of the rows that change something.
    pub sealed: Vec<u8>,
    /// Microseconds UTC.
    pub made_at: i64,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The upload of this identifier.
///
/// # Errors
/// The database error.
pub async fn by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// Writes a new upload in the place of any the same member of staff had waiting for the service.
///
/// # Errors
/// The database error.
pub async fn put(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::StaffId.eq(row.staff_id))
        .filter(Column::Service.eq(&row.service))
        .exec(db)
        .await?;
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Takes an upload away; false when it was taken before.
///
/// # Errors
/// The database error.
pub async fn take(db: &impl ConnectionTrait, id: Uuid) -> Result<bool, DbErr> {
    Ok(Entity::delete_by_id(id).exec(db).await?.rows_affected == 1)
}

/// Deletes uploads made before a moment, microseconds UTC.
///
/// # Errors
/// The database error.
pub async fn delete_before(db: &impl ConnectionTrait, at: i64) -> Result<u64, DbErr> {
    let done = Entity::delete_many().filter(Column::MadeAt.lt(at)).exec(db).await?;
    Ok(done.rows_affected)
}
