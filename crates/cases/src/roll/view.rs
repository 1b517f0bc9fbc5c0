//! What an office sees of its rolls.

use crate::boxed;
use std::collections::BTreeMap;

use civic::ids::ApplicationId;
use civic::{Language, Money, Text};
use jiff::Timestamp;
use jiff::civil::Date;
use services::Service;
use store::tables::roll_entry::{self, Standing};
use store::tables::{application, roll as table};
use uuid::Uuid;

use super::{RollState, begun, find};
use crate::guard::{self, Action};
use crate::history::time;
use crate::record;
use crate::register;
use crate::staff::{self, Staff};
use crate::{CaseError, Desk};

/// Most lines of a page.
const SHOWN: u64 = 100;

/// A roll in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RollRow {
    /// Folder name of the service.
    pub service: String,
    /// Name of the service.
    pub service_name: Text,
    /// Name of the roll in addresses.
    pub roll: String,
    /// What it is called.
    pub name: Text,
    /// First day to draw it up.
    pub from: Date,
    /// How far it has come; nothing before it is begun.
    pub state: Option<RollState>,
    /// Whether the reader's office only confirms it.
    pub confirms: bool,
}

/// Lines of one area.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Area {
    /// Village or district.
    pub area: String,
    /// Lines that are, or are to be, given.
    pub given: i64,
    /// What they come to.
    pub amount: Money,
    /// Of them, those without an account.
    pub without_account: i64,
}

/// A line of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineRow {
    /// Identifier, for the next page.
    pub id: Uuid,
    /// The case; none for who was left out from the beginning.
    pub application: Option<ApplicationId>,
    /// Number of the case.
    pub number: String,
    /// Area.
    pub area: String,
    /// How it stands.
    pub standing: Standing,
    /// Why it is not given.
    pub reason: Option<String>,
    /// Amount.
    pub amount: Money,
    /// Whether an account is known.
    pub payable: bool,
    /// What the confirming office sees: labels of fields and their values.
    pub facts: Vec<(Text, String)>,
}

/// A roll with everything about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RollView {
    /// The line of the list.
    pub row: RollRow,
    /// Day whose law decides.
    pub reference_date: Date,
    /// Day of the register there is, if there is one.
    pub register: Option<Date>,
    /// Day of the register it was drawn up from.
    pub drawn_from: Option<Date>,
    /// Who drew it up, and when.
    pub made: Option<(String, Timestamp)>,
    /// The office that confirms, and what.
    pub confirm: Option<(Text, Text)>,
    /// Who confirmed it, and when.
    pub confirmed: Option<(String, Timestamp)>,
    /// Days to object.
    pub object_days: u16,
    /// Last day to object.
    pub object_until: Option<Date>,
    /// Who granted it, and when.
    pub granted: Option<(String, Timestamp)>,
    /// Persons who must be looked at by hand: entitled by the sweep, not by a decision of their own.
    pub differing: i64,
    /// Lines by standing.
    pub standings: BTreeMap<Standing, i64>,
    /// Lines by area.
    pub areas: Vec<Area>,
    /// What all lines to be given come to.
    pub amount: Money,
    /// Revision to name in the next change.
    pub revision: i64,
    /// Whether the reader may draw it up now.
    pub may_begin: bool,
    /// Whether the reader may confirm it now.
    pub may_confirm: bool,
    /// Whether the persons can be told now.
    pub may_tell: bool,
    /// Whether the reader may grant it now.
    pub may_grant: bool,
    /// Whether it waits for somebody else than the reader to grant it.
    pub needs_colleague: bool,
    /// Whether money is paid.
    pub pays: bool,
    /// Whether it looks again at everybody who receives (年度總清查).
    pub reviews: bool,
}

const GIVEN: [Standing; 3] = [Standing::Listed, Standing::Confirmed, Standing::Granted];

fn confirms(staff: &Staff, service: &Service) -> bool {
    let office = service.rolls.as_ref().and_then(|rolls| rolls.confirm.as_ref());
    office.is_some_and(|office| office.agency.get(Language::ZhTw) == staff.agency)
}

