//! Provide (提供): what the city has decided, given to the citizens through MyData, whose data provider it is.
//!
//! The platform calls with the citizen's token; [`answer`] asks the platform whether the token stands for this data set and whose it is,
//! and gives the signed package at once, or makes it in the outbox ([`prepare`]) and says when to call again. Every call is a
//! transfer that is kept, and every reading of a case stands in the usage ledger. [`compare`] lays the transfers beside the platform's
//! own record.

mod answer;
mod compare;
mod prepare;

pub use answer::{Answer, answer};
pub use compare::{Compared, Transfer, TransferState, compare, transfers};
pub(crate) use prepare::{MAKE, make, tidy};

use std::collections::BTreeMap;

use civic::Purpose;
use civic::ids::{ApplicationId, PersonId};
use jiff::Timestamp;
use services::offered::{Offered, Standing};
use store::access::{Actor, Grant, Resource};
use store::ledger::{ActorKind, Entry};
use store::tables::{application, person, succession};

use crate::guard;
use crate::history::time;
use crate::{CaseError, Desk, Month, decide, record};

/// The word of the access policies and of the usage ledger.
const ACTION: &str = "provide";

fn purpose(offered: &Offered, application: Option<ApplicationId>) -> Purpose {
    Purpose {
        code: offered.purpose.code.clone(),
        basis: offered.purpose.basis.clone(),
        function: ACTION.to_owned(),
        application,
    }
}

/// May the platform keep and open what it gives to this person.
fn of_person(desk: &Desk, offered: &Offered, person: PersonId) -> Result<Grant, CaseError> {
    let resource = Resource::Profile(person.uuid());
    Ok(desk
        .store
        .access()
        .decide(Actor::System, ACTION, resource, purpose(offered, None))?)
}

/// A standing decision of a person, opened.
struct Opened {
    row: application::Model,
    decision: rules::Decision,
    /// First and last month of what it gives, where it gives something by month.
    months: Option<(String, String)>,
}

/// The standing decisions of a person on the service of a data set, with the entries of the usage ledger for having read them.
async fn standing(
    desk: &Desk,
    offered: &Offered,
    known: &person::Model,
) -> Result<(Vec<Opened>, Vec<Entry>), CaseError> {
    let service = desk.service(&offered.service)?;
    let (db, month) = (desk.store.read(), Month::of(desk.today()).to_string());
    let (mut found, mut entries) = (Vec::new(), Vec::new());
    for row in application::by_person(db, known.id).await? {
        if row.service != service.id || !succession::stands(db, row.id, &month).await? {
            continue;
        }
        let id = ApplicationId::from_uuid(row.id);
        let resource = Resource::Application {
            id: row.id,
            owner: row.person_id,
            agency: guard::agency(service),
            state: crate::transition::name(row.state),
        };
        let grant = desk
            .store
            .access()
            .decide(Actor::System, ACTION, resource, purpose(offered, Some(id)))?;
        let record = record::Record {
            answers: record::answers(desk, &grant, &row, service).await?,
            service: std::sync::Arc::clone(service),
            grant,
            row,
        };
        let Some(decision) = decide::latest(desk, &record).await? else {
            continue;
        };
        let spans = store::tables::entitlement::of_application(db, record.row.id).await?;
        let first = spans.iter().map(|span| span.first_month.clone()).min();
        let last = spans.iter().map(|span| span.last_month.clone()).max();
        entries.push(Entry {
            at: desk.now(),
            actor: ActorKind::System,
            actor_id: None,
            action: ACTION.to_owned(),
            purpose: purpose(offered, Some(id)),
            application: Some(id),
            subject: guard::subject(desk, &record).await?,
            fields: offered.names().map(str::to_owned).collect(),
            count: 1,
        });
        found.push(Opened {
            row: record.row,
            decision,
            months: first.zip(last),
        });
    }
    Ok((found, entries))
}

/// What the file of a data set says of a person; nothing where the city has nothing that fits. The entries are to be written with it.
async fn content(
    desk: &Desk,
    offered: &Offered,
    known: &person::Model,
    parameters: &BTreeMap<String, String>,
) -> Result<(Option<Vec<u8>>, Vec<Entry>), CaseError> {
    let (opened, entries) = standing(desk, offered, known).await?;
    let service = desk.service(&offered.service)?;
    let told: Vec<Standing<'_>> = opened
        .iter()
        .map(|one| Standing {
            number: one.row.number.as_deref().unwrap_or_default(),
            service: &service.meta.name,
            decided: civic::legal_day(one.row.decided_at.map_or(Timestamp::UNIX_EPOCH, time)),
            first_month: one.months.as_ref().map(|(first, _)| first.as_str()),
            last_month: one.months.as_ref().map(|(_, last)| last.as_str()),
            decision: &one.decision,
        })
        .collect();
    let content = offered.content(desk.today(), &told, parameters);
    let bytes = content.map(|content| serde_json::to_vec(&content)).transpose();
    let bytes = bytes.map_err(|error| CaseError::corrupt("data set", &error))?;
    Ok((bytes, entries))
}

fn provider(desk: &Desk) -> Result<&exchange::mydata::provider::Provider, CaseError> {
    desk.provider.as_ref().ok_or_else(|| CaseError::Outside {
        party: "MyData",
        problem: "the city is not configured as data provider".to_owned(),
    })
}

/// The signed package around a file.
async fn pack(desk: &Desk, offered: &Offered, bytes: Vec<u8>) -> Result<Vec<u8>, CaseError> {
    let (provider, name) = (provider(desk)?.clone(), offered.file.clone());
    let packed = tokio::task::spawn_blocking(move || provider.pack(&[(name.as_str(), bytes.as_slice())]));
    let outside = |problem: String| CaseError::Outside {
        party: "MyData",
        problem,
    };
    packed
        .await
        .map_err(|error| outside(error.to_string()))?
        .map_err(|error| outside(error.to_string()))
}
