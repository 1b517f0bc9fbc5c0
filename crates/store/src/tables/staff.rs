//! A member of staff (承辦人員) who may sign in to the officers' pages.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ActiveValue::Set, IntoActiveModel as _, QueryOrder as _};

/// One account of an officer, clerk, cashier, supervisor or administrator.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "staff")]
pub struct Model {
    /// Identifier, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Name to sign in with; unique, lower case.
    #[sea_orm(column_type = "Text")]
    pub account: String,
    /// Name shown on pages and in the history of a case.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// Role as the access policies know it: `officer`, `clerk`, `cashier`, `supervisor`, `administrator`.
    #[sea_orm(column_type = "Text")]
    pub role: String,
    /// Office (機關) the person works for.
    #[sea_orm(column_type = "Text")]
    pub agency: String,
    /// Argon2 hash in PHC form.
    #[sea_orm(column_type = "Text")]
    pub password_hash: String,
    /// Data key under which `totp` is closed.
    pub key_id: Uuid,
    /// Sealed secret of the one-time password (RFC 6238).
    pub totp: Vec<u8>,
    /// Last time step accepted, so that a code works once.
    pub totp_step: i64,
    /// Wrong attempts in a row.
    pub failures: i32,
    /// No sign-in before this instant, microseconds UTC.
    pub locked_until: i64,
    /// False: the account is closed and kept for the history.
    pub active: bool,
    /// Microseconds UTC.
    pub created_at: i64,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl std::fmt::Debug for Model {
    /// Leaves out the password hash and the sealed secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Staff")
            .field("id", &self.id)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// The account with this identifier.
///
/// # Errors
/// The database error.
pub async fn by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// The account with this sign-in name.
///
/// # Errors
/// The database error.
pub async fn by_account(db: &impl ConnectionTrait, account: &str) -> Result<Option<Model>, DbErr> {
    Entity::find().filter(Column::Account.eq(account)).one(db).await
}

/// All accounts, by name.
///
/// # Errors
/// The database error.
pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<Model>, DbErr> {
    Entity::find().order_by_asc(Column::Account).all(db).await
}

/// Writes a new account.
///
/// # Errors
/// The database error; a second account of the same name breaks its unique index.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Takes a one-time code: false when this step or a later one was used before (a replay).
///
/// # Errors
/// The database error.
pub async fn accept_step(db: &impl ConnectionTrait, id: Uuid, step: i64) -> Result<bool, DbErr> {
    let change = ActiveModel {
        totp_step: Set(step),
        failures: Set(0),
        locked_until: Set(0),
        ..Default::default()
    };
    let done = Entity::update_many()
        .set(change)
        .filter(Column::Id.eq(id))
        .filter(Column::TotpStep.lt(step))
        .exec(db)
        .await?;
    Ok(done.rows_affected == 1)
}

/// Counts a wrong attempt; `locked_until` (microseconds UTC) closes the account for a while, 0 leaves it open.
///
/// # Errors
/// The database error.
pub async fn fail(db: &impl ConnectionTrait, id: Uuid, locked_until: i64) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::Failures, Expr::col(Column::Failures).add(1))
        .col_expr(Column::LockedUntil, Expr::value(locked_until))
        .filter(Column::Id.eq(id))
        .exec(db)
        .await?;
    Ok(())
}
