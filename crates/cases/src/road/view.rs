//! What the management pages show. No content of any exchange, and no person.

use crate::boxed;
use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use store::tables::road_agreement::{self, State};
use store::tables::road_switch;
use troad::ids::{MemberId, ServiceId};
use troad::log::{Filter, Outcome, Side};
use uuid::Uuid;

use super::{MOST, Road, allowed, failed};
use crate::history::{day, time};
use crate::staff::{self, Staff};
use crate::{CaseError, Desk};

/// Days of the counts.
const DAYS: i32 = 7;
/// Exchanges of a page.
const PAGE: usize = 100;
/// Longest answer of a trial call.
const TRIAL: u64 = 1 << 20;

/// An interface with today's traffic.
#[derive(Clone, Debug, PartialEq)]
pub struct InterfaceRow {
    /// As the road names it.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether the city offers it; otherwise it uses it.
    pub offered: bool,
    /// Whether it may be used now.
    pub enabled: bool,
    /// Why it was switched last, and when.
    pub switched: Option<(String, Timestamp)>,
    /// Exchanges of the last seven days.
    pub calls: u64,
    /// Those that ended otherwise than answered.
    pub failures: u64,
    /// Middle and 99th of a hundred latencies of today, milliseconds.
    pub latency_ms: Option<(f64, f64)>,
    /// Bytes of the last seven days, asked and answered.
    pub bytes: (u64, u64),
}

/// An approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgreementRow {
    /// Identifier; nothing for those of the gateway's file.
    pub id: Option<Uuid>,
    /// Number of the document.
    pub number: String,
    /// The interface.
    pub service: String,
    /// Who calls.
    pub client: String,
    /// Purpose.
    pub purpose: String,
    /// Law.
    pub legal_ground: String,
    /// Fields.
    pub fields: Vec<String>,
    /// First and last legal day.
    pub days: (Date, Date),
    /// Calls of today and most calls a day.
    pub quota: (u64, Option<u64>),
    /// How far it has come.
    pub state: State,
    /// Who asked for it.
    pub applied_by: String,
    /// Who decided.
    pub decided_by: Option<String>,
    /// Why it was refused or ended.
    pub reason: Option<String>,
    /// Revision to name in the next change.
    pub revision: i64,
    /// Whether this member of staff may decide it.
    pub may_decide: bool,
}

/// A certificate of the road.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateRow {
    /// Whose.
    pub member: String,
    /// Whether it signs messages; otherwise it is for connections.
    pub signs: bool,
    /// Its holder.
    pub subject: String,
    /// Last instant.
    pub until: Timestamp,
    /// Whole days left.
    pub days: i64,
    /// Why it can't be used.
    pub problem: Option<String>,
}

/// Everything of the first page.
#[derive(Clone, Debug, PartialEq)]
pub struct Overview {
    /// The own member.
    pub own: String,
    /// Why nothing passes, if so.
    pub closed: Option<String>,
    /// The interfaces.
    pub interfaces: Vec<InterfaceRow>,
    /// The approvals.
    pub agreements: Vec<AgreementRow>,
    /// Members that calls may come from or go to.
    pub members: Vec<(String, String)>,
    /// The certificates, those that end first before the others.
    pub certificates: Vec<CertificateRow>,
    /// Faults of the last seven days by type.
    pub faults: BTreeMap<String, u64>,
    /// Whether this member of staff may change something.
    pub may_change: bool,
}

/// The first page.
///
/// # Errors
/// [`CaseError::NotFound`] without a gateway; [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn overview(desk: &Desk, staff: &Staff) -> Result<Overview, CaseError> {
    let road = allowed(desk, staff, "road")?;
    let gateway = road.gateway();
    let directory = gateway.directory();
    let switches = road_switch::all(desk.store.read()).await?;
    let today = desk.today();
    let since = today.checked_sub((DAYS - 1).days()).unwrap_or(today);
    let mut faults: BTreeMap<String, u64> = BTreeMap::new();
    let interfaces = gateway.log().counts(|counts| {
        let mut rows: Vec<InterfaceRow> = directory
            .interfaces
            .iter()
            .map(|one| {
                let switched = switches.iter().find(|switch| switch.service == one.id.to_string());
                InterfaceRow {
                    id: one.id.to_string(),
                    name: one.name.clone(),
                    offered: road.offers(&one.id),
                    enabled: one.enabled,
                    switched: switched.map(|switch| (switch.reason.clone(), time(switch.changed_at))),
                    calls: 0,
                    failures: 0,
                    latency_ms: None,
                    bytes: (0, 0),
                }
            })
            .collect();
        for (key, counted) in counts.days().filter(|(key, _)| key.day >= since) {
            for (fault, number) in &counted.faults {
                *faults.entry(fault.clone()).or_default() += number;
            }
            let Some(service) = &key.service else { continue };
            let Some(row) = rows.iter_mut().find(|row| row.id == service.to_string()) else {
                continue;
            };
            row.calls += counted.calls;
            row.failures += counted.calls - counted.outcomes.get(&Outcome::Done).copied().unwrap_or_default();
            row.bytes = (row.bytes.0 + counted.request_bytes, row.bytes.1 + counted.answer_bytes);
            if key.day == today {
                row.latency_ms = Some((
                    milliseconds(counted.latency_us(0.5)),
                    milliseconds(counted.latency_us(0.99)),
                ));
            }
        }
        rows
    });
    let now = desk.now();
    let certificates = gateway.expiries().into_iter().map(|one| CertificateRow {
        member: one.member.to_string(),
        signs: one.signs_messages,
        subject: one.facts.subject,
        until: one.facts.not_after,
        days: one.facts.not_after.duration_since(now).as_hours().div_euclid(24),
        problem: one.problem.map(|problem| problem.to_string()),
    });
    Ok(Overview {
        own: road.own.to_string(),
        closed: gateway.is_open().err().map(|fault| fault.to_string()),
        certificates: certificates.collect(),
        agreements: agreements(desk, staff, road).await?,
        members: directory
            .members
            .iter()
            .flat_map(|member| {
                let of = |subsystem: &String| MemberId {
                    subsystem: Some(subsystem.clone()),
                    ..member.id.clone()
                };
                let subsystems = member.subsystems.iter().map(of);
                subsystems.map(|id| (id.to_string(), member.name.clone()))
            })
            .collect(),
        may_change: allowed(desk, staff, "road_change").is_ok(),
        interfaces,
        faults,
    })
}

