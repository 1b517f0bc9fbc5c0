//! Counts of the log for the management pages, kept as records come in.

use super::record::{Outcome, Record, Side, at};
use crate::fault::{Kind, Place, same_type};
use crate::ids::ServiceId;
use crate::target::Meta;
use civic::legal_day;
use hdrhistogram::Histogram;
use jiff::civil::Date;
use std::collections::{BTreeMap, HashMap};

/// Most types of fault counted by name on a day of an interface; further ones are counted as `other`.
const MOST_TYPES: usize = 64;
/// Longest latency told apart, microseconds: an hour.
const LONGEST: u64 = 3_600_000_000;

/// An interface on a day, on one side.
pub struct Day {
    /// Exchanges.
    pub calls: u64,
    /// Those by how they ended.
    pub outcomes: BTreeMap<Outcome, u64>,
    /// Faults by type.
    pub faults: BTreeMap<String, u64>,
    /// Bytes of requests.
    pub request_bytes: u64,
    /// Bytes of answers.
    pub answer_bytes: u64,
    latency: Option<Histogram<u32>>,
}

impl Default for Day {
    fn default() -> Day {
        Day {
            calls: 0,
            outcomes: BTreeMap::new(),
            faults: BTreeMap::new(),
            request_bytes: 0,
            answer_bytes: 0,
            // two digits: a quantile is right within one per cent
            latency: Histogram::new_with_bounds(1, LONGEST, 2).ok(),
        }
    }
}

impl Day {
    fn add(&mut self, record: &Record) {
        self.calls += 1;
        *self.outcomes.entry(record.outcome).or_default() += 1;
        if let Some(fault) = &record.fault {
            let known = self.faults.contains_key(fault) || self.faults.len() < MOST_TYPES;
            let name = if known { fault.as_str() } else { "other" };
            *self.faults.entry(name.to_owned()).or_default() += 1;
        }
        self.request_bytes += record.request.as_ref().map_or(0, |part| part.bytes);
        self.answer_bytes += record.response.as_ref().map_or(0, |part| part.bytes);
        if let Some(latency) = &mut self.latency {
            latency.saturating_record(record.latency_us.clamp(1, LONGEST));
        }
    }

    /// A quantile of the latency, microseconds; `share` from 0 to 1.
    #[must_use]
    pub fn latency_us(&self, share: f64) -> u64 {
        self.latency
            .as_ref()
            .map_or(0, |latency| latency.value_at_quantile(share))
    }
}

/// An interface on a day.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DayKey {
    /// Day in Asia/Taipei.
    pub day: Date,
    /// The interface; none for calls that named none we know, and for metaservices.
    pub service: Option<ServiceId>,
    /// The gateway's side.
    pub side: Side,
}

/// All counts of the days still kept.
#[derive(Default)]
pub struct Aggregates {
    days: BTreeMap<DayKey, Day>,
    quotas: BTreeMap<(Date, String), u64>,
}

/// Whether the call named a service or member nobody knows; such names are whatever a caller makes up and get no row of their
/// own.
fn names_no_service(record: &Record) -> bool {
    let Some(fault) = &record.fault else { return false };
    [Place::ClientProxy, Place::ServerProxy].iter().any(|place| {
        [Kind::UnknownService, Kind::UnknownMember]
            .iter()
            .any(|kind| same_type(&format!("{}.{}", place.prefix(), kind.word()), fault))
    })
}

impl Aggregates {
    pub(super) fn add(&mut self, record: &Record) {
        let day = legal_day(at(record.time));
        let key = DayKey {
            day,
            // the metaservices stand behind any name of a provider, also one that is made up
            service: record
                .service
                .as_ref()
                .filter(|id| Meta::of(&id.code).is_none() && !names_no_service(record))
                .cloned(),
            side: record.side,
        };
        self.days.entry(key).or_default().add(record);
        if let Some(number) = &record.agreement {
            *self.quotas.entry((day, number.clone())).or_default() += 1;
        }
    }

    pub(super) fn forget_before(&mut self, day: Date) {
        self.days.retain(|key, _| key.day >= day);
        self.quotas.retain(|(of, _), _| *of >= day);
    }

    /// Days and interfaces, oldest first.
    pub fn days(&self) -> impl Iterator<Item = (&DayKey, &Day)> {
        self.days.iter()
    }

    /// Calls counted on an agreement on a day.
    #[must_use]
    pub fn quota_used(&self, agreement: &str, day: Date) -> u64 {
        self.quotas
            .get(&(day, agreement.to_owned()))
            .copied()
            .unwrap_or_default()
    }

    /// All agreements' calls of a day.
    #[must_use]
    pub fn quotas(&self, day: Date) -> HashMap<String, u64> {
        self.quotas
            .iter()
            .filter(|((of, _), _)| *of == day)
            .map(|((_, number), used)| (number.clone(), *used))
            .collect()
    }
}
