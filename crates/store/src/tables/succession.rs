//! A case that takes the place of an earlier one (續案): a reported change (異動通報) or the yearly look (年度總清查).

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait as _, Query};
use sea_orm::{Condition, IntoActiveModel as _, QueryOrder as _, QuerySelect as _};

use super::application;

/// Why there is a later case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Kind {
    /// The person reports that something is different now (異動通報).
    #[sea_orm(string_value = "change")]
    Change,
    /// The office looks again at everybody who receives (年度總清查).
    #[sea_orm(string_value = "review")]
    Review,
}

/// The link of one later case to the earlier ones.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "succession")]
pub struct Model {
    /// The later case.
    #[sea_orm(primary_key, auto_increment = false)]
    pub application_id: Uuid,
    /// The case it was made from.
    pub predecessor: Uuid,
    /// The first case of the chain.
    pub root: Uuid,
    /// Why.
    pub kind: Kind,
    /// First month its decision counts for, `YYYY-MM`.
    #[sea_orm(column_type = "Text")]
    pub from_month: String,
    /// When its decision took the place of the earlier ones, microseconds UTC.
    pub settled_at: Option<i64>,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Writes a new link.
///
/// # Errors
/// The database error; a case has one link.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// The link of a later case.
///
/// # Errors
/// The database error.
pub async fn of_application(db: &impl ConnectionTrait, application: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(application).one(db).await
}

/// All later cases of the chain that begins with `root`, in the order of their months.
///
/// # Errors
/// The database error.
pub async fn of_root(db: &impl ConnectionTrait, root: Uuid) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::Root.eq(root))
        .order_by_asc(Column::FromMonth)
        .order_by_asc(Column::ApplicationId)
        .all(db)
        .await
}

/// The later case of this chain that is being filled in or decided, if there is one.
///
/// # Errors
/// The database error.
pub async fn open_of(db: &impl ConnectionTrait, root: Uuid) -> Result<Option<Model>, DbErr> {
    use application::State;
    let under_way = Query::select()
        .column(application::Column::Id)
        .from(application::Entity)
        .and_where(application::Column::State.is_in([
            State::Draft,
            State::Submitted,
            State::Review,
            State::Correction,
            State::Approved,
            State::Refused,
        ]))
        .to_owned();
    Entity::find()
        .filter(Column::Root.eq(root))
        .filter(Column::ApplicationId.in_subquery(under_way))
        .order_by_asc(Column::ApplicationId)
        .one(db)
        .await
}

/// Sets the first month a decision counts for.
///
/// # Errors
/// The database error.
pub async fn set_from(db: &impl ConnectionTrait, application: Uuid, month: &str) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::FromMonth, Expr::value(month))
        .filter(Column::ApplicationId.eq(application))
        .exec(db)
        .await?;
    Ok(())
}

/// Notes that a decision took the place of the earlier ones.
///
/// # Errors
/// The database error.
pub async fn settle(db: &impl ConnectionTrait, application: Uuid, at: i64) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::SettledAt, Expr::value(Some(at)))
        .filter(Column::ApplicationId.eq(application))
        .exec(db)
        .await?;
    Ok(())
}

/// Deletes the link of a case.
///
/// # Errors
/// The database error.
pub async fn delete_of(db: &impl ConnectionTrait, application: Uuid) -> Result<(), DbErr> {
    Entity::delete_by_id(application).exec(db).await?;
    Ok(())
}

/// Approved cases of a service whose decision still stands in a month, and which no later case has replaced; in the order of
/// their ids. What is paid stands as long as an amount reaches into the month, a place as long as somebody holds it.
///
/// # Errors
/// The database error.
pub async fn in_force(
    db: &impl ConnectionTrait,
    service: &str,
    month: &str,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<application::Model>, DbErr> {
    let mut query = application::Entity::find()
        .filter(application::Column::Service.eq(service))
        .filter(standing(month));
    if let Some(after) = after {
        query = query.filter(application::Column::Id.gt(after));
    }
    query.order_by_asc(application::Column::Id).limit(limit).all(db).await
}

/// Whether the decision of this case stands in a month, and no later case has replaced it.
///
/// # Errors
/// The database error.
pub async fn stands(db: &impl ConnectionTrait, application: Uuid, month: &str) -> Result<bool, DbErr> {
    let found = application::Entity::find_by_id(application)
        .filter(standing(month))
        .one(db)
        .await?;
    Ok(found.is_some())
}

/// The condition of [`stands`], on the table of applications.
pub(super) fn standing(month: &str) -> Condition {
    use super::{entitlement, ticket};
    let case = (application::Entity, application::Column::Id);
    let paid = Query::select()
        .expr(Expr::val(1))
        .from(entitlement::Entity)
        .and_where(Expr::col((entitlement::Entity, entitlement::Column::ApplicationId)).equals(case))
        .and_where(Expr::col((entitlement::Entity, entitlement::Column::FirstMonth)).lte(month))
        .and_where(Expr::col((entitlement::Entity, entitlement::Column::LastMonth)).gte(month))
        .to_owned();
    let placed = Query::select()
        .expr(Expr::val(1))
        .from(ticket::Entity)
        .and_where(Expr::col((ticket::Entity, ticket::Column::ApplicationId)).equals(case))
        .and_where(ticket::Column::State.is_in([ticket::State::Accepted, ticket::State::CheckedIn]))
        .to_owned();
    let replaced = Query::select()
        .expr(Expr::val(1))
        .from(Entity)
        .and_where(Expr::col((Entity, Column::Predecessor)).equals(case))
        .and_where(Expr::col((Entity, Column::SettledAt)).is_not_null())
        .to_owned();
    Condition::all()
        .add(application::Column::State.eq(application::State::Completed))
        .add(application::Column::Outcome.eq("approved"))
        .add(Condition::any().add(Expr::exists(paid)).add(Expr::exists(placed)))
        .add(Expr::exists(replaced).not())
}
