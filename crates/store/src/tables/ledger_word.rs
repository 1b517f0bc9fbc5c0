//! The ledger's dictionary: texts that entries repeat, such as actions, purposes and field lists.

use sea_orm::entity::prelude::*;

/// One text of the dictionary. Entries refer to it by `id`, their hash covers its `text`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ledger_word")]
pub struct Model {
    /// Counted up from 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    /// The text; never changed.
    #[sea_orm(column_type = "Text", unique)]
    pub text: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
