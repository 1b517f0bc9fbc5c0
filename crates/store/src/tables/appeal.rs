//! An administrative appeal (訴願) against a decision.

use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel as _, QueryOrder as _, QuerySelect as _};

/// Where an appeal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum State {
    /// Lodged; the deciding office examines its own decision again (重新審查).
    #[sea_orm(string_value = "lodged")]
    Lodged,
    /// The office set its decision aside and decides anew (自行撤銷或變更).
    #[sea_orm(string_value = "set_aside")]
    SetAside,
    /// The letter of the new decision has left.
    #[sea_orm(string_value = "decided")]
    Decided,
    /// Answered and sent to the appeal body with the file (答辯並檢卷移送).
    #[sea_orm(string_value = "forwarded")]
    Forwarded,
    /// The person took it back.
    #[sea_orm(string_value = "withdrawn")]
    Withdrawn,
}

/// One appeal.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "appeal")]
pub struct Model {
    /// Identifier, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The case.
    pub application_id: Uuid,
    /// Folder name of the service.
    #[sea_orm(column_type = "Text")]
    pub service: String,
    /// `online` or `paper`.
    #[sea_orm(column_type = "Text")]
    pub channel: String,
    /// Where it stands.
    pub state: State,
    /// Legal day the decision was delivered, `YYYY-MM-DD`.
    #[sea_orm(column_type = "Text")]
    pub delivered: String,
    /// Legal day it was lodged, `YYYY-MM-DD`.
    #[sea_orm(column_type = "Text")]
    pub lodged: String,
    /// Whether it came after the period; the appeal body decides what that means.
    pub late: bool,
    /// Legal day by which the office answers, `YYYY-MM-DD`.
    #[sea_orm(column_type = "Text")]
    pub due: String,
    /// Sealed JSON: what the person says, and what the office answers.
    pub sealed: Vec<u8>,
    /// The decision it is against, by its time in microseconds UTC; unique with the case.
    pub decided_at: i64,
    /// Microseconds UTC.
    pub made_at: i64,
    /// Microseconds UTC.
    pub changed_at: i64,
    /// Grows with every change.
    pub revision: i64,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The appeal of this identifier.
///
/// # Errors
/// The database error.
pub async fn by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// The appeals of a case, newest first.
///
/// # Errors
/// The database error.
pub async fn of_application(db: &impl ConnectionTrait, application: Uuid) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::ApplicationId.eq(application))
        .order_by_desc(Column::MadeAt)
        .order_by_desc(Column::Id)
        .all(db)
        .await
}

/// Appeals of some services that an office still has to work on, the nearest day first.
///
/// # Errors
/// The database error.
pub async fn open(db: &impl ConnectionTrait, services: &[String], limit: u64) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::Service.is_in(services))
        .filter(Column::State.is_in([State::Lodged, State::SetAside]))
        .order_by_asc(Column::Due)
        .order_by_asc(Column::Id)
        .limit(limit)
        .all(db)
        .await
}

/// Writes a new appeal.
///
/// # Errors
/// The database error; a second one against the same decision breaks its unique index.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Writes `row` over the stored one and raises the revision; false when somebody else changed it in the meantime.
///
/// # Errors
/// The database error.
pub async fn replace(db: &impl ConnectionTrait, row: &Model) -> Result<bool, DbErr> {
    super::over::replace::<Entity>(db, row.clone(), Column::Id, Column::Revision).await
}

/// Deletes the appeals of a case.
///
/// # Errors
/// The database error.
pub async fn delete_of(db: &impl ConnectionTrait, application: Uuid) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::ApplicationId.eq(application))
        .exec(db)
        .await?;
    Ok(())
}