#[expect(clippy::cast_precision_loss, reason = "a latency of an hour has nine digits")]
fn milliseconds(us: u64) -> f64 {
    us as f64 / 1000.0
}

async fn agreements(desk: &Desk, staff: &Staff, road: &Road) -> Result<Vec<AgreementRow>, CaseError> {
    let names = staff::all(desk).await?;
    let name = |id: Uuid| names.iter().find(|one| one.id.uuid() == id).map(|one| one.name.clone());
    let mut rows = Vec::new();
    for row in road_agreement::all(desk.store.read(), MOST).await? {
        rows.push(AgreementRow {
            id: Some(row.id),
            fields: serde_json::from_str(&row.fields).map_err(|error| CaseError::corrupt("road_agreement", &error))?,
            days: (
                day("road_agreement", &row.first_day)?,
                day("road_agreement", &row.last_day)?,
            ),
            quota: (
                road.gateway().quota_used(&row.number),
                row.daily_quota.and_then(|quota| u64::try_from(quota).ok()),
            ),
            state: row.state,
            applied_by: name(row.applied_by).unwrap_or_default(),
            decided_by: row.decided_by.and_then(name),
            reason: row.reason,
            revision: row.revision,
            may_decide: row.state == State::Applied && row.applied_by != staff.id.uuid(),
            number: row.number,
            service: row.service,
            client: row.client,
            purpose: row.purpose,
            legal_ground: row.legal_ground,
        });
    }
    for one in &road.base.agreements {
        rows.push(AgreementRow {
            id: None,
            number: one.number.clone(),
            service: one.service.to_string(),
            client: one.client.to_string(),
            purpose: one.purpose.clone(),
            legal_ground: one.legal_ground.clone(),
            fields: one.fields.clone(),
            days: (one.from, one.to),
            quota: (road.gateway().quota_used(&one.number), one.daily_quota),
            state: State::Approved,
            applied_by: String::new(),
            decided_by: None,
            reason: None,
            revision: 0,
            may_decide: false,
        });
    }
    Ok(rows)
}

/// An exchange of late: who, what, when and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Number of its line in the log.
    pub seq: u64,
    /// When it began.
    pub at: Timestamp,
    /// On which side the city was.
    pub side: Side,
    /// Who called.
    pub client: String,
    /// What was called.
    pub service: String,
    /// Method and pattern of the endpoint.
    pub endpoint: String,
    /// Message id.
    pub id: String,
    /// HTTP status.
    pub status: u16,
    /// How it ended.
    pub outcome: Outcome,
    /// Type of the fault.
    pub fault: Option<String>,
    /// Milliseconds.
    pub latency_ms: u64,
}

/// Exchanges of late that a filter wants, newest first.
///
/// # Errors
/// [`CaseError::NotFound`] without a gateway; [`CaseError::Refused`].
pub fn exchanges(desk: &Desk, staff: &Staff, filter: &Filter) -> Result<Vec<Exchange>, CaseError> {
    let road = allowed(desk, staff, "road")?;
    let recent = road.gateway().recent(filter, PAGE);
    let rows = recent.into_iter().map(|(seq, record)| Exchange {
        seq,
        at: Timestamp::from_millisecond(record.time).unwrap_or(Timestamp::MIN),
        side: record.side,
        client: record.client.as_ref().map(ToString::to_string).unwrap_or_default(),
        service: record.service.as_ref().map(ToString::to_string).unwrap_or_default(),
        endpoint: format!("{} {}", record.method, record.endpoint.as_deref().unwrap_or_default()),
        id: record.id.clone(),
        status: record.status,
        outcome: record.outcome,
        fault: record.fault.clone(),
        latency_ms: record.latency_us / 1000,
    });
    Ok(rows.collect())
}

/// Calls the list of methods of the provider of an interface that the city uses: it shows whether the way is open, and asks for
/// nobody's data.
///
/// # Errors
/// [`CaseError::Outside`] with what failed; [`CaseError::NotFound`] for an interface that the city does not use; [`CaseError::Refused`].
#[boxed]
pub async fn probe(desk: &Desk, staff: &Staff, service: &str) -> Result<(), CaseError> {
    let road = allowed(desk, staff, "road_change")?;
    let unknown = || CaseError::NotFound("interface");
    let id: ServiceId = service.parse().map_err(|_| unknown())?;
    let directory = road.gateway().directory();
    let used = directory.interfaces.iter().any(|one| one.id == id) && !road.offers(&id);
    let own = directory.members.iter().find(|one| one.id == road.own);
    let (true, Some(own)) = (used, own) else {
        return Err(unknown());
    };
    let client = MemberId {
        subsystem: own.subsystems.first().cloned(),
        ..own.id.clone()
    };
    let list = ServiceId {
        provider: id.provider,
        code: "listMethods".to_owned(),
    };
    let call = troad::Call {
        answer_bytes: TRIAL,
        ..troad::Call::get(client, list, "")
    };
    road.gateway().call(call).await.map_err(|error| failed(&error))?;
    Ok(())
}
