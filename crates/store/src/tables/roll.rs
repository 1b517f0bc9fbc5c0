//! A roll (名冊): everybody whom the city gives something of its own motion, and how far that has come.

use sea_orm::IntoActiveModel as _;
use sea_orm::entity::prelude::*;

/// How far a roll has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum State {
    /// The register is being swept (造冊中).
    #[sea_orm(string_value = "drawing")]
    Drawing,
    /// Everybody entitled stands on it (已造冊).
    #[sea_orm(string_value = "drawn")]
    Drawn,
    /// The other office has confirmed it (已會核).
    #[sea_orm(string_value = "confirmed")]
    Confirmed,
    /// The persons are being told.
    #[sea_orm(string_value = "telling")]
    Telling,
    /// They have been told, and may decline or object (通知中).
    #[sea_orm(string_value = "told")]
    Told,
    /// The decisions are being made.
    #[sea_orm(string_value = "granting")]
    Granting,
    /// Everything has been given (已核定).
    #[sea_orm(string_value = "granted")]
    Granted,
}

/// One roll.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "roll")]
pub struct Model {
    /// Identifier, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Folder name of the service.
    #[sea_orm(column_type = "Text")]
    pub service: String,
    /// Name of the roll in the service's `roll.toml`; unique within the service.
    #[sea_orm(column_type = "Text")]
    pub roll: String,
    /// How far it has come.
    pub state: State,
    /// Legal day whose law decides, `YYYY-MM-DD`.
    #[sea_orm(column_type = "Text")]
    pub reference_date: String,
    /// Digest of the service folder it was drawn up by.
    #[sea_orm(column_type = "Text")]
    pub service_digest: String,
    /// Day of the register it was drawn up from, `YYYY-MM-DD`.
    #[sea_orm(column_type = "Text")]
    pub as_of: String,
    /// Persons whom the sweep found entitled and a decision of their own did not: they are not on it, and somebody must look.
    pub differing: i64,
    /// Microseconds UTC.
    pub made_at: i64,
    /// Member of staff.
    pub made_by: Uuid,
    /// Microseconds UTC.
    pub confirmed_at: Option<i64>,
    /// Member of staff of the other office.
    pub confirmed_by: Option<Uuid>,
    /// Microseconds UTC.
    pub told_at: Option<i64>,
    /// Last legal day to decline or object, `YYYY-MM-DD`.
    #[sea_orm(column_type = "Text", nullable)]
    pub object_until: Option<String>,
    /// Microseconds UTC.
    pub granted_at: Option<i64>,
    /// Member of staff; never the one who made it.
    pub granted_by: Option<Uuid>,
    /// Grows with every change.
    pub revision: i64,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The roll of this name, once it was begun.
///
/// # Errors
/// The database error.
pub async fn find(db: &impl ConnectionTrait, service: &str, roll: &str) -> Result<Option<Model>, DbErr> {
    Entity::find()
        .filter(Column::Service.eq(service))
        .filter(Column::Roll.eq(roll))
        .one(db)
        .await
}

/// The roll with this identifier.
///
/// # Errors
/// The database error.
pub async fn by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// Writes a new roll.
///
/// # Errors
/// The database error; a second roll of the same name breaks its unique index.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Writes `row` over the stored one and raises the revision; false when somebody else changed it meanwhile.
///
/// # Errors
/// The database error.
pub async fn replace(db: &impl ConnectionTrait, row: &Model) -> Result<bool, DbErr> {
    super::over::replace::<Entity>(db, row.clone(), Column::Id, Column::Revision).await
}
