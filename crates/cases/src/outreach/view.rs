//! What the office sees: counts by village, the invitations it sent, and the take-up (領取率) before and after.

use crate::boxed;
use std::collections::{BTreeMap, HashSet};

use civic::{Language, Text};
use jiff::Timestamp;
use jiff::civil::Date;
use services::Service;
use services::invite::Unit;
use store::tables::campaign as table;
use store::tables::{invitation, outreach_area, outreach_day, staff as colleague};
use uuid::Uuid;

use super::invite::inviting;
use super::visit::find;
use super::{CampaignState, InvitationStanding, allowed};
use crate::guard::{self, Action};
use crate::history::{day, time};
use crate::indicators::ratio;
use crate::staff::Staff;
use crate::{CaseError, Desk};

/// Numbers below this are not told to who does not need them.
const FEW: i64 = 3;

/// A number of people: exact, or only that it is a small one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// Exactly so many.
    Exact(i64),
    /// One or two.
    Few,
}

/// Entitled and receiving, persons or households.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Entitled by the register.
    pub entitled: i64,
    /// Of them those who receive, or have applied.
    pub receiving: i64,
}

impl Tally {
    /// Those who do not receive.
    #[must_use]
    pub const fn missing(&self) -> i64 {
        self.entitled - self.receiving
    }

    /// Receiving ÷ entitled (領取率).
    #[must_use]
    pub fn take_up(&self) -> Option<f64> {
        ratio(self.receiving, self.entitled)
    }

    /// The counts themselves, unless the number of those who do not receive could be worked out from them and is not told.
    fn told(self, exact: bool) -> Option<Tally> {
        (self.shown(exact) != Number::Few).then_some(self)
    }

    fn shown(self, exact: bool) -> Number {
        match self.missing() {
            few @ 1.. if few < FEW && !exact => Number::Few,
            missing => Number::Exact(missing),
        }
    }
}

/// A service as the list shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceRow {
    /// Folder name.
    pub service: String,
    /// Its name.
    pub name: Text,
    /// Whether it counts and invites households.
    pub households: bool,
    /// Whether it can invite at all.
    pub invites: bool,
    /// Day of the newest count and day of the register it was made of; nothing before the first night.
    pub counted: Option<(Date, Date)>,
    /// Titles of the facts that the register lacks; with one, nothing was counted.
    pub lacking: Vec<Text>,
    /// What was counted; nothing where a small number is not told.
    pub tally: Option<Tally>,
    /// Those who do not receive, as this member of staff may know it.
    pub missing: Number,
}

/// A village.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AreaRow {
    /// District and village as the register names them; empty where it names none.
    pub area: String,
    /// What was counted; nothing where the number of those who do not receive is a small one that is not told.
    pub tally: Option<Tally>,
    /// Those who do not receive.
    pub missing: Number,
}

/// Invitations sent together, in the list.
#[derive(Clone, Debug, PartialEq)]
pub struct CampaignRow {
    /// Identifier.
    pub id: Uuid,
    /// When they were begun.
    pub at: Timestamp,
    /// Name of who began them.
    pub by: String,
    /// How far the work has come.
    pub state: CampaignState,
    /// The villages chosen; none means all.
    pub areas: Vec<String>,
    /// What was counted there before; nothing where a small number is not told.
    pub before: Option<Tally>,
    /// What is counted there now; likewise.
    pub now: Option<Tally>,
}

/// A service with its villages.
#[derive(Clone, Debug, PartialEq)]
pub struct Overview {
    /// The service.
    pub row: ServiceRow,
    /// Its villages by name.
    pub areas: Vec<AreaRow>,
    /// What the mail says; nothing where nobody is invited.
    pub text: Option<Text>,
    /// Days in which nobody is invited twice.
    pub again_days: u16,
    /// Whether this member of staff may invite now.
    pub may_invite: bool,
    /// Invitations so far, newest first.
    pub campaigns: Vec<CampaignRow>,
}

