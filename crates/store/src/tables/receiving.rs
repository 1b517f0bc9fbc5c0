//! Who receives a service, or has applied for it: by the keyed hash of the national id, over several tables.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait as _, Query};
use sea_orm::{Condition, QuerySelect as _};

use super::application::{self, State};
use super::roll_entry::Standing;
use super::{entitlement, payment, person, roll, roll_entry};

/// Persons with an application under way, or an approved one. `month`: an approved one counts only while it gives something in
/// this month or later.
///
/// # Errors
/// The database error.
pub async fn applicants(db: &impl ConnectionTrait, service: &str, month: Option<&str>) -> Result<Vec<Vec<u8>>, DbErr> {
    use application::Column;
    let under_way = [State::Submitted, State::Review, State::Correction, State::Approved];
    let mut approved = Condition::all()
        .add(Column::State.eq(State::Completed))
        .add(Column::Outcome.eq("approved"));
    if let Some(month) = month {
        let gives = Query::select()
            .expr(Expr::val(1))
            .from(entitlement::Entity)
            .and_where(
                Expr::col((entitlement::Entity, entitlement::Column::ApplicationId))
                    .equals((application::Entity, Column::Id)),
            )
            .and_where(Expr::col((entitlement::Entity, entitlement::Column::LastMonth)).gte(month))
            .to_owned();
        approved = approved.add(Expr::exists(gives));
    }
    application::Entity::find()
        .select_only()
        .distinct()
        .column_as(person::Column::Lookup, "lookup")
        .join(
            sea_orm::JoinType::InnerJoin,
            application::Entity::belongs_to(person::Entity)
                .from(Column::PersonId)
                .to(person::Column::Id)
                .into(),
        )
        .filter(Column::Service.eq(service))
        .filter(Condition::any().add(Column::State.is_in(under_way)).add(approved))
        .into_tuple()
        .all(db)
        .await
}

/// Everybody who is paid something in this month or later, or for an earlier one is still to be: the approved case, and the keyed hash of the
/// person.
///
/// # Errors
/// The database error.
pub async fn paid(db: &impl ConnectionTrait, month: &str) -> Result<Vec<(Uuid, Vec<u8>)>, DbErr> {
    use application::Column;
    let of_case = |other: Expr| other.equals((application::Entity, Column::Id));
    let gives = Query::select()
        .expr(Expr::val(1))
        .from(entitlement::Entity)
        .and_where(of_case(Expr::col((
            entitlement::Entity,
            entitlement::Column::ApplicationId,
        ))))
        .and_where(Expr::col((entitlement::Entity, entitlement::Column::LastMonth)).gte(month))
        .to_owned();
    let due = Query::select()
        .expr(Expr::val(1))
        .from(payment::Entity)
        .and_where(of_case(Expr::col((payment::Entity, payment::Column::ApplicationId))))
        .and_where(Expr::col((payment::Entity, payment::Column::State)).eq(Expr::value(payment::State::Due)))
        .to_owned();
    application::Entity::find()
        .select_only()
        .column(Column::Id)
        .column_as(person::Column::Lookup, "lookup")
        .join(
            sea_orm::JoinType::InnerJoin,
            application::Entity::belongs_to(person::Entity)
                .from(Column::PersonId)
                .to(person::Column::Id)
                .into(),
        )
        .filter(Column::State.eq(State::Completed))
        .filter(Column::Outcome.eq("approved"))
        .filter(Condition::any().add(Expr::exists(gives)).add(Expr::exists(due)))
        .into_tuple()
        .all(db)
        .await
}

/// Persons who stand on a roll of the service whose reference date is not before this legal day.
///
/// # Errors
/// The database error.
pub async fn listed(db: &impl ConnectionTrait, service: &str, since: &str) -> Result<Vec<Vec<u8>>, DbErr> {
    let given = [
        Standing::Listed,
        Standing::Confirmed,
        Standing::Objected,
        Standing::Granted,
    ];
    let rolls = Query::select()
        .column(roll::Column::Id)
        .from(roll::Entity)
        .and_where(Expr::col((roll::Entity, roll::Column::Service)).eq(service))
        .and_where(Expr::col((roll::Entity, roll::Column::ReferenceDate)).gte(since))
        .to_owned();
    roll_entry::Entity::find()
        .select_only()
        .distinct()
        .column(roll_entry::Column::Subject)
        .filter(roll_entry::Column::RollId.in_subquery(rolls))
        .filter(roll_entry::Column::Standing.is_in(given))
        .into_tuple()
        .all(db)
        .await
}

/// Whether a person handed in an application for the service since a time, whatever became of it.
///
/// # Errors
/// The database error.
pub async fn asked(db: &impl ConnectionTrait, service: &str, subject: &[u8], since: i64) -> Result<bool, DbErr> {
    let Some(person) = person::by_lookup(db, subject).await? else {
        return Ok(false);
    };
    let found = application::Entity::find()
        .filter(application::Column::PersonId.eq(person.id))
        .filter(application::Column::Service.eq(service))
        .filter(application::Column::SubmittedAt.gt(since))
        .one(db)
        .await?;
    Ok(found.is_some())
}
