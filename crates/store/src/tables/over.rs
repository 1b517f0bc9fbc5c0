//! Optimistic locking: a change names the revision it was made on, and is refused where somebody was faster.

use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, ModelTrait as _,
    QueryFilter as _, Value,
};

/// Writes `row` over the stored one of its `id` and `revision`, and raises the revision; false when somebody changed it in the
/// meantime.
///
/// # Errors
/// The database error.
pub(super) async fn replace<E>(
    db: &impl ConnectionTrait,
    row: E::Model,
    id: E::Column,
    revision: E::Column,
) -> Result<bool, DbErr>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    let this = row.get(id);
    let Value::BigInt(Some(seen)) = row.get(revision) else {
        return Err(DbErr::Type("a revision is a whole number of 64 bits".into()));
    };
    let mut change = row.into_active_model().reset_all();
    change.not_set(id);
    change.set(revision, seen.saturating_add(1).into());
    let done = E::update_many()
        .set(change)
        .filter(id.eq(this))
        .filter(revision.eq(seen))
        .exec(db)
        .await?;
    Ok(done.rows_affected == 1)
}