/// Invitations sent together, with what became of them.
#[derive(Clone, Debug, PartialEq)]
pub struct CampaignView {
    /// Folder name of the service.
    pub service: String,
    /// Its name.
    pub name: Text,
    /// The invitations.
    pub row: CampaignRow,
    /// How many stand how.
    pub counts: BTreeMap<InvitationStanding, i64>,
    /// Found in all.
    pub found: i64,
    /// Of those written to, who have applied since.
    pub applied: i64,
    /// Whether this member of staff may see whom no mail reaches.
    pub may_visit: bool,
    /// Last day of that list.
    pub until: Date,
}

/// Whether small numbers are told: to who invites.
fn exact(desk: &Desk, staff: &Staff, service: &Service) -> bool {
    guard::office_of(desk, staff, Action::Invite, service).is_ok()
}

/// The title of a fact, by its name as `person.birth_date`.
fn title(service: &Service, fact: &str) -> Text {
    let name = fact.split_once('.').map_or(fact, |(_, name)| name);
    let found = service.rules.inputs().iter().find(|input| input.name == name);
    found.map_or_else(|| Text::chinese(fact.to_owned()), |input| input.title.clone())
}

async fn row(desk: &Desk, staff: &Staff, service: &Service) -> Result<ServiceRow, CaseError> {
    let found = outreach_day::latest(desk.store.read(), &service.id).await?;
    let tally = found.as_ref().map_or_else(Tally::default, |found| Tally {
        entitled: found.entitled,
        receiving: found.receiving,
    });
    let counted = found.as_ref().map(|found| {
        let days = (day("outreach_day", &found.day)?, day("outreach_day", &found.as_of)?);
        Ok::<_, CaseError>(days)
    });
    let lacking = found.as_ref().map_or("", |found| found.lacking.as_str());
    Ok(ServiceRow {
        service: service.id.clone(),
        name: service.meta.name.clone(),
        households: service
            .meta
            .invite
            .as_ref()
            .is_some_and(|invite| invite.unit == Unit::Household),
        invites: service.meta.invite.is_some(),
        counted: counted.transpose()?,
        lacking: lacking
            .split(',')
            .filter(|fact| !fact.is_empty())
            .map(|fact| title(service, fact))
            .collect(),
        missing: tally.shown(exact(desk, staff, service)),
        tally: tally.told(exact(desk, staff, service)),
    })
}

/// The services of a member of staff's office.
///
/// # Errors
/// [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn list(desk: &Desk, staff: &Staff) -> Result<Vec<ServiceRow>, CaseError> {
    guard::office(desk, staff, Action::Outreach)?;
    let mut rows = Vec::new();
    for service in desk.catalogue.all() {
        if guard::office_of(desk, staff, Action::Outreach, service).is_ok() {
            rows.push(row(desk, staff, service).await?);
        }
    }
    Ok(rows)
}

/// What is counted now in these villages; in all where none is named.
fn of_areas(there: &[outreach_area::Model], areas: &[String]) -> Tally {
    let areas: HashSet<&str> = areas.iter().map(String::as_str).collect();
    let chosen = there
        .iter()
        .filter(|one| areas.is_empty() || areas.contains(one.area.as_str()));
    chosen.fold(Tally::default(), |sum, one| Tally {
        entitled: sum.entitled + one.entitled,
        receiving: sum.receiving + one.receiving,
    })
}

async fn campaign_row(
    desk: &Desk,
    found: &table::Model,
    there: &[outreach_area::Model],
    exact: bool,
) -> Result<CampaignRow, CaseError> {
    let areas: Vec<String> =
        serde_json::from_str(&found.areas).map_err(|error| CaseError::corrupt("campaign", &error))?;
    let by = colleague::by_id(desk.store.read(), found.made_by).await?;
    Ok(CampaignRow {
        id: found.id,
        at: time(found.made_at),
        by: by.map(|row| row.name).unwrap_or_default(),
        state: found.state,
        before: Tally {
            entitled: found.entitled,
            receiving: found.receiving,
        }
        .told(exact),
        now: of_areas(there, &areas).told(exact),
        areas,
    })
}

