//! The register of residents (居民底冊): what the city knows of everybody, from which rolls are drawn up and which is swept every night.
//!
//! It is one Parquet file, encrypted under a key of its own that is sealed in the store and destroyed when the next register
//! takes its place. Nobody reads it but the platform, for the purpose of a service; `docs/reference/register.md` says its columns.

mod import;
mod people;
mod read;

use crate::boxed;
use civic::Purpose;
use jiff::civil::Date;
use rules::PeopleFile;
use services::Service;
use store::access::{Actor, Resource};
use store::ledger::{self, ActorKind, Entry};
use store::seal::Place;
use store::tables::register as table;

use crate::history::day;
use crate::{CaseError, Desk};

pub use import::{Imported, import};
pub(crate) use people::{Member, columns, households};
pub(crate) use read::{Family, families, rows_of};

/// The one register there is.
pub(crate) const RESIDENTS: &str = "residents";
/// The folder of registers beside the sealed files.
const FOLDER: &str = "registers";

/// What is known of the register without opening it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Day whose facts it holds.
    pub as_of: Date,
    /// Persons.
    pub persons: i64,
    /// Families.
    pub households: i64,
}

/// The register there is, if one was taken in.
///
/// # Errors
/// The store's.
#[boxed]
pub async fn summary(desk: &Desk) -> Result<Option<Summary>, CaseError> {
    let row = table::find(desk.store.read(), RESIDENTS).await?;
    row.map(|row| {
        Ok(Summary {
            as_of: as_of(&row)?,
            persons: row.persons,
            households: row.households,
        })
    })
    .transpose()
}

fn as_of(row: &table::Model) -> Result<Date, CaseError> {
    day("register", &row.as_of)
}

/// The register opened for the purpose of a service.
pub(crate) struct Opened {
    pub(crate) file: PeopleFile,
    pub(crate) as_of: Date,
}

/// Opens the register for the purpose of a service; the ledger keeps that it was, for what, and which facts were read.
///
/// # Errors
/// [`CaseError::Input`] when there is none; [`CaseError::Refused`]; the store's.
pub(crate) async fn open(desk: &Desk, service: &Service, function: &str) -> Result<Opened, CaseError> {
    open_for(desk, &[service], function).await
}

/// As [`open`], for several services at once: an entry of the ledger for each.
///
/// # Errors
/// As [`open`].
pub(crate) async fn open_for(desk: &Desk, services: &[&Service], function: &str) -> Result<Opened, CaseError> {
    let inputs = |service: &Service| service.rules.inputs().iter().map(|input| input.name.clone()).collect();
    opened(desk, services, function, inputs).await
}

/// As [`open_for`], to see who stands in it and nothing else.
///
/// # Errors
/// As [`open`].
async fn open_to_compare(desk: &Desk, services: &[&Service]) -> Result<Opened, CaseError> {
    opened(desk, services, "pay", |_| vec!["national_id".to_owned()]).await
}

async fn opened(
    desk: &Desk,
    services: &[&Service],
    function: &str,
    fields: impl Fn(&Service) -> Vec<String>,
) -> Result<Opened, CaseError> {
    let row = table::find(desk.store.read(), RESIDENTS)
        .await?
        .ok_or(CaseError::Input {
            field: "register",
            problem: "missing",
        })?;
    let mut grant = None;
    let mut entries = Vec::with_capacity(services.len());
    for service in services {
        let purpose = desk.purpose(service, function, None);
        let resource = Resource::Register(row.id);
        grant = Some(
            desk.store
                .access()
                .decide(Actor::System, "sweep", resource, purpose.clone())?,
        );
        entries.push(used(desk, purpose, fields(service), row.persons));
    }
    let grant = grant.ok_or(CaseError::NotFound("service"))?;
    let place = Place::new("register", "secret", &row.id);
    let key = desk
        .store
        .seal()
        .open(desk.store.read(), &grant, row.key_id.into(), place, &row.secret)
        .await?;
    let path = desk.store.files().folder(FOLDER)?.join(&row.file);
    let opened = Opened {
        file: PeopleFile::encrypted(&path, &key)?,
        as_of: as_of(&row)?,
    };
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
    Ok(opened)
}

fn used(desk: &Desk, purpose: Purpose, fields: Vec<String>, persons: i64) -> Entry {
    Entry {
        at: desk.now(),
        actor: ActorKind::System,
        actor_id: None,
        action: "sweep".to_owned(),
        purpose,
        application: None,
        subject: None,
        fields,
        count: persons.unsigned_abs(),
    }
}
