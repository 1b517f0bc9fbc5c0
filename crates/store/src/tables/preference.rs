//! Whether a person wants to be told of what they may be entitled to (主動通知意願).

use sea_orm::IntoActiveModel as _;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;

/// What one person said. It needs no account.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "preference")]
pub struct Model {
    /// Random identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Keyed hash of the national id; unique.
    pub subject: Vec<u8>,
    /// Whether they want to be told.
    pub wants: bool,
    /// Microseconds UTC.
    pub changed_at: i64,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Preference")
            .field("id", &self.id)
            .field("wants", &self.wants)
            .finish_non_exhaustive()
    }
}

/// What a person said, if they said anything.
///
/// # Errors
/// The database error.
pub async fn find(db: &impl ConnectionTrait, subject: &[u8]) -> Result<Option<bool>, DbErr> {
    let found = Entity::find().filter(Column::Subject.eq(subject)).one(db).await?;
    Ok(found.map(|row| row.wants))
}

/// Writes what a person says now.
///
/// # Errors
/// The database error.
pub async fn put(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    let again = OnConflict::column(Column::Subject)
        .update_columns([Column::Wants, Column::ChangedAt])
        .to_owned();
    Entity::insert(row.into_active_model())
        .on_conflict(again)
        .exec_without_returning(db)
        .await?;
    Ok(())
}
