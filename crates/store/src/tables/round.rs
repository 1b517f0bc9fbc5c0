//! A round (梯次) from the moment its list is sealed: what was published, and who did it.

use sea_orm::IntoActiveModel as _;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;

/// One round.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "round")]
pub struct Model {
    /// Identifier, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Folder name of the service.
    #[sea_orm(column_type = "Text")]
    pub service: String,
    /// Name of the round in the service's `round.toml`; unique within the service.
    #[sea_orm(column_type = "Text")]
    pub round: String,
    /// SHA-256 of the sealed list, hex.
    #[sea_orm(column_type = "Text")]
    pub digest: String,
    /// The sealed list as it was published: JSON without personal data.
    pub sealed: Vec<u8>,
    /// Microseconds UTC.
    pub sealed_at: i64,
    /// Member of staff.
    pub sealed_by: Uuid,
    /// The public value.
    #[sea_orm(column_type = "Text", nullable)]
    pub seed: Option<String>,
    /// The draw as it was published.
    pub drawn: Option<Vec<u8>>,
    /// Microseconds UTC.
    pub drawn_at: Option<i64>,
    /// Member of staff; never the one who sealed.
    pub drawn_by: Option<Uuid>,
    /// Grows with every change of who holds what, so that two changes never cross.
    pub revision: i64,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The round of this name, once its list is sealed.
///
/// # Errors
/// The database error.
pub async fn find(db: &impl ConnectionTrait, service: &str, round: &str) -> Result<Option<Model>, DbErr> {
    Entity::find()
        .filter(Column::Service.eq(service))
        .filter(Column::Round.eq(round))
        .one(db)
        .await
}

/// Writes a sealed round.
///
/// # Errors
/// The database error; a second list for the same round breaks its unique index.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Writes the draw; false when it has been drawn before.
///
/// # Errors
/// The database error.
pub async fn set_draw(
    db: &impl ConnectionTrait,
    id: Uuid,
    seed: &str,
    drawn: Vec<u8>,
    at: i64,
    by: Uuid,
) -> Result<bool, DbErr> {
    let done = Entity::update_many()
        .col_expr(Column::Seed, Expr::value(Some(seed)))
        .col_expr(Column::Drawn, Expr::value(Some(drawn)))
        .col_expr(Column::DrawnAt, Expr::value(Some(at)))
        .col_expr(Column::DrawnBy, Expr::value(Some(by)))
        .col_expr(Column::Revision, Expr::value(2_i64))
        .filter(Column::Id.eq(id))
        .filter(Column::DrawnAt.is_null())
        .exec(db)
        .await?;
    Ok(done.rows_affected == 1)
}

/// Raises the revision; false when somebody else did so since it was read.
///
/// # Errors
/// The database error.
pub async fn step(db: &impl ConnectionTrait, id: Uuid, revision: i64) -> Result<bool, DbErr> {
    let done = Entity::update_many()
        .col_expr(Column::Revision, Expr::value(revision + 1))
        .filter(Column::Id.eq(id))
        .filter(Column::Revision.eq(revision))
        .exec(db)
        .await?;
    Ok(done.rows_affected == 1)
}
