//! An organisation (團體) of the city that may act for residents, such as an association of social workers.

use sea_orm::IntoActiveModel as _;
use sea_orm::QueryOrder as _;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;

/// One organisation. Its accounts are rows of [`super::staff`] whose office is its number.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "organisation")]
pub struct Model {
    /// Identifier, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Unified business number (統一編號); unique.
    #[sea_orm(column_type = "Text")]
    pub number: String,
    /// Name shown to residents.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// False: closed, nobody acts for it any more.
    pub active: bool,
    /// Microseconds UTC.
    pub created_at: i64,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The organisation with this identifier.
///
/// # Errors
/// The database error.
pub async fn by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// The organisation with this number.
///
/// # Errors
/// The database error.
pub async fn by_number(db: &impl ConnectionTrait, number: &str) -> Result<Option<Model>, DbErr> {
    Entity::find().filter(Column::Number.eq(number)).one(db).await
}

/// All organisations, by number.
///
/// # Errors
/// The database error.
pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<Model>, DbErr> {
    Entity::find().order_by_asc(Column::Number).all(db).await
}

/// Writes a new organisation.
///
/// # Errors
/// The database error; a second row with the same number breaks its unique index.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Opens or closes an organisation; false when there is none of this number.
///
/// # Errors
/// The database error.
pub async fn set_active(db: &impl ConnectionTrait, number: &str, active: bool) -> Result<bool, DbErr> {
    let done = Entity::update_many()
        .col_expr(Column::Active, Expr::value(active))
        .filter(Column::Number.eq(number))
        .exec(db)
        .await?;
    Ok(done.rows_affected == 1)
}
