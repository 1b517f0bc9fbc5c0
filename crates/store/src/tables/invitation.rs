//! One person found for an invitation, and what became of it (邀請).

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;
use sea_orm::{IntoActiveModel as _, QueryOrder as _, QuerySelect as _};

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Standing {
    /// Its mail waits.
    #[sea_orm(string_value = "queued")]
    Queued,
    /// Its mail has left.
    #[sea_orm(string_value = "sent")]
    Sent,
    /// The mail server refused it for good.
    #[sea_orm(string_value = "failed")]
    Failed,
    /// No address for mails is known.
    #[sea_orm(string_value = "no_address")]
    NoAddress,
    /// The person wants none.
    #[sea_orm(string_value = "declined")]
    Declined,
    /// The person was invited or applied not long ago.
    #[sea_orm(string_value = "lately")]
    Lately,
}

/// One person.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "invitation")]
pub struct Model {
    /// Identifier, uuid v4: it stands in the link of the mail.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// With which it was sent.
    pub campaign_id: Uuid,
    /// Folder name of the service.
    #[sea_orm(column_type = "Text")]
    pub service: String,
    /// Keyed hash of the national id.
    pub subject: Vec<u8>,
    /// What became of it.
    pub standing: Standing,
    /// Number of the span of time in which nobody is invited twice; only where a mail was written.
    pub term: Option<i64>,
    /// Sealed JSON: the mail until it has left, or how somebody without address is reached.
    pub sealed: Option<Vec<u8>>,
    /// Microseconds UTC.
    pub made_at: i64,
    /// When the mail left, microseconds UTC.
    pub sent_at: Option<i64>,
    /// When it was first seen that the person had applied, microseconds UTC.
    pub applied_at: Option<i64>,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Invitation")
            .field("id", &self.id)
            .field("service", &self.service)
            .field("standing", &self.standing)
            .finish_non_exhaustive()
    }
}

/// Writes a new row.
///
/// # Errors
/// The database error; a second row of the person breaks its unique indexes.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// The row with this identifier.
///
/// # Errors
/// The database error.
pub async fn by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// Which of these persons were found for it already.
///
/// # Errors
/// The database error.
pub async fn known(db: &impl ConnectionTrait, campaign: Uuid, subjects: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, DbErr> {
    Entity::find()
        .select_only()
        .column(Column::Subject)
        .filter(Column::CampaignId.eq(campaign))
        .filter(Column::Subject.is_in(subjects.iter().cloned()))
        .into_tuple()
        .all(db)
        .await
}

/// Whether a person got a mail for a service since then.
///
/// # Errors
/// The database error.
pub async fn since(db: &impl ConnectionTrait, service: &str, subject: &[u8], at: i64) -> Result<bool, DbErr> {
    let found = Entity::find()
        .filter(Column::Service.eq(service))
        .filter(Column::Subject.eq(subject))
        .filter(Column::Standing.is_in([Standing::Queued, Standing::Sent]))
        .filter(Column::MadeAt.gt(at))
        .one(db)
        .await?;
    Ok(found.is_some())
}

/// How many stand how, and how many of them have applied since.
///
/// # Errors
/// The database error.
pub async fn counts(db: &impl ConnectionTrait, campaign: Uuid) -> Result<Vec<(Standing, i64, i64)>, DbErr> {
    Entity::find()
        .select_only()
        .column(Column::Standing)
        .column_as(Column::Id.count(), "rows")
        .column_as(Column::AppliedAt.count(), "applied")
        .filter(Column::CampaignId.eq(campaign))
        .group_by(Column::Standing)
        .into_tuple()
        .all(db)
        .await
}

/// Rows of a standing after this one, in a fixed order.
///
/// # Errors
/// The database error.
pub async fn page(
    db: &impl ConnectionTrait,
    campaign: Uuid,
    standing: Standing,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let mut found = Entity::find()
        .filter(Column::CampaignId.eq(campaign))
        .filter(Column::Standing.eq(standing));
    if let Some(after) = after {
        found = found.filter(Column::Id.gt(after));
    }
    found.order_by_asc(Column::Id).limit(limit).all(db).await
}

/// Persons who got a mail for a service and have not been seen to apply, with the time of the mail.
///
/// # Errors
/// The database error.
pub async fn waiting(db: &impl ConnectionTrait, service: &str) -> Result<Vec<(Uuid, Vec<u8>, i64)>, DbErr> {
    Entity::find()
        .select_only()
        .column(Column::Id)
        .column(Column::Subject)
        .column(Column::MadeAt)
        .filter(Column::Service.eq(service))
        .filter(Column::Standing.is_in([Standing::Queued, Standing::Sent]))
        .filter(Column::AppliedAt.is_null())
        .into_tuple()
        .all(db)
        .await
}

/// Notes that these persons have applied.
///
/// # Errors
/// The database error.
pub async fn applied(db: &impl ConnectionTrait, ids: &[Uuid], at: i64) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::AppliedAt, Expr::value(Some(at)))
        .filter(Column::Id.is_in(ids.iter().copied()))
        .exec(db)
        .await?;
    Ok(())
}

/// Ends a mail that waited, and forgets its address; false when it did not wait any more.
///
/// # Errors
/// The database error.
pub async fn finish(db: &impl ConnectionTrait, id: Uuid, to: Standing, at: Option<i64>) -> Result<bool, DbErr> {
    let done = Entity::update_many()
        .col_expr(Column::Standing, Expr::value(to))
        .col_expr(Column::SentAt, Expr::value(at))
        .col_expr(Column::Sealed, Expr::value(Option::<Vec<u8>>::None))
        .filter(Column::Id.eq(id))
        .filter(Column::Standing.eq(Standing::Queued))
        .exec(db)
        .await?;
    Ok(done.rows_affected == 1)
}

/// Forgets all addresses.
///
/// # Errors
/// The database error.
pub async fn forget(db: &impl ConnectionTrait, campaign: Uuid) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::Sealed, Expr::value(Option::<Vec<u8>>::None))
        .filter(Column::CampaignId.eq(campaign))
        .exec(db)
        .await?;
    Ok(())
}
