//! A plan (計畫書) with which a government answers a subsidy programme, and how far it has come.

use sea_orm::IntoActiveModel as _;
use sea_orm::QueryOrder as _;
use sea_orm::entity::prelude::*;

/// How far a plan has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum State {
    /// It is being written.
    #[sea_orm(string_value = "draft")]
    Draft,
    /// It was sent before the call closed and is reviewed.
    #[sea_orm(string_value = "sent")]
    Sent,
    /// A subsidy is approved; the corrected plan (修正計畫書) is awaited.
    #[sea_orm(string_value = "correction")]
    Correction,
    /// The corrected plan was handed in.
    #[sea_orm(string_value = "corrected")]
    Corrected,
    /// The ministry gives nothing.
    #[sea_orm(string_value = "refused")]
    Refused,
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "subsidy_plan")]
pub struct Model {
    /// Identifier, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Folder name of the programme.
    #[sea_orm(column_type = "Text")]
    pub programme: String,
    /// The government, as the programme names it; unique for a programme.
    #[sea_orm(column_type = "Text")]
    pub government: String,
    /// How far it has come.
    pub state: State,
    /// Member of staff of the government who opened it.
    pub opened_by: Uuid,
    /// Microseconds UTC.
    pub opened_at: i64,
    /// When it was sent, microseconds UTC.
    pub sent_at: Option<i64>,
    /// JSON of what the ministry says of its necessity, feasibility and urgency.
    #[sea_orm(column_type = "Text", nullable)]
    pub appraisal: Option<String>,
    /// What the ministry gives, NT dollars, before anything is taken off for a late correction.
    pub amount: Option<i64>,
    /// Conditions of the subsidy, or why there is none.
    #[sea_orm(column_type = "Text", nullable)]
    pub note: Option<String>,
    /// Member of staff of the ministry who decided.
    pub decided_by: Option<Uuid>,
    /// Microseconds UTC.
    pub decided_at: Option<i64>,
    /// Legal day on which the comments reached the government, `YYYY-MM-DD`.
    #[sea_orm(column_type = "Text", nullable)]
    pub commented_on: Option<String>,
    /// When the corrected plan was handed in, microseconds UTC.
    pub handed_in_at: Option<i64>,
    /// Legal day on which the ministry put the plan off (緩議).
    #[sea_orm(column_type = "Text", nullable)]
    pub deferred_on: Option<String>,
    /// Why it was put off.
    #[sea_orm(column_type = "Text", nullable)]
    pub deferral_reason: Option<String>,
    /// Grows with every change of this row.
    pub revision: i64,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Writes a new row.
///
/// # Errors
/// The database error; a second plan of the government breaks its unique index.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// The plan with this identifier.
///
/// # Errors
/// The database error.
pub async fn by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// The plans of a government, by programme.
///
/// # Errors
/// The database error.
pub async fn of_government(db: &impl ConnectionTrait, government: &str) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::Government.eq(government))
        .order_by_asc(Column::Programme)
        .all(db)
        .await
}

/// All plans of a programme, the first opened first.
///
/// # Errors
/// The database error.
pub async fn of_programme(db: &impl ConnectionTrait, programme: &str) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::Programme.eq(programme))
        .order_by_asc(Column::Id)
        .all(db)
        .await
}

/// The plans of a programme that were sent, the first sent first.
///
/// # Errors
/// The database error.
pub async fn sent(db: &impl ConnectionTrait, programme: &str) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::Programme.eq(programme))
        .filter(Column::SentAt.is_not_null())
        .order_by_asc(Column::SentAt)
        .order_by_asc(Column::Id)
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
