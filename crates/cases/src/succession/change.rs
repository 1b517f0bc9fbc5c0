//! Reporting a change (異動通報): who receives says what is different now, on the form they filled in before, with what they said
//! then already in it.

use crate::boxed;
use std::sync::Arc;

use civic::ids::ApplicationId;
use civic::{Channel, Language, Month};
use store::tables::{application, succession as table};

use super::{Kind, Link, root};
use crate::guard::Action;
use crate::people::Person;
use crate::record;
use crate::transition::State;
use crate::{CaseError, Desk, collect};

/// Whether a change of a case can be reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reporting {
    /// It can.
    Open,
    /// The draft of a report is there to go on with.
    Draft(ApplicationId),
    /// A report, or the office's yearly look, is being examined.
    UnderWay(ApplicationId),
    /// The service takes none, or the case does not stand any more.
    No,
}

/// Whether a person can report a change of an own case now.
///
/// # Errors
/// The store's.
#[boxed]
pub async fn reporting(desk: &Desk, person: &Person, row: &application::Model) -> Result<Reporting, CaseError> {
    let service = desk.service(&row.service)?;
    let month = Month::of(desk.today()).to_string();
    let db = desk.store.read();
    if service.meta.change.is_none() || person.acting().is_some() || !table::stands(db, row.id, &month).await? {
        return Ok(Reporting::No);
    }
    let Some(link) = table::open_of(db, root(desk, row.id).await?).await? else {
        return Ok(Reporting::Open);
    };
    let Some(other) = application::by_id(db, link.application_id).await? else {
        return Ok(Reporting::Open);
    };
    let id = ApplicationId::from_uuid(other.id);
    if other.state == State::Draft {
        return Ok(Reporting::Draft(id));
    }
    // the office's yearly look is the person's to see once it is decided or asks them something
    if crate::roll::is_told(desk, &other).await? {
        Ok(Reporting::UnderWay(id))
    } else {
        Ok(Reporting::Open)
    }
}

/// Opens the report of a change, or goes on with the one there is: a draft with everything the case holds.
///
/// # Errors
/// [`CaseError::Input`] while another one is being examined; [`CaseError::NotFound`] where none can be reported; as
/// [`collect::open`].
#[boxed]
pub async fn report(
    desk: &Desk,
    person: &Person,
    id: ApplicationId,
    channel: Channel,
    language: Language,
) -> Result<ApplicationId, CaseError> {
    let record = record::own(desk, person, id, Action::Report).await?;
    match reporting(desk, person, &record.row).await? {
        Reporting::Open => {}
        Reporting::Draft(draft) => return Ok(draft),
        Reporting::UnderWay(_) => {
            return Err(CaseError::Input {
                field: "change",
                problem: "under_way",
            });
        }
        Reporting::No => return Err(CaseError::NotFound("case")),
    }
    let link = Link {
        predecessor: record.row.id,
        root: root(desk, record.row.id).await?,
        kind: Kind::Change,
        from: Month::of(desk.today()),
    };
    let service = Arc::clone(&record.service);
    let open = application::draft(desk.store.read(), person.id.uuid(), &service.id, channel.word()).await?;
    if let Some(draft) = open {
        // an application begun by mistake, when the change should have been reported: it becomes the report
        let draft = draft.id;
        desk.store
            .write(move |tx| {
                Box::pin(async move {
                    table::insert(tx, link.of(draft)).await?;
                    Ok::<_, CaseError>(())
                })
            })
            .await?;
        return Ok(ApplicationId::from_uuid(draft));
    }
    crate::identity::enough(desk, person, &service)?;
    collect::begin(desk, person, &service, (channel, language), &record.answers, Some(link)).await
}
