//! Later cases (續案): what a person reports as changed, or what the office looks at again, becomes a case of its own that
//! takes the place of the earlier ones from a month on. Everything that a case has, from the letter to the appeal, it has too.

mod change;
mod renew;
mod settle;

use crate::boxed;
use civic::Month;
use civic::ids::ApplicationId;
use store::tables::succession::{self as table, Model};
use store::tables::{application, entitlement};
use uuid::Uuid;

use crate::change::{Change, same_revision};
use crate::guard::{self, Action};
use crate::history::month;
use crate::record::{self, Record};
use crate::staff::Staff;
use crate::transition::State;
use crate::{CaseError, Desk};

pub use change::{Reporting, report, reporting};
pub(crate) use renew::draw;
pub(crate) use settle::{claimed, overpaid, settle};
pub use store::tables::succession::Kind;

/// What a later case is, for the pages that show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Later {
    /// Why there is a later case.
    pub kind: Kind,
    /// The case it was made from.
    pub predecessor: ApplicationId,
    /// Number of that case.
    pub number: String,
    /// First month its decision counts for.
    pub from: Month,
    /// Whether the month can still be changed.
    pub open: bool,
}

/// What a case that is about to be made is the later case of.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) predecessor: Uuid,
    pub(crate) root: Uuid,
    pub(crate) kind: Kind,
    pub(crate) from: Month,
}

impl Link {
    /// The row of the case with this identifier.
    pub(crate) fn of(self, application: Uuid) -> Model {
        Model {
            application_id: application,
            predecessor: self.predecessor,
            root: self.root,
            kind: self.kind,
            from_month: self.from.to_string(),
            settled_at: None,
        }
    }
}

/// The link of a case to earlier ones; nothing for a first case.
pub(crate) async fn of(desk: &Desk, application: Uuid) -> Result<Option<Model>, CaseError> {
    Ok(table::of_application(desk.store.read(), application).await?)
}

/// What a later case is; nothing for a first case.
///
/// # Errors
/// The store's.
pub(crate) async fn later(desk: &Desk, row: &application::Model) -> Result<Option<Later>, CaseError> {
    let Some(link) = of(desk, row.id).await? else {
        return Ok(None);
    };
    let earlier = application::by_id(desk.store.read(), link.predecessor).await?;
    Ok(Some(Later {
        kind: link.kind,
        predecessor: ApplicationId::from_uuid(link.predecessor),
        number: earlier.and_then(|row| row.number).unwrap_or_default(),
        from: month("succession", &link.from_month)?,
        open: row.state == State::Review,
    }))
}

/// The first case of the chain a case belongs to.
pub(crate) async fn root(desk: &Desk, application: Uuid) -> Result<Uuid, CaseError> {
    Ok(of(desk, application).await?.map_or(application, |link| link.root))
}

/// Sets the first month the decision of a later case counts for (生效月份). A month that is over makes what was paid since then
/// too much or too little.
///
/// # Errors
/// [`CaseError::Input`] for a month before anything was given or after the next one; [`CaseError::Illegal`] unless the case is
/// being examined; [`CaseError::NotFound`] for a first case; [`CaseError::Conflict`]; [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn set_from(
    desk: &Desk,
    staff: &Staff,
    id: ApplicationId,
    revision: i64,
    from: Month,
) -> Result<(), CaseError> {
    let record = record::open(desk, &staff.who(), Action::Decide, record::row(desk, id).await?).await?;
    same_revision(&record.row, revision)?;
    let link = of(desk, id.uuid()).await?.ok_or(CaseError::NotFound("case"))?;
    if record.row.state != State::Review || record.row.assigned_to != Some(staff.id.uuid()) {
        return Err(CaseError::Input {
            field: "assigned",
            problem: "somebody else holds this case; take it first",
        });
    }
    let first = first_month(desk, link.root).await?;
    let latest = Month::of(desk.today()).plus(1);
    let latest = latest.max(month("succession", &link.from_month)?);
    if first.is_some_and(|first| from < first) || from > latest {
        return Err(CaseError::Input {
            field: "from",
            problem: "out_of_range",
        });
    }
    let mut change = Change::note(desk, &staff.who(), &record.row, "from_set");
    change.say(desk, &from.to_string()).await?;
    let subject = guard::subject(desk, &record).await?;
    change.entries.push(guard::entry(
        desk,
        &staff.who(),
        Action::Decide,
        id,
        &record.service,
        subject,
        &["from_set"],
    ));
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                change.write(tx).await?;
                table::set_from(tx, id.uuid(), &from.to_string()).await?;
                Ok(())
            })
        })
        .await
}

/// The first month anything was given in a chain; nothing where nothing is paid.
async fn first_month(desk: &Desk, root: Uuid) -> Result<Option<Month>, CaseError> {
    let db = desk.store.read();
    let mut cases = vec![root];
    cases.extend(
        table::of_root(db, root)
            .await?
            .into_iter()
            .map(|link| link.application_id),
    );
    let spans = entitlement::of_applications(db, cases).await?;
    let first = spans.into_iter().map(|span| span.first_month).min();
    first.map(|first| month("entitlement", &first)).transpose()
}

/// From which month on the decision of a record counts: the month of the application, or the one its later case says.
pub(crate) async fn from(desk: &Desk, record: &Record) -> Result<Option<Month>, CaseError> {
    let link = of(desk, record.row.id).await?;
    link.map(|link| month("succession", &link.from_month)).transpose()
}
