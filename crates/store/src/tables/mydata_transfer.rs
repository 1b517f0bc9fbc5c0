//! A transfer (傳輸紀錄) to the MyData platform: one call for one person's data set, with every repetition of it. It is kept at least a
//! year, longer than what was given.

use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel as _, QueryOrder as _, QuerySelect as _};

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum State {
    /// The city makes it.
    #[sea_orm(string_value = "preparing")]
    Preparing,
    /// It lies sealed and waits to be fetched.
    #[sea_orm(string_value = "ready")]
    Ready,
    /// It was given.
    #[sea_orm(string_value = "sent")]
    Sent,
    /// The city has nothing of this person.
    #[sea_orm(string_value = "nothing")]
    Nothing,
    /// It was refused.
    #[sea_orm(string_value = "refused")]
    Refused,
}

/// One transfer.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mydata_transfer")]
pub struct Model {
    /// The platform's `transaction_uid`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The data set.
    #[sea_orm(column_type = "Text")]
    pub resource_id: String,
    /// Who, where the city knows them.
    pub person_id: Option<Uuid>,
    /// How far it has come.
    pub state: State,
    /// HTTP status of the last answer.
    pub status: i32,
    /// How the platform verified the citizen, its word.
    #[sea_orm(column_type = "Text", nullable)]
    pub verification: Option<String>,
    /// Sealed JSON of the parameters, until it is made.
    pub parameters: Option<Vec<u8>>,
    /// The package, sealed among the files, until it is given.
    pub file_id: Option<Uuid>,
    /// Bytes given.
    pub size: i64,
    /// How often the platform asked.
    pub tries: i32,
    /// First call, microseconds UTC.
    pub asked_at: i64,
    /// From when on it can be fetched, microseconds UTC.
    pub ready_at: Option<i64>,
    /// Last answer, microseconds UTC.
    pub answered_at: i64,
    /// Grows with every change.
    pub revision: i64,
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
/// The database error; a second row of one transaction breaks the primary key.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Writes `row` over the stored one and raises the revision; false when somebody changed it in the meantime.
///
/// # Errors
/// The database error.
pub async fn replace(db: &impl ConnectionTrait, row: &Model) -> Result<bool, DbErr> {
    super::over::replace::<Entity>(db, row.clone(), Column::Id, Column::Revision).await
}

/// Transfers of a time, newest first; of one data set where it is named.
///
/// # Errors
/// The database error.
pub async fn between(
    db: &impl ConnectionTrait,
    resource_id: Option<&str>,
    from: i64,
    to: i64,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let mut query = Entity::find()
        .filter(Column::AskedAt.gte(from))
        .filter(Column::AskedAt.lt(to));
    if let Some(resource_id) = resource_id {
        query = query.filter(Column::ResourceId.eq(resource_id));
    }
    query
        .order_by_desc(Column::AskedAt)
        .order_by_desc(Column::Id)
        .limit(limit)
        .all(db)
        .await
}

/// Transfers that began before a time and whose packages are kept still.
///
/// # Errors
/// The database error.
pub async fn forgotten(db: &impl ConnectionTrait, before: i64, limit: u64) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::FileId.is_not_null())
        .filter(Column::AskedAt.lt(before))
        .limit(limit)
        .all(db)
        .await
}

/// Removes the transfers that began before a time.
///
/// # Errors
/// The database error.
pub async fn delete_before(db: &impl ConnectionTrait, before: i64) -> Result<u64, DbErr> {
    let done = Entity::delete_many()
        .filter(Column::AskedAt.lt(before))
        .exec(db)
        .await?;
    Ok(done.rows_affected)
}
