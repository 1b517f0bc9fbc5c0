//! A breach of personal data (個人資料侵害事故, 個人資料保護法 §12) and how far its handling has come.

use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel as _, QueryOrder as _, QuerySelect as _};

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum State {
    /// It is looked into.
    #[sea_orm(string_value = "open")]
    Open,
    /// The platform tells who is concerned.
    #[sea_orm(string_value = "telling")]
    Telling,
    /// Everybody was told whom the platform reaches.
    #[sea_orm(string_value = "told")]
    Told,
    /// Everybody was told, and measures were taken.
    #[sea_orm(string_value = "closed")]
    Closed,
}

/// One breach.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "breach")]
pub struct Model {
    /// Identifier, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Number people read, such as `115-PD-0001`.
    #[sea_orm(column_type = "Text", unique)]
    pub number: String,
    /// Office that handles it.
    #[sea_orm(column_type = "Text")]
    pub agency: String,
    /// Whether it is a drill (演練): everything is done but telling anybody.
    pub drill: bool,
    /// How far it has come.
    pub state: State,
    /// When it was discovered, microseconds UTC.
    pub discovered_at: i64,
    /// When it was ascertained (查明), microseconds UTC.
    pub ascertained_at: Option<i64>,
    /// Until when it is reported, microseconds UTC.
    pub report_due: Option<i64>,
    /// When it was reported, microseconds UTC.
    pub reported_at: Option<i64>,
    /// When it was last counted whom it concerns, microseconds UTC; nothing while that is under way.
    pub counted_at: Option<i64>,
    /// Persons concerned.
    pub concerned: i64,
    /// Uses within the scope that name no person, such as a count over all.
    pub unnamed: i64,
    /// When telling began, microseconds UTC.
    pub told_at: Option<i64>,
    /// Microseconds UTC.
    pub closed_at: Option<i64>,
    /// Data key under which `sealed` is closed.
    pub key_id: Uuid,
    /// Sealed JSON: title, scope, report, what is told, measures, what was done when.
    pub sealed: Vec<u8>,
    /// Member of staff who opened it.
    pub opened_by: Uuid,
    /// Microseconds UTC.
    pub changed_at: i64,
    /// Grows with every change.
    pub revision: i64,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The breach with this identifier.
///
/// # Errors
/// The database error.
pub async fn by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// The breaches of an office, newest first, at most `limit`.
///
/// # Errors
/// The database error.
pub async fn of_agency(db: &impl ConnectionTrait, agency: &str, limit: u64) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::Agency.eq(agency))
        .order_by_desc(Column::DiscoveredAt)
        .limit(limit)
        .all(db)
        .await
}

/// Writes a new one.
///
/// # Errors
/// The database error.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Writes `row` over the stored one of its revision; false when somebody changed it in the meantime.
///
/// # Errors
/// The database error.
pub async fn replace(db: &impl ConnectionTrait, row: &Model) -> Result<bool, DbErr> {
    super::over::replace::<Entity>(db, row.clone(), Column::Id, Column::Revision).await
}