/// A service with its villages and invitations.
///
/// # Errors
/// [`CaseError::NoService`]; [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn view(desk: &Desk, staff: &Staff, service: &str) -> Result<Overview, CaseError> {
    let service = desk.service(service)?;
    guard::office_of(desk, staff, Action::Outreach, service)?;
    let exact = exact(desk, staff, service);
    let there = outreach_area::of_service(desk.store.read(), &service.id).await?;
    let areas = there.iter().map(|one| {
        let tally = Tally {
            entitled: one.entitled,
            receiving: one.receiving,
        };
        AreaRow {
            area: one.area.clone(),
            tally: tally.told(exact),
            missing: tally.shown(exact),
        }
    });
    let areas = areas.collect();
    let row = row(desk, staff, service).await?;
    let mut campaigns = Vec::new();
    for found in table::of_service(desk.store.read(), &service.id).await? {
        campaigns.push(campaign_row(desk, &found, &there, exact).await?);
    }
    let writing = campaigns.iter().any(|one| one.state == CampaignState::Writing);
    Ok(Overview {
        areas,
        text: service.meta.invite.as_ref().map(|invite| invite.text.clone()),
        again_days: service.meta.invite.as_ref().map_or(0, |invite| invite.again_days),
        may_invite: exact
            && !writing
            && row.tally.is_some_and(|tally| tally.missing() > 0)
            && inviting(service, desk.today()).is_ok(),
        row,
        campaigns,
    })
}

/// Invitations sent together, with what became of them.
///
/// # Errors
/// [`CaseError::NotFound`]; [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn campaign(desk: &Desk, staff: &Staff, service: &str, id: Uuid) -> Result<CampaignView, CaseError> {
    let service = desk.service(service)?;
    guard::office_of(desk, staff, Action::Outreach, service)?;
    let found = find(desk, service, id).await?;
    let there = outreach_area::of_service(desk.store.read(), &service.id).await?;
    let rows = invitation::counts(desk.store.read(), id).await?;
    let counts: BTreeMap<_, _> = rows.iter().map(|(standing, rows, _)| (*standing, *rows)).collect();
    let unreached = counts.get(&InvitationStanding::NoAddress).is_some_and(|n| *n > 0);
    Ok(CampaignView {
        service: service.id.clone(),
        name: service.meta.name.clone(),
        row: campaign_row(desk, &found, &there, exact(desk, staff, service)).await?,
        found: counts.values().sum(),
        applied: rows.iter().map(|(_, _, applied)| applied).sum(),
        may_visit: unreached
            && found.state != CampaignState::Closed
            && allowed(desk, &staff.who(), Action::Visit, id, service).is_ok(),
        until: day("campaign", &found.dispose_on)?,
        counts,
    })
}

/// Take-up of a service as a key figure (領取率).
#[derive(Clone, Debug, PartialEq)]
pub struct TakeUp {
    /// Name of the service.
    pub name: Text,
    /// Folder name.
    pub service: String,
    /// Day of the count.
    pub day: Date,
    /// What was counted.
    pub tally: Tally,
    /// In the villages of the newest invitations: before them, and now. Nothing where a small number is not told.
    pub invited: Option<(Option<Tally>, Option<Tally>)>,
}

/// Take-up of the services of a member of staff's office. It holds nothing of a person.
///
/// # Errors
/// [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn take_up(desk: &Desk, staff: &Staff) -> Result<Vec<TakeUp>, CaseError> {
    guard::office(desk, staff, Action::Measure)?;
    let db = desk.store.read();
    let mut all = Vec::new();
    for service in desk.catalogue.all() {
        if guard::agency(service) != staff.agency {
            continue;
        }
        let found = outreach_day::latest(db, &service.id).await?;
        let Some(found) = found.filter(|found| found.lacking.is_empty() && found.entitled > 0) else {
            continue;
        };
        let exact = exact(desk, staff, service);
        let tally = Tally {
            entitled: found.entitled,
            receiving: found.receiving,
        };
        let Some(tally) = tally.told(exact) else { continue };
        let newest = table::of_service(db, &service.id).await?.into_iter().next();
        let invited = match newest {
            Some(newest) => {
                let there = outreach_area::of_service(db, &service.id).await?;
                let row = campaign_row(desk, &newest, &there, exact).await?;
                Some((row.before, row.now))
            }
            None => None,
        };
        all.push(TakeUp {
            name: service.meta.name.clone(),
            service: service.id.clone(),
            day: day("outreach_day", &found.day)?,
            tally,
            invited,
        });
    }
    all.sort_by(|one, other| one.name.get(Language::ZhTw).cmp(other.name.get(Language::ZhTw)));
    Ok(all)
}
