//! Whose payments may leave now: the case stands as approved, and its person is not on the list of exclusions of the service.

use sea_orm::sea_query::{Expr, ExprTrait as _, Query, SelectStatement};
use sea_orm::{Condition, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QuerySelect as _};
use uuid::Uuid;

use super::{application, exclusion, person};

/// The case whose identifier stands in `case`, if its payments may leave on the legal day `today`.
pub(super) fn standing(case: Expr, today: &str) -> SelectStatement {
    Query::select()
        .expr(Expr::val(1))
        .from(application::Entity)
        .cond_where(paid_on(today).add(Expr::col((application::Entity, application::Column::Id)).eq(case)))
        .to_owned()
}

/// Those of some cases whose payments may leave on the legal day `today`, in no order.
///
/// # Errors
/// The database error.
pub(super) async fn standing_among(
    db: &impl ConnectionTrait,
    cases: Vec<Uuid>,
    today: &str,
) -> Result<Vec<Uuid>, DbErr> {
    application::Entity::find()
        .select_only()
        .column(application::Column::Id)
        .filter(paid_on(today).add(Expr::col((application::Entity, application::Column::Id)).is_in(cases)))
        .into_tuple()
        .all(db)
        .await
}

/// Whether the payments of an application may leave on the legal day `today`. A case that was opened again or disposed of is not
/// paid; nor is a person who died, moved away or is left out for another reason.
fn paid_on(today: &str) -> Condition {
    use application::Column as A;
    let application = |column: A| Expr::col((application::Entity, column));
    let exclusion = |column: exclusion::Column| Expr::col((exclusion::Entity, column));
    let left_out = Query::select()
        .expr(Expr::val(1))
        .from(exclusion::Entity)
        .inner_join(
            person::Entity,
            Expr::col((person::Entity, person::Column::Lookup)).equals((exclusion::Entity, exclusion::Column::Subject)),
        )
        .cond_where(
            Condition::all()
                .add(Expr::col((person::Entity, person::Column::Id)).equals((application::Entity, A::PersonId)))
                .add(exclusion(exclusion::Column::Service).equals((application::Entity, A::Service)))
                .add(
                    Condition::any()
                        .add(exclusion(exclusion::Column::Until).is_null())
                        .add(exclusion(exclusion::Column::Until).gte(today)),
                ),
        )
        .to_owned();
    Condition::all()
        .add(application(A::State).eq(Expr::value(application::State::Completed)))
        .add(application(A::Outcome).eq("approved"))
        .add(Expr::exists(left_out).not())
}
