//! What a government hands in while its plan is carried out: reports, changes, completion, the request for payment, results.

use sea_orm::IntoActiveModel as _;
use sea_orm::QueryOrder as _;
use sea_orm::entity::prelude::*;

/// What is handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Kind {
    /// The report of a quarter (季報); its number is the quarter.
    #[sea_orm(string_value = "report")]
    Report,
    /// A request to change the plan (計畫變更), counted from 1.
    #[sea_orm(string_value = "change")]
    Change,
    /// The work is complete (全案完成); its number is 1.
    #[sea_orm(string_value = "completion")]
    Completion,
    /// Acceptance and request for payment (驗收及請款); its number is 1.
    #[sea_orm(string_value = "request")]
    Request,
    /// Values of the indicators (績效指標); its number is the ROC year.
    #[sea_orm(string_value = "results")]
    Results,
}

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum State {
    /// It is being written.
    #[sea_orm(string_value = "draft")]
    Draft,
    /// It waits for the ministry.
    #[sea_orm(string_value = "sent")]
    Sent,
    /// The ministry gave it back to be mended.
    #[sea_orm(string_value = "returned")]
    Returned,
    /// The ministry took note of it, or granted it.
    #[sea_orm(string_value = "accepted")]
    Accepted,
    /// The ministry refused it.
    #[sea_orm(string_value = "refused")]
    Refused,
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "subsidy_filing")]
pub struct Model {
    /// Identifier, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The plan.
    pub plan_id: Uuid,
    /// What it is.
    pub kind: Kind,
    /// Quarter, count or year; once for a plan and kind.
    pub number: i32,
    /// How far it has come.
    pub state: State,
    /// JSON of what is handed in, as it was saved last.
    #[sea_orm(column_type = "Text")]
    pub content: String,
    /// Member of staff of the government.
    pub saved_by: Uuid,
    /// Microseconds UTC.
    pub saved_at: i64,
    /// When it was sent first: what was given back and sent again is not late for that.
    pub first_sent_at: Option<i64>,
    /// When it was sent last, microseconds UTC.
    pub sent_at: Option<i64>,
    /// What the ministry says.
    #[sea_orm(column_type = "Text", nullable)]
    pub answer: Option<String>,
    /// Member of staff of the ministry.
    pub answered_by: Option<Uuid>,
    /// Microseconds UTC.
    pub answered_at: Option<i64>,
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
/// The database error; a second one of the same kind and number breaks its unique index.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// All that was handed in of some plans, by plan, kind and number.
///
/// # Errors
/// The database error.
pub async fn of_plans(db: &impl ConnectionTrait, plans: &[Uuid]) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::PlanId.is_in(plans.iter().copied()))
        .order_by_asc(Column::PlanId)
        .order_by_asc(Column::Kind)
        .order_by_asc(Column::Number)
        .all(db)
        .await
}

/// One of a plan.
///
/// # Errors
/// The database error.
pub async fn one(db: &impl ConnectionTrait, plan: Uuid, kind: Kind, number: i32) -> Result<Option<Model>, DbErr> {
    Entity::find()
        .filter(Column::PlanId.eq(plan))
        .filter(Column::Kind.eq(kind))
        .filter(Column::Number.eq(number))
        .one(db)
        .await
}

/// Writes `row` over the stored one and raises the revision; false when somebody changed it in the meantime.
///
/// # Errors
/// The database error.
pub async fn replace(db: &impl ConnectionTrait, row: &Model) -> Result<bool, DbErr> {
    super::over::replace::<Entity>(db, row.clone(), Column::Id, Column::Revision).await
}
