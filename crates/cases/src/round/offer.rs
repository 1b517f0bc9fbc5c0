//! After the draw: places are accepted, declined, taken up or lost by time; the waiting list moves up (遞補).

use crate::boxed;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use civic::ids::{ApplicationId, EntitlementId};
use lottery::{Held, Move};
use services::round::Rounds;
use store::seal::Place;
use store::tables::ticket::{State, Step};
use store::tables::{entitlement, round as table, ticket};
use uuid::Uuid;

use super::draw::{read, tell};
use super::find;
use super::spec::Spec;
use crate::agents::Hold;
use crate::guard::{self, Action};
use crate::people::Person;
use crate::record::{self, Record};
use crate::staff::Staff;
use crate::{CaseError, Desk, Month, decide, wanted};

/// A ticket of an own case.
async fn own(
    desk: &Desk,
    person: &Person,
    id: ApplicationId,
    ticket: Uuid,
) -> Result<(Record, ticket::Model), CaseError> {
    let record = record::own(desk, person, id, Action::Answer).await?;
    let row = ticket::by_id(desk.store.read(), ticket).await?;
    let row = row
        .filter(|row| row.application_id == id.uuid())
        .ok_or(CaseError::NotFound("ticket"))?;
    Ok((record, row))
}

/// Accepts the place that is held.
///
/// # Errors
/// [`CaseError::Input`] when nothing is offered or the time is over; [`CaseError::Conflict`] when it has moved meanwhile;
/// [`CaseError::NotFound`]; the store's.
#[boxed]
pub async fn accept(
    desk: &Desk,
    person: &Person,
    id: ApplicationId,
    ticket: Uuid,
    revision: i64,
) -> Result<(), CaseError> {
    let (record, row) = own(desk, person, id, ticket).await?;
    if row.revision != revision {
        return Err(CaseError::Conflict("ticket"));
    }
    if row.state != State::Offered {
        return Err(CaseError::Input {
            field: "ticket",
            problem: "nothing_offered",
        });
    }
    if row
        .due
        .as_deref()
        .is_some_and(|due| due < desk.today().to_string().as_str())
    {
        return Err(CaseError::Input {
            field: "ticket",
            problem: "too_late",
        });
    }
    let (rounds, round) = find(&record.service, &row.round)?;
    let due = match (rounds.check_in, round.check_in_by) {
        // who moved up after the check-in days has as long as for the answer
        (true, Some(day)) => Some(
            day.max(desk.calendar.add_working_days(desk.today(), rounds.answer_days))
                .to_string(),
        ),
        _ => None,
    };
    let paid = paid(desk, &record, rounds, &row).await?;
    let step = Step {
        state: State::Accepted,
        held: row.held,
        due,
        at: desk.now().as_microsecond(),
    };
    let hold = Hold::of(desk, &person.who());
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                hold.check(tx).await?;
                if !ticket::step(tx, row.id, row.revision, &step).await? {
                    return Err(CaseError::Conflict("ticket"));
                }
                if let Some(paid) = paid {
                    entitlement::insert(tx, paid).await?;
                }
                Ok(())
            })
        })
        .await
}

/// What is paid to who has this place.
async fn paid(
    desk: &Desk,
    record: &Record,
    rounds: &Rounds,
    row: &ticket::Model,
) -> Result<Option<entitlement::Model>, CaseError> {
    let spec = Spec::read(&row.spec)?;
    let held = row.held.and_then(|held| spec.choices.get(usize::try_from(held).ok()?));
    let (Some(pattern), Some(place)) = (&rounds.pays, held) else {
        return Ok(None);
    };
    let purpose = Rounds::named(pattern, place);
    let decision = decide::latest(desk, record).await?;
    let amount = decision.and_then(|decision| decision.amounts.get(&purpose).copied().flatten());
    let Some(amount) = amount.filter(|amount| *amount > 0) else {
        return Ok(None);
    };
    let id = EntitlementId::generate(desk.clock.as_ref()).uuid();
    let account = match wanted::payee(&record.service.form, &record.answers) {
        Some(account) => {
            let place = Place::new("entitlement", "account", &id);
            Some(record::seal(desk, desk.store.read(), record.row.key_id.into(), place, &account).await?)
        }
        None => None,
    };
    let first = Month::of(desk.today());
    Ok(Some(entitlement::Model {
        id,
        application_id: record.row.id,
        service: record.service.id.clone(),
        purpose,
        amount,
        first_month: first.to_string(),
        last_month: record.service.meta.payment.last_month(first).to_string(),
        account,
        account_refused: false,
        made_at: desk.now().as_microsecond(),
        revision: 1,
    }))
}

