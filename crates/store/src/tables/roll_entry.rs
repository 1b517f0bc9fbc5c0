//! One line of a roll: one person, and what is to be given to them.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;
use sea_orm::{IntoActiveModel as _, QueryOrder as _, QuerySelect as _};

/// How a line stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Standing {
    /// Entitled by the register (列冊).
    #[sea_orm(string_value = "listed")]
    Listed,
    /// The other office agrees (會核相符).
    #[sea_orm(string_value = "confirmed")]
    Confirmed,
    /// The other office does not agree (會核不符).
    #[sea_orm(string_value = "denied")]
    Denied,
    /// Left out by the office (排除).
    #[sea_orm(string_value = "excluded")]
    Excluded,
    /// The person wants nothing (婉拒).
    #[sea_orm(string_value = "declined")]
    Declined,
    /// An officer looks at the case by itself: its person objects (異議), or, with a reason, it is not as it was (逐案審查).
    #[sea_orm(string_value = "objected")]
    Objected,
    /// Decided (核定).
    #[sea_orm(string_value = "granted")]
    Granted,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "roll_entry")]
pub struct Model {
    /// Identifier, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The roll.
    pub roll_id: Uuid,
    /// Keyed hash of the national id; unique within the roll.
    pub subject: Vec<u8>,
    /// The case; none for who was left out from the beginning.
    pub application_id: Option<Uuid>,
    /// Village or district, for counting; empty where the register does not say.
    #[sea_orm(column_type = "Text")]
    pub area: String,
    /// How it stands.
    pub standing: Standing,
    /// Why it is not given, or why an officer looks at it: a code such as `deceased`.
    #[sea_orm(column_type = "Text", nullable)]
    pub reason: Option<String>,
    /// New Taiwan dollars in all; 0 where no money is given.
    pub amount: i64,
    /// Whether an account is known.
    pub payable: bool,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Writes lines.
///
/// # Errors
/// The database error; a person who stands on the roll already breaks its unique index.
pub async fn insert(db: &impl ConnectionTrait, rows: Vec<Model>) -> Result<(), DbErr> {
    for row in rows {
        Entity::insert(row.into_active_model())
            .exec_without_returning(db)
            .await?;
    }
    Ok(())
}

/// Which of these persons stand on the roll already.
///
/// # Errors
/// The database error.
pub async fn known(db: &impl ConnectionTrait, roll: Uuid, subjects: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, DbErr> {
    Entity::find()
        .select_only()
        .column(Column::Subject)
        .filter(Column::RollId.eq(roll))
        .filter(Column::Subject.is_in(subjects.iter().cloned()))
        .into_tuple()
        .all(db)
        .await
}

/// Whether a person stands on a roll with something to be given, or given already.
///
/// # Errors
/// The database error.
pub async fn stands(db: &impl ConnectionTrait, roll: Uuid, subject: &[u8]) -> Result<bool, DbErr> {
    let given = [
        Standing::Listed,
        Standing::Confirmed,
        Standing::Objected,
        Standing::Granted,
    ];
    let found = Entity::find()
        .filter(Column::RollId.eq(roll))
        .filter(Column::Subject.eq(subject))
        .filter(Column::Standing.is_in(given))
        .one(db)
        .await?;
    Ok(found.is_some())
}

/// The line of a case.
///
/// # Errors
/// The database error.
pub async fn of_application(db: &impl ConnectionTrait, application: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find()
        .filter(Column::ApplicationId.eq(application))
        .one(db)
        .await
}

/// The line with this identifier.
///
/// # Errors
/// The database error.
pub async fn by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// Lines of some standings after this one, in a fixed order.
///
/// # Errors
/// The database error.
pub async fn page(
    db: &impl ConnectionTrait,
    roll: Uuid,
    standings: &[Standing],
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let mut found = Entity::find()
        .filter(Column::RollId.eq(roll))
        .filter(Column::Standing.is_in(standings.iter().copied()));
    if let Some(after) = after {
        found = found.filter(Column::Id.gt(after));
    }
    found.order_by_asc(Column::Id).limit(limit).all(db).await
}

/// Changes how a line stands; false when it does not stand as it was read any more.
///
/// # Errors
/// The database error.
pub async fn step(
    db: &impl ConnectionTrait,
    id: Uuid,
    from: Standing,
    to: Standing,
    reason: Option<&str>,
) -> Result<bool, DbErr> {
    let done = Entity::update_many()
        .col_expr(Column::Standing, Expr::value(to))
        .col_expr(Column::Reason, Expr::value(reason))
        .filter(Column::Id.eq(id))
        .filter(Column::Standing.eq(from))
        .exec(db)
        .await?;
    Ok(done.rows_affected == 1)
}

/// Cuts a line from the person and the case it was about; it goes on being counted.
///
/// # Errors
/// The database error.
pub async fn forget(db: &impl ConnectionTrait, application: Uuid) -> Result<(), DbErr> {
    Entity::update_many()
        // of no person, and still unlike every other line of the roll
        .col_expr(Column::Subject, Expr::value(Uuid::new_v4().as_bytes().to_vec()))
        .col_expr(Column::ApplicationId, Expr::value(Option::<Uuid>::None))
        .filter(Column::ApplicationId.eq(application))
        .exec(db)
        .await?;
    Ok(())
}

/// Changes how all lines of one standing stand, and says how many there were.
///
/// # Errors
/// The database error.
pub async fn step_all(db: &impl ConnectionTrait, roll: Uuid, from: Standing, to: Standing) -> Result<u64, DbErr> {
    let done = Entity::update_many()
        .col_expr(Column::Standing, Expr::value(to))
        .filter(Column::RollId.eq(roll))
        .filter(Column::Standing.eq(from))
        .exec(db)
        .await?;
    Ok(done.rows_affected)
}

/// Notes that an account is known now.
///
/// # Errors
/// The database error.
pub async fn set_payable(db: &impl ConnectionTrait, id: Uuid) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::Payable, Expr::value(true))
        .filter(Column::Id.eq(id))
        .exec(db)
        .await?;
    Ok(())
}

