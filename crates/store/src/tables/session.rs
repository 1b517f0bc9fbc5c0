//! Sessions as stored; [`crate::session`] seals and finds them.

use sea_orm::entity::prelude::*;

/// One session.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "session")]
pub struct Model {
    /// Keyed hash of the token in the cookie.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Vec<u8>,
    /// Keyed hash of who is signed in, so that all sessions of one account can be ended.
    pub holder: Option<Vec<u8>>,
    /// Sealed content.
    pub sealed: Vec<u8>,
    /// Microseconds UTC.
    pub created_at: i64,
    /// Microseconds UTC.
    pub expires_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}