/// The rolls of the services of a member of staff's office, and those it confirms; the newest first.
///
/// # Errors
/// [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn list(desk: &Desk, staff: &Staff) -> Result<Vec<RollRow>, CaseError> {
    guard::office(desk, staff, Action::Roll)?;
    let mut rows = Vec::new();
    for service in desk.catalogue.all() {
        let own = guard::is_own(desk, staff, &service.id);
        if !own && !confirms(staff, service) {
            continue;
        }
        for roll in service.rolls.iter().flat_map(|rolls| &rolls.rolls) {
            let begun = table::find(desk.store.read(), &service.id, &roll.id).await?;
            rows.push(row(service, roll, begun.as_ref(), !own));
        }
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.from));
    Ok(rows)
}

fn row(service: &Service, roll: &services::roll::Roll, begun: Option<&table::Model>, confirms: bool) -> RollRow {
    RollRow {
        service: service.id.clone(),
        service_name: service.meta.name.clone(),
        roll: roll.id.clone(),
        name: roll.name.clone(),
        from: roll.from,
        state: begun.map(|row| row.state),
        confirms,
    }
}

/// One roll.
///
/// # Errors
/// [`CaseError::NotFound`]; [`CaseError::Refused`] for other offices than its own and the one that confirms; the store's.
#[boxed]
pub async fn view(desk: &Desk, staff: &Staff, service: &str, roll: &str) -> Result<RollView, CaseError> {
    let service = desk.service(service)?;
    let (rolls, spec) = find(service, roll)?;
    let other = rolls.confirm.as_ref().filter(|_| confirms(staff, service));
    let own = guard::is_own(desk, staff, &service.id);
    match other {
        Some(office) if !own => guard::confirm(desk, staff, office)?,
        _ => guard::office_of(desk, staff, Action::Roll, service)?,
    }
    let begun = table::find(desk.store.read(), &service.id, &spec.id).await?;
    let names = staff::all(desk).await?;
    let named = |id: Option<Uuid>, at: Option<i64>| {
        let name = names.iter().find(|one| Some(one.id.uuid()) == id);
        at.map(|at| (name.map(|one| one.name.clone()).unwrap_or_default(), time(at)))
    };
    let counts = match &begun {
        Some(row) => roll_entry::counts(desk.store.read(), row.id).await?,
        None => Vec::new(),
    };
    let mut standings = BTreeMap::new();
    let mut areas: BTreeMap<&str, Area> = BTreeMap::new();
    for count in &counts {
        *standings.entry(count.standing).or_insert(0) += count.lines;
        if GIVEN.contains(&count.standing) {
            let area = areas.entry(&count.area).or_default();
            area.area.clone_from(&count.area);
            area.given += count.lines;
            area.amount = Money(area.amount.0.saturating_add(count.amount));
            if !count.payable {
                area.without_account += count.lines;
            }
        }
    }
    let areas: Vec<Area> = areas.into_values().collect();
    let register = register::summary(desk).await?;
    let today = desk.today();
    let day = |text: &Option<String>| text.as_ref().and_then(|day| day.parse::<Date>().ok());
    let state = begun.as_ref().map(|row| row.state);
    let complete = match &rolls.confirm {
        Some(_) => state == Some(RollState::Confirmed),
        None => state == Some(RollState::Drawn),
    };
    let until = begun.as_ref().and_then(|row| day(&row.object_until));
    let grantable = own
        && match rolls.object_days {
            0 => complete,
            _ => state == Some(RollState::Told) && until.is_some_and(|until| until < today),
        };
    let allowed = begun
        .as_ref()
        .is_some_and(|row| guard::grant(desk, staff, service, row).is_ok());
    Ok(RollView {
        reference_date: spec.reference_date,
        register: register.as_ref().map(|register| register.as_of),
        drawn_from: begun.as_ref().and_then(|row| row.as_of.parse().ok()),
        made: begun
            .as_ref()
            .and_then(|row| named(Some(row.made_by), Some(row.made_at))),
        confirm: rolls
            .confirm
            .as_ref()
            .map(|office| (office.agency.clone(), office.what.clone())),
        confirmed: begun.as_ref().and_then(|row| named(row.confirmed_by, row.confirmed_at)),
        object_days: rolls.object_days,
        object_until: until,
        granted: begun.as_ref().and_then(|row| named(row.granted_by, row.granted_at)),
        differing: begun.as_ref().map_or(0, |row| row.differing),
        amount: Money(areas.iter().fold(0, |sum, area| sum.saturating_add(area.amount.0))),
        standings,
        areas,
        revision: begun.as_ref().map_or(0, |row| row.revision),
        may_begin: own && begun.is_none() && spec.from <= today && register.is_some(),
        may_confirm: other.is_some() && state == Some(RollState::Drawn),
        may_tell: own && complete && rolls.object_days > 0,
        may_grant: grantable && allowed,
        needs_colleague: grantable && !allowed,
        pays: service.meta.payment.every != services::Every::Never,
        reviews: rolls.of == services::roll::Of::InForce,
        row: row(service, spec, begun.as_ref(), !own),
    })
}

