//! The review meeting (審查會議) of a call: when and where, and in which order the plans are presented.

use sea_orm::IntoActiveModel as _;
use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "subsidy_meeting")]
pub struct Model {
    /// Identifier, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Folder name of the programme; once.
    #[sea_orm(column_type = "Text")]
    pub programme: String,
    /// Legal day, `YYYY-MM-DD`.
    #[sea_orm(column_type = "Text")]
    pub day: String,
    /// Where it is held.
    #[sea_orm(column_type = "Text")]
    pub place: String,
    /// When the first presentation begins, `HH:MM:SS` of legal time.
    #[sea_orm(column_type = "Text")]
    pub begins: String,
    /// Minutes of each presentation with its questions.
    pub minutes: i32,
    /// From when nobody presents, as `begins`.
    #[sea_orm(column_type = "Text", nullable)]
    pub pause_from: Option<String>,
    /// Until when.
    #[sea_orm(column_type = "Text", nullable)]
    pub pause_until: Option<String>,
    /// JSON list of the plans in the order in which they are presented; empty before there is one.
    #[sea_orm(column_type = "Text")]
    pub presentations: String,
    /// JSON of the draw (抽籤) with its seed, where the order was drawn; a draw is made once and never changed.
    #[sea_orm(column_type = "Text", nullable)]
    pub drawn: Option<String>,
    /// Member of staff of the ministry who drew.
    pub drawn_by: Option<Uuid>,
    /// Microseconds UTC.
    pub drawn_at: Option<i64>,
    /// Why the order is another than the drawn one.
    #[sea_orm(column_type = "Text", nullable)]
    pub reason: Option<String>,
    /// Member of staff of the ministry who put the plans in order by hand.
    pub arranged_by: Option<Uuid>,
    /// Microseconds UTC.
    pub arranged_at: Option<i64>,
    /// Member of staff of the ministry who convened it.
    pub made_by: Uuid,
    /// Microseconds UTC.
    pub made_at: i64,
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
/// The database error; a second meeting of the call breaks its unique index.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// The meeting of a call.
///
/// # Errors
/// The database error.
pub async fn of_programme(db: &impl ConnectionTrait, programme: &str) -> Result<Option<Model>, DbErr> {
    Entity::find().filter(Column::Programme.eq(programme)).one(db).await
}

/// Writes `row` over the stored one and raises the revision; false when somebody changed it in the meantime.
///
/// # Errors
/// The database error.
pub async fn replace(db: &impl ConnectionTrait, row: &Model) -> Result<bool, DbErr> {
    super::over::replace::<Entity>(db, row.clone(), Column::Id, Column::Revision).await
}
