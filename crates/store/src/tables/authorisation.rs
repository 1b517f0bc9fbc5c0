//! An authorisation (授權): who may act for which resident, in which services, to do what, until when.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;
use sea_orm::{IntoActiveModel as _, QueryOrder as _, QuerySelect as _};

/// One authorisation. What names people is inside `sealed`.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "authorisation")]
pub struct Model {
    /// Identifier, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// `person`, `organisation`, or `assisted` (a village officer's session).
    #[sea_orm(column_type = "Text")]
    pub kind: String,
    /// `offered`, `accepted`, `declined`, `ended`, `disposed`.
    #[sea_orm(column_type = "Text")]
    pub state: String,
    /// Whom it is given by; nobody after disposal.
    pub principal_id: Option<Uuid>,
    /// Keyed hash of the agent's national id, by which they find it; persons only.
    pub agent_lookup: Option<Vec<u8>>,
    /// The agent: the person once accepted, the organisation, or the member of staff.
    pub agent_id: Option<Uuid>,
    /// Folder names of the services, separated by blanks.
    #[sea_orm(column_type = "Text")]
    pub services: String,
    /// What may be done, words of the access policies separated by blanks.
    #[sea_orm(column_type = "Text")]
    pub acts: String,
    /// Last legal day, `YYYY-MM-DD`.
    #[sea_orm(column_type = "Text")]
    pub until: String,
    /// Data key under which `sealed` is closed.
    pub key_id: Uuid,
    /// Sealed JSON: the names, and where the principal is told.
    pub sealed: Option<Vec<u8>>,
    /// SHA-256 in hex of the notice the agent was shown.
    #[sea_orm(column_type = "Text", nullable)]
    pub notice_digest: Option<String>,
    /// Language of that notice, as a tag.
    #[sea_orm(column_type = "Text", nullable)]
    pub notice_language: Option<String>,
    /// Keyed hash of the one-time password; assisted sessions only.
    pub password: Option<Vec<u8>>,
    /// Until when the password is taken, microseconds UTC.
    pub password_until: Option<i64>,
    /// Wrong passwords so far.
    pub tries: i32,
    /// Microseconds UTC.
    pub offered_at: i64,
    /// Microseconds UTC.
    pub accepted_at: Option<i64>,
    /// Last use, microseconds UTC; kept to about a quarter of a minute, for assisted sessions.
    pub used_at: Option<i64>,
    /// Microseconds UTC.
    pub ended_at: Option<i64>,
    /// `principal`, `agent`, `time` or `tries`.
    #[sea_orm(column_type = "Text", nullable)]
    pub ended_by: Option<String>,
    /// Legal day from which the names are destroyed, `YYYY-MM-DD`.
    #[sea_orm(column_type = "Text", nullable)]
    pub dispose_after: Option<String>,
    /// Grows with every change.
    pub revision: i64,
}

impl std::fmt::Debug for Model {
    /// Leaves out hashes and sealed bytes.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authorisation")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The authorisation with this identifier.
///
/// # Errors
/// The database error.
pub async fn by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// All that a person has given, newest first.
///
/// # Errors
/// The database error.
pub async fn of_principal(db: &impl ConnectionTrait, person: Uuid) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::PrincipalId.eq(person))
        .order_by_desc(Column::OfferedAt)
        .order_by_desc(Column::Id)
        .all(db)
        .await
}

/// All that were given to a person, whose national id has this keyed hash, newest first.
///
/// # Errors
/// The database error.
pub async fn of_lookup(db: &impl ConnectionTrait, lookup: &[u8]) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::AgentLookup.eq(lookup.to_vec()))
        .order_by_desc(Column::OfferedAt)
        .order_by_desc(Column::Id)
        .all(db)
        .await
}

/// All that were given to an organisation or a member of staff, newest first, at most `limit`.
///
/// # Errors
/// The database error.
pub async fn of_agent(db: &impl ConnectionTrait, agent: Uuid, limit: u64) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::AgentId.eq(agent))
        .filter(Column::AgentLookup.is_null())
        .order_by_desc(Column::OfferedAt)
        .order_by_desc(Column::Id)
        .limit(limit)
        .all(db)
        .await
}

