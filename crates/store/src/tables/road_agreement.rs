//! An approval to exchange data over T-Road (介接核准): asked for by one member of staff, decided by another.

use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel as _, QueryOrder as _, QuerySelect as _};

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum State {
    /// Somebody asked for it (申請中).
    #[sea_orm(string_value = "applied")]
    Applied,
    /// It may be used within its days (核准).
    #[sea_orm(string_value = "approved")]
    Approved,
    /// It was refused (駁回).
    #[sea_orm(string_value = "refused")]
    Refused,
    /// It was ended before its last day (終止).
    #[sea_orm(string_value = "ended")]
    Ended,
}

/// One approval.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "road_agreement")]
pub struct Model {
    /// Identifier, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Number of the document (核准文號); unique.
    #[sea_orm(column_type = "Text")]
    pub number: String,
    /// The interface, as the road names it.
    #[sea_orm(column_type = "Text")]
    pub service: String,
    /// Who calls, as the road names them.
    #[sea_orm(column_type = "Text")]
    pub client: String,
    /// Purpose (特定目的).
    #[sea_orm(column_type = "Text")]
    pub purpose: String,
    /// Law.
    #[sea_orm(column_type = "Text")]
    pub legal_ground: String,
    /// JSON list of the fields it speaks of.
    #[sea_orm(column_type = "Text")]
    pub fields: String,
    /// First legal day, `YYYY-MM-DD`.
    #[sea_orm(column_type = "Text")]
    pub first_day: String,
    /// Last legal day.
    #[sea_orm(column_type = "Text")]
    pub last_day: String,
    /// Most calls a day; none means no limit.
    pub daily_quota: Option<i64>,
    /// How far it has come.
    pub state: State,
    /// Member of staff who asked for it.
    pub applied_by: Uuid,
    /// Microseconds UTC.
    pub applied_at: i64,
    /// Member of staff who decided, or ended it.
    pub decided_by: Option<Uuid>,
    /// Microseconds UTC.
    pub decided_at: Option<i64>,
    /// Why it was refused or ended.
    #[sea_orm(column_type = "Text", nullable)]
    pub reason: Option<String>,
    /// Grows with every change.
    pub revision: i64,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The row with this identifier.
///
/// # Errors
/// The database error.
pub async fn by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// Writes a new row.
///
/// # Errors
/// The database error; a number that stands already breaks its unique index.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// All approvals, the newest first.
///
/// # Errors
/// The database error.
pub async fn all(db: &impl ConnectionTrait, limit: u64) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .order_by_desc(Column::AppliedAt)
        .order_by_desc(Column::Id)
        .limit(limit)
        .all(db)
        .await
}

/// Writes `row` over the stored one and raises the revision; false when somebody changed it in the meantime.
///
/// # Errors
/// The database error.
pub async fn replace(db: &impl ConnectionTrait, row: &Model) -> Result<bool, DbErr> {
    super::over::replace::<Entity>(db, row.clone(), Column::Id, Column::Revision).await
}