/// Lines of a roll with these standings after one of them. Opening them shows no person; the page of the case does.
///
/// # Errors
/// As [`view`].
#[boxed]
pub async fn lines(
    desk: &Desk,
    staff: &Staff,
    service: &str,
    roll: &str,
    standings: &[Standing],
    after: Option<Uuid>,
) -> Result<Vec<LineRow>, CaseError> {
    let service = desk.service(service)?;
    guard::office_of(desk, staff, Action::Roll, service)?;
    let (_, spec) = find(service, roll)?;
    let roll = begun(desk, service, &spec.id).await?;
    let rows = roll_entry::page(desk.store.read(), roll.id, standings, after, SHOWN).await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let case = match row.application_id {
            Some(id) => application::by_id(desk.store.read(), id).await?,
            None => None,
        };
        found.push(line(row, case.and_then(|case| case.number), Vec::new()));
    }
    Ok(found)
}

fn line(row: roll_entry::Model, number: Option<String>, facts: Vec<(Text, String)>) -> LineRow {
    LineRow {
        id: row.id,
        application: row.application_id.map(ApplicationId::from_uuid),
        number: number.unwrap_or_default(),
        area: row.area,
        standing: row.standing,
        reason: row.reason,
        amount: Money(row.amount),
        payable: row.payable,
        facts,
    }
}

/// What the other office confirms: of every line the facts that a clerk may see. Each line shown leaves an entry in the ledger.
///
/// # Errors
/// As [`view`], for the office that confirms only.
#[boxed]
pub async fn confirmation(
    desk: &Desk,
    staff: &Staff,
    service: &str,
    roll: &str,
    after: Option<Uuid>,
) -> Result<Vec<LineRow>, CaseError> {
    let service = desk.service(service)?.clone();
    let (rolls, spec) = find(&service, roll)?;
    let office = rolls.confirm.as_ref().ok_or(CaseError::NotFound("roll"))?;
    guard::confirm(desk, staff, office)?;
    let roll = begun(desk, &service, &spec.id).await?;
    let standings = [Standing::Listed, Standing::Confirmed, Standing::Denied];
    let rows = roll_entry::page(desk.store.read(), roll.id, &standings, after, SHOWN).await?;
    let (mut found, mut entries) = (Vec::with_capacity(rows.len()), Vec::new());
    for row in rows {
        let Some(id) = row.application_id else { continue };
        // the platform opens the case and hands on what the office may see of it
        let case = record::row(desk, id.into()).await?;
        let case = record::open(desk, &crate::Who::System, Action::List, case).await?;
        let facts = seen(&case);
        let mut entry = guard::entry(
            desk,
            &staff.who(),
            Action::Concur,
            id.into(),
            &service,
            row.subject.clone().try_into().ok(),
            &[],
        );
        entry.fields = facts.iter().map(|(id, _, _)| id.clone()).collect();
        entries.push(entry);
        let facts = facts.into_iter().map(|(_, label, value)| (label, value)).collect();
        found.push(line(row, case.row.number.clone(), facts));
    }
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                for entry in entries {
                    store::ledger::append(tx, entry).await?;
                }
                Ok::<_, CaseError>(())
            })
        })
        .await?;
    Ok(found)
}

/// The fields that a clerk may see: name in the form, label, value.
fn seen(case: &record::Record) -> Vec<(String, Text, String)> {
    let form = &case.service.form;
    let mut found = Vec::new();
    for place in form.places(&case.answers) {
        for field in &place.page.fields {
            let shown = field.seen_by.iter().any(|role| role == "clerk");
            let key = place.key(field);
            if shown && case.answers.value(&key).is_some() {
                let text = form.shown(&key, &case.answers, Language::ZhTw);
                found.push((field.id.clone(), field.label.clone(), text));
            }
        }
    }
    found
}
