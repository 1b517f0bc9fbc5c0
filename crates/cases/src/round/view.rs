//! What is shown of a round: to everybody, to an office, and to the person of a ticket.

use crate::boxed;
use std::collections::HashMap;

use civic::{Text, legal_time};
use jiff::civil::Date;
use lottery::Draw;
use services::Service;
use services::round::{Round, Rounds};
use store::tables::ticket::State;
use store::tables::{application, round as table, round_entry, ticket};
use uuid::Uuid;

use super::changed::{Changed, compare};
use super::draw::read;
use super::find;
use super::spec::Spec;
use crate::guard::{self, Action};
use crate::staff::Staff;
use crate::{CaseError, Desk};

/// A line of the rounds of an office.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Folder name of the service.
    pub service: String,
    /// Its name.
    pub service_name: Text,
    /// The round.
    pub round: Round,
    /// Whether applications are taken now.
    pub is_open: bool,
    /// Whether its list is sealed.
    pub is_sealed: bool,
    /// Whether it is drawn.
    pub is_drawn: bool,
    /// Applications not decided yet.
    pub undecided: i64,
    /// Tickets.
    pub tickets: i64,
}

/// Seats of one class at one place, with who has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeatsView {
    /// Id of the place.
    pub place_id: String,
    /// Id of the class.
    pub class_id: String,
    /// Name of the place.
    pub place: Text,
    /// Name of the class; none where there is only one.
    pub class: Option<Text>,
    /// All seats.
    pub capacity: u32,
    /// Those among them that are reserved.
    pub reserved: u32,
    /// Offered, accepted or taken up.
    pub taken: u32,
}

/// A ticket as an office sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketRow {
    /// The ticket.
    pub id: Uuid,
    /// Revision to name in the next change.
    pub revision: i64,
    /// The application.
    pub application: Uuid,
    /// Its number.
    pub number: String,
    /// Where it stands.
    pub state: State,
    /// The place it holds.
    pub place: Option<Text>,
    /// Until when the person does the next step.
    pub due: Option<Date>,
}

/// A round as an office sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct RoundView {
    /// The line of the list.
    pub line: Line,
    /// Digest of the sealed list.
    pub digest: Option<String>,
    /// The public value.
    pub seed: Option<String>,
    /// Whether this member of staff may draw: never who sealed.
    pub may_draw: bool,
    /// Seats, place by place.
    pub seats: Vec<SeatsView>,
    /// Whether the folder says other seats than the sealed list.
    pub seats_differ: bool,
    /// Sealed seats that the folder says otherwise.
    pub changed: Vec<Changed>,
    /// How many tickets stand where.
    pub counts: Vec<(State, i64)>,
    /// Tickets that hold a place, then those that wait; cut at a few hundred.
    pub tickets: Vec<TicketRow>,
}

/// What everybody may see of a round.
#[derive(Clone, Debug, PartialEq)]
pub struct Published {
    /// Name of the service.
    pub service_name: Text,
    /// The round.
    pub round: Round,
    /// Seats, place by place.
    pub seats: Vec<SeatsView>,
    /// The sealed list as a file, with its digest.
    pub sealed: Option<(String, Vec<u8>)>,
    /// The draw as a file, with its public value.
    pub drawn: Option<(String, Vec<u8>)>,
}

/// One choice of a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChoiceView {
    /// Name of the place.
    pub place: Text,
    /// How many who wait for this place come before; known once it is drawn, for who waits.
    pub ahead: Option<usize>,
    /// Whether the ticket holds it.
    pub held: bool,
}

/// A ticket as its person sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MyTicket {
    /// The ticket.
    pub id: Uuid,
    /// Revision to name in the next change.
    pub revision: i64,
    /// Folder name of the service.
    pub service: String,
    /// Name of the round in addresses.
    pub round: String,
    /// Name of the round.
    pub round_name: Text,
    /// The name it has in published lists.
    pub mark: Option<String>,
    /// Where it stands.
    pub state: State,
    /// Until when the person does the next step.
    pub due: Option<Date>,
    /// The day of the draw.
    pub draw: Date,
    /// The choices.
    pub choices: Vec<ChoiceView>,
}

/// Tickets of one page.
const SHOWN: usize = 300;

async fn line(desk: &Desk, service: &Service, round: &Round) -> Result<Line, CaseError> {
    let row = table::find(desk.store.read(), &service.id, &round.id).await?;
    let counts = ticket::counts(desk.store.read(), &service.id, &round.id).await?;
    let now = legal_time(desk.now());
    Ok(Line {
        service: service.id.clone(),
        service_name: service.meta.name.clone(),
        is_open: round.opens <= now && now < round.closes,
        is_sealed: row.is_some(),
        is_drawn: row.is_some_and(|row| row.drawn_at.is_some()),
        undecided: round_entry::undecided(desk.store.read(), &service.id, &round.id).await?,
        tickets: counts.iter().map(|(_, count)| count).sum(),
        round: round.clone(),
    })
}

