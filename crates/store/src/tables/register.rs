//! A register of residents (居民底冊): a table in a file of its own, encrypted under a key that ends with the next one.

use sea_orm::IntoActiveModel as _;
use sea_orm::entity::prelude::*;

/// One register.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "register")]
pub struct Model {
    /// Identifier, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Which register, such as `residents`; unique.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// Day whose facts it holds, `YYYY-MM-DD`.
    #[sea_orm(column_type = "Text")]
    pub as_of: String,
    /// Rows.
    pub persons: i64,
    /// Families.
    pub households: i64,
    /// Name of its file in the folder of registers.
    #[sea_orm(column_type = "Text")]
    pub file: String,
    /// Data key that seals the secret.
    pub key_id: Uuid,
    /// Sealed key of the file.
    pub secret: Vec<u8>,
    /// Microseconds UTC.
    pub made_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Register")
            .field("name", &self.name)
            .field("as_of", &self.as_of)
            .finish_non_exhaustive()
    }
}

/// The register of this name.
///
/// # Errors
/// The database error.
pub async fn find(db: &impl ConnectionTrait, name: &str) -> Result<Option<Model>, DbErr> {
    Entity::find().filter(Column::Name.eq(name)).one(db).await
}

/// Puts a register in the place of the one of the same name, and gives that one back.
///
/// # Errors
/// The database error.
pub async fn put(db: &impl ConnectionTrait, row: Model) -> Result<Option<Model>, DbErr> {
    let old = find(db, &row.name).await?;
    Entity::delete_many()
        .filter(Column::Name.eq(&row.name))
        .exec(db)
        .await?;
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(old)
}
