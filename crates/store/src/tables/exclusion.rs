//! Who is left out of the rolls of a service (排除名單), and why.

use sea_orm::entity::prelude::*;
use sea_orm::{Condition, IntoActiveModel as _, QueryOrder as _, QuerySelect as _};

/// One person left out.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "exclusion")]
pub struct Model {
    /// Identifier, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Folder name of the service.
    #[sea_orm(column_type = "Text")]
    pub service: String,
    /// Keyed hash of the national id; unique within the service.
    pub subject: Vec<u8>,
    /// Why: a code such as `deceased`.
    #[sea_orm(column_type = "Text")]
    pub reason: String,
    /// Key that seals it.
    pub key_id: Uuid,
    /// Sealed JSON: national id, name, note.
    pub sealed: Vec<u8>,
    /// Microseconds UTC.
    pub made_at: i64,
    /// Member of staff; none where the person declined.
    pub made_by: Option<Uuid>,
    /// Last legal day it holds, `YYYY-MM-DD`; none: until it is taken back.
    #[sea_orm(column_type = "Text", nullable)]
    pub until: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exclusion")
            .field("id", &self.id)
            .field("service", &self.service)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

fn in_force(service: &str, today: &str) -> Condition {
    Condition::all().add(Column::Service.eq(service)).add(
        Condition::any()
            .add(Column::Until.is_null())
            .add(Column::Until.gte(today)),
    )
}

/// Who of these is left out today, with the reason.
///
/// # Errors
/// The database error.
pub async fn of(
    db: &impl ConnectionTrait,
    service: &str,
    subjects: &[Vec<u8>],
    today: &str,
) -> Result<Vec<(Vec<u8>, String)>, DbErr> {
    Entity::find()
        .select_only()
        .column(Column::Subject)
        .column(Column::Reason)
        .filter(in_force(service, today))
        .filter(Column::Subject.is_in(subjects.iter().cloned()))
        .into_tuple()
        .all(db)
        .await
}

/// Everybody left out today, the newest first.
///
/// # Errors
/// The database error.
pub async fn newest(
    db: &impl ConnectionTrait,
    service: &str,
    today: &str,
    limit: u64,
) -> Result<(Vec<Model>, u64), DbErr> {
    let found = Entity::find().filter(in_force(service, today));
    let total = found.clone().count(db).await?;
    let rows = found
        .order_by_desc(Column::MadeAt)
        .order_by_desc(Column::Id)
        .limit(limit)
        .all(db)
        .await?;
    Ok((rows, total))
}

/// Puts somebody on the list, in the place of an earlier line about them.
///
/// # Errors
/// The database error.
pub async fn put(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    remove(db, &row.service, &row.subject).await?;
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Takes somebody off the list; false when they are not on it.
///
/// # Errors
/// The database error.
pub async fn remove(db: &impl ConnectionTrait, service: &str, subject: &[u8]) -> Result<bool, DbErr> {
    let done = Entity::delete_many()
        .filter(Column::Service.eq(service))
        .filter(Column::Subject.eq(subject))
        .exec(db)
        .await?;
    Ok(done.rows_affected > 0)
}

/// The line with this identifier.
///
/// # Errors
/// The database error.
pub async fn by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// Deletes the lines whose last day is over, and says how many there were.
///
/// # Errors
/// The database error.
pub async fn delete_ended(db: &impl ConnectionTrait, today: &str) -> Result<u64, DbErr> {
    let done = Entity::delete_many().filter(Column::Until.lt(today)).exec(db).await?;
    Ok(done.rows_affected)
}
