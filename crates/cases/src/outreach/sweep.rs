//! What the sweep says of a register, compared with who receives: units that are entitled, with their village.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use jiff::civil::Date;
use rules::{Entity, PeopleFile, PopulationFile, RuleError};
use services::Service;
use services::invite::Unit;
use store::seal::Seal;

use crate::CaseError;
use crate::register::{self, Member};

/// A service with everybody who receives it.
pub(super) struct Asked {
    pub(super) service: Arc<Service>,
    pub(super) known: HashSet<Vec<u8>>,
}

/// Places of the details that every pass asks for.
pub(super) const NATIONAL_ID: usize = 0;
pub(super) const AREA: usize = 1;

/// A person or household that is entitled.
pub(super) struct Found<'a> {
    /// Which of the services asked for.
    pub(super) place: usize,
    /// Who would apply.
    pub(super) person: &'a Member,
    /// Keyed hash of their national id.
    pub(super) subject: [u8; 32],
    /// Whether they receive, or anybody of the household where that is the unit.
    pub(super) receives: bool,
}

/// How a service counts.
fn unit(service: &Service) -> Unit {
    service.meta.invite.as_ref().map_or(Unit::Person, |invite| invite.unit)
}

/// The facts that a register of these columns lacks for a service, as `person.birth_date`.
pub(super) fn lacking(service: &Service, columns: &BTreeSet<String>) -> Vec<String> {
    let there = |name: &str| columns.contains(name) || columns.contains(&format!("{}.{name}", service.id));
    let inputs = service.rules.inputs().iter().map(|input| match input.entity {
        Entity::Person => (format!("person.{}", input.name), input.name.clone()),
        Entity::Household => (format!("household.{}", input.name), format!("household.{}", input.name)),
        Entity::Case => (format!("case.{}", input.name), format!("case.{}", input.name)),
    });
    let wanted = service.meta.invite.as_ref().map(|invite| &invite.facts);
    let mut lacking: Vec<String> = inputs
        .filter(|(name, _)| wanted.is_none_or(|wanted| wanted.contains(name)))
        .filter(|(_, column)| !there(column))
        .map(|(name, _)| name)
        .collect();
    if !service.rules.has_candidates() && !there("applicant") {
        lacking.push("applicant".to_owned());
    }
    lacking
}

/// The rows of everybody entitled, service by service. A service whose rules can't be run on this register has none, and
/// does not keep the others from being counted.
fn entitled(file: &PeopleFile, services: &[Asked], on: Date) -> Result<Vec<Vec<u64>>, CaseError> {
    let population = PopulationFile::open(file.clone())?;
    let mut left: Vec<usize> = (0..services.len()).collect();
    loop {
        let chosen: Vec<_> = left.iter().filter_map(|place| services.get(*place)).collect();
        let named: Vec<_> = chosen
            .iter()
            .map(|one| (one.service.id.as_str(), &one.service.rules))
            .collect();
        let swept = match population.sweep(&named, on) {
            Ok(swept) => swept,
            Err(RuleError::Service { service, error }) if left.len() > 1 => {
                tracing::warn!(%service, %error, "this service could not be swept");
                left.retain(|place| services.get(*place).is_none_or(|one| one.service.id != service));
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let mut rows = vec![Vec::new(); services.len()];
        for (place, swept) in left.into_iter().zip(swept) {
            let found = swept.applicant.iter().zip(swept.outcome.iter());
            let found = found.filter(|(_, outcome)| *outcome == Some(true)).map(|(row, _)| *row);
            if let Some(rows) = rows.get_mut(place) {
                rows.extend(found);
            }
        }
        return Ok(rows);
    }
}

/// Calls `each` with every unit that is entitled to one of the services, in the order of the register; `each` says whether
/// to go on. `details` come after the national id and the village.
///
/// # Errors
/// [`CaseError::Rules`] when the register can't be read or swept.
pub(super) fn units(
    file: &PeopleFile,
    seal: &Seal,
    services: &[Asked],
    on: Date,
    details: &[&str],
    mut each: impl FnMut(Found<'_>) -> bool,
) -> Result<(), CaseError> {
    let rows = entitled(file, services, on)?;
    let mut waiting: Vec<_> = rows.iter().map(|rows| rows.iter().copied().peekable()).collect();
    let wanted: Vec<&str> = ["national_id", "area"]
        .into_iter()
        .chain(details.iter().copied())
        .collect();
    let hash = |member: &Member| seal.lookup("national_id", member.detail(NATIONAL_ID));
    register::households(file, &wanted, |members| {
        let end = members.last().map_or(0, |member| member.row);
        for (place, (rows, asked)) in waiting.iter_mut().zip(services).enumerate() {
            let together = unit(&asked.service) == Unit::Household;
            let mut told = false;
            while let Some(row) = rows.next_if(|row| *row <= end) {
                let Some(person) = members.iter().find(|member| member.row == row) else {
                    continue;
                };
                // whoever of a household could apply, it is one household
                if together && std::mem::replace(&mut told, true) {
                    continue;
                }
                let subject = hash(person);
                let receives = asked.known.contains(subject.as_slice())
                    || together
                        && members
                            .iter()
                            .any(|member| asked.known.contains(hash(member).as_slice()));
                let found = Found {
                    place,
                    person,
                    subject,
                    receives,
                };
                if !each(found) {
                    return false;
                }
            }
        }
        true
    })
}