/// How many lines stand how, by area, and what they come to.
#[derive(Clone, Debug, PartialEq, Eq, sea_orm::FromQueryResult)]
pub struct Count {
    /// Area.
    pub area: String,
    /// Standing.
    pub standing: Standing,
    /// Whether an account is known.
    pub payable: bool,
    /// Lines.
    pub lines: i64,
    /// New Taiwan dollars.
    pub amount: i64,
}

/// Counts the lines of a roll.
///
/// # Errors
/// The database error.
pub async fn counts(db: &impl ConnectionTrait, roll: Uuid) -> Result<Vec<Count>, DbErr> {
    // PostgreSQL sums to numeric
    let sum = Expr::cust("CAST(COALESCE(SUM(amount), 0) AS BIGINT)");
    Entity::find()
        .select_only()
        .column(Column::Area)
        .column(Column::Standing)
        .column(Column::Payable)
        .column_as(Column::Id.count(), "lines")
        .expr_as(sum, "amount")
        .filter(Column::RollId.eq(roll))
        .group_by(Column::Area)
        .group_by(Column::Standing)
        .group_by(Column::Payable)
        .order_by_asc(Column::Area)
        .into_model()
        .all(db)
        .await
}

/// The lines of these persons on rolls of a service that are not granted yet and still stand.
///
/// # Errors
/// The database error.
pub async fn open_of(db: &impl ConnectionTrait, service: &str, subjects: &[Vec<u8>]) -> Result<Vec<Model>, DbErr> {
    use super::roll;
    let rolls = sea_orm::sea_query::Query::select()
        .column(roll::Column::Id)
        .from(roll::Entity)
        .and_where(sea_orm::sea_query::ExprTrait::eq(
            Expr::col((roll::Entity, roll::Column::Service)),
            service,
        ))
        .and_where(sea_orm::sea_query::ExprTrait::is_not_in(
            Expr::col((roll::Entity, roll::Column::State)),
            [roll::State::Granting, roll::State::Granted],
        ))
        .to_owned();
    Entity::find()
        .filter(Column::RollId.in_subquery(rolls))
        .filter(Column::Subject.is_in(subjects.iter().cloned()))
        .filter(Column::Standing.is_in([Standing::Listed, Standing::Confirmed, Standing::Objected]))
        .all(db)
        .await
}
