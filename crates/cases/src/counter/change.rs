//! A change (異動通報) reported at the counter, of a case that stands, whichever way it was applied for.

use crate::boxed;
use std::sync::Arc;

use civic::ids::ApplicationId;
use civic::{Channel, Language};
use services::Service;
use store::ledger;
use store::tables::application;

use super::Visit;
use super::fill::unseen;
use crate::guard::{self, Action};
use crate::succession::{self, Reporting};
use crate::{CaseError, Desk};

/// A case of the person whose change can be reported.
#[derive(Clone)]
pub struct StandingCase {
    /// The case.
    pub id: ApplicationId,
    /// Its service.
    pub service: Arc<Service>,
    /// Its number.
    pub number: String,
    /// What can be done.
    pub way: Way,
}

/// What can be done about the change of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It can be reported.
    Open,
    /// The report begun at the counter goes on.
    Draft(ApplicationId),
    /// The person began a report on the portal, and ends it there.
    Online,
    /// A change is being examined.
    UnderWay,
}

/// The person's cases whose change can be reported; that they were looked for is in the usage ledger.
///
/// # Errors
/// The rules' and the store's.
#[boxed]
pub async fn standing(desk: &Desk, visit: &Visit) -> Result<Vec<StandingCase>, CaseError> {
    let (mut found, mut entries) = (Vec::new(), Vec::new());
    let who = visit.person.who();
    for row in application::by_person(desk.store.read(), visit.person.id.uuid()).await? {
        let way = match succession::reporting(desk, &visit.person, &row).await {
            Ok(Reporting::Open) => Way::Open,
            Ok(Reporting::UnderWay(_)) => Way::UnderWay,
            Ok(Reporting::Draft(id)) => {
                let draft = application::by_id(desk.store.read(), id.uuid()).await?;
                match draft.is_some_and(|draft| draft.channel == Channel::Counter.word()) {
                    true => Way::Draft(id),
                    false => Way::Online,
                }
            }
            // a service that is not offered any more takes no reports
            Ok(Reporting::No) | Err(CaseError::NoService(_)) => continue,
            Err(error) => return Err(error),
        };
        let service = Arc::clone(desk.service(&row.service)?);
        guard::case(desk, &who, Action::Report, &row, &service)?;
        let subject = Some(visit.person.lookup);
        let id = row.id.into();
        entries.push(guard::entry(
            desk,
            &who,
            Action::Report,
            id,
            &service,
            subject,
            &["number"],
        ));
        found.push(StandingCase {
            id,
            service,
            number: row.number.unwrap_or_default(),
            way,
        });
    }
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                for entry in entries {
                    ledger::append(tx, entry).await?;
                }
                Ok::<_, CaseError>(())
            })
        })
        .await?;
    Ok(found)
}

/// Opens the report of a change for the person, or goes on with the one begun at the counter.
///
/// # Errors
/// [`CaseError::Channel`] where the service is not offered at the counter; as [`succession::report`].
#[boxed]
pub async fn report(
    desk: &Desk,
    visit: &Visit,
    id: ApplicationId,
    language: Language,
) -> Result<ApplicationId, CaseError> {
    succession::report(desk, &visit.person, id, Channel::Counter, language)
        .await
        .map_err(unseen)
}
