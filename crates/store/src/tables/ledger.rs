//! The usage ledger as stored: repeated texts are numbers of the dictionary.

use sea_orm::entity::prelude::*;

/// One entry. [`crate::ledger`] writes, reads and verifies it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ledger")]
pub struct Model {
    /// Counted up from 1 without a gap.
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    /// Microseconds UTC.
    pub at: i64,
    /// See [`crate::ledger::ActorKind`].
    pub actor_kind: i16,
    /// Person or staff id.
    pub actor_id: Option<Uuid>,
    /// Word: what was done.
    pub action: i64,
    /// Word: code, basis and function, joined.
    pub purpose: i64,
    /// The case it was done for.
    pub application: Option<Uuid>,
    /// Keyed hash of the person concerned.
    pub subject: Option<Vec<u8>>,
    /// Word: names of the fields touched, joined.
    pub fields: i64,
    /// How many records were touched.
    pub count: i64,
    /// SHA-256 over the previous hash and this entry.
    pub hash: Vec<u8>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