/// The rounds of an office, the newest first.
///
/// # Errors
/// [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn list(desk: &Desk, staff: &Staff) -> Result<Vec<Line>, CaseError> {
    guard::office(desk, staff, Action::Round)?;
    let mut lines = Vec::new();
    for service in desk.catalogue.all() {
        if service.meta.agency.get(civic::Language::ZhTw) != staff.agency {
            continue;
        }
        for round in service.rounds.iter().flat_map(|rounds| &rounds.rounds) {
            lines.push(line(desk, service, round).await?);
        }
    }
    lines.sort_by_key(|line| std::cmp::Reverse(line.round.opens));
    Ok(lines)
}

/// Seats as they are sealed, or as the folder says before.
pub(super) fn seats(
    rounds: &Rounds,
    round: &Round,
    sealed: Option<&Draw>,
    rows: &[(ticket::Model, Spec)],
) -> Vec<SeatsView> {
    let mut taken: HashMap<(&str, &str), u32> = HashMap::new();
    for (row, spec) in rows {
        let held = row.held.and_then(|held| spec.choices.get(usize::try_from(held).ok()?));
        let Some(place) = held.filter(|_| !matches!(row.state, State::Declined | State::Lapsed)) else {
            continue;
        };
        for (class, count) in &spec.needs {
            *taken.entry((place, class)).or_insert(0) += count;
        }
    }
    let name = |id: &str| {
        let place = rounds.place(id);
        place.map_or_else(|| Text::chinese(id), |place| place.name.clone())
    };
    let view = |place: &str, class: &str, capacity, reserved| {
        let shown = SeatsView {
            place_id: place.to_owned(),
            class_id: class.to_owned(),
            place: name(place),
            class: rounds.classes.get(class).cloned(),
            capacity,
            reserved,
            taken: taken.get(&(place, class)).copied().unwrap_or(0),
        };
        (rounds.order(place, class), shown)
    };
    let mut found: Vec<((usize, usize), SeatsView)> = match sealed {
        Some(draw) => {
            let places = draw.list.places.iter();
            places
                .flat_map(|place| {
                    let of = |(class, seats): (&String, &lottery::Seats)| {
                        view(&place.id, class, seats.capacity, seats.reserved)
                    };
                    place.seats.iter().map(of).collect::<Vec<_>>()
                })
                .collect()
        }
        None => round
            .seats
            .iter()
            .flat_map(|(place, classes)| {
                let of = |(class, seats): (&String, &services::round::Seats)| {
                    view(place, class, seats.capacity, seats.reserved)
                };
                classes.iter().map(of).collect::<Vec<_>>()
            })
            .collect(),
    };
    found.sort_by_key(|(order, _)| *order);
    found.into_iter().map(|(_, view)| view).collect()
}

fn differ(round: &Round, sealed: &Draw) -> bool {
    let sealed = sealed.list.places.iter().flat_map(|place| {
        let id = place.id.as_str();
        place
            .seats
            .iter()
            .map(move |(class, seats)| (id, class.as_str(), seats.capacity, seats.reserved))
    });
    let folder = round.seats.iter().flat_map(|(id, classes)| {
        classes
            .iter()
            .map(move |(class, seats)| (id.as_str(), class.as_str(), seats.capacity, seats.reserved))
    });
    !sealed.eq(folder)
}

pub(super) async fn opened(
    store: &store::Store,
    service: &str,
    round: &str,
) -> Result<Vec<(ticket::Model, Spec)>, CaseError> {
    let rows = ticket::of_round(store.read(), service, round).await?;
    rows.into_iter()
        .map(|row| {
            let spec = Spec::read(&row.spec)?;
            Ok((row, spec))
        })
        .collect()
}

/// A round of the own office.
///
/// # Errors
/// [`CaseError::NotFound`]; [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn view(desk: &Desk, staff: &Staff, service: &str, round: &str) -> Result<RoundView, CaseError> {
    let service = desk.service(service).map_err(|_| CaseError::NotFound("round"))?;
    guard::office_of(desk, staff, Action::Round, service)?;
    let (rounds, round) = find(service, round)?;
    let row = table::find(desk.store.read(), &service.id, &round.id).await?;
    let rows = opened(&desk.store, &service.id, &round.id).await?;
    let sealed = row.as_ref().map(|row| read(&row.sealed)).transpose()?;
    let mut tickets: Vec<&(ticket::Model, Spec)> = rows.iter().collect();
    // what needs a hand comes first
    tickets.sort_by_key(|(row, _)| match row.state {
        State::Accepted => 0,
        State::Offered => 1,
        State::CheckedIn => 2,
        State::Waiting => 3,
        _ => 4,
    });
    let mut shown = Vec::new();
    for (row, spec) in tickets.into_iter().take(SHOWN) {
        let application = application::by_id(desk.store.read(), row.application_id).await?;
        let held = row.held.and_then(|held| spec.choices.get(usize::try_from(held).ok()?));
        shown.push(TicketRow {
            id: row.id,
            revision: row.revision,
            application: row.application_id,
            number: application.and_then(|row| row.number).unwrap_or_default(),
            state: row.state,
            place: held.and_then(|id| rounds.place(id)).map(|place| place.name.clone()),
            due: row.due.as_ref().and_then(|day| day.parse().ok()),
        });
    }
    let seats = seats(rounds, round, sealed.as_ref(), &rows);
    Ok(RoundView {
        changed: sealed
            .as_ref()
            .map(|sealed| compare(round, sealed, &seats))
            .unwrap_or_default(),
        line: line(desk, service, round).await?,
        digest: row.as_ref().map(|row| row.digest.clone()),
        seed: row.as_ref().and_then(|row| row.seed.clone()),
        may_draw: row
            .as_ref()
            .is_some_and(|row| guard::draw(desk, staff, service, row).is_ok()),
        seats_differ: sealed.as_ref().is_some_and(|sealed| differ(round, sealed)),
        seats,
        counts: ticket::counts(desk.store.read(), &service.id, &round.id).await?,
        tickets: shown,
    })
}