/// Gives up the place, or the place on the waiting list; the next one moves up.
///
/// # Errors
/// [`CaseError::Input`] when there is nothing to give up; [`CaseError::Conflict`]; [`CaseError::NotFound`]; the store's.
#[boxed]
pub async fn decline(
    desk: &Desk,
    person: &Person,
    id: ApplicationId,
    ticket: Uuid,
    revision: i64,
) -> Result<(), CaseError> {
    let (_, row) = own(desk, person, id, ticket).await?;
    if row.revision != revision {
        return Err(CaseError::Conflict("ticket"));
    }
    if matches!(row.state, State::Declined | State::Lapsed | State::CheckedIn) {
        return Err(CaseError::Input {
            field: "ticket",
            problem: "nothing_to_decline",
        });
    }
    let hold = Hold::of(desk, &person.who());
    settle(desk, &row.service, &row.round, hold, |other| {
        (other.id == ticket).then_some(State::Declined)
    })
    .await
}

/// Notes that the place was taken up in person (報到).
///
/// # Errors
/// [`CaseError::Input`] unless the place was accepted; [`CaseError::Refused`]; [`CaseError::Conflict`]; the store's.
#[boxed]
pub async fn check_in(desk: &Desk, staff: &Staff, ticket: Uuid, revision: i64) -> Result<(), CaseError> {
    let row = ticket::by_id(desk.store.read(), ticket)
        .await?
        .ok_or(CaseError::NotFound("ticket"))?;
    let service = desk.service(&row.service)?;
    guard::office_of(desk, staff, Action::Round, service)?;
    if row.state != State::Accepted {
        return Err(CaseError::Input {
            field: "ticket",
            problem: "not_accepted",
        });
    }
    let step = Step {
        state: State::CheckedIn,
        held: row.held,
        due: None,
        at: desk.now().as_microsecond(),
    };
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                match ticket::step(tx, row.id, revision, &step).await? {
                    true => Ok(()),
                    false => Err(CaseError::Conflict("ticket")),
                }
            })
        })
        .await
}

/// Takes back places nobody accepted or took up in time; gives how many rounds had some.
///
/// # Errors
/// The store's; what was done before stays done.
pub(crate) async fn lapse(desk: &Desk) -> Result<u64, CaseError> {
    let today = desk.today().to_string();
    let rounds = ticket::overdue(desk.store.read(), &today).await?;
    let mut count = 0;
    for (service, round) in rounds {
        let overdue = |row: &ticket::Model| {
            let late = row.due.as_deref().is_some_and(|due| due < today.as_str());
            (late && matches!(row.state, State::Offered | State::Accepted)).then_some(State::Lapsed)
        };
        match settle(desk, &service, &round, Hold::default(), overdue).await {
            Err(CaseError::NoService(_) | CaseError::NotFound(_) | CaseError::Conflict(_)) => {}
            other => {
                other?;
                count += 1;
            }
        }
    }
    Ok(count)
}

