//! Seats that the folder says otherwise than a sealed list. They count for no sealed round; whoever edits `seats.csv` is
//! told so wherever they may look.

use crate::boxed;
use civic::Text;
use lottery::Draw;
use services::round::Round;
use services::{Catalogue, Service};
use store::Store;
use store::tables::round as table;

use super::draw::read;
use super::view::{SeatsView, opened, seats};
use crate::CaseError;

/// Seats of one class at one place, as sealed and as the folder says now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Name of the place.
    pub place: Text,
    /// Name of the class; none where there is only one.
    pub class: Option<Text>,
    /// As sealed; these count.
    pub sealed: u32,
    /// As `seats.csv` says now; 0 where it has no row.
    pub folder: u32,
    /// Offered, accepted or taken up.
    pub given: u32,
}

impl Changed {
    /// Whether the folder says fewer than are given already.
    #[must_use]
    pub fn is_below(&self) -> bool {
        self.folder < self.given
    }
}

/// A sealed round whose seats the folder changes.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangedRound {
    /// Folder name of the service.
    pub service: String,
    /// Name of the service.
    pub service_name: Text,
    /// Name of the round in files.
    pub round: String,
    /// Name of the round.
    pub round_name: Text,
    /// The seats that differ, in the order of the list.
    pub seats: Vec<Changed>,
}

impl ChangedRound {
    /// A sentence for people who run the platform.
    #[must_use]
    pub fn sentence(&self) -> String {
        let seats = self.seats.iter().map(|one| {
            let place = one.place.get(civic::Language::En);
            let class = one
                .class
                .as_ref()
                .map(|class| format!(", {}", class.get(civic::Language::En)));
            let below = if one.is_below() { ", fewer than given" } else { "" };
            format!(
                "{place}{}: sealed {}, seats.csv {}, given {}{below}",
                class.unwrap_or_default(),
                one.sealed,
                one.folder,
                one.given
            )
        });
        format!(
            "the list of round `{}` of `{}` is sealed, so what seats.csv says now does not count for it ({}); no place that was given is taken away; change the next round instead",
            self.round,
            self.service,
            seats.collect::<Vec<_>>().join("; ")
        )
    }
}

/// The seats of one round that differ; `views` are those of the sealed list.
pub(super) fn compare(round: &Round, sealed: &Draw, views: &[SeatsView]) -> Vec<Changed> {
    let sealed = |view: &SeatsView| {
        let place = sealed.list.places.iter().find(|place| place.id == view.place_id)?;
        place.seats.contains_key(&view.class_id).then_some(())
    };
    let changed = views.iter().filter(|view| sealed(view).is_some()).filter_map(|view| {
        let folder = round
            .seats
            .get(&view.place_id)
            .and_then(|classes| classes.get(&view.class_id));
        let same = folder.is_some_and(|now| (now.capacity, now.reserved) == (view.capacity, view.reserved));
        (!same).then(|| Changed {
            place: view.place.clone(),
            class: view.class.clone(),
            sealed: view.capacity,
            folder: folder.map_or(0, |now| now.capacity),
            given: view.taken,
        })
    });
    changed.collect()
}

/// The sealed rounds of a service whose seats the folder changes.
///
/// # Errors
/// The store's.
#[boxed]
pub async fn changes_of(store: &Store, service: &Service) -> Result<Vec<ChangedRound>, CaseError> {
    let mut found = Vec::new();
    let Some(rounds) = &service.rounds else {
        return Ok(found);
    };
    for round in &rounds.rounds {
        let Some(row) = table::find(store.read(), &service.id, &round.id).await? else {
            continue;
        };
        let sealed = read(&row.sealed)?;
        let rows = opened(store, &service.id, &round.id).await?;
        let changed = compare(round, &sealed, &seats(rounds, round, Some(&sealed), &rows));
        if !changed.is_empty() {
            found.push(ChangedRound {
                service: service.id.clone(),
                service_name: service.meta.name.clone(),
                round: round.id.clone(),
                round_name: round.name.clone(),
                seats: changed,
            });
        }
    }
    Ok(found)
}

/// The sealed rounds of all services whose seats the folders change.
///
/// # Errors
/// The store's.
#[boxed]
pub async fn changes(store: &Store, catalogue: &Catalogue) -> Result<Vec<ChangedRound>, CaseError> {
    let mut found = Vec::new();
    for service in catalogue.all() {
        found.append(&mut changes_of(store, service).await?);
    }
    Ok(found)
}