/// Those of a state whose last day has passed, or that were offered before `offered_before` (microseconds UTC).
///
/// # Errors
/// The database error.
pub async fn overdue(
    db: &impl ConnectionTrait,
    state: &str,
    today: &str,
    offered_before: i64,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::State.eq(state))
        .filter(
            sea_orm::Condition::any()
                .add(Column::Until.lt(today))
                .add(Column::OfferedAt.lt(offered_before)),
        )
        .order_by_asc(Column::OfferedAt)
        .limit(limit)
        .all(db)
        .await
}

/// Assisted sessions in force that were not used since `before` (microseconds UTC).
///
/// # Errors
/// The database error.
pub async fn idle(db: &impl ConnectionTrait, before: i64, limit: u64) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::Kind.eq("assisted"))
        .filter(Column::State.eq("accepted"))
        .filter(Column::UsedAt.lte(before))
        .order_by_asc(Column::UsedAt)
        .limit(limit)
        .all(db)
        .await
}

/// Those whose names are to be destroyed.
///
/// # Errors
/// The database error.
pub async fn disposable(db: &impl ConnectionTrait, today: &str, limit: u64) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::DisposeAfter.lt(today))
        .filter(Column::State.ne("disposed"))
        .order_by_asc(Column::DisposeAfter)
        .limit(limit)
        .all(db)
        .await
}

/// Writes a new authorisation.
///
/// # Errors
/// The database error.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Writes `row` over the stored one and raises the revision; false when it was changed since it was read.
///
/// # Errors
/// The database error.
pub async fn replace(db: &impl ConnectionTrait, row: &Model) -> Result<bool, DbErr> {
    super::over::replace::<Entity>(db, row.clone(), Column::Id, Column::Revision).await
}

/// Notes a use of one in force; false when it is in force no more. The revision stays: a use is no change.
///
/// # Errors
/// The database error.
pub async fn touch(db: &impl ConnectionTrait, id: Uuid, at: i64) -> Result<bool, DbErr> {
    let done = Entity::update_many()
        .col_expr(Column::UsedAt, Expr::value(Some(at)))
        .filter(Column::Id.eq(id))
        .filter(Column::State.eq("accepted"))
        .exec(db)
        .await?;
    Ok(done.rows_affected == 1)
}

/// The cases opened under an authorisation.
pub mod case {
    use sea_orm::IntoActiveModel as _;
    use sea_orm::entity::prelude::*;

    /// One case.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "authorisation_case")]
    pub struct Model {
        /// The application.
        #[sea_orm(primary_key, auto_increment = false)]
        pub application_id: Uuid,
        /// The authorisation.
        pub authorisation_id: Uuid,
    }

    /// No relation is walked through the entity layer.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}

    /// Writes that a case was opened under an authorisation.
    ///
    /// # Errors
    /// The database error.
    pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
        Entity::insert(row.into_active_model())
            .exec_without_returning(db)
            .await?;
        Ok(())
    }

    /// The cases opened under an authorisation.
    ///
    /// # Errors
    /// The database error.
    pub async fn of_authorisation(db: &impl ConnectionTrait, id: Uuid) -> Result<Vec<Uuid>, DbErr> {
        let rows = Entity::find().filter(Column::AuthorisationId.eq(id)).all(db).await?;
        Ok(rows.into_iter().map(|row| row.application_id).collect())
    }

    /// Forgets under which authorisation a case was opened, when its data is destroyed.
    ///
    /// # Errors
    /// The database error.
    pub async fn delete_of(db: &impl ConnectionTrait, application: Uuid) -> Result<(), DbErr> {
        Entity::delete_many()
            .filter(Column::ApplicationId.eq(application))
            .exec(db)
            .await?;
        Ok(())
    }

    /// Forgets the cases of an authorisation.
    ///
    /// # Errors
    /// The database error.
    pub async fn forget(db: &impl ConnectionTrait, id: Uuid) -> Result<(), DbErr> {
        Entity::delete_many()
            .filter(Column::AuthorisationId.eq(id))
            .exec(db)
            .await?;
        Ok(())
    }
}
