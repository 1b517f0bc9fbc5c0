//! How often somebody tried to sign in of late, by a keyed hash of the session or of the national id.

use sea_orm::IntoActiveModel as _;
use sea_orm::entity::prelude::*;

/// Attempts within one span of time.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sign_in_attempt")]
pub struct Model {
    /// Keyed hash of what is counted for.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: Vec<u8>,
    /// How many.
    pub count: i32,
    /// Microseconds UTC from which counting begins anew.
    pub until: i64,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignInAttempt")
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

/// Counts one more attempt, in a span that began before or begins now; gives the count. There is one writer, so that read and
/// write belong together.
///
/// # Errors
/// The database error.
pub async fn add(db: &impl ConnectionTrait, key: &[u8], now: i64, until: i64) -> Result<i32, DbErr> {
    match Entity::find_by_id(key.to_vec()).one(db).await? {
        Some(row) if row.until > now => {
            let count = row.count.saturating_add(1);
            Entity::update_many()
                .col_expr(Column::Count, Expr::value(count))
                .filter(Column::Key.eq(key))
                .exec(db)
                .await?;
            Ok(count)
        }
        found => {
            if found.is_some() {
                Entity::delete_by_id(key.to_vec()).exec(db).await?;
            }
            let row = Model {
                key: key.to_vec(),
                count: 1,
                until,
            };
            Entity::insert(row.into_active_model())
                .exec_without_returning(db)
                .await?;
            Ok(1)
        }
    }
}

/// Forgets what is over; gives how many.
///
/// # Errors
/// The database error.
pub async fn prune(db: &impl ConnectionTrait, now: i64) -> Result<u64, DbErr> {
    let gone = Entity::delete_many().filter(Column::Until.lte(now)).exec(db).await?;
    Ok(gone.rows_affected)
}