/// Lets tickets leave, and gives what they leave behind to those who wait, in one transaction.
pub(super) async fn settle(
    desk: &Desk,
    service: &str,
    round: &str,
    hold: Hold,
    leaves: impl Fn(&ticket::Model) -> Option<State>,
) -> Result<(), CaseError> {
    let found = std::sync::Arc::clone(desk.service(service)?);
    let (rounds, _) = find(&found, round)?;
    let of = table::find(desk.store.read(), service, round).await?;
    let mut rows = ticket::of_round(desk.store.read(), service, round).await?;
    let mut steps: BTreeMap<Uuid, (i64, Step)> = BTreeMap::new();
    let at = desk.now().as_microsecond();
    for row in &mut rows {
        if let Some(state) = leaves(row) {
            row.state = state;
            row.held = None;
            steps.insert(
                row.id,
                (
                    row.revision,
                    Step {
                        state,
                        held: None,
                        due: None,
                        at,
                    },
                ),
            );
        }
    }
    let mut messages = Vec::new();
    if let Some((drawn, seed)) = of.as_ref().and_then(|of| Some((of.drawn.clone()?, of.seed.clone()?))) {
        let due = desk
            .calendar
            .add_working_days(desk.today(), rounds.answer_days)
            .to_string();
        let told: HashMap<String, (State, Option<i32>)> = rows
            .iter()
            .filter_map(|row| Some((row.mark.clone()?, (row.state, row.held))))
            .collect();
        let moved = tokio::task::spawn_blocking(move || moved(&drawn, &seed, &told)).await;
        let moved = moved.map_err(|error| CaseError::Outside {
            party: "lottery",
            problem: error.to_string(),
        })??;
        for row in &rows {
            let Some(choice) = row.mark.as_ref().and_then(|mark| moved.get(mark)) else {
                continue;
            };
            let step = Step {
                state: State::Offered,
                held: Some(*choice),
                due: Some(due.clone()),
                at,
            };
            steps.insert(row.id, (row.revision, step));
            messages.extend(tell(desk, row, Some(*choice)).await?);
        }
    }
    let (step, seal) = (of.map(|of| (of.id, of.revision)), desk.store.seal().clone());
    if steps.is_empty() {
        return Ok(());
    }
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                hold.check(tx).await?;
                if let Some((id, revision)) = step
                    && !table::step(tx, id, revision).await?
                {
                    return Err(CaseError::Conflict("round"));
                }
                for (id, (revision, step)) in steps {
                    if !ticket::step(tx, id, revision, &step).await? {
                        return Err(CaseError::Conflict("ticket"));
                    }
                }
                for (draft, number) in messages {
                    draft.seal(tx, &seal, &number).await?.write(tx).await?;
                }
                Ok(())
            })
        })
        .await
}

/// Which marks move up to which choice, by what every mark holds now.
///
/// Who accepted stays where they are. Tickets the draw has not been told to yet hold what the draw gave them.
fn moved(
    drawn: &[u8],
    seed: &str,
    told: &HashMap<String, (State, Option<i32>)>,
) -> Result<HashMap<String, i32>, CaseError> {
    let draw = read(drawn)?;
    let order = lottery::order(&draw.list, seed)?;
    let given: HashMap<String, String> = super::draw::held(&draw)
        .into_iter()
        .map(|(mark, place)| (mark.to_owned(), place.to_owned()))
        .collect();
    let mut list = draw.list;
    let (mut held, mut gone) = (Vec::new(), BTreeSet::new());
    for (number, ticket) in list.tickets.iter_mut().enumerate() {
        let (state, choice) = told.get(&ticket.id).copied().unwrap_or((State::Declined, None));
        let choice = choice.and_then(|choice| usize::try_from(choice).ok());
        let holds = match state {
            State::Qualified => given
                .get(&ticket.id)
                .and_then(|place| ticket.choices.iter().position(|choice| choice == place)),
            State::Declined | State::Lapsed => {
                gone.insert(number);
                None
            }
            _ => choice,
        };
        if matches!(state, State::Accepted | State::CheckedIn)
            && let Some(place) = holds.and_then(|choice| ticket.choices.get(choice).cloned())
        {
            // nothing is better than what they have taken
            ticket.choices = vec![place];
            held.push(Some(0));
            continue;
        }
        held.push(holds);
    }
    let mut held = Held(held);
    let moves: Vec<Move> = lottery::fill(&list, &order, &mut held, &gone);
    let mut last = HashMap::new();
    for step in moves {
        if let (Some(ticket), Ok(choice)) = (list.tickets.get(step.ticket), i32::try_from(step.to)) {
            last.insert(ticket.id.clone(), choice);
        }
    }
    Ok(last)
}
