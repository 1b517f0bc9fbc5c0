//! The satisfaction survey (滿意度調查) offered when a case is completed.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;
use sea_orm::{IntoActiveModel as _, QueryOrder as _};

/// One survey.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "survey")]
pub struct Model {
    /// Identifier, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The case; unique.
    pub application_id: Uuid,
    /// Microseconds UTC.
    pub offered_at: i64,
    /// Microseconds UTC.
    pub answered_at: Option<i64>,
    /// 5 very satisfied, 4 satisfied, 3 neutral, 2 dissatisfied, 1 very dissatisfied.
    pub grade: Option<i16>,
    /// Sealed free text.
    pub comment: Option<Vec<u8>>,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The survey of a case.
///
/// # Errors
/// The database error.
pub async fn of_application(db: &impl ConnectionTrait, application: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find()
        .filter(Column::ApplicationId.eq(application))
        .order_by_asc(Column::OfferedAt)
        .one(db)
        .await
}

/// Offers a survey.
///
/// # Errors
/// The database error; a second one for the same case breaks its unique index.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Takes the answer; false when the survey was answered before.
///
/// # Errors
/// The database error.
pub async fn answer(
    db: &impl ConnectionTrait,
    id: Uuid,
    grade: i16,
    comment: Option<Vec<u8>>,
    at: i64,
) -> Result<bool, DbErr> {
    let done = Entity::update_many()
        .col_expr(Column::Grade, Expr::value(Some(grade)))
        .col_expr(Column::Comment, Expr::value(comment))
        .col_expr(Column::AnsweredAt, Expr::value(Some(at)))
        .filter(Column::Id.eq(id))
        .filter(Column::AnsweredAt.is_null())
        .exec(db)
        .await?;
    Ok(done.rows_affected == 1)
}

/// Deletes the survey of a case; the grade lives on in the measure.
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
