//! The anonymous measure (績效紀錄) of one application: what the indicators are counted from, without the person.
//!
//! The identifier is random and carries no time; once the case is disposed of nothing leads back from it.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;
use sea_orm::{Condition, IntoActiveModel as _, QueryOrder as _, QuerySelect as _};

/// One application, without the person.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "measure")]
pub struct Model {
    /// Random identifier (uuid v4).
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Folder name of the service.
    #[sea_orm(column_type = "Text")]
    pub service: String,
    /// Month of submission, `YYYY-MM`.
    #[sea_orm(column_type = "Text")]
    pub month: String,
    /// `online`, `counter` or `agent`.
    #[sea_orm(column_type = "Text")]
    pub channel: String,
    /// `approved`, `refused` or `withdrawn`; empty while open.
    #[sea_orm(column_type = "Text", nullable)]
    pub outcome: Option<String>,
    /// Legal days from submission to decision, without the days the clock stood still.
    pub days: Option<i32>,
    /// Documents the paper form would have asked for.
    pub paper_documents: i32,
    /// Documents that were uploaded.
    pub uploads: i32,
    /// Requests for correction.
    pub corrections: i32,
    /// Answer to the survey, 5 to 1.
    pub grade: Option<i16>,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Which measures are counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Only this service.
    pub service: Option<String>,
    /// First month, `YYYY-MM`.
    pub from: Option<String>,
    /// Last month, `YYYY-MM`.
    pub to: Option<String>,
}

impl Span {
    fn condition(&self) -> Condition {
        let mut all = Condition::all();
        if let Some(service) = &self.service {
            all = all.add(Column::Service.eq(service));
        }
        if let Some(from) = &self.from {
            all = all.add(Column::Month.gte(from));
        }
        if let Some(to) = &self.to {
            all = all.add(Column::Month.lte(to));
        }
        all
    }
}

/// Writes a new measure.
///
/// # Errors
/// The database error.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Counts one more request for correction.
///
/// # Errors
/// The database error.
pub async fn count_correction(db: &impl ConnectionTrait, id: Uuid) -> Result<(), DbErr> {
    use sea_orm::sea_query::ExprTrait as _;
    Entity::update_many()
        .col_expr(Column::Corrections, Expr::col(Column::Corrections).add(1))
        .filter(Column::Id.eq(id))
        .exec(db)
        .await?;
    Ok(())
}

/// Notes how the application ended, or, with nothing, that it is open again.
///
/// # Errors
/// The database error.
pub async fn set_outcome(
    db: &impl ConnectionTrait,
    id: Uuid,
    outcome: Option<&str>,
    days: Option<i32>,
) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::Outcome, Expr::value(outcome.map(str::to_owned)))
        .col_expr(Column::Days, Expr::value(days))
        .filter(Column::Id.eq(id))
        .exec(db)
        .await?;
    Ok(())
}

/// Notes the answer to the survey.
///
/// # Errors
/// The database error.
pub async fn set_grade(db: &impl ConnectionTrait, id: Uuid, grade: i16) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::Grade, Expr::value(Some(grade)))
        .filter(Column::Id.eq(id))
        .exec(db)
        .await?;
    Ok(())
}

/// Number of applications by channel.
///
/// # Errors
/// The database error.
pub async fn by_channel(db: &impl ConnectionTrait, span: &Span) -> Result<Vec<(String, i64)>, DbErr> {
    Entity::find()
        .select_only()
        .column(Column::Channel)
        .column_as(Column::Id.count(), "n")
        .filter(span.condition())
        .group_by(Column::Channel)
        .order_by_asc(Column::Channel)
        .into_tuple()
        .all(db)
        .await
}

/// Number of applications by outcome; the open ones have none.
///
/// # Errors
/// The database error.
pub async fn by_outcome(db: &impl ConnectionTrait, span: &Span) -> Result<Vec<(Option<String>, i64)>, DbErr> {
    Entity::find()
        .select_only()
        .column(Column::Outcome)
        .column_as(Column::Id.count(), "n")
        .filter(span.condition())
        .group_by(Column::Outcome)
        .into_tuple()
        .all(db)
        .await
}

/// Number of applications by month of submission.
///
/// # Errors
/// The database error.
pub async fn by_month(db: &impl ConnectionTrait, span: &Span) -> Result<Vec<(String, i64)>, DbErr> {
    Entity::find()
        .select_only()
        .column(Column::Month)
        .column_as(Column::Id.count(), "n")
        .filter(span.condition())
        .group_by(Column::Month)
        .order_by_asc(Column::Month)
        .into_tuple()
        .all(db)
        .await
}

/// Number of answers by grade.
///
/// # Errors
/// The database error.
pub async fn by_grade(db: &impl ConnectionTrait, span: &Span) -> Result<Vec<(i16, i64)>, DbErr> {
    Entity::find()
        .select_only()
        .column(Column::Grade)
        .column_as(Column::Id.count(), "n")
        .filter(span.condition())
        .filter(Column::Grade.is_not_null())
        .group_by(Column::Grade)
        .into_tuple()
        .all(db)
        .await
}

/// Number of decided applications by the days the decision took, shortest first.
///
/// # Errors
/// The database error.
pub async fn by_days(db: &impl ConnectionTrait, span: &Span) -> Result<Vec<(i32, i64)>, DbErr> {
    Entity::find()
        .select_only()
        .column(Column::Days)
        .column_as(Column::Id.count(), "n")
        .filter(span.condition())
        .filter(Column::Days.is_not_null())
        .group_by(Column::Days)
        .order_by_asc(Column::Days)
        .into_tuple()
        .all(db)
        .await
}

/// Number of applications by the documents the paper form would have asked for and the uploads made.
///
/// # Errors
/// The database error.
pub async fn by_documents(db: &impl ConnectionTrait, span: &Span) -> Result<Vec<(i32, i32, i64)>, DbErr> {
    Entity::find()
        .select_only()
        .column(Column::PaperDocuments)
        .column(Column::Uploads)
        .column_as(Column::Id.count(), "n")
        .filter(span.condition())
        .group_by(Column::PaperDocuments)
        .group_by(Column::Uploads)
        .into_tuple()
        .all(db)
        .await
}
