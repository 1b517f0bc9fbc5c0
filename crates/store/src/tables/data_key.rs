//! Data keys, each wrapped by a master key.

use sea_orm::entity::prelude::*;

/// A data key. `wrapped` is empty once the key was destroyed.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "data_key")]
pub struct Model {
    /// [`civic::ids::KeyId`].
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose data the key seals: `person`, `application`, `staff` or `system`.
    #[sea_orm(column_type = "Text")]
    pub owner_kind: String,
    /// Id of the owner within its kind.
    #[sea_orm(column_type = "Text")]
    pub owner_id: String,
    /// Version of the master key that wraps this key.
    pub master_version: i32,
    /// Nonce, ciphertext and tag.
    pub wrapped: Option<Vec<u8>>,
    /// Microseconds UTC.
    pub created_at: i64,
    /// Microseconds UTC.
    pub destroyed_at: Option<i64>,
    /// Reason given for the destruction (no personal data).
    #[sea_orm(column_type = "Text", nullable)]
    pub destroyed_why: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DataKey")
            .field("id", &self.id)
            .field("destroyed", &self.wrapped.is_none())
            .finish_non_exhaustive()
    }
}
