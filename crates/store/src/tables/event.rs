//! The history of a case (案件歷程): one row for each thing that happened to it; rows are never changed.

use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel as _, QueryOrder as _};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event")]
pub struct Model {
    /// Identifier, uuid v7, in order of time.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The case.
    pub application_id: Uuid,
    /// Revision of the case this event made; with `application_id` and `kind` unique.
    pub revision: i64,
    /// Microseconds UTC.
    pub at: i64,
    /// `person`, `staff` or `system`.
    #[sea_orm(column_type = "Text")]
    pub actor: String,
    /// Who, if a person or a member of staff.
    pub actor_id: Option<Uuid>,
    /// What happened, such as `submitted`.
    #[sea_orm(column_type = "Text")]
    pub kind: String,
    /// State before; empty for the first.
    #[sea_orm(column_type = "Text", nullable)]
    pub from_state: Option<String>,
    /// State after.
    #[sea_orm(column_type = "Text")]
    pub to_state: String,
    /// Sealed JSON with what else there is to say.
    pub detail: Option<Vec<u8>>,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Writes an event.
///
/// # Errors
/// The database error.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    insert_all(db, [row]).await
}

/// Writes events.
///
/// # Errors
/// The database error.
pub async fn insert_all(db: &impl ConnectionTrait, rows: impl IntoIterator<Item = Model>) -> Result<(), DbErr> {
    Entity::insert_many(rows.into_iter().map(Model::into_active_model))
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// The whole history of a case, oldest first.
///
/// # Errors
/// The database error.
pub async fn of_application(db: &impl ConnectionTrait, application: Uuid) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::ApplicationId.eq(application))
        .order_by_asc(Column::Revision)
        .order_by_asc(Column::At)
        .order_by_asc(Column::Id)
        .all(db)
        .await
}

/// Forgets the sealed details of a case; what happened and when stays.
///
/// # Errors
/// The database error.
pub async fn forget(db: &impl ConnectionTrait, application: Uuid) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::Detail, sea_orm::sea_query::Expr::value(Option::<Vec<u8>>::None))
        .filter(Column::ApplicationId.eq(application))
        .exec(db)
        .await?;
    Ok(())
}
