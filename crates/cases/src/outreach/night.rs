//! The nightly count (每日清查): every service, every village, how many are entitled and how many receive.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use rules::PeopleFile;
use services::Service;
use store::outbox::{self, Outcome, Task};
use store::tables::{invitation, outreach_area, outreach_day, receiving};
use uuid::Uuid;

use super::FUNCTION;
use super::known::known;
use super::sweep::{self, AREA, Asked};
use crate::history::day;
use crate::{CaseError, Desk, register};

/// Kind of the work that counts a night.
pub(crate) const NIGHT: &str = "outreach.night";
/// Hour of legal time from which the count of a day is made.
const HOUR: i8 = 2;

/// Puts the count of today, once it is time; says whether it was put now. Where nothing was ever counted it is time at once.
///
/// # Errors
/// The store's.
pub(crate) async fn schedule(desk: &Desk) -> Result<u64, CaseError> {
    if register::summary(desk).await?.is_none() {
        return Ok(0);
    }
    if civic::legal_time(desk.now()).hour() < HOUR && outreach_day::any(desk.store.read()).await? {
        return Ok(0);
    }
    let today = desk.today().to_string();
    let task = Task::new(NIGHT, format!("{NIGHT}:{today}"), &today);
    let put = desk
        .store
        .write(move |tx| Box::pin(async move { Ok::<_, CaseError>(outbox::put(tx, task).await?) }))
        .await?;
    Ok(u64::from(put))
}

/// Entitled and receiving.
type Counts = (i64, i64);

/// What a night found of a service.
struct Counted {
    place: usize,
    lacking: Vec<String>,
    areas: BTreeMap<String, Counts>,
}

/// Counts a day over all services in one pass of the register. A service that was counted already is left alone.
///
/// # Errors
/// [`CaseError::Rules`] when the register can't be read; the store's.
pub(crate) async fn night(desk: &Desk, of: &str) -> Result<Outcome, CaseError> {
    let on = day("outreach", of)?;
    let mut asked = Vec::new();
    for service in desk.catalogue.all() {
        if outreach_day::find(desk.store.read(), &service.id, of).await?.is_none() {
            asked.push(Asked {
                known: known(desk, service).await?,
                service: Arc::clone(service),
            });
        }
    }
    let services: Vec<Arc<Service>> = asked.iter().map(|one| Arc::clone(&one.service)).collect();
    let named: Vec<&Service> = services.iter().map(Arc::as_ref).collect();
    if named.is_empty() || register::summary(desk).await?.is_none() {
        return Ok(Outcome::Done);
    }
    let opened = register::open_for(desk, &named, FUNCTION).await?;
    let (file, seal) = (opened.file.clone(), desk.store.seal().clone());
    let counted = tokio::task::spawn_blocking(move || count(&file, &seal, asked, on));
    let counted = counted.await.map_err(|error| CaseError::Outside {
        party: "register",
        problem: error.to_string(),
    })??;
    for one in counted {
        if let Some(service) = services.get(one.place) {
            keep(desk, service, of, opened.as_of, one).await?;
        }
    }
    Ok(Outcome::Done)
}

/// Sweeps and counts.
fn count(file: &PeopleFile, seal: &store::seal::Seal, asked: Vec<Asked>, on: Date) -> Result<Vec<Counted>, CaseError> {
    let columns = register::columns(file)?;
    let mut counted = Vec::with_capacity(asked.len());
    let (mut places, mut sound) = (Vec::new(), Vec::new());
    for (place, one) in asked.into_iter().enumerate() {
        let lacking = sweep::lacking(&one.service, &columns);
        if lacking.is_empty() {
            places.push(place);
            sound.push(one);
        }
        counted.push(Counted {
            place,
            lacking,
            areas: BTreeMap::new(),
        });
    }
    if sound.is_empty() {
        return Ok(counted);
    }
    sweep::units(file, seal, &sound, on, &[], |found| {
        let one = places.get(found.place).and_then(|place| counted.get_mut(*place));
        if let Some(one) = one {
            let area = one.areas.entry(found.person.detail(AREA).to_owned()).or_default();
            area.0 += 1;
            area.1 += i64::from(found.receives);
        }
        true
    })?;
    Ok(counted)
}

/// Keeps the counts of a service, and notes which of those invited have applied since.
async fn keep(desk: &Desk, service: &Service, of: &str, as_of: Date, counted: Counted) -> Result<(), CaseError> {
    let sum = |one: fn(&Counts) -> i64| counted.areas.values().map(one).sum();
    let total = outreach_day::Model {
        id: Uuid::new_v4(),
        service: service.id.clone(),
        day: of.to_owned(),
        as_of: as_of.to_string(),
        entitled: sum(|area| area.0),
        receiving: sum(|area| area.1),
        lacking: counted.lacking.join(","),
    };
    let areas: Vec<outreach_area::Model> = counted
        .areas
        .into_iter()
        .map(|(area, (entitled, receiving))| outreach_area::Model {
            id: Uuid::new_v4(),
            service: service.id.clone(),
            area,
            day: of.to_owned(),
            entitled,
            receiving,
        })
        .collect();
    let mut applied = Vec::new();
    for (id, subject, at) in invitation::waiting(desk.store.read(), &service.id).await? {
        if receiving::asked(desk.store.read(), &service.id, &subject, at).await? {
            applied.push(id);
        }
    }
    let now = desk.now().as_microsecond();
    let written = desk
        .store
        .write(move |tx| {
            Box::pin(async move {
                outreach_day::insert(tx, total.clone()).await?;
                outreach_area::replace(tx, &total.service, areas).await?;
                invitation::applied(tx, &applied, now).await?;
                Ok::<_, CaseError>(())
            })
        })
        .await;
    match written {
        // another run counted it in this moment
        Err(CaseError::Store(error)) if error.is_duplicate() => Ok(()),
        other => other,
    }
}
