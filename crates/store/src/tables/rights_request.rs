//! A request by which a person exercises a right over their data (當事人權利行使, 個人資料保護法 §3).

use sea_orm::entity::prelude::*;
use sea_orm::{Condition, IntoActiveModel as _, QueryOrder as _, QuerySelect as _};

/// Which right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Kind {
    /// To ask and to read (查詢或請求閱覽).
    #[sea_orm(string_value = "ask")]
    Ask,
    /// To have it completed or corrected (補充或更正).
    #[sea_orm(string_value = "correct")]
    Correct,
    /// To have its use stopped (停止蒐集、處理或利用).
    #[sea_orm(string_value = "stop")]
    Stop,
    /// To have it deleted (刪除).
    #[sea_orm(string_value = "delete")]
    Delete,
}

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum State {
    /// Waits for its answer.
    #[sea_orm(string_value = "open")]
    Open,
    /// Done as asked (准許).
    #[sea_orm(string_value = "granted")]
    Granted,
    /// Done in part (部分准許).
    #[sea_orm(string_value = "partly")]
    Partly,
    /// Refused with a reason (駁回).
    #[sea_orm(string_value = "refused")]
    Refused,
    /// The person took it back.
    #[sea_orm(string_value = "withdrawn")]
    Withdrawn,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "rights_request")]
pub struct Model {
    /// Identifier, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose request.
    pub person_id: Uuid,
    /// Which right.
    pub kind: Kind,
    /// Entry of the usage ledger it is about.
    pub entry: Option<i64>,
    /// The case it is about.
    pub application_id: Option<Uuid>,
    /// Office that answers; nothing where it is about no case, and whoever looks after privacy answers.
    #[sea_orm(column_type = "Text", nullable)]
    pub agency: Option<String>,
    /// Where it stands.
    pub state: State,
    /// Legal day it was made, `YYYY-MM-DD`.
    #[sea_orm(column_type = "Text")]
    pub made: String,
    /// Legal day by which it is answered, `YYYY-MM-DD`.
    #[sea_orm(column_type = "Text")]
    pub due: String,
    /// Whether the time was extended, which the law allows once.
    pub extended: bool,
    /// Sealed JSON with the key of the person: what they say, why it takes longer, the answer.
    pub sealed: Vec<u8>,
    /// Who answered.
    pub answered_by: Option<Uuid>,
    /// Microseconds UTC.
    pub made_at: i64,
    /// Microseconds UTC.
    pub changed_at: i64,
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
/// The database error.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// The requests of a person, newest first, at most `limit`.
///
/// # Errors
/// The database error.
pub async fn of_person(db: &impl ConnectionTrait, person: Uuid, limit: u64) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::PersonId.eq(person))
        .order_by_desc(Column::MadeAt)
        .limit(limit)
        .all(db)
        .await
}

/// How many requests of a person wait for their answer.
///
/// # Errors
/// The database error.
pub async fn open_of_person(db: &impl ConnectionTrait, person: Uuid) -> Result<u64, DbErr> {
    Entity::find()
        .filter(Column::PersonId.eq(person))
        .filter(Column::State.eq(State::Open))
        .count(db)
        .await
}

/// Requests of an office and of none: those that wait by their last day, or those that are over, newest first.
///
/// # Errors
/// The database error.
pub async fn of_agency(db: &impl ConnectionTrait, agency: &str, open: bool, limit: u64) -> Result<Vec<Model>, DbErr> {
    let query = Entity::find().filter(
        Condition::any()
            .add(Column::Agency.eq(agency))
            .add(Column::Agency.is_null()),
    );
    let query = if open {
        query
            .filter(Column::State.eq(State::Open))
            .order_by_asc(Column::Due)
            .order_by_asc(Column::MadeAt)
    } else {
        query
            .filter(Column::State.ne(State::Open))
            .order_by_desc(Column::ChangedAt)
    };
    query.limit(limit).all(db).await
}

/// Writes `row` over the stored one of its revision; false when somebody changed it in the meantime.
///
/// # Errors
/// The database error.
pub async fn replace(db: &impl ConnectionTrait, row: &Model) -> Result<bool, DbErr> {
    super::over::replace::<Entity>(db, row.clone(), Column::Id, Column::Revision).await
}

/// Deletes requests that are over and were last changed before this time.
///
/// # Errors
/// The database error.
pub async fn delete_answered(db: &impl ConnectionTrait, before: i64) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::State.ne(State::Open))
        .filter(Column::ChangedAt.lt(before))
        .exec(db)
        .await?;
    Ok(())
}
