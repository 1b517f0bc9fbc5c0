//! Work to be done after a commit, as stored; [`crate::outbox`] puts it, [`crate::jobs`] does it.

use sea_orm::entity::prelude::*;

/// One piece of work.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "outbox")]
pub struct Model {
    /// [`civic::ids::OutboxId`].
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Which handler does it, as in `send_letter`.
    #[sea_orm(column_type = "Text")]
    pub kind: String,
    /// Idempotency key: the same piece of work put twice is stored once.
    #[sea_orm(column_type = "Text", unique)]
    pub key: String,
    /// JSON; holds ids, never personal data in the clear.
    pub payload: Vec<u8>,
    /// `waiting`, `done` or `dead`.
    #[sea_orm(column_type = "Text")]
    pub state: String,
    /// Attempts finished so far.
    pub attempts: i32,
    /// Microseconds UTC.
    pub created_at: i64,
    /// Microseconds UTC; not tried before.
    pub due_at: i64,
    /// Microseconds UTC.
    pub finished_at: Option<i64>,
    /// Why the last attempt failed (no personal data).
    #[sea_orm(column_type = "Text", nullable)]
    pub last_error: Option<String>,
    /// Which workers do it; empty for those that do everything without a lane of its own.
    #[sea_orm(column_type = "Text")]
    pub lane: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outbox")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("state", &self.state)
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}