/// What everybody may see of a round.
///
/// # Errors
/// [`CaseError::NotFound`]; the store's.
#[boxed]
pub async fn published(desk: &Desk, service: &str, round: &str) -> Result<Published, CaseError> {
    let service = desk.service(service).map_err(|_| CaseError::NotFound("round"))?;
    let (rounds, round) = find(service, round)?;
    let row = table::find(desk.store.read(), &service.id, &round.id).await?;
    let sealed = row.as_ref().map(|row| read(&row.sealed)).transpose()?;
    Ok(Published {
        service_name: service.meta.name.clone(),
        seats: seats(rounds, round, sealed.as_ref(), &[]),
        round: round.clone(),
        drawn: row
            .as_ref()
            .and_then(|row| Some((row.seed.clone()?, row.drawn.clone()?))),
        sealed: row.map(|row| (row.digest, row.sealed)),
    })
}

/// The tickets of an own case.
///
/// # Errors
/// The store's.
pub(crate) async fn of_case(desk: &Desk, service: &Service, application: Uuid) -> Result<Vec<MyTicket>, CaseError> {
    let rows = ticket::of_application(desk.store.read(), application).await?;
    let mut tickets = Vec::new();
    for row in rows {
        let Ok((rounds, round)) = find(service, &row.round) else {
            continue;
        };
        let spec = Spec::read(&row.spec)?;
        let ahead = ahead(desk, &row, &spec).await?;
        let choices = spec.choices.iter().enumerate().map(|(number, id)| ChoiceView {
            place: rounds
                .place(id)
                .map_or_else(|| Text::chinese(id.clone()), |place| place.name.clone()),
            ahead: ahead.get(id).copied(),
            held: row.held.and_then(|held| usize::try_from(held).ok()) == Some(number),
        });
        tickets.push(MyTicket {
            id: row.id,
            revision: row.revision,
            service: row.service.clone(),
            round: row.round.clone(),
            round_name: round.name.clone(),
            choices: choices.collect(),
            mark: row.mark.clone(),
            state: row.state,
            due: row.due.as_ref().and_then(|day| day.parse().ok()),
            draw: round.draw,
        });
    }
    Ok(tickets)
}

/// For each choice that a ticket waits for, how many who still wait for that place come before it.
async fn ahead(desk: &Desk, row: &ticket::Model, spec: &Spec) -> Result<HashMap<String, usize>, CaseError> {
    let (State::Waiting | State::Offered, Some(mark)) = (row.state, row.mark.as_deref()) else {
        return Ok(HashMap::new());
    };
    let of = table::find(desk.store.read(), &row.service, &row.round).await?;
    let Some(drawn) = of.and_then(|of| of.drawn) else {
        return Ok(HashMap::new());
    };
    let draw = read(&drawn)?;
    let rows = ticket::of_round(desk.store.read(), &row.service, &row.round).await?;
    let states: HashMap<&str, &ticket::Model> = rows
        .iter()
        .filter_map(|row| Some((row.mark.as_deref()?, row)))
        .collect();
    let choices: HashMap<&str, &[String]> = draw
        .list
        .tickets
        .iter()
        .map(|ticket| (ticket.id.as_str(), ticket.choices.as_slice()))
        .collect();
    let waits = |other: &str, place: &str| {
        let Some(row) = states.get(other) else { return false };
        let choice = choices
            .get(other)
            .and_then(|choices| choices.iter().position(|choice| choice == place));
        match row.state {
            State::Waiting | State::Qualified => true,
            // who has something less wanted would move up
            State::Offered => row.held.and_then(|held| usize::try_from(held).ok()) > choice,
            _ => false,
        }
    };
    let mut found = HashMap::new();
    let better = row
        .held
        .and_then(|held| usize::try_from(held).ok())
        .unwrap_or(spec.choices.len());
    for place in spec.choices.iter().take(better) {
        let result = draw.result.iter().flatten().find(|result| result.place == *place);
        let Some(result) = result else { continue };
        let before = result.waiting.iter().take_while(|other| *other != mark);
        found.insert(place.clone(), before.filter(|other| waits(other, place)).count());
    }
    Ok(found)
}
