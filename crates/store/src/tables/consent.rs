//! Notice and consent (告知與同意): what a person was shown, in which words, and what they agreed to.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;
use sea_orm::{IntoActiveModel as _, QueryOrder as _};

/// One notice shown, and the answer.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "consent")]
pub struct Model {
    /// Identifier, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Who.
    pub person_id: Uuid,
    /// The case.
    pub application_id: Uuid,
    /// `notice` (Personal Data Protection Act §8), `mydata` (one single fetch) or `wallet` (one showing of a card).
    #[sea_orm(column_type = "Text")]
    pub kind: String,
    /// SHA-256 in hex of the words shown.
    #[sea_orm(column_type = "Text")]
    pub digest: String,
    /// Language of the words shown, as a tag.
    #[sea_orm(column_type = "Text")]
    pub language: String,
    /// Data sets agreed to, separated by blanks; empty for a notice.
    #[sea_orm(column_type = "Text")]
    pub resources: String,
    /// Microseconds UTC.
    pub shown_at: i64,
    /// Microseconds UTC.
    pub agreed_at: i64,
    /// Microseconds UTC at which the person took it back.
    pub withdrawn_at: Option<i64>,
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
/// The database error.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// All consents of a person, newest first.
///
/// # Errors
/// The database error.
pub async fn of_person(db: &impl ConnectionTrait, person: Uuid) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::PersonId.eq(person))
        .order_by_desc(Column::AgreedAt)
        .order_by_desc(Column::Id)
        .all(db)
        .await
}

/// All consents of a case, oldest first.
///
/// # Errors
/// The database error.
pub async fn of_application(db: &impl ConnectionTrait, application: Uuid) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::ApplicationId.eq(application))
        .order_by_asc(Column::AgreedAt)
        .order_by_asc(Column::Id)
        .all(db)
        .await
}

/// Takes a consent back; false when it was taken back before.
///
/// # Errors
/// The database error.
pub async fn withdraw(db: &impl ConnectionTrait, id: Uuid, at: i64) -> Result<bool, DbErr> {
    let done = Entity::update_many()
        .col_expr(Column::WithdrawnAt, Expr::value(Some(at)))
        .filter(Column::Id.eq(id))
        .filter(Column::WithdrawnAt.is_null())
        .exec(db)
        .await?;
    Ok(done.rows_affected == 1)
}

/// Deletes all rows of a case.
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
